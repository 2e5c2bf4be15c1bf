"""Middle: where the target is, as one point."""

from __future__ import annotations

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.core.geometry import Point, as_point


def target_centre_mm(case: Case) -> Point | None:
    """Return the middle of the target's voxels, None without a target."""
    if case.target is None:
        return None
    mask = case.target.mask
    # Only the box of the tumour is searched: a whole scan takes a tenth of a second.
    (i0, j0, k0), (i1, j1, k1) = voxel_box_ijk(mask)
    inside = np.argwhere(mask.values[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1])
    k, j, i = inside.mean(axis=0) + np.array([k0, j0, i0])
    return as_point(mask.grid.index_to_mm(np.array([i, j, k])))
