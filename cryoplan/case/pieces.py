"""Pieces: into how many islands a mask falls, and the holes in it that nothing else fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cryoplan.core.box import VoxelBox
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.forming import filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Islands and holes of a mask.

    Attributes
    ----------
    islands : int
        Pieces; voxels that touch by a face are one.
    smaller_ml : float
        Volume of all but the largest.
    holes : int
        Cavities in space, and holes within a slice, as *Fill holes* fills them.
    holes_ml : float
        Their volume.
    """

    islands: int
    smaller_ml: float
    holes: int
    holes_ml: float


def find_pieces(mask: Volume, others: Iterable[Volume] = ()) -> Pieces:
    """Count the islands and holes of a mask.

    Parameters
    ----------
    mask : Volume
        bool, at least one voxel set.
    others : iterable of Volume
        Masks of other structures; a hole most of which one of them fills is none: in a label map the liver
        has a hole wherever a tumour is. Those on other grids are left out.
    """
    box = VoxelBox.drawn(mask.values)
    if box is None:
        raise ValueError("an empty mask has no pieces")
    voxel_ml = mask.grid.voxel_volume_ml
    part = mask.values[box.place]
    labels, islands = ndimage.label(part)
    sizes = np.bincount(labels.ravel())[1:]
    gaps = filled(mask).values[box.place] & ~part
    holes, holes_ml = 0, 0.0
    if gaps.any():
        taken = np.zeros(part.shape, bool)
        for other in others:
            if other.grid == mask.grid:
                taken |= other.values[box.place]
        labels, count = ndimage.label(gaps)
        volume = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        elsewhere = np.bincount(labels.ravel(), taken.ravel().astype(float), count + 1)[1:]
        open_holes = 2.0 * elsewhere < volume
        holes, holes_ml = int(open_holes.sum()), float(volume[open_holes].sum()) * voxel_ml
    return Pieces(
        islands=int(islands),
        smaller_ml=float(sizes.sum() - sizes.max()) * voxel_ml,
        holes=holes,
        holes_ml=holes_ml,
    )
