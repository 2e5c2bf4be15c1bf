"""Surface: exact distances from points to the drawn outline of a mask.

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
from cryoplan.core.geometry import FloatArray
from cryoplan.core.volume import Volume

_SAMPLE_MM = 1.0
_CANDIDATES = 8

_LOCK = Lock()
_CACHE: WeakKeyDictionary[Volume, _Outline] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Outline:
    """Faces of a mask in its own axes, millimetres from its origin along i, j, k.

    Attributes
    ----------
    tree : scipy.spatial.cKDTree
        Over the samples.
    face : numpy.ndarray
        ``(n,)`` number of the face that each sample lies on.
    centre, half : numpy.ndarray
        ``(m, 3)`` centre and half extent of each face; one half extent is 0.
    """

    tree: Any
    face: npt.NDArray[np.intp]
    centre: FloatArray
    half: FloatArray


def signed_distance_mm(mask: Volume, points_mm: npt.ArrayLike) -> FloatArray:
    """Return the distances ``(n,)`` of LPS points ``(n, 3)`` to a mask's outline, negative inside.

    Parameters
    ----------
    mask : Volume
        bool voxels, at least one set; any grid. Its part beyond the grid counts as outside.
    points_mm : array_like
        LPS points, shape ``(n, 3)``.
    """
    outline = _outline_of(mask)
    index = mask.grid.mm_to_index(points_mm)
    local = index * np.asarray(mask.grid.spacing_mm)
    count = min(_CANDIDATES, len(outline.face))
    _, found = outline.tree.query(local, k=count)
    faces = outline.face[np.asarray(found).reshape(len(local), count)]
    beyond = np.abs(local[:, None, :] - outline.centre[faces]) - outline.half[faces]
    distance = np.linalg.norm(np.maximum(beyond, 0.0), axis=-1).min(axis=-1)
    nearest = np.rint(index).astype(np.int64)
    within = np.all((nearest >= 0) & (nearest < np.asarray(mask.grid.size)), axis=-1)
    i, j, k = np.moveaxis(np.where(within[:, None], nearest, 0), -1, 0)
    inside = mask.values[k, j, i] & within
    return np.asarray(np.where(inside, -distance, distance))


def _outline_of(mask: Volume) -> _Outline:
    with _LOCK:
        known = _CACHE.get(mask)
    if known is None:
        known = _find_outline(mask)
        with _LOCK:
            _CACHE[mask] = known
    return known


def _find_outline(mask: Volume) -> _Outline:
    from scipy.spatial import cKDTree

    first, last = voxel_box_ijk(mask)
    part = mask.values[first[2] : last[2] + 1, first[1] : last[1] + 1, first[0] : last[0] + 1]
    padded = np.pad(part, 1)
    spacing = np.asarray(mask.grid.spacing_mm)
    centres, halves, samples, owners = [], [], [], []
    count = 0
    for axis in range(3):
        kji = 2 - axis
        low = padded.take(range(padded.shape[kji] - 1), axis=kji)
        high = padded.take(range(1, padded.shape[kji]), axis=kji)
        # A face lies half a voxel beyond the lower of its two voxels; minus one for the padding.
        at = np.argwhere(low != high)[:, ::-1] - 1.0
        at[:, axis] += 0.5
        centre = (at + first) * spacing
        half = 0.5 * spacing.copy()
        half[axis] = 0.0
        offsets = _face_samples(half)
        centres.append(centre)
        halves.append(np.broadcast_to(half, centre.shape))
        samples.append((centre[:, None, :] + offsets).reshape(-1, 3))
        owners.append(np.repeat(np.arange(count, count + len(centre)), len(offsets)))
        count += len(centre)
    return _Outline(
        # Without balancing the tree is built three times faster and asked as fast.
        tree=cKDTree(np.concatenate(samples), balanced_tree=False, compact_nodes=False),
        face=np.concatenate(owners),
        centre=np.concatenate(centres),
        half=np.concatenate(halves),
    )


def _face_samples(half: FloatArray) -> FloatArray:
    """Return offsets ``(n, 3)`` of points that cover a rectangle at less than a millimetre's distance."""
    axes = []
    for h in half:
        pieces = max(int(np.ceil(2.0 * h / _SAMPLE_MM)), 1)
        axes.append((np.arange(pieces) + 0.5) / pieces * 2.0 * h - h)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
