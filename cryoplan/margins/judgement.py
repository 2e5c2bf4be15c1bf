"""Judgement: measured numbers and their limits become findings in the words of the review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.shell import shell_of
from cryoplan.case.structure import Role
from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import direction_words
from cryoplan.core.units import show_clock, show_degc, show_ml, show_mm, show_percent
from cryoplan.margins.alerts import first_below_s
from cryoplan.margins.assessment import Coverage, Margin, OrganTemperature, VesselBeside
from cryoplan.margins.iceball import touches_border
from cryoplan.margins.limits import Limits, judge
from cryoplan.margins.organs import START_DEGC
from cryoplan.margins.region import TargetRegion, window
from cryoplan.plan.plan import Plan
from cryoplan.simulation.conditions import load_conditions
from cryoplan.simulation.result import ThermalResult

VESSEL_NEAR_MM = 5.0
"""A vessel this near is named: assumed, since the bite of flowing blood is a few millimetres deep."""

VESSEL_BLAMED_MM = 10.0
"""The worst margin this near to a vessel is put down to it: assumed, twice the distance above."""

CORE_DEPTH_VOXELS = 1.5
"""Warm voxels nearer to the surface than this belong to its margin and not to a warm core."""


def isotherm_name(threshold_degc: float) -> str:
    """Return what a margin is measured to, with its threshold: never one number called margin."""
    return "ice edge (0 °C)" if threshold_degc == 0.0 else f"{show_degc(threshold_degc)} isotherm"


def _first_upper(text: str) -> str:
    return text[0].upper() + text[1:]


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Drop what was said twice and put what weighs most first, else in the order given."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: -f.level.rank))


def border_findings(result: ThermalResult, thresholds_degc: Sequence[float]) -> list[Finding]:
    """Say which isotherms reach the end of the computed region."""
    reached = [t for t in thresholds_degc if touches_border(result.minimum_degc, t)]
    if not reached:
        return []
    return [
        Finding(
            level=Level.WARN,
            code="isotherm-at-border",
            text=f"The isotherm of {', '.join(show_degc(t) for t in reached)} reaches the border of the "
            "computed region, so its true volume is larger than the one given; solve with a wider margin.",
        )
    ]


def margin_findings(margins: Sequence[Margin], limits: Limits) -> list[Finding]:
    """Judge the worst margin to each isotherm that has a limit."""
    findings = []
    for margin in margins:
        limit = limits.margin(margin.threshold_degc)
        if limit is not None:
            name = _first_upper(isotherm_name(margin.threshold_degc))
            findings.append(
                judge(
                    limit,
                    margin.minimum_mm,
                    what=f"{name}, worst margin of {margin.structure}",
                    code="ice-margin" if margin.threshold_degc == 0.0 else "lethal-margin",
                    place=margin.structure,
                    detail="" if margin.no_ice else f" ({margin.worst_direction})",
                )
            )
    return findings


def coverage_findings(coverage: Sequence[Coverage], limits: Limits) -> list[Finding]:
    """Judge each coverage that has a limit."""
    findings = []
    for covered in coverage:
        limit = limits.covered(covered.threshold_degc, covered.rim_mm)
        if limit is not None:
            rim = f" + {covered.rim_mm:g} mm" if covered.rim_mm else ""
            name = _first_upper(isotherm_name(covered.threshold_degc))
            findings.append(
                judge(
                    limit,
                    covered.fraction,
                    what=f"{name}, share of {covered.structure}{rim}",
                    code="coverage",
                    place=covered.structure,
                    detail=f" ({show_ml(covered.missed_ml)} missed)",
                )
            )
    return findings


def warm_cores_ml(region: TargetRegion, thresholds_degc: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return each threshold with the volume well within the tumour that stayed warmer, millilitres."""
    grid = region.minimum_degc.grid
    deep = region.outline.distance_mm.values < -CORE_DEPTH_VOXELS * grid.spacing_mm[0]
    lowest = region.minimum_degc.values[deep]
    return tuple((t, float(np.count_nonzero(lowest > t)) * grid.voxel_volume_ml) for t in thresholds_degc)


def warm_core_findings(
    margins: Sequence[Margin], warm_core_ml: Sequence[tuple[float, float]]
) -> list[Finding]:
    """Say where a margin looks good although the inside of the tumour stays warmer than the isotherm."""
    warm = dict(warm_core_ml)
    return [
        Finding(
            level=Level.FAIL if margin.threshold_degc == 0.0 else Level.WARN,
            code="warm-core",
            text=f"The surface of {margin.structure}{' that counts' if margin.fraction_left_out else ''} "
            f"lies within the {isotherm_name(margin.threshold_degc)}, but "
            f"{show_ml(warm[margin.threshold_degc])} inside it stay warmer.",
            place=margin.structure,
        )
        for margin in margins
        if margin.minimum_mm >= 0.0 and warm.get(margin.threshold_degc, 0.0) > 0.0
    ]


def outside_finding(name: str, inside_fraction: float) -> list[Finding]:
    """Say when a part of the tumour was not computed."""
    if inside_fraction >= 1.0:
        return []
    return [
        Finding(
            level=Level.FAIL,
            code="target-outside-grid",
            text=f"{show_percent(1.0 - inside_fraction)} of {name} lies beyond the computed region and is "
            f"taken at {show_degc(START_DEGC)}; solve with a wider margin.",
            place=name,
        )
    ]


def no_target_finding() -> Finding:
    """Say that there is nothing to measure a margin on."""
    return Finding(
        level=Level.WARN,
        code="no-target",
        text="No target is chosen, so there is no margin and no coverage.",
    )


def vessels_beside(case: Case, plan: Plan, region: TargetRegion) -> tuple[VesselBeside, ...]:
    """Return the vessels that run beside the tumour; those whose blood stands still are as any tissue."""
    found = []
    given = {f.structure: f.speed_m_s for f in plan.flows}
    conditions = load_conditions()
    distance_mm = region.outline.distance_mm
    grid = distance_mm.grid
    for structure in case.structures:
        if structure.role is not Role.VESSEL:
            continue
        if given.get(structure.name, conditions.vessel_kind(structure.name).speed.value) <= 0.0:
            continue
        mask = structure_mask(structure, region.solver_grid)
        vessel = window(mask, grid, fill=False).values
        if not vessel.any():
            continue
        distance = np.where(vessel, distance_mm.values, np.inf)
        # Surface of the vessel's nearest voxel, not its centre.
        gap = max(0.0, float(distance.min()) - grid.spacing_mm[0] / 2.0)
        if gap > VESSEL_NEAR_MM:
            continue
        k, j, i = np.unravel_index(int(np.argmin(distance)), grid.shape)
        side = direction_words(grid.index_to_mm([i, j, k]) - region.outline.centre_mm)
        found.append(VesselBeside(name=structure.name, gap_mm=gap, side=side))
    return tuple(found)


def vessel_findings(case: Case, vessels: Sequence[VesselBeside], ice: Margin) -> list[Finding]:
    """Name the vessels beside the tumour, and blame those at whose side the worst margin lies."""
    findings = []
    for beside in vessels:
        to_worst = shell_of(case.structure(beside.name).mask).to_point_mm(ice.worst_point_mm)
        blamed = to_worst <= VESSEL_BLAMED_MM
        findings.append(
            Finding(
                level=Level.WARN if blamed else Level.OK,
                code="warm-vessel",
                text=f"{beside.name} runs {show_mm(beside.gap_mm)} from {ice.structure} ({beside.side}); its "
                "blood stays warm and takes a bite out of the ice"
                + (", and the worst margin lies on its side." if blamed else "."),
                place=beside.name,
            )
        )
    return findings


def organ_findings(
    case: Case, organs: Sequence[OrganTemperature], result: ThermalResult, limits: Limits
) -> list[Finding]:
    """Judge the lowest temperature of each structure that has a limit."""
    findings = []
    for organ in organs:
        limit = limits.organ(organ.role, organ.name)
        if limit is None:
            continue
        detail = f" at {show_clock(organ.at_s)}"
        if limit.level(organ.minimum_degc) is not Level.OK:
            crossed = next(s for s in (limit.warn, limit.fail) if s is not None)
            first = first_below_s(case.structure(organ.name), result, crossed.value)
            if first is not None:
                detail += f", below {show_degc(crossed.value)} from {show_clock(first)} on"
        if organ.inside_grid_fraction == 0.0:
            detail = ", all of it beyond the computed region"
        elif organ.inside_grid_fraction < 1.0:
            detail += f", {show_percent(organ.inside_grid_fraction)} of it in the computed region"
        findings.append(
            judge(
                limit,
                organ.minimum_degc,
                what=f"Lowest temperature of {organ.name}",
                code="organ-temperature",
                place=organ.name,
                detail=detail,
            )
        )
    return findings
