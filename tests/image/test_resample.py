"""Volumes and masks keep their place and size on any other grid; SimpleITK is the second opinion."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.itk import from_sitk, to_sitk
from cryoplan.image.resample import mask_to_grid, onto_lattice, volume_to_grid


def direction_of(angles, flips=(False, False, False)) -> tuple[float, ...]:
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * np.where(flips, -1.0, 1.0)
    return tuple(turn.ravel())


GRIDS = {
    "axial 5 mm slices": Grid(size=(60, 50, 20), spacing_mm=(0.8, 0.8, 5.0), origin_mm=(-20, 30, -400)),
    "oblique": Grid(
        size=(60, 50, 24), spacing_mm=(0.9, 1.1, 3.0), origin_mm=(5, 6, 7),
        direction=direction_of((12, -33, 47)),
    ),
    "flipped": Grid(
        size=(50, 60, 30), spacing_mm=(1.0, 0.7, 2.0), origin_mm=(80, 90, 10),
        direction=direction_of((0, 0, 0), (True, True, False)),
    ),
    "left-handed sagittal": Grid(
        size=(50, 55, 24), spacing_mm=(1.0, 1.0, 2.5), origin_mm=(30, -50, 60),
        direction=(0, 0, 1.0, 1.0, 0, 0, 0, -1.0, 0),
    ),
}  # fmt: skip


def ball(grid: Grid, radius_mm: float, shift_mm=(0.7, -0.4, 1.1)) -> tuple[Volume, np.ndarray]:
    centre = grid.centre_mm() + np.array(shift_mm)
    k, j, i = np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij")
    points = grid.index_to_mm(np.stack([i, j, k], axis=-1))
    return Volume(grid=grid, values=np.linalg.norm(points - centre, axis=-1) < radius_mm), centre


def around(grid: Grid, spacing_mm: float = 1.0) -> Grid:
    lower, upper = grid.bounds_mm()
    return Grid.isotropic(lower, upper, spacing_mm)


def centroid_mm(mask: Volume) -> np.ndarray:
    return mask.grid.index_to_mm(np.argwhere(mask.values)[:, ::-1].mean(axis=0))


@pytest.mark.parametrize("name", sorted(GRIDS))
@pytest.mark.parametrize("radius", [4.0, 8.0, 15.0])
def test_a_ball_keeps_place_and_volume(name: str, radius: float):
    drawn, _ = ball(GRIDS[name], radius)
    here = mask_to_grid(drawn, around(GRIDS[name]))
    drawn_ml = drawn.values.sum() * drawn.grid.voxel_volume_ml
    assert here.values.sum() * here.grid.voxel_volume_ml == pytest.approx(drawn_ml, rel=0.03)
    assert np.abs(centroid_mm(here) - centroid_mm(drawn)).max() < max(0.35, 0.1 * max(drawn.grid.spacing_mm))


@pytest.mark.parametrize("name", sorted(GRIDS))
def test_the_new_outline_is_nearer_to_the_ball_than_stairs_are(name: str):
    drawn, centre = ball(GRIDS[name], 14.0)
    target = around(GRIDS[name])
    truth = np.linalg.norm(
        np.stack(np.meshgrid(*[target.coordinates_mm(a) for a in (2, 1, 0)], indexing="ij"), -1)
        - centre[::-1],
        axis=-1,
    ) < 14.0  # fmt: skip
    stairs = sitk.Resample(
        to_sitk(drawn), to_sitk(Volume(grid=target, values=np.zeros(target.shape, np.uint8))),
        sitk.Transform(), sitk.sitkNearestNeighbor,
    )  # fmt: skip
    mine = (mask_to_grid(drawn, target).values != truth).sum()
    assert mine < (sitk.GetArrayFromImage(stairs).astype(bool) != truth).sum()


def test_a_mask_of_one_voxel_never_vanishes():
    grid = Grid(size=(9, 9, 5), spacing_mm=(0.5, 0.5, 1.0), origin_mm=(0.13, 0.21, 0.4))
    target = Grid(size=(8, 8, 8), spacing_mm=(3.0, 3.0, 3.0), origin_mm=(-9.0, -9.0, -9.0))
    for k, j, i in ((2, 4, 4), (0, 0, 0), (4, 8, 8)):
        values = np.zeros(grid.shape, bool)
        values[k, j, i] = True
        here = mask_to_grid(Volume(grid=grid, values=values), target)
        assert here.values.sum() >= 1
        gap = centroid_mm(here) - grid.index_to_mm((i, j, k))
        assert np.abs(gap).max() <= 1.5 + 1e-9


def test_the_same_grid_gives_the_same_mask_and_an_empty_mask_stays_empty():
    drawn, _ = ball(GRIDS["oblique"], 9.0)
    assert np.array_equal(mask_to_grid(drawn, drawn.grid).values, drawn.values)
    empty = Volume(grid=drawn.grid, values=np.zeros(drawn.grid.shape, bool))
    assert not mask_to_grid(empty, around(drawn.grid)).values.any()
    far = Grid.isotropic((900, 900, 900), (910, 910, 910), 1.0)
    assert not mask_to_grid(drawn, far).values.any()


def test_a_mask_that_fills_its_grid_fills_the_box_to_its_faces():
    grid = Grid(size=(12, 10, 6), spacing_mm=(1.0, 1.0, 4.0), origin_mm=(0.5, 0.5, 2.0))
    drawn = Volume(grid=grid, values=np.ones(grid.shape, bool))
    target = Grid(size=(20, 20, 32), spacing_mm=(1, 1, 1), origin_mm=(-3.5, -3.5, -3.5))
    here = mask_to_grid(drawn, target)
    k, j, i = np.nonzero(here.values)
    lower, upper = grid.bounds_mm()
    points = target.index_to_mm(np.stack([i, j, k], axis=-1))
    assert np.all(points >= lower - 0.51)
    assert np.all(points <= upper + 0.51)
    assert here.values.sum() == pytest.approx(12 * 10 * 24, rel=0.03)


def test_a_part_of_a_large_mask_is_the_same_as_the_part_of_the_whole():
    drawn, centre = ball(GRIDS["axial 5 mm slices"], 18.0)
    target = around(drawn.grid)
    full = mask_to_grid(drawn, target)
    first = np.rint(target.mm_to_index(centre)).astype(int)
    part_grid = Grid(
        size=(12, 12, 12), spacing_mm=target.spacing_mm, origin_mm=tuple(target.index_to_mm(first))
    )
    part = mask_to_grid(drawn, part_grid)
    i, j, k = first
    same = full.values[k : k + 12, j : j + 12, i : i + 12]
    assert (part.values != same).mean() < 0.02


@pytest.mark.parametrize("name", sorted(GRIDS))
def test_linear_values_agree_with_simpleitk(name: str):
    grid = GRIDS[name]
    values = np.random.default_rng(5).normal(size=grid.shape).astype(np.float32)
    volume = Volume(grid=grid, values=values)
    target = around(grid, 1.7)
    mine = volume_to_grid(volume, target, outside=-1000.0)
    theirs = sitk.Resample(
        to_sitk(volume), to_sitk(Volume(grid=target, values=np.zeros(target.shape, np.float32))),
        sitk.Transform(), sitk.sitkLinear, -1000.0,
    )  # fmt: skip
    reference = sitk.GetArrayFromImage(theirs)
    inside = (mine.values > -1000) & (reference > -1000)
    assert np.abs(mine.values - reference)[inside].max() < 1e-3
    # Centres that lie on the outermost face within rounding may fall on either side.
    assert ((mine.values > -1000) != (reference > -1000)).mean() < 1e-4
    assert (mine.values == -1000).any()


@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations([0, 1, 2]),
    flips=st.tuples(*[st.booleans()] * 3),
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
)
def test_turned_voxels_return_to_their_places_exactly(order, flips, angles):
    grid = Grid(
        size=(5, 4, 3), spacing_mm=(0.8, 1.2, 2.5), origin_mm=(9, -8, 7), direction=direction_of(angles)
    )
    volume = Volume(grid=grid, values=np.arange(60, dtype=np.int16).reshape(grid.shape))
    turned = from_sitk(sitk.Flip(sitk.PermuteAxes(to_sitk(volume), list(order)), list(flips)))
    back = onto_lattice(turned, grid)
    assert back is not None
    assert np.array_equal(back.values, volume.values)


def test_voxels_between_the_lattice_are_not_placed():
    grid = Grid(size=(5, 4, 3), spacing_mm=(1, 1, 2), origin_mm=(0, 0, 0))
    ones = np.ones((2, 2, 2), bool)
    for origin, spacing, placed in (
        ((1, 1, 2), (1, 1, 2), True),
        ((1.3, 1, 2), (1, 1, 2), False),
        ((1, 1, 4), (1, 1, 2), False),
        ((1, 1, 2), (1, 1, 1), False),
    ):
        part = Grid(size=(2, 2, 2), spacing_mm=spacing, origin_mm=origin)
        assert (onto_lattice(Volume(grid=part, values=ones), grid) is not None) is placed
