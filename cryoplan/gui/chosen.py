"""Chosen: the selected probe or tool, and what keys and buttons do to it."""

from __future__ import annotations

import numpy as np

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point, as_point
from cryoplan.gui.gesture import attempt
from cryoplan.plan.beside import free_side
from cryoplan.plan.edit_tools import remove_tool
from cryoplan.plan.edits import copy_parallel, remove_probe, set_locked
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.skin_entries import entries_on_skin, new_names
from cryoplan.plan.tool import Tool

PARALLEL_MM = 15.0
"""Spacing of a parallel copy. Source: best joint ice at 15 to 20 mm, Shah 2016 (PMC4850244)."""

NOTHING = "Select a probe first (Tab goes to the next one)."


def selected(workspace: Workspace, view: ViewState) -> Probe | None:
    """Return the selected probe, None when there is none of that name in the plan."""
    return next((p for p in workspace.plan.probes if p.name == view.selected_probe), None)


def selected_shaft(workspace: Workspace, view: ViewState) -> Probe | Tool | None:
    """Return the selected probe or tool; a plan has only one thing of a name."""
    tools = (t for t in workspace.plan.tools if t.name == view.selected_probe)
    return selected(workspace, view) or next(tools, None)


def select(workspace: Workspace, view: ViewState, name: str) -> None:
    """Select a probe or tool and go to where it works: the middle of its active zone, or its tip."""
    view.selected_probe = name
    held = selected_shaft(workspace, view)
    if held is not None:
        view.cursor_mm = _where_it_works(workspace, held)


def _where_it_works(workspace: Workspace, held: Probe | Tool) -> Point:
    if isinstance(held, Tool) or held.model not in workspace.catalogue:
        return held.tip_mm
    front, back = held.active_zone_mm(workspace.catalogue.model(held.model))
    return as_point((np.asarray(front) + np.asarray(back)) / 2.0)


def select_next(workspace: Workspace, view: ViewState, step: int = 1) -> bool:
    """Select the next probe and go to the middle of its active zone; False when there is no probe."""
    names = [p.name for p in workspace.plan.probes]
    if not names:
        return False
    if view.selected_probe in names:
        index = (names.index(view.selected_probe) + step) % len(names)
    else:
        index = 0 if step > 0 else len(names) - 1
    select(workspace, view, names[index])
    return True


def copy_selected(
    workspace: Workspace, view: ViewState, *, distance_mm: float = PARALLEL_MM, hours: float | None = None
) -> bool:
    """Copy the selected probe beside itself, its entry on the skin, and select the copy.

    Parameters
    ----------
    hours : float, optional
        Side as on a clock (`copy_parallel`); the free side when left out.
    """
    probe = selected(workspace, view)
    if probe is None:
        workspace.message.emit(NOTHING)
        return False
    before = workspace.plan
    side = free_side(workspace.plan, probe.name, distance_mm, workspace.case) if hours is None else hours

    def change(plan: Plan) -> Plan:
        beside = copy_parallel(plan, probe.name, distance_mm=distance_mm, clock_hours=side)
        # The body is round: a copy's entry is not on the skin yet.
        return entries_on_skin(workspace.case, beside, new_names(plan, beside))

    done = attempt(workspace, change)
    if done:
        (view.selected_probe,) = new_names(before, workspace.plan)
    return done


def toggle_lock(workspace: Workspace, view: ViewState) -> bool:
    """Lock the selected probe or tool, or free it."""
    held = _need_selected(workspace, view)
    return held is not None and attempt(workspace, lambda p: set_locked(p, held.name, not held.locked))


def delete_selected(workspace: Workspace, view: ViewState) -> bool:
    """Remove the selected probe or tool and select the one before it; a locked one stays."""
    held = _need_selected(workspace, view)
    if held is None:
        return False
    is_tool = isinstance(held, Tool)
    before = [t.name for t in (workspace.plan.tools if is_tool else workspace.plan.probes)]
    index = before.index(held.name)
    remove = remove_tool if is_tool else remove_probe
    if not attempt(workspace, lambda p: remove(p, held.name)):
        return False
    left = workspace.plan.tools if is_tool else workspace.plan.probes
    view.selected_probe = left[max(index - 1, 0)].name if left else None
    return True


def _need_selected(workspace: Workspace, view: ViewState) -> Probe | Tool | None:
    held = selected_shaft(workspace, view)
    if held is None:
        workspace.message.emit(NOTHING)
    return held
