"""Points, segments, angles and distances in LPS millimetres; pure numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Point = tuple[float, float, float]


def as_point(values: npt.ArrayLike) -> Point:
    """Return three floats as a tuple.

    Raises
    ------
    ValueError
        If there are not exactly three finite numbers.
    """
    array = np.asarray(values, float)
    if array.shape != (3,) or not np.all(np.isfinite(array)):
        raise ValueError(f"a point has three finite numbers, not {values!r}")
    return (float(array[0]), float(array[1]), float(array[2]))


def distance_mm(a_mm: npt.ArrayLike, b_mm: npt.ArrayLike) -> float:
    """Return the distance of two points."""
    return float(np.linalg.norm(np.asarray(b_mm, float) - np.asarray(a_mm, float)))


def unit(vector: npt.ArrayLike) -> FloatArray:
    """Return `vector` scaled to length 1.

    Raises
    ------
    ValueError
        If it has no length.
    """
    array = np.asarray(vector, float)
    length = float(np.linalg.norm(array))
    if length == 0.0:
        raise ValueError("a vector of no length has no direction")
    return np.asarray(array / length)


def perpendicular(direction: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return two unit vectors that make a right-handed frame with `direction`, the same each time."""
    w = unit(direction)
    helper = np.eye(3)[int(np.argmin(np.abs(w)))]
    u = unit(np.cross(helper, w))
    return u, np.cross(w, u)


def point_to_segment_mm(
    points_mm: npt.ArrayLike, start_mm: npt.ArrayLike, end_mm: npt.ArrayLike
) -> FloatArray:
    """Return the distances ``(...)`` of points ``(..., 3)`` to the segment between two points."""
    points = np.asarray(points_mm, float)
    start = np.asarray(start_mm, float)
    along = np.asarray(end_mm, float) - start
    length2 = float(along @ along)
    t = np.zeros(points.shape[:-1]) if length2 == 0.0 else ((points - start) @ along) / length2
    nearest = start + np.clip(t, 0.0, 1.0)[..., None] * along
    return np.asarray(np.linalg.norm(points - nearest, axis=-1))


def segment_to_segment_mm(
    a0_mm: npt.ArrayLike, a1_mm: npt.ArrayLike, b0_mm: npt.ArrayLike, b1_mm: npt.ArrayLike
) -> float:
    """Return the least distance of two segments.

    Method: closest points of two lines with clamping, Ericson, Real-Time Collision Detection (2005),
    section 5.1.9.
    """
    p, q = np.asarray(a0_mm, float), np.asarray(b0_mm, float)
    d1, d2 = np.asarray(a1_mm, float) - p, np.asarray(b1_mm, float) - q
    r = p - q
    a, e, f = float(d1 @ d1), float(d2 @ d2), float(d2 @ r)
    if a == 0.0:
        return float(point_to_segment_mm(p, q, q + d2))
    if e == 0.0:
        return float(point_to_segment_mm(q, p, p + d1))
    b, c = float(d1 @ d2), float(d1 @ r)
    denominator = a * e - b * b
    s = min(max((b * f - c * e) / denominator, 0.0), 1.0) if denominator > 1e-12 * a * e else 0.0
    t = (b * s + f) / e
    if t < 0.0:
        t, s = 0.0, min(max(-c / a, 0.0), 1.0)
    elif t > 1.0:
        t, s = 1.0, min(max((b - c) / a, 0.0), 1.0)
    return float(np.linalg.norm((p + s * d1) - (q + t * d2)))


def angle_deg(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the angle between two directions, 0 to 180 degrees."""
    u, v = unit(a), unit(b)
    # atan2 of cross and dot keeps small angles right where arccos would lose half its digits.
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(u, v)), float(u @ v))))


_WORDS = (("left", "right"), ("posterior", "anterior"), ("cranial", "caudal"))


def direction_words(vector_mm: npt.ArrayLike) -> str:
    """Return an LPS direction in words such as ``caudal-anterior``; small parts go unsaid."""
    vector = np.asarray(vector_mm, float)
    largest = float(np.abs(vector).max())
    if largest == 0.0:
        return "centre"
    order = np.argsort(-np.abs(vector))
    parts = [
        _WORDS[axis][0 if vector[axis] > 0 else 1] for axis in order if abs(vector[axis]) >= 0.5 * largest
    ]
    return "-".join(parts)
