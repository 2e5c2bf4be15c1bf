"""Assess: a result becomes an assessment; every number is measured elsewhere and put together here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from cryoplan.case.case import Case
from cryoplan.core.finding import Finding
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import (
    DEFAULT_THRESHOLDS_DEGC,
    Assessment,
    Coverage,
    IsothermSize,
    VesselBeside,
)
from cryoplan.margins.case_limits import CHANGED_CODE, limit_findings, limits_of
from cryoplan.margins.coverage import measure_coverage, overlap, region_fraction, twice_fraction
from cryoplan.margins.histogram import measure_histograms
from cryoplan.margins.ice_gap import Ice
from cryoplan.margins.iceball import (
    alignment,
    cold_fraction,
    gradient_length,
    isotherm_size,
    isotherm_surface,
    mean_probe_axis,
)
from cryoplan.margins.judgement import (
    border_findings,
    coverage_findings,
    margin_findings,
    no_target_finding,
    once,
    organ_findings,
    outside_finding,
    vessel_findings,
    vessels_beside,
    warm_core_findings,
    warm_cores_ml,
)
from cryoplan.margins.limits import Limits
from cryoplan.margins.margin_map import MarginMap, map_margins
from cryoplan.margins.organs import START_DEGC, ColdField, measure_structure
from cryoplan.margins.qam import qam_classes
from cryoplan.margins.region import TargetRegion, body_mask, target_region, window
from cryoplan.margins.sensors import sensor_curves, sensor_findings
from cryoplan.margins.sides import CODES as SIDE_CODES
from cryoplan.margins.sides import on_any_side, points_by_side, side_findings
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.protocol import PhaseKind
from cryoplan.simulation.isotherm import scale_of
from cryoplan.simulation.result import ThermalResult

JUDGED_CODES = (
    "ice-margin", "lethal-margin", "coverage", "organ-temperature", "warm-core", "warm-vessel", CHANGED_CODE,
    *SIDE_CODES,
)  # fmt: skip
"""Findings that follow from the limits and the sides left out; all others are the same whatever these are."""


def assess(
    case: Case,
    plan: Plan,
    catalogue: Catalogue,
    result: ThermalResult,
    *,
    thresholds_degc: Sequence[float] = DEFAULT_THRESHOLDS_DEGC,
    limits: Limits | None = None,
) -> Assessment:
    """Judge the temperatures of a case.

    Parameters
    ----------
    case, plan, catalogue
        What the result is the answer to; the caller has checked its key.
    result : ThermalResult
        Temperatures on the solver grid.
    thresholds_degc : sequence of float
        Isotherms to measure; 0, -20, -30 and -40 are always among them.
    limits : Limits, optional
        Those of the case (`limits_of`) when left out.

    Raises
    ------
    SimulationError
        If the temperatures hold values that are not numbers.
    """
    thresholds = _all_thresholds(thresholds_degc)
    isotherms = _measure_isotherms(plan, catalogue, result, thresholds)
    scale = scale_of(result.minimum_degc)
    values = scale.values(result.minimum_degc.values)
    field = ColdField(
        minimum_degc=result.minimum_degc,
        minimum_at_s=result.minimum_at_s,
        scale=scale,
        values=values,
        gradient_per_mm=gradient_length(values, result.grid),
    )
    edge = isotherm_surface(result.minimum_degc, 0.0)
    ice = Ice(edge, values <= scale.level(0.0), result.grid)
    organs = tuple(measure_structure(s, field, thresholds, ice) for s in case.structures)
    findings = [*result.findings, *sensor_findings(plan, result), *border_findings(result, thresholds)]
    margin_map: MarginMap | None = None
    coverage: tuple[Coverage, ...] = ()
    vessels: tuple[VesselBeside, ...] = ()
    qam: tuple[tuple[float, tuple[float, float, float]], ...] = ()
    warm_core_ml: tuple[tuple[float, float], ...] = ()
    healthy: tuple[tuple[float, float], ...] = ()
    region: TargetRegion | None = None
    twice: tuple[tuple[float, float], ...] = ()
    target = case.target
    if target is None:
        findings.append(no_target_finding())
    else:
        region = target_region(case, target, result.minimum_degc)
        margin_map = map_margins(region.outline, result.minimum_degc, thresholds, outside_degc=START_DEGC)
        coverage = measure_coverage(
            target.name,
            region.outline.distance_mm,
            region.minimum_degc,
            thresholds_degc=thresholds,
            tissue=region.body,
            scale=scale,
        )
        healthy = _healthy_below_ml(case, region, field, thresholds)
        if sum(1 for _, _, phase in plan.protocol.spans() if phase.kind is PhaseKind.FREEZE) > 1:
            twice = _twice_below(region, result, coverage)
        computed = next(o for o in organs if o.name == target.name).inside_grid_fraction
        findings += outside_finding(target.name, computed)
        warm_core_ml = warm_cores_ml(region, thresholds)
        vessels = vessels_beside(case, plan, region)
        qam = tuple((t, qam_classes(region.mask, region.minimum_degc.values <= t)) for t in thresholds)
    measured = Assessment(
        key=result.key,
        isotherms=isotherms,
        margins=() if margin_map is None else margin_map.margins(),
        coverage=coverage,
        structures=organs,
        thermocouples=sensor_curves(plan, result),
        healthy_below_ml=healthy,
        twice_below=twice,
        warm_core_ml=warm_core_ml,
        vessels=vessels,
        qam=qam,
        findings=once(findings),
        margin_map=margin_map,
        histograms=measure_histograms(case, field, region),
    )
    return judge_again(measured, case, result, limits=limits)


def judge_again(
    assessment: Assessment, case: Case, result: ThermalResult, *, limits: Limits | None = None
) -> Assessment:
    """Return an assessment of the same temperatures, judged as the case is judged now.

    Where other sides of the tumour are left out, its margins are summed up anew; nothing is measured again.

    Parameters
    ----------
    assessment : Assessment
        That of `result` and this case, judged by any limits or by none.
    limits : Limits, optional
        Those of the case (`limits_of`) when left out.
    """
    limits = limits_of(case) if limits is None else limits
    sides: list[Finding] = []
    if assessment.margin_map is not None:
        assessment, sides = _with_sides(assessment, assessment.margin_map, case, result)
    measured = [f for f in assessment.findings if f.code not in JUDGED_CODES]
    judged = [
        *margin_findings(assessment.margins, limits),
        *coverage_findings(assessment.coverage, limits),
        *organ_findings(case, assessment.structures, result, limits),
        *limit_findings(case),
        *sides,
        *warm_core_findings(assessment.margins, assessment.warm_core_ml),
    ]
    ice = assessment.margin(0.0)
    if ice is not None:
        judged += vessel_findings(case, assessment.vessels, ice)
    return replace(
        assessment, findings=once([*judged, *measured]), limits=case.limits, left_out=case.left_out
    )


def _with_sides(
    assessment: Assessment, margin_map: MarginMap, case: Case, result: ThermalResult
) -> tuple[Assessment, list[Finding]]:
    """Return an assessment whose margins leave out what the case does, and what there is to say of it."""
    by_side = points_by_side(case, margin_map.surface, result.grid)
    shares = [(side, margin_map.share(points)) for side, points in by_side.items()]
    wished = on_any_side(by_side, margin_map.surface)
    # Where nothing would be left to measure, all of it counts, and that is said.
    left_out = np.zeros_like(wished) if wished.all() else wished
    if not np.array_equal(left_out, margin_map.left_out):
        margin_map = margin_map.without(left_out)
        assessment = replace(assessment, margin_map=margin_map, margins=margin_map.margins())
    return assessment, side_findings(case, shares, margin_map.share(wished))


def assess_block(
    plan: Plan,
    catalogue: Catalogue,
    result: ThermalResult,
    *,
    thresholds_degc: Sequence[float] = DEFAULT_THRESHOLDS_DEGC,
) -> Assessment:
    """Judge the temperatures of a homogeneous block: isotherms and thermocouples, no tumour, no organs.

    Raises
    ------
    SimulationError
        If the temperatures hold values that are not numbers.
    """
    thresholds = _all_thresholds(thresholds_degc)
    return Assessment(
        key=result.key,
        isotherms=_measure_isotherms(plan, catalogue, result, thresholds),
        margins=(),
        coverage=(),
        structures=(),
        thermocouples=sensor_curves(plan, result),
        findings=once(
            [*result.findings, *sensor_findings(plan, result), *border_findings(result, thresholds)]
        ),
    )


def _all_thresholds(asked: Iterable[float]) -> tuple[float, ...]:
    """Return the asked thresholds and the default ones, warmest first."""
    return tuple(sorted({float(t) for t in (*asked, *DEFAULT_THRESHOLDS_DEGC)}, reverse=True))


def _measure_isotherms(
    plan: Plan, catalogue: Catalogue, result: ThermalResult, thresholds: tuple[float, ...]
) -> tuple[IsothermSize, ...]:
    axis = mean_probe_axis(plan, catalogue)
    fields: list[tuple[str | float, Volume]] = [("minimum", result.minimum_degc)]
    for frame in result.frames:
        if frame.label.startswith("end_freeze_"):
            fields.append((frame.label, frame.temperature_degc))
        elif frame.label == "asked":
            fields.append((frame.time_s, frame.temperature_degc))
    return tuple(
        isotherm_size(isotherm_surface(field, t), axis, when=when, threshold_degc=t)
        for when, field in fields
        for t in thresholds
    )


def _healthy_below_ml(
    case: Case, region: TargetRegion, field: ColdField, thresholds: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Return thresholds and the volume at or below them outside the tumour and within the body."""
    spacing = field.grid.spacing_mm[0]
    body = body_mask(case, field.grid)
    distance_mm = region.outline.distance_mm
    tumour = region_fraction(distance_mm, 0.0)
    values = field.scale.values(region.minimum_degc.values)
    cosine = alignment(distance_mm.values, values, distance_mm.grid)
    result = []
    for degc in thresholds:
        cold = cold_fraction(field.values, field.gradient_per_mm, field.scale.level(degc), spacing)
        if body is not None:
            cold = cold * body
        near = window(Volume(grid=field.grid, values=cold), distance_mm.grid, fill=0.0).values
        outside = float(cold.sum(dtype=float)) - float(overlap(tumour, near, cosine).sum(dtype=float))
        result.append((degc, max(0.0, outside) * field.grid.voxel_volume_ml))
    return tuple(result)


def _twice_below(
    region: TargetRegion, result: ThermalResult, coverage: Sequence[Coverage]
) -> tuple[tuple[float, float], ...]:
    """Return threshold and share of the tumour that two freezes or more brought below it."""
    distance_mm = region.outline.distance_mm
    once = {c.threshold_degc: c.fraction for c in coverage if c.rim_mm == 0.0}
    return tuple(
        (
            degc,
            twice_fraction(distance_mm, window(counts, distance_mm.grid, fill=0).values, once[degc]),
        )
        for degc, counts in result.freezes_below
    )
