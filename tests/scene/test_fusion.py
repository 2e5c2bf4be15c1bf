"""Fusion puts the second image where it lies in the patient, whatever the two grids are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cryoplan.core.volume import Volume
from cryoplan.scene.fusion import Overlay, Overlayer, alone, blend, lay_over
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slab import Slab, SlabKind, extract_slab
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.window import Window
from tests.support.scenes import grid_around, points_mm, turned

FIRST = {
    "straight": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    "flipped": (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "oblique": turned((12.0, -17.0, 25.0)),
}
SECOND = {"prone": (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0), "oblique": turned((-8.0, 31.0, 5.0))}
GRADIENT = np.array((3.0, -2.0, 5.0))
WINDOW = Window(name="own", width=100.0, level=50.0)


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("orientation", Orientation)
def test_each_pixel_shows_the_second_image_at_its_own_place_in_the_patient(orientation, first, second):
    a = grid_around((2.0, 3.0, 4.0), (60.0, 50.0, 70.0), (1.0, 1.5, 3.0), FIRST[first])
    b = grid_around((10.0, -5.0, 0.0), (50.0, 60.0, 40.0), (2.0, 1.0, 2.5), SECOND[second])
    ramp = Volume(grid=b, values=(points_mm(b) @ GRADIENT).astype(np.float32))
    sampler = SliceSampler(Volume(grid=a, values=np.zeros(a.shape, np.int16)))
    plane = SlicePlane.through(orientation, a.centre_mm())
    slab = Slab(kind=SlabKind.MEAN, thickness_mm=4.0)
    for picture in (sampler.extract(plane), extract_slab(sampler, plane, slab)):
        overlay = lay_over(ramp, picture)
        u, v = np.meshgrid(picture.column_centres_mm(), picture.row_centres_mm())
        points = picture.plane.plane_to_mm(u, v)
        index = b.mm_to_index(points)
        assert np.array_equal(overlay.inside, b.contains_mm(points))
        within = ((index >= 0) & (index <= np.array(b.size) - 1)).all(axis=-1)
        assert within.sum() > 100
        assert np.abs(overlay.values - points @ GRADIENT)[within].max() < 1e-3


def test_a_second_image_that_lies_elsewhere_shows_nothing():
    a = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    b = grid_around((500.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    picture = SliceSampler(Volume(grid=a, values=np.zeros(a.shape, np.int16))).extract(
        SlicePlane(Orientation.AXIAL, 0.5)
    )
    overlay = lay_over(Volume(grid=b, values=np.ones(b.shape, np.int16)), picture)
    assert not overlay.inside.any()
    grey = np.full(picture.values.shape, 90, np.uint8)
    assert (rgb(blend(grey, overlay, WINDOW, 1.0)) == 90).all()
    assert (alone(overlay, WINDOW) == 0).all()


def rgb(pixels):
    assert (pixels >> 24 == 255).all()
    return np.stack([pixels >> 16 & 255, pixels >> 8 & 255, pixels & 255], axis=-1)


def ramp_overlay() -> Overlay:
    values = np.linspace(0.0, 100.0, 256, dtype=np.float32)[None]
    inside = np.ones(values.shape, bool)
    inside[:, :10] = False
    return Overlay(values=values, inside=inside)


def test_opacity_goes_from_the_first_image_alone_to_the_second_alone():
    overlay, grey = ramp_overlay(), np.full((1, 256), 200, np.uint8)
    none, half, full = (rgb(blend(grey, overlay, WINDOW, share)) for share in (0.0, 0.5, 1.0))
    assert (none == 200).all()
    assert (full[:, :10] == 200).all()
    middle = (none.astype(float) + full.astype(float)) / 2.0
    assert np.abs(half - middle).max() <= 1.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        blend(grey, overlay, WINDOW, 1.2)


def test_the_colours_grow_brighter_with_the_value_so_that_they_need_no_colour_vision():
    shown = rgb(blend(np.zeros((1, 256), np.uint8), ramp_overlay(), WINDOW, 1.0))
    colours = shown[0, 10:].astype(float)
    brightness = colours @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(brightness) > -1.0).all()
    assert brightness[-1] - brightness[0] > 150.0
    # Blue to yellow: red and green, which the colour-blind mix up, never part far.
    assert np.abs(colours[:, 0] - colours[:, 1]).max() < 80.0


def test_the_second_image_has_a_window_of_its_own():
    overlay = ramp_overlay()
    narrow = alone(overlay, Window(name="narrow", width=10.0, level=50.0))
    wide = alone(overlay, WINDOW)
    assert (narrow == 255).sum() > (wide == 255).sum()
    assert (narrow[:, :10] == 0).all()


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("kind", [SlabKind.OFF, SlabKind.MIP, SlabKind.MINIP, SlabKind.MEAN])
def test_a_scrolling_overlay_is_that_of_scipy_at_the_same_places(orientation, second, kind):
    """What is kept from slice to slice changes no value; scipy's map_coordinates is the witness."""
    a = grid_around((2.0, 3.0, 4.0), (40.0, 50.0, 30.0), (1.3, 1.5, 3.0), FIRST["flipped"])
    b = grid_around((4.0, 5.0, 0.0), (60.0, 60.0, 60.0), (2.0, 1.0, 2.5), SECOND[second])
    waves = np.sin(points_mm(b) / (6.0, 7.0, 8.0)).sum(axis=-1) * 100.0
    smooth = Volume(grid=b, values=waves.astype(np.float32))
    sampler = SliceSampler(Volume(grid=a, values=np.zeros(a.shape, np.int16)))
    layer = Overlayer(smooth, sampler)
    slab = Slab(kind=kind, thickness_mm=7.0)
    join = {SlabKind.MIP: np.max, SlabKind.MINIP: np.min, SlabKind.MEAN: np.mean}.get(kind, np.mean)
    checked = 0
    for position in sampler.positions_mm(orientation)[:8]:
        picture = sampler.extract(SlicePlane(orientation, float(position)))
        overlay = layer.over(picture, slab)
        u, v = np.meshgrid(picture.column_centres_mm(), picture.row_centres_mm())
        # Far finer than the planes that are kept, so that straight lines between these are put to the test.
        offsets = np.linspace(-3.5, 3.5, 141) if slab.is_on else np.zeros(1)
        normal = np.eye(3)[orientation.axis]
        points = picture.plane.plane_to_mm(u, v)[None] + offsets[:, None, None, None] * normal
        index = b.mm_to_index(points)
        within = ((index >= 0) & (index <= np.array(b.size) - 1)).all(axis=(0, -1))
        values = ndimage.map_coordinates(smooth.values, np.moveaxis(index, -1, 0)[::-1], order=1)
        expected = join(values, axis=0)
        assert overlay.inside[within].all()
        gap = np.abs(overlay.values - expected)[within]
        assert gap.max() < (0.01 if kind is SlabKind.OFF else 5.0)  # of 600 from dark to bright
        checked += int(within.sum())
    assert checked > 500
