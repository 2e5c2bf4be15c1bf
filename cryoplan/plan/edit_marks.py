"""Edits of skin marks: pure functions from a plan to the next plan, as in `edits`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy.typing as npt

from cryoplan.core.errors import PlanError
from cryoplan.plan.edits import free_name, lps_point
from cryoplan.plan.mark import Mark, MarkKind
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Plan

FIRST_NAMES = {MarkKind.MIDLINE: "mid-line", MarkKind.GRID_LINE: "grid 1", MarkKind.LANDMARK: "landmark 1"}
"""How the first mark of a kind is called; later ones get the next number."""


def add_mark(plan: Plan, *, kind: MarkKind, position_mm: npt.ArrayLike, name: str | None = None) -> Plan:
    """Add a skin mark; it gets the next free name of its kind unless named.

    Raises
    ------
    PlanError
        If the name is taken or not one, or the position is not three finite numbers.
    """
    if name is None:
        taken = {m.name for m in plan.marks}
        name = FIRST_NAMES[kind]
        if name in taken:
            name = free_name(f"{name.rstrip(' 1')} ", taken)
    new = Mark(name=checked_name(name, what="The new mark"), kind=kind, position_mm=lps_point(position_mm))
    return replace(plan, marks=(*plan.marks, new))


def move_mark(plan: Plan, name: str, position_mm: npt.ArrayLike) -> Plan:
    """Put a mark elsewhere.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    return _changed(plan, name, lambda m: replace(m, position_mm=lps_point(position_mm)))


def rename_mark(plan: Plan, name: str, new_name: str) -> Plan:
    """Give a mark another name.

    Raises
    ------
    PlanError
        If there is none of that name, or the new name is taken or not one.
    """
    checked_name(new_name, what=f"Mark {name}")
    return _changed(plan, name, lambda m: replace(m, name=new_name))


def set_mark_kind(plan: Plan, name: str, kind: MarkKind) -> Plan:
    """Say what a mark is.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    return _changed(plan, name, lambda m: replace(m, kind=kind))


def remove_mark(plan: Plan, name: str) -> Plan:
    """Remove a mark.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    _changed(plan, name, lambda m: m)
    return replace(plan, marks=tuple(m for m in plan.marks if m.name != name))


def _changed(plan: Plan, name: str, change: Callable[[Mark], Mark]) -> Plan:
    if name not in (m.name for m in plan.marks):
        raise PlanError(
            f"There is no skin mark {name!r}.",
            "Choose one of the plan's marks.",
            code="mark-unknown",
            place=name,
        )
    return replace(plan, marks=tuple(change(m) if m.name == name else m for m in plan.marks))
