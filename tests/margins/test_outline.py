"""Outlines of masks against spheres, and what smoothing must not do."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.outline import outline, smooth_signed_distance
from tests.support.analytic import ball, ball_distance_mm, cube


@pytest.mark.parametrize("spacing", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("radius", [6.0, 10.0, 17.3])
def test_distances_to_a_sphere_are_right_to_a_fraction_of_a_voxel(spacing, radius):
    grid = cube(int((2 * radius + 26) / spacing), spacing)
    centre = np.array([0.3, -0.2, 0.1]) * spacing
    exact = ball_distance_mm(grid, centre, radius)
    error = outline("t", ball(grid, centre, radius)).distance_mm.values - exact
    for low, high in ((-3, -1), (-1, 1), (1, 3), (4, 6), (9, 11)):
        band = (exact > low * spacing) & (exact < high * spacing)
        assert abs(error[band].mean()) < 0.16 * spacing
        assert np.abs(error[band]).max() < 1.0 * spacing


@pytest.mark.parametrize("radius", [5.0, 10.0, 15.0, 25.0])
def test_surface_of_a_sphere_errs_by_less_than_half_a_voxel_and_hardly_on_average(radius):
    rng = np.random.default_rng(2)
    grid = cube(int(2 * radius + 8))
    for _ in range(3):
        centre = rng.uniform(-0.5, 0.5, 3)
        found = outline("t", ball(grid, centre, radius))
        error = np.linalg.norm(found.surface.points_mm - centre, axis=1) - radius
        assert np.abs(error).max() < 0.5
        assert np.sqrt(np.average(error**2, weights=found.area_mm2)) < 0.1
        assert found.centre_mm == pytest.approx(centre, abs=0.1)


def test_outline_of_a_flipped_anisotropic_grid_lies_where_the_mask_is():
    grid = Grid(
        size=(60, 50, 30),
        spacing_mm=(0.7, 0.8, 1.4),
        origin_mm=(50.0, -30.0, 700.0),
        direction=(-1, 0, 0, 0, 0, 1, 0, 1, 0),
    )
    centre = grid.centre_mm() + np.array([1.0, -2.0, 0.5])
    found = outline("t", ball(grid, centre, 9.0))
    error = np.linalg.norm(found.surface.points_mm - centre, axis=1) - 9.0
    assert abs(np.average(error, weights=found.area_mm2)) < 0.1
    assert np.abs(error).max() < 0.8
    exact = ball_distance_mm(grid, centre, 9.0)
    band = (exact > 2.0) & (exact < 6.0)
    assert abs((found.distance_mm.values - exact)[band].mean()) < 0.15


def test_smoothing_moves_no_voxel_to_the_other_side():
    grid = cube(40)
    rng = np.random.default_rng(5)
    # A ball with an ear of two voxels and a crumb of one.
    values = ball(grid, (0.0, 0.0, 0.0), 9.0).values.copy()
    values[20, 20:22, 28:36] = True
    values[5, 6, 7] = True
    mask = Volume(grid=grid, values=values)
    field = smooth_signed_distance(mask).values
    assert np.array_equal(field < 0.0, values)
    far = np.abs(field) > 5.0
    exact = ball_distance_mm(grid, (0, 0, 0), 9.0)
    assert rng.permutation(field[far & (exact < -5.0)]).max() < -4.0


@pytest.mark.parametrize("radius", [1.2, 2.0, 3.1])
def test_a_small_tumour_keeps_most_of_its_volume(radius):
    grid = cube(20)
    mask = ball(grid, (0.2, 0.1, 0.3), radius)
    drawn = float(mask.values.sum()) / 1000.0
    assert outline("t", mask).surface.volume_ml() == pytest.approx(drawn, rel=0.3)


def test_signed_distance_of_a_mask_that_fills_its_grid_is_finite_and_negative():
    grid = cube(6)
    field = smooth_signed_distance(Volume(grid=grid, values=np.ones(grid.shape, bool))).values
    assert np.all(np.isfinite(field))
    assert field.max() < 0.0
