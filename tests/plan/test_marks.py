"""Skin marks tell entries in the words of the room, and are edited as the rest of a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.errors import PlanError
from cryoplan.plan import edit_marks
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.file import plan_from_json, plan_to_json
from cryoplan.plan.mark import Mark, MarkKind, from_mark, marks_for
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from tests.support.plan_strategies import points

MIDLINE = Mark(name="mid-line", kind=MarkKind.MIDLINE, position_mm=(0.0, -100.0, 50.0))
ONE = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(0, -80, 0))
PLAN = Plan(probes=(ONE,), marks=(MIDLINE,))


def test_an_entry_is_told_in_words_from_the_mark_the_user_set():
    # LPS: x grows to the left, z to the head.
    assert from_mark((23.0, -95.0, 62.0), MIDLINE).sentence == (
        "23 mm to the patient's left of the mid-line mark, 12 mm towards the head of it"
    )
    xiphoid = replace(MIDLINE, name="xiphoid", kind=MarkKind.LANDMARK)
    assert from_mark((-7.4, -95.0, 9.6), xiphoid).sentence == (
        "7 mm to the patient's right of the landmark xiphoid, 40 mm towards the feet of it"
    )


def test_what_lies_level_with_the_mark_is_said_to():
    assert from_mark((0.2, 0.0, 50.3), MIDLINE).sentence == (
        "level with the mid-line mark, left to right, level with it, head to feet"
    )


@given(point=points, mark=points)
def test_an_entry_lies_on_the_other_side_of_the_mark_than_the_mark_of_the_entry(point, mark):
    here = from_mark(point, replace(MIDLINE, position_mm=mark))
    there = from_mark(mark, replace(MIDLINE, position_mm=point))
    for words, back, pair in (
        (here.across, there.across, ("left", "right")),
        (here.along, there.along, ("head", "feet")),
        (here.to_front, there.to_front, ("front", "back")),
    ):
        turned = words.replace(pair[0], "X").replace(pair[1], pair[0]).replace("X", pair[1])
        assert turned == back


def test_the_nearest_midline_mark_comes_first_then_the_nearest_of_the_others():
    far = Mark(name="grid 1", kind=MarkKind.GRID_LINE, position_mm=(90.0, -90.0, 0.0))
    near = Mark(name="grid 2", kind=MarkKind.GRID_LINE, position_mm=(40.0, -90.0, 0.0))
    assert marks_for((30.0, -90.0, 0.0), (far, near, MIDLINE)) == (MIDLINE, near)
    assert marks_for((30.0, -90.0, 0.0), ()) == ()


def test_marks_are_added_moved_renamed_and_removed_with_words_for_each():
    kind = MarkKind.GRID_LINE
    one = edit_marks.add_mark(PLAN, kind=kind, position_mm=(1, 2, 3))
    two = edit_marks.add_mark(one, kind=kind, position_mm=(1, 2, 9))
    again = edit_marks.add_mark(two, kind=MarkKind.MIDLINE, position_mm=(0, 0, 0))
    assert [m.name for m in again.marks] == ["mid-line", "grid 1", "grid 2", "mid-line 1"]
    assert describe_change(PLAN, one) == "Skin mark grid 1 added"
    moved = edit_marks.move_mark(one, "grid 1", (1, 2, 7))
    assert describe_change(one, moved) == "Skin mark grid 1: moved 4.0 mm"
    other = edit_marks.set_mark_kind(one, "grid 1", MarkKind.LANDMARK)
    assert describe_change(one, other) == "Skin mark grid 1: now a landmark"
    named = edit_marks.rename_mark(one, "grid 1", "xiphoid")
    assert describe_change(one, named) == "Skin mark grid 1 renamed xiphoid"
    assert describe_change(one, edit_marks.remove_mark(one, "grid 1")) == "Skin mark grid 1 removed"


def test_marks_refuse_unknown_names_taken_names_and_places_that_are_none():
    with pytest.raises(PlanError, match="There is no skin mark 'x'"):
        edit_marks.move_mark(PLAN, "x", (0, 0, 0))
    with pytest.raises(PlanError) as caught:
        edit_marks.add_mark(PLAN, kind=MarkKind.LANDMARK, position_mm=(0, 0, 0), name="mid-line")
    assert caught.value.code == "mark-name-twice"
    with pytest.raises(PlanError):
        edit_marks.add_mark(PLAN, kind=MarkKind.LANDMARK, position_mm=(0, 0, float("nan")))


@given(position=points, kind=st.sampled_from(MarkKind))
def test_marks_never_change_what_is_simulated(position, kind):
    with_mark = edit_marks.add_mark(PLAN, kind=kind, position_mm=position)
    assert with_mark.physics_key() == PLAN.physics_key()


def test_a_plan_file_holds_marks_only_where_there_are_some():
    catalogue = load_catalogue()
    assert '"marks"' not in plan_to_json(replace(PLAN, marks=()))
    assert plan_from_json(plan_to_json(PLAN), catalogue, "p.json") == PLAN
    bad = plan_to_json(PLAN).replace('"midline"', '"middle"')
    with pytest.raises(PlanError) as caught:
        plan_from_json(bad, catalogue, "p.json")
    assert caught.value.place.startswith("marks[0]")
