"""Sides: which points of the tumour's surface lie on a side that is left out of the margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.left_out import LeftOut, Side, usual_side
from cryoplan.case.planning import mask_box_mm, structure_mask
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.units import show_percent
from cryoplan.core.volume import Volume
from cryoplan.margins.distance import sample
from cryoplan.margins.margin_map import MarginMap
from cryoplan.margins.outline import smooth_signed_distance
from cryoplan.margins.region import grid_around, window
from cryoplan.margins.surface import Surface

ELSEWHERE = "left-out-elsewhere"
EVERYTHING = "left-out-everything"
PART = "left-out"
CODES = (PART, ELSEWHERE, EVERYTHING)

OFFERED = frozenset({
    Role.ORGAN, Role.KIDNEY, Role.LUNG, Role.BONE, Role.PLEURA, Role.SKIN, Role.DIAPHRAGM,
})  # fmt: skip
"""Roles beyond whose border no ice is wanted, or of which no margin is asked."""

OF_THE_ORGAN = frozenset({Role.TUMOUR, Role.VESSEL, Role.BILE_DUCT})
"""Roles of what runs or lies in an organ: a hole for it in the organ's outline is no capsule."""


def points_by_side(case: Case, surface: Surface, solver: Grid) -> dict[LeftOut, npt.NDArray[np.bool_]]:
    """Return the points ``(n,)`` of the target's surface on each side that the case leaves out."""
    return {side: left_out_points(case, side, surface, solver) for side in case.left_out}


def on_any_side(by_side: Mapping[LeftOut, npt.NDArray[np.bool_]], surface: Surface) -> npt.NDArray[np.bool_]:
    """Return which points ``(n,)`` lie on any of some sides."""
    none = np.zeros(len(surface.points_mm), dtype=bool)
    return np.asarray(np.logical_or.reduce([none, *by_side.values()]))


def left_out_points(case: Case, side: LeftOut, surface: Surface, solver: Grid) -> npt.NDArray[np.bool_]:
    """Return for each point of the target's surface ``(n,)`` whether it lies on a side that is left out.

    Method: the target's surface and a structure are brought together on the lattice of the solver. Of a
    capsule the border of structure, target and all vessels together counts, because outlines of organs often
    leave the tumour and the vessels out; a point is left out where it is nearer to that border than
    `LeftOut.within_mm`, from within or beyond it (Sandu et al. 2021, see `cryoplan.case.left_out`). Of
    anything else, where it is nearer to it.

    Parameters
    ----------
    case : Case
        With its target.
    side : LeftOut
        Nothing lies on it where the case has no such structure, or the target is not near it.
    surface : Surface
        Of the target.
    solver : Grid
        On which masks are looked at.
    """
    target = case.target
    none = np.zeros(len(surface.points_mm), dtype=bool)
    try:
        structure = case.structure(side.structure)
    except StructureError:
        return none
    if target is None or structure is target:
        return none
    grid = grid_around(target, solver, side.within_mm + 3.0 * solver.spacing_mm[0])
    mask = window(structure_mask(structure, solver), grid, fill=False).values
    if not mask.any():
        return none
    if side.side is Side.BESIDE:
        return np.asarray(_distances(mask, grid, surface) < side.within_mm)
    tumour = window(structure_mask(target, solver), grid, fill=False).values
    if not (_grown(tumour) & mask).any():
        return none
    for other in case.structures:
        if other.role in OF_THE_ORGAN:
            mask = mask | window(structure_mask(other, solver), grid, fill=False).values
    # What the window cuts off goes on: its cut is no border.
    return np.asarray(-_distances(mask | tumour, grid, surface, goes_on=True) < side.within_mm)


def _distances(
    mask: npt.NDArray[np.bool_], grid: Grid, surface: Surface, *, goes_on: bool = False
) -> npt.NDArray[np.float64]:
    """Return signed distances ``(n,)`` of the surface's points to a mask, negative inside."""
    if goes_on:
        pad = int(np.ceil(2.0 * grid.spacing_mm[0]))
        mask = np.pad(mask, pad, mode="edge")
        grid = Grid(
            size=tuple(n + 2 * pad for n in grid.size),  # type: ignore[arg-type]  # three, as before
            spacing_mm=grid.spacing_mm,
            origin_mm=tuple(grid.index_to_mm([-pad] * 3)),
            direction=grid.direction,
        )
    if mask.all():
        return np.full(len(surface.points_mm), -np.inf)
    field = smooth_signed_distance(Volume(grid=grid, values=mask))
    return sample(field, surface.points_mm, outside=float(field.values.max()))


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mask))


def offered_sides(case: Case, margin_map: MarginMap, solver: Grid) -> tuple[tuple[LeftOut, float], ...]:
    """Return the sides of the target that somebody may want to leave out, each with its share of the surface.

    Those are organs that hold the target, and bone, lung, pleura, skin and diaphragm whose outline comes
    within the usual distance of the target's box; and all that the case leaves out.
    """
    target = case.target
    chosen = {s.structure: s for s in case.left_out}
    if target is None:
        return ()
    low, high = mask_box_mm(target.mask)
    found = []
    for structure in case.structures:
        if structure is target or (structure.role not in OFFERED and structure.name not in chosen):
            continue
        side = chosen.get(structure.name) or LeftOut(
            structure=structure.name, side=usual_side(structure.role)
        )
        first, last = mask_box_mm(structure.mask)
        gap_mm = float(np.max(np.maximum(low - last, first - high)))
        if gap_mm <= side.within_mm or structure.name in chosen:
            share = margin_map.share(left_out_points(case, side, margin_map.surface, solver))
            if share > 0.0 or structure.name in chosen:
                found.append((side, share))
    return tuple(found)


def side_findings(case: Case, shares: Sequence[tuple[LeftOut, float]], whole: float) -> list[Finding]:
    """Say which sides are left out of the margins, and which of them the tumour does not have.

    Parameters
    ----------
    shares : sequence of (LeftOut, float)
        Share of the target's surface that lies on each side.
    whole : float
        Share that lies on any of them.
    """
    findings = [
        Finding(
            level=Level.WARN,
            code=ELSEWHERE,
            text=f"The margins leave out {side.words()}, but {case.target_name} has no such side.",
            place=side.structure,
        )
        for side, share in shares
        if share == 0.0
    ]
    names = ", ".join(side.words() for side, share in shares if share > 0.0)
    if whole >= 1.0:
        findings.append(
            Finding(
                level=Level.WARN,
                code=EVERYTHING,
                text=f"All of the surface of {case.target_name} would be left out of the margins ({names}), "
                "so they are those of the whole surface.",
                place=case.target_name,
            )
        )
    elif whole > 0.0:
        findings.append(
            Finding(
                level=Level.OK,
                code=PART,
                text=f"{show_percent(whole)} of the surface of {case.target_name} is left out of the "
                f"margins: {names}.",
                place=case.target_name,
            )
        )
    return findings
