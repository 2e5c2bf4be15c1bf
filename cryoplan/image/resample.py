"""Any volume onto a given grid: masks through their signed distance, grey values linearly.

Positions are converted by the grids alone, so oblique, flipped and anisotropic grids need no special case.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Voxels of the source kept around the part that is needed: the zero of a signed distance depends on the
# voxels next to it only, so the distances further in may be cut short.
_MARGIN_VOXELS = 3


def volume_to_grid(volume: Volume, grid: Grid, *, outside: float | None) -> Volume:
    """Return `volume` sampled linearly at the voxel centres of `grid`.

    Parameters
    ----------
    volume : Volume
        Numeric voxels.
    grid : Grid
        Where to sample; any orientation.
    outside : float or None
        Value for voxels whose centre lies outside the voxels of `volume`; None is that of the nearest voxel.
        In the outer half voxel the nearest value always holds.

    Returns
    -------
    Volume
        float32 on `grid`.
    """
    source = np.asarray(volume.values, np.float32)
    matrix, offset = _array_transform(grid, volume.grid)
    values = ndimage.affine_transform(
        source, matrix, offset, output_shape=grid.shape, order=1, mode="nearest", output=np.float32
    )
    if outside is not None:
        for k, inside in enumerate(_inside_by_slab(matrix, offset, grid.shape, volume.grid.shape)):
            values[k][~inside] = outside
    return Volume(grid=grid, values=values)


def signed_distance_to_grid(mask: Volume, grid: Grid, reach_mm: float) -> Volume:
    """Return how deep each voxel centre of `grid` lies inside a mask, in millimetres, negative outside.

    Zero lies midway between unlike voxels of the mask, and next to it the value grows twice as fast as the
    distance (both neighbours are a whole voxel from one another); further away it is half a voxel more than
    the distance.

    Parameters
    ----------
    mask : Volume
        bool voxels.
    grid : Grid
        Where to measure; any orientation.
    reach_mm : float
        Values are cut at this distance on both sides. Up to there they do not depend on how much of the mask
        `grid` covers, so that neighbouring grids fit together.

    Returns
    -------
    Volume
        float32 on `grid`, millimetres.
    """
    result = np.full(grid.shape, -reach_mm, np.float32)
    drawn = _drawn_box(mask)
    if drawn is None:
        return Volume(grid=grid, values=result)
    lower_kji, upper_kji = drawn
    margin = np.ceil(reach_mm / np.asarray(mask.grid.spacing_mm[::-1])).astype(int) + 2
    source, source_first = _crop(mask, grid, lower_kji, upper_kji, margin)
    if source.size == 0 or not source.any():
        return Volume(grid=grid, values=result)
    window, window_first = _window(mask.grid, grid, lower_kji, upper_kji, margin)
    if min(window) <= 0:
        return Volume(grid=grid, values=result)
    signed_mm = _signed_distance_mm(source, mask.grid.spacing_mm[::-1])
    matrix, offset = _array_transform(grid, mask.grid)
    sampled = ndimage.affine_transform(
        np.clip(signed_mm, -reach_mm, reach_mm),
        matrix,
        offset + matrix @ window_first - source_first,
        output_shape=window,
        order=1,
        mode="constant",
        cval=-reach_mm,
    )
    k, j, i = window_first
    result[k : k + window[0], j : j + window[1], i : i + window[2]] = sampled
    return Volume(grid=grid, values=result)


def _drawn_box(mask: Volume) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]] | None:
    """Return the first and last index ``[k, j, i]`` of the set voxels, None when there are none."""
    planes = np.flatnonzero(mask.values.any(axis=(1, 2)))
    if len(planes) == 0:
        return None
    flat = np.asarray(mask.values[planes[0] : planes[-1] + 1].any(axis=0))
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    lower = np.array([planes[0], rows[0], columns[0]])
    return lower, np.array([planes[-1], rows[-1], columns[-1]])


def mask_to_grid(mask: Volume, grid: Grid) -> Volume:
    """Return a mask drawn on one grid as a mask on another, smooth below the size of a voxel.

    The signed distance to the outline is interpolated linearly and cut at zero (shape-based interpolation,
    Raya and Udupa, IEEE Trans Med Imaging 9:32, 1990), so that thick slices become slopes, not stairs.
    Where the whole mask lies inside `grid` and its volume came out more than 2 % off (small or thin masks),
    the cut is moved by at most half the slice distance until the volume fits.

    Parameters
    ----------
    mask : Volume
        bool voxels.
    grid : Grid
        Where the mask is wanted; any orientation.

    Returns
    -------
    Volume
        bool on `grid`. Not empty if any voxel of the mask has its centre inside `grid`.
    """
    result = np.zeros(grid.shape, bool)
    if mask.grid.difference(grid, tolerance_mm=1e-6) is None:
        return Volume(grid=grid, values=mask.values.astype(bool))
    drawn = np.argwhere(mask.values)
    if len(drawn) == 0:
        return Volume(grid=grid, values=result)
    lower_kji, upper_kji = drawn.min(axis=0), drawn.max(axis=0)
    source, source_first = _crop(mask, grid, lower_kji, upper_kji)
    if source.size == 0 or not source.any():
        return Volume(grid=grid, values=result)
    window, window_first = _window(mask.grid, grid, lower_kji, upper_kji)
    if min(window) <= 0:
        return Volume(grid=grid, values=result)

    signed_mm = _signed_distance_mm(source, mask.grid.spacing_mm[::-1])
    matrix, offset = _array_transform(grid, mask.grid)
    sampled = ndimage.affine_transform(
        signed_mm,
        matrix,
        offset + matrix @ window_first - source_first,
        output_shape=window,
        order=1,
        mode="constant",
        cval=float(signed_mm.min()),
    )
    inside = sampled > 0.0
    if _lies_within(mask.grid, grid, lower_kji, upper_kji):
        inside = _with_volume(
            sampled,
            inside,
            len(drawn) * mask.grid.voxel_volume_ml / grid.voxel_volume_ml,
            0.5 * max(mask.grid.spacing_mm),
        )
    k, j, i = window_first
    result[k : k + window[0], j : j + window[1], i : i + window[2]] = inside
    if not result.any():
        _keep_nearest(result, mask, grid, drawn)
    return Volume(grid=grid, values=result)


def onto_lattice(volume: Volume, grid: Grid, *, tolerance_mm: float = 0.05) -> Volume | None:
    """Return `volume` rearranged onto `grid` without interpolation, or None where that cannot be.

    It can when every voxel centre of `volume` is a voxel centre of `grid`, whichever way its axes run and
    however few slices it has. Voxels of `grid` that `volume` does not cover become 0 (False).
    """
    here, there = volume.grid, grid
    turn = there.axes.T @ here.axes  # columns: axes of `volume` along the axes of `grid`
    steps = np.rint(turn).astype(int)
    if not (np.abs(steps).sum(axis=0) == 1).all() or not (np.abs(steps).sum(axis=1) == 1).all():
        return None
    if not np.allclose(turn, steps, atol=1e-3):
        return None
    order = [int(np.argmax(np.abs(steps[axis]))) for axis in range(3)]  # axis of `volume` for each of `grid`
    signs = [int(steps[axis, order[axis]]) for axis in range(3)]
    sizes = [here.size[axis] for axis in order]
    first_ijk = there.mm_to_index(here.origin_mm)
    last_ijk = there.mm_to_index(here.index_to_mm(np.array(here.size) - 1.0))
    low_ijk = np.rint(np.minimum(first_ijk, last_ijk)).astype(int)
    high_ijk = np.rint(np.maximum(first_ijk, last_ijk)).astype(int)
    spacing = np.asarray(there.spacing_mm)
    for exact, first in (
        (np.minimum(first_ijk, last_ijk), low_ijk),
        (np.maximum(first_ijk, last_ijk), high_ijk),
    ):
        if np.abs((exact - first) * spacing).max() > tolerance_mm:
            return None
    if (high_ijk - low_ijk + 1 != np.array(sizes)).any():
        return None
    if (low_ijk < 0).any() or (high_ijk >= np.array(there.size)).any():
        return None
    values = volume.values.transpose([2 - order[2 - axis] for axis in range(3)])
    values = np.flip(values, tuple(axis for axis in range(3) if signs[2 - axis] < 0))
    result = np.zeros(grid.shape, volume.values.dtype)
    (i0, j0, k0), (i1, j1, k1) = low_ijk, high_ijk + 1
    result[k0:k1, j0:j1, i0:i1] = values
    return Volume(grid=grid, values=result)


def _array_transform(target: Grid, source: Grid) -> tuple[FloatArray, FloatArray]:
    """Return matrix and offset from array indices ``[k, j, i]`` of `target` to those of `source`."""
    corner = source.mm_to_index(target.index_to_mm((0.0, 0.0, 0.0)))
    columns = source.mm_to_index(target.index_to_mm(np.eye(3))) - corner
    matrix = columns.T[::-1, ::-1].copy()
    # Rounding noise off the diagonal would send scipy down its slow path for plain zooms.
    matrix[np.abs(matrix) < 1e-9] = 0.0
    return matrix, corner[::-1].copy()


def _inside_by_slab(
    matrix: FloatArray, offset: FloatArray, shape: tuple[int, int, int], source: tuple[int, int, int]
) -> list[BoolArray]:
    slabs = []
    j, i = np.arange(shape[1])[:, None], np.arange(shape[2])[None, :]
    for k in range(shape[0]):
        inside = np.ones(shape[1:], bool)
        for axis in range(3):
            index = offset[axis] + matrix[axis, 0] * k + matrix[axis, 1] * j + matrix[axis, 2] * i
            inside &= (index >= -0.5 - 1e-6) & (index <= source[axis] - 0.5 + 1e-6)
        slabs.append(inside)
    return slabs


def _corners(
    lower_kji: npt.ArrayLike, upper_kji: npt.ArrayLike, grow: float | npt.NDArray[np.int_]
) -> FloatArray:
    """Return the eight corners ``(8, 3)`` in i, j, k of a box of voxels, grown by `grow` voxels."""
    box = np.array([np.asarray(lower_kji, float) - grow, np.asarray(upper_kji, float) + grow])[:, ::-1]
    return np.array([[box[a, 0], box[b, 1], box[c, 2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])


def _crop(
    mask: Volume,
    grid: Grid,
    lower_kji: npt.ArrayLike,
    upper_kji: npt.ArrayLike,
    margin: int | npt.NDArray[np.int_] = _MARGIN_VOXELS,
) -> tuple[BoolArray, npt.NDArray[np.int_]]:
    """Return the part of `mask` that can reach `grid`, framed by empty voxels, and its first index."""
    wanted = mask.grid.mm_to_index(grid.index_to_mm(_corners((0, 0, 0), np.array(grid.shape) - 1, 0.0)))
    low = np.maximum(np.asarray(lower_kji), np.floor(wanted.min(axis=0))[::-1].astype(int) - margin)
    high = np.minimum(np.asarray(upper_kji), np.ceil(wanted.max(axis=0))[::-1].astype(int) + margin)
    if (high < low).any():
        return np.zeros((0, 0, 0), bool), low
    part = mask.values[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))]
    width = np.broadcast_to(margin, 3)
    return np.pad(part, [(int(n), int(n)) for n in width]), low - width


def _window(
    source: Grid,
    grid: Grid,
    lower_kji: npt.ArrayLike,
    upper_kji: npt.ArrayLike,
    grow: float | npt.NDArray[np.int_] = 1.0,
) -> tuple[tuple[int, int, int], npt.NDArray[np.int_]]:
    """Return shape and first index ``[k, j, i]`` of the part of `grid` that the mask can touch."""
    reached = grid.mm_to_index(source.index_to_mm(_corners(lower_kji, upper_kji, grow)))
    low = np.maximum(np.floor(reached.min(axis=0))[::-1].astype(int), 0)
    high = np.minimum(np.ceil(reached.max(axis=0))[::-1].astype(int), np.array(grid.shape) - 1)
    size = high - low + 1
    return (int(size[0]), int(size[1]), int(size[2])), low


def _signed_distance_mm(mask: BoolArray, spacing_kji_mm: tuple[float, ...]) -> npt.NDArray[np.float32]:
    """Return the distance to the outline, positive inside; zero lies midway between unlike neighbours."""
    within = ndimage.distance_transform_edt(mask, sampling=spacing_kji_mm).astype(np.float32)
    without = ndimage.distance_transform_edt(~mask, sampling=spacing_kji_mm).astype(np.float32)
    return np.asarray(within - without, np.float32)


def _lies_within(source: Grid, grid: Grid, lower_kji: npt.ArrayLike, upper_kji: npt.ArrayLike) -> bool:
    return bool(grid.contains_mm(source.index_to_mm(_corners(lower_kji, upper_kji, 0.5))).all())


def _with_volume(
    sampled_mm: npt.NDArray[np.float32], inside: BoolArray, wanted_voxels: float, limit_mm: float
) -> BoolArray:
    """Move the cut from zero, by at most `limit_mm`, until the mask has the wanted number of voxels."""
    count = int(inside.sum())
    if abs(count - wanted_voxels) <= 0.02 * wanted_voxels:
        return inside
    # Equal distances (symmetric places) must fall on one side together, so the cut goes between values.
    values = np.unique(np.round(sampled_mm[np.abs(sampled_mm) <= limit_mm], 4))
    if len(values) == 0:
        return inside
    cuts = np.concatenate([values - 5e-5, values[-1:] + 5e-5])
    ordered = np.sort(sampled_mm, axis=None)
    counts = ordered.size - np.searchsorted(ordered, cuts, side="right")
    best = int(np.argmin(np.abs(counts - wanted_voxels)))
    if abs(int(counts[best]) - wanted_voxels) >= abs(count - wanted_voxels):
        return inside
    return np.asarray(sampled_mm > cuts[best])


def _keep_nearest(result: BoolArray, mask: Volume, grid: Grid, drawn_kji: npt.NDArray[np.int_]) -> None:
    """Mark the voxels nearest to the drawn ones: a mask too thin for the grid must not vanish."""
    index = grid.mm_to_index(mask.grid.index_to_mm(drawn_kji[:, ::-1]))
    nearest = np.rint(index).astype(int)
    nearest = nearest[((nearest >= 0) & (nearest < np.array(grid.size))).all(axis=1)]
    result[nearest[:, 2], nearest[:, 1], nearest[:, 0]] = True
