"""The unrolled map: an equal-area projection there and back, and margins where formulas say they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.geometry import unit
from cryoplan.margins.unrolled import LETTERS, ROWS, from_map, to_map, unroll
from tests.support.analytic import ball, ball_distance_mm, cube, ice_ball
from tests.support.maps import balls, oblique, of_mask

CENTRE = np.array([0.2, -0.4, 0.3])


@given(st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.01))
def test_a_direction_comes_back_from_the_map(vector):
    there = to_map(vector)
    assert (there**2).sum() <= 1.0 + 1e-9
    back = from_map(there * (1.0 - 1e-12))
    assert back @ unit(vector) == pytest.approx(1.0, abs=1e-6)


def test_equal_areas_of_the_sphere_are_equal_areas_of_the_oval():
    # Evenly spread directions (Fibonacci) fill every cell of the oval alike.
    n = np.arange(200_000) + 0.5
    z = 1.0 - 2.0 * n / len(n)
    angle = np.pi * (1.0 + 5.0**0.5) * n
    flat = np.sqrt(1.0 - z**2)
    place = to_map(np.stack([flat * np.cos(angle), flat * np.sin(angle), z], axis=1))
    count, x, y = np.histogram2d(place[:, 0], place[:, 1], bins=8, range=[[-1, 1], [-1, 1]])
    inner = [(a, b) for a in range(8) for b in range(8)
             if max(x[a] ** 2, x[a + 1] ** 2) + max(y[b] ** 2, y[b + 1] ** 2) < 1.0]  # fmt: skip
    assert len(inner) > 20
    per_cell = len(n) * (x[1] - x[0]) * (y[1] - y[0]) / np.pi
    assert [count[c] for c in inner] == pytest.approx([per_cell] * len(inner), rel=0.02)


def test_the_front_is_in_the_middle_right_is_on_the_left_and_the_head_is_up():
    at = {name: to_map(direction) for name, *direction in LETTERS}
    assert at["A"] == pytest.approx((0.0, 0.0), abs=1e-9)
    assert at["R"] == pytest.approx((-0.5, 0.0), abs=1e-9)
    assert at["L"] == pytest.approx((0.5, 0.0), abs=1e-9)
    assert at["H"] == pytest.approx((0.0, 1.0), abs=1e-4)
    assert at["F"] == pytest.approx((0.0, -1.0), abs=1e-4)
    assert abs(at["P"][0]) == pytest.approx(1.0)


@pytest.mark.parametrize("grid", [None, oblique()])
def test_every_direction_shows_the_margin_of_a_ball_in_an_off_centre_ball(grid):
    shift = np.array([2.0, -3.0, 4.0])
    found = unroll(balls(12.0, 18.0, shift=shift, grid=grid), 0.0)
    seen = np.isfinite(found.signed_mm)
    # All of the oval is shown: a ball has a surface everywhere.
    assert seen.mean() == pytest.approx(np.pi / 4.0, abs=0.02)
    out = found.point_mm[seen] - CENTRE
    out = out / np.linalg.norm(out, axis=1, keepdims=True)
    expected = 18.0 - np.linalg.norm(CENTRE + 12.0 * out - (CENTRE + shift), axis=1)
    assert found.signed_mm[seen] == pytest.approx(expected, abs=0.5)
    assert np.abs(found.signed_mm[seen] - expected).mean() < 0.1
    assert found.behind == 0.0


def test_each_cell_shows_a_point_in_its_own_direction():
    found = unroll(balls(12.0, 18.0, shift=(3.0, 0.0, 0.0)), 0.0)
    rows, columns = np.nonzero(np.isfinite(found.signed_mm))
    place = np.stack([(columns + 0.5) / ROWS - 1.0, 1.0 - (rows + 0.5) * 2.0 / ROWS], axis=1)
    wanted = from_map(place)
    inside = np.isfinite(wanted[:, 0])
    out = found.point_mm[rows, columns][inside] - found.centre_mm
    cosine = (out * wanted[inside]).sum(axis=1) / np.linalg.norm(out, axis=1)
    assert np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max() < 8.0


def test_the_least_margin_of_the_review_is_in_the_map_at_the_worst_place():
    margins = balls(12.0, 16.0, shift=(-3.0, 4.0, 1.0))
    found, worst = unroll(margins, 0.0), margins.margin(0.0)
    assert np.nanmin(found.signed_mm) == worst.minimum_mm
    right, down = found.place_of(worst.worst_point_mm)
    assert found.margin_at(right, down) == worst.minimum_mm
    assert found.point_at(right, down) == pytest.approx(worst.worst_point_mm)


def test_the_back_of_the_patient_is_found_at_both_rims():
    found = unroll(balls(12.0, 18.0), 0.0)
    for right in (0.0, 1.0):
        assert np.subtract(found.point_at(right, 0.5), CENTRE) == pytest.approx((0.0, 12.0, 0.0), abs=1.0)


def test_a_press_leads_to_the_surface_in_that_direction_and_nowhere_outside_the_oval():
    found = unroll(balls(12.0, 18.0), 0.0)
    front = np.subtract(found.point_at(0.5, 0.5), CENTRE)
    assert front == pytest.approx((0.0, -12.0, 0.0), abs=0.8)
    assert np.subtract(found.point_at(0.25, 0.5), CENTRE) == pytest.approx((-12.0, 0.0, 0.0), abs=0.8)
    for right, down in ((0.01, 0.01), (0.99, 0.99), (-0.1, 0.5), (0.5, 1.1), (1.2, 0.5)):
        assert found.point_at(right, down) is None
        assert found.margin_at(right, down) is None


def test_of_two_parts_in_one_direction_the_worse_is_shown_and_the_other_is_said_to_be_behind():
    grid = cube(70)
    inner, outer = ball_distance_mm(grid, (0.0, 0.0, 0.0), 8.0), ball_distance_mm(grid, (0.0, 0.0, 24.0), 7.0)
    mask = ball(grid, (0.0, 0.0, 0.0), 8.0)
    mask = type(mask)(grid=grid, values=(inner <= 0.0) | (outer <= 0.0))
    found = unroll(of_mask(mask, ice_ball(grid, (0.0, 0.0, 0.0), 20.0)), 0.0)
    # From the middle between both, straight up: the far pole of the outer ball, 11 mm out of the ice.
    right, down = found.place_of(found.centre_mm + np.array([0.0, -0.01, 10.0]))
    assert found.margin_at(right, down) == pytest.approx(20.0 - 31.0, abs=0.5)
    assert found.behind > 0.03


def test_sides_left_out_are_marked_in_the_map():
    margins = balls(12.0, 18.0)
    found = unroll(margins.without(margins.surface.points_mm[:, 0] < CENTRE[0]), 0.0)
    assert found.left_out[ROWS // 2, ROWS // 2]  # a quarter from the left: the patient's right
    assert not found.left_out[ROWS // 2, 3 * ROWS // 2]
    assert found.left_out[np.isfinite(found.signed_mm)].mean() == pytest.approx(0.5, abs=0.03)


def test_without_ice_every_direction_is_minus_infinity():
    found = unroll(balls(12.0, 18.0, thresholds=(0.0, -200.0)), -200.0)
    assert set(np.unique(found.signed_mm[~np.isnan(found.signed_mm)])) == {-np.inf}
