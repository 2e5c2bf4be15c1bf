"""Tools move as probes do, measure where they should, and every edit of them has its words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cryoplan.core.errors import PlanError
from cryoplan.plan import edit_tools, edits
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.room import Room
from cryoplan.plan.tool import ToolKind
from tests.support.plan_strategies import plans, rooms

ONE = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(0, -80, 0))
PLAN = edit_tools.add_tool(
    Plan(probes=(ONE,)), kind=ToolKind.THERMOCOUPLE, tip_mm=(0, 0, 20), entry_mm=(0, -80, 20)
)


def test_tools_get_a_name_of_their_kind_and_a_usual_size():
    (needle,) = PLAN.tools
    assert (needle.name, needle.kind) == ("TC1", ToolKind.THERMOCOUPLE)
    assert needle.depth_mm == 80.0
    again = edit_tools.add_tool(PLAN, kind=ToolKind.BIOPSY, tip_mm=(9, 0, 0), entry_mm=(9, -80, 0))
    assert [t.name for t in again.tools] == ["TC1", "BX1"]


def test_a_thermocouple_needle_measures_at_its_tip_and_no_other_tool_does():
    plan = edit_tools.add_tool(PLAN, kind=ToolKind.BIOPSY, tip_mm=(9, 0, 0), entry_mm=(9, -80, 0))
    assert plan.sensors == (Thermocouple(name="TC1", position_mm=(0, 0, 20)),)
    assert plan.physics_key() == PLAN.physics_key()
    moved = edits.move_tip(plan, "TC1", (0, 0, 21))
    assert moved.sensors != plan.sensors
    assert moved.physics_key() == plan.physics_key()
    assert edits.move_entry(plan, "TC1", (5, -80, 21)).physics_key() == plan.physics_key()


def test_what_moves_a_probe_moves_a_tool():
    moved = edits.nudge(PLAN, "TC1", (1, 2, 3))
    assert moved.tool("TC1").tip_mm == (1, 2, 23)
    assert moved.probes == PLAN.probes
    assert edits.advance(PLAN, "TC1", 5).tool("TC1").depth_mm == pytest.approx(85)
    with pytest.raises(PlanError, match=r"Tool TC1 is locked") as caught:
        edits.nudge(edits.set_locked(PLAN, "TC1", True), "TC1", (1, 2, 3))
    assert caught.value.code == "probe-locked"
    with pytest.raises(PlanError, match="locked"):
        edit_tools.remove_tool(edits.set_locked(PLAN, "TC1", True), "TC1")
    assert edit_tools.remove_tool(PLAN, "TC1").tools == ()


def test_names_are_unique_in_the_whole_plan():
    with pytest.raises(PlanError) as caught:
        edit_tools.rename_tool(PLAN, "TC1", "1")
    assert caught.value.code == "tool-name-twice"
    assert edits.next_probe_name(edit_tools.rename_tool(PLAN, "TC1", "2")) == "3"
    with pytest.raises(PlanError, match="no tool"):
        edit_tools.rename_tool(PLAN, "1", "3")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: edits.nudge(p, "TC1", (0, 0, 3)), "Tool TC1: moved 3.0 mm"),
        (lambda p: edit_tools.remove_tool(p, "TC1"), "Tool TC1 removed"),
        (lambda p: edit_tools.rename_tool(p, "TC1", "probe on bowel"), "Tool TC1 renamed probe on bowel"),
        (lambda p: edit_tools.set_tool_size(p, "TC1", diameter_mm=1, length_mm=200),
         "Tool TC1: 1.0 mm thick, 200.0 mm long"),
        (lambda p: edits.set_note(p, "TC1", "at the bowel"), "Tool TC1: note changed"),
        (lambda p: edits.set_note(p, "1", "first"), "Probe 1: note changed"),
        (lambda p: edits.set_channel(p, "1", " B2 "), "Probe 1: channel B2"),
        (lambda p: edits.set_order(p, "1", 2), "Probe 1: goes in as number 2"),
        (lambda p: edits.set_colour(p, "1", 3), "Probe 1: another colour"),
        (lambda p: edit_tools.set_room(p, Room(position="HFP")), "Room: prone, head first"),
    ],
)  # fmt: skip
def test_every_edit_has_its_words(change, words):
    assert describe_change(PLAN, change(PLAN)) == words


@given(plans(), plans(), rooms)
def test_any_change_has_words_and_no_change_has_none(old, new, room):
    assert describe_change(old, old) == ""
    assume(old != new)
    assert describe_change(old, new)
    changed = edit_tools.set_room(old, room)
    assert bool(describe_change(old, changed)) == (changed != old)


@given(plans(min_probes=1), st.integers(0, 7))
def test_notes_colours_channels_and_the_room_do_not_change_the_ice(plan, colour):
    name = plan.probes[0].name
    other = edits.set_colour(edits.set_channel(edits.set_note(plan, name, "n"), name, "c"), name, colour)
    other = edit_tools.set_room(edits.set_order(other, name, 4), Room(position="HFDR"))
    assert other.physics_key() == plan.physics_key()
    assert other.colour_number(other.probes[0]) == colour
    assert replace(other, probes=plan.probes, room=plan.room) == plan
