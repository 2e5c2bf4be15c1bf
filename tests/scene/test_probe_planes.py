"""Planes of probes hold what they should, lie as the clock says, and deviations are closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.geometry import as_point, unit
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.placement import clock_direction
from cryoplan.plan.probe import Probe
from cryoplan.scene.contours import project_probe
from cryoplan.scene.plane import Orientation, letters_of
from cryoplan.scene.probe_planes import InLine, best_fit, eye_plane, in_line_plane

CATALOGUE = load_catalogue()
MODEL = "generic-15g"

directions = st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda d: np.linalg.norm(d) > 0.1)


def probe(direction, tip=(10.0, 20.0, 30.0), depth=90.0, name="1") -> Probe:
    tip_mm = np.asarray(tip, float)
    return Probe(
        name=name, model=MODEL, tip_mm=as_point(tip_mm), entry_mm=as_point(tip_mm - depth * unit(direction))
    )


@given(direction=directions, behind=st.floats(-20.0, 80.0))
def test_the_eye_looks_along_the_shaft_with_twelve_o_clock_up_and_three_to_the_right(direction, behind):
    one = probe(direction)
    plane = eye_plane(one, behind)
    assert np.allclose(plane.facing.across, one.direction)
    assert np.allclose(-plane.facing.down, clock_direction(one.direction, 12.0))
    assert np.allclose(plane.facing.right, clock_direction(one.direction, 3.0))
    assert abs(plane.distance_mm(one.point_behind_tip_mm(behind))) < 1e-9
    assert plane.distance_mm(one.tip_mm) == pytest.approx(behind)


def test_from_the_front_the_eye_sees_the_patient_s_right_on_its_left_and_from_behind_on_its_right():
    front, back = probe((0.0, 1.0, 0.0)), probe((0.0, -1.0, 0.0))
    assert eye_plane(front, 0.0).orientation_letters() == ("R", "L", "H", "F")
    assert eye_plane(back, 0.0).orientation_letters() == ("L", "R", "H", "F")


@given(direction=directions, which=st.sampled_from(InLine))
def test_an_in_line_plane_holds_the_whole_shaft_at_its_true_length(direction, which):
    one = probe(direction)
    plane, _ = in_line_plane(one, which)
    mark = project_probe(one, CATALOGUE.model(MODEL), plane)
    assert max(abs(mark.tip_distance_mm), abs(mark.entry_distance_mm), mark.active_distance_mm) < 1e-9
    assert np.hypot(*np.subtract(mark.tip_uv, mark.entry_uv)) == pytest.approx(one.depth_mm)
    front, back = (np.array(uv) for uv in mark.active_uv)
    model = CATALOGUE.model(MODEL)
    assert np.hypot(*(front - mark.tip_uv)) == pytest.approx(model.tip_offset.value)
    assert np.hypot(*(back - front)) == pytest.approx(model.active_length.value)


@given(direction=directions)
def test_the_flat_plane_holds_an_axial_direction_across_the_shaft_and_the_steep_one_has_the_head_up(
    direction,
):
    one = probe(direction)
    flat, _ = in_line_plane(one, InLine.FLAT)
    steep, _ = in_line_plane(one, InLine.STEEP)
    assert abs(flat.facing.across @ steep.facing.across) < 1e-9
    three = clock_direction(one.direction, 3.0)
    assert abs(flat.facing.across @ three) < 1e-9
    # A shaft along the body has no side towards the head; its clock begins at the front.
    if np.hypot(*one.direction[:2]) > 0.01:
        assert abs(three[2]) < 1e-9
        assert letters_of(-steep.facing.down) == "H"
        # No plane through the shaft is nearer to axial.
        assert abs(flat.facing.across[2]) == pytest.approx(np.hypot(*one.direction[:2]))


@pytest.mark.parametrize("direction", [(1.0, 0.0, 0.0), (-1.0, 0.2, 0.0), (0.0, 1.0, 0.0), (0.3, -1.0, 0.0)])
def test_the_flat_plane_of_a_probe_within_a_slice_is_that_slice_as_radiologists_see_it(direction):
    plane, follows = in_line_plane(probe(direction), InLine.FLAT)
    assert follows is Orientation.AXIAL
    assert plane.orientation_letters() == ("R", "L", "A", "P")
    assert plane.position_text() == "axial"
    assert np.allclose(plane.mm_to_plane((7.0, -3.0, 30.0)), (7.0, -3.0))


def test_rotation_is_locked_to_the_anatomy_while_a_probe_is_dragged():
    """A small turn of the probe is a small turn of each picture, all the way to 55 degrees."""
    stay = None
    before = None
    for deg in range(-55, 56):
        one = probe((1.0, 0.3, np.tan(np.radians(deg))))
        flat, _ = in_line_plane(one, InLine.FLAT)
        steep, stay = in_line_plane(one, InLine.STEEP, stay=stay)
        frames = np.concatenate([[p.facing.right, p.facing.down] for p in (flat, steep)])
        if before is not None:
            assert np.abs(frames - before).max() < 0.04
        before = frames


def test_the_best_plane_of_parallel_probes_side_by_side_holds_them_and_says_so():
    probes = [probe((0.0, 1.0, 0.0), (15.0 * n, 0.0, 5.0 * n), name=str(n)) for n in range(4)]
    fit = best_fit(probes, CATALOGUE)
    assert fit.worst_mm < 1e-9
    assert [name for name, _ in fit.off_mm] == ["0", "1", "2", "3"]
    assert abs(fit.plane.facing.across @ unit((15.0, 0.0, 5.0))) < 1e-9
    assert abs(fit.plane.facing.across[1]) < 1e-9


def test_deviations_of_three_probes_in_a_triangle_are_those_of_the_hand_computed_plane():
    """At (-6, 0), (6, 0) and (0, h) across their direction the best line is flat for h small: at h / 3."""
    height = 3.0
    spots = ((-6.0, 0.0), (6.0, 0.0), (0.0, height))
    probes = [probe((0.0, 1.0, 0.0), (x, 0.0, z), name=str(n)) for n, (x, z) in enumerate(spots)]
    fit = best_fit(probes, CATALOGUE)
    assert np.allclose(np.abs(fit.plane.facing.across), (0.0, 0.0, 1.0), atol=1e-9)
    up = fit.plane.facing.across[2]
    off = {name: mm * up for name, mm in fit.off_mm}
    assert off == pytest.approx({"0": -1.0, "1": -1.0, "2": 2.0})
    assert fit.worst_mm == pytest.approx(2.0)


@given(direction=directions, turn=st.floats(0.0, 3.0), spread=st.floats(5.0, 20.0))
def test_no_turned_plane_along_the_mean_direction_is_nearer_to_the_probes(direction, turn, spread):
    w = unit(direction)
    x, y = clock_direction(w, 3.0), clock_direction(w, 12.0)
    spots = (spread * x + 2.0 * y, -spread * x, 3.0 * y, -2.0 * spread * x - y)
    probes = [probe(w, s, depth=60.0 + n, name=str(n)) for n, s in enumerate(spots)]
    fit = best_fit(probes, CATALOGUE)
    assert abs(fit.plane.facing.across @ w) < 1e-9
    points = np.array(
        [p for one in probes for p in (one.tip_mm, *one.active_zone_mm(CATALOGUE.model(MODEL)))]
    )
    least = float((fit.plane.distance_mm(points) ** 2).sum())
    other = np.cos(turn) * x + np.sin(turn) * y
    away = (points - points.mean(axis=0)) @ other
    assert least <= float((away**2).sum()) + 1e-9


def test_one_probe_or_several_on_one_line_have_the_flat_in_line_plane():
    one = probe((1.0, 0.2, 0.1))
    flat, _ = in_line_plane(one, InLine.FLAT)
    for probes in ([one], [one, probe((1.0, 0.2, 0.1), one.point_behind_tip_mm(30.0), depth=40.0, name="2")]):
        fit = best_fit(probes, CATALOGUE)
        assert np.allclose(np.abs(fit.plane.facing.across @ flat.facing.across), 1.0)
        assert fit.worst_mm < 1e-9


def test_probes_from_both_sides_have_one_plane_and_none_at_all_is_refused():
    probes = [probe((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)), probe((-1.0, 0.0, 0.0), (5.0, 12.0, 0.0), name="2")]
    fit = best_fit(probes, CATALOGUE)
    assert fit.worst_mm < 1e-9
    assert fit.plane.position_text() == "axial"
    with pytest.raises(ValueError, match="needs a probe"):
        best_fit([], CATALOGUE)
