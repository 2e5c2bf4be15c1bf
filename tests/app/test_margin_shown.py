"""The margins on show: of the plan on screen or not, each thing made once, another map never mixed in."""

from __future__ import annotations

import pytest

from cryoplan.app.margin_shown import margin_of
from cryoplan.margins.classes import MarginClasses
from cryoplan.plan.edits import nudge
from tests.support.desk import Desk


@pytest.fixture
def desk(qapp):
    del qapp
    made = Desk()
    made.open()
    made.solve()
    yield made
    made.workspace.close()


def test_margins_are_current_until_the_plan_moves_by_a_tenth_of_a_millimetre(desk):
    assert margin_of(desk.workspace, desk.view).is_current
    desk.workspace.edit("a tenth", nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    assert not margin_of(desk.workspace, desk.view).is_current
    desk.workspace.undo()
    assert margin_of(desk.workspace, desk.view).is_current


def test_what_is_derived_is_made_once(desk):
    first, second = margin_of(desk.workspace, desk.view), margin_of(desk.workspace, desk.view)
    assert first.unrolled is second.unrolled
    assert first.places is second.places
    assert first.bars is second.bars
    probe = desk.workspace.plan.probes[0]
    assert first.profile(probe) is second.profile(probe)
    assert first.is_drawn_like(second)


def test_another_isotherm_or_other_steps_are_another_picture(desk):
    first = margin_of(desk.workspace, desk.view)
    assert not first.is_drawn_like(margin_of(desk.workspace, desk.view, 0.0))
    desk.view.margin_classes = MarginClasses((0.0, 3.0))
    assert not first.is_drawn_like(margin_of(desk.workspace, desk.view))


def test_an_isotherm_that_was_not_measured_gives_way_to_the_coldest(desk):
    desk.view.margin_degc = -25.0
    assert margin_of(desk.workspace, desk.view).threshold_degc == -40.0


def test_the_least_of_bars_map_places_and_profile_is_the_margin_of_the_review(desk):
    for margin in desk.workspace.assessment.margins:
        shown = margin_of(desk.workspace, desk.view, margin.threshold_degc)
        assert shown.places[0].margin_mm == margin.minimum_mm
        assert shown.unrolled.margin_at(*shown.unrolled.place_of(margin.worst_point_mm)) == margin.minimum_mm
        for probe in desk.workspace.plan.probes:
            assert shown.profile(probe).least(margin.threshold_degc).min() == margin.minimum_mm
        assert shown.bars.edges_mm[0] <= margin.minimum_mm < shown.bars.edges_mm[1]
