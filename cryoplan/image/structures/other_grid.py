"""Masks drawn on another grid than the scan's: turned where that is enough, else resampled and said."""

from __future__ import annotations

import numpy as np

from cryoplan.core.box import VoxelBox
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.resample import mask_to_grid, onto_lattice
from cryoplan.image.structures.coverage import as_mask
from cryoplan.image.structures.found import drawn_corners_ijk, left_out, note

_MOST_PARTS = 6


def onto_scan(mask: Volume, grid: Grid, name: str, file: str) -> tuple[Volume | None, Finding | None]:
    """Return a mask on the scan's grid, and what has to be said about it.

    The same voxels in another order, or some of them, are moved and nothing is said. Other grids are
    resampled through the signed distance on parts of a voxel, and a voxel counts when half of it is inside;
    parts thinner than that keep their volume (`coverage.as_mask`).

    Returns
    -------
    mask : Volume or None
        None when the mask leaves the image.
    finding : Finding or None
        That it was resampled, or left out.
    """
    if mask.grid.difference(grid) is None:
        return Volume(grid=grid, values=mask.values), None
    placed = onto_lattice(mask, grid)
    if placed is not None:
        return placed, None
    corners = grid.mm_to_index(mask.grid.index_to_mm(drawn_corners_ijk(mask)))
    away = left_out(file, name, corners, grid) if len(corners) else None
    if away is not None:
        # The box of an oblique mask may leave the image where the mask does not.
        drawn = np.argwhere(mask.values)[:, ::-1]
        away = left_out(file, name, grid.mm_to_index(mask.grid.index_to_mm(drawn)), grid)
        if away is not None:
            return None, away
    reason = mask.grid.difference(grid)
    text = f"{name} of {file} is drawn on another grid than the image ({reason}) and was resampled to it."
    return resampled(mask, grid), note(Level.WARN, "mask-resampled", text, name)


def resampled(mask: Volume, grid: Grid) -> Volume:
    """Return a mask on any other grid, without losing what is thinner than its voxels."""
    corners = drawn_corners_ijk(mask)
    values = np.zeros(grid.shape, bool)
    if len(corners) == 0:
        return Volume(grid=grid, values=values)
    reach = 2.0 * max(*grid.spacing_mm, *mask.grid.spacing_mm)
    box = VoxelBox.around(grid, mask.grid.index_to_mm(corners), reach)
    if box is None:
        return Volume(grid=grid, values=values)
    part = box.grid(grid)
    # A voxel is looked at in parts as fine as the source's voxels along that axis of the grid.
    fine_mm = np.array(
        [min(s / max(abs(c), 1e-9) for c, s in zip(axis, mask.grid.spacing_mm, strict=True) if abs(c) > 0.3)
         for axis in (part.axes.T @ mask.grid.axes)]
    )  # fmt: skip
    parts = np.clip(np.ceil(2.0 * np.asarray(part.spacing_mm) / fine_mm - 1e-6), 2, _MOST_PARTS).astype(int)
    first = part.index_to_mm((1.0 / parts - 1.0) / 2.0)
    spacing = np.asarray(part.spacing_mm) / parts
    covered = np.zeros(part.shape, np.float32)
    whole = Grid(
        size=(part.size[0] * int(parts[0]), part.size[1] * int(parts[1]), part.size[2] * int(parts[2])),
        spacing_mm=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        origin_mm=(float(first[0]), float(first[1]), float(first[2])),
        direction=part.direction,
    )
    small = mask_to_grid(mask, whole).values
    nk, nj, ni = part.shape
    blocks = small.reshape(nk, parts[2], nj, parts[1], ni, parts[0])
    covered[:] = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    values[box.place] = as_mask(covered, whole_volume=True)
    return Volume(grid=grid, values=values)
