"""Index and millimetres: compared with SimpleITK on oblique, flipped, left-handed and anisotropic grids."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.core.grid import Grid
from tests.support.cases import FLIPPED, LEFT_HANDED, OBLIQUE, grid, rotation

GRIDS = {
    "plain": grid(),
    "oblique": grid(size=(7, 11, 5), spacing=(0.7, 1.3, 4.1), centre=(-120, 40, 900), direction=OBLIQUE),
    "flipped": grid(size=(7, 11, 5), spacing=(0.7, 1.3, 4.1), centre=(10, -40, -90), direction=FLIPPED),
    "left-handed": grid(size=(3, 2, 9), spacing=(2, 1, 0.5), direction=LEFT_HANDED),
    "one voxel": grid(size=(1, 1, 1), spacing=(2, 3, 4), centre=(5, 6, 7)),
}


def itk_of(where: Grid) -> SimpleITK.Image:
    image = SimpleITK.Image(*where.size, SimpleITK.sitkUInt8)
    image.SetSpacing(where.spacing_mm)
    image.SetOrigin(where.origin_mm)
    image.SetDirection(where.direction)
    return image


@pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS)
def test_positions_are_those_of_simpleitk(where: Grid):
    image = itk_of(where)
    rng = np.random.default_rng(1)
    for index in rng.uniform(-3, 12, (20, 3)):
        position = image.TransformContinuousIndexToPhysicalPoint(index.tolist())
        assert where.index_to_mm(index) == pytest.approx(position, abs=1e-9)
        assert where.mm_to_index(position) == pytest.approx(index, abs=1e-9)


@pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS)
def test_the_affine_says_the_same_as_index_to_mm(where: Grid):
    index = np.array([1.5, -2.0, 3.25])
    assert (where.affine @ [*index, 1.0])[:3] == pytest.approx(where.index_to_mm(index))


@pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS)
def test_a_point_counts_as_inside_exactly_when_simpleitk_says_so(where: Grid):
    image = itk_of(where)
    rng = np.random.default_rng(2)
    points = where.index_to_mm(rng.uniform(-2, np.asarray(where.size) + 1, (300, 3)))
    expected = []
    for point in points:
        index = np.asarray(image.TransformPhysicalPointToContinuousIndex(point.tolist()))
        expected.append(bool(np.all((index >= -0.5) & (index <= np.asarray(where.size) - 0.5))))
    assert where.contains_mm(points).tolist() == expected
    assert 0 < sum(expected) < 300


@pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS)
def test_outer_faces_belong_to_the_grid_and_bounds_hold_them(where: Grid):
    upper = np.asarray(where.size) - 0.5
    corners = where.index_to_mm([[i, j, k] for i in (-0.5, upper[0]) for j in (-0.5, upper[1])
                                 for k in (-0.5, upper[2])])  # fmt: skip
    assert where.contains_mm(corners).all()
    low, high = where.bounds_mm()
    assert corners.min(axis=0) == pytest.approx(low)
    assert corners.max(axis=0) == pytest.approx(high)
    assert where.centre_mm() == pytest.approx((low + high) / 2)


@given(
    lower=st.tuples(*[st.floats(-500, 500)] * 3),
    extent=st.tuples(*[st.floats(0.0, 60)] * 3),
    spacing=st.sampled_from([0.5, 1.0, 2.0, 1.5]),
)
def test_an_isotropic_grid_covers_its_box_tightly_on_the_common_lattice(lower, extent, spacing):
    lower = np.asarray(lower)
    upper = lower + extent
    made = Grid.isotropic(lower, upper, spacing)
    assert made.is_planning
    low, high = made.bounds_mm()
    assert np.all(low <= lower + 1e-6)
    assert np.all(high >= upper - 1e-6)
    assert np.all(low > lower - spacing - 1e-6)
    assert np.all(high < upper + spacing + 1e-6)
    multiples = np.asarray(made.origin_mm) / spacing
    assert multiples == pytest.approx(np.rint(multiples), abs=1e-9)


def test_a_box_on_voxel_faces_gets_no_extra_layer():
    made = Grid.isotropic((-0.5, -0.5, -0.5), (2.5, 0.5, 1.5), 1.0)
    assert made.size == (3, 1, 2)
    assert made.origin_mm == (0.0, 0.0, 0.0)


def test_coordinates_run_along_their_axis():
    made = Grid.isotropic((0, 0, 0), (4, 3, 2), 1.0)
    assert made.coordinates_mm(2).tolist() == [0.0, 1.0, 2.0]
    assert made.coordinates_mm(0) == pytest.approx(made.index_to_mm([[i, 0, 0] for i in range(5)])[:, 0])


def test_an_oblique_grid_has_no_coordinates_and_is_no_planning_grid():
    tilted = GRIDS["oblique"]
    with pytest.raises(ValueError, match="axis-aligned"):
        tilted.coordinates_mm(0)
    assert not tilted.is_axis_aligned
    assert not tilted.is_planning
    assert not grid(spacing=(1, 1, 2)).is_planning


def test_shape_and_voxel_volume():
    where = grid(size=(4, 5, 6), spacing=(2, 5, 10))
    assert where.shape == (6, 5, 4)
    assert where.voxel_volume_ml == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (4, 4)}, "sizes"),
        ({"size": (4, 0, 4)}, "sizes"),
        ({"spacing_mm": (1, 1)}, "spacings"),
        ({"spacing_mm": (1, 0, 1)}, "spacings"),
        ({"spacing_mm": (1, float("nan"), 1)}, "spacings"),
        ({"origin_mm": (0, 0)}, "origin"),
        ({"origin_mm": (0, float("inf"), 0)}, "origin"),
        ({"direction": (1, 0, 0)}, "nine"),
        ({"direction": (float("nan"), 0, 0, 0, 1, 0, 0, 0, 1)}, "nine"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0.3, 1)}, "orthogonal"),
        ({"direction": (2, 0, 0, 0, 1, 0, 0, 0, 1)}, "orthogonal"),
    ],
)
def test_a_grid_that_is_none_cannot_be_made(change, words):
    good = {"size": (4, 4, 4), "spacing_mm": (1, 1, 1), "origin_mm": (0, 0, 0)}
    with pytest.raises(ValueError, match=words):
        Grid(**(good | change))


def test_differences_are_named():
    base = grid(size=(10, 10, 10), spacing=(1, 1, 1))
    assert base.difference(base) is None
    assert base.difference(grid(size=(10, 10, 11), spacing=(1, 1, 1))).startswith("size 10 x 10 x 10")
    assert "spacing" in base.difference(grid(size=(10, 10, 10), spacing=(1, 1, 1.1)))
    assert "origin" in base.difference(grid(size=(10, 10, 10), spacing=(1, 1, 1), centre=(0, 0, 5)))
    turned = grid(size=(10, 10, 10), spacing=(1, 1, 1), direction=rotation((0, 0, 1), 5))
    assert "axes" in base.difference(turned)


@settings(max_examples=30)
@given(st.floats(0.0, 0.04))
def test_rounding_of_files_makes_no_difference(shift):
    base = grid(size=(10, 10, 10), spacing=(1, 1, 1))
    assert base.difference(grid(size=(10, 10, 10), spacing=(1, 1, 1), centre=(shift, 0, 0))) is None
