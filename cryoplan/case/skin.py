"""Skin: where the patient's body ends, from an outlined body or from the Hounsfield values of a CT."""

from __future__ import annotations

from threading import Lock
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import FloatArray, Point, as_point, unit
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import BLOCK_MM, Blocks
from cryoplan.image.anatomy.body import BODY_HU, body_blocks
from cryoplan.image.scan import Scan

_STEP_MM = 0.25

_LOCK = Lock()
_CACHE: WeakKeyDictionary[Volume, Volume] = WeakKeyDictionary()
_WHOLE: WeakKeyDictionary[Volume, tuple[tuple[ref[Volume], ...], Volume]] = WeakKeyDictionary()


def body_mask(case: Case) -> Volume | None:
    """Return the body as bool voxels, None when nothing tells where it ends.

    The outlined structure of role *body* if there is one, with what lies in it. Else, on a CT, what is above
    -300 HU with its holes filled slice by slice, without thin things (table, lines) and arms
    (`cryoplan.image.anatomy.body`); its voxels are about 2 mm wide. An MR without an outlined body has none:
    its values say nothing about air.
    """
    for structure in case.structures:
        if structure.role is Role.BODY:
            return _whole_body(case, structure)
    if not case.scan.facts.has_hounsfield:
        return None
    return body_of_ct(case.scan)


def _whole_body(case: Case, outlined: Structure) -> Volume:
    """Return an outlined body together with what lies in it.

    In a label map a voxel has one label, so that the label of the body leaves out every organ; what is
    outlined on the same grid belongs to the body, and holes are filled slice by slice.
    """
    # Compared by identity: volumes have no other equality.
    others = [s.mask for s in case.structures if s is not outlined and s.mask.grid == outlined.mask.grid]
    from scipy import ndimage

    with _LOCK:
        known = _WHOLE.get(outlined.mask)
    if known is not None and [r() for r in known[0]] == others:
        return known[1]
    values = outlined.mask.values.copy()
    for mask in others:
        values |= mask.values
    for plane in values:
        if plane.any() and not plane.all():
            plane[...] = ndimage.binary_fill_holes(plane)
    whole = outlined.mask
    if np.count_nonzero(values) != np.count_nonzero(whole.values):
        whole = Volume(grid=outlined.mask.grid, values=values)
    with _LOCK:
        _WHOLE[outlined.mask] = (tuple(ref(mask) for mask in others), whole)
    return whole


def body_source(case: Case) -> str:
    """Say in words where `body_mask` comes from; empty when there is none."""
    for structure in case.structures:
        if structure.role is Role.BODY:
            return f"the structure {structure.name}"
    return f"CT values above {BODY_HU:.0f} HU" if case.scan.facts.has_hounsfield else ""


def body_of_ct(scan: Scan) -> Volume:
    """Return the body found in a CT, see `body_mask`. Kept as long as the image lives.

    Takes a few tenths of a second the first time: call it in the background before a window needs it.
    """
    with _LOCK:
        known = _CACHE.get(scan.volume)
    if known is None:
        known = _find_body(scan.volume)
        with _LOCK:
            _CACHE[scan.volume] = known
    return known


def skin_entry(case: Case, inside_mm: npt.ArrayLike, toward_mm: npt.ArrayLike) -> Point | None:
    """Return where the ray from a point inside through another point first leaves the body.

    Parameters
    ----------
    case : Case
        Scan and structures.
    inside_mm, toward_mm : array_like
        LPS points; the ray starts at the first.

    Returns
    -------
    Point or None
        LPS position of the skin, refined to a quarter of a millimetre; None when the start is outside the
        body, when the ray leaves the image before the body, or when nothing tells where the body ends.

    Raises
    ------
    ValueError
        If both points are the same.
    """
    body = body_mask(case)
    start = np.asarray(inside_mm, float)
    direction = unit(np.asarray(toward_mm, float) - start)
    if body is None:
        return None
    lower, upper = body.grid.bounds_mm()
    reach = float(np.linalg.norm(upper - lower))
    distances = np.arange(0.0, reach, _STEP_MM)
    points = start + distances[:, None] * direction
    inside = sample_mask(body, points)
    within = body.grid.contains_mm(points)
    if not inside[0]:
        return None
    first_out = int(np.argmin(inside))
    # A body that the edge of the image cuts off ends there in the image, not in the skin.
    if inside[first_out] or not within[first_out + 1 :].any() or not within[first_out]:
        return None
    distance = float(distances[first_out]) - 0.5 * _STEP_MM
    if all(s.role is not Role.BODY for s in case.structures):
        distance = _refined(case.scan.volume, start, direction, distance)
    return as_point(start + distance * direction)


def sample_mask(mask: Volume, points_mm: FloatArray) -> npt.NDArray[np.bool_]:
    """Return the voxel ``(n,)`` of a mask at each LPS point ``(n, 3)``; False outside its grid."""
    index = np.rint(mask.grid.mm_to_index(points_mm)).astype(np.int64)
    inside = np.all((index >= 0) & (index < np.asarray(mask.grid.size)), axis=-1)
    i, j, k = np.moveaxis(np.where(inside[:, None], index, 0), -1, 0)
    return np.asarray(mask.values[k, j, i] & inside)


def _refined(image: Volume, start: FloatArray, direction: FloatArray, distance: float) -> float:
    """Move a coarse skin distance to where the image itself falls through the threshold, if that is near."""
    from scipy import ndimage

    reach = 2.0 * BLOCK_MM
    offsets = np.arange(distance - reach, distance + reach, _STEP_MM)
    index = image.grid.mm_to_index(start + offsets[:, None] * direction)
    if not np.all(image.grid.contains_mm(start + offsets[:, None] * direction)):
        return distance
    lower = np.maximum(np.floor(index.min(axis=0)).astype(int) - 1, 0)
    upper = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 2, image.grid.size)
    part = image.values[lower[2] : upper[2], lower[1] : upper[1], lower[0] : upper[0]]
    values = ndimage.map_coordinates(
        part.astype(np.float64), (index - lower)[:, ::-1].T, order=1, mode="nearest"
    )
    above = values > BODY_HU
    falls = np.flatnonzero(above[:-1] & ~above[1:])
    if falls.size == 0:
        return distance
    crossing = offsets[falls] + 0.5 * _STEP_MM
    return float(crossing[np.argmin(np.abs(crossing - distance))])


def _find_body(image: Volume) -> Volume:
    blocks = Blocks.of(image)
    body, _ = body_blocks(blocks)
    return Volume(grid=blocks.grid(), values=blocks.in_order(body))
