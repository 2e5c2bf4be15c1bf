"""Blocks: a scan averaged to about 1.8 mm and turned head up, and the way back to its own voxels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.box import VoxelBox
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.shapes import dilated, eroded

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]

BLOCK_MM = 1.8
"""Blocks come as near to this as whole voxels allow; ribs, bowel and vessels of 3 mm are still told apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """A scan in blocks of voxels.

    Attributes
    ----------
    values : float32 ``[z, y, x]``
        Mean of each block; z runs to the head, y to the back, x to the left, as near as the grid's axes do.
    spacing_mm : tuple of float
        Of the blocks, along z, y, x.
    image : Volume
        The scan itself.
    """

    values: Float32Array
    spacing_mm: tuple[float, float, float]
    image: Volume
    _stride: tuple[int, int, int]
    _order: tuple[int, int, int]
    _flips: tuple[int, ...]
    _room: tuple[slice, slice, slice] | None = None
    _whole: tuple[int, int, int] | None = None

    @classmethod
    def of(cls, image: Volume, block_mm: float = BLOCK_MM) -> Blocks:
        """Average a scan."""
        spacing = image.grid.spacing_mm[::-1]
        stride = tuple(max(round(block_mm / s), 1) for s in spacing)
        order, flips = _head_up(image.grid)
        values = _mean(image.values, stride).transpose(order)
        for axis in flips:
            values = np.flip(values, axis)
        sizes = [spacing[a] * stride[a] for a in order]
        return cls(
            values=np.ascontiguousarray(values),
            spacing_mm=(sizes[0], sizes[1], sizes[2]),
            image=image,
            _stride=(stride[0], stride[1], stride[2]),
            _order=order,
            _flips=flips,
        )

    def around(self, mask: BoolArray) -> tuple[Blocks, BoolArray]:
        """Return the blocks around a mask, two more on each side, and the mask there.

        Half of most scans is air, table and arms; what is inside the body need not look at that.
        """
        box = VoxelBox.drawn(mask)
        if box is None or self._room is not None:
            return self, mask
        room = tuple(
            slice(max(p.start - 2, 0), min(p.stop + 2, n)) for p, n in zip(box.place, mask.shape, strict=True)
        )
        here = (room[0], room[1], room[2])
        nz, ny, nx = self.values.shape
        part = replace(self, values=np.ascontiguousarray(self.values[here]), _room=here, _whole=(nz, ny, nx))
        return part, np.ascontiguousarray(mask[here])

    @property
    def block_ml(self) -> float:
        """Volume of one block."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    def grid(self) -> Grid:
        """Return the grid of the blocks in the scan's own order of axes, for `in_order`."""
        whole = self.image.grid
        stride = self._stride[::-1]
        size = [-(-n // s) for n, s in zip(whole.size, stride, strict=True)]
        origin = whole.index_to_mm([(s - 1) / 2.0 for s in stride])
        spacing = [a * s for a, s in zip(whole.spacing_mm, stride, strict=True)]
        return Grid(
            size=(size[0], size[1], size[2]),
            spacing_mm=(spacing[0], spacing[1], spacing[2]),
            origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
            direction=whole.direction,
        )

    def in_order(self, blocks: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array of blocks ``[z, y, x]`` in the scan's own order ``[k, j, i]``."""
        if self._room is not None and self._whole is not None:
            whole = np.zeros(self._whole, blocks.dtype)
            whole[self._room] = blocks
            blocks = whole
        for axis in self._flips:
            blocks = np.flip(blocks, axis)
        return np.ascontiguousarray(blocks.transpose(np.argsort(self._order)))

    def on_scan(self, blocks: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array of blocks as one of the scan's voxels ``[k, j, i]``."""
        whole = self.in_order(blocks)
        for axis, times in enumerate(self._stride):
            if times > 1:
                whole = np.repeat(whole, times, axis)
        nk, nj, ni = self.image.grid.shape
        return np.ascontiguousarray(whole[:nk, :nj, :ni])

    def outlined(self, mask: BoolArray, low: float, high: float) -> BoolArray:
        """Draw a mask of blocks on the scan's voxels.

        What lies a block inside is taken whole; in the layer of blocks on both sides of the outline the
        voxels' own values decide.

        Parameters
        ----------
        mask : bool ``[z, y, x]``
        low, high : float
            Voxels of the part have values between these.
        """
        reach = max(self.spacing_mm[1:])
        inner = self.on_scan(eroded(mask, reach, self.spacing_mm))
        outer = self.on_scan(dilated(mask, reach, self.spacing_mm))
        values = self.image.values
        return np.asarray(inner | (outer & (values >= low) & (values <= high)))


def _head_up(grid: Grid) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """Return which array axes run along z, y, x, and which of these must be turned round."""
    axes = grid.axes[:, ::-1]  # columns in the order of the array: k, j, i
    best = max(permutations(range(3)), key=lambda p: sum(abs(axes[2 - n, a]) for n, a in enumerate(p)))
    flips = tuple(n for n, a in enumerate(best) if axes[2 - n, a] < 0.0)
    return (best[0], best[1], best[2]), flips


def _mean(values: npt.NDArray[Any], stride: tuple[int, ...]) -> Float32Array:
    """Return the mean of blocks of voxels; those at the far ends are filled up with the last voxel."""
    result = values
    for axis, times in enumerate(stride):
        if times == 1:
            continue
        lack = -result.shape[axis] % times
        if lack:
            result = np.pad(result, [(0, lack if a == axis else 0) for a in range(3)], mode="edge")
        place: list[slice] = [slice(None)] * 3
        total: Float32Array | None = None
        for first in range(times):
            place[axis] = slice(first, None, times)
            part = result[tuple(place)].astype(np.float32)
            total = part if total is None else total + part
        assert total is not None
        result = total / np.float32(times)
    return result.astype(np.float32)
