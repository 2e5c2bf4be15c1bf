"""Numbers: values beside their limits, as plan card and review show them."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.structure import Structure
from cryoplan.core.box import VoxelBox
from cryoplan.core.finding import Level
from cryoplan.core.geometry import Point, distance_mm, point_to_segment_mm
from cryoplan.core.units import show_clock, show_degc, show_ml, show_mm, show_percent
from cryoplan.gui.parts import DASH
from cryoplan.margins.assessment import Assessment, Coverage, Margin, OrganTemperature
from cryoplan.margins.limits import Direction, Limit, Limits, show_apart
from cryoplan.margins.rough import RoughMargin
from cryoplan.margins.sides import CODES as SIDE_CODES
from cryoplan.margins.uncertainty import COVERS_95, Uncertainty
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.report.decision import LARGEST_CARDS

LARGE_THRESHOLDS_DEGC = LARGEST_CARDS
"""The ice edge and the strictest lethal isotherm are shown large, as on paper."""

EXTRA_COVERAGE = ((-20.0, 5.0),)
"""(threshold, rim) shown on the card although it has no limit."""

OWN = "*"
"""Marks a limit that is not the ordinary one."""

VOLUME_THRESHOLDS_DEGC = (0.0, -20.0, -40.0)

SAME_PLACE_MM = 3.0
"""Two worst places nearer than this are said once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One row: what the window says about one number."""

    name: str
    value: str
    limit: str = ""
    level: Level | None = None
    tip: str = ""
    point: Point | None = None


_OUTLINED_ML: WeakKeyDictionary[Structure, float] = WeakKeyDictionary()


def outlined_ml(structure: Structure) -> float:
    """Return the volume of a structure; counted once, for the voxels of a CT take their time."""
    known = _OUTLINED_ML.get(structure)
    if known is None:
        mask = structure.mask
        inside = mask.values[VoxelBox(*voxel_box_ijk(mask)).place]
        known = float(np.count_nonzero(inside)) * mask.grid.voxel_volume_ml
        _OUTLINED_ML[structure] = known
    return known


def short_limit(limit: Limit | None) -> str:
    """Return the first limit that a value meets, such as ``≥ 5 mm``; a case's own with `OWN`."""
    if limit is None:
        return ""
    side = limit.warn or limit.fail
    assert side is not None  # a limit has one of the two
    sign = "≥" if limit.direction is Direction.AT_LEAST else "≤"
    value, unit = (100.0 * side.value, "%") if side.unit == "fraction" else (side.value, side.unit)
    text = f"{sign} {value:.6g} {'°C' if unit == 'degC' else unit}".replace("-", "\N{MINUS SIGN}")
    return f"{text} {OWN}" if limit.ordinary else text


def limit_words(limit: Limit | None) -> str:
    """Return a limit with its sources, for a tooltip."""
    if limit is None:
        return "No limit is set."
    lines = [f"Wanted: {limit.describe()}."]
    lines += [
        f"{name}: {s.source} ({s.how})" for name, s in (("Warns", limit.warn), ("Fails", limit.fail)) if s
    ]
    return "\n".join(lines)


def margin_title(threshold_degc: float) -> str:
    """Return the short name of a margin: never one number called margin."""
    return f"{'ice edge' if threshold_degc == 0.0 else 'lethal'} {show_degc(threshold_degc)}"


def margin_row(margin: Margin, limits: Limits) -> Shown:
    """Return a margin as it is shown."""
    limit = limits.margin(margin.threshold_degc)
    level = None if limit is None else limit.level(margin.minimum_mm)
    if margin.no_ice or not np.isfinite(margin.minimum_mm):
        value, point = "no ice", None
    elif limit is not None and level is not Level.OK:
        value, point = show_apart(margin.minimum_mm, limit, level), margin.worst_point_mm
    else:
        value, point = show_mm(margin.minimum_mm, signed=True), margin.worst_point_mm
    return Shown(
        name=margin_title(margin.threshold_degc),
        value=value,
        limit=short_limit(limit) or "none set",
        level=level,
        tip=f"Least signed distance from the surface of {margin.structure} to the isotherm of the lowest "
        f"temperature; positive where the isotherm lies outside.\n{limit_words(limit)}",
        point=point,
    )


def left_out_words(assessment: Assessment | None) -> str:
    """Return what no margin is asked of, as a line beside the margins; empty when that is nothing."""
    if assessment is None:
        return ""
    return "\n".join(f"! {f.text}" for f in assessment.findings if f.code in SIDE_CODES)


def qam_words(assessment: Assessment, margin: Margin) -> str:
    """Return how a margin is counted, and what the published voxel method counts instead."""
    text = (
        "Positive where the isotherm lies outside the tumour. Surfaces are taken between voxels and weighted "
        "by their area."
    )
    classes = dict(assessment.qam).get(margin.threshold_degc)
    if classes is None:
        return text
    shares = ", ".join(show_percent(share) for share in classes)
    return f"{text}\nBy the voxel method of Sandu 2021 (QAM), whole surface: {shares}."


def sure_words(margin: Margin, sure: Uncertainty) -> str:
    """Return how sure a margin is: ``±3.6 mm (1 SD), images ±1.6 mm``, and when that is too much."""
    text = f"±{show_mm(sure.mm)} (1 SD), images ±{show_mm(sure.images_mm)}"
    if sure.is_below_images(margin.minimum_mm):
        least = show_mm(COVERS_95 * sure.images_mm)
        text += (
            f". {show_mm(margin.minimum_mm, signed=True)} is less than the images can tell ({least}, 95 %)"
        )
    return text


def short_sure(margin: Margin, sure: Uncertainty) -> str:
    """Return the same in the room of a box: ``±3.6 mm SD``, or that the images cannot tell it from zero."""
    return f"±{show_mm(sure.mm)}{': ≈ 0' if sure.is_below_images(margin.minimum_mm) else ' SD'}"


def rough_words(margin: RoughMargin) -> str:
    """Return a margin of a preview: with the sign that it is rough, rounded down to whole millimetres.

    Down, so that a rough number never looks better than it is.
    """
    if margin.no_ice:
        return "~ no ice"
    # The space keeps the two strokes of "about" and "minus" apart.
    return f"~\N{THIN SPACE}{int(np.floor(margin.minimum_mm)):+d} mm".replace("-", "\N{MINUS SIGN}")


def coverage_name(threshold_degc: float, rim_mm: float) -> str:
    """Return what is covered by which isotherm: ``at −20 °C`` for the tumour, ``rim 5 mm −20 °C``."""
    return f"rim {rim_mm:g} mm {show_degc(threshold_degc)}" if rim_mm else f"at {show_degc(threshold_degc)}"


def coverage_row(covered: Coverage, margin: Margin | None, limits: Limits) -> Shown:
    """Return a coverage as it is shown; a press goes to the worst place of the same isotherm."""
    limit = limits.covered(covered.threshold_degc, covered.rim_mm)
    level = None if limit is None else limit.level(covered.fraction)
    if limit is None or level is Level.OK:
        value = show_percent(covered.fraction)
    else:
        value = show_apart(covered.fraction, limit, level)
    point = None if margin is None or margin.no_ice or covered.fraction >= 1.0 else margin.worst_point_mm
    return Shown(
        name=coverage_name(covered.threshold_degc, covered.rim_mm),
        value=value,
        limit=short_limit(limit),
        level=level,
        tip=f"{show_ml(covered.missed_ml)} missed.\n{limit_words(limit)}",
        point=point,
    )


def coverage_rows(assessment: Assessment, limits: Limits, *, everything: bool) -> list[Shown]:
    """Return coverages, the tumour first; not `everything`: those with a limit and `EXTRA_COVERAGE`."""
    return [
        coverage_row(c, assessment.margin(c.threshold_degc), limits)
        for c in sorted(assessment.coverage, key=lambda c: (c.rim_mm, -c.threshold_degc))
        if everything
        or limits.covered(c.threshold_degc, c.rim_mm) is not None
        or (c.threshold_degc, c.rim_mm) in EXTRA_COVERAGE
    ]


def organ_row(organ: OrganTemperature, limits: Limits) -> Shown:
    """Return the lowest temperature of a structure as it is shown."""
    limit = limits.organ(organ.role, organ.name)
    level = None if limit is None else limit.level(organ.minimum_degc)
    if limit is None or level is Level.OK:
        value = show_degc(organ.minimum_degc)
    else:
        value = show_apart(organ.minimum_degc, limit, level)
    if level not in (None, Level.OK):
        value = f"{value} at {show_clock(organ.at_s)}"
    frozen = ", ".join(f"{show_ml(ml)} below {show_degc(t)}" for t, ml in organ.volume_below_ml)
    part = ""
    if organ.inside_grid_fraction < 1.0:
        part = f"\n{show_percent(organ.inside_grid_fraction)} of it lies in the computed region."
    return Shown(
        name=organ.name,
        value=value,
        limit=short_limit(limit),
        level=level,
        tip=f"Lowest {show_degc(organ.minimum_degc)} at {show_clock(organ.at_s)}. {frozen}.{part}\n"
        f"{limit_words(limit)}",
        point=organ.at_mm,
    )


def judged_organs(assessment: Assessment, limits: Limits, target: str) -> list[OrganTemperature]:
    """Return the structures that have a limit, the worst first."""
    found = [
        s for s in assessment.structures if limits.organ(s.role, s.name) is not None and s.name != target
    ]

    def weight(organ: OrganTemperature) -> tuple[float, float]:
        limit = limits.organ(organ.role, organ.name)
        assert limit is not None
        side = limit.warn or limit.fail
        assert side is not None
        room = organ.minimum_degc - side.value
        return -limit.level(organ.minimum_degc).rank, room if limit.direction is Direction.AT_LEAST else -room

    return sorted(found, key=weight)


def volume_rows(assessment: Assessment) -> list[Shown]:
    """Return the volumes of the ice ball and the healthy tissue in it."""
    rows = []
    for threshold in VOLUME_THRESHOLDS_DEGC:
        try:
            value = show_ml(assessment.volume_ml(threshold))
        except KeyError:
            continue
        rows.append(
            Shown(
                name=f"ice {show_degc(threshold)}" if threshold == 0.0 else show_degc(threshold), value=value
            )
        )
    if assessment.healthy_frozen_ml is not None:
        rows.append(
            Shown(
                name="healthy tissue frozen",
                value=show_ml(assessment.healthy_frozen_ml),
                tip="At or below 0 °C outside the target.",
            )
        )
    return rows


def worst_places(assessment: Assessment, plan: Plan, catalogue: Catalogue, limits: Limits) -> list[Shown]:
    """Return the worst places of the two large margins; one row when they are the same place."""
    rows: list[tuple[Margin, Shown]] = []
    for threshold in LARGE_THRESHOLDS_DEGC:
        margin = assessment.margin(threshold)
        if margin is None or margin.no_ice:
            continue
        row = margin_row(margin, limits)
        same = next(
            (m for m, _ in rows if distance_mm(m.worst_point_mm, margin.worst_point_mm) < SAME_PLACE_MM), None
        )
        if same is None:
            words = place_words(margin, plan, catalogue)
            rows.append((margin, Shown(name=words, value=f"{row.name}: {row.value}", point=row.point)))
        else:
            old = next(shown for m, shown in rows if m is same)
            merged = Shown(name=old.name, value=f"{old.value} · {row.name}: {row.value}", point=old.point)
            rows = [(m, merged if m is same else shown) for m, shown in rows]
    return [shown for _, shown in rows]


def place_words(margin: Margin, plan: Plan, catalogue: Catalogue) -> str:
    """Return where a margin is worst: ``caudal-anterior, 4.1 mm from probe 2``."""
    gaps = [
        (float(point_to_segment_mm(margin.worst_point_mm, *p.active_zone_mm(catalogue[p.model]))), p.name)
        for p in plan.probes
        if p.model in catalogue
    ]
    near = f", {show_mm(min(gaps)[0])} from probe {min(gaps)[1]}" if gaps else ""
    return f"{margin.worst_direction}{near}" if margin.worst_direction else near.lstrip(", ") or DASH
