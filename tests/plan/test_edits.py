"""Edits are pure, exact where they should be, undone by their inverse, and respect locks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import angle_deg
from cryoplan.plan import edits
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.edits import Grip
from cryoplan.plan.file import plan_to_json
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import freeze_thaw_freeze
from tests.support.plan_strategies import plans, points

ONE = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(0, -80, 0))
PLAN = Plan(probes=(ONE, replace(ONE, name="2", tip_mm=(15, 0, 0), entry_mm=(15, -80, 0))))
LOCKED = edits.set_locked(PLAN, "1", True)
vectors = st.tuples(*[st.floats(-60, 60)] * 3)


def test_probes_get_the_next_free_number():
    plan = edits.add_probe(PLAN, model="generic-15g", tip_mm=(0, 0, 15), entry_mm=(0, -80, 15))
    assert plan.probes[-1].name == "3"
    assert edits.next_probe_name(edits.remove_probe(plan, "2")) == "2"
    named = edits.add_probe(PLAN, model="x", tip_mm=(0, 0, 15), entry_mm=(0, -80, 15), name="left")
    assert named.probes[-1].name == "left"
    with pytest.raises(PlanError, match="Two probes are called '2'"):
        edits.add_probe(PLAN, model="x", tip_mm=(0, 0, 15), entry_mm=(0, -80, 15), name="2")


@given(points, points)
def test_ends_go_exactly_where_they_are_put(tip, entry):
    assume(np.linalg.norm(np.subtract(tip, (0, -80, 0))) > 1 and np.linalg.norm(np.subtract(entry, tip)) > 1)
    moved = edits.move_tip(PLAN, "1", tip)
    assert moved.probe("1") == replace(ONE, tip_mm=tip)
    assert edits.move_entry(moved, "1", entry).probe("1") == replace(ONE, tip_mm=tip, entry_mm=entry)
    assert moved.probes[1] is PLAN.probes[1]


@given(vectors, st.sampled_from(Grip))
def test_a_nudge_back_undoes_a_nudge(by, grip):
    assume(all(abs(80 + s * by[1]) > 2 for s in (-1, 1)))
    there = edits.nudge(PLAN, "1", by, grip=grip)
    back = edits.nudge(there, "1", np.negative(by), grip=grip)
    assert back.probe("1").tip_mm == pytest.approx(ONE.tip_mm, abs=1e-9)
    assert back.probe("1").entry_mm == pytest.approx(ONE.entry_mm, abs=1e-9)
    moved = there.probe("1")
    assert moved.tip_mm == pytest.approx(np.add(ONE.tip_mm, (grip is not Grip.ENTRY) * np.array(by)))
    assert moved.entry_mm == pytest.approx(np.add(ONE.entry_mm, (grip is not Grip.TIP) * np.array(by)))


@given(vectors)
def test_a_whole_move_keeps_direction_and_depth(by):
    moved = edits.move_probe(PLAN, "1", by).probe("1")
    assert moved.direction == pytest.approx(ONE.direction, abs=1e-9)
    assert moved.depth_mm == pytest.approx(ONE.depth_mm)


@given(st.floats(-70, 100))
def test_advancing_changes_the_depth_alone(by):
    moved = edits.advance(PLAN, "1", by).probe("1")
    assert moved.depth_mm == pytest.approx(80 + by)
    assert moved.entry_mm == ONE.entry_mm
    assert moved.direction == pytest.approx(ONE.direction)


@given(vectors, st.floats(-170, 170), st.sampled_from(Grip))
def test_turning_keeps_the_pivot_and_the_depth_and_is_undone_by_turning_back(axis, degrees, about):
    assume(np.linalg.norm(axis) > 0.1)
    there = edits.tilt(PLAN, "1", axis, degrees, about=about)
    turned = there.probe("1")
    assert turned.depth_mm == pytest.approx(80.0)
    if about is Grip.TIP:
        assert turned.tip_mm == ONE.tip_mm
    elif about is Grip.ENTRY:
        assert turned.entry_mm == ONE.entry_mm
    else:
        assert np.add(turned.tip_mm, turned.entry_mm) / 2 == pytest.approx((0, -40, 0), abs=1e-9)
    back = edits.tilt(there, "1", axis, -degrees, about=about).probe("1")
    assert back.tip_mm == pytest.approx(ONE.tip_mm, abs=1e-9)
    assert back.entry_mm == pytest.approx(ONE.entry_mm, abs=1e-9)


def test_a_turn_follows_the_right_hand_rule():
    turned = edits.tilt(PLAN, "1", (0, 0, 1), 30.0, about=Grip.ENTRY).probe("1")
    # +y turns towards -x about +z.
    assert turned.tip_mm == pytest.approx(
        (-80 * np.sin(np.radians(30)), -80 + 80 * np.cos(np.radians(30)), 0)
    )
    assert angle_deg(turned.direction, ONE.direction) == pytest.approx(30.0)


def test_a_turn_needs_an_axis():
    with pytest.raises(ValueError, match="no direction"):
        edits.tilt(PLAN, "1", (0, 0, 0), 5.0)


@given(st.floats(1, 60), st.floats(0, 12), points)
def test_a_parallel_copy_lies_beside_its_original(distance, hours, entry):
    assume(np.linalg.norm(entry) > 5)
    base = replace(ONE, entry_mm=entry, intensity=0.8, start_s=5.0, locked=True)
    plan = edits.copy_parallel(Plan(probes=(base,)), "1", distance_mm=distance, clock_hours=hours)
    copy = plan.probe("2")
    assert copy.direction == pytest.approx(base.direction, abs=1e-6)
    assert copy.depth_mm == pytest.approx(base.depth_mm)
    offset = np.subtract(copy.tip_mm, base.tip_mm)
    assert np.linalg.norm(offset) == pytest.approx(distance)
    assert offset @ base.direction == pytest.approx(0.0, abs=1e-6)
    assert (copy.model, copy.intensity, copy.start_s, copy.locked) == ("generic-15g", 0.8, 5.0, False)
    assert plan.probe("1") is base


@pytest.mark.parametrize(
    ("hours", "offset"),
    [(12, (0, 0, 10)), (0, (0, 0, 10)), (3, (10, 0, 0)), (6, (0, 0, -10)), (9, (-10, 0, 0))],
)
def test_the_clock_is_seen_along_the_probe(hours, offset):
    # The probe comes from the front; who looks along it has the patient's left on the right, the head above.
    plan = edits.copy_parallel(PLAN, "1", distance_mm=10, clock_hours=hours, new_name="c")
    assert plan.probe("c").tip_mm == pytest.approx(offset, abs=1e-9)


def test_a_copy_needs_a_distance():
    for distance in (0.0, -5.0, float("nan")):
        with pytest.raises(PlanError, match="in the probe itself"):
            edits.copy_parallel(PLAN, "1", distance_mm=distance, clock_hours=3)


MOVES = {
    "move_tip": lambda p: edits.move_tip(p, "1", (1, 1, 1)),
    "move_entry": lambda p: edits.move_entry(p, "1", (1, 1, 1)),
    "move_probe": lambda p: edits.move_probe(p, "1", (1, 1, 1)),
    "nudge": lambda p: edits.nudge(p, "1", (1, 1, 1), grip=Grip.TIP),
    "advance": lambda p: edits.advance(p, "1", 1.0),
    "tilt": lambda p: edits.tilt(p, "1", (0, 0, 1), 5.0),
    "remove_probe": lambda p: edits.remove_probe(p, "1"),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_locked_probe_does_not_move(move):
    with pytest.raises(PlanError, match="Probe 1 is locked") as caught:
        move(LOCKED)
    assert caught.value.code == "probe-locked"
    assert move(PLAN) != PLAN
    assert move(edits.set_locked(LOCKED, "1", False)) == move(PLAN)


def test_a_locked_probe_may_change_otherwise():
    plan = edits.set_intensity(edits.set_model(LOCKED, "1", "icesphere-17g"), "1", 0.5)
    plan = edits.set_times(plan, "1", 10, 20)
    probe = edits.rename_probe(plan, "1", "one").probe("one")
    assert (probe.model, probe.intensity, probe.start_s, probe.stop_s) == ("icesphere-17g", 0.5, 10.0, 20.0)
    assert edits.set_times(plan, "1", 0, None).probe("1").stop_s is None


@pytest.mark.parametrize("move", [*MOVES.values(), lambda p: edits.set_model(p, "1", "x")])
def test_an_unknown_probe_is_refused(move):
    with pytest.raises(PlanError, match="no probe '1'"):
        move(Plan())


@pytest.mark.parametrize("bad", [(1, 2), (1, 2, float("nan")), None, "abc"])
def test_a_position_is_three_finite_numbers(bad):
    for edit in (
        lambda: edits.move_tip(PLAN, "1", bad),
        lambda: edits.nudge(PLAN, "1", bad),
        lambda: edits.add_thermocouple(PLAN, bad),
        lambda: edits.add_probe(PLAN, model="x", tip_mm=bad, entry_mm=(0, 0, 0)),
    ):
        with pytest.raises(PlanError, match="three finite numbers"):
            edit()


def test_names_must_be_names():
    for edit in (
        lambda: edits.rename_probe(PLAN, "1", " "),
        lambda: edits.rename_plan(PLAN, "a\nb"),
        lambda: edits.add_thermocouple(PLAN, (0, 0, 0), "x" * 99),
        lambda: edits.add_probe(PLAN, model="x", tip_mm=(0, 0, 0), entry_mm=(0, 9, 0), name=""),
        lambda: edits.copy_parallel(PLAN, "1", distance_mm=5, clock_hours=1, new_name="\x00"),
    ):
        with pytest.raises(PlanError, match="name"):
            edit()
    with pytest.raises(PlanError, match="Two probes"):
        edits.rename_probe(PLAN, "1", "2")


def test_thermocouples_come_move_and_go():
    plan = edits.add_thermocouple(edits.add_thermocouple(PLAN, (1, 2, 3)), (4, 5, 6))
    assert [t.name for t in plan.thermocouples] == ["T1", "T2"]
    moved = edits.move_thermocouple(plan, "T1", (0, 0, 9))
    assert moved.thermocouples[0].position_mm == (0.0, 0.0, 9.0)
    assert moved.thermocouples[1] is plan.thermocouples[1]
    renamed = edits.rename_thermocouple(moved, "T1", "wall")
    assert [t.name for t in edits.remove_thermocouple(renamed, "T2").thermocouples] == ["wall"]
    with pytest.raises(PlanError, match="no thermocouple 'T9'"):
        edits.remove_thermocouple(plan, "T9")


def test_changes_are_described_in_words():
    def words(change, base=PLAN):
        return describe_change(base, change(base))

    assert words(lambda p: p) == ""
    assert words(lambda p: edits.nudge(p, "2", (3.1, 0, 0), grip=Grip.TIP)) == "Probe 2: tip moved 3.1 mm"
    assert words(lambda p: edits.nudge(p, "2", (3.1, 0, 0), grip=Grip.ENTRY)) == "Probe 2: entry moved 3.1 mm"
    assert words(lambda p: edits.move_probe(p, "2", (0, 3, 4))) == "Probe 2: moved 5.0 mm"
    assert words(lambda p: edits.advance(p, "1", 2)) == "Probe 1: 2.0 mm deeper"
    assert words(lambda p: edits.advance(p, "1", -2)) == "Probe 1: 2.0 mm less deep"
    both = words(lambda p: edits.tilt(p, "1", (0, 0, 1), 4, about=Grip.WHOLE))
    assert both == "Probe 1: moved and turned 4.0°"
    assert words(lambda p: edits.set_model(p, "1", "icesphere-17g")) == "Probe 1: model icesphere-17g"
    assert words(lambda p: edits.set_intensity(p, "1", 0.7)) == "Probe 1: power 70 %"
    assert words(lambda p: edits.set_times(p, "1", 60, 120)) == "Probe 1: on from 1:00 to 2:00"
    assert words(lambda p: edits.set_times(p, "1", 60, None)) == "Probe 1: on from 1:00 to the end"
    assert words(lambda p: edits.set_locked(p, "1", True)) == "Probe 1: locked"
    assert words(lambda p: edits.set_locked(p, "1", False), LOCKED) == "Probe 1: unlocked"
    assert words(lambda p: edits.rename_probe(p, "1", "left")) == "Probe 1 renamed left"
    assert words(lambda p: edits.remove_probe(p, "1")) == "Probe 1 removed"
    assert words(lambda p: edits.copy_parallel(p, "1", distance_mm=9, clock_hours=1)) == "Probe 3 added"
    assert words(lambda p: edits.set_protocol(p, freeze_thaw_freeze(900))) == "Protocol 15-5-15 min"
    assert words(lambda p: edits.rename_plan(p, "B")) == "Plan renamed B"
    assert words(lambda p: edits.add_thermocouple(p, (0, 0, 0))) == "Thermocouple T1 added"
    with_sensor = edits.add_thermocouple(PLAN, (0, 0, 0))
    assert (
        words(lambda p: edits.move_thermocouple(p, "T1", (0, 3, 4)), with_sensor)
        == "Thermocouple T1: moved 5.0 mm"
    )
    assert (
        words(lambda p: edits.rename_thermocouple(p, "T1", "a"), with_sensor) == "Thermocouple T1 renamed a"
    )
    two = words(lambda p: edits.set_intensity(edits.set_locked(p, "1", True), "1", 0.5))
    assert two == "Probe 1: power 50 %, locked"
    many = words(
        lambda p: edits.rename_plan(edits.add_thermocouple(edits.remove_probe(p, "1"), (0, 0, 0)), "B")
    )
    assert many == "3 changes: Plan renamed B, ..."


@st.composite
def sequences(draw):
    plan = draw(plans(min_probes=1))
    steps = []
    for _ in range(draw(st.integers(1, 12))):
        by = draw(vectors)
        which = draw(st.integers(0, 9))
        steps.append((draw(st.integers(0, 10)), which, by, draw(st.floats(-90, 90))))
    return plan, steps


def apply(plan: Plan, step) -> Plan:
    kind, which, by, angle = step
    name = plan.probes[which % len(plan.probes)].name if plan.probes else "none"
    turn = by if np.linalg.norm(by) > 0.1 else (1.0, 0.0, 0.0)
    table = [
        lambda: edits.nudge(plan, name, by),
        lambda: edits.nudge(plan, name, by, grip=Grip.TIP),
        lambda: edits.nudge(plan, name, by, grip=Grip.ENTRY),
        lambda: edits.tilt(plan, name, turn, angle),
        lambda: edits.copy_parallel(plan, name, distance_mm=abs(angle) + 1, clock_hours=which),
        lambda: edits.remove_probe(plan, name),
        lambda: edits.set_locked(plan, name, angle > 0),
        lambda: edits.set_intensity(plan, name, min(abs(angle) / 90 + 0.01, 1.0)),
        lambda: edits.add_thermocouple(plan, by),
        lambda: edits.advance(plan, name, angle),
        lambda: edits.set_protocol(plan, freeze_thaw_freeze(300 + abs(angle))),
    ]
    return table[kind]()


@settings(max_examples=150)
@given(sequences())
def test_any_sequence_of_edits_leaves_all_plans_valid_and_the_old_ones_untouched(case):
    plan, steps = case
    history = [plan]
    texts = [plan_to_json(plan)]
    for step in steps:
        try:
            new = apply(history[-1], step)
        except PlanError:
            continue
        assert (describe_change(history[-1], new) == "") == (new == history[-1])
        history.append(new)
        texts.append(plan_to_json(new))
    # Undo shows the plans that were kept: they must be as they were when they were made.
    assert [plan_to_json(p) for p in history] == texts
    for locked in (p for p in plan.probes if p.locked):
        survivor = {p.name: p for p in history[-1].probes}.get(locked.name)
        moved = survivor is not None and survivor.tip_mm != locked.tip_mm
        unlocked = any(step[0] == 6 for step in steps)
        assert unlocked or not moved
