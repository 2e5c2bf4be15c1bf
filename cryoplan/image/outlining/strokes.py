"""Strokes: which voxels a brush, a ball or a lasso covers; what painting and erasing make of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cryoplan.core.box import VoxelBox
from cryoplan.core.grid import Grid

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Some voxels of a grid.

    Attributes
    ----------
    box : VoxelBox
        Where they are.
    voxels : bool array
        Of the shape of the box, ``[k, j, i]``.
    """

    box: VoxelBox
    voxels: BoolArray


def brush(
    grid: Grid, path_mm: npt.ArrayLike, radius_mm: float, *, normal: npt.ArrayLike | None = None
) -> Patch | None:
    """Return the voxels that a round brush covers on its way; None when it stays beside the grid.

    Parameters
    ----------
    grid : Grid
        Grid of the mask.
    path_mm : array_like (n, 3)
        LPS points that the middle of the brush went through, at least one.
    radius_mm : float
        Radius of the brush.
    normal : array_like (3,), optional
        Unit vector across the plane of drawing: the brush is then a disc that is one voxel thick, in the
        plane through each point of the path; without it, it is a ball.

    Notes
    -----
    A voxel is covered when its centre is. The smallest brush still covers the voxel that it is in, so that
    no stroke goes without an effect on thick slices.
    """
    path = np.atleast_2d(np.asarray(path_mm, float))
    across = np.zeros(3) if normal is None else np.asarray(normal, float)
    half_mm = 0.0 if normal is None else 0.5 * _thickness_mm(grid, across)
    # A disc is thin: across it only the voxels beside the plane are looked at.
    spread = np.sqrt(np.maximum(1.0 - (across @ grid.axes) ** 2, 0.0))
    reach = np.maximum(radius_mm * spread + half_mm, grid.spacing_mm)
    box = VoxelBox.around(grid, path, reach)
    if box is None:
        return None
    nk, nj, ni = box.shape
    first = np.asarray(box.first_ijk, float)
    # Millimetres along the grid's own axes: distances there are those in the patient, whatever the direction.
    spacing = np.asarray(grid.spacing_mm)
    k, j, i = np.ogrid[:nk, :nj, :ni]
    points = (grid.mm_to_index(path) - first) * spacing
    across = across @ grid.axes
    where = (i * spacing[0], j * spacing[1], k * spacing[2])
    covered = np.zeros(box.shape, bool)
    for start, end in pairwise(points if len(points) > 1 else np.repeat(points, 2, axis=0)):
        covered |= _near_segment(where, start, end, radius_mm, across, half_mm)
    for point in points if radius_mm < max(grid.spacing_mm) else ():
        index = np.rint(point / spacing).astype(int)
        if np.all(index >= 0) and np.all(index < (ni, nj, nk)):
            covered[index[2], index[1], index[0]] = True
    return Patch(box, covered)


def lasso(grid: Grid, outline_mm: npt.ArrayLike, normal: npt.ArrayLike) -> Patch | None:
    """Return the voxels of one slice inside a closed line, by the even-odd rule; None when there are none.

    Parameters
    ----------
    grid : Grid
        Grid of the mask.
    outline_mm : array_like (n, 3)
        LPS corners of the line, in one plane.
    normal : array_like (3,)
        Unit vector across that plane.
    """
    outline = np.asarray(outline_mm, float)
    across = np.asarray(normal, float)
    if len(outline) < 3:
        return None
    box = VoxelBox.around(grid, outline, max(grid.spacing_mm))
    if box is None:
        return None
    own = box.grid(grid)
    k, j, i = np.indices(box.shape)
    points = own.index_to_mm(np.stack([i, j, k], axis=-1)) - outline[0]
    in_plane = _in_slice(points @ across, 0.5 * _thickness_mm(grid, across))
    side = np.cross(across, np.eye(3)[int(np.argmin(np.abs(across)))])
    side /= np.linalg.norm(side)
    frame = np.stack([side, np.cross(across, side)], axis=1)
    inside = np.zeros(box.shape, bool)
    inside[in_plane] = inside_polygon(points[in_plane] @ frame, (outline - outline[0]) @ frame)
    return Patch(box, inside) if inside.any() else None


def inside_polygon(points: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]) -> BoolArray:
    """Tell for points ``(n, 2)`` whether they lie in a closed polygon ``(m, 2)``, by the even-odd rule."""
    inside = np.zeros(len(points), bool)
    x, y = points[:, 0], points[:, 1]
    before = corners[-1]
    for corner in corners:
        (x0, y0), (x1, y1) = before, corner
        if y0 != y1:
            # Half-open in y, so that a corner on the ray counts once.
            between = (y0 > y) != (y1 > y)
            inside ^= between & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        before = corner
    return inside


def painted(
    values: BoolArray, patch: Patch, *, erase: bool = False, allowed: BoolArray | None = None
) -> bool:
    """Set or clear the voxels of a patch in a mask, in place; tell whether anything changed.

    Parameters
    ----------
    values : bool array
        The whole mask, ``[k, j, i]``, writable.
    allowed : bool array, optional
        Of the shape of the patch; others are left as they are (limits of HU, for example).
    """
    part = values[patch.box.place]
    voxels = patch.voxels if allowed is None else patch.voxels & allowed
    changes = bool(np.any(part & voxels) if erase else np.any(voxels & ~part))
    if changes:
        part[voxels] = not erase
    return changes


def _thickness_mm(grid: Grid, normal: npt.NDArray[np.float64]) -> float:
    """Return how far neighbouring voxel planes lie apart along a direction.

    For an axis of the grid this is its spacing; across an oblique grid it is the largest step along the
    direction from a voxel to its neighbour, so that a disc leaves no gaps.
    """
    return float(np.max(np.abs(normal @ grid.axes) * np.asarray(grid.spacing_mm)))


def _in_slice(off_mm: npt.NDArray[np.float64], half_mm: float) -> BoolArray:
    """Tell which distances from a plane belong to its slice: a plane midway between two belongs to one."""
    slack = 1e-9 * half_mm
    return np.asarray((off_mm > slack - half_mm) & (off_mm <= half_mm + slack))


def _near_segment(
    where: tuple[npt.NDArray[np.float64], ...],
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    radius_mm: float,
    across: npt.NDArray[np.float64],
    half_mm: float,
) -> BoolArray:
    """Return which places lie within the radius of a segment, in the plane of drawing if there is one."""
    along = end - start
    along = along - (along @ across) * across
    length = float(along @ along)
    away = [w - s for w, s in zip(where, start, strict=True)]
    off = sum(a * n for a, n in zip(away, across, strict=True))
    t = (
        0.0
        if length == 0.0
        else np.clip(sum(a * d for a, d in zip(away, along, strict=True)) / length, 0.0, 1.0)
    )
    square = sum((a - t * d - off * n) ** 2 for a, d, n in zip(away, along, across, strict=True))
    near = square <= radius_mm**2
    if half_mm > 0.0:
        near = near & _in_slice(off, half_mm)
    return np.asarray(near)
