"""Contest: a few strokes inside and outside separate a lesion from what touches it."""

import numpy as np
import pytest

from cryoplan.core.errors import StructureError
from cryoplan.core.progress import Cancelled, Silent
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.contest import LARGEST_VOXELS, contest
from cryoplan.image.outlining.strokes import brush
from tests.image.outlining.test_growing import GRIDS, dice, mask_of, scan
from tests.support.grids import grid_of, places


def strokes(grid):
    centre = grid.centre_mm()
    ring = [centre + 19.0 * np.array([np.cos(a), np.sin(a), 0.0]) for a in np.linspace(0.0, 2.0 * np.pi, 25)]
    up = [brush(grid, [centre + np.array([0.0, 0.0, z])], 3.0) for z in (-19.0, 19.0)]
    inside = [brush(grid, centre + np.array([[-5.0, 0.0, 0.0], [5.0, 0.0, 0.0]]), 2.0)]
    return inside, [brush(grid, ring, 1.5), *up]


@pytest.mark.parametrize("name", GRIDS)
def test_strokes_find_a_lesion_in_noise(name):
    image, lesion = scan(GRIDS[name], noise=15.0)
    found = mask_of(image.grid, contest(image, *strokes(image.grid)))
    assert dice(found, lesion) > 0.9


def test_where_values_do_not_differ_an_edge_decides():
    grid = GRIDS["fine"]
    image, lesion = scan(grid, noise=4.0)
    values = image.values.copy()
    away = np.linalg.norm(places(grid) - grid.centre_mm(), axis=-1)
    values[away > 14.5] = 60  # as dark as the lesion; a brighter shell lies between
    found = mask_of(grid, contest(Volume(grid=grid, values=values), *strokes(grid)))
    assert dice(found, lesion) > 0.85


def test_strokes_are_obeyed_voxel_by_voxel():
    image, _ = scan(GRIDS["fine"], noise=15.0)
    inside, outside = strokes(image.grid)
    found = mask_of(image.grid, contest(image, inside, outside))
    for patch in inside:
        assert found[patch.box.place][patch.voxels].all()
    for patch in outside:
        assert not found[patch.box.place][patch.voxels].any()


def test_a_large_region_is_raced_on_a_coarser_grid_to_the_same_outline():
    grid = grid_of((240, 240, 160), (0.45, 0.45, 0.6))
    image, lesion = scan(grid, noise=15.0)
    patch = contest(image, *strokes(grid))
    assert np.prod(patch.box.shape) > 2 * LARGEST_VOXELS
    assert dice(mask_of(grid, patch), lesion) > 0.9


def test_strokes_on_one_side_only_are_refused():
    image, _ = scan(GRIDS["fine"])
    inside, outside = strokes(image.grid)
    with pytest.raises(StructureError, match="no stroke outside"):
        contest(image, inside, [])
    with pytest.raises(StructureError, match="no stroke inside"):
        contest(image, [], outside)


def test_it_can_be_stopped():
    class Stopped(Silent):
        def cancelled(self):
            return True

    image, _ = scan(GRIDS["fine"])
    with pytest.raises(Cancelled):
        contest(image, *strokes(image.grid), progress=Stopped())
