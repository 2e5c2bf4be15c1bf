"""Drawn: the distance to a structure's surface on the lattice of a solve, from the voxels it was drawn on.

A mask that is brought to another lattice as voxels loses what lies between them: half a voxel at worst, 0.1
to 0.2 voxels root mean square. So the surface is found among the voxels that were drawn, and its distance
field is read on the lattice; two passes there smooth what the reading leaves. Measured on spheres and
ellipsoids of 7 to 14 mm on lattices of 1 mm, images straight and oblique, voxels of 0.5 to 1.25 mm: 0.03 to
0.07 mm root mean square, 0.22 mm at most where the surface lies too far out, which is the side that counts
for the least margin, and 0.44 mm where the end of an ellipsoid lies too far in.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from cryoplan.case.planning import voxel_box_ijk
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.outline import SMALL_VOXELS, smooth_signed_distance

FRAME_MM = 6.0
"""Room around the drawn voxels, so that smoothing sees no end."""

PASSES = 2

MOST_VOXELS = 3_000_000
"""Above this smoothing takes seconds, and the lattice is the coarser of the two anyway."""


def drawn_distance(mask: Volume, grid: Grid) -> Volume | None:
    """Return the signed distance to the surface of a mask on another grid, millimetres, negative inside.

    Far from the surface it only grows; `cryoplan.margins.outline` measures there anew.

    Parameters
    ----------
    mask : Volume
        bool, as it was drawn, with at least one voxel inside.
    grid : Grid
        Cubic voxels.

    Returns
    -------
    Volume or None
        None where too many voxels are drawn, or none of the lattice lies within: a mask as thin as that is
        better kept as voxels.
    """
    spacing = np.asarray(mask.grid.spacing_mm)
    first, last = (np.asarray(end) for end in voxel_box_ijk(mask))
    frame = np.ceil(FRAME_MM / spacing).astype(int) + 1
    size = last - first + 1 + 2 * frame
    if int(np.prod(size)) > MOST_VOXELS:
        return None
    part = mask.values[first[2] : last[2] + 1, first[1] : last[1] + 1, first[0] : last[0] + 1]
    origin = mask.grid.index_to_mm(first - frame)
    around = Grid(
        size=(int(size[0]), int(size[1]), int(size[2])),
        spacing_mm=mask.grid.spacing_mm,
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=mask.grid.direction,
    )
    framed = np.pad(part, [(int(n), int(n)) for n in frame[::-1]])
    drawn = smooth_signed_distance(Volume(grid=around, values=framed)).values
    k, j, i = np.indices(grid.shape, dtype=float)
    index = around.mm_to_index(grid.index_to_mm(np.stack([i, j, k], axis=-1).reshape(-1, 3)))
    values = map_coordinates(drawn, index[:, ::-1].T, order=1, mode="nearest").reshape(grid.shape)
    if not (values < 0.0).any():
        return None
    if float(values.min()) < -SMALL_VOXELS * min(grid.spacing_mm):
        for _ in range(PASSES):
            once = gaussian_filter(values, 1.0, mode="nearest")
            values = 2.0 * once - gaussian_filter(once, 1.0, mode="nearest")
    return Volume(grid=grid, values=values)
