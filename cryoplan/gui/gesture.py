"""Gesture: a change of the plan by hand, one undoable step each; a refusal becomes a message."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import CryoplanError
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.plan import Plan

_gestures = count(1)


def new_gesture() -> str:
    """Return a name that no other gesture of this program run has."""
    return f"slice-gesture-{next(_gestures)}"


def attempt(workspace: Workspace, change: Callable[[Plan], Plan], *, gesture: str | None = None) -> bool:
    """Change the plan as one undoable step; a refusal becomes a message. Tells whether it was done."""
    old = workspace.plan
    try:
        new = change(old)
        workspace.edit(describe_change(old, new), new, gesture=gesture)
    except CryoplanError as error:
        workspace.message.emit(str(error))
        return False
    return True
