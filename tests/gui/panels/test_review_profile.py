"""The margin along a probe in the review: a curve for each isotherm, and a press goes there."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.app.margin_shown import margin_of
from cryoplan.gui.numbers import margin_title
from cryoplan.gui.panels import ReviewPanel
from cryoplan.plan import edits


@pytest.fixture
def review(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    panel.profile.head.click()
    return panel


def test_each_isotherm_has_its_curve_of_least_margins(review, desk):
    chart = review.profile.chart
    assert [s.name for s in chart.series] == [margin_title(t) for t in (0.0, -20.0, -30.0, -40.0)]
    for margin, series in zip(desk.workspace.assessment.margins, chart.series, strict=True):
        assert np.nanmin(series.y) == pytest.approx(margin.minimum_mm)


def test_a_press_goes_to_the_least_margin_of_that_curve_at_that_depth(review, desk):
    chart = review.profile.chart
    shown, probe = margin_of(desk.workspace, desk.view), desk.workspace.plan.probes[0]
    chart.pressed.emit(12.0, margin_title(-20.0))
    assert desk.view.cursor_mm == shown.profile(probe).place(-20.0, 12.0)[2]


def test_the_profile_follows_the_selected_probe_and_selects_the_chosen_one(review, desk):
    section = review.profile
    desk.view.selected_probe = "2"
    assert section.probe.currentText() == "2"
    section.probe.setCurrentIndex(0)
    section.probe.activated.emit(0)
    assert desk.view.selected_probe == "1"


def test_it_is_out_of_date_after_an_edit_and_names_no_side(review, desk, settled):
    desk.workspace.edit("moved", edits.nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    settled(review)
    assert review.profile.chart.content.stale
    assert review.profile.words.text() == ""


def test_without_probes_it_says_what_is_missing(make):
    panel = make(ReviewPanel)
    panel.profile.head.click()
    assert not panel.profile.probe.isEnabled()
    assert "Solve a plan" in panel.profile.chart.content.empty
