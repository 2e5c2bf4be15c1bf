"""Keyboard: the hand of a sitting without a mouse; Tab to a control, arrows to a place, and Space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QWidget

from cryoplan.gui.slice_view import SliceView
from cryoplan.scene.plane import Orientation
from tests.support.sitting import Hand

MOST_TABS = 400
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@dataclass
class KeyboardHand(Hand):
    """A user at one window without a mouse.

    Attributes
    ----------
    moves : int
        Tabs and arrows, counted apart from the actions: a person holds them down.
    """

    moves: int = 0

    def click(self, widget: QWidget, at: QPoint | QPointF | None = None, what: str = "") -> None:
        """Press a control by Space, or a place of the axial view by arrows and Space."""
        if isinstance(widget, SliceView):
            assert at is not None
            self.point(widget.point_at(QPointF(at)))
            self.key(Qt.Key.Key_Space, widget=widget)
            return
        assert widget.isEnabled(), f"{widget.accessibleName() or what} is grey"
        self._tab_to(widget)
        self.key(Qt.Key.Key_Space, widget=widget)

    def choose(self, box: QComboBox, index: int) -> None:
        """Choose a line of a list with the arrow keys."""
        self._tab_to(box)
        while box.currentIndex() != index:
            self._move(box, Qt.Key.Key_Down if box.currentIndex() < index else Qt.Key.Key_Up)
        self._did(f"choose {box.itemText(index)!r}")

    def point(self, point_mm: tuple[float, float, float]) -> None:
        """Take the crosshair to a place, to a slice and half a millimetre exactly."""
        window = self.window
        axial = window.slices[Orientation.AXIAL]
        self.key(Qt.Key.Key_0, CONTROL)
        assert window.focusWidget() is axial
        if window.view.selected_probe is not None and not window.placing.active:
            self.key(Qt.Key.Key_Escape, widget=axial)
        half = 0.51 * window.workspace.case.scan.volume.grid.spacing_mm[2]
        while abs(window.view.cursor_mm[2] - point_mm[2]) > half:
            up = window.view.cursor_mm[2] < point_mm[2]
            self._move(axial, Qt.Key.Key_PageUp if up else Qt.Key.Key_PageDown)
        for axis, keys in ((0, (Qt.Key.Key_Left, Qt.Key.Key_Right)), (1, (Qt.Key.Key_Up, Qt.Key.Key_Down))):
            while abs(left := point_mm[axis] - window.view.cursor_mm[axis]) > 0.51:
                far = SHIFT if abs(left) > 5.0 else Qt.KeyboardModifier.NoModifier
                self._move(axial, keys[int(left > 0.0)], far)
        assert np.linalg.norm(np.subtract(window.view.cursor_mm, point_mm)[:2]) < 1.0

    def _tab_to(self, widget: QWidget) -> None:
        """Press Tab until the control has the focus; from a view Ctrl+Tab, where Tab is the next probe."""
        top = widget.window()
        passed: list[str] = []
        for _ in range(MOST_TABS):
            here = top.focusWidget() or top
            if here is widget:
                return
            passed.append(f"{type(here).__name__} {here.accessibleName()}")
            is_view = isinstance(here, SliceView) or here is self.window.canvas.picture
            held = CONTROL if is_view else Qt.KeyboardModifier.NoModifier
            self._move(here, Qt.Key.Key_Tab, held)
        raise AssertionError(f"Tab does not lead to {widget.accessibleName() or widget}: {passed[-40:]}")

    def _move(
        self,
        widget: QWidget,
        key: Qt.Key,
        held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        self.moves += 1
        QTest.keyClick(widget, key, held)
