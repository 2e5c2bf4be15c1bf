"""Diameters: the three numbers by which a lesion is known - longest, across it, and head to feet.

Definition. On axial slices: the longest extent (Feret diameter) within any slice, as RECIST 1.1 measures a
target lesion (Eisenhauer et al., Eur J Cancer 45:228, 2009, section 4.1: longest diameter in the plane of
measurement); the extent across it in the same slice, the second of the two perpendicular diameters of the WHO
(Miller et al., Cancer 47:207, 1981); and the cranio-caudal extent of all slices. Each is measured between
parallel lines that touch the outline (calipers), where the outline runs midway between unlike voxels.

Each comes with how far it can be off because the outline is made of voxels: half a voxel at either end, as
wide as the voxel is in that direction, and within slices what a ball of this size loses when its middle lies
between two of them. How well somebody drew is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.case.planning import mask_box_mm, voxel_box_ijk
from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume

LARGEST_TILT_DEG = 5.0
"""Slices that are tilted less count as axial: it changes a length by 0.4 % at most."""

MOST_VOXELS = 250
"""Along an edge when a mask is put upright: larger structures are measured on coarser voxels."""


@dataclass(frozen=True, slots=True)
class Length:
    """A length, and by how much it can be off because of the voxels; both millimetres."""

    mm: float
    within_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diameters:
    """Three diameters of a structure.

    Attributes
    ----------
    longest, across : Length
        Within the axial slice in which the structure is longest.
    cranio_caudal : Length
        From its lowest to its highest slice.
    middle_mm : Point
        Middle of the longest diameter, LPS.
    """

    longest: Length
    across: Length
    cranio_caudal: Length
    middle_mm: Point


def measure_diameters(mask: Volume) -> Diameters:
    """Return the three diameters of a mask (bool, at least one voxel set; any grid).

    Notes
    -----
    Where no axis of the grid runs from head to feet (within 5 degrees), the mask is first put on an upright
    grid of its own finest spacing.
    """
    from scipy.spatial.distance import pdist

    upright = _upright(mask)
    grid = upright.grid
    axial = int(np.argmax(np.abs(grid.axes[2])))
    first, last = voxel_box_ijk(upright)
    place = tuple(slice(a, b + 1) for a, b in zip(first[::-1], last[::-1], strict=True))
    part = np.moveaxis(upright.values[place], 2 - axial, 0)
    rows, columns = (a for a in (2, 1, 0) if a != axial)
    step = np.array([grid.spacing_mm[rows], grid.spacing_mm[columns]])
    longest, level = -1.0, 0
    hull: FloatArray = np.zeros((0, 2))
    for number, plane in enumerate(part):
        if not plane.any():
            continue
        corners = _hull(plane) * step
        if float(np.linalg.norm(np.ptp(corners, axis=0))) <= longest:
            continue
        widest = float(pdist(corners).max())
        if widest > longest:
            longest, hull, level = widest, corners, number
    ends, across = _across(hull, longest - 0.5 * float(step.min()))
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    turned = np.array([-along[1], along[0]])
    height = len(part) * grid.spacing_mm[axial]
    middle = np.asarray(first, float)
    middle[rows] += ends.mean(axis=0)[0] / step[0]
    middle[columns] += ends.mean(axis=0)[1] / step[1]
    middle[axial] += level

    def in_patient(direction: FloatArray) -> FloatArray:
        return np.asarray(direction[0] * grid.axes[:, rows] + direction[1] * grid.axes[:, columns])

    slices = voxel_width_mm(mask.grid, (0.0, 0.0, 1.0))
    extra = 0.0 if upright is mask else grid.spacing_mm[0]
    return Diameters(
        longest=_in_slices(longest, voxel_width_mm(mask.grid, in_patient(along)) + extra, slices),
        across=_in_slices(across, voxel_width_mm(mask.grid, in_patient(turned)) + extra, slices),
        cranio_caudal=Length(height, slices + extra),
        middle_mm=as_point(grid.index_to_mm(middle)),
    )


def voxel_width_mm(grid: Grid, direction: npt.ArrayLike) -> float:
    """Return how wide a voxel of a grid is along an LPS direction, between touching planes, millimetres."""
    along = np.abs(np.asarray(direction, float) @ grid.axes)
    return float(along @ np.asarray(grid.spacing_mm))


def _in_slices(length: float, voxel_mm: float, slice_mm: float) -> Length:
    # The largest section of a ball can lie half a slice beside the slice that shows it best.
    return Length(length, voxel_mm + float(np.hypot(length, slice_mm)) - length)


def _upright(mask: Volume) -> Volume:
    if float(np.abs(mask.grid.axes[2]).max()) >= np.cos(np.radians(LARGEST_TILT_DEG)):
        return mask
    from cryoplan.image.resample import mask_to_grid

    lower, upper = mask_box_mm(mask)
    spacing = max(min(mask.grid.spacing_mm), float((upper - lower).max()) / MOST_VOXELS)
    made = mask_to_grid(mask, Grid.isotropic(lower, upper, spacing))
    return made if made.values.any() else mask


def _across(hull: FloatArray, least: float) -> tuple[FloatArray, float]:
    """Return the ends ``(2, 2)`` of the longest diameter of a convex outline, and its extent across that.

    Which of several diameters is the longest, within half a voxel, is chance; that across which the outline
    is narrowest runs along it. Without that, two voxels at the end of a long lesion would turn the line.
    """
    a, b = np.triu_indices(len(hull), 1)
    along = hull[b] - hull[a]
    length = np.linalg.norm(along, axis=1)
    long = np.flatnonzero(length >= least)
    turned = along[long][:, ::-1] * (-1.0, 1.0) / length[long][:, None]
    widths = np.ptp(turned @ hull.T, axis=1)
    best = int(np.argmin(widths))
    return hull[[a[long[best]], b[long[best]]]], float(widths[best])


def _hull(plane: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the convex hull ``(n, 2)`` of the outline of a slice, in its rows and columns."""
    from scipy.spatial import ConvexHull

    # Of each row and each column only the ends can be on the hull.
    points = []
    for turned in (False, True):
        lines = plane.T if turned else plane
        used = np.flatnonzero(lines.any(axis=1))
        start = lines[used].argmax(axis=1) - 0.5
        end = lines.shape[1] - 0.5 - lines[used][:, ::-1].argmax(axis=1)
        for at in (start, end):
            pair = (at, used) if turned else (used, at)
            points.append(np.stack([np.asarray(p, float) for p in pair], axis=1))
    found = np.concatenate(points)
    return np.asarray(found[ConvexHull(found).vertices])
