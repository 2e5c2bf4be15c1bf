"""Shape: a smooth field whose zero is the outline of a mask, for lines on slices and surfaces in 3D.

Three ways:

* The target: the very field that its margins are measured from (`margins.outline.smooth_signed_distance`
  of its mask on the planning grid). What is drawn is what is measured.
* Other masks with nearly cubic voxels: the mask blurred by a Gaussian G of 0.8 voxel as ``2 G - G G``, minus
  one half. G alone would shrink a sphere of radius R by ``sigma^2 / R``; this takes it back to second order.
* Slices thicker than 1.5 times the pixels: signed distance within each slice, blurred likewise; between
  slices it is interpolated linearly, so that steps become slopes (shape-based interpolation, Raya and
  Udupa, IEEE Trans Med Imaging 9:32, 1990). The last slice ends half a slice further, as its voxels do.

A flat face is not shifted. In the latter two the outline never passes the centre of a voxel: what was drawn
inside stays inside, thin walls and single voxels do not vanish.
"""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask, voxel_box_ijk
from cryoplan.case.structure import Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.outline import smooth_signed_distance

SIGMA_VOXELS = 0.8
THICK = 1.5
_PAD = 3
_TARGET_PAD = 10  # further than the smoothing of the target's field reaches
_KEEP = 0.04  # value left at voxel centres that the blur would have moved across the outline

_LOCK = Lock()
_CACHE: WeakKeyDictionary[Volume, Volume] = WeakKeyDictionary()
_TARGETS: WeakKeyDictionary[Volume, Volume] = WeakKeyDictionary()


def structure_field(structure: Structure, case: Case) -> Volume:
    """Return the smooth field of a structure of a case, positive inside; kept as long as its mask lives."""
    if structure.name != case.target_name:
        return shape_field(structure.mask)
    mask = structure_mask(structure, case.planning_grid)
    with _LOCK:
        known = _TARGETS.get(mask)
    if known is None:
        inside, grid = cropped(mask, _TARGET_PAD)
        signed_mm = smooth_signed_distance(Volume(grid=grid, values=inside))
        known = Volume(grid=grid, values=(-signed_mm.values).astype(np.float32))
        with _LOCK:
            _TARGETS[mask] = known
    return known


def shape_field(mask: Volume) -> Volume:
    """Return the smooth field of a mask, kept as long as the mask lives.

    Parameters
    ----------
    mask : Volume
        bool voxels, at least one of them set; any grid.

    Returns
    -------
    Volume
        float32 on the part of the mask's grid around its voxels; positive inside, zero on the outline.

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    with _LOCK:
        known = _CACHE.get(mask)
    if known is None:
        known = _make(mask)
        with _LOCK:
            _CACHE[mask] = known
    return known


def _make(mask: Volume) -> Volume:
    inside, grid = cropped(mask, _PAD)
    spacing_kji = np.asarray(grid.spacing_mm)[::-1]
    thick = int(np.argmax(spacing_kji))
    others = [float(s) for n, s in enumerate(spacing_kji) if n != thick]
    if spacing_kji[thick] > THICK * max(others):
        field = _by_slices(np.moveaxis(inside, thick, 0), (others[0], others[1]))
        field = np.moveaxis(field, 0, thick)
        least = _KEEP * min(others)
    else:
        field = _blurred(inside.astype(np.float32)) - np.float32(0.5)
        least = _KEEP
    field = np.where(inside, np.maximum(field, least), np.minimum(field, -least))
    return Volume(grid=grid, values=np.ascontiguousarray(field, np.float32))


def cropped(mask: Volume, pad: int) -> tuple[npt.NDArray[np.bool_], Grid]:
    """Return the part of a mask around its voxels, framed by `pad` empty voxels, and that part's grid."""
    first, last = voxel_box_ijk(mask)
    part = mask.values[first[2] : last[2] + 1, first[1] : last[1] + 1, first[0] : last[0] + 1]
    corner = mask.grid.index_to_mm(np.asarray(first, float) - pad)
    framed = np.pad(part, pad)
    grid = Grid(
        size=(framed.shape[2], framed.shape[1], framed.shape[0]),
        spacing_mm=mask.grid.spacing_mm,
        origin_mm=(float(corner[0]), float(corner[1]), float(corner[2])),
        direction=mask.grid.direction,
    )
    return framed, grid


def _blurred(field: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    once = ndimage.gaussian_filter(field, SIGMA_VOXELS, truncate=3.0)
    return np.asarray(2.0 * once - ndimage.gaussian_filter(once, SIGMA_VOXELS, truncate=3.0), np.float32)


def _by_slices(slices: npt.NDArray[np.bool_], spacing: tuple[float, float]) -> npt.NDArray[Any]:
    field = np.zeros(slices.shape, np.float32)
    drawn = np.asarray(slices.any(axis=(1, 2)))
    for n in np.flatnonzero(drawn):
        within = ndimage.distance_transform_edt(slices[n], sampling=spacing)
        without = ndimage.distance_transform_edt(~slices[n], sampling=spacing)
        field[n] = _blurred((within - without).astype(np.float32))
    far = -float(np.hypot(*(n * s for n, s in zip(slices.shape[1:], spacing, strict=True))))
    for n in np.flatnonzero(~drawn):
        sides = [m for m in (n - 1, n + 1) if 0 <= m < len(slices) and drawn[m]]
        # Minus the neighbour's distance puts the end midway, where the voxels of the last slice end.
        field[n] = np.min([-np.abs(field[m]) for m in sides], axis=0) if sides else far
    return field
