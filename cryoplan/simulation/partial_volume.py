"""Partial volume: how much of each cell a structure fills, so that its border may lie inside a cell.

The outline is taken as a plane inside each cell it passes: its distance and direction come from the signed
distance to the mask, and the part of a cube on one side of a plane is a formula. A border that moves by a
tenth of a cell then moves what is computed by about as much; a yes or no per cell would move it by nothing,
or by a whole cell.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.case.planning import mask_box_mm
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.resample import signed_distance_to_grid

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

HALF_DIAGONAL = 0.5 * 3.0**0.5
"""Half the diagonal of a cell, in cell edges: beyond it a plane passes no part of the cell."""

SMALL_STRUCTURE_CELLS = 300_000
"""Structures in a smaller box are computed whole, so that their volume can be held to what was drawn."""

VOLUME_OFF = 0.02
"""Share by which the volume of a small structure may differ before its outline is moved."""

_KEPT = 4
_WHOLE: WeakKeyDictionary[Volume, dict[float, Volume]] = WeakKeyDictionary()


def plane_fraction(depth: npt.ArrayLike, normal: npt.ArrayLike) -> FloatArray:
    """Return the part of unit cubes that lies on the inner side of a plane.

    Parameters
    ----------
    depth : array_like (n,)
        Distance of the cube's centre from the plane, in edges; positive when the centre lies inside.
    normal : array_like (n, 3)
        Direction across the plane; sign and length do not matter.

    Returns
    -------
    float64 (n,)
        0 to 1. The volume under a plane in a cube as a sum of cubes of clipped distances (Scardovelli and
        Zaleski 2000, J Comput Phys 164:228).
    """
    n = np.abs(np.asarray(normal, float))
    n = n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-30)
    # A plane along an axis is a limit of the formula; a direction 0.6 degrees off is as good.
    n = np.maximum(n, 0.01)
    total = n.sum(axis=-1)
    level = np.clip(np.asarray(depth, float) + 0.5 * total, 0.0, total)
    a, b, c = n[..., 0], n[..., 1], n[..., 2]

    def cube(value: FloatArray) -> FloatArray:
        return np.asarray(np.maximum(value, 0.0) ** 3)

    volume = cube(level) - cube(level - a) - cube(level - b) - cube(level - c)
    volume += cube(level - a - b) + cube(level - a - c) + cube(level - b - c) - cube(level - total)
    return np.asarray(np.clip(volume / (6.0 * a * b * c), 0.0, 1.0))


def coverage(mask: Volume, grid: Grid) -> Float32Array:
    """Return the part of each cell of `grid` that a mask fills, float32 ``[k, j, i]``, 0 to 1.

    A cell's number does not depend on which part of the lattice `grid` is, so that maps of overlapping
    regions agree. Where a small structure's volume came out more than 2 % off (thin masks, thick slices) its
    outline is moved by at most half a slice distance until the volume fits.

    Parameters
    ----------
    mask : Volume
        bool voxels on a grid of any orientation.
    grid : Grid
        Axis-aligned and cubic, on the lattice of whole multiples of its spacing.
    """
    edge = grid.spacing_mm[0]
    lower, upper = mask_box_mm(mask)
    own = Grid.isotropic(lower - 2.0 * edge, upper + 2.0 * edge, edge)
    if overlap(own, grid)[0] is None:
        return np.zeros(grid.shape, np.float32)
    if np.prod(own.size, dtype=float) > SMALL_STRUCTURE_CELLS:
        return Border(mask, grid).fractions(0.0)
    kept = _WHOLE.setdefault(mask, {})
    whole = kept.get(edge)
    if whole is None:
        border = Border(mask, own)
        values = border.fractions(0.0)
        drawn = float(np.count_nonzero(mask.values)) * mask.grid.voxel_volume_ml / own.voxel_volume_ml
        if abs(float(values.sum(dtype=float)) - drawn) > VOLUME_OFF * drawn:
            values = border.fractions(border.shift_for(drawn, 0.5 * max(mask.grid.spacing_mm) / edge))
        whole = kept[edge] = Volume(grid=own, values=values)
        while len(kept) > _KEPT:
            del kept[next(iter(kept))]
    return paste(whole, grid)


def paste(part: Volume, grid: Grid) -> Float32Array:
    """Return the values of `part` at their places in `grid`, 0 elsewhere; both share one lattice."""
    result = np.zeros(grid.shape, np.float32)
    here, there = overlap(part.grid, grid)
    if here is not None and there is not None:
        result[there] = part.values[here]
    return result


Window = tuple[slice, slice, slice]


def overlap(part: Grid, whole: Grid) -> tuple[Window | None, Window | None]:
    """Return where two grids of one lattice overlap: ``[k, j, i]`` windows into each, None where nowhere."""
    first = np.rint(whole.mm_to_index(part.origin_mm)).astype(int)[::-1]
    low = np.maximum(first, 0)
    high = np.minimum(first + np.asarray(part.shape), whole.shape)
    if (high <= low).any():
        return None, None
    there = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    here = tuple(slice(int(a - f), int(b - f)) for a, b, f in zip(low, high, first, strict=True))
    return here, there  # type: ignore[return-value]  # three slices each


class Border:
    """The cells near an outline with depth and direction of the plane in each, in cell edges."""

    def __init__(self, mask: Volume, grid: Grid) -> None:
        edge = grid.spacing_mm[0]
        coarse = max(mask.grid.spacing_mm)
        framed = grown(grid, 1)
        # The reach covers a border cell, its neighbours (for the gradient) and the double slope of the field.
        field = signed_distance_to_grid(mask, framed, 4.0 * edge + coarse).values
        self._shape = grid.shape
        inner = field[1:-1, 1:-1, 1:-1]
        self.inside = (inner > 0.0).ravel()
        self.cells: IntArray = np.flatnonzero(np.abs(inner.ravel()) < HALF_DIAGONAL * edge + 0.5 * coarse)
        k, j, i = np.unravel_index(self.cells, grid.shape)
        flat = field.ravel()
        strides = (field.shape[1] * field.shape[2], field.shape[2], 1)
        at = (k + 1) * strides[0] + (j + 1) * strides[1] + (i + 1)
        slope = np.stack([flat[at + s] - flat[at - s] for s in strides[::-1]], axis=1).astype(float)
        length = np.linalg.norm(slope, axis=1)
        self.normal: FloatArray = slope / np.maximum(length, 1e-9)[:, None]
        # A voxel of the mask along the normal: up to there the field grows twice as fast as the distance.
        voxel = (self.normal @ mask.grid.axes) * np.asarray(mask.grid.spacing_mm)
        step = np.linalg.norm(voxel, axis=1)
        step = np.where(length > 1e-6, step, min(mask.grid.spacing_mm))
        value = flat[at].astype(float)
        self.depth: FloatArray = (value - np.sign(value) * 0.5 * np.minimum(np.abs(value), step)) / edge

    def _parts(self, shift: float) -> FloatArray:
        return plane_fraction(self.depth + shift, self.normal)

    def fractions(self, shift: float) -> Float32Array:
        """Return the part of every cell inside the outline moved outwards by `shift` cell edges."""
        result = self.inside.astype(np.float32)
        # Rounded, so that the last bits of a sampled distance cannot turn a tie.
        result[self.cells] = np.round(self._parts(shift), 6)
        return result.reshape(self._shape)

    def shift_for(self, cells: float, limit: float) -> float:
        """Return by how many edges the outline must move for a volume of `cells`, at most `limit`."""
        outside = self.inside.copy()
        outside[self.cells] = False
        base = float(np.count_nonzero(outside))
        low, high = -limit, limit
        for _ in range(20):
            middle = 0.5 * (low + high)
            if base + float(self._parts(middle).sum()) < cells:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)


def grown(grid: Grid, cells: int) -> Grid:
    """Return an axis-aligned grid with `cells` more layers on every side."""
    return Grid(
        size=(grid.size[0] + 2 * cells, grid.size[1] + 2 * cells, grid.size[2] + 2 * cells),
        spacing_mm=grid.spacing_mm,
        origin_mm=(
            grid.origin_mm[0] - cells * grid.spacing_mm[0],
            grid.origin_mm[1] - cells * grid.spacing_mm[1],
            grid.origin_mm[2] - cells * grid.spacing_mm[2],
        ),
    )
