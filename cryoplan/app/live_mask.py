"""LiveMask: the one mask that may be written to, while somebody draws on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.box import VoxelBox
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.strokes import Patch


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What was turned over: voxels of a box that changed, whichever way."""

    box: VoxelBox
    voxels: npt.NDArray[np.bool_]


class LiveMask:
    """A mask on the grid of a scan, changed in place; only the voxels around the work are ever touched.

    Attributes
    ----------
    grid : Grid
        Grid of the scan.
    values : bool array
        ``[k, j, i]``; read it, but change it through the methods.
    box : VoxelBox or None
        Holds every set voxel; after erasing it may be larger than needed. None when nothing is set.
    count : int
        Set voxels.
    revision : int
        Another number after every change.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.values = np.zeros(grid.shape, bool)
        self.box: VoxelBox | None = None
        self.count = 0
        self.revision = 0

    def load(self, mask: Volume | None) -> None:
        """Take the voxels of a mask on the same grid; None empties it."""
        if self.box is not None:
            self.values[self.box.place] = False
        self.box = None if mask is None else VoxelBox.drawn(mask.values)
        self.count = 0
        if mask is not None and self.box is not None:
            part = mask.values[self.box.place]
            self.values[self.box.place] = part
            self.count = int(np.count_nonzero(part))
        self.revision += 1

    def paint(
        self, patch: Patch, *, erase: bool = False, allowed: npt.NDArray[np.bool_] | None = None
    ) -> Change | None:
        """Set or clear the voxels of a patch; None when nothing changed.

        Parameters
        ----------
        allowed : bool array, optional
            Of the shape of the patch; others are left as they are.
        """
        part = self.values[patch.box.place]
        changed = patch.voxels & (part if erase else ~part)
        if allowed is not None:
            changed &= allowed
        if not changed.any():
            return None
        change = Change(patch.box, changed)
        self.turn(change)
        return change

    def turn(self, change: Change) -> None:
        """Turn voxels over; the same change twice leaves everything as it was."""
        part = self.values[change.box.place]
        before = int(np.count_nonzero(part))
        part ^= change.voxels
        self.count += int(np.count_nonzero(part)) - before
        if self.count == 0:
            self.box = None
        else:
            self.box = change.box if self.box is None else self.box.with_box(change.box)
        self.revision += 1

    def volume(self) -> Volume | None:
        """Return the part around the set voxels, with one more voxel on every side; None when none is set.

        It looks at the live voxels: whoever keeps it sees them change.
        """
        if self.box is None:
            return None
        box = self.box.grown(self.grid, min(self.grid.spacing_mm))
        return Volume(grid=box.grid(self.grid), values=self.values[box.place])

    @property
    def volume_ml(self) -> float:
        """Volume of the set voxels."""
        return self.count * self.grid.voxel_volume_ml

    @property
    def extents_mm(self) -> tuple[float, float, float]:
        """How far the set voxels reach along i, j and k, outer faces included; zeros when none is set."""
        if self.box is None:
            return 0.0, 0.0, 0.0
        drawn = VoxelBox.drawn(self.values[self.box.place])
        assert drawn is not None
        i, j, k = (
            (last - first + 1) * spacing
            for first, last, spacing in zip(
                drawn.first_ijk, drawn.last_ijk, self.grid.spacing_mm, strict=True
            )
        )
        return i, j, k
