"""Diameter: how wide a mask is at each block, by the widest ball that holds it and fits in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from scipy.spatial import KDTree

FINEST_MM = 3.0
"""Narrower than this is not asked for, and given as 0."""

WIDEST_MM = 40.0
"""Wider is given as this."""

LADDER = 1.19
"""Step between two diameters that are told apart."""


def local_diameter(
    mask: npt.NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> npt.NDArray[np.float32]:
    """Return the local diameter of a mask ``[z, y, x]``, mm; 0 outside and below 3 mm.

    That of the widest ball that holds the point and fits into the mask (local thickness, Hildebrand and
    Ruegsegger 1997). Distances run from centre to centre of blocks; no centre lies just on the axis of a
    tube, on average the nearest is 0.38 edges away, so that half an edge less that is taken off.
    """
    width = np.zeros(mask.shape, np.float32)
    if not mask.any():
        return width
    fine = min(spacing_mm)
    depth = distance_transform_edt(np.pad(mask, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1] - 0.12 * fine
    # The points of vessels are few among the blocks of a scan: a tree of them is faster than one more
    # transform of the whole for each radius.
    here = np.argwhere(mask)
    points = here * np.asarray(spacing_mm)
    deep = depth[mask]
    widths = np.zeros(len(points), np.float32)
    radius = 0.5 * FINEST_MM
    while radius <= min(float(deep.max()), 0.5 * WIDEST_MM) + 1e-9:
        core = deep >= radius - 1e-9
        reach = radius + 0.5 * fine
        gap, _ = KDTree(points[core]).query(points, distance_upper_bound=reach + 1e-6)
        widths[gap <= reach] = 2.0 * radius * LADDER**0.5
        radius *= LADDER
    width[mask] = widths
    return width
