"""Coverage: the share of each voxel that closed outlines take, and which voxels count for it.

Outlines are edges in index coordinates, where voxel i goes from i - 0.5 to i + 0.5; grids of any direction
and spacing are therefore all alike. Inside is what the even-odd rule says: holes, keyholes and nested
surfaces need no order and no direction of turning.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LINES = 8
"""Scan lines in each row of voxels; along a line the coverage is exact."""

_TIE = 1e-3
"""Outlines often run through the very centres of voxels, as some programs trace them: such voxels count."""

_MOST_CROSSINGS = 8_000_000  # worked on at a time, so that memory stays bounded


def fill(edges: FloatArray, shape: tuple[int, int], *, lines: int = LINES) -> npt.NDArray[np.float32]:
    """Return how much of each pixel lies inside closed outlines, by the even-odd rule.

    Parameters
    ----------
    edges : array (n, 2, 2)
        Straight pieces of the outlines, from point to point, each point ``(i, j)`` in index coordinates.
    shape : tuple of int
        ``(nj, ni)``; what lies outside is cut off.
    lines : int
        Scan lines in a row of pixels.

    Returns
    -------
    array (nj, ni)
        float32 from 0 to 1.
    """
    nj, ni = shape
    # Scan line n lies at j = (n + 0.5) / lines - 0.5; a corner on a line belongs to the piece above it only,
    # so that every closed outline crosses every line an even number of times.
    heights = (edges[:, :, 1] + 0.5) * lines - 0.5
    low, high = heights.min(axis=1), heights.max(axis=1)
    first = np.clip(np.ceil(low), 0, nj * lines).astype(np.int64)
    past = np.clip(np.ceil(high), 0, nj * lines).astype(np.int64)
    used = past > first
    edges, heights, first, past = edges[used], heights[used], first[used], past[used]
    count = past - first
    if count.sum() > _MOST_CROSSINGS:
        return _fill_in_parts(edges, shape, lines)
    piece = np.repeat(np.arange(len(count)), count)
    line = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count) + first[piece]
    rise = heights[:, 1] - heights[:, 0]
    share = (line - heights[piece, 0]) / rise[piece]
    x = edges[piece, 0, 0] + share * (edges[piece, 1, 0] - edges[piece, 0, 0])
    order = np.lexsort((x, line))
    line, x = line[order], np.clip(x[order] + 0.5, 0.0, float(ni))
    # Every other crossing of a line enters, the ones between leave.
    starts = np.flatnonzero(np.r_[True, line[1:] != line[:-1]]) if len(line) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(line)])
    sign = 1.0 - 2.0 * ((np.arange(len(line)) - np.repeat(starts, lengths)) % 2)
    column = np.minimum(x.astype(np.int64), ni)
    at = (line // lines) * (ni + 2) + column
    part = column + 1 - x
    size = nj * (ni + 2)
    steps = np.bincount(at, sign * part, size) + np.bincount(at + 1, sign * (1.0 - part), size)
    covered = np.cumsum(steps.reshape(nj, ni + 2), axis=1)[:, :ni] / lines
    return np.clip(covered, 0.0, 1.0).astype(np.float32)


def _fill_in_parts(edges: FloatArray, shape: tuple[int, int], lines: int) -> npt.NDArray[np.float32]:
    nj, ni = shape
    result = np.zeros(shape, np.float32)
    middle = nj // 2
    if middle == 0:
        return fill(edges, shape, lines=max(lines // 2, 1))
    result[:middle] = fill(edges, (middle, ni), lines=lines)
    result[middle:] = fill(edges - np.array([0.0, float(middle)]), (nj - middle, ni), lines=lines)
    return result


def signed_area(points: FloatArray) -> float:
    """Return the area of a closed polygon ``(n, 2)``, positive when it turns from x to y."""
    x, y = points[:, 0] - points[0, 0], points[:, 1] - points[0, 1]
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def edges_of(points: FloatArray) -> FloatArray:
    """Return the edges ``(n, 2, 2)`` of a closed polygon ``(n, 2)``."""
    return np.stack([points, np.roll(points, -1, axis=0)], axis=1)


def as_mask(covered: npt.NDArray[np.float32], *, whole_volume: bool = False) -> BoolArray:
    """Return the voxels that count: those covered by half, and of parts thinner than that the best ones.

    With `whole_volume`, where that is more than 1 % off what is covered altogether (thin walls), the half is
    moved, at most to a quarter or three quarters, until as many voxels count as their shares add up to.

    A part that reaches half of no voxel would vanish. Where covered voxels have no counted one beside them,
    as many of them count as their shares make up together, the most covered first, at least one.
    """
    limit = 0.5 - _TIE
    total = float(covered.sum(dtype=float))
    if whole_volume and total > 0.0 and abs(np.count_nonzero(covered >= limit) - total) > 0.01 * total:
        shares = np.sort(covered[covered > 0.0])[::-1]
        fitting = float(np.clip(shares[min(max(round(total), 1), len(shares)) - 1], 0.25, 0.75))
        # Equal shares, apart from rounding, stay together.
        both = (fitting - _TIE, fitting + _TIE)
        limit = min(both, key=lambda at: abs(np.count_nonzero(shares >= at) - total))
    mask = np.asarray(covered >= limit)
    near = ndimage.binary_dilation(mask, np.ones((3,) * mask.ndim, bool)) if mask.any() else mask
    lost = np.asarray((covered > 1e-3) & ~near)
    if not lost.any():
        return mask
    parts, number = ndimage.label(lost, np.ones((3,) * mask.ndim, bool))
    index = np.flatnonzero(lost)
    part, share = parts.ravel()[index], covered.ravel()[index].astype(float)
    sums = np.bincount(part, share, number + 1)
    order = np.lexsort((-share, part))
    sorted_part = part[order]
    starts = np.searchsorted(sorted_part, sorted_part)
    rank = np.arange(len(order)) - starts
    kept = order[rank < np.maximum(np.rint(sums[sorted_part]), 1)]
    # A sliver that a rounded number leaves beside the structure is none: it must hold a fifth of a voxel.
    kept = kept[sums[part[kept]] >= (0.2 if mask.any() else 0.0)]
    mask.ravel()[index[kept]] = True
    return mask
