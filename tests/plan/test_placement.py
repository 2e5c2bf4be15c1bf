"""Angles, depths and spacings: by construction, by trigonometry and by rotation of the whole room."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.placement import (
    angles,
    clock_direction,
    depth_to_active_mm,
    pair,
    pairs,
    room_down,
)
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from tests.support.cases import rotation

CATALOGUE = load_catalogue()
GENERIC = CATALOGUE["generic-15g"]


def probe(direction, name="1", tip=(0.0, 0.0, 0.0), depth=80.0) -> Probe:
    d = np.asarray(direction, float) / np.linalg.norm(direction)
    return Probe(name=name, model="generic-15g", tip_mm=tip, entry_mm=tuple(np.asarray(tip) - depth * d))


def from_angles(in_plane: float, cranio_caudal: float) -> tuple[float, float, float]:
    a, b = np.radians([in_plane, cranio_caudal])
    return (float(np.sin(a) * np.cos(b)), float(np.cos(a) * np.cos(b)), float(np.sin(b)))


@given(st.floats(0, 89.9), st.floats(-89, 89))
def test_angles_are_those_that_the_probe_was_made_from(in_plane, cranio_caudal):
    found = angles(probe(from_angles(in_plane, cranio_caudal)), "HFS")
    assert found.in_plane_deg == pytest.approx(in_plane, abs=1e-6)
    assert found.cranio_caudal_deg == pytest.approx(cranio_caudal, abs=1e-6)


@given(st.floats(0, 80), st.floats(-60, 60))
def test_the_gantry_tilt_is_the_published_formula_and_none_beyond_thirty_degrees(in_plane, cranio_caudal):
    found = angles(probe(from_angles(in_plane, cranio_caudal)))
    tilt = np.degrees(np.arctan(np.tan(np.radians(cranio_caudal)) / np.cos(np.radians(in_plane))))
    assume(abs(abs(tilt) - 30) > 1e-6)
    if abs(tilt) > 30:
        assert found.gantry_tilt_deg is None
    else:
        assert found.gantry_tilt_deg == pytest.approx(tilt, abs=1e-6)


def test_the_worked_example_of_a_slanted_path():
    found = angles(probe(from_angles(45, 15)))
    assert found.gantry_tilt_deg == pytest.approx(20.75, abs=0.1)  # "15 and 45 degrees give about 21"


@given(st.floats(0, 60), st.floats(-25, 25), st.sampled_from(["HFS", "FFS", "HFP", "HFDL", "FFDR"]))
def test_a_slice_tilted_so_holds_the_whole_path(in_plane, cranio_caudal, position):
    down = room_down(position)
    side = np.cross([0.0, 0.0, 1.0], down)
    x, y, z = from_angles(in_plane, cranio_caudal)
    shaft = probe(x * side + y * down + np.array([0.0, 0.0, z]))
    found = angles(shaft, position)
    assert found.in_plane_deg == pytest.approx(in_plane, abs=1e-6)
    if found.gantry_tilt_deg is not None:
        t = np.radians(found.gantry_tilt_deg)
        normal = np.cos(t) * np.array([0, 0, 1.0]) - np.sin(t) * down
        assert shaft.direction @ normal == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("position", "down"),
    [
        ("HFS", (0, 1, 0)),
        ("FFS", (0, 1, 0)),
        ("HFP", (0, -1, 0)),
        ("FFP", (0, -1, 0)),
        ("HFDL", (1, 0, 0)),
        ("FFDL", (1, 0, 0)),
        ("HFDR", (-1, 0, 0)),
        ("ffdr ", (-1, 0, 0)),
        ("", (0, 1, 0)),
        ("S", (0, 1, 0)),
    ],
)
def test_gravity_follows_the_patient_position(position, down):
    assert room_down(position) == pytest.approx(down)


@pytest.mark.parametrize(
    ("direction", "position", "in_plane", "toward"),
    [
        ((0, 1, 0), "HFS", 0, ""),
        ((1, 1, 0), "HFS", 45, "left"),
        ((-1, 1, 0), "HFS", 45, "right"),
        ((1, 0, 0), "HFS", 90, "left"),
        ((0, -1, 0), "HFP", 0, ""),
        ((-1, -1, 0), "HFP", 45, "right"),
        ((1, 0, 0), "HFDL", 0, ""),
        ((1, 1, 0), "HFDL", 45, "posterior"),
        ((1, -1, 0), "HFDL", 45, "anterior"),
        ((0, 0, 1), "HFS", 0, ""),
    ],
)
def test_in_plane_angles_are_from_the_rooms_vertical(direction, position, in_plane, toward):
    found = angles(probe(direction), position)
    assert found.in_plane_deg == pytest.approx(in_plane, abs=1e-9)
    assert found.in_plane_toward == toward


def test_a_path_within_one_slice_needs_no_tilt_and_one_along_the_body_has_none():
    assert angles(probe((1, 2, 0))).gantry_tilt_deg == 0.0
    assert angles(probe((0, 0, 1))).gantry_tilt_deg is None
    assert angles(probe((1, 0, 0.1))).gantry_tilt_deg is None
    assert angles(probe((0, 0, 1))).cranio_caudal_deg == 90.0
    # From below, the same slice is reached by the same tilt.
    assert angles(probe((0, -1, -0.2))).gantry_tilt_deg == pytest.approx(
        angles(probe((0, 1, 0.2))).gantry_tilt_deg
    )


def test_depths_of_the_active_zone_are_from_the_skin():
    begin, end = depth_to_active_mm(probe((0, 1, 0), depth=80), GENERIC)
    assert (begin, end) == (46.0, 76.0)
    assert depth_to_active_mm(probe((0, 1, 0), depth=20), GENERIC)[0] == -14.0


@given(st.tuples(*[st.floats(-1, 1)] * 3), st.floats(0, 12))
def test_clock_directions_are_across_the_probe_and_turn_clockwise(direction, hours):
    assume(np.linalg.norm(direction) > 0.1)
    w = np.asarray(direction) / np.linalg.norm(direction)
    found = clock_direction(w, hours)
    assert np.linalg.norm(found) == pytest.approx(1.0)
    assert found @ w == pytest.approx(0.0, abs=1e-9)
    later = clock_direction(w, hours + 3)
    assert np.cross(w, found) == pytest.approx(later, abs=1e-9)


def test_twelve_o_clock_is_towards_the_head_or_else_the_front():
    assert clock_direction((0, 1, 0), 12) == pytest.approx((0, 0, 1))
    assert clock_direction((0, 1, 1), 12)[2] > 0.7
    assert clock_direction((0, 0, 1), 12) == pytest.approx((0, -1, 0))


@given(st.floats(3, 40), st.floats(-30, 30), st.floats(0, 360), st.tuples(*[st.floats(-1, 1)] * 3))
def test_parallel_probes_have_one_spacing_however_deep_each_is(distance, deeper, turn, axis):
    assume(np.linalg.norm(axis) > 0.1)
    matrix = rotation(axis, turn)
    a = probe(matrix @ (0, 1, 0), "a")
    b = probe(matrix @ (0, 1, 0), "b", tip=tuple(matrix @ (distance, deeper, 0)))
    found = pair(a, b, GENERIC, GENERIC)
    assert [found.tip_mm, found.middle_mm, found.back_mm] == pytest.approx([distance] * 3, abs=1e-6)
    assert found.widest_mm == pytest.approx(found.narrowest_mm)
    assert found.angle_deg == pytest.approx(0.0, abs=1e-4)
    assert found.closest_mm == pytest.approx(distance - 1.83, abs=1e-6)


def test_converging_probes_are_wider_at_the_back():
    a, b = probe((0.1, 1, 0), "a", tip=(-5, 0, 0)), probe((-0.1, 1, 0), "b", tip=(5, 0, 0))
    found = pair(a, b, GENERIC, GENERIC)
    assert found.tip_mm < found.middle_mm < found.back_mm
    assert found.angle_deg == pytest.approx(2 * np.degrees(np.arctan(0.1)))
    assert found.tip_mm == pytest.approx(10 * np.cos(np.radians(found.angle_deg)), abs=0.2)
    assert found.widest_mm == found.back_mm
    assert found.narrowest_mm == found.tip_mm


def test_crossing_shafts_have_a_negative_distance():
    a, b = probe((0, 1, 0), "a", depth=60), probe((1, 0, 0), "b", tip=(30, -30, 0.5), depth=60)
    assert pair(a, b, GENERIC, GENERIC).closest_mm == pytest.approx(0.5 - 1.83)


def test_diameters_count_in_the_clearance():
    thick = CATALOGUE["accuprobe-8mm-ln2"]
    a, b = probe((0, 1, 0), "a"), probe((0, 1, 0), "b", tip=(15, 0, 0))
    assert pair(a, b, GENERIC, thick).closest_mm == pytest.approx(15 - (1.83 + 8) / 2)


def test_the_pair_table_holds_all_pairs_in_order():
    shafts = tuple(probe((0, 1, 0), n, tip=(10.0 * i, 0, 0)) for i, n in enumerate("abc"))
    table = pairs(Plan(probes=shafts), CATALOGUE)
    assert [(p.a, p.b, round(p.tip_mm)) for p in table] == [("a", "b", 10), ("a", "c", 20), ("b", "c", 10)]
    assert set(table[0].to_json()) == {"a", "b", "tip_mm", "middle_mm", "back_mm", "angle_deg", "closest_mm"}
    assert pairs(Plan(probes=shafts[:1]), CATALOGUE) == ()
