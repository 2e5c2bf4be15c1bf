"""Between slices: outlines for the slices that were left out, from the ones above and below."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.box import VoxelBox
from cryoplan.core.volume import Volume


def interpolated(mask: Volume, axis: int = 2) -> Volume:
    """Return a mask with the empty slices between outlined ones filled in.

    Parameters
    ----------
    mask : Volume
        bool voxels.
    axis : int
        Axis of the grid across the outlined slices: 0 is i, 1 is j, 2 is k.

    Notes
    -----
    Shape-based interpolation (Raya and Udupa, IEEE Trans Med Imaging 9:32, 1990): the signed distances to
    the two outlines are mixed by how near each is, and cut at zero. Both outlines are first moved so that
    their centres lie on the line between them: a tumour that runs oblique to the slices keeps its width.
    Slices that are outlined stay as they are.
    """
    box = VoxelBox.drawn(mask.values)
    if box is None:
        return mask
    part = np.moveaxis(mask.values[box.place].copy(), 2 - axis, 0)
    spacing = np.delete(np.asarray(mask.grid.spacing_mm[::-1]), 2 - axis)
    drawn = np.flatnonzero(part.any(axis=(1, 2)))
    for lower, upper in pairwise(drawn):
        if upper - lower > 1:
            part[lower + 1 : upper] = _mixed(part[lower], part[upper], int(upper - lower), spacing)
    values = mask.values.copy()
    values[box.place] = np.moveaxis(part, 0, 2 - axis)
    return Volume(grid=mask.grid, values=values)


def empty_slices(mask: Volume, axis: int = 2) -> int:
    """Return how many empty slices lie between outlined ones."""
    drawn = np.flatnonzero(mask.values.any(axis=tuple(a for a in range(3) if a != 2 - axis)))
    return 0 if drawn.size == 0 else int(drawn[-1] - drawn[0] + 1 - drawn.size)


def _mixed(
    lower: npt.NDArray[np.bool_], upper: npt.NDArray[np.bool_], steps: int, spacing: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    centres = [np.argwhere(m).mean(axis=0) for m in (lower, upper)]
    # Room for both outlines wherever they are moved to.
    room = int(np.ceil(np.abs(centres[1] - centres[0]).max())) + 2
    fields = [_signed_mm(np.pad(m, room), spacing) for m in (lower, upper)]
    result = np.zeros((steps - 1, *lower.shape), bool)
    for step in range(1, steps):
        share = step / steps
        middle = (1.0 - share) * centres[0] + share * centres[1]
        moved = [
            ndimage.shift(field, middle - centre, order=1, mode="nearest")
            for field, centre in zip(fields, centres, strict=True)
        ]
        mixed = (1.0 - share) * moved[0] + share * moved[1] > 0.0
        result[step - 1] = mixed[room:-room, room:-room]
    return result


def _signed_mm(mask: npt.NDArray[np.bool_], spacing: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    return np.asarray(inside - outside)
