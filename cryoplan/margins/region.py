"""Region: the voxels around the tumour, cut out of the solver grid or reaching beyond it on its lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.planning import mask_box_mm, structure_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.coverage import RIMS_MM
from cryoplan.margins.organs import START_DEGC
from cryoplan.margins.outline import Outline, outline


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetRegion:
    """The tumour and what surrounds it within its largest rim; all on one small grid.

    Attributes
    ----------
    mask : Volume
        bool, the tumour.
    outline : Outline
        Surface of the tumour and distance to it.
    minimum_degc : Volume
        Lowest temperature; start temperature beyond the solver grid.
    body : numpy.ndarray or None
        bool, where the body is; None when the case has no body.
    solver_grid : Grid
        Grid that the region was cut out of.
    """

    mask: Volume
    outline: Outline
    minimum_degc: Volume
    body: npt.NDArray[np.bool_] | None
    solver_grid: Grid


def target_region(case: Case, target: Structure, minimum_degc: Volume) -> TargetRegion:
    """Return the region of the tumour."""
    solver = minimum_degc.grid
    # Two voxels more than the rim, so that no smoothing or gradient sees the end of the region.
    grid = grid_around(target, solver, max(RIMS_MM) + 2.0 * solver.spacing_mm[0])
    lower, upper = mask_box_mm(target.mask)
    is_whole = bool(solver.contains_mm(np.stack([lower, upper])).all())
    # A tumour that reaches beyond the solver grid is outlined once more on the lattice that holds it.
    mask = window(structure_mask(target, solver if is_whole else grid), grid, fill=False)
    body = body_mask(case, solver)
    return TargetRegion(
        mask=mask,
        outline=outline(target.name, mask),
        minimum_degc=window(minimum_degc, grid, fill=START_DEGC),
        # Beyond the solver grid nobody asked where the body is: it is taken to go on.
        body=None if body is None else window(Volume(grid=solver, values=body), grid, fill=True).values,
        solver_grid=solver,
    )


def body_mask(case: Case, grid: Grid) -> npt.NDArray[np.bool_] | None:
    """Return where the body is on `grid`, None when the case has no structure of that role."""
    for structure in case.structures:
        if structure.role is Role.BODY:
            return structure_mask(structure, grid).values
    return None


def grid_around(structure: Structure, lattice: Grid, rim_mm: float) -> Grid:
    """Return the grid on the lattice of `lattice` that holds a structure's box and `rim_mm` around it."""
    lower, upper = mask_box_mm(structure.mask)
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    box_mm = np.where(corners == 0, lower - rim_mm, upper + rim_mm)
    index = lattice.mm_to_index(box_mm)
    first = np.floor(index.min(axis=0)).astype(int)
    last = np.ceil(index.max(axis=0)).astype(int)
    size = last - first + 1
    origin = lattice.index_to_mm(first)
    return Grid(
        size=(int(size[0]), int(size[1]), int(size[2])),
        spacing_mm=lattice.spacing_mm,
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=lattice.direction,
    )


def window(volume: Volume, grid: Grid, *, fill: float | bool) -> Volume:
    """Return the voxels of `volume` on another grid of the same lattice, `fill` where it has none.

    Raises
    ------
    ValueError
        If the two grids do not share their lattice.
    """
    offset = volume.grid.mm_to_index(grid.origin_mm)
    first = np.round(offset).astype(int)
    same_axes = volume.grid.direction == grid.direction and volume.grid.spacing_mm == grid.spacing_mm
    if not same_axes or np.abs(offset - first).max() > 1e-3:
        raise ValueError("a window needs a grid on the lattice of its volume")
    values = np.full(grid.shape, fill, dtype=volume.values.dtype)
    here, there = [], []
    for start, size, have in zip(reversed(first), grid.shape, volume.grid.shape, strict=True):
        low, high = max(int(start), 0), min(int(start) + size, have)
        here.append(slice(low - int(start), max(high, low) - int(start)))
        there.append(slice(low, max(high, low)))
    values[tuple(here)] = volume.values[tuple(there)]
    return Volume(grid=grid, values=values)
