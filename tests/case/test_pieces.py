"""Pieces: islands by faces, holes by what would fill them, unless another structure does."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.pieces import find_pieces
from cryoplan.core.volume import Volume
from tests.support.cases import FLIPPED, OBLIQUE, ball, grid, points_of

GRIDS = {
    "plain": grid(size=(60, 60, 60), spacing=(1, 1, 1)),
    "oblique": grid(size=(60, 60, 30), spacing=(1.0, 1.2, 2.0), centre=(5, 6, 7), direction=OBLIQUE),
    "thick": grid(size=(60, 60, 12), spacing=(0.9, 0.9, 5.0), direction=FLIPPED),
}
GRID_KINDS = pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS.keys())


@GRID_KINDS
def test_a_ball_is_one_piece_without_holes(where):
    found = find_pieces(ball(where, where.centre_mm(), 12.0))
    assert (found.islands, found.holes) == (1, 0)
    assert found.smaller_ml == found.holes_ml == 0.0


@GRID_KINDS
def test_two_islands_are_two_and_the_smaller_is_measured(where):
    along = where.axes[:, 0]
    large = ball(where, where.centre_mm() - 14.0 * along, 8.0)
    small = ball(where, where.centre_mm() + 14.0 * along, 5.0)
    found = find_pieces(Volume(grid=where, values=large.values | small.values))
    assert found.islands == 2
    assert found.smaller_ml == pytest.approx(small.values.sum() * where.voxel_volume_ml)


@GRID_KINDS
def test_a_cavity_is_a_hole_until_another_structure_fills_it(where):
    outer, inner = (ball(where, where.centre_mm(), r) for r in (14.0, 6.0))
    shell = Volume(grid=where, values=outer.values & ~inner.values)
    found = find_pieces(shell)
    assert found.holes == 1
    assert found.holes_ml == pytest.approx(inner.values.sum() * where.voxel_volume_ml)
    assert find_pieces(shell, [inner]).holes == 0
    core = ball(where, where.centre_mm(), 3.0)
    assert find_pieces(shell, [core]).holes == 1


def test_a_ring_has_one_hole_within_its_slices():
    where = GRIDS["plain"]
    x, y, z = np.moveaxis(points_of(where) - where.centre_mm(), -1, 0)
    ring = np.hypot(np.hypot(x, y) - 15.0, z) <= 4.0
    assert find_pieces(Volume(grid=where, values=ring)).holes == 1


def test_voxels_that_touch_by_a_corner_are_two_pieces():
    where = grid(size=(6, 6, 6), spacing=(1, 1, 1))
    values = np.zeros(where.shape, bool)
    values[2, 2, 2] = values[3, 3, 3] = True
    found = find_pieces(Volume(grid=where, values=values))
    assert found.islands == 2
    assert found.smaller_ml == pytest.approx(0.001)


def test_an_empty_mask_is_refused():
    where = grid(size=(6, 6, 6))
    with pytest.raises(ValueError, match="empty"):
        find_pieces(Volume(grid=where, values=np.zeros(where.shape, bool)))
