"""Idioms: the ways in which cryoablation lays probes out together, each from a plan to the next plan.

What is laid out begins at the skin and fits its shaft; probes that are locked stay, and the words say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from cryoplan.case.case import Case
from cryoplan.case.middle import target_centre_mm
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import distance_mm
from cryoplan.plan.beside import free_side
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.edits import copy_parallel
from cryoplan.plan.hold import require_reach
from cryoplan.plan.placement import pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.skin_entries import entries_on_skin, new_names
from cryoplan.plan.spread import level_zones, make_parallel, spread_line, spread_ring


class Idiom(StrEnum):
    """What is done with the chosen probe; the value is the word in the window."""

    COPY = "Copy parallel"
    RING = "Spread on a ring"
    LINE = "Spread on a line"
    PARALLEL = "Make all parallel to it"
    LEVEL = "Level active zones with it"

    @property
    def is_spread(self) -> bool:
        """True where a number of probes is asked for."""
        return self in (Idiom.RING, Idiom.LINE)

    @property
    def adds(self) -> bool:
        """True where probes are added, at a spacing and on a side."""
        return self in (Idiom.COPY, Idiom.RING, Idiom.LINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What the user asks for.

    Attributes
    ----------
    idiom : Idiom
        What to do.
    name : str
        The probe that leads.
    count : int
        Probes altogether, on a ring or a line.
    spacing_mm : float
        Axis to axis.
    hours : float
        Side as on a clock seen along the probe, 12 towards the head: of the copy, of the first on the ring,
        or where the line runs.
    around_target : bool
        Put the middle of ring or line on the target; else on the probe itself (ring), or begin at it (line).
    """

    idiom: Idiom
    name: str
    count: int = 3
    spacing_mm: float = 15.0
    hours: float = 12.0
    around_target: bool = True


def lay_out(case: Case | None, plan: Plan, catalogue: Catalogue, ask: Ask) -> Plan:
    """Return the plan with what was asked for.

    Raises
    ------
    PlanError
        If it cannot be: a locked probe would move, a shaft is too short, there is no target.
    """
    new = _laid(case, plan, catalogue, ask)
    before = {p.name: p for p in plan.probes}
    turned = {p.name for p in new.probes if p.name in before and _lies_elsewhere(before[p.name], p)}
    if ask.idiom is not Idiom.LEVEL:  # there entries stay where they are
        new = entries_on_skin(case, new, turned | new_names(plan, new))
    require_reach(plan, new, catalogue)
    return new


def best_side(case: Case | None, plan: Plan, catalogue: Catalogue, ask: Ask) -> float:
    """Return the hour of the clock that is offered.

    The free side of a copy; for a ring the one that moves the leading probe least; else 12, the head.
    """
    if ask.idiom is Idiom.COPY:
        return free_side(plan, ask.name, ask.spacing_mm, case)
    if ask.idiom is not Idiom.RING or plan.probe(ask.name).locked:
        return 12.0
    tip = plan.probe(ask.name).tip_mm

    def moved_mm(hours: float) -> float:
        try:
            new = _laid(case, plan, catalogue, replace(ask, hours=hours))
        except PlanError:
            return 0.0  # no hour can help: the sentence says what is wrong
        return distance_mm(new.probe(ask.name).tip_mm, tip)

    return min((12.0, *map(float, range(1, 12))), key=lambda hours: round(moved_mm(hours), 3))


def moved_probes(old: Plan, new: Plan) -> tuple[Probe, ...]:
    """Return the probes of the new plan that are not in the old one, or lie elsewhere there."""
    before = {p.name: p for p in old.probes}
    return tuple(p for p in new.probes if p.name not in before or _lies_elsewhere(before[p.name], p))


def clash_words(old: Plan, new: Plan, catalogue: Catalogue) -> str:
    """Say which probes would run into one another that did not before; empty when none would."""
    there = {(pair.a, pair.b) for pair in pairs(old, catalogue) if pair.closest_mm < 0.0}
    found = [
        f"{pair.a} and {pair.b}"
        for pair in pairs(new, catalogue)
        if pair.closest_mm < 0.0 and (pair.a, pair.b) not in there
    ]
    return f"Probes {', '.join(found)} would run into one another" if found else ""


def words_of(old: Plan, new: Plan, ask: Ask) -> str:
    """Say what is laid out, and what was left alone because it is locked."""
    added = sorted(new_names(old, new))
    moved = [p.name for p in moved_probes(old, new) if p.name not in added]
    parts = []
    if added:
        parts.append(f"{_probes(added)} added")
    if moved:
        parts.append(f"{_probes(moved)} moved" if not added else f"{_probes(moved).lower()} moved")
    if ask.idiom in (Idiom.PARALLEL, Idiom.LEVEL):
        locked = [p.name for p in new.probes if p.locked and p.name != ask.name]
        if locked:
            parts.append(f"{_probes(locked)} locked and left alone")
    return "; ".join(parts) or "Nothing moves: they lie so already"


def _laid(case: Case | None, plan: Plan, catalogue: Catalogue, ask: Ask) -> Plan:
    if ask.idiom is Idiom.COPY:
        return copy_parallel(plan, ask.name, distance_mm=ask.spacing_mm, clock_hours=ask.hours)
    if ask.idiom is Idiom.PARALLEL:
        return make_parallel(plan, ask.name)
    if ask.idiom is Idiom.LEVEL:
        return level_zones(plan, ask.name, catalogue)
    if ask.idiom is Idiom.LINE:
        return spread_line(
            plan,
            ask.name,
            count=ask.count,
            spacing_mm=ask.spacing_mm,
            clock_hours=ask.hours,
            centred=ask.around_target,
        )
    centre = None
    if ask.around_target:
        centre = target_centre_mm(case) if case is not None else None
        if centre is None:
            raise PlanError(
                "There is no target to lay a ring around.",
                "Choose the tumour first (Structures), or lay the ring around the probe.",
                code="suggest-no-target",
                place="target",
            )
    return spread_ring(
        plan,
        ask.name,
        count=ask.count,
        spacing_mm=ask.spacing_mm,
        centre_mm=centre,
        first_hours=ask.hours,
    )


def _lies_elsewhere(old: Probe, new: Probe) -> bool:
    return (old.tip_mm, old.entry_mm) != (new.tip_mm, new.entry_mm)


def _probes(names: list[str]) -> str:
    if len(names) == 1:
        return f"Probe {names[0]}"
    return f"Probes {', '.join(names[:-1])} and {names[-1]}"
