"""Geometry against brute force and against what must hold for any input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cryoplan.core.geometry import (
    angle_deg,
    as_point,
    direction_words,
    distance_mm,
    perpendicular,
    point_to_segment_mm,
    segment_to_segment_mm,
    unit,
)

NUMBERS = st.floats(-200, 200).map(lambda x: round(x, 3))
POINTS = st.tuples(NUMBERS, NUMBERS, NUMBERS)


def brute_point(p, a, b, n=4001):
    t = np.linspace(0, 1, n)[:, None]
    return np.linalg.norm(np.asarray(p) - (np.asarray(a) + t * np.subtract(b, a)), axis=1).min()


@given(POINTS, POINTS, POINTS)
def test_point_to_segment_agrees_with_brute_force(p, a, b):
    found = float(point_to_segment_mm(p, a, b))
    brute = brute_point(p, a, b)
    assert found <= brute + 1e-9
    assert found == pytest.approx(brute, abs=distance_mm(a, b) / 4000 + 1e-9)


@given(POINTS, POINTS, POINTS, POINTS)
def test_segment_to_segment_agrees_with_brute_force_and_is_symmetric(a0, a1, b0, b1):
    found = segment_to_segment_mm(a0, a1, b0, b1)
    t = np.linspace(0, 1, 301)[:, None]
    brute = point_to_segment_mm(np.asarray(a0) + t * np.subtract(a1, a0), b0, b1).min()
    assert found <= brute + 1e-6
    assert found >= brute - distance_mm(a0, a1) / 300 - 1e-6
    for other in (
        segment_to_segment_mm(b0, b1, a0, a1),
        segment_to_segment_mm(a1, a0, b0, b1),
        segment_to_segment_mm(a0, a1, b1, b0),
    ):
        assert other == pytest.approx(found, abs=1e-6)


@given(POINTS, POINTS, NUMBERS, POINTS)
def test_parallel_segments_have_the_distance_of_their_nearest_points(a, d, shift, offset):
    assume(np.linalg.norm(d) > 1.0)
    a0, a1 = np.asarray(a), np.add(a, d)
    b0 = a0 + offset + shift * unit(d)
    b1 = b0 + d
    ends = [(a0, b0, b1), (a1, b0, b1), (b0, a0, a1), (b1, a0, a1)]
    brute = min(float(point_to_segment_mm(*end)) for end in ends)
    assert segment_to_segment_mm(a0, a1, b0, b1) == pytest.approx(brute, abs=1e-6)


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (((0, 0, 0), (0, 0, 0), (3, 4, 0), (3, 4, 0)), 5.0),
        (((0, 0, 0), (0, 0, 0), (3, -9, 0), (3, 9, 0)), 3.0),
        (((3, -9, 0), (3, 9, 0), (0, 0, 0), (0, 0, 0)), 3.0),
        (((-5, 0, 0), (5, 0, 0), (0, -5, 2), (0, 5, 2)), 2.0),
        (((0, 0, 0), (10, 0, 0), (12, 0, 0), (20, 0, 0)), 2.0),
        (((0, 0, 0), (10, 0, 0), (12, 1, 0), (12, 9, 0)), np.sqrt(5)),
    ],
)
def test_segments_of_known_distance(segments, expected):
    assert segment_to_segment_mm(*segments) == pytest.approx(expected)


def test_a_segment_of_no_length_is_a_point():
    assert float(point_to_segment_mm((3, 4, 0), (0, 0, 0), (0, 0, 0))) == 5.0


def test_point_to_segment_keeps_the_shape_of_many_points():
    assert point_to_segment_mm(np.zeros((4, 5, 3)), (1, 0, 0), (2, 0, 0)).shape == (4, 5)


@given(POINTS)
def test_perpendicular_gives_a_right_handed_frame(direction):
    assume(np.linalg.norm(direction) > 1e-3)
    u, v = perpendicular(direction)
    w = unit(direction)
    frame = np.stack([u, v, w])
    assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.cross(u, v) == pytest.approx(w, abs=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 1e-6, 0.1, 45.0, 90.0, 179.9999, 180.0])
def test_angles_are_right_from_tiny_to_straight(degrees):
    b = (np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0.0)
    assert angle_deg((5, 0, 0), b) == pytest.approx(degrees, abs=1e-9)


def test_no_direction_without_length():
    with pytest.raises(ValueError, match="no length"):
        unit((0, 0, 0))


@pytest.mark.parametrize("bad", [(1, 2), (1, 2, 3, 4), (1, 2, float("nan")), (1, 2, float("inf")), 5.0])
def test_a_point_has_three_finite_numbers(bad):
    with pytest.raises(ValueError, match="three finite numbers"):
        as_point(bad)


def test_a_point_is_plain_floats():
    assert as_point(np.array([1, 2, 3], np.float32)) == (1.0, 2.0, 3.0)
    assert all(type(x) is float for x in as_point(np.array([1, 2, 3], np.float32)))


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ((1, 0, 0), "left"),
        ((-1, 0, 0), "right"),
        ((0, 5, 0.1), "posterior"),
        ((0, -1, -3), "caudal"),
        ((0, -2, -3), "caudal-anterior"),
        ((1, 1, 1), "left-posterior-cranial"),
        ((0, 0, 0), "centre"),
    ],
)
def test_directions_in_words(vector, words):
    assert direction_words(vector) == words
