"""Strokes cover what the brush passed over, on straight, flipped and oblique scans."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.image.outlining.strokes import Patch, brush, inside_polygon, lasso, painted
from tests.support.grids import grid_of, grids, places, turned

AXIAL = (0.0, 0.0, 1.0)


def mask_of(grid, patch):
    mask = np.zeros(grid.shape, bool)
    if patch is not None:
        mask[patch.box.place] = patch.voxels
    return mask


@given(grids(), st.integers(0, 2**32 - 1), st.floats(1.0, 15.0))
def test_a_ball_covers_the_voxels_within_its_radius_of_the_path_and_its_own_points(grid, seed, radius):
    rng = np.random.default_rng(seed)
    path = grid.index_to_mm(rng.uniform(-2, np.array(grid.size) + 1, (3, 3)))
    centres = places(grid)
    away = np.full(grid.shape, np.inf)
    for start, end in pairwise(path):
        t = np.clip((centres - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
        away = np.minimum(away, np.linalg.norm(centres - start - t[..., None] * (end - start), axis=-1))
    covered = mask_of(grid, brush(grid, path, radius))
    assert covered[away < radius - 1e-6].all()
    index = np.rint(grid.mm_to_index(path)).astype(int)
    own = np.zeros(grid.shape, bool)
    for i, j, k in index[np.all((index >= 0) & (index < grid.size), axis=1)]:
        own[k, j, i] = True
    assert not (covered & ~own)[away > radius + 1e-6].any()


@pytest.mark.parametrize("axes", [np.eye(3), np.diag([1.0, -1.0, -1.0])])
def test_a_disc_stays_in_its_slice(axes):
    grid = grid_of((60, 60, 9), (0.8, 0.8, 5.0), axes=axes)
    centre = grid.index_to_mm((30, 30, 4))
    covered = mask_of(grid, brush(grid, [centre], 8.0, normal=AXIAL))
    assert list(np.flatnonzero(covered.any(axis=(1, 2)))) == [4]
    assert np.count_nonzero(covered) * 0.64 == pytest.approx(np.pi * 64, rel=0.03)


def test_a_disc_on_an_oblique_scan_lies_in_the_plane_that_is_drawn_on_and_has_no_gaps():
    grid = grid_of((70, 70, 30), (1.0, 1.0, 2.5), axes=turned(20.0))
    centre = grid.centre_mm()
    covered = mask_of(grid, brush(grid, [centre], 12.0, normal=AXIAL))
    offset = places(grid) - centre
    assert np.abs(offset[covered][:, 2]).max() <= 1.25 + 1e-9
    # Seen along the normal, every square millimetre of the disc is covered.
    seen = offset[covered][:, :2]
    x, y = np.meshgrid(np.arange(-8, 9), np.arange(-8, 9))
    wanted = np.stack([x.ravel(), y.ravel()], axis=1)
    nearest = np.linalg.norm(wanted[:, None] - seen[None], axis=-1).min(axis=1)
    assert nearest.max() < 1.3


def test_the_smallest_brush_still_marks_the_voxel_it_is_in():
    grid = grid_of((10, 10, 4), (2.0, 2.0, 8.0))
    covered = mask_of(grid, brush(grid, [grid.index_to_mm((3.3, 4.2, 1.4))], 0.1))
    assert np.argwhere(covered).tolist() == [[1, 4, 3]]


def test_a_stroke_beside_the_scan_covers_nothing():
    grid = grid_of((10, 10, 4), (2.0, 2.0, 8.0))
    assert brush(grid, [(-500.0, 0.0, 0.0)], 5.0) is None


def test_a_long_fast_stroke_has_no_gaps():
    grid = grid_of((100, 40, 3), (1.0, 1.0, 5.0))
    covered = mask_of(grid, brush(grid, [(10.0, 20.0, 5.0), (90.0, 20.0, 5.0)], 3.0, normal=AXIAL))
    assert covered[1, 20, 10:91].all()
    assert np.count_nonzero(covered[1].any(axis=1)) == 7


def test_a_lasso_takes_the_area_of_its_line_in_one_slice():
    grid = grid_of((80, 80, 5), (1.0, 1.0, 4.0), axes=np.diag([1.0, -1.0, 1.0]))
    centre = grid.index_to_mm((40, 40, 2))
    corners = centre + np.array([[-15.3, -10.2, 0], [14.6, -10.2, 0], [14.6, 9.7, 0], [-15.3, 9.7, 0]])
    covered = mask_of(grid, lasso(grid, corners, AXIAL))
    assert list(np.flatnonzero(covered.any(axis=(1, 2)))) == [2]
    assert np.count_nonzero(covered) == pytest.approx(29.9 * 19.9, rel=0.03)
    assert np.allclose(places(grid)[covered].mean(axis=0), centre + np.array([-0.35, -0.25, 0.0]), atol=0.3)


def test_a_line_that_crosses_itself_follows_the_even_odd_rule():
    corners = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [3, 1], [3, 3], [1, 3], [1, 1]])
    points = np.array([[0.5, 0.5], [2.0, 2.0], [3.5, 2.0], [5.0, 2.0]])
    assert inside_polygon(points, corners).tolist() == [True, False, True, False]


def test_painting_tells_whether_anything_changed_and_keeps_to_what_is_allowed():
    grid = grid_of((12, 12, 3), (1.0, 1.0, 1.0))
    patch = brush(grid, [(5.0, 5.0, 1.0)], 3.0)
    assert isinstance(patch, Patch)
    mask = np.zeros(grid.shape, bool)
    allowed = np.zeros(patch.box.shape, bool)
    allowed[:, :, :2] = True
    assert painted(mask, patch, allowed=allowed)
    assert np.array_equal(mask[patch.box.place], patch.voxels & allowed)
    assert not painted(mask, patch, allowed=allowed)
    assert painted(mask, patch, erase=True)
    assert not mask.any()
    assert not painted(mask, patch, erase=True)


def test_a_plane_midway_between_two_slices_draws_on_one_of_them():
    grid = grid_of((60, 60, 9), (0.8, 0.8, 5.0))
    middle = grid.index_to_mm((30, 30, 3.5))
    covered = mask_of(grid, brush(grid, [middle], 8.0, normal=AXIAL))
    assert np.count_nonzero(covered.any(axis=(1, 2))) == 1
    corners = middle + np.array([(-8.0, -8.0, 0.0), (8.0, -8.0, 0.0), (0.0, 8.0, 0.0)])
    around = mask_of(grid, lasso(grid, corners, AXIAL))
    assert np.array_equal(covered.any(axis=(1, 2)), around.any(axis=(1, 2)))
