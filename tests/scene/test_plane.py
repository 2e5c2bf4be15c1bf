"""Planes: letters come from directions, never from what a header calls the patient's position."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.volume import Volume
from cryoplan.scene.plane import Orientation, SlicePlane, axes_in_words, letters_of
from cryoplan.scene.slices import SliceSampler
from tests.support.scenes import grid_around, points_mm, turned

AXES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
MARKERS_MM = {"L": (40.0, 0.0, 0.0), "A": (0.0, -40.0, 0.0), "H": (0.0, 0.0, 40.0)}

# Direction matrices as scanners write them: columns are the rows' and columns' directions of the file.
POSITIONS = {
    "supine head first": np.diag([1.0, 1.0, 1.0]),
    "prone head first": np.diag([-1.0, -1.0, 1.0]),
    "supine feet first": np.diag([-1.0, 1.0, -1.0]),
    "decubitus left": np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "decubitus right, feet first": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]),
    "sagittal MR": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    "oblique": np.array(turned((10.0, -20.0, 30.0))).reshape(3, 3),
    "oblique, prone": np.diag([-1.0, -1.0, 1.0]) @ np.array(turned((25.0, 14.0, -8.0))).reshape(3, 3),
}


@pytest.mark.parametrize("letter", AXES)
def test_a_patient_axis_has_its_one_letter_and_its_opposite_the_other(letter):
    axis = np.array(AXES[letter], float)
    opposite = dict(zip("LRPAHF", "RLAPFH", strict=True))[letter]
    assert letters_of(axis) == letters_of(7.5 * axis) == letter
    assert letters_of(-axis) == opposite


@given(st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1))
def test_the_first_letter_is_the_axis_of_the_largest_component(vector):
    first = letters_of(vector)[0]
    along = float(np.dot(AXES[first], vector))
    assert along >= np.abs(vector).max() - 1e-8


@given(st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1))
def test_no_axis_is_named_twice_and_the_letters_stand_in_the_order_of_their_weight(vector):
    letters = letters_of(vector)
    weights = [float(np.dot(AXES[c], vector)) for c in letters]
    assert all(w > 0.0 for w in weights)
    assert all(a >= b - 1e-8 for a, b in pairwise(weights))


@pytest.mark.parametrize(("degrees", "letters"), [(0, "A"), (2, "A"), (4, "AL"), (44, "AL"), (46, "LA")])
def test_a_direction_oblique_by_more_than_a_few_degrees_has_two_letters(degrees, letters):
    turn = np.radians(degrees)
    assert letters_of((np.sin(turn), -np.cos(turn), 0.0)) == letters


@pytest.mark.parametrize("bad", [(0.0, 0.0, 0.0), (np.nan, 0.0, 1.0), (np.inf, 0.0, 0.0)])
def test_what_is_no_direction_is_refused(bad):
    with pytest.raises(ValueError, match="has a length"):
        letters_of(bad)


def test_the_axes_of_an_image_are_named_in_words():
    assert axes_in_words(np.eye(3)) == "L, P, H"
    assert axes_in_words(POSITIONS["sagittal MR"]) == "P, F, L"
    assert axes_in_words(turned_axes(10.0)) == "L, PH, HA"


def turned_axes(degrees):
    return np.array(turned((degrees, 0.0, 0.0))).reshape(3, 3)


@pytest.mark.parametrize("name", POSITIONS)
@pytest.mark.parametrize("orientation", Orientation)
def test_markers_at_left_front_and_head_appear_at_the_edge_of_their_letter(name, orientation):
    direction = tuple(POSITIONS[name].ravel())
    grid = grid_around((3.0, -2.0, 5.0), (130.0, 130.0, 130.0), (1.5, 2.0, 2.5), direction)
    sampler = SliceSampler(Volume(grid=grid, values=np.zeros(grid.shape, np.int16)))
    left, right, top, bottom = orientation.letters
    for letter, marker in MARKERS_MM.items():
        values = np.exp(-(((points_mm(grid) - marker) / 5.0) ** 2).sum(axis=-1)).astype(np.float32)
        sampler = SliceSampler(Volume(grid=grid, values=values))
        image = sampler.extract(SlicePlane.through(orientation, marker))
        row, column = np.unravel_index(int(image.values.argmax()), image.values.shape)
        u, v = image.pixel_to_plane(float(column), float(row))
        opposite = dict(zip("LAH", "RPF", strict=True))[letter]
        if letter in (left, right, opposite) and opposite in (left, right):
            assert (u > 20.0) == (letter == right)
            assert abs(u) > 35.0
        elif letter in (top, bottom):
            assert (v > 20.0) == (letter == bottom)
            assert abs(v) > 35.0
        else:
            assert np.hypot(u, v) < 4.0
        # To half a voxel the bright pixel is the marker itself.
        assert np.allclose(image.plane.plane_to_mm(u, v), marker, atol=1.3)
