"""Signed margins against spheres, capsules and brute force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.core.geometry import point_to_segment_mm
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import DEFAULT_THRESHOLDS_DEGC
from cryoplan.margins.distance import (
    distance_to_surface_mm,
    sample,
    signed_distances_mm,
)
from cryoplan.margins.iceball import isotherm_surface
from cryoplan.margins.margin_map import map_margins
from cryoplan.margins.outline import Outline, outline
from cryoplan.margins.surface import Surface, level_surface
from tests.support.analytic import (
    SLOPE_K_PER_MM,
    ball,
    ball_distance_mm,
    centres_mm,
    cube,
    ice,
    ice_ball,
)


def _tumour(mask: Volume) -> Outline:
    return outline("tumour", mask)


def _margin(mask: Volume, field: Volume, threshold: float = 0.0):
    return map_margins(_tumour(mask), field, [threshold], outside_degc=37.0).margin(threshold)


@pytest.mark.parametrize("threshold", [0.0, -20.0, -40.0])
def test_concentric_spheres_have_the_difference_of_their_radii_as_margin_everywhere(threshold):
    grid = cube(56)
    centre = (0.2, -0.4, 0.3)
    margin = _margin(ball(grid, centre, 12.0), ice_ball(grid, centre, 20.0), threshold)
    expected = 20.0 + threshold / SLOPE_K_PER_MM - 12.0
    assert margin.minimum_mm == pytest.approx(expected, abs=0.3)
    assert margin.p05_mm == pytest.approx(expected, abs=0.2)
    assert margin.median_mm == pytest.approx(expected, abs=0.05)
    assert margin.fraction_below_0 == (1.0 if expected < 0.0 else 0.0)
    assert margin.fraction_5_up == (1.0 if expected > 6.0 else 0.0)
    assert not margin.no_ice


@pytest.mark.parametrize(
    ("shift", "words"),
    [((6.0, 0.0, 0.0), "right"), ((0.0, -6.0, 0.0), "posterior"), ((0.0, 0.0, 6.0), "caudal")],
)
def test_shifted_ice_leaves_its_worst_margin_on_the_other_side_and_names_it(shift, words):
    grid = cube(60)
    centre = np.array([0.3, 0.1, -0.2])
    margin = _margin(ball(grid, centre, 11.0), ice_ball(grid, centre + shift, 15.0))
    # On the far side the tumour sticks out by 11 + 6 - 15 = 2 mm; at the other end 4 + 6 mm are left.
    assert margin.minimum_mm == pytest.approx(-2.0, abs=0.3)
    assert margin.worst_direction == words
    towards = np.asarray(margin.worst_point_mm) - centre
    assert float(towards @ shift) / 6.0 == pytest.approx(-11.0, abs=0.6)


def test_area_fractions_of_shifted_ice_are_those_of_the_sphere_caps():
    grid = cube(64)
    tumour_r, ice_r, shift = 12.0, 16.0, 5.0
    margin = _margin(ball(grid, (0, 0, 0.4), tumour_r), ice_ball(grid, (shift, 0, 0.4), ice_r))
    # A point of the tumour surface at angle a has the margin ice_r - |p - shift|; the area with a margin
    # below m is a spherical cap, whose share is (1 - cos) / 2.

    def share_below(m: float) -> float:
        reach = ice_r - m
        cosine = (tumour_r**2 + shift**2 - reach**2) / (2.0 * tumour_r * shift)
        return (1.0 + np.clip(cosine, -1.0, 1.0)) / 2.0

    assert margin.fraction_below_0 == pytest.approx(share_below(0.0), abs=0.01)
    assert margin.fraction_0_to_5 == pytest.approx(share_below(5.0) - share_below(0.0), abs=0.015)
    assert margin.fraction_below_0 + margin.fraction_0_to_5 + margin.fraction_5_up == pytest.approx(1.0)
    assert share_below(margin.p05_mm) == pytest.approx(0.05, abs=0.01)
    assert share_below(margin.median_mm) == pytest.approx(0.5, abs=0.01)


def test_ice_of_an_oblique_probe_has_the_margin_of_its_capsule():
    grid = cube(60)
    along = np.array([2.0, -1.0, 2.0]) / 3.0
    distance = point_to_segment_mm(centres_mm(grid), -12.0 * along, 12.0 * along) - 13.0
    centre = np.array([0.2, 0.3, 0.1])
    margin = _margin(ball(grid, centre, 9.0), ice(grid, distance))
    off_axis = centre - (centre @ along) * along
    assert margin.minimum_mm == pytest.approx(4.0 - np.linalg.norm(off_axis), abs=0.3)
    # The nearest ice is across the probe; along it there are 12 mm more.
    worst = np.asarray(margin.worst_point_mm)
    assert abs(float(worst @ along)) < 4.0


@pytest.mark.parametrize("spacing", [0.5, 1.0, 2.0])
def test_worst_margin_errs_by_less_than_half_a_voxel_at_any_spacing(spacing):
    rng = np.random.default_rng(7)
    for _ in range(3):
        centre = rng.uniform(-0.5, 0.5, 3) * spacing
        grid = cube(int(48 / spacing), spacing)
        margin = _margin(ball(grid, centre, 13.3), ice_ball(grid, centre, 17.0))
        assert margin.minimum_mm == pytest.approx(3.7, abs=0.5 * spacing)
        assert margin.median_mm == pytest.approx(3.7, abs=0.1 * spacing)


def test_margin_does_not_depend_on_how_the_grid_lies():
    straight = cube(50)
    turn = np.linalg.qr(np.array([[0.8, -0.5, 0.2], [0.4, 0.9, 0.3], [-0.1, 0.3, 1.0]]))[0]
    oblique = Grid(
        size=(51, 51, 51),
        spacing_mm=(1.0, 1.0, 1.0),
        origin_mm=tuple(-turn @ np.full(3, 25.0)),
        direction=tuple(turn.ravel()),
    )
    answers = [
        _margin(ball(grid, (1.0, 2.0, -1.5), 10.4), ice_ball(grid, (4.0, 2.0, -1.5), 15.0))
        for grid in (straight, oblique)
    ]
    assert answers[0].minimum_mm == pytest.approx(1.6, abs=0.3)
    assert answers[1].minimum_mm == pytest.approx(1.6, abs=0.3)
    assert answers[0].median_mm == pytest.approx(answers[1].median_mm, abs=0.05)
    assert answers[0].worst_direction == answers[1].worst_direction == "right"


def test_no_ice_is_minus_infinity_at_the_warmest_point():
    grid = cube(40)
    field = ice_ball(grid, (5.0, 0.0, 0.0), 8.0)
    margin = _margin(ball(grid, (0.0, 0.0, 0.0), 6.4), field, -139.0)
    assert margin.no_ice
    assert margin.minimum_mm == margin.p05_mm == margin.median_mm == -np.inf
    assert (margin.fraction_below_0, margin.fraction_0_to_5, margin.fraction_5_up) == (1.0, 0.0, 0.0)
    assert margin.worst_direction == "right"


def test_tumour_beyond_the_grid_is_warm():
    grid = cube(30)
    mask_grid = cube(60)
    margin = _margin(ball(mask_grid, (14.0, 0.0, 0.0), 8.0), ice_ball(grid, (0.0, 0.0, 0.0), 30.0))
    # The grid ends at x = 15.5 although the ice would go on.
    assert margin.minimum_mm < -4.0
    assert margin.worst_point_mm[0] > 18.0


@settings(max_examples=15, deadline=None)
@given(
    tumour_r=st.floats(4.0, 10.0),
    ice_r=st.floats(6.0, 16.0),
    x=st.floats(-8.0, 8.0),
    y=st.floats(-8.0, 8.0),
)
def test_margins_fall_from_the_ice_edge_to_the_coldest_isotherm(tumour_r, ice_r, x, y):
    grid = cube(50)
    tumour = _tumour(ball(grid, (0.0, 0.0, 0.0), tumour_r))
    field = ice_ball(grid, (x, y, 0.0), ice_r)
    maps = [signed_distances_mm(tumour, field, t, outside_degc=37.0) for t in DEFAULT_THRESHOLDS_DEGC]
    for warmer, colder in pairwise(maps):
        assert np.all(colder <= warmer + 0.05)
    margins = map_margins(tumour, field, DEFAULT_THRESHOLDS_DEGC, outside_degc=37.0).margins()
    for warmer, colder in pairwise(margins):
        assert colder.minimum_mm <= warmer.minimum_mm + 0.05
        assert colder.fraction_below_0 >= warmer.fraction_below_0
        assert colder.fraction_5_up <= warmer.fraction_5_up


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-20, 20)] * 3), min_size=3, max_size=3), st.integers(0, 10_000))
def test_distance_to_one_triangle_is_that_of_a_dense_cloud_on_it(corners, seed):
    triangle = np.array(corners)
    surface = Surface(points_mm=triangle.copy(), triangles=np.array([[0, 1, 2]]))
    points = np.random.default_rng(seed).uniform(-25, 25, (20, 3))
    found = distance_to_surface_mm(points, surface)
    u, v = np.meshgrid(np.linspace(0, 1, 120), np.linspace(0, 1, 120))
    keep = (u + v) <= 1.0
    cloud = (
        triangle[0]
        + u[keep][:, None] * (triangle[1] - triangle[0])
        + v[keep][:, None] * (triangle[2] - triangle[0])
    )
    dense = np.linalg.norm(points[:, None] - cloud[None], axis=-1).min(axis=1)
    # Far points are measured to corners.
    edge = np.linalg.norm(triangle - np.roll(triangle, 1, axis=0), axis=1).max()
    assert np.all(found <= dense + edge / 24.0 + 1e-6)
    assert np.all(found >= dense - 0.6)


def test_distances_to_a_sphere_are_right_near_far_inside_and_in_many_chunks(monkeypatch):
    monkeypatch.setattr("cryoplan.margins.distance.CHUNK_POINTS", 64)
    grid = cube(40)
    surface = level_surface(ball_distance_mm(grid, (0, 0, 0), 14.0), grid, 0.0, outside=99.0)
    rng = np.random.default_rng(3)
    direction = rng.normal(size=(500, 3))
    radius = rng.uniform(1.0, 40.0, 500)
    points = direction / np.linalg.norm(direction, axis=1)[:, None] * radius[:, None]
    assert np.abs(distance_to_surface_mm(points, surface) - np.abs(radius - 14.0)).max() < 0.08


def test_distance_to_nothing_is_refused():
    surface = isotherm_surface(ice_ball(cube(10), (0, 0, 0), 3.0), -139.0)
    with pytest.raises(ValueError, match="no distance"):
        distance_to_surface_mm(np.zeros((1, 3)), surface)


def test_samples_are_linear_inside_and_constant_outside():
    grid = Grid(size=(4, 4, 4), spacing_mm=(2, 2, 2), origin_mm=(10, 20, 30))
    volume = Volume(grid=grid, values=(centres_mm(grid) @ np.array([1.0, 2.0, 3.0])).astype(np.float32))
    points = np.array([[11.0, 21.5, 33.0], [9.2, 20.0, 30.0], [0.0, 0.0, 0.0]])
    values = sample(volume, points, outside=-7.0)
    assert values[0] == pytest.approx(11.0 + 43.0 + 99.0)
    assert values[1] == pytest.approx(10.0 + 40.0 + 90.0)
    assert values[2] == -7.0
