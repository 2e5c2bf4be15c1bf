"""Planes of any direction show every place where it is, never in a mirror, and turned as slices are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import ImageError
from cryoplan.core.geometry import angle_deg, unit
from cryoplan.core.volume import Volume
from cryoplan.scene.contours import IsothermCutter, OutlineCutter
from cryoplan.scene.fusion import lay_over
from cryoplan.scene.oblique import Facing, ObliquePlane, cut_corners_uv, facing_of
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slab import Slab, SlabKind, extract_slab
from cryoplan.scene.slices import SliceSampler
from tests.support.scenes import TUMOUR_MM, grid_around, make_case, points_mm, turned

STORED = {
    "straight": turned((0, 0, 0)),
    "oblique": turned((20, -15, 35)),
    "turned over": turned((0, 180, 0)),
    "another order": (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
}
components = st.floats(-1.0, 1.0)
directions = st.tuples(components, components, components).filter(lambda d: np.linalg.norm(d) > 0.1)


@given(normal=directions)
def test_right_and_down_point_into_the_screen_along_the_normal_and_never_in_a_mirror(normal):
    facing, follows = facing_of(normal)
    across = np.cross(facing.right, facing.down)
    assert np.allclose(np.abs(across @ unit(normal)), 1.0)
    # On the same side as the slice view that it is turned like: from the feet, the front or the left.
    assert across @ np.cross(follows.right, follows.down) > 0.5
    assert facing.right @ follows.right > 0.0
    assert facing.down @ follows.down > 0.0


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_plane_that_is_a_slice_of_the_patient_looks_as_the_slice_does(orientation, sign):
    facing, follows = facing_of(sign * np.eye(3)[orientation.axis])
    assert follows is orientation
    assert np.allclose([facing.right, facing.down], [orientation.right, orientation.down])
    assert facing.letters == orientation.letters
    # Voxel centres on whole millimetres, where an oblique picture has its pixels.
    volume = Volume(grid=grid_around((4.5, 2.5, -40.5), (60, 50, 40), (1, 1, 1)), values=_noise())
    place = (4.0, 3.0, -40.0)
    sampler = SliceSampler(volume)
    slice_ = sampler.extract(SlicePlane.through(orientation, place))
    cut = sampler.extract(ObliquePlane.through(facing, place))
    assert (cut.left_mm, cut.top_mm) == pytest.approx((slice_.left_mm, slice_.top_mm))
    assert np.allclose(cut.values, slice_.values, atol=1e-3)


def _noise() -> np.ndarray:
    return np.random.default_rng(3).integers(-1000, 1000, (40, 50, 60)).astype(np.int16)


@given(
    normal=directions,
    place=st.tuples(*[st.floats(-200.0, 200.0)] * 3),
    uv=st.tuples(*[st.floats(-300, 300)] * 2),
)
def test_plane_coordinates_and_places_are_each_others_inverse(normal, place, uv):
    plane = ObliquePlane.through(facing_of(normal)[0], place)
    assert abs(plane.distance_mm(place)) < 1e-9
    point = plane.plane_to_mm(*uv)
    assert np.allclose(plane.mm_to_plane(point), uv, atol=1e-9)
    assert abs(plane.distance_mm(point)) < 1e-9
    assert plane.shifted(7.0).distance_mm(point) == pytest.approx(-7.0)


def test_a_plane_keeps_facing_as_it_does_until_it_is_tilted_by_more_than_sixty_degrees():
    def normal(deg: float):
        return (0.0, -np.sin(np.radians(deg)), np.cos(np.radians(deg)))

    assert facing_of(normal(44))[1] is Orientation.AXIAL
    assert facing_of(normal(46))[1] is Orientation.CORONAL
    assert facing_of(normal(59), stay=Orientation.AXIAL)[1] is Orientation.AXIAL
    assert facing_of(normal(61), stay=Orientation.AXIAL)[1] is Orientation.CORONAL
    # While it stays, a small turn is a small turn of the picture.
    turns = [facing_of(normal(d), stay=Orientation.AXIAL)[0] for d in range(60)]
    steps = [angle_deg(a.down, b.down) for a, b in pairwise(turns)]
    assert max(steps) < 1.01


@pytest.mark.parametrize("direction", STORED.values(), ids=STORED.keys())
@settings(max_examples=15, deadline=None)
@given(normal=directions, off=st.floats(-10.0, 10.0))
def test_a_sphere_is_a_circle_of_its_size_where_it_should_be_however_it_is_stored(direction, normal, off):
    centre, radius = np.array([12.0, -30.0, 210.0]), 14.0
    grid = grid_around((13.3, -32.1, 210.7), (50.0, 50.0, 50.0), (1.0, 1.2, 1.5), direction)
    mask = np.linalg.norm(points_mm(grid) - centre, axis=-1) <= radius
    structure = Structure(
        name="ball", role=Role.ORGAN, tissue="tumour", mask=Volume(grid=grid, values=mask), source="made"
    )
    plane = ObliquePlane.through(facing_of(normal)[0], centre).shifted(off)
    (line,) = OutlineCutter(structure, make_case()).cut(plane)
    middle = plane.mm_to_plane(centre)
    assert np.allclose(line[0], line[-1])
    assert np.linalg.norm(_centroid(line) - middle) < 0.5
    expected = np.sqrt(radius**2 - off**2)
    assert np.linalg.norm(line - middle, axis=1).mean() == pytest.approx(expected, abs=0.6)


def _centroid(line: np.ndarray) -> np.ndarray:
    a, b = line[:-1], line[1:]
    twice = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    return ((a + b) * twice[:, None]).sum(axis=0) / (3.0 * twice.sum())


@pytest.mark.parametrize("direction", STORED.values(), ids=STORED.keys())
@settings(max_examples=15, deadline=None)
@given(normal=directions)
def test_isotherms_of_a_round_field_are_circles_in_planes_of_any_direction(direction, normal):
    centre = np.array([12.0, -30.0, 210.0])
    grid = grid_around(tuple(centre), (50.0, 50.0, 50.0), (1.0, 1.0, 1.0), direction)
    field = np.linalg.norm(points_mm(grid) - centre, axis=-1) * 4.0 - 80.0
    cutter = IsothermCutter(Volume(grid=grid, values=field.astype(np.float32)))
    plane = ObliquePlane.through(facing_of(normal)[0], centre).shifted(3.3)
    for isotherm, radius in zip(cutter.cut(plane, (0.0, -20.0)), (20.0, 15.0), strict=True):
        (line,) = isotherm.lines
        away = np.linalg.norm(line - plane.mm_to_plane(centre), axis=1)
        assert np.abs(away - np.sqrt(radius**2 - 3.3**2)).max() < 0.1


@pytest.mark.parametrize("direction", STORED.values(), ids=STORED.keys())
@settings(max_examples=15, deadline=None)
@given(normal=directions)
def test_a_lopsided_body_shows_the_same_picture_however_it_is_stored(direction, normal):
    """Values rise along x, twice as fast along y and four times along z: no mirror image fits."""
    slope = np.array([1.0, 2.0, 4.0])
    grid = grid_around((0.0, 0.0, 0.0), (60.0, 60.0, 60.0), (1.5, 1.5, 2.5), direction)
    volume = Volume(grid=grid, values=(points_mm(grid) @ slope).astype(np.float32))
    plane = ObliquePlane.through(facing_of(normal)[0], (3.0, -2.0, 1.0))
    picture = SliceSampler(volume).extract(plane)
    u, v = np.meshgrid(picture.column_centres_mm(), picture.row_centres_mm())
    points = plane.plane_to_mm(u, v)
    inner = np.abs((points - grid.centre_mm()) @ grid.axes).max(axis=-1) < 25.0
    assert inner.sum() > 100
    assert np.abs(picture.values - points @ slope)[inner].max() < 1e-3


def test_only_what_is_seen_is_cut_and_it_has_the_values_of_the_whole():
    grid = grid_around((0.0, 0.0, 0.0), (80.0, 80.0, 80.0), (1.0, 1.0, 2.0), turned((10, 20, 30)))
    volume = Volume(grid=grid, values=(points_mm(grid) @ (1.0, 2.0, 4.0)).astype(np.float32))
    sampler = SliceSampler(volume)
    plane = ObliquePlane.through(facing_of((0.3, -0.5, 0.8))[0], (0.0, 0.0, 0.0))
    lattice = sampler.lattice_on(plane, seen_uv=(-12.0, 9.0, -7.0, 15.0))
    part, whole = sampler.extract_oblique(plane, lattice), sampler.extract(plane)
    assert part.left_mm <= -12.0 + 1.0
    assert part.right_mm >= 9.0 - 1.0
    assert part.values.size < whole.values.size / 4
    column, row = (round(x) for x in whole.plane_to_pixel(*part.pixel_to_plane(0, 0)))
    rows, columns = part.values.shape
    assert np.allclose(part.values, whole.values[row : row + rows, column : column + columns], atol=1e-4)
    assert sampler.lattice_on(plane, seen_uv=(500.0, 600.0, 0.0, 10.0)) is None


def test_a_plane_beside_the_volume_is_told_to_be_outside():
    grid = grid_around((0.0, 0.0, 0.0), (20.0, 20.0, 20.0), (1.0, 1.0, 1.0))
    sampler = SliceSampler(Volume(grid=grid, values=np.zeros(grid.shape, np.int16)))
    plane = ObliquePlane.through(facing_of((1.0, 1.0, 1.0))[0], (100.0, 0.0, 0.0))
    assert cut_corners_uv(grid, plane) is None
    assert not sampler.covers(plane)
    with pytest.raises(ImageError, match="oblique plane") as error:
        sampler.extract(plane)
    assert error.value.code == "plane-outside"


@settings(max_examples=40, deadline=None)
@given(normal=directions, off=st.floats(-25.0, 25.0))
def test_the_corners_of_a_cut_lie_on_the_plane_and_on_the_box(normal, off):
    grid = grid_around((3.0, 4.0, 5.0), (20.0, 30.0, 40.0), (1.0, 1.0, 1.0), turned((10, 20, 30)))
    plane = ObliquePlane.through(facing_of(normal)[0], grid.centre_mm()).shifted(off)
    corners = cut_corners_uv(grid, plane)
    assume(corners is not None)
    index = grid.mm_to_index(plane.plane_to_mm(corners[:, 0], corners[:, 1]))
    away = np.abs(index - (np.asarray(grid.size) - 1) / 2.0) / (np.asarray(grid.size) / 2.0)
    assert np.allclose(away.max(axis=1), 1.0)
    assert (away <= 1.0 + 1e-9).all()


def test_a_mean_slab_of_a_ramp_is_its_middle_and_the_brightest_one_is_its_far_face():
    grid = grid_around((0.0, 0.0, 0.0), (60.0, 60.0, 60.0), (1.0, 1.0, 1.0))
    facing, _ = facing_of((0.2, -0.4, 0.9))
    volume = Volume(grid=grid, values=(points_mm(grid) @ facing.across).astype(np.float32))
    plane, sampler = ObliquePlane.through(facing, (0.0, 0.0, 0.0)), SliceSampler(volume)
    for kind, expected in ((SlabKind.MEAN, 0.0), (SlabKind.MIP, 5.0), (SlabKind.MINIP, -5.0)):
        picture = extract_slab(sampler, plane, Slab(kind=kind, thickness_mm=10.0))
        row, column = (n // 2 for n in picture.values.shape)
        assert picture.values[row, column] == pytest.approx(expected, abs=0.02)


def test_a_second_image_lies_on_the_pixels_of_an_oblique_picture():
    first = grid_around((0.0, 0.0, 0.0), (60.0, 60.0, 60.0), (1.0, 1.0, 1.0))
    second = grid_around((2.0, 1.0, 0.0), (60.0, 60.0, 60.0), (2.0, 2.0, 2.0), turned((5, 10, 15)))
    ramp = np.array([1.0, 2.0, 4.0])
    one, other = (Volume(grid=g, values=(points_mm(g) @ ramp).astype(np.float32)) for g in (first, second))
    plane = ObliquePlane.through(facing_of((0.2, -0.4, 0.9))[0], (0.0, 0.0, 0.0))
    picture = SliceSampler(one).extract(plane)
    overlay = lay_over(other, picture)
    rows, columns = picture.values.shape
    inner = np.s_[rows // 3 : -rows // 3, columns // 3 : -columns // 3]
    assert overlay.inside[inner].all()
    assert np.allclose(overlay.values[inner], picture.values[inner], atol=1e-3)


def test_letters_name_at_most_two_sides_and_the_position_names_the_nearest_slice():
    normal = (0.0, -np.sin(np.radians(20)), np.cos(np.radians(20)))
    plane = ObliquePlane.through(facing_of(normal)[0], (0.0, 0.0, 0.0))
    # Down the screen is (0, cos 20, sin 20): mostly to the back, a little to the head.
    assert plane.orientation_letters() == ("R", "L", "AF", "PH")
    assert plane.position_text() == "20° off axial"
    assert ObliquePlane.through(facing_of((0.0, 0.02, 1.0))[0], (0, 0, 0)).position_text() == "axial"
    sides = facing_of((1.0, 1.0, 1.0))[0].letters
    assert all(len(letter) <= 2 for letter in sides)


def test_a_frame_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="square"):
        Facing((1.0, 0.0, 0.0), (0.1, 0.995, 0.0))
    with pytest.raises(ValueError, match="square"):
        Facing((2.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def test_the_target_of_a_case_is_cut_where_its_margins_are_measured():
    case = make_case()
    plane = ObliquePlane.through(facing_of((0.4, 0.5, -0.7))[0], TUMOUR_MM)
    (line,) = OutlineCutter(case.target, case).cut(plane)
    assert np.linalg.norm(_centroid(line) - plane.mm_to_plane(TUMOUR_MM)) < 0.5
    # A voxel mask of 2 x 2 x 4 mm says no more.
    assert np.linalg.norm(line - plane.mm_to_plane(TUMOUR_MM), axis=1).mean() == pytest.approx(12.0, abs=0.7)
