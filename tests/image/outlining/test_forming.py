"""Forming: volumes and distances in millimetres, whatever the voxels look like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.volume import Volume
from cryoplan.image.outlining.forming import (
    Combination,
    between,
    combined,
    ellipsoid,
    filled,
    island_count,
    largest_island,
    smoothed,
    with_margin,
)
from tests.support.grids import grid_of, places, turned

FINE = grid_of((70, 66, 62), (1.0, 1.0, 1.0), axes=turned(25.0))
THICK = grid_of((90, 90, 18), (0.8, 0.8, 4.0), axes=np.diag([-1.0, 1.0, 1.0]))


def ball(grid, radius_mm, offset_mm=(0.0, 0.0, 0.0)):
    return Volume(
        grid=grid,
        values=np.linalg.norm(places(grid) - grid.centre_mm() - offset_mm, axis=-1) <= radius_mm,
    )


def volume_ml(mask):
    return np.count_nonzero(mask.values) * mask.grid.voxel_volume_ml


@pytest.mark.parametrize("grid", [FINE, THICK])
@pytest.mark.parametrize("margin", [5.0, -5.0, 10.0])
def test_a_ball_with_a_margin_is_a_ball_of_that_much_more_radius(grid, margin):
    new = with_margin(ball(grid, 15.0), margin)
    radius = (volume_ml(new) * 3000.0 / (4.0 * np.pi)) ** (1.0 / 3.0)
    assert radius == pytest.approx(15.0 + margin, abs=0.5 if grid is FINE else 0.9)


def test_growing_and_shrinking_never_cross_the_old_outline():
    mask = ball(THICK, 14.0)
    assert not (mask.values & ~with_margin(mask, 3.0).values).any()
    assert not (with_margin(mask, -3.0).values & ~mask.values).any()


@pytest.mark.parametrize("grid", [FINE, THICK])
def test_smoothing_keeps_volume_and_place_and_takes_bumps(grid):
    rng = np.random.default_rng(3)
    clean = ball(grid, 18.0)
    rough = Volume(grid=grid, values=clean.values ^ (rng.random(grid.shape) < 0.02))
    rough = largest_island(filled(rough))
    smooth = smoothed(rough, 3.0)
    assert np.count_nonzero(smooth.values) == pytest.approx(np.count_nonzero(rough.values), rel=0.02)
    off = [np.count_nonzero(m.values ^ clean.values) for m in (rough, smooth)]
    assert off[1] < 0.7 * off[0]
    where = [places(grid)[m.values].mean(axis=0) for m in (clean, smooth)]
    assert np.linalg.norm(where[0] - where[1]) < 0.3


def test_holes_are_filled_in_space_and_in_the_slice():
    mask = ball(FINE, 20.0)
    hollow = Volume(grid=FINE, values=mask.values & ~ball(FINE, 8.0).values)
    assert np.array_equal(filled(hollow).values, mask.values)
    tube = mask.values.copy()
    tube[:, 30:36, 30:36] = False  # open at both ends: no cavity, but a hole in every slice
    assert np.array_equal(filled(Volume(grid=FINE, values=tube)).values[31], mask.values[31])


def test_the_largest_island_is_kept_and_islands_are_counted():
    both = combined(ball(FINE, 10.0), ball(FINE, 5.0, (22.0, 0.0, 0.0)), Combination.ADD)
    assert island_count(both) == 2
    assert np.array_equal(largest_island(both).values, ball(FINE, 10.0).values)
    assert island_count(Volume(grid=FINE, values=np.zeros(FINE.shape, bool))) == 0


@given(st.integers(0, 2**32 - 1))
def test_combinations_are_those_of_sets(seed):
    grid = grid_of((5, 6, 7), (1, 1, 1))
    rng = np.random.default_rng(seed)
    a, b = (Volume(grid=grid, values=rng.random(grid.shape) < 0.5) for _ in range(2))
    added, taken, common = (combined(a, b, how).values for how in Combination)
    assert np.array_equal(added, np.logical_or(a.values, b.values))
    assert np.array_equal(taken, np.logical_and(a.values, np.logical_not(b.values)))
    assert np.array_equal(common, np.logical_and(a.values, b.values))


@pytest.mark.parametrize("grid", [FINE, THICK])
def test_an_ellipsoid_has_the_volume_and_place_of_its_diameters(grid):
    diameters = np.array([30.0, 22.0, 26.0])
    axes = turned(40.0)
    patch = ellipsoid(grid, grid.centre_mm(), diameters, axes)
    mask = np.zeros(grid.shape, bool)
    mask[patch.box.place] = patch.voxels
    assert np.count_nonzero(mask) * grid.voxel_volume_ml == pytest.approx(
        np.pi / 6.0 * diameters.prod() / 1000.0, rel=0.015
    )
    assert np.linalg.norm(places(grid)[mask].mean(axis=0) - grid.centre_mm()) < 0.1
    along = (places(grid)[mask] - grid.centre_mm()) @ axes
    assert np.all(np.abs(along).max(axis=0) <= 0.5 * diameters)


def test_an_ellipsoid_smaller_than_a_voxel_is_that_voxel_and_one_outside_is_none():
    assert np.count_nonzero(ellipsoid(THICK, THICK.centre_mm(), (0.1, 0.1, 0.1)).voxels) == 1
    assert ellipsoid(THICK, THICK.centre_mm() + 1000.0, (10.0, 10.0, 10.0)) is None


@pytest.mark.parametrize("grid", [FINE, THICK], ids=["oblique", "thick"])
def test_values_between_two_limits_are_found_in_a_box_along_the_patient_only(grid):
    image = Volume(grid=grid, values=(np.indices(grid.shape).sum(axis=0)).astype(np.int16))
    middle, half = grid.centre_mm() + np.array([3.0, -2.0, 1.0]), np.array([11.0, 7.0, 9.0])
    patch = between(image, middle + half, middle - half, 80.0, 100.0)
    expected = np.all(np.abs(places(grid) - middle) <= half + 1e-9, axis=-1)
    expected &= (image.values >= 80) & (image.values <= 100)
    found = np.zeros(grid.shape, bool)
    found[patch.box.place] = patch.voxels
    assert expected.any()
    assert np.array_equal(found, expected)


def test_a_box_thinner_than_a_slice_still_holds_that_slice_and_one_outside_is_none():
    image = Volume(grid=THICK, values=np.zeros(THICK.shape, np.int16))
    middle = THICK.index_to_mm((40, 40, 8)) + np.array([0.0, 0.0, 1.3])
    aside = np.array([4.0, 4.0, 0.0])
    patch = between(image, middle - aside, middle + aside, -1.0, 1.0)
    assert (patch.box.first_ijk[2], patch.box.last_ijk[2]) == (8, 8)
    assert between(image, middle + 999.0, middle + 1010.0, -1.0, 1.0) is None
    assert between(image, middle - 4.0, middle + 4.0, 5.0, 6.0) is None
