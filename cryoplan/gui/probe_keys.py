"""Probe keys: everything that the keyboard does to probes and overlays, for any slice view."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import as_point
from cryoplan.gui.probe_gestures import (
    copied_parallel,
    dragged,
    screen_axes,
    turned,
)
from cryoplan.plan import edits
from cryoplan.plan.edits import Grip
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.scene.slices import Orientation

NUDGE_MM, TURN_DEG = 1.0, 1.0
BIG = 5.0
"""How many times further a step goes with Shift."""

_HELD = count(1)

_ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}


class ProbeKeys:
    """Keys of the selected probe; also callable one by one, for menus."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        self._workspace, self._view = workspace, view
        self._gesture = ""

    @property
    def selected(self) -> Probe | None:
        """The selected probe, None when none is (or it is gone)."""
        return next((p for p in self._workspace.plan.probes if p.name == self._view.selected_probe), None)

    def press(self, event: QKeyEvent, orientation: Orientation) -> bool:
        """Do what a key means and tell whether it means anything here."""
        key = Qt.Key(event.key())
        if key in _ARROWS and self.selected is not None:
            # A key that is held down is one gesture, and so one step of undo.
            if not event.isAutoRepeat() or not self._gesture:
                self._gesture = f"keys-{next(_HELD)}"
            self._arrow(*_ARROWS[key], event.modifiers(), orientation)
            return True
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        if key == Qt.Key.Key_P:
            self._view.placing = not self._view.placing
        elif key == Qt.Key.Key_D:
            self.copy_parallel(orientation)
        elif key == Qt.Key.Key_L:
            self.toggle_lock()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove()
        elif key in (Qt.Key.Key_H, Qt.Key.Key_Space):
            if not event.isAutoRepeat():
                self._view.overlays_hidden = not self._view.overlays_hidden
        else:
            return False
        return True

    def select_next(self, step: int = 1) -> bool:
        """Select the next probe and go to the middle of its freezing zone; False when there is none."""
        probes = self._workspace.plan.probes
        if not probes:
            return False
        names = [p.name for p in probes]
        chosen = self._view.selected_probe
        at = (names.index(chosen) + step) % len(names) if chosen in names else (0 if step > 0 else -1)
        probe = probes[at]
        front, back = probe.active_zone_mm(self._workspace.catalogue.model(probe.model))
        self._view.selected_probe = probe.name
        self._view.cursor_mm = as_point(0.5 * (np.asarray(front) + np.asarray(back)))
        return True

    def copy_parallel(self, orientation: Orientation = Orientation.AXIAL) -> None:
        """Copy the selected probe beside itself and select the copy."""
        case, probe = self._workspace.case, self.selected
        if case is None or probe is None:
            self._say_select()
            return
        try:
            new = copied_parallel(case, self._workspace.plan, probe.name, orientation)
        except PlanError as error:
            self._workspace.message.emit(str(error))
            return
        name = new.probes[-1].name
        self._workspace.edit(f"Probe {name} copied from probe {probe.name}", new)
        self._view.selected_probe = name

    def toggle_lock(self) -> None:
        """Lock the selected probe, or free it."""
        probe = self.selected
        if probe is None:
            self._say_select()
            return
        new = edits.set_locked(self._workspace.plan, probe.name, not probe.locked)
        self._workspace.edit(edits.describe_change(self._workspace.plan, new), new)

    def remove(self) -> None:
        """Remove the selected probe and select the one before it."""
        probe = self.selected
        if probe is None:
            self._say_select()
            return
        plan = self._workspace.plan
        at = plan.probes.index(probe)
        if self._edit(lambda: edits.remove_probe(plan, probe.name)):
            left = self._workspace.plan.probes
            self._view.selected_probe = left[max(at - 1, 0)].name if left else None

    def _arrow(self, x: float, y: float, held: Qt.KeyboardModifier, orientation: Orientation) -> None:
        case, probe, plan = self._workspace.case, self.selected, self._workspace.plan
        if case is None or probe is None:
            return
        times = BIG if held & Qt.KeyboardModifier.ShiftModifier else 1.0
        if held & Qt.KeyboardModifier.AltModifier:
            # Right and down turn clockwise on the screen.
            self._edit(lambda: turned(case, plan, probe.name, orientation, times * TURN_DEG * (x + y)), True)
            return
        right, down = screen_axes(orientation)
        by_mm = times * NUDGE_MM * (x * right + y * down)
        self._edit(lambda: dragged(case, plan, probe.name, Grip.WHOLE, by_mm), True)

    def _edit(self, make: Callable[[], Plan], held: bool = False) -> bool:
        old = self._workspace.plan
        try:
            new = make()
        except PlanError as error:
            self._workspace.message.emit(str(error))
            return False
        self._workspace.edit(edits.describe_change(old, new), new, gesture=self._gesture if held else None)
        return True

    def _say_select(self) -> None:
        self._workspace.message.emit("Select a probe first (Tab goes to the next one).")
