"""Edits of tools and of the room: pure functions from a plan to the next plan, as in `edits`."""

from __future__ import annotations

from dataclasses import replace

import numpy.typing as npt

from cryoplan.plan.edits import changed_shaft, free_name, lps_point, require_free, taken_names
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Plan
from cryoplan.plan.room import Room
from cryoplan.plan.tool import USUAL_MM, Tool, ToolKind

PREFIX = {
    ToolKind.THERMOCOUPLE: "TC",
    ToolKind.HYDRODISSECTION: "HD",
    ToolKind.INTRODUCER: "IN",
    ToolKind.BIOPSY: "BX",
}
"""How new tools are called, with a number behind."""


def add_tool(
    plan: Plan, *, kind: ToolKind, tip_mm: npt.ArrayLike, entry_mm: npt.ArrayLike, name: str | None = None
) -> Plan:
    """Add a tool of the usual size; it gets the next free name of its kind unless named.

    Raises
    ------
    PlanError
        If the name is taken or not one, or entry and tip are the same place.
    """
    if name is None:
        name = free_name(PREFIX[kind], taken_names(plan))
    diameter_mm, length_mm = USUAL_MM[kind]
    tool = Tool(
        name=checked_name(name, what="The new tool"),
        kind=kind,
        tip_mm=lps_point(tip_mm),
        entry_mm=lps_point(entry_mm),
        diameter_mm=diameter_mm,
        length_mm=length_mm,
    )
    return replace(plan, tools=(*plan.tools, tool))


def remove_tool(plan: Plan, name: str) -> Plan:
    """Remove a tool.

    Raises
    ------
    PlanError
        If there is none of that name, or it is locked.
    """
    plan.tool(name)
    require_free(plan, name)
    return replace(plan, tools=tuple(t for t in plan.tools if t.name != name))


def rename_tool(plan: Plan, name: str, new_name: str) -> Plan:
    """Give a tool another name.

    Raises
    ------
    PlanError
        If there is none of that name, or the new name is taken or not one.
    """
    plan.tool(name)
    checked_name(new_name, what=f"Tool {name}")
    return changed_shaft(plan, name, lambda t: replace(t, name=new_name))


def set_tool_size(plan: Plan, name: str, *, diameter_mm: float, length_mm: float) -> Plan:
    """Set outer diameter and length of a tool, as its label says.

    Raises
    ------
    PlanError
        If there is none of that name, or a number is not a size of a needle.
    """
    tool = plan.tool(name)
    sized = replace(tool, diameter_mm=float(diameter_mm), length_mm=float(length_mm))
    return replace(plan, tools=tuple(sized if t is tool else t for t in plan.tools))


def set_room(plan: Plan, room: Room) -> Plan:
    """Say how the patient will lie and what the scanner there allows."""
    return replace(plan, room=room)
