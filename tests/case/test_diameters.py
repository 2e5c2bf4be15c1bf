"""Diameters: within what their voxels allow, of shapes whose diameters are formulas, on any grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.diameters import measure_diameters, voxel_width_mm
from cryoplan.core.volume import Volume
from tests.support.cases import FLIPPED, LEFT_HANDED, OBLIQUE, ball, box, grid, points_of, rotation

SAGITTAL = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
GRIDS = {
    "fine": grid(size=(80, 80, 80), spacing=(1.0, 1.0, 1.0)),
    "thick slices": grid(size=(100, 100, 18), spacing=(0.8, 0.8, 5.0), centre=(50, -20, 300)),
    "oblique": grid(size=(80, 70, 40), spacing=(0.9, 1.1, 2.0), centre=(5, 6, 7), direction=OBLIQUE),
    "tilted a little": grid(size=(90, 90, 30), spacing=(0.9, 0.9, 3.0), direction=rotation((1, 0, 0), 4.0)),
    "sagittal": grid(size=(80, 80, 26), spacing=(1.0, 1.0, 3.0), centre=(9, 9, 9), direction=SAGITTAL),
    "flipped": grid(size=(80, 70, 40), spacing=(1.0, 1.2, 2.0), direction=FLIPPED),
    "left-handed": grid(size=(80, 70, 40), spacing=(1.0, 1.2, 2.0), direction=LEFT_HANDED),
}
GRID_KINDS = pytest.mark.parametrize("where", GRIDS.values(), ids=GRIDS.keys())


def ellipsoid(where, centre, half, turn) -> Volume:
    local = (points_of(where) - np.asarray(centre)) @ turn
    return Volume(grid=where, values=((local / np.asarray(half)) ** 2).sum(-1) <= 1.0)


def true_diameters(half, turn) -> tuple[float, float, float]:
    """Longest and across in the axial plane through the middle, and the height, from the quadratic form."""
    form = turn @ np.diag(1.0 / np.asarray(half, float) ** 2) @ turn.T
    flat = np.linalg.eigvalsh(form[:2, :2])
    return 2 / np.sqrt(flat[0]), 2 / np.sqrt(flat[1]), 2 * np.sqrt(np.linalg.inv(form)[2, 2])


@GRID_KINDS
@pytest.mark.parametrize("radius", [5.0, 12.0, 30.0])
def test_a_ball_has_three_diameters_of_its_own_size(where, radius):
    found = measure_diameters(ball(where, where.centre_mm() + np.array([0.3, 0.2, 0.1]), radius))
    for length in (found.longest, found.across, found.cranio_caudal):
        assert abs(length.mm - 2 * radius) <= length.within_mm
    assert np.linalg.norm(np.asarray(found.middle_mm) - where.centre_mm()) <= radius


@GRID_KINDS
@pytest.mark.parametrize("turn", [rotation((0, 0, 1), 30.0), rotation((1, 2, 3), 40.0)])
def test_an_oblique_ellipsoid_is_as_long_wide_and_high_as_its_formula_says(where, turn):
    half = (8.0, 14.0, 22.0)
    found = measure_diameters(ellipsoid(where, where.centre_mm(), half, turn))
    longest, across, height = true_diameters(half, turn)
    assert abs(found.longest.mm - longest) <= found.longest.within_mm
    assert abs(found.cranio_caudal.mm - height) <= found.cranio_caudal.within_mm
    assert abs(found.across.mm - across) <= found.across.within_mm


def test_a_box_along_the_voxels_is_measured_exactly():
    where = grid(size=(40, 40, 20), spacing=(1.0, 1.5, 4.0))
    values = np.zeros(where.shape, bool)
    values[5:9, 10:18, 10:16] = True
    found = measure_diameters(Volume(grid=where, values=values))
    assert found.cranio_caudal.mm == pytest.approx(16.0)
    # From the middle of the face of a voxel at one corner to that at the other: 8 rows and 6 columns.
    assert found.longest.mm == pytest.approx(np.hypot(8 * 1.5, 6.0 - 1.0))


def test_one_voxel_is_as_large_as_it_is():
    where = grid(size=(9, 9, 9), spacing=(1.0, 2.0, 5.0))
    values = np.zeros(where.shape, bool)
    values[4, 4, 4] = True
    found = measure_diameters(Volume(grid=where, values=values))
    assert found.longest.mm == pytest.approx(2.0)
    assert found.across.mm == pytest.approx(1.0)
    assert found.cranio_caudal.mm == pytest.approx(5.0)
    np.testing.assert_allclose(found.middle_mm, where.index_to_mm((4, 4, 4)))


def test_two_islands_are_measured_from_one_end_to_the_other():
    where = GRIDS["fine"]
    left, right = (ball(where, (x, 0.0, 0.0), 4.0).values for x in (-15.0, 15.0))
    found = measure_diameters(Volume(grid=where, values=left | right))
    assert abs(found.longest.mm - 38.0) <= found.longest.within_mm
    assert abs(found.across.mm - 8.0) <= found.across.within_mm


def test_the_hole_of_a_ring_changes_no_diameter():
    where = GRIDS["thick slices"]
    x, y, z = np.moveaxis(points_of(where) - where.centre_mm(), -1, 0)
    ring = np.hypot(np.hypot(x, y) - 15.0, z) <= 6.0
    found = measure_diameters(Volume(grid=where, values=ring))
    assert abs(found.longest.mm - 42.0) <= found.longest.within_mm
    assert abs(found.cranio_caudal.mm - 12.0) <= found.cranio_caudal.within_mm


def test_the_longest_slice_counts_not_the_largest():
    where = GRIDS["fine"]
    wide = box(where, (-8, -8, -10), (8, 8, 0)).values
    long = box(where, (-18, -2, 3), (18, 2, 6)).values
    found = measure_diameters(Volume(grid=where, values=wide | long))
    assert found.longest.mm > 36.0
    assert found.middle_mm[2] > 2.0
    assert found.across.mm < 10.0


def test_a_voxel_is_widest_along_its_diagonal():
    where = grid(spacing=(1.0, 2.0, 2.0), direction=OBLIQUE)
    assert voxel_width_mm(where, where.axes[:, 1]) == pytest.approx(2.0)
    diagonal = where.axes @ np.array([1.0, 2.0, 2.0]) / 3.0
    assert voxel_width_mm(where, diagonal) == pytest.approx(3.0)


@settings(max_examples=30, deadline=None)
@given(
    half=st.tuples(*[st.floats(4.0, 18.0)] * 3),
    axis=st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda a: np.linalg.norm(a) > 0.1),
    degrees=st.floats(0.0, 180.0),
)
def test_any_ellipsoid_in_thick_slices_is_within_what_is_stated(half, axis, degrees):
    where, turn = GRIDS["thick slices"], rotation(axis, degrees)
    mask = ellipsoid(where, where.centre_mm(), half, turn)
    longest, _, height = true_diameters(half, turn)
    found = measure_diameters(mask)
    assert abs(found.cranio_caudal.mm - height) <= found.cranio_caudal.within_mm + 1e-6
    # A slanting ellipsoid has its longest slice in the middle: the others are smaller, never longer.
    assert found.longest.mm <= longest + found.longest.within_mm
