"""Surface: exact distances from points, and of other masks, to the drawn outline of a mask.

The outline of a mask is the set of voxel faces between inside and outside. Faces are rectangles, 0.8 x 5 mm
on thick slices, so nearest voxel *centres* would be off by millimetres. Each face is therefore covered by
sample points less than a millimetre apart in a search tree; the faces of the nearest samples are then
measured exactly, as rectangles.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.case.planning import voxel_box_ijk
from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume

_SAMPLE_MM = 1.0
_CANDIDATES = 8
_BLOCK_MM = 8.0

_LOCK = Lock()
_CACHE: WeakKeyDictionary[Volume, Drawn] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Nearest:
    """Where another outline comes nearest.

    Attributes
    ----------
    gap_mm : float
        Signed distance to it; negative where the other outline runs inside.
    point_mm : Point
        The point of the other outline, LPS.
    """

    gap_mm: float
    point_mm: Point


class Drawn:
    """The outline of one mask and distances to it; takes some 50 bytes a square millimetre while it is kept.

    Parameters
    ----------
    mask : Volume
        bool voxels, at least one set; any grid. Its part beyond the grid counts as outside.
    """

    def __init__(self, mask: Volume) -> None:
        from scipy.spatial import cKDTree

        self._grid, self._values = mask.grid, mask.values
        # In the axes of the mask, millimetres from its origin along i, j, k.
        self._centre, self._half = _faces(mask, open_ends=False)
        samples, owners = [], []
        flat = np.argmin(self._half, axis=1)
        for axis in range(3):
            of_axis = np.flatnonzero(flat == axis)
            if of_axis.size:
                offsets = _face_samples(self._half[of_axis[0]])
                samples.append((self._centre[of_axis][:, None, :] + offsets).reshape(-1, 3))
                owners.append(np.repeat(of_axis, len(offsets)))
        # Without balancing the tree is built three times faster and asked as fast.
        self._tree: Any = cKDTree(np.concatenate(samples), balanced_tree=False, compact_nodes=False)
        self._face = np.concatenate(owners)

    def signed_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Return the distances ``(n,)`` of LPS points ``(n, 3)`` to the outline, negative inside."""
        index = self._grid.mm_to_index(points_mm)
        local = index * np.asarray(self._grid.spacing_mm)
        count = min(_CANDIDATES, len(self._face))
        _, found = self._tree.query(local, k=count)
        faces = self._face[np.asarray(found).reshape(len(local), count)]
        beyond = np.abs(local[:, None, :] - self._centre[faces]) - self._half[faces]
        distance = np.linalg.norm(np.maximum(beyond, 0.0), axis=-1).min(axis=-1)
        nearest = np.rint(index).astype(np.int64)
        within = np.all((nearest >= 0) & (nearest < np.asarray(self._grid.size)), axis=-1)
        i, j, k = np.moveaxis(np.where(within[:, None], nearest, 0), -1, 0)
        inside = self._values[k, j, i] & within
        return np.asarray(np.where(inside, -distance, distance))

    def nearest(self, other: Volume, *, open_ends: bool = False) -> Nearest | None:
        """Return where the outline of another mask comes nearest to this one, or deepest into it.

        Parameters
        ----------
        other : Volume
            bool voxels, at least one set; any grid.
        open_ends : bool
            What `other` has at the border of its grid is no outline: what it is a part of goes on there.

        Returns
        -------
        Nearest or None
            None when all of the other outline is such an end.

        Notes
        -----
        A distance changes by at most the way one goes. So one point for every 8 mm tells which part of the
        other outline can hold the nearest point, and of that part the middles of the faces tell which faces.
        """
        centre, half = _faces(other, open_ends=open_ends)
        if not len(centre):
            return None
        keys = np.floor(centre / _BLOCK_MM).astype(np.int64)
        _, first, block = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        gaps = self.signed_mm(_to_mm(other.grid, centre[first]))
        may = (gaps - np.sqrt(3.0) * _BLOCK_MM <= gaps.min())[block.ravel()]
        centre, half = centre[may], half[may]
        gaps = self.signed_mm(_to_mm(other.grid, centre))
        may = gaps - np.linalg.norm(half, axis=1) <= gaps.min()
        centre, half = centre[may], half[may]
        flat = np.argmin(half, axis=1)
        points = np.concatenate(
            [
                (centre[flat == axis][:, None, :] + _face_samples(half[flat == axis][0], ends=True)).reshape(
                    -1, 3
                )
                for axis in np.unique(flat)
            ]
        )
        at = _to_mm(other.grid, points)
        gaps = self.signed_mm(at)
        best = int(np.argmin(gaps))
        return Nearest(float(gaps[best]), as_point(at[best]))


def signed_distance_mm(mask: Volume, points_mm: npt.ArrayLike) -> FloatArray:
    """Return the distances ``(n,)`` of LPS points ``(n, 3)`` to a mask's outline, negative inside.

    Parameters
    ----------
    mask : Volume
        As in `Drawn`, which is kept as long as the mask lives.
    points_mm : array_like
        LPS points, shape ``(n, 3)``.
    """
    with _LOCK:
        known = _CACHE.get(mask)
    if known is None:
        known = Drawn(mask)
        with _LOCK:
            _CACHE[mask] = known
    return known.signed_mm(points_mm)


def _faces(mask: Volume, *, open_ends: bool) -> tuple[FloatArray, FloatArray]:
    """Return centre and half extent ``(m, 3)`` of each face of a mask; one half extent is 0."""
    first, last = voxel_box_ijk(mask)
    part = mask.values[first[2] : last[2] + 1, first[1] : last[1] + 1, first[0] : last[0] + 1]
    padded = np.pad(part, 1)
    spacing = np.asarray(mask.grid.spacing_mm)
    centres, halves = [], []
    for axis in range(3):
        kji = 2 - axis
        low = padded.take(range(padded.shape[kji] - 1), axis=kji)
        high = padded.take(range(1, padded.shape[kji]), axis=kji)
        # A face lies half a voxel beyond the lower of its two voxels; minus one for the padding.
        at = np.argwhere(low != high)[:, ::-1] - 1.0
        at[:, axis] += 0.5
        at += first
        if open_ends:
            at = at[(at[:, axis] > -0.25) & (at[:, axis] < mask.grid.size[axis] - 0.75)]
        centre = at * spacing
        half = 0.5 * spacing.copy()
        half[axis] = 0.0
        centres.append(centre)
        halves.append(np.broadcast_to(half, centre.shape))
    return np.concatenate(centres), np.concatenate(halves)


def _to_mm(grid: Grid, local: FloatArray) -> FloatArray:
    return grid.index_to_mm(local / np.asarray(grid.spacing_mm))


def _face_samples(half: FloatArray, *, ends: bool = False) -> FloatArray:
    """Return offsets ``(n, 3)`` of points that cover a rectangle at less than a millimetre's distance.

    With `ends` they run to its edges and corners, else they are the middles of equal pieces.
    """
    axes = []
    for h in half:
        pieces = max(int(np.ceil(2.0 * h / _SAMPLE_MM)), 1)
        if ends and h > 0.0:
            axes.append(np.linspace(-h, h, pieces + 1))
        else:
            axes.append((np.arange(pieces) + 0.5) / pieces * 2.0 * h - h)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
