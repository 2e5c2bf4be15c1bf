"""Interpolation between slices: a cone stays a cone, an oblique tube keeps its width."""

import numpy as np
import pytest

from cryoplan.core.volume import Volume
from cryoplan.image.outlining.between_slices import empty_slices, interpolated
from tests.support.grids import grid_of

GRID = grid_of((80, 80, 21), (0.8, 0.8, 2.0))


def tube(radius_of_k, centre_of_k, grid=GRID):
    k, j, i = np.indices(grid.shape)
    cx, cy = centre_of_k(k)
    square = ((i - cx) * grid.spacing_mm[0]) ** 2 + ((j - cy) * grid.spacing_mm[1]) ** 2
    return (square <= radius_of_k(k) ** 2) & (k >= 2) & (k <= 18)


def every(mask, step):
    thin = np.zeros_like(mask)
    thin[2:19:step] = mask[2:19:step]
    return Volume(grid=GRID, values=thin)


@pytest.mark.parametrize(
    ("radius", "centre"),
    [
        (lambda k: 6.0 + 0.5 * k, lambda _k: (40.0, 40.0)),
        (lambda _k: 6.0, lambda k: (20.0 + 2.0 * k, 25.0 + 1.5 * k)),  # moves further than its width
    ],
)
def test_left_out_slices_come_back(radius, centre):
    whole = tube(radius, centre)
    thin = every(whole, 8)
    assert empty_slices(thin) == 14
    back = interpolated(thin)
    assert empty_slices(back) == 0
    both = np.count_nonzero(back.values & whole)
    assert 2.0 * both / (np.count_nonzero(back.values) + np.count_nonzero(whole)) > 0.97


def test_outlined_slices_stay_as_they_are():
    thin = every(tube(lambda k: 6.0 + 0.5 * k, lambda _k: (40.0, 40.0)), 4)
    drawn = thin.values.any(axis=(1, 2))
    assert np.array_equal(interpolated(thin).values[drawn], thin.values[drawn])


def test_other_axes_work_the_same():
    whole = tube(lambda _k: 8.0, lambda _k: (40.0, 40.0))
    thin = every(whole, 4)
    turned = Volume(grid=grid_of((21, 80, 80), (2.0, 0.8, 0.8)), values=np.swapaxes(thin.values, 0, 2))
    assert np.array_equal(np.swapaxes(interpolated(turned, axis=0).values, 0, 2), interpolated(thin).values)


def test_nothing_to_do_changes_nothing():
    whole = Volume(grid=GRID, values=tube(lambda _k: 8.0, lambda _k: (40.0, 40.0)))
    assert np.array_equal(interpolated(whole).values, whole.values)
    empty = Volume(grid=GRID, values=np.zeros(GRID.shape, bool))
    assert not interpolated(empty).values.any()
