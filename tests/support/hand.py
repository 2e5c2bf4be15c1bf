"""A hand at the real window: single events of mouse, wheel and keys, each with its time, at random places."""

from __future__ import annotations

import random

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QWidget

from cryoplan.app.outlining import Outlining
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.panel import Panel
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.view_grid import Layout

NONE, SHIFT, CONTROL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton

EVENT_MS = 12
"""Between two events of one gesture: a mouse tells of itself 60 to 125 times a second."""


class Hand:
    """What a user does to a window with an open case.

    Parameters
    ----------
    window : MainWindow
    qtbot : QtBot
        Its way of waiting lets timers, deletions and other threads have their turn.
    seed : int
        The same seed chooses the same, as far as the window is as quick as it was.
    """

    def __init__(self, window: MainWindow, qtbot, seed: int) -> None:
        self.window, self.qtbot = window, qtbot
        self.workspace, self.view = window.workspace, window.view
        self.random = random.Random(seed)

    # Single events ----------------------------------------------------------------------------------

    def pause(self, milliseconds: int = EVENT_MS) -> None:
        """Let the window do what it has to do."""
        self.qtbot.wait(milliseconds)

    def key(self, widget: QWidget, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        """Press a key and let it go."""
        QTest.keyClick(widget, key, held)
        self.pause()

    def click(self, widget: QWidget, at: QPoint, button: Qt.MouseButton = LEFT) -> None:
        """Click at a place of a widget."""
        QTest.mouseClick(widget, button, pos=at)
        self.pause()

    def push(self, widget: QWidget) -> bool:
        """Click something in a panel, where it is to be seen and may be used; tell whether that was done."""
        if not widget.isVisible() or not widget.isEnabled():
            return False
        panel = widget.parent()
        while panel is not None and not isinstance(panel, Panel):
            panel = panel.parent()
        if panel is not None:
            panel.area.ensureWidgetVisible(widget)
        self.click(widget, widget.rect().center())
        return True

    def drag(
        self, widget: QWidget, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT, steps: int = 8
    ) -> None:
        """Press, move in steps, and let go."""
        QTest.mousePress(widget, button, pos=start)
        self.pause()
        for step in range(1, steps + 1):
            QTest.mouseMove(widget, start + (end - start) * (step / steps))
            self.pause()
        QTest.mouseRelease(widget, button, pos=end)
        self.pause()

    def wheel(self, widget: QWidget, notches: int, held: Qt.KeyboardModifier = NONE) -> None:
        """Turn the wheel over a widget, notch by notch."""
        at = QPointF(widget.rect().center())
        for _ in range(abs(notches)):
            turn = QPoint(0, 120 if notches > 0 else -120)
            event = QWheelEvent(
                at, widget.mapToGlobal(at), QPoint(), turn, Qt.MouseButton.NoButton, held,
                Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(widget, event)
            self.pause()

    def choose(self, box: QComboBox) -> None:
        """Go up or down in a list by a key."""
        if box.isVisible() and box.isEnabled():
            box.setFocus()
            self.key(box, self.random.choice((Qt.Key.Key_Up, Qt.Key.Key_Down)))

    def enter(self, box: QWidget, text: str) -> None:
        """Type into a field."""
        if box.isVisible() and box.isEnabled():
            box.setFocus()
            box.selectAll()
            QTest.keyClicks(box, text)
            self.key(box, Qt.Key.Key_Return)

    # Where ------------------------------------------------------------------------------------------

    def seen(self, *, of_patient: bool = False) -> list[SliceView]:
        """Return the slice views that are shown; where none is, go back to where some are."""
        grid, probe_set = self.window.grid, self.window.probe_set
        if grid.enlarged == "3d":
            QTest.mouseDClick(self.window.canvas.picture, LEFT, pos=QPoint(20, 40))
            self.pause()
        if of_patient and grid.layout_shown is Layout.PROBE_SET:
            self.push(probe_set.switch)
        views = (*self.window.slices.values(), *probe_set.views.values())
        found = [view for view in views if view.isVisible() and view.camera is not None]
        return found if found else [v for v in self.window.slices.values() if v.isVisible()]

    def slice(self, *, of_patient: bool = False) -> SliceView:
        """Return one of them, with the focus."""
        view = self.random.choice(self.seen(of_patient=of_patient))
        view.setFocus()
        return view

    def spot(self, widget: QWidget) -> QPoint:
        """Return a place in the middle part of a widget."""
        width, height = widget.width(), widget.height()
        return QPoint(
            round(self.random.uniform(0.2, 0.8) * width), round(self.random.uniform(0.2, 0.8) * height)
        )

    def near(self, at: QPointF, px: float) -> QPoint:
        """Return a place not far from another."""
        by = QPointF(self.random.uniform(-px, px), self.random.uniform(-px, px))
        return (at + by).toPoint()

    def step(self, number: int) -> QWidget:
        """Go to a step by its key and return its panel."""
        self.key(self.window, Qt.Key(Qt.Key.Key_1 + number), Qt.KeyboardModifier.ControlModifier)
        panel = self.window.panels[number]
        self.qtbot.waitUntil(lambda: panel.isVisible() and not panel.is_busy_refreshing)
        return panel

    def put_down(self) -> None:
        """Give up what is half done: a placing, a tool for drawing, a film, dialogs."""
        view = self.slice()
        outlining = Outlining.of(self.workspace)
        for _ in range(4):
            if self.view.placing or outlining.tool is not None or outlining.preview is not None:
                self.key(view, Qt.Key.Key_Escape)
        if self.view.playing:
            self.push(self.window.protocol_bar.play)
        for dialog in self.window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.close()
        self.pause()
        if not self.window.isActiveWindow():
            # There is no window manager on the display of the tests that would give it the keys again.
            self.window.activateWindow()
            assert QTest.qWaitForWindowActive(self.window)
