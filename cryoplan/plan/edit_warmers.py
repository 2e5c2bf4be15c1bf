"""Edits of warmers and flows: pure functions from a plan to the next plan."""

from __future__ import annotations

from dataclasses import replace

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Plan
from cryoplan.plan.warmer import Flow, Warmer, WarmerKind
from cryoplan.plan.warmer_kinds import load_warmers


def add_warmer(
    plan: Plan,
    kind: WarmerKind,
    *,
    structure: str = "",
    centre_mm: Point | None = None,
    name: str | None = None,
) -> Plan:
    """Add a warmer with the usual numbers of its kind, in a structure or on the skin.

    Raises
    ------
    PlanError
        If the name is taken, or the place does not belong to the kind.
    """
    usual = load_warmers()[kind]
    taken = {w.name for w in plan.warmers}
    if name is None:
        base = structure or "skin bag"
        name = next(n for n in (base, *(f"{base} {k}" for k in range(2, len(taken) + 3))) if n not in taken)
    made = Warmer(
        name=checked_name(name, what="The new warmer"),
        kind=kind,
        temperature_degc=usual.temperature.value,
        coefficient=usual.coefficient.value,
        structure=structure,
        centre_mm=centre_mm,
    )
    return replace(plan, warmers=(*plan.warmers, made))


def remove_warmer(plan: Plan, name: str) -> Plan:
    """Remove a warmer.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    _find(plan, name)
    return replace(plan, warmers=tuple(w for w in plan.warmers if w.name != name))


def set_warmer(
    plan: Plan,
    name: str,
    *,
    temperature_degc: float | None = None,
    coefficient: float | None = None,
    radius_mm: float | None = None,
    is_on: bool | None = None,
) -> Plan:
    """Give a warmer other numbers, or turn it on or off; None keeps what is there.

    Raises
    ------
    PlanError
        If there is none of that name, or a number is out of range.
    """
    old = _find(plan, name)
    new = replace(
        old,
        temperature_degc=old.temperature_degc if temperature_degc is None else temperature_degc,
        coefficient=old.coefficient if coefficient is None else coefficient,
        radius_mm=old.radius_mm if radius_mm is None else radius_mm,
        is_on=old.is_on if is_on is None else is_on,
    )
    return replace(plan, warmers=tuple(new if w is old else w for w in plan.warmers))


def set_flow(plan: Plan, structure: str, speed_m_s: float | None) -> Plan:
    """Say how fast the blood of a vessel flows; None goes by its name again.

    Raises
    ------
    PlanError
        If the speed is out of range.
    """
    others = [f for f in plan.flows if f.structure != structure]
    mine = [] if speed_m_s is None else [Flow(structure=structure, speed_m_s=speed_m_s)]
    return replace(plan, flows=tuple(sorted((*others, *mine), key=lambda f: f.structure)))


def rename_structure(plan: Plan, old: str, new: str) -> Plan:
    """Follow a structure that has another name now."""
    return replace(
        plan,
        warmers=tuple(replace(w, structure=new) if w.structure == old else w for w in plan.warmers),
        flows=tuple(replace(f, structure=new) if f.structure == old else f for f in plan.flows),
    )


def _find(plan: Plan, name: str) -> Warmer:
    for warmer in plan.warmers:
        if warmer.name == name:
            return warmer
    raise PlanError(
        f"There is no warmer {name!r}.",
        "Choose one of the plan's warmers.",
        code="warmer-unknown",
        place=name,
    )
