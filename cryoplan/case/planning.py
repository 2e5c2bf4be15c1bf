"""Planning grid: where masks, temperatures and margins live, and every structure's mask on it."""

from __future__ import annotations

from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from cryoplan.case.structure import Structure
from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import StructureError
from cryoplan.core.geometry import FloatArray
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan

RIM_MM = 40.0
"""Room around the target: the largest ice radius of one probe (about 20 mm, physics section 9) twice over."""

LARGEST_EDGE_MM = 150.0
"""Edge of the grid while there is no target to put it around."""

_KEPT_GRIDS = 3

_LOCK = Lock()
_CACHE: WeakKeyDictionary[Volume, dict[Grid, Volume]] = WeakKeyDictionary()

_Index = tuple[int, int, int]
_BOXES: WeakKeyDictionary[Volume, tuple[_Index, _Index]] = WeakKeyDictionary()


def structure_mask(structure: Structure, grid: Grid) -> Volume:
    """Return a structure's mask on `grid`, bool ``[k, j, i]``.

    The answer is kept as long as the structure's own mask lives (for the last three grids), because
    solving, judging and drawing all ask for the same masks.

    Raises
    ------
    StructureError
        If `mask_to_grid` refuses the mask.
    """
    mask = structure.mask
    if mask.grid == grid:
        return mask
    with _LOCK:
        known = _CACHE.get(mask, {}).get(grid)
    if known is not None:
        return known
    from cryoplan.image.resample import mask_to_grid

    made = mask_to_grid(mask, grid)
    with _LOCK:
        by_grid = _CACHE.setdefault(mask, {})
        by_grid[grid] = made
        while len(by_grid) > _KEPT_GRIDS:
            del by_grid[next(iter(by_grid))]
    return made


def planning_grid(scan: Scan, target: Structure | None, spacing_mm: float = 1.0) -> Grid:
    """Return the axis-aligned cubic grid that a case is planned on.

    It covers the target's box and 40 mm around it, or without a target the middle of the scan with
    edges of at most 150 mm, in both cases no further than the scan. Its voxel centres lie on whole multiples
    of `spacing_mm` (`Grid.isotropic`), so that a solve may extend it without resampling.

    Parameters
    ----------
    scan : Scan
        The image; oblique ones are covered by their axis-aligned box.
    target : Structure or None
        What the plan is about.
    spacing_mm : float
        Edge of the voxels.

    Raises
    ------
    StructureError
        If the target lies wholly outside the scan.
    """
    scan_lower, scan_upper = scan.volume.grid.bounds_mm()
    if target is None:
        middle = (scan_lower + scan_upper) / 2.0
        lower, upper = middle - LARGEST_EDGE_MM / 2.0, middle + LARGEST_EDGE_MM / 2.0
    else:
        box_lower, box_upper = mask_box_mm(target.mask)
        if np.any(box_upper < scan_lower) or np.any(box_lower > scan_upper):
            raise StructureError(
                f"The structure {target.name} lies outside the image.",
                "Load the image that it was drawn on, or another mask.",
                code="structure-outside-image",
                place=target.name,
            )
        lower, upper = box_lower - RIM_MM, box_upper + RIM_MM
    return Grid.isotropic(np.maximum(lower, scan_lower), np.minimum(upper, scan_upper), spacing_mm)


def mask_box_mm(mask: Volume) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper LPS corner of the box around a mask's voxels, outer faces included.

    Raises
    ------
    ValueError
        If the mask has no voxel.
    """
    first, last = voxel_box_ijk(mask)
    corners = np.array(
        [
            [i, j, k]
            for i in (first[0] - 0.5, last[0] + 0.5)
            for j in (first[1] - 0.5, last[1] + 0.5)
            for k in (first[2] - 0.5, last[2] + 0.5)
        ]
    )
    points = mask.grid.index_to_mm(corners)
    return points.min(axis=0), points.max(axis=0)


def voxel_box_ijk(mask: Volume) -> tuple[_Index, _Index]:
    """Return the first and last index ``(i, j, k)`` of the set voxels along each axis; looked for once.

    Raises
    ------
    ValueError
        If the mask has no voxel.
    """
    with _LOCK:
        known = _BOXES.get(mask)
    if known is None:
        box = VoxelBox.drawn(mask.values)
        if box is None:
            raise ValueError("an empty mask has no box")
        known = box.first_ijk, box.last_ijk
        with _LOCK:
            _BOXES[mask] = known
    return known
