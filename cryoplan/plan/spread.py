"""Spread: several probes at once - on a ring, on a line, all parallel, level, moved or locked together.

Pure functions from a plan to the next plan, as in `cryoplan.plan.edits`. Probes are laid parallel to one that
is there, with its model, power and times, and with their tips level with its tip across the direction. Their
entries keep its depth; `cryoplan.plan.skin_entries` puts them on the skin.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import FloatArray, as_point
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.edits import free_name, lps_point, nudge, require_free, set_locked, taken_names
from cryoplan.plan.placement import clock_direction
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe

MOST = 12
"""More probes at once than any console drives are a slip of the finger."""

ACROSS = 0.2
"""Cosine between two probes below which sliding one along itself does not make them level."""


def spread_ring(
    plan: Plan,
    name: str,
    *,
    count: int,
    spacing_mm: float,
    centre_mm: npt.ArrayLike | None = None,
    first_hours: float = 12.0,
) -> Plan:
    """Lay `count` parallel probes evenly on a ring; the one named becomes the first of them.

    Parameters
    ----------
    plan : Plan
        The plan.
    name : str
        The probe that gives direction, depth, model, power and times.
    count : int
        Probes on the ring, 2 to 12.
    spacing_mm : float
        From each to the next, axis to axis. The ring's radius is ``spacing / (2 sin(pi / count))``.
    centre_mm : array_like, optional
        LPS point that the ring's axis runs through, such as the middle of a tumour; the axis of the probe
        when left out.
    first_hours : float
        Where the first lies, as on a clock seen along the probe (12 is towards the head).

    Raises
    ------
    PlanError
        If there is no such probe, it is locked, or a number is out of range.
    """
    probe = plan.probe(name)
    require_free(plan, name)
    _checked(count, spacing_mm)
    centre = np.asarray(probe.tip_mm if centre_mm is None else lps_point(centre_mm))
    across = centre - np.asarray(probe.tip_mm)
    across -= (across @ probe.direction) * probe.direction
    radius = spacing_mm / (2.0 * np.sin(np.pi / count))
    hours = [first_hours + 12.0 * n / count for n in range(count)]
    return _laid(plan, probe, [across + radius * clock_direction(probe.direction, h) for h in hours])


def spread_line(
    plan: Plan, name: str, *, count: int, spacing_mm: float, clock_hours: float, centred: bool = True
) -> Plan:
    """Lay `count` parallel probes on a line across their direction; the one named is one of them.

    Parameters
    ----------
    plan, name, count, spacing_mm
        As in `spread_ring`.
    clock_hours : float
        Where the line runs to, as on a clock seen along the probe (12 is towards the head).
    centred : bool
        Put the middle of the line where the probe was; else the probe stays, as the first. A locked one
        always stays.

    Raises
    ------
    PlanError
        If there is no such probe or a number is out of range.
    """
    probe = plan.probe(name)
    _checked(count, spacing_mm)
    step = spacing_mm * clock_direction(probe.direction, clock_hours)
    begin = -0.5 * (count - 1) if centred and not probe.locked else 0.0
    return _laid(plan, probe, [(begin + n) * step for n in range(count)])


def make_parallel(plan: Plan, name: str) -> Plan:
    """Turn all other probes about their tips until they are parallel to one; depths stay, locked ones too.

    Raises
    ------
    PlanError
        If there is no such probe, or no other one that is free.
    """
    lead = plan.probe(name)
    _require_others(plan, lead)

    def turned(probe: Probe) -> Probe:
        entry = np.asarray(probe.tip_mm) - probe.depth_mm * lead.direction
        return replace(probe, entry_mm=as_point(entry))

    return _others_changed(plan, lead, {p.name: turned(p) for p in plan.probes})


def level_zones(plan: Plan, name: str, catalogue: Catalogue) -> Plan:
    """Push or pull all other probes along themselves until their active zones are level with one's.

    Level means that the middles of the active zones lie in one plane across the direction of probe `name`.
    Entries stay, and so do locked probes and those that run nearly within that plane.

    Raises
    ------
    PlanError
        If there is no such probe, no other one can be moved, a model is unknown, or a tip would come out of
        the skin.
    """
    lead = plan.probe(name)
    _require_others(plan, lead)
    level = float(lead.direction @ _middle_mm(lead, catalogue))
    moved = {}
    for probe in plan.probes:
        along = float(probe.direction @ lead.direction)
        if abs(along) < ACROSS:
            continue
        deeper = (level - float(lead.direction @ _middle_mm(probe, catalogue))) / along
        if probe.depth_mm + deeper < 1.0:
            raise PlanError(
                f"Probe {probe.name} would come out of the skin to be level with probe {name}.",
                "Place it deeper first, or level the others to it.",
                code="level-outside",
                place=probe.name,
            )
        moved[probe.name] = replace(probe, tip_mm=probe.point_behind_tip_mm(-deeper))
    return _others_changed(plan, lead, moved)


def shift_all(plan: Plan, by_mm: npt.ArrayLike) -> Plan:
    """Shift all free probes and tools together by one vector, as one object; locked ones stay.

    Raises
    ------
    PlanError
        If nothing is free to move.
    """
    by = np.asarray(lps_point(by_mm))
    free = [s.name for s in plan.shafts if not s.locked]
    if not free:
        raise PlanError(
            "There is nothing to move: all probes are locked, or there is none.",
            "Unlock a probe (L).",
            code="nothing-to-move",
            place="probes",
        )
    for name in free:
        plan = nudge(plan, name, by)
    return plan


def lock_all(plan: Plan, locked: bool) -> Plan:
    """Lock all probes and tools, or free them: a plan that was agreed on stays as it is."""
    for thing in plan.shafts:
        plan = set_locked(plan, thing.name, locked)
    return plan


def _middle_mm(probe: Probe, catalogue: Catalogue) -> FloatArray:
    front, back = probe.active_zone_mm(catalogue.model(probe.model))
    return np.asarray(0.5 * (np.asarray(front) + np.asarray(back)))


def _checked(count: int, spacing_mm: float) -> None:
    if not 2 <= count <= MOST:
        raise PlanError(
            f"{count} probes cannot be spread.", f"Use 2 to {MOST}.", code="spread-count", place="count"
        )
    if not (np.isfinite(spacing_mm) and spacing_mm > 0.0):
        raise PlanError(
            f"A spacing of {spacing_mm:g} mm would put the probes into one another.",
            "Use a spacing above 0 mm.",
            code="copy-distance",
            place="spacing_mm",
        )


def _laid(plan: Plan, probe: Probe, shifts: list[FloatArray]) -> Plan:
    """Move `probe` by the first shift and add copies of it, each moved by one of the others."""
    taken = taken_names(plan)
    laid = []
    for number, by in enumerate(shifts):
        called = probe.name if number == 0 else free_name("", taken)
        taken.add(called)
        tip, entry = np.asarray(probe.tip_mm) + by, np.asarray(probe.entry_mm) + by
        placed = replace(probe, tip_mm=as_point(tip), entry_mm=as_point(entry))
        # A port, a place in the order and a note belong to one probe, and nobody has locked the copies.
        if number:
            placed = replace(placed, name=called, channel="", order=None, colour=None, note="", locked=False)
        laid.append(placed)
    first, *copies = laid
    return replace(plan, probes=(*(first if p is probe else p for p in plan.probes), *copies))


def _require_others(plan: Plan, lead: Probe) -> None:
    if all(p.locked for p in plan.probes if p is not lead):
        raise PlanError(
            f"There is no free probe beside probe {lead.name}.",
            "Place another one, or unlock one (L).",
            code="no-other-probe",
            place=lead.name,
        )


def _others_changed(plan: Plan, lead: Probe, changed: dict[str, Probe]) -> Plan:
    return replace(
        plan,
        probes=tuple(p if p is lead or p.locked else changed.get(p.name, p) for p in plan.probes),
    )
