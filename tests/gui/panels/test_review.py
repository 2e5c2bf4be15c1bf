"""The review panel: margins and coverage as they were judged, grey as soon as they are not current."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan import workflow
from cryoplan.core.finding import Level
from cryoplan.core.units import show_degc, show_ml, show_percent
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
    for margin, line in zip(desk.workspace.assessment.margins, panel.in_numbers.thresholds, strict=True):
        values = [float(cell.text().replace("−", "-")) for cell in line[1:]]
        assert values[:3] == pytest.approx([margin.minimum_mm, margin.p05_mm, margin.median_mm], abs=0.051)
        shares = (margin.fraction_below_0, margin.fraction_0_to_5, margin.fraction_5_up)
        assert values[3:] == pytest.approx([100 * s for s in shares], abs=0.51)
        assert "QAM" in line[1].toolTip()


def test_review_shows_every_coverage_and_every_finding(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    judged = desk.workspace.assessment
    cells = {box.accessibleName().partition(":")[0]: box.texts for box in panel.coverage.rows}
    for covered in judged.coverage:
        rim = f"+{covered.rim_mm:g} mm" if covered.rim_mm else "target"
        percent, ml = cells[f"{rim} at {show_degc(covered.threshold_degc)}"]
        assert percent.lstrip("!✕ ").startswith(show_percent(covered.fraction)[:2])
        assert ml == show_ml(covered.reached_ml)
    heavy = [f.text for f in judged.findings if f.level is not Level.OK]
    assert panel.findings.texts() == heavy
    panel.findings.passed.click()
    assert sorted(panel.findings.texts()) == sorted(f.text for f in judged.findings)


def test_review_says_that_published_control_rates_belong_to_the_ice_edge(make):
    panel = make(ReviewPanel)
    assert panel.in_numbers.rates.text() == CONTROL_RATES
    assert "ice edge, not to a lethal isotherm" in panel.in_numbers.rates.text()


def test_review_is_grey_and_says_out_of_date_after_an_edit(desk, make, settled):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    plan = desk.workspace.plan
    desk.workspace.edit("moved", edits.nudge(plan, "1", (0.1, 0.0, 0.0)))
    settled(panel)
    assert OUT_OF_DATE in panel.stale.text()
    assert panel.stale.isVisible()
    cells = [cell for line in panel.in_numbers.thresholds for cell in line]
    assert {part.tone for part in (*panel.margins, *panel.coverage.rows, *panel.organs.alerts, *cells)} == {
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


def test_a_side_is_left_out_by_a_tick_and_said_beside_the_margins(desk, make):
    desk.open()
    desk.solve()
    workspace = desk.workspace
    panel = make(ReviewPanel)
    names = [
        side.structure
        for side, _ in workflow.offered_sides(workspace.case, workspace.result, workspace.assessment)
    ]
    assert panel.sides.gist == "nothing"
    assert panel.sides.rows == []
    panel.sides.head.click()
    assert len(panel.sides.rows) == len(names)
    workspace.leave_out(
        next(s.name for s in workspace.case.structures if s is not workspace.case.target), 30.0
    )
    panel.refresh()
    row = panel.sides.rows[-1]
    assert row.tick.isChecked()
    assert panel.in_numbers.left_out.text().startswith("! ")
    assert panel.sides.gist.endswith(" %")
    row.tick.click()
    panel.refresh()
    assert workspace.case.left_out == ()
    assert panel.in_numbers.left_out.text() == ""


def test_how_sure_a_margin_is_stands_below_it_with_its_sources(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    assert panel.sure.gist.startswith("±")
    panel.sure.head.click()
    assert panel.sure.sums.text().startswith("0 °C: ±")
    assert [row.texts[1] for row in panel.sure.rows.rows] == ["voxels", "outline", "grid and step", "model"]
    assert all(row.toolTip() for row in panel.sure.rows.rows)
    assert "Energy balance" in panel.sure.energy.text()
    desk.worker.gave_up("meshes")  # one thing at a time
    panel.refresh()
    asked = len(desk.worker.jobs)
    panel.sure.check.click()
    assert desk.worker.jobs[asked].kind == "converge"
