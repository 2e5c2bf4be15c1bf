"""Rings, lines, parallel and level: the geometry that was asked for, and locked probes left alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import angle_deg, unit
from cryoplan.plan import edits
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.placement import clock_direction, pair
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.spread import level_zones, lock_all, make_parallel, shift_all, spread_line, spread_ring
from tests.support.plan_strategies import plans

CATALOGUE = load_catalogue()
MODEL = CATALOGUE["generic-15g"]
ONE = Probe(
    name="1", model="generic-15g", tip_mm=(10, 20, 30), entry_mm=(-20, -60, 45), note="first", channel="A"
)
PLAN = Plan(probes=(ONE,))
directions = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda d: np.linalg.norm(d) > 0.1)


def along(direction) -> Plan:
    entry = np.subtract(ONE.tip_mm, 90.0 * unit(direction))
    return Plan(probes=(replace(ONE, entry_mm=tuple(entry)),))


@given(directions, st.integers(2, 12), st.floats(5.0, 30.0), st.floats(0.0, 12.0))
def test_neighbours_on_a_ring_have_the_spacing_and_all_are_parallel(direction, count, spacing, hours):
    plan = spread_ring(along(direction), "1", count=count, spacing_mm=spacing, first_hours=hours)
    assert len(plan.probes) == count
    for a, b in zip(plan.probes, (*plan.probes[1:], plan.probes[0]), strict=True):
        found = pair(a, b, MODEL, MODEL)
        assert (found.tip_mm, found.back_mm) == pytest.approx((spacing, spacing), abs=1e-6)
        assert found.angle_deg == pytest.approx(0.0, abs=1e-5)
    centre = np.mean([p.tip_mm for p in plan.probes], axis=0)
    assert centre == pytest.approx(np.array(ONE.tip_mm), abs=1e-6)
    first = np.subtract(plan.probes[0].tip_mm, ONE.tip_mm)
    assert unit(first) == pytest.approx(clock_direction(direction, hours), abs=1e-6)


@given(directions, st.tuples(*[st.floats(-40, 40)] * 3))
def test_a_ring_goes_round_the_axis_through_its_centre_at_the_depth_of_the_probe(direction, centre):
    plan = spread_ring(along(direction), "1", count=4, spacing_mm=15.0, centre_mm=centre)
    axis = unit(direction)
    middle = np.mean([p.tip_mm for p in plan.probes], axis=0)
    assert np.linalg.norm(np.cross(middle - centre, axis)) == pytest.approx(0.0, abs=1e-6)
    assert [p.tip_mm @ axis for p in plan.probes] == pytest.approx([ONE.tip_mm @ axis] * 4, abs=1e-6)


@given(directions, st.integers(2, 12), st.floats(5.0, 30.0), st.booleans())
def test_a_line_is_straight_and_evenly_spaced(direction, count, spacing, centred):
    plan = spread_line(
        along(direction), "1", count=count, spacing_mm=spacing, clock_hours=3.0, centred=centred
    )
    step = spacing * clock_direction(direction, 3.0)
    for a, b in pairwise(plan.probes):
        assert np.subtract(b.tip_mm, a.tip_mm) == pytest.approx(step, abs=1e-6)
    middle = np.mean([p.tip_mm for p in plan.probes], axis=0)
    at = middle if centred else plan.probes[0].tip_mm
    assert np.asarray(at) == pytest.approx(np.array(ONE.tip_mm), abs=1e-6)


def test_copies_take_the_physics_but_not_port_place_and_note():
    first, second = spread_line(PLAN, "1", count=2, spacing_mm=15, clock_hours=3).probes
    assert (first.note, first.channel) == ("first", "A")
    assert (second.name, second.model, second.note, second.channel) == ("2", ONE.model, "", "")


def test_a_locked_probe_stays_as_the_first_of_a_line_and_is_no_part_of_a_ring():
    locked = edits.set_locked(PLAN, "1", True)
    line = spread_line(locked, "1", count=3, spacing_mm=15, clock_hours=3)
    assert line.probes[0] == locked.probes[0]
    assert not line.probes[1].locked
    with pytest.raises(PlanError, match="locked"):
        spread_ring(locked, "1", count=3, spacing_mm=15)


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ({"count": 1, "spacing_mm": 15}, "spread-count"),
        ({"count": 13, "spacing_mm": 15}, "spread-count"),
        ({"count": 3, "spacing_mm": 0}, "copy-distance"),
        ({"count": 3, "spacing_mm": float("nan")}, "copy-distance"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers, code):
    for spread in (spread_ring, lambda *a, **k: spread_line(*a, **k, clock_hours=3)):
        with pytest.raises(PlanError) as caught:
            spread(PLAN, "1", **numbers)
        assert caught.value.code == code


@given(st.lists(directions, min_size=2, max_size=4))
def test_parallel_probes_keep_tips_and_depths(ways):
    probes = tuple(
        replace(ONE, name=str(n), entry_mm=tuple(np.subtract(ONE.tip_mm, (70 + n) * unit(way))))
        for n, way in enumerate(ways)
    )
    plan = make_parallel(Plan(probes=probes), "0")
    assert plan.probes[0] == probes[0]
    for old, new in zip(probes, plan.probes, strict=True):
        assert angle_deg(new.direction, probes[0].direction) == pytest.approx(0.0, abs=1e-5)
        assert new.tip_mm == old.tip_mm
        assert new.depth_mm == pytest.approx(old.depth_mm)


def test_locked_probes_are_not_turned_and_one_alone_is_said():
    two = Plan(probes=(ONE, replace(ONE, name="2", entry_mm=(0, -60, 0), locked=True)))
    for change in (make_parallel, lambda p, n: level_zones(p, n, CATALOGUE)):
        for plan in (two, PLAN):
            with pytest.raises(PlanError) as caught:
                change(plan, "1")
            assert caught.value.code == "no-other-probe"
    three = replace(two, probes=(*two.probes, replace(ONE, name="3", entry_mm=(0, -60, 0))))
    done = make_parallel(three, "1")
    assert done.probes[1] == two.probes[1]
    assert angle_deg(done.probes[2].direction, ONE.direction) == pytest.approx(0.0, abs=1e-5)


@given(st.floats(-30, 30), st.floats(-20, 20), st.sampled_from(sorted(CATALOGUE)))
def test_level_zones_lie_in_one_plane_across_the_leading_probe(deeper, lean, model):
    other = replace(ONE, name="2", model=model, tip_mm=(25, 20 + deeper, 30), entry_mm=(lean, -70, 45))
    plan = level_zones(Plan(probes=(ONE, other)), "1", CATALOGUE)
    heights = []
    for probe in plan.probes:
        zone = probe.active_zone_mm(CATALOGUE[probe.model])
        heights.append(float(np.mean(zone, axis=0) @ ONE.direction))
    assert heights[0] == pytest.approx(heights[1], abs=1e-6)
    assert plan.probes[1].entry_mm == other.entry_mm
    assert plan.probes[1].direction == pytest.approx(other.direction, abs=1e-9)


def test_levelling_never_pulls_a_tip_out_of_the_skin_and_leaves_what_lies_across():
    shallow = replace(ONE, name="2", tip_mm=(0, 60, 0), entry_mm=(0, 58, 0))
    with pytest.raises(PlanError, match="out of the skin"):
        level_zones(Plan(probes=(ONE, shallow)), "1", CATALOGUE)
    across = replace(ONE, name="2", tip_mm=(0, 0, 0), entry_mm=tuple(90 * clock_direction(ONE.direction, 3)))
    assert level_zones(Plan(probes=(ONE, across)), "1", CATALOGUE).probes[1] == across


@given(plans(), st.tuples(*[st.floats(-50, 50)] * 3))
def test_all_that_is_free_moves_together_and_the_locked_stay(plan, by):
    if all(s.locked for s in plan.shafts):
        with pytest.raises(PlanError) as caught:
            shift_all(plan, by)
        assert caught.value.code == "nothing-to-move"
        return
    for old, new in zip(plan.shafts, shift_all(plan, by).shafts, strict=True):
        moved = np.zeros(3) if old.locked else by
        assert np.subtract(new.tip_mm, old.tip_mm) == pytest.approx(moved, abs=1e-9)
        assert np.subtract(new.entry_mm, old.entry_mm) == pytest.approx(moved, abs=1e-9)


@given(plans(), st.booleans())
def test_a_plan_is_locked_and_freed_as_a_whole(plan, locked):
    changed = lock_all(plan, locked)
    assert all(s.locked == locked for s in changed.shafts)
    assert changed.physics_key() == plan.physics_key()
