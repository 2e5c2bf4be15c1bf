"""VoxelBox: blocks of voxels are where their index says, on any grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.box import VoxelBox
from tests.support.grids import grids


@given(grids(), st.lists(st.floats(-30, 30), min_size=3, max_size=3), st.floats(0.5, 20))
def test_a_box_around_a_point_holds_every_voxel_within_reach(grid, offset, reach):
    point = grid.centre_mm() + offset
    box = VoxelBox.around(grid, point, reach)
    k, j, i = np.indices(grid.shape)
    centres = grid.index_to_mm(np.stack([i, j, k], axis=-1))
    near = np.linalg.norm(centres - point, axis=-1) <= reach
    if box is None:
        assert not near.any()
    else:
        near[box.place] = False
        assert not near.any()


@given(grids(), st.integers(0, 2**32 - 1))
def test_the_grid_of_a_box_names_the_same_places(grid, seed):
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(0, grid.size, (2, 3)), axis=0)
    box = VoxelBox(tuple(map(int, ends[0])), tuple(map(int, ends[1])))
    own = box.grid(grid)
    assert own.shape == box.shape
    assert np.allclose(own.index_to_mm((0, 0, 0)), grid.index_to_mm(ends[0]))
    assert np.allclose(own.index_to_mm(np.array(own.size) - 1), grid.index_to_mm(ends[1]))


def test_the_drawn_box_is_the_tightest():
    mask = np.zeros((4, 5, 6), bool)
    assert VoxelBox.drawn(mask) is None
    mask[1, 2, 3] = mask[2, 4, 5] = True
    assert VoxelBox.drawn(mask) == VoxelBox((3, 2, 1), (5, 4, 2))


def test_a_box_without_voxels_cannot_be():
    with pytest.raises(ValueError, match="no voxel"):
        VoxelBox((0, 0, 2), (1, 1, 1))
