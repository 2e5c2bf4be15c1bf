"""VoxelBox: a block of voxels of a grid, so that work on a small thing need not touch a whole scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cryoplan.core.grid import Grid


@dataclass(frozen=True, slots=True)
class VoxelBox:
    """Voxels from a first to a last index of a grid, both included.

    Attributes
    ----------
    first_ijk, last_ijk : tuple of int
        Indices along i, j, k.

    Raises
    ------
    ValueError
        If the last lies before the first.
    """

    first_ijk: tuple[int, int, int]
    last_ijk: tuple[int, int, int]

    def __post_init__(self) -> None:
        if any(last < first for first, last in zip(self.first_ijk, self.last_ijk, strict=True)):
            raise ValueError(f"a box from {self.first_ijk} to {self.last_ijk} holds no voxel")

    @classmethod
    def around(cls, grid: Grid, points_mm: npt.ArrayLike, reach_mm: npt.ArrayLike) -> Self | None:
        """Return the voxels of a grid that may lie within `reach_mm` of LPS points ``(n, 3)``; None if none.

        The box is as tight as the grid's own axes allow; three reaches are along i, j and k.
        """
        index = np.atleast_2d(grid.mm_to_index(points_mm))
        reach = np.asarray(reach_mm, float) / np.asarray(grid.spacing_mm)
        first = np.maximum(np.ceil(index.min(axis=0) - reach - 1e-9), 0).astype(int)
        last = np.minimum(np.floor(index.max(axis=0) + reach + 1e-9), np.asarray(grid.size) - 1).astype(int)
        return None if np.any(last < first) else cls(_three(first), _three(last))

    @classmethod
    def drawn(cls, mask: npt.NDArray[np.bool_]) -> Self | None:
        """Return the smallest box around the set voxels of an array ``[k, j, i]``; None if none is set."""
        planes = np.flatnonzero(mask.any(axis=(1, 2)))
        if planes.size == 0:
            return None
        flat: npt.NDArray[np.bool_] = np.asarray(mask[planes[0] : planes[-1] + 1].any(axis=0))
        rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
        return cls(
            (int(columns[0]), int(rows[0]), int(planes[0])),
            (int(columns[-1]), int(rows[-1]), int(planes[-1])),
        )

    @classmethod
    def whole(cls, grid: Grid) -> Self:
        """Return the box of all voxels of a grid."""
        return cls((0, 0, 0), _three(np.asarray(grid.size) - 1))

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """Where the box is in an array ``[k, j, i]`` of the whole grid."""
        (i0, j0, k0), (i1, j1, k1) = self.first_ijk, self.last_ijk
        return slice(k0, k1 + 1), slice(j0, j1 + 1), slice(i0, i1 + 1)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape ``(nk, nj, ni)`` of an array on the box alone."""
        (i0, j0, k0), (i1, j1, k1) = self.first_ijk, self.last_ijk
        return k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1

    def grid(self, whole: Grid) -> Grid:
        """Return the part of the `whole` grid that the box is."""
        nk, nj, ni = self.shape
        origin = whole.index_to_mm(self.first_ijk)
        return Grid(
            size=(ni, nj, nk),
            spacing_mm=whole.spacing_mm,
            origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
            direction=whole.direction,
        )

    def grown(self, whole: Grid, reach_mm: float) -> Self:
        """Return the box with `reach_mm` more on every side, as far as the `whole` grid goes."""
        more = np.ceil(reach_mm / np.asarray(whole.spacing_mm)).astype(int)
        first = np.maximum(np.asarray(self.first_ijk) - more, 0)
        last = np.minimum(np.asarray(self.last_ijk) + more, np.asarray(whole.size) - 1)
        return type(self)(_three(first), _three(last))

    def moved(self, by_ijk: tuple[int, int, int]) -> Self:
        """Return the box as many voxels further along i, j and k."""
        by = np.asarray(by_ijk)
        return type(self)(_three(np.asarray(self.first_ijk) + by), _three(np.asarray(self.last_ijk) + by))

    def with_box(self, other: VoxelBox) -> Self:
        """Return the smallest box around this one and another."""
        first = np.minimum(self.first_ijk, other.first_ijk)
        return type(self)(_three(first), _three(np.maximum(self.last_ijk, other.last_ijk)))


def _three(values: npt.NDArray[Any]) -> tuple[int, int, int]:
    i, j, k = (int(v) for v in values)
    return i, j, k
