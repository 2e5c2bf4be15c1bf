"""Planning grids lie around the target, on one lattice, within the scan; masks on them are kept."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case import planning
from cryoplan.case.planning import mask_box_mm, planning_grid, structure_mask, voxel_box_ijk
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from tests.support.cases import FLIPPED, OBLIQUE, ball, grid, points_of, scan, structure

WIDE = grid(size=(120, 110, 60), spacing=(2, 2, 4))


def test_the_grid_holds_the_target_and_forty_millimetres_around_it():
    target = structure("t", ball(WIDE, (10, -5, 0), 15), Role.TUMOUR)
    made = planning_grid(scan(WIDE), target)
    box_lower, box_upper = mask_box_mm(target.mask)
    lower, upper = made.bounds_mm()
    assert made.is_planning
    assert np.all(lower <= box_lower - 40)
    assert np.all(upper >= box_upper + 40)
    assert np.all(lower > box_lower - 42)
    assert np.all(upper < box_upper + 42)


def test_the_grid_ends_where_the_scan_ends():
    target = structure("t", ball(WIDE, (100, 0, 110), 8), Role.TUMOUR)
    lower, upper = planning_grid(scan(WIDE), target).bounds_mm()
    scan_lower, scan_upper = WIDE.bounds_mm()
    assert np.all(lower >= scan_lower - 1)
    assert np.all(upper <= scan_upper + 1)


def test_without_a_target_it_is_the_middle_of_the_scan_with_bounded_edges():
    made = planning_grid(scan(WIDE), None)
    assert made.centre_mm() == pytest.approx(WIDE.centre_mm(), abs=1.0)
    assert max(made.size) <= 151
    small = grid(size=(10, 10, 10), spacing=(3, 3, 3))
    assert planning_grid(scan(small), None, 2.0).size == pytest.approx((15, 15, 15), abs=1)


@pytest.mark.parametrize("spacing", [0.5, 1.0, 2.0])
def test_grids_of_one_spacing_share_their_lattice(spacing):
    origins = [
        planning_grid(scan(WIDE), structure("t", ball(WIDE, c, 9), Role.TUMOUR), spacing).origin_mm
        for c in ((0, 0, 0), (13.7, 3.3, -20.1))
    ]
    steps = np.subtract(*origins) / spacing
    assert steps == pytest.approx(np.rint(steps), abs=1e-9)


def test_a_target_outside_the_scan_is_refused_by_name():
    away = structure("left lobe", ball(grid(centre=(900, 0, 0)), (900, 0, 0), 9), Role.TUMOUR)
    with pytest.raises(StructureError, match="left lobe lies outside the image") as caught:
        planning_grid(scan(WIDE), away)
    assert caught.value.code == "structure-outside-image"


@pytest.mark.parametrize("direction", [np.eye(3), FLIPPED, OBLIQUE])
def test_the_box_of_a_mask_is_that_of_its_voxels_on_any_grid(direction):
    where = grid(size=(30, 28, 22), spacing=(1.5, 2, 3), centre=(5, 6, 7), direction=direction)
    mask = ball(where, (8, 3, 9), 12)
    half = 0.5 * np.abs(where.axes * np.asarray(where.spacing_mm)).sum(axis=1)
    points = points_of(where)[mask.values]
    lower, upper = mask_box_mm(mask)
    assert np.all(lower <= points.min(axis=0) - half + 1e-9) or direction is OBLIQUE
    assert np.all(lower <= points.min(axis=0))
    assert np.all(upper >= points.max(axis=0))
    if direction is not OBLIQUE:
        assert lower == pytest.approx(points.min(axis=0) - half)
        assert upper == pytest.approx(points.max(axis=0) + half)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=5))
def test_the_index_box_is_the_extent_of_the_set_voxels(voxels):
    where = grid(size=(7, 6, 5))
    values = np.zeros(where.shape, bool)
    for i, j, k in voxels:
        values[k, j, i] = True
    first, last = voxel_box_ijk(Volume(grid=where, values=values))
    assert first == tuple(np.min(voxels, axis=0))
    assert last == tuple(np.max(voxels, axis=0))


def test_an_empty_mask_has_no_box():
    with pytest.raises(ValueError, match="no box"):
        voxel_box_ijk(Volume(grid=grid(), values=np.zeros(grid().shape, bool)))


def test_a_mask_on_the_grid_it_was_drawn_on_is_itself():
    made = structure("s", ball(WIDE, (0, 0, 0), 20))
    assert structure_mask(made, WIDE) is made.mask


def test_a_mask_on_another_grid_is_made_once_and_has_its_volume():
    made = structure("s", ball(WIDE, (0, 0, 0), 20))
    fine = Grid.isotropic((-30, -30, -30), (30, 30, 30), 1.0)
    first = structure_mask(made, fine)
    assert structure_mask(made, fine) is first
    assert first.grid == fine
    assert first.values.sum() / 1000 == pytest.approx(made.volume_ml, rel=0.03)


def test_a_renamed_structure_shares_the_kept_mask():
    mask = ball(WIDE, (0, 0, 0), 20)
    fine = Grid.isotropic((-30, -30, -30), (30, 30, 30), 2.0)
    assert structure_mask(structure("a", mask), fine) is structure_mask(structure("b", mask), fine)


def test_only_the_last_three_grids_are_kept():
    made = structure("s", ball(WIDE, (0, 0, 0), 20))
    grids = [Grid.isotropic((-30, -30, -30), (30, 30, 30 + n), 2.0) for n in (0, 4, 8, 12)]
    masks = [structure_mask(made, g) for g in grids]
    assert [structure_mask(made, g) is m for g, m in zip(grids[1:], masks[1:], strict=True)] == [True] * 3
    assert structure_mask(made, grids[0]) is not masks[0]


def test_kept_masks_go_when_their_structure_goes():
    made = structure("s", ball(WIDE, (0, 0, 0), 20))
    kept = weakref.ref(structure_mask(made, Grid.isotropic((-9, -9, -9), (9, 9, 9), 1.0)))
    before = len(planning._CACHE)
    assert kept() is not None
    del made
    gc.collect()
    assert kept() is None
    assert len(planning._CACHE) < before
