"""Draw gestures: what mouse, wheel and keys do on a slice while a tool for outlining is in hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QWheelEvent

from cryoplan.app.outline_tools import LARGEST_RADIUS_MM, LEAST_RADIUS_MM, RADIUS_STEP, Tool
from cryoplan.app.outlining import Outlining
from cryoplan.app.view import ViewState
from cryoplan.core.geometry import Point, as_point
from cryoplan.core.units import show_ml
from cryoplan.gui.drawn_layer import SPARE_PX, around, ring
from cryoplan.gui.parts import short_name
from cryoplan.gui.slice_picture import SlicePicture

CLOSE_PX = 3.0
"""The line of a lasso takes a corner when the mouse has gone this far."""

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_LINES = (Tool.LASSO, Tool.BOX)
_RADIUS_KEYS = (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight)


def step_radius(outlining: Outlining, notches: float) -> None:
    """Make the brush larger or smaller, in proportion."""
    radius = outlining.settings.radius_mm * RADIUS_STEP**notches
    radius = float(np.clip(round(radius, 1), LEAST_RADIUS_MM, LARGEST_RADIUS_MM))
    outlining.settings = replace(outlining.settings, radius_mm=radius)


class DrawGestures:
    """The tool in hand over one view.

    Parameters
    ----------
    picture : SlicePicture
        The view; its camera says where the mouse is in the patient.
    """

    _MARKS = (Tool.INSIDE, Tool.OUTSIDE)

    def __init__(self, outlining: Outlining, view: ViewState, picture: SlicePicture) -> None:
        self._outlining, self._view, self._picture = outlining, view, picture
        self._is_held = False

    @property
    def is_on(self) -> bool:
        """True while the left button draws: on slices of the patient only."""
        return self._outlining.tool is not None and self._picture.orientation is not None

    @property
    def is_held(self) -> bool:
        """True while the button is down for a tool."""
        return self._is_held

    def press(self, pos: QPointF, modifiers: Qt.KeyboardModifier) -> bool:
        """Begin what the tool does; False when the press is not for it: Ctrl still moves the crosshair."""
        tool = self._outlining.tool
        if not self.is_on or modifiers & Qt.KeyboardModifier.ControlModifier:
            return False
        turn = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if tool is Tool.GROW:
            point = self._picture.point_at(pos)
            if point is not None:
                # The other two views show what is found there.
                self._view.cursor_mm = point
                self._outlining.grow_from(point)
        elif tool in _LINES:
            self._is_held = True
            self._picture.lasso_px = [pos]
        else:
            self._is_held = True  # the first dab is seen at once
            self._is_held = self._outlining.press(self._point(pos), self._normal, turn=turn)
        return True

    def move(self, pos: QPointF) -> None:
        """Go on; the ring follows the mouse with the button up as well."""
        self.show_ring(pos)
        if not self._is_held:
            return
        line = self._picture.lasso_px
        if line and self._outlining.tool is Tool.BOX:
            self._picture.lasso_px = _rectangle(line[0], pos)
            self._picture.update()
        elif line:
            if (pos - line[-1]).manhattanLength() >= CLOSE_PX:
                self._picture.lasso_px = [*line, pos]
                self._picture.update()
        elif self._outlining.is_drawing:
            self._outlining.move(self._point(pos))
        else:
            self._is_held = False  # it was given up meanwhile

    def release(self, modifiers: Qt.KeyboardModifier) -> None:
        """End it."""
        if not self._is_held:
            return
        self._is_held = False
        line, self._picture.lasso_px = self._picture.lasso_px, []
        if line:
            turn = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            if self._outlining.tool is Tool.BOX:
                if len(line) == 4 and (line[2] - line[0]).manhattanLength() >= CLOSE_PX:
                    self._outlining.threshold(self._point(line[0]), self._point(line[2]), self._normal)
            elif len(line) >= 3:
                self._outlining.lasso([self._point(pos) for pos in line], self._normal, turn=turn)
            self._picture.update()
        else:
            self._outlining.release()

    def let_go(self) -> None:
        """Give up what the button was down for."""
        if self._is_held:
            self._is_held = False
            self._picture.lasso_px = []
            self._outlining.cancel_stroke()
            self._picture.update()

    def wheel(self, event: QWheelEvent) -> bool:
        """Change the radius with Shift; False for any other turn."""
        tool = self._outlining.tool
        if not self.is_on or not tool.is_round or not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return False
        # Some systems turn the wheel sideways while Shift is down.
        delta = event.angleDelta().y() or event.angleDelta().x()
        step_radius(self._outlining, delta / 120.0)
        return True

    def wants(self, key: int) -> bool:
        """Tell whether a key means something now."""
        outlining = self._outlining
        if outlining.subject is None:
            return False
        if key == Qt.Key.Key_Escape:
            return outlining.tool is not None or outlining.preview is not None or outlining.is_busy
        if key in _ENTER:
            return outlining.preview is not None or outlining.tool in self._MARKS
        return key in _RADIUS_KEYS and outlining.tool is not None and outlining.tool.is_round

    def key(self, key: int) -> bool:
        """Do what a key means; False when it means nothing here."""
        if not self.wants(key):
            return False
        if key == Qt.Key.Key_Escape:
            if self._is_held:
                self.let_go()
            else:
                self._outlining.escape()
        elif key in _ENTER:
            if self._outlining.preview is None:
                self._outlining.contest()
            else:
                self._outlining.accept()
        else:
            step_radius(self._outlining, -1.0 if key == Qt.Key.Key_BracketLeft else 1.0)
        return True

    def show_ring(self, pos: QPointF | None) -> None:
        """Show the outline of a round tool at the mouse; None takes it away."""
        picture, tool = self._picture, self._outlining.tool
        new = pos if self.is_on and tool.is_round and picture.camera is not None else None
        old, picture.ring_px = picture.ring_px, new
        radius = self._outlining.settings.radius_mm / (picture.mm_per_px or 1.0)
        for at in (old, new):
            if at is not None:
                picture.update(around(ring(at, radius), SPARE_PX))

    def banner(self) -> str:
        """Return what the view says about the tool in hand."""
        outlining = self._outlining
        tool, settings, subject = outlining.tool, outlining.settings, outlining.subject
        if subject is None or not self.is_on:
            return ""
        if outlining.is_busy:
            return f"{outlining.busy_text} ... (Esc stops)"
        if outlining.preview is not None:
            if outlining.preview_leaks:
                return "It runs out: lower the tolerance"
            ml = np.count_nonzero(outlining.preview.voxels) * outlining.live.grid.voxel_volume_ml
            return f"{show_ml(ml)} · Enter adds it, Esc gives it up"
        if tool is Tool.GROW:
            return f"Click into {short_name(subject.name)}"
        if tool is Tool.LASSO:
            return "Draw around it (Shift takes away)"
        if tool is Tool.BOX:
            return f"Drag a box: {settings.least:g} to {settings.most:g}{outlining.unit}"
        shape = f"{'ball' if settings.is_ball else 'disc'} of {2.0 * settings.radius_mm:.3g} mm"
        if tool in self._MARKS:
            return f"Mark {tool.value}, {shape}: Enter decides"
        return f"{tool.value.capitalize()}, {shape}: {short_name(subject.name)}"

    def _point(self, pos: QPointF) -> Point:
        camera, plane = self._picture.camera, self._picture.plane
        assert camera is not None
        assert plane is not None
        return as_point(plane.plane_to_mm(*camera.to_mm(pos, QSizeF(self._picture.size()))))

    @property
    def _normal(self) -> np.ndarray:
        return np.eye(3)[self._picture.orientation.axis]


def _rectangle(a: QPointF, b: QPointF) -> list[QPointF]:
    """Return the corners of an upright rectangle, `a` first and `b` third."""
    return [a, QPointF(b.x(), a.y()), b, QPointF(a.x(), b.y())]
