"""The review panel: margins and coverage as they were judged, grey as soon as they are not current."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.core.finding import Level
from cryoplan.gui.panels import (
    ReviewPanel,
)
from cryoplan.gui.parts import DASH, OUT_OF_DATE
from cryoplan.plan import edits
from cryoplan.report.decision import CONTROL_RATES
from tests.support.scenes import TUMOUR_MM


def test_review_shows_each_threshold_as_least_five_percent_and_median(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    for margin, line in zip(desk.workspace.assessment.margins, panel.thresholds, strict=True):
        values = [float(cell.text().replace("−", "-")) for cell in line[1:]]
        assert values == pytest.approx([margin.minimum_mm, margin.p05_mm, margin.median_mm], abs=0.051)


def test_review_shows_every_coverage_and_every_finding(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    judged = desk.workspace.assessment
    assert len(panel.coverage.rows) == len(judged.coverage)
    heavy = [f.text for f in judged.findings if f.level is not Level.OK]
    assert panel.findings.texts() == heavy
    panel.findings.passed.click()
    assert sorted(panel.findings.texts()) == sorted(f.text for f in judged.findings)


def test_review_says_that_published_control_rates_belong_to_the_ice_edge(make):
    panel = make(ReviewPanel)
    assert panel.rates.text() == CONTROL_RATES
    assert "ice edge, not to a lethal isotherm" in panel.rates.text()


def test_review_is_grey_and_says_out_of_date_after_an_edit(desk, make, settled):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    plan = desk.workspace.plan
    desk.workspace.edit("moved", edits.nudge(plan, "1", (0.1, 0.0, 0.0)))
    settled(panel)
    assert OUT_OF_DATE in panel.stale.text()
    assert panel.stale.isVisible()
    cells = [cell for line in panel.thresholds for cell in line]
    assert {part.tone for part in (*panel.margins, *panel.coverage.rows, *panel.volumes.rows, *cells)} == {
        "stale"
    }


def test_review_goes_to_the_worst_place(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    panel.go_buttons[1].click()
    assert desk.view.cursor_mm == pytest.approx(desk.workspace.assessment.margin(-40.0).worst_point_mm)
    assert desk.view.cursor_mm != pytest.approx(TUMOUR_MM)


def test_review_without_a_target_has_no_margin_and_says_so(desk, make, settled):
    panel = make(ReviewPanel)
    desk.open()
    desk.solve()
    settled(panel)
    desk.workspace._keep_result(
        desk.workspace.result, replace(desk.workspace.assessment, margins=(), coverage=())
    )
    settled(panel)
    assert [box.texts[1] for box in panel.margins] == [DASH, DASH]
    assert not panel.go_buttons[0].isEnabled()
