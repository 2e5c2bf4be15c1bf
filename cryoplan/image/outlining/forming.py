"""Forming: what is done to a whole mask (fill, smooth, grow by mm, combine), and masks from numbers."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.box import VoxelBox
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.strokes import Patch

BoolArray = npt.NDArray[np.bool_]


class Combination(StrEnum):
    """How two masks make one."""

    ADD = "add"
    SUBTRACT = "subtract"
    INTERSECT = "intersect"


def filled(mask: Volume) -> Volume:
    """Return a mask without holes: cavities in space, and holes within a slice of the scan."""
    box = VoxelBox.drawn(mask.values)
    if box is None:
        return mask
    part = ndimage.binary_fill_holes(mask.values[box.place])
    for plane in part:
        if plane.any():
            plane[...] = ndimage.binary_fill_holes(plane)
    return _with(mask, box, part)


def largest_island(mask: Volume) -> Volume:
    """Return the largest piece of a mask; voxels that touch by a face are one piece."""
    box = VoxelBox.drawn(mask.values)
    if box is None:
        return mask
    labels, count = ndimage.label(mask.values[box.place])
    if count == 1:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return _with(mask, box, labels == int(np.argmax(sizes)))


def island_count(mask: Volume) -> int:
    """Return how many pieces a mask has; voxels that touch by a face are one piece."""
    box = VoxelBox.drawn(mask.values)
    return 0 if box is None else int(ndimage.label(mask.values[box.place])[1])


def smoothed(mask: Volume, radius_mm: float) -> Volume:
    """Return a mask whose outline has lost bumps and dents smaller than `radius_mm`, of the same volume.

    The mask is blurred by a Gaussian of half the radius and cut where as many voxels are left as there were:
    blurring alone would shrink what is round. Across slices thicker than the radius it changes nothing.
    """
    box = VoxelBox.drawn(mask.values)
    if box is None or radius_mm <= 0.0:
        return mask
    box = box.grown(mask.grid, radius_mm)
    spacing = np.asarray(mask.grid.spacing_mm[::-1])
    sigmas = [0.5 * radius_mm / s if s <= radius_mm else 0.0 for s in spacing]
    part = mask.values[box.place]
    pads = [(int(np.ceil(3.0 * s)),) * 2 for s in sigmas]
    blurred = ndimage.gaussian_filter(
        np.pad(part, pads, mode="edge").astype(np.float32), sigmas, mode="nearest"
    )
    blurred = blurred[tuple(slice(a, n - a) for (a, _), n in zip(pads, blurred.shape, strict=True))]
    # Many voxels may have one value: the cut then leaves some more.
    wanted = int(np.count_nonzero(part))
    cut = np.partition(blurred.ravel(), blurred.size - wanted)[blurred.size - wanted]
    return _with(mask, box, blurred >= max(float(cut), 1e-3))


def with_margin(mask: Volume, margin_mm: float) -> Volume:
    """Return a mask grown (or, with a negative margin, shrunk) by a distance in millimetres.

    Distances run from the outline, midway between unlike voxels; a voxel belongs to the new mask when its
    centre does. What lies outside the image cannot be drawn.
    """
    box = VoxelBox.drawn(mask.values)
    if box is None or margin_mm == 0.0:
        return mask
    spacing = np.asarray(mask.grid.spacing_mm[::-1])
    box = box.grown(mask.grid, abs(margin_mm) + float(spacing.max()))
    part = mask.values[box.place]
    if margin_mm > 0.0:
        new = _outside_mm(part, spacing) <= margin_mm + 1e-6
    else:
        new = part & (_outside_mm(~part, spacing) > -margin_mm + 1e-6)
    return _with(mask, box, new)


def combined(mask: Volume, other: Volume, how: Combination) -> Volume:
    """Return two masks of one grid as one.

    Raises
    ------
    ValueError
        If they are on different grids.
    """
    if mask.grid != other.grid:
        raise ValueError("masks are combined on one grid")
    if how is Combination.ADD:
        return Volume(grid=mask.grid, values=mask.values | other.values)
    if how is Combination.SUBTRACT:
        return Volume(grid=mask.grid, values=mask.values & ~other.values)
    return Volume(grid=mask.grid, values=mask.values & other.values)


def between(
    image: Volume, first_mm: npt.ArrayLike, last_mm: npt.ArrayLike, low: float, high: float
) -> Patch | None:
    """Return the voxels of a box whose value lies from `low` to `high`; None when it holds no voxel.

    Parameters
    ----------
    first_mm, last_mm : array_like (3,)
        Opposite LPS corners of a box along the patient axes, in any order; the grid may lie obliquely in it.
    low, high : float
        Both included, in the image's unit.
    """
    corners = np.sort(np.stack([np.asarray(first_mm, float), np.asarray(last_mm, float)]), axis=0)
    # Voxels that are thicker than the box still have one layer in it.
    middle, half = corners.mean(axis=0), 0.5 * np.ptp(corners, axis=0)
    half = np.maximum(half, 0.5 * np.abs(image.grid.axes) @ np.asarray(image.grid.spacing_mm))
    all_corners = middle + half * np.stack(np.meshgrid(*[(-1.0, 1.0)] * 3), axis=-1).reshape(-1, 3)
    box = VoxelBox.around(image.grid, all_corners, 0.0)
    if box is None:
        return None
    values = image.values[box.place]
    inside = (values >= low) & (values <= high)
    steps = image.grid.axes * np.asarray(image.grid.spacing_mm)
    from_middle = image.grid.index_to_mm(box.first_ijk) - middle
    nk, nj, ni = box.shape
    along = (np.arange(ni), np.arange(nj)[:, None], np.arange(nk)[:, None, None])
    for axis in range(3):
        # One axis of a straight grid needs a row of numbers only, not one for every voxel.
        parts = [s * n for s, n in zip(steps[axis], along, strict=True) if s != 0.0]
        away = np.abs(sum(parts, from_middle[axis]))
        inside &= away <= half[axis] + 1e-9
    return Patch(box, inside) if inside.any() else None


def ellipsoid(
    grid: Grid, centre_mm: npt.ArrayLike, diameters_mm: npt.ArrayLike, axes: npt.ArrayLike | None = None
) -> Patch | None:
    """Return an ellipsoid as voxels; None when no voxel of the grid lies in it.

    Parameters
    ----------
    centre_mm : array_like (3,)
        LPS position.
    diameters_mm : array_like (3,)
        Three measured diameters.
    axes : array_like (3, 3), optional
        Columns are the unit vectors that the diameters run along; LPS x, y, z when left out.

    Notes
    -----
    A voxel belongs to it when its centre does; the smallest one is the voxel of its centre.
    """
    half = 0.5 * np.asarray(diameters_mm, float)
    turn = np.eye(3) if axes is None else np.asarray(axes, float)
    centre = np.asarray(centre_mm, float)
    box = VoxelBox.around(grid, centre, float(max(half.max(), max(grid.spacing_mm))))
    if box is None:
        return None
    k, j, i = np.indices(box.shape)
    points = box.grid(grid).index_to_mm(np.stack([i, j, k], axis=-1)) - centre
    inside = (((points @ turn) / half) ** 2).sum(axis=-1) <= 1.0
    if not inside.any():
        index = np.rint(grid.mm_to_index(centre)).astype(int) - np.asarray(box.first_ijk)
        if np.any(index < 0) or np.any(index >= np.asarray(box.shape[::-1])):
            return None
        inside[index[2], index[1], index[0]] = True
    return Patch(box, inside)


def _outside_mm(mask: BoolArray, spacing: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how far each voxel centre lies from a mask's outline, 0 inside; infinite where there is no mask.

    The outline lies half a voxel beyond the last centre, in the direction in which it is nearest.
    """
    if not mask.any():
        return np.full(mask.shape, np.inf)
    away, nearest = ndimage.distance_transform_edt(~mask, sampling=spacing, return_indices=True)
    index = np.indices(mask.shape)
    steps = np.abs(index - nearest) * spacing[:, None, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(away > 0.0, steps / away, 0.0)
    # Half the voxel's extent as seen along the way to the nearest voxel.
    half = 0.5 * (share * spacing[:, None, None, None]).max(axis=0)
    return np.asarray(np.maximum(away - half, 0.0))


def _with(mask: Volume, box: VoxelBox, part: BoolArray) -> Volume:
    values = np.zeros(mask.grid.shape, bool)
    values[box.place] = part
    return Volume(grid=mask.grid, values=values)
