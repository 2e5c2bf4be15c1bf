"""Slices: the right voxel at the right place of the screen, for every direction of a grid."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.core.errors import ImageError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.window import (
    WINDOW_PRESETS,
    auto_window,
    default_window,
    presets_of,
    show_window,
    window_to_gray,
)
from tests.support.scenes import grid_around, points_mm, turned

DIRECTIONS = [
    tuple((np.eye(3)[:, list(order)] * signs).ravel())
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
]
TOWARDS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "H": (2, 1), "F": (2, -1)}


def numbered(grid: Grid) -> Volume:
    rng = np.random.default_rng(3)
    return Volume(grid=grid, values=rng.permutation(np.prod(grid.shape)).reshape(grid.shape).astype(np.int32))


def to_itk(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.values)
    image.SetSpacing(volume.grid.spacing_mm)
    image.SetOrigin(volume.grid.origin_mm)
    image.SetDirection(volume.grid.direction)
    return image


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("orientation", Orientation)
def test_a_voxel_is_shown_where_it_is_for_all_48_flips_and_swaps(direction, orientation):
    grid = grid_around((11.0, -7.0, 300.0), (10.0, 18.0, 28.0), (1.5, 2.0, 4.0), direction)
    volume = numbered(grid)
    sampler = SliceSampler(volume)
    for ijk in ((1, 2, 3), (0, 0, 0), (5, 7, 6)):
        point = grid.index_to_mm(ijk)
        plane = SlicePlane.through(orientation, point)
        image = sampler.extract(plane)
        column, row = image.plane_to_pixel(*plane.mm_to_plane(point))
        assert image.values[round(row), round(column)] == volume.values[ijk[2], ijk[1], ijk[0]]
        assert abs(row - round(row)) < 1e-6
        assert abs(column - round(column)) < 1e-6
        assert sampler.value_at(point) == volume.values[ijk[2], ijk[1], ijk[0]]


def test_axis_aligned_volumes_are_not_copied():
    volume = numbered(grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0), DIRECTIONS[-1]))
    sampler = SliceSampler(volume)
    assert sampler.is_direct
    for orientation in Orientation:
        values = sampler.extract(SlicePlane(orientation, 0.2)).values
        assert np.shares_memory(values, volume.values)
        assert not values.flags.writeable


@pytest.mark.parametrize("orientation", Orientation)
def test_letters_stand_where_the_patient_coordinates_grow(orientation):
    plane = SlicePlane(orientation, 5.0)
    left, right, top, bottom = plane.orientation_letters()
    moves = {left: (-1, 0), right: (1, 0), top: (0, -1), bottom: (0, 1)}
    for letter, (du, dv) in moves.items():
        axis, sign = TOWARDS[letter]
        step = plane.plane_to_mm(du, dv) - plane.plane_to_mm(0.0, 0.0)
        assert step[axis] == sign
        assert np.count_nonzero(step) == 1


def test_axial_shows_patient_right_on_the_left_and_front_on_top():
    assert SlicePlane(Orientation.AXIAL, 0.0).orientation_letters() == ("R", "L", "A", "P")
    assert SlicePlane(Orientation.CORONAL, 0.0).orientation_letters() == ("R", "L", "H", "F")
    assert SlicePlane(Orientation.SAGITTAL, 0.0).orientation_letters() == ("A", "P", "H", "F")


@given(
    st.sampled_from(list(Orientation)),
    st.floats(-500, 500),
    st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_plane_coordinates_come_back(orientation, position, uv):
    plane = SlicePlane(orientation, position)
    point = plane.plane_to_mm(*uv)
    assert np.allclose(plane.mm_to_plane(point), uv)
    assert plane.distance_mm(point) == 0.0
    assert plane.distance_mm(point + 3.0) == pytest.approx(3.0)


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(*[st.sampled_from([-55.0, -20.0, -5.0, 7.0, 30.0, 60.0])] * 3),
    st.sampled_from(list(Orientation)),
)
def test_oblique_slices_equal_those_of_simpleitk(angles, orientation):
    grid = grid_around((30.0, -20.0, 100.0), (24.0, 30.0, 40.0), (1.0, 1.5, 3.0), turned(angles))
    ramp = (points_mm(grid) @ (3.0, -2.0, 1.0) + 5.0 * np.sin(points_mm(grid)[..., 0] / 4)).astype(np.float32)
    volume = Volume(grid=grid, values=ramp)
    sampler = SliceSampler(volume, outside=-9999.0)
    plane = sampler.nearest_plane(orientation, float(grid.centre_mm()[orientation.axis]))
    image = sampler.extract(plane)
    linear = sitk.sitkLinear
    itk = to_itk(volume)
    checked = 0
    for row in range(0, image.values.shape[0], 3):
        for column in range(0, image.values.shape[1], 3):
            point = plane.plane_to_mm(*image.pixel_to_plane(column, row))
            index = grid.mm_to_index(point)
            if ((index < 0.01) | (index > np.asarray(grid.size) - 1.01)).any():
                continue
            expected = itk.EvaluateAtPhysicalPoint(point.tolist(), linear)
            assert image.values[row, column] == pytest.approx(expected, abs=2e-3)
            checked += 1
    assert checked > 4


def test_places_that_an_oblique_volume_does_not_reach_have_the_outside_value():
    grid = grid_around((0.0, 0.0, 0.0), (40.0, 40.0, 40.0), (1.0, 1.0, 1.0), turned((0.0, 0.0, 45.0)))
    sampler = SliceSampler(Volume(grid=grid, values=np.full(grid.shape, 7, np.int16)), outside=-1000.0)
    image = sampler.extract(SlicePlane(Orientation.AXIAL, 0.5))
    assert image.values[0, 0] == -1000.0
    assert image.values[image.values.shape[0] // 2, image.values.shape[1] // 2] == 7.0


def test_an_almost_straight_grid_is_cut_directly_and_a_tilted_one_is_not():
    hair = turned((0.0, 0.0, 0.005))
    tilt = turned((0.0, 0.0, 1.0))
    edges = ((0.0, 0.0, 0.0), (200.0, 200.0, 50.0), (1.0, 1.0, 5.0))
    assert SliceSampler(numbered(grid_around(*edges, hair))).is_direct
    assert not SliceSampler(numbered(grid_around(*edges, tilt))).is_direct


def test_scrolling_goes_through_every_slice_once():
    grid = grid_around((0.0, 0.0, -300.0), (20.0, 22.0, 50.0), (1.0, 2.0, 5.0), DIRECTIONS[7])
    sampler = SliceSampler(numbered(grid))
    for orientation in Orientation:
        positions = sampler.positions_mm(orientation)
        assert len(positions) == sampler.count(orientation)
        assert np.allclose(np.diff(positions), sampler.step_mm(orientation))
        for index, position in enumerate(positions):
            assert sampler.nearest_index(orientation, position) == index
            assert sampler.nearest_plane(orientation, position + 0.3).position_mm == pytest.approx(position)
    assert sampler.nearest_index(Orientation.AXIAL, 1e6) == sampler.count(Orientation.AXIAL) - 1


def test_interpolation_between_slices_is_linear_and_plain_slices_are_as_acquired():
    grid = grid_around((0.0, 0.0, 0.0), (8.0, 8.0, 20.0), (1.0, 1.0, 5.0))
    values = (points_mm(grid)[..., 2] * 10.0).astype(np.int16)
    sampler = SliceSampler(Volume(grid=grid, values=values))
    plane = SlicePlane(Orientation.AXIAL, -1.25)
    assert np.allclose(sampler.extract(plane, interpolate=True).values, -12.5)
    near = sampler.extract(plane)
    assert np.all(near.values == -25)
    assert near.plane.position_mm == -2.5
    assert sampler.value_at((0.1, 0.2, -1.25), interpolate=True) == pytest.approx(-12.5)


def test_a_plane_outside_the_image_is_refused():
    sampler = SliceSampler(numbered(grid_around((0.0, 0.0, 0.0), (8.0, 8.0, 8.0), (1.0, 1.0, 1.0))))
    assert sampler.covers(SlicePlane(Orientation.AXIAL, 4.0))
    assert not sampler.covers(SlicePlane(Orientation.AXIAL, 4.1))
    with pytest.raises(ImageError) as caught:
        sampler.extract(SlicePlane(Orientation.AXIAL, 40.0))
    assert caught.value.code == "plane-outside"
    assert sampler.value_at((0.0, 0.0, 40.0)) is None


def test_one_slice_images_can_be_cut():
    grid = Grid(size=(4, 5, 1), spacing_mm=(1.0, 1.0, 5.0), origin_mm=(0.0, 0.0, 0.0))
    sampler = SliceSampler(numbered(grid))
    assert sampler.extract(SlicePlane(Orientation.CORONAL, 2.0)).values.shape == (1, 4)
    assert sampler.value_at((1.0, 2.0, 1.0), interpolate=True) is not None


def test_grey_window_follows_the_dicom_formula():
    values = np.array([[-1000, -160, 40, 239, 240, 3000]], np.int16)
    gray = window_to_gray(values, 400.0, 40.0)
    assert gray.dtype == np.uint8
    assert gray.tolist() == [[0, 0, 128, 254, 255, 255]]
    assert window_to_gray(np.array([[np.nan]], np.float32), 400.0, 40.0).tolist() == [[0]]
    with pytest.raises(ValueError, match="positive width"):
        window_to_gray(values, 0.0, 40.0)


def test_presets_are_the_usual_ones():
    by_name = {w.name: (w.width, w.level) for w in WINDOW_PRESETS}
    assert by_name["soft tissue"] == (400.0, 40.0)
    assert by_name["liver"] == (150.0, 90.0)
    assert by_name["lung"] == (1500.0, -600.0)
    assert by_name["bone"] == (1800.0, 400.0)


def test_the_automatic_window_ignores_padding_and_bright_specks():
    grid = grid_around((0.0, 0.0, 0.0), (40.0, 40.0, 40.0), (1.0, 1.0, 1.0))
    values = np.random.default_rng(1).uniform(100.0, 500.0, grid.shape).astype(np.float32)
    values[:, :20] = -2000.0
    values[0, 25, 0] = 1e6
    window = auto_window(Volume(grid=grid, values=values))
    assert window.level - window.width / 2 == pytest.approx(104.0, abs=5.0)
    assert window.level + window.width / 2 == pytest.approx(498.0, abs=5.0)


def test_a_scan_without_a_unit_gets_windows_of_its_own_signal_and_opens_with_the_first():
    grid = grid_around((0.0, 0.0, 0.0), (40.0, 40.0, 40.0), (1.0, 1.0, 1.0))
    values = np.random.default_rng(1).uniform(0.0, 3.0, grid.shape).astype(np.float32)
    volume = Volume(grid=grid, values=values)
    mr = Scan(volume=volume, facts=ScanFacts(path="m", kind="nifti", code="X", modality="MR"))
    ct = Scan(volume=volume, facts=ScanFacts(path="c", kind="nifti", code="X", modality="CT"))
    first, *others = presets_of(mr)
    assert first == default_window(mr) == auto_window(volume)
    assert len({w.name for w in (first, *others)}) == 5
    for window in others:
        assert -0.01 <= window.level - window.width / 2 < window.level + window.width / 2 <= 3.01
    assert presets_of(ct) == WINDOW_PRESETS
    assert default_window(ct) == WINDOW_PRESETS[0]


def test_width_and_level_are_shown_with_the_digits_that_count():
    assert show_window(400.0, -600.0) == "W 400  L \N{MINUS SIGN}600"
    assert show_window(2.5, 1.25) == "W 2.50  L 1.25"
    assert show_window(0.004, 0.0021) == "W 0.00400  L 0.00210"


def test_the_automatic_window_of_an_even_image_is_not_empty():
    grid = grid_around((0.0, 0.0, 0.0), (4.0, 4.0, 4.0), (1.0, 1.0, 1.0))
    assert auto_window(Volume(grid=grid, values=np.zeros(grid.shape, np.int16))).width > 0


def test_the_prone_sagittal_head_is_shown_in_patient_axes(data_root):
    reader = sitk.ImageSeriesReader()
    folder = data_root / "prone_mr_sagittal"
    series = next(iter(folder.rglob("*.dcm")), None) or next(p for p in folder.rglob("*") if p.is_file())
    image = sitk.ReadImage(reader.GetGDCMSeriesFileNames(str(series.parent)))
    volume = Volume(
        grid=Grid(
            size=image.GetSize(),
            spacing_mm=image.GetSpacing(),
            origin_mm=image.GetOrigin(),
            direction=image.GetDirection(),
        ),
        values=sitk.GetArrayFromImage(image),
    )
    sampler = SliceSampler(volume)
    for orientation in Orientation:
        plane = sampler.nearest_plane(orientation, float(volume.grid.centre_mm()[orientation.axis]))
        shown = sampler.extract(plane)
        rows, columns = shown.values.shape
        for row, column in ((rows // 2, columns // 3), (rows // 3, columns // 2), (rows // 2, columns // 2)):
            point = plane.plane_to_mm(*shown.pixel_to_plane(column, row))
            expected = image.EvaluateAtPhysicalPoint(point.tolist(), sitk.sitkLinear)
            tolerance = 1e-3 if not sampler.is_direct else 0.12 * float(np.ptp(volume.values))
            assert float(shown.values[row, column]) == pytest.approx(expected, abs=max(tolerance, 0.5))
