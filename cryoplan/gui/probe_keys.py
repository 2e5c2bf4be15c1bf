"""Probe keys: what the keys of a view do to the selected probe or tool."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import Qt

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import FloatArray
from cryoplan.gui.chosen import copy_selected, delete_selected, select_next, selected_shaft, toggle_lock
from cryoplan.gui.gesture import attempt, new_gesture
from cryoplan.plan.edits import nudge
from cryoplan.plan.hold import keep_on_skin, require_reach
from cryoplan.plan.plan import Plan
from cryoplan.plan.spread import lock_all, shift_all
from cryoplan.plan.turning import turn_by

NUDGE_MM = 1.0
TURN_DEG = 1.0
LARGE = 5.0
"""How many times further a step goes with Shift."""

ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}


class Turned(Protocol):
    """How a view is turned to the screen."""

    @property
    def right(self) -> FloatArray:
        """Patient direction to the right of the screen."""

    @property
    def down(self) -> FloatArray:
        """Patient direction down the screen."""

    def turn_axis(self, right: float, down: float) -> FloatArray:
        """Return the axis about which an arrow key turns a probe."""


class ProbeKeys:
    """Arrows nudge and turn, D copies, L locks, Delete removes, Tab goes to the next one.

    With Ctrl the arrows move everything that is free, with Shift L locks or frees everything.

    Parameters
    ----------
    aim : Turned
        How the view lies in the patient.
    """

    def __init__(self, workspace: Workspace, view: ViewState, aim: Turned) -> None:
        self._workspace = workspace
        self._view = view
        self._aim = aim
        self._held: tuple[object, str] = (None, "")

    def press(self, key: int, modifiers: Qt.KeyboardModifier, *, repeated: bool = False) -> bool:
        """Do what a key means; False when it means nothing here."""
        if key in ARROWS:
            held = selected_shaft(self._workspace, self._view)
            if held is not None:
                self._arrow(held.name, Qt.Key(key), modifiers, repeated)
            return held is not None
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return select_next(self._workspace, self._view, -1 if key == Qt.Key.Key_Backtab else 1)
        action = {
            Qt.Key.Key_D: copy_selected,
            Qt.Key.Key_L: toggle_lock,
            Qt.Key.Key_Delete: delete_selected,
        }.get(Qt.Key(key))
        if action is None:
            return False
        if not repeated and key == Qt.Key.Key_L and modifiers & Qt.KeyboardModifier.ShiftModifier:
            lock = not all(s.locked for s in self._workspace.plan.shafts)
            attempt(self._workspace, lambda plan: lock_all(plan, lock))
        elif not repeated:
            action(self._workspace, self._view)
        return True

    def _arrow(self, name: str, key: Qt.Key, modifiers: Qt.KeyboardModifier, repeated: bool) -> None:
        # A key that is held down is one gesture: one undo takes all of it back.
        held = (key, modifiers.value, name)
        if not repeated or self._held[0] != held:
            self._held = (held, new_gesture())
        times = LARGE if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0
        across, along = ARROWS[key]
        case, catalogue = self._workspace.case, self._workspace.catalogue

        def moved(plan: Plan) -> Plan:
            if modifiers & Qt.KeyboardModifier.AltModifier:
                axis = self._aim.turn_axis(across, along)
                new = turn_by(plan, name, axis, times * TURN_DEG, case)
            else:
                by = times * NUDGE_MM * (across * self._aim.right + along * self._aim.down)
                together = modifiers & Qt.KeyboardModifier.ControlModifier
                new = shift_all(plan, by) if together else nudge(plan, name, by)
                for moved_name in [s.name for s in plan.shafts if not s.locked] if together else [name]:
                    new = keep_on_skin(plan, new, moved_name, case)
            require_reach(plan, new, catalogue)
            return new

        attempt(self._workspace, moved, gesture=self._held[1])
