"""PackedMask: the mask that went in comes out, voxel for voxel, and takes far less memory meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.grid import Grid
from cryoplan.core.packed_mask import PackedMask
from cryoplan.core.volume import Volume

SIZE = (40, 30, 20)
GRID = Grid(
    size=SIZE, spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0), direction=tuple(np.eye(3).ravel())
)


def drawn(*voxels: tuple[slice, slice, slice]) -> Volume:
    values = np.zeros(GRID.shape, bool)
    for place in voxels:
        values[place] = True
    return Volume(grid=GRID, values=values)


MASKS = {
    "one voxel in a corner": drawn(np.s_[19:, 29:, 39:]),
    "a count of voxels that fills no whole byte": drawn(np.s_[3:6, 4:9, 5:12], np.s_[7:8, 1:2, 2:3]),
    "all of the grid": drawn(np.s_[:, :, :]),
    "nothing": drawn(),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_the_same_voxels_come_out_with_the_same_digest(mask: Volume):
    packed = PackedMask(mask)
    assert np.array_equal(packed.values, mask.values)
    assert packed.values.dtype == bool
    assert packed.grid == mask.grid
    assert packed.digest() == mask.digest() == packed.unpacked().digest()
    assert type(packed.unpacked()) is Volume


def test_a_solid_mask_takes_a_hundredth_of_its_voxels_and_an_empty_one_nothing():
    solid = MASKS["all of the grid"]
    assert 0 < PackedMask(solid).packed_bytes <= solid.values.nbytes / 100
    assert PackedMask(MASKS["nothing"]).packed_bytes == 0


def test_nobody_writes_into_an_unpacked_copy_by_mistake():
    packed = PackedMask(MASKS["all of the grid"])
    with pytest.raises(ValueError, match="read-only"):
        packed.values[0, 0, 0] = False
