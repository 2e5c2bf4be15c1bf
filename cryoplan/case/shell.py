"""Shell: the outline of a mask in blocks, so that what is nearest to a line is found at once.

While a probe is dragged, its shaft is measured against thirty structures of a whole scan twenty times a
second. A tree of all faces takes seconds to build and asks for them all; but only the blocks that the shaft
comes near to can hold the nearest face. So the voxels are first only counted, in blocks of 8 x 8 x 8, and the
faces of a block are looked up when somebody comes near to it, and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.case.planning import voxel_box_ijk
from cryoplan.core.geometry import FloatArray, Point, point_to_segment_mm
from cryoplan.core.volume import Volume

EDGE = 8
"""Voxels along a block."""

_AT_ONCE = 48
_ALIKE_VOXELS = 0.4
_MOST_ALIKE = 3
_APART_MM = 4.0
_SAMPLE_MM = 1.6
_OFFSETS = np.stack(np.meshgrid(*[np.arange(EDGE + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)

_LOCK = Lock()
_KEPT: WeakKeyDictionary[Volume, Shell] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Near:
    """The place of an outline that is nearest to what was asked for.

    Attributes
    ----------
    distance_mm : float
        Without sign.
    place : ndarray
        ``(3,)`` on the drawn outline, in the millimetres of the grid's own axes (index times spacing).
    others : tuple of ndarray
        Places elsewhere on the outline that are nearly as near: voxels cannot tell which it is.
    """

    distance_mm: float
    place: FloatArray
    others: tuple[FloatArray, ...] = ()


class Shell:
    """The drawn outline (voxel faces) of one mask, which takes some bytes a block while it is kept.

    Parameters
    ----------
    mask : Volume
        bool voxels, at least one set; what is beyond the grid counts as outside.
    """

    def __init__(self, mask: Volume) -> None:
        self._grid, self._values = mask.grid, mask.values
        self._spacing = np.asarray(mask.grid.spacing_mm, float)
        first, last = voxel_box_ijk(mask)
        # One voxel of outside before the box: a face belongs to the lower of its two voxels.
        self._low = np.asarray(first) - 1
        count = -(-(np.asarray(last) + 1 - self._low) // EDGE)
        part = mask.values[first[2] : last[2] + 1, first[1] : last[1] + 1, first[0] : last[0] + 1]
        held = _counts(part, count)
        full = held == EDGE**3
        is_pure = full | (held == 0)
        flagged = ~is_pure
        for axis in range(3):
            here = [slice(None)] * 3
            there = [slice(None)] * 3
            here[axis], there[axis] = slice(None, -1), slice(1, None)
            flagged[tuple(here)] |= ~(is_pure[tuple(there)] & (full[tuple(there)] == full[tuple(here)]))
            here[axis] = slice(-1, None)
            flagged[tuple(here)] |= held[tuple(here)] > 0
        block_ijk = np.argwhere(flagged)[:, ::-1]
        self._start = self._low + EDGE * block_ijk
        # Half a voxel before its first voxel and behind its last is all that the faces of a block reach.
        self._centre = (self._start + 0.5 * (EDGE - 1)) * self._spacing
        self._half_mm = float(0.5 * np.linalg.norm(EDGE * self._spacing))
        # One that is whole may be kept for the sake of its neighbour alone; it promises no face.
        self._has_faces = ~is_pure[flagged]
        self._faces: dict[int, FloatArray] = {}

    def near_segment(self, start: FloatArray, end: FloatArray, *, below_mm: float = np.inf) -> Near | None:
        """Return the place of the outline that is nearest to a segment, None where none is below a distance.

        Parameters
        ----------
        start, end : ndarray
            ``(3,)``, millimetres of the grid's own axes.
        below_mm : float
            Nobody wants to know of anything farther.
        """
        centres = np.asarray(point_to_segment_mm(self._centre, start, end))
        lower = centres - self._half_mm
        surely = centres[self._has_faces].min(initial=np.inf) + self._half_mm
        limit = min(float(surely), below_mm)
        order = np.flatnonzero(lower <= limit)
        order = order[np.argsort(lower[order])]
        least = np.inf
        slack = _ALIKE_VOXELS * float(self._spacing.min())
        found: list[tuple[FloatArray, FloatArray]] = []
        for begin in range(0, len(order), _AT_ONCE):
            chosen = order[begin : begin + _AT_ONCE]
            if lower[chosen[0]] > least + slack:
                break
            places = self._places(chosen)
            if len(places):
                distances = np.asarray(point_to_segment_mm(places, start, end))
                least = min(least, float(distances.min()))
                near = distances <= least + slack
                found.append((distances[near], places[near]))
        if not found or least > below_mm:
            return None
        distances = np.concatenate([d for d, _ in found])
        places = np.concatenate([p for _, p in found])
        alike = np.flatnonzero(distances <= least + slack)
        alike = alike[np.argsort(distances[alike], kind="stable")]
        apart = [places[alike[0]]]
        for n in alike[1:]:
            if len(apart) == _MOST_ALIKE:
                break
            if min(float(np.linalg.norm(places[n] - p)) for p in apart) > _APART_MM:
                apart.append(places[n])
        return Near(least, apart[0], tuple(apart[1:]))

    def distances_mm(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the distances ``(n,)`` of a few points to the outline, and its nearest places ``(n, 3)``."""
        from scipy.spatial.distance import cdist

        centres = cdist(points, self._centre)
        surely = np.where(self._has_faces, centres, np.inf).min(axis=1, keepdims=True) + self._half_mm
        may = centres - self._half_mm <= surely
        places = self._places(np.flatnonzero(may.any(axis=0)))
        apart = cdist(points, places)
        nearest = np.argmin(apart, axis=1)
        return apart[np.arange(len(points)), nearest], places[nearest]

    def to_point_mm(self, point_mm: Point) -> float:
        """Return the distance of an LPS point to the outline, without sign."""
        local = self._grid.mm_to_index(point_mm) * self._spacing
        return float(self.distances_mm(local[None])[0][0])

    def _places(self, blocks: npt.NDArray[np.intp]) -> FloatArray:
        """Return points ``(m, 3)`` that cover the faces of some blocks."""
        new = np.array([b for b in blocks if int(b) not in self._faces], dtype=np.intp)
        for begin in range(0, len(new), _AT_ONCE):
            self._look_up(new[begin : begin + _AT_ONCE])
        return np.concatenate([self._faces[int(b)] for b in blocks]) if len(blocks) else np.zeros((0, 3))

    def _look_up(self, blocks: npt.NDArray[np.intp]) -> None:
        edge = EDGE + 1
        at = self._start[blocks][:, None, :] + _OFFSETS
        size = np.asarray(self._values.shape[::-1])
        within = np.all((at >= 0) & (at < size), axis=-1)
        i, j, k = np.moveaxis(np.where(within[..., None], at, 0), -1, 0)
        inside = (self._values[k, j, i] & within).reshape(len(blocks), edge, edge, edge)
        owners, places = [], []
        for axis in range(3):
            low = inside.take(range(EDGE), axis=axis + 1)
            high = inside.take(range(1, edge), axis=axis + 1)
            differ = low != high
            # Only faces of the block itself: those of its upper rim belong to the next one.
            for other in range(3):
                if other != axis:
                    differ = differ.take(range(EDGE), axis=other + 1)
            found = np.argwhere(differ)
            place = (self._start[blocks[found[:, 0]]] + found[:, 1:]).astype(float)
            place[:, axis] += 0.5
            offsets = _face_offsets(self._spacing, axis)
            places.append((place[:, None, :] * self._spacing + offsets).reshape(-1, 3))
            owners.append(np.repeat(found[:, 0], len(offsets)))
        owner, place = np.concatenate(owners), np.concatenate(places)
        order = np.argsort(owner, kind="stable")
        ends = np.searchsorted(owner[order], np.arange(len(blocks) + 1))
        for number, block in enumerate(blocks):
            self._faces[int(block)] = place[order[ends[number] : ends[number + 1]]]


def shell_of(mask: Volume) -> Shell:
    """Return the shell of a mask, kept as long as the mask lives."""
    with _LOCK:
        known = _KEPT.get(mask)
    if known is None:
        known = Shell(mask)
        with _LOCK:
            _KEPT[mask] = known
    return known


def _counts(part: npt.NDArray[np.bool_], blocks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many voxels each block ``[k, j, i]`` holds, the first plane of each axis being outside."""
    found = part.view(np.uint8)
    for axis in range(3):
        number = int(blocks[2 - axis])
        # Voxel n of the box is number n + 1 of the blocks, so the first block holds one fewer.
        starts = np.concatenate([[0], np.arange(EDGE - 1, found.shape[axis], EDGE)])[:number]
        found = np.add.reduceat(found, starts, axis=axis, dtype=np.uint16 if axis < 2 else np.int64)
    return np.asarray(found, dtype=np.int64)


def _face_offsets(spacing: FloatArray, axis: int) -> FloatArray:
    """Return offsets ``(n, 3)`` mm that cover a face across an axis less than 1.6 mm apart."""
    axes = []
    for other in range(3):
        pieces = 1 if other == axis else max(int(np.ceil(spacing[other] / _SAMPLE_MM)), 1)
        axes.append(((np.arange(pieces) + 0.5) / pieces - 0.5) * spacing[other] * (other != axis))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
