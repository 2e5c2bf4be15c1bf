"""Slices of a tilted gantry, at uneven distances or with holes -> values on one regular orthogonal grid.

Each slice stays in its own plane and is shifted there to where it truly lies (the shear of a tilted gantry
is a shift of every slice along its rows and columns); planes that no slice lies in are interpolated linearly
between the two slices around them. Nothing is taken beyond the edge of a slice: what no slice covers is
padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding
from cryoplan.core.grid import Grid
from cryoplan.image.dicom_header import Header

FloatArray = npt.NDArray[np.float64]

# Shifts below a ten-thousandth of a pixel and planes nearer than a micrometre are rounding of the headers.
_SAME_PIXEL = 1e-4
_SAME_PLANE_MM = 1e-3


def repaired_grid(headers: Sequence[Header], axes: FloatArray, spacing_mm: float) -> Grid:
    """Return the orthogonal grid that takes in all slices.

    Parameters
    ----------
    headers : sequence of Header
        Slices in order along their normal, of one orientation and matrix.
    axes : ndarray, shape (3, 3)
        Columns: unit vectors along rows, along columns, and the normal.
    spacing_mm : float
        Wanted distance of planes; changed a little so that the first and the last slice are planes.
    """
    positions = _positions(headers)
    x_mm, y_mm = headers[0].pixel_spacing_mm or (0.0, 0.0)
    pixels = _offsets(positions, positions[0], axes, (x_mm, y_mm))
    low, high = np.floor(pixels.min(axis=0) + _SAME_PIXEL), np.ceil(pixels.max(axis=0) - _SAME_PIXEL)
    depth_mm = float((positions[-1] - positions[0]) @ axes[:, 2])
    steps = max(round(depth_mm / spacing_mm), 1)
    origin = positions[0] + axes[:, 0] * low[0] * x_mm + axes[:, 1] * low[1] * y_mm
    return Grid(
        size=(
            headers[0].columns + int(high[0] - low[0]),
            headers[0].rows + int(high[1] - low[1]),
            steps + 1,
        ),
        spacing_mm=(x_mm, y_mm, depth_mm / steps),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(d) for d in axes.ravel()),
    )


def repair(
    values: npt.NDArray[np.generic], headers: Sequence[Header], grid: Grid, *, outside: float
) -> npt.NDArray[np.float32]:
    """Return slices at the true positions of `headers`, sampled on `grid` of `repaired_grid`.

    Parameters
    ----------
    values : ndarray, shape (slices, rows, columns)
        Pixels in the order of `headers`.
    headers : sequence of Header
        Slices in order along their normal.
    grid : Grid
        Where values are wanted.
    outside : float
        For voxels that no slice covers.

    Returns
    -------
    ndarray of float32, shape `grid.shape`
    """
    positions, axes = _positions(headers), grid.axes
    origin = np.asarray(grid.origin_mm)
    pixels = _offsets(positions, origin, axes, grid.spacing_mm[:2])
    depths_mm = (positions - origin) @ axes[:, 2]
    result = np.full(grid.shape, outside, np.float32)
    for k in range(grid.size[2]):
        depth_mm = k * grid.spacing_mm[2]
        above = int(np.clip(np.searchsorted(depths_mm, depth_mm), 1, len(headers) - 1))
        nearest = above if depths_mm[above] - depth_mm < depth_mm - depths_mm[above - 1] else above - 1
        if abs(depths_mm[nearest] - depth_mm) < _SAME_PLANE_MM:
            plane, covered = _place(values[nearest], pixels[nearest], grid.shape[1:])
        else:
            weight = (depth_mm - depths_mm[above - 1]) / (depths_mm[above] - depths_mm[above - 1])
            lower, covered_below = _place(values[above - 1], pixels[above - 1], grid.shape[1:])
            upper, covered_above = _place(values[above], pixels[above], grid.shape[1:])
            plane = np.asarray(lower * np.float32(1.0 - weight) + upper * np.float32(weight), np.float32)
            covered = covered_below & covered_above
        result[k][covered] = plane[covered]
    return result


def _positions(headers: Sequence[Header]) -> FloatArray:
    return np.array([h.position_mm for h in headers], float)


def _offsets(
    positions: FloatArray, origin: FloatArray, axes: FloatArray, spacing_mm: tuple[float, ...]
) -> FloatArray:
    """Return how many pixels the first pixel of each slice lies from `origin` along rows and columns."""
    return np.asarray((positions - origin) @ axes[:, :2] / np.asarray(spacing_mm[:2]), float)


def _place(
    pixels: npt.NDArray[np.generic], offset: FloatArray, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return a slice shifted by `offset` pixels (columns, rows) and where it has values."""
    moved = np.asarray(pixels, np.float32)
    starts = []
    for axis, shift in ((1, float(offset[0])), (0, float(offset[1]))):
        whole = round(shift)
        if abs(shift - whole) < _SAME_PIXEL:
            starts.append(whole)
            continue
        start = int(np.ceil(shift))
        part = np.float32(start - shift)
        count = moved.shape[axis]
        before = np.take(moved, range(count - 1), axis)
        after = np.take(moved, range(1, count), axis)
        moved = np.asarray(before * (np.float32(1.0) - part) + after * part, np.float32)
        starts.append(start)
    plane, covered = np.zeros(shape, np.float32), np.zeros(shape, bool)
    where = (slice(starts[1], starts[1] + moved.shape[0]), slice(starts[0], starts[0] + moved.shape[1]))
    plane[where] = moved
    covered[where] = True
    return plane, covered


_OFFERED_AND_DONE = {
    "gantry-tilt": (
        "If accepted, they are resampled to an orthogonal grid.",
        "They were resampled to an orthogonal grid.",
    ),
    "missing-slice": (
        "If accepted, values are interpolated there.",
        "Values there are interpolated, not measured.",
    ),
    "uneven-spacing": (
        "If accepted, even slices are interpolated between them.",
        "Even slices were interpolated between them.",
    ),
}


def offer(code: str) -> str:
    """Return the sentence that a finding of a repairable series ends with."""
    return _OFFERED_AND_DONE[code][0]


def without_offer(finding: Finding) -> str:
    """Return what a finding says is wrong, without the sentence on what can be done about it."""
    offered, _ = _OFFERED_AND_DONE.get(finding.code, ("", ""))
    return finding.text.replace(offered, "").strip() if offered else finding.text


def as_done(finding: Finding) -> Finding:
    """Return a finding as it reads after the repair."""
    offered, done = _OFFERED_AND_DONE.get(finding.code, ("", ""))
    return replace(finding, text=finding.text.replace(offered, done)) if offered else finding
