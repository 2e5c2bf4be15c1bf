"""Crosshair keys: the keyboard's way to point at a place of a view, and to click there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt

from cryoplan.app.outline_tools import Tool
from cryoplan.app.outlining import Outlining
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import as_point
from cryoplan.gui.chosen import selected_shaft
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_keys import ARROWS, LARGE, NUDGE_MM, Turned

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class CrosshairKeys:
    """Arrows move the crosshair in the view by 1 mm, with Shift by 5; Space and Enter click there.

    They do so while a probe is being placed or a tool draws, and whenever no probe is selected, to which the
    arrows belong otherwise. With a round tool Space paints one dab, with Shift the opposite of it; Enter is
    left to what the tool found.
    """

    def __init__(
        self, workspace: Workspace, view: ViewState, aim: Turned, placing: Placing, outlining: Outlining
    ) -> None:
        self._workspace, self._view, self._aim = workspace, view, aim
        self._placing, self._outlining = placing, outlining

    def press(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Do what a key means; False when it means nothing here."""
        if key in (*_ENTER, Qt.Key.Key_Space):
            turn = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            return self._click() or (key == Qt.Key.Key_Space and self._dab(turn=turn))
        if key not in ARROWS or modifiers & Qt.KeyboardModifier.AltModifier:
            return False
        pointing = self._placing.active or self._outlining.tool is not None
        if not pointing and selected_shaft(self._workspace, self._view) is not None:
            return False
        self._move(Qt.Key(key), LARGE if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0)
        return True

    @property
    def _grows(self) -> bool:
        return self._outlining.tool is Tool.GROW and self._outlining.preview is None

    def _click(self) -> bool:
        if self._placing.active:
            self._placing.click(self._view.cursor_mm)
        elif self._grows:
            self._outlining.grow_from(self._view.cursor_mm)
        else:
            return False
        return True

    def _dab(self, *, turn: bool) -> bool:
        """Paint once at the crosshair; False when no round tool is in hand."""
        normal = np.cross(self._aim.right, self._aim.down)
        begun = self._outlining.press(self._view.cursor_mm, normal, turn=turn)
        if begun:
            self._outlining.release()
        return begun

    def _move(self, key: Qt.Key, times: float) -> None:
        across, down = ARROWS[key]
        step = times * NUDGE_MM * (across * self._aim.right + down * self._aim.down)
        point = as_point(self._view.cursor_mm + step)
        case = self._workspace.case
        if case is not None and bool(case.scan.volume.grid.contains_mm([point])[0]):
            self._view.cursor_mm = point
            self._placing.hover(point)
