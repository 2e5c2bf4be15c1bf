"""Volume: a grid and its voxels, read-only from birth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.core.box import VoxelBox
from cryoplan.core.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Volume:
    """Voxel values on a grid. Compared by identity; use `digest` to compare contents.

    Attributes
    ----------
    grid : Grid
        Where the voxels are.
    values : numpy.ndarray
        Array of shape ``grid.shape``, that is ``[k, j, i]``; set read-only here.

    Raises
    ------
    ValueError
        If the array does not have the grid's shape.
    """

    grid: Grid
    values: npt.NDArray[Any]

    def __post_init__(self) -> None:
        if self.values.shape != self.grid.shape:
            raise ValueError(
                f"array of shape {self.values.shape} does not fit a grid of shape {self.grid.shape}"
            )
        frozen = self.values.view()
        frozen.flags.writeable = False
        object.__setattr__(self, "values", frozen)

    def __reduce__(self) -> tuple[Any, ...]:
        # Not __getstate__: the dataclasses of Python 3.11.2 put their own in its place, and numpy forgets the
        # read-only flag when an array is unpickled in another process.
        known = _DIGESTS.get(self)
        if self.values.dtype == bool:
            # A mask is mostly empty: eight voxels a byte, and only those around the set ones.
            box = VoxelBox.drawn(self.values)
            packed = None if box is None else np.packbits(self.values[box.place], axis=None)
            return (_rebuild_mask, (self.grid, box, packed, known))
        return (_rebuild, (self.grid, self.values, known))

    def digest(self) -> str:
        """Return the SHA-256 of grid and voxels as hex; equal contents give equal digests anywhere.

        Computed once: the voxels cannot change, and a scan takes a third of a second to hash. A digest that
        the worker process has computed travels with the volume, so that the window never waits for it.
        """
        known = _DIGESTS.get(self)
        if known is None:
            sha = hashlib.sha256()
            values = np.ascontiguousarray(self.values)
            little = values.astype(values.dtype.newbyteorder("<"), copy=False)
            sha.update(f"{little.dtype.str}|{self.grid!r}".encode())
            sha.update(little.reshape(-1).view(np.uint8).data)
            known = _DIGESTS[self] = sha.hexdigest()
        return known


_DIGESTS: WeakKeyDictionary[Volume, str] = WeakKeyDictionary()


def _rebuild(grid: Grid, values: npt.NDArray[Any], known: str | None) -> Volume:
    values.flags.writeable = False
    volume = Volume(grid=grid, values=values)
    if known is not None:
        _DIGESTS[volume] = known
    return volume


def _rebuild_mask(
    grid: Grid, box: VoxelBox | None, packed: npt.NDArray[np.uint8] | None, known: str | None
) -> Volume:
    values = np.zeros(grid.shape, bool)
    if box is not None and packed is not None:
        count = int(np.prod(box.shape))
        values[box.place] = np.unpackbits(packed, count=count).view(bool).reshape(box.shape)
    return _rebuild(grid, values, known)
