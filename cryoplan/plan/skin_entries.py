"""Skin entries: probes and tools made to begin at the skin; a body is round, so a copy does not."""

from __future__ import annotations

from collections.abc import Collection

from cryoplan.case.case import Case
from cryoplan.case.skin import skin_entry
from cryoplan.plan.edits import move_entry
from cryoplan.plan.plan import Plan


def entries_on_skin(case: Case | None, plan: Plan, names: Collection[str]) -> Plan:
    """Move the entries of the named probes and tools along their shafts to where those leave the body.

    Locked ones stay, and so do those of which nothing tells where the skin is.

    Raises
    ------
    PlanError
        If a shaft would lose its length.
    """
    if case is None:
        return plan
    for thing in plan.shafts:
        if thing.name in names and not thing.locked:
            entry = skin_entry(case, thing.tip_mm, thing.entry_mm)
            if entry is not None and entry != thing.entry_mm:
                plan = move_entry(plan, thing.name, entry)
    return plan


def new_names(before: Plan, after: Plan) -> set[str]:
    """Return the names of probes and tools that are in one plan but not in the other."""
    return {s.name for s in after.shafts} - {s.name for s in before.shafts}
