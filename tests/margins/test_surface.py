"""Surfaces against spheres, ellipsoids and planes, on straight, oblique, flipped and anisotropic grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.core.errors import SimulationError
from cryoplan.core.grid import Grid
from cryoplan.margins.surface import level_surface
from tests.support.analytic import ball_distance_mm, centres_mm, cube

_OBLIQUE = np.linalg.qr(np.array([[0.8, -0.5, 0.2], [0.4, 0.9, 0.3], [-0.1, 0.3, 1.0]]))[0]


def _grid(kind: str) -> Grid:
    axes = {
        "straight": np.eye(3),
        "flipped": np.diag([-1.0, 1.0, 1.0]),
        "turned": np.diag([-1.0, -1.0, 1.0]),
        "oblique": _OBLIQUE,
        "oblique-flipped": _OBLIQUE @ np.diag([1.0, 1.0, -1.0]),
    }[kind]
    return Grid(
        size=(50, 44, 36),
        spacing_mm=(0.8, 0.9, 1.2),
        origin_mm=(120.0, -40.0, 900.0),
        direction=tuple(axes.ravel()),
    )


KINDS = ("straight", "flipped", "turned", "oblique", "oblique-flipped")


def _ball(grid: Grid, radius_mm: float = 13.0):
    centre = grid.centre_mm() + np.array([0.31, -0.22, 0.17])
    field = ball_distance_mm(grid, centre, radius_mm)
    return centre, level_surface(field, grid, 0.0, outside=100.0)


@pytest.mark.parametrize("kind", KINDS)
def test_volume_area_and_place_of_a_sphere_are_right_on_any_grid(kind: str):
    grid = _grid(kind)
    centre, surface = _ball(grid)
    assert surface.volume_ml() == pytest.approx(4.0 / 3.0 * np.pi * 13.0**3 / 1000.0, rel=0.005)
    area = surface.point_areas_mm2()
    assert area.sum() == pytest.approx(4.0 * np.pi * 13.0**2, rel=0.005)
    assert np.average(surface.points_mm, axis=0, weights=area) == pytest.approx(centre, abs=0.02)
    radius = np.linalg.norm(surface.points_mm - centre, axis=1)
    assert np.abs(radius - 13.0).max() < 0.03


@pytest.mark.parametrize("kind", KINDS)
def test_surface_is_closed_and_every_edge_is_walked_once_in_each_direction(kind: str):
    _, surface = _ball(_grid(kind))
    t = surface.triangles
    edges = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    there = {tuple(e) for e in edges.tolist()}
    assert len(there) == len(edges)
    assert {(b, a) for a, b in there} == there


@pytest.mark.parametrize("kind", KINDS)
def test_normals_point_out_of_the_cold_side(kind: str):
    centre, surface = _ball(_grid(kind))
    a, b, c = surface.corners_mm()
    outward = np.einsum("ij,ij->i", np.cross(b - a, c - a), (a + b + c) / 3.0 - centre)
    assert outward.min() >= 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_section_of_a_sphere_is_a_circle_of_the_right_area(kind: str):
    centre, surface = _ball(_grid(kind))
    for height in (-9.0, 0.0, 4.0):
        normal = np.array([2.0, -1.0, 2.0]) / 3.0
        area = surface.section_area_mm2(centre + height * normal, normal)
        assert area == pytest.approx(np.pi * (13.0**2 - height**2), rel=0.005)


def test_section_beside_the_region_is_empty():
    centre, surface = _ball(_grid("straight"))
    assert surface.section_area_mm2(centre + np.array([0.0, 0.0, 14.0]), [0.0, 0.0, 1.0]) == 0.0


def test_section_through_two_regions_adds_their_areas_and_a_hole_is_taken_off():
    grid = cube(60)
    two = np.minimum(ball_distance_mm(grid, (-14, 0, 0), 8.0), ball_distance_mm(grid, (14, 0, 0), 8.0))
    surface = level_surface(two, grid, 0.0, outside=99.0)
    assert surface.section_area_mm2([0, 0, 0], [0, 0, 1]) == pytest.approx(2 * np.pi * 64.0, rel=0.01)
    shell = np.abs(ball_distance_mm(grid, (0, 0, 0), 15.0)) - 5.0
    surface = level_surface(shell, grid, 0.0, outside=99.0)
    assert surface.section_area_mm2([0, 0, 0.3], [0, 0, 1]) == pytest.approx(
        np.pi * (20.0**2 - 10.0**2), rel=0.01
    )
    assert surface.volume_ml() == pytest.approx(4 / 3 * np.pi * (20.0**3 - 10.0**3) / 1000.0, rel=0.005)


def test_a_linear_field_gives_the_exact_half_space():
    grid = cube(20)
    normal = np.array([0.6, 0.48, 0.64])
    surface = level_surface(centres_mm(grid) @ normal - 1.3, grid, 0.0, outside=50.0)
    points = surface.points_mm[np.abs(surface.points_mm).max(axis=1) <= 10.0]
    assert len(points) > 300
    assert np.abs(points @ normal - 1.3).max() < 1e-9


def test_region_at_the_border_is_closed_within_a_voxel_beyond_it():
    grid = cube(10)
    surface = level_surface(np.full(grid.shape, -5.0), grid, 0.0, outside=5.0)
    assert surface.volume_ml() == pytest.approx(11.0**3 / 1000.0, rel=0.02)
    t = surface.triangles
    edges = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    assert len({tuple(e) for e in edges.tolist()} ^ {(b, a) for a, b in edges.tolist()}) == 0


def test_nothing_below_the_level_is_an_empty_surface():
    grid = cube(6)
    surface = level_surface(np.full(grid.shape, 37.0), grid, 0.0, outside=99.0)
    assert surface.is_empty
    assert surface.volume_ml() == 0.0
    assert surface.section_area_mm2([0, 0, 0], [0, 0, 1]) == 0.0
    assert len(surface.point_areas_mm2()) == 0


def test_value_outside_must_be_above_the_level():
    grid = cube(4)
    with pytest.raises(ValueError, match="must be above"):
        level_surface(np.zeros(grid.shape), grid, 0.0, outside=0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_field_that_is_not_made_of_numbers_is_refused(bad: float):
    grid = cube(4)
    values = np.full(grid.shape, -1.0)
    values[2, 1, 3] = bad
    with pytest.raises(SimulationError, match="not numbers"):
        level_surface(values, grid, 0.0, outside=1.0)


def test_surface_cannot_be_changed_afterwards():
    _, surface = _ball(_grid("straight"))
    with pytest.raises(ValueError, match="read-only"):
        surface.points_mm[0] = 0.0


@settings(max_examples=40, deadline=None)
@given(a=st.floats(4.0, 12.0), b=st.floats(4.0, 12.0), c=st.floats(4.0, 12.0), shift=st.floats(-0.5, 0.5))
def test_volume_of_any_ellipsoid_misses_no_more_than_its_chords(a: float, b: float, c: float, shift: float):
    grid = cube(28)
    points = centres_mm(grid) - np.array([shift, -shift, 0.3 * shift])
    field = (np.linalg.norm(points / np.array([a, b, c]), axis=-1) - 1.0) * min(a, b, c)
    surface = level_surface(field, grid, 0.0, outside=50.0)
    # Chords cut off (edge / radius)^2 / 8 in each direction, the longest edge being the diagonal.
    volume = 4.0 / 3.0 * np.pi * a * b * c / 1000.0
    assert surface.volume_ml() <= 1.001 * volume
    assert surface.volume_ml() == pytest.approx(volume, rel=0.8 / min(a, b, c) ** 2)
