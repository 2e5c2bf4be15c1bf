"""Thick slabs hold what lies within their millimetres of the slice, no more and no less, on any grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.core.errors import ImageError
from cryoplan.core.volume import Volume
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slab import ONE_SLICE, STEPS_MM, Slab, SlabKind, extract_slab
from cryoplan.scene.slices import SliceSampler
from tests.support.scenes import grid_around, points_mm, turned

FLIPPED = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
OBLIQUE = turned((12.0, -17.0, 25.0))
ON = [k for k in SlabKind if k is not SlabKind.OFF]


def random_sampler():
    grid = grid_around((3.0, 5.0, -7.0), (24.0, 30.0, 36.0), (1.0, 1.5, 3.0), FLIPPED)
    values = np.random.default_rng(4).integers(-1000, 2000, grid.shape).astype(np.int16)
    return SliceSampler(Volume(grid=grid, values=values))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(Orientation)), st.floats(-8.0, 8.0), st.floats(0.2, 60.0))
def test_on_a_straight_volume_a_slab_is_the_exact_integral_over_voxel_boxes(orientation, offset, thickness):
    sampler = random_sampler()
    middle = float(sampler.volume.grid.centre_mm()[orientation.axis])
    plane = sampler.nearest_plane(orientation, middle + offset)
    step = sampler.step_mm(orientation)
    layers, shares = [], []
    for place in sampler.positions_mm(orientation):
        ends = (plane.position_mm - thickness / 2, plane.position_mm + thickness / 2)
        share = min(place + step / 2, ends[1]) - max(place - step / 2, ends[0])
        if share > 1e-6 * step:
            layers.append(sampler.extract(SlicePlane(orientation, place)).values.astype(float))
            shares.append(share)
    expected = {
        SlabKind.MIP: np.max(layers, axis=0),
        SlabKind.MINIP: np.min(layers, axis=0),
        SlabKind.MEAN: np.average(layers, axis=0, weights=shares),
    }
    for kind in ON:
        image = extract_slab(sampler, plane, Slab(kind=kind, thickness_mm=thickness))
        assert np.allclose(image.values, expected[kind], atol=0.01)
        assert image.plane == plane
        assert image.extent_mm == sampler.extract(plane).extent_mm


@pytest.mark.parametrize("direction", [FLIPPED, OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize("orientation", Orientation)
def test_a_marker_is_in_the_mip_when_the_slab_reaches_it_and_only_then(direction, orientation):
    grid = grid_around((3.0, 5.0, -7.0), (90.0, 90.0, 90.0), (1.0, 1.2, 2.0), direction)
    marker = grid.centre_mm() + np.eye(3)[orientation.axis] * 12.0
    bright = np.linalg.norm(points_mm(grid) - marker, axis=-1) < 3.0
    sampler = SliceSampler(Volume(grid=grid, values=np.where(bright, 1000, 0).astype(np.int16)))
    plane = sampler.nearest_plane(orientation, float(grid.centre_mm()[orientation.axis]))
    gap = abs(marker[orientation.axis] - plane.position_mm)
    far = extract_slab(sampler, plane, Slab(kind=SlabKind.MIP, thickness_mm=2 * (gap - 3.0 - 4.0)))
    near = extract_slab(sampler, plane, Slab(kind=SlabKind.MIP, thickness_mm=2 * gap))
    assert far.values.max() == 0.0
    assert near.values.max() > 800.0
    bright_rows, bright_columns = np.nonzero(near.values > 500.0)
    shown = near.pixel_to_plane(float(bright_columns.mean()), float(bright_rows.mean()))
    assert np.linalg.norm(np.array(shown) - plane.mm_to_plane(marker)) < 1.0


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("thickness", [0.7, 4.0, 9.0])
def test_the_mean_of_a_ramp_through_an_oblique_volume_is_the_ramp_of_the_middle(orientation, thickness):
    grid = grid_around((0.0, 0.0, 0.0), (60.0, 60.0, 60.0), (1.0, 1.5, 2.0), OBLIQUE)
    gradient = np.array((3.0, -2.0, 5.0))
    ramp = (points_mm(grid) @ gradient).astype(np.float32)
    sampler = SliceSampler(Volume(grid=grid, values=ramp), outside=-9999.0)
    plane = sampler.nearest_plane(orientation, 0.0)
    image = extract_slab(sampler, plane, Slab(kind=SlabKind.MEAN, thickness_mm=thickness))
    most = extract_slab(sampler, plane, Slab(kind=SlabKind.MIP, thickness_mm=thickness))
    u, v = np.meshgrid(image.column_centres_mm(), image.row_centres_mm())
    points = plane.plane_to_mm(u, v)
    # Where the whole column lies well inside the volume.
    reach = np.eye(3)[orientation.axis] * thickness / 2
    ends = [grid.mm_to_index(points + reach), grid.mm_to_index(points - reach)]
    inside = np.all([(e > 0.5) & (e < np.array(grid.size) - 1.5) for e in ends], axis=(0, -1))
    assert inside.sum() > 200
    assert np.allclose(image.values[inside], (points @ gradient)[inside], atol=0.01)
    rise = (most.values - image.values)[inside]
    # The outermost sample lies half a step, at most half the finest spacing, within the slab.
    slope = abs(gradient[orientation.axis])
    assert rise.max() <= slope * thickness / 2 + 0.01
    assert rise.min() >= slope * (thickness / 2 - 0.5) - 0.01


def test_what_an_oblique_volume_does_not_reach_is_left_out_and_never_counted():
    grid = grid_around((0.0, 0.0, 0.0), (40.0, 40.0, 40.0), (1.0, 1.0, 1.0), turned((0.0, 45.0, 0.0)))
    sampler = SliceSampler(Volume(grid=grid, values=np.full(grid.shape, 7, np.int16)), outside=-1000.0)
    for kind in ON:
        image = extract_slab(sampler, SlicePlane(Orientation.AXIAL, 20.0), Slab(kind=kind, thickness_mm=30.0))
        assert set(np.unique(np.round(image.values, 4))) == {-1000.0, 7.0}


def test_a_slab_thinner_than_a_slice_is_that_slice():
    sampler = random_sampler()
    plane = sampler.nearest_plane(Orientation.AXIAL, 0.0)
    one = sampler.extract(plane).values
    for kind in ON:
        slab = Slab(kind=kind, thickness_mm=0.5)
        assert np.array_equal(extract_slab(sampler, plane, slab).values, one)
    assert np.shares_memory(extract_slab(sampler, plane, ONE_SLICE).values, sampler.volume.values)


def test_a_slab_says_what_it_is_and_is_silent_when_off():
    assert Slab(kind=SlabKind.MIP, thickness_mm=10.0).text == "MIP 10 mm"
    assert Slab(kind=SlabKind.MEAN, thickness_mm=2.5).text == "mean 2.5 mm"
    assert ONE_SLICE.text == ""


def test_the_keys_go_through_all_kinds_and_all_thicknesses_and_stop_at_the_ends():
    slab, kinds = ONE_SLICE, []
    for _ in SlabKind:
        kinds.append(slab.kind)
        slab = slab.next_kind()
    assert kinds == list(SlabKind)
    assert slab == ONE_SLICE
    thin = slab.stepped(-99)
    assert thin.thickness_mm == STEPS_MM[0]
    assert [thin.stepped(n).thickness_mm for n in range(12)] == [*STEPS_MM, STEPS_MM[-1], STEPS_MM[-1]]
    assert Slab(thickness_mm=7.0).stepped(1).thickness_mm == 8.0
    assert Slab(thickness_mm=7.0).stepped(-1).thickness_mm == 5.0


@pytest.mark.parametrize("thickness", [0.0, -1.0, 201.0, float("nan")])
def test_a_slab_without_a_sensible_thickness_is_refused(thickness):
    with pytest.raises(ValueError, match="mm thick"):
        Slab(thickness_mm=thickness)


def test_a_slab_beside_the_volume_is_refused_as_a_slice_is():
    sampler = random_sampler()
    with pytest.raises(ImageError, match="outside the image"):
        extract_slab(sampler, SlicePlane(Orientation.AXIAL, 500.0), Slab(kind=SlabKind.MIP))
