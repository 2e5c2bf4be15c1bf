"""Probe gestures: what a drag or a key does to a plan, and where the grips of a probe are on a slice.

Pure functions from plans to plans; the views own the mouse. Wherever a gesture moves an entry, the entry
goes to the skin again, because the entry *is* where the shaft passes the skin. Where nothing tells where the
skin is (an MR without an outlined body), it stays where it was put.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.skin import skin_entry
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, as_point, distance_mm, point_to_segment_mm
from cryoplan.plan import edits
from cryoplan.plan.edits import Grip
from cryoplan.plan.placement import clock_direction
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.scene.contours import ProbeMark
from cryoplan.scene.slices import Orientation

Pair = tuple[float, float]

REACH_PX = 12.0
"""How near to a grip a press must be."""

SELECT_PX = 7.0
"""How near to a shaft a click must be to select its probe."""

END_ON_PX = 40.0
"""A probe that looks shorter than this is held as a whole only: its grips would lie on one another."""

COPY_MM = 15.0
"""Spacing of a parallel copy. Source: best joint ice at 15 to 20 mm, Shah 2016 (PMC4850244)."""

NEAR_PROBE_MM = 8.0
"""A parallel copy is not put where another probe is nearer than this."""

DEFAULT_MODEL = "generic-15g"


@dataclass(frozen=True, slots=True, kw_only=True)
class GripSpot:
    """A grip of the selected probe on the screen."""

    kind: Grip
    at_px: Pair


def grip_spots(mark: ProbeMark, to_px: Callable[[Pair], Pair]) -> tuple[GripSpot, ...]:
    """Return the grips of a projected probe: tip, entry and, half-way, the whole of it.

    A probe seen end-on has one grip, the whole, where it crosses the plane.
    """
    tip, entry = to_px(mark.tip_uv), to_px(mark.entry_uv)
    if np.hypot(tip[0] - entry[0], tip[1] - entry[1]) < END_ON_PX:
        middle = (0.5 * (mark.tip_uv[0] + mark.entry_uv[0]), 0.5 * (mark.tip_uv[1] + mark.entry_uv[1]))
        return (GripSpot(kind=Grip.WHOLE, at_px=to_px(mark.crossing_uv or middle)),)
    return (
        GripSpot(kind=Grip.TIP, at_px=tip),
        GripSpot(kind=Grip.ENTRY, at_px=entry),
        GripSpot(kind=Grip.WHOLE, at_px=(0.5 * (tip[0] + entry[0]), 0.5 * (tip[1] + entry[1]))),
    )


def spot_at(spots: tuple[GripSpot, ...], at_px: Pair) -> GripSpot | None:
    """Return the grip that a press means: the nearest within reach, None when there is none."""
    near = [(float(np.hypot(s.at_px[0] - at_px[0], s.at_px[1] - at_px[1])), s) for s in spots]
    reached = [pair for pair in near if pair[0] <= REACH_PX]
    return min(reached, key=lambda pair: pair[0])[1] if reached else None


def probe_at(marks: Iterable[ProbeMark], to_px: Callable[[Pair], Pair], at_px: Pair) -> str | None:
    """Return the probe that a click means: of those under it, the one nearest to the slice; or None."""
    found = []
    for mark in marks:
        # Pixels here; a third coordinate because the rule is that of three dimensions.
        entry, tip, at = ([*uv, 0.0] for uv in (to_px(mark.entry_uv), to_px(mark.tip_uv), at_px))
        distance = float(point_to_segment_mm(at, entry, tip))
        if distance <= SELECT_PX:
            found.append((-mark.strength, distance, mark.name))
    return min(found)[2] if found else None


def dragged(case: Case, plan: Plan, name: str, grip: Grip, by_mm: npt.ArrayLike) -> Plan:
    """Return the plan after a grip of a probe was pulled by a vector from where it was in `plan`.

    Raises
    ------
    PlanError
        If the probe is locked, or tip and entry would be in one place.
    """
    by = np.asarray(by_mm, float)
    if not by.any():
        return plan
    new = edits.nudge(plan, name, by, grip=grip)
    return new if grip is Grip.TIP else _entry_on_skin(case, new, name)


def turned(case: Case, plan: Plan, name: str, orientation: Orientation, by_deg: float) -> Plan:
    """Return the plan after a probe was turned about its tip, clockwise on the screen when positive.

    Raises
    ------
    PlanError
        If the probe is locked.
    """
    right, down = screen_axes(orientation)
    # Right x down points into the screen; a right-handed turn about it is clockwise for the viewer.
    return _entry_on_skin(case, edits.tilt(plan, name, np.cross(right, down), by_deg, about=Grip.TIP), name)


def copied_parallel(case: Case, plan: Plan, name: str, orientation: Orientation) -> Plan:
    """Return the plan with a parallel copy of a probe beside it, where no other probe is.

    Of the four sides, those within the plane of the view come first; the copy is the last probe of the plan.

    Raises
    ------
    PlanError
        If there is no such probe, or all four sides are taken.
    """
    probe = plan.probe(name)
    hours = sorted(
        (3.0, 9.0, 12.0, 6.0),
        key=lambda h: round(abs(float(clock_direction(probe.direction, h)[orientation.axis])), 6),
    )
    for hour in hours:
        new = edits.copy_parallel(plan, name, distance_mm=COPY_MM, clock_hours=hour)
        copy = new.probes[-1]
        if all(distance_mm(copy.tip_mm, p.tip_mm) >= NEAR_PROBE_MM for p in plan.probes):
            return _entry_on_skin(case, new, copy.name)
    raise PlanError(
        f"There are probes on all four sides of probe {name} already.",
        "Copy one of those instead.",
        code="copy-no-room",
        place=name,
    )


def placed(case: Case, plan: Plan, tip_mm: Point, toward_mm: npt.ArrayLike, *, model: str) -> Plan:
    """Return the plan with a new probe from the skin to `tip_mm`, on the line through `toward_mm`.

    Raises
    ------
    PlanError
        If both points are less than a millimetre apart.
    """
    entry, _ = entry_toward(case, tip_mm, toward_mm)
    return edits.add_probe(plan, model=model, tip_mm=tip_mm, entry_mm=entry)


def entry_toward(case: Case, tip_mm: npt.ArrayLike, toward_mm: npt.ArrayLike) -> tuple[Point, bool]:
    """Return where a line from a tip leaves the skin, and whether it did: else the second point itself."""
    if distance_mm(tip_mm, toward_mm) < 1e-6:
        return as_point(toward_mm), False
    entry = skin_entry(case, tip_mm, toward_mm)
    return (as_point(toward_mm), False) if entry is None else (entry, True)


def model_for_new(plan: Plan, selected: str | None) -> str:
    """Return the model of the next probe: that of the selected one, of the last one, or the generic one."""
    for probe in plan.probes:
        if probe.name == selected:
            return probe.model
    return plan.probes[-1].model if plan.probes else DEFAULT_MODEL


def screen_axes(orientation: Orientation) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the LPS directions that run to the right and down on the screen."""
    right, down = np.zeros(3), np.zeros(3)
    right[orientation.u_axis] = 1.0
    down[orientation.v_axis] = orientation.v_sign
    return right, down


def _entry_on_skin(case: Case, plan: Plan, name: str) -> Plan:
    probe = plan.probe(name)
    entry = skin_entry(case, probe.tip_mm, probe.entry_mm)
    if entry is None or distance_mm(entry, probe.tip_mm) < 1.0:
        return plan
    return replace(plan, probes=tuple(_with_entry(p, entry) if p.name == name else p for p in plan.probes))


def _with_entry(probe: Probe, entry_mm: Point) -> Probe:
    return replace(probe, entry_mm=entry_mm)
