"""Sitting: a hand at the real window that counts what it does and how long it has to wait.

An action is one click, one key with what is held, one drag, or one text typed into a field. A wait is the
time from an action until what it was for is there. One of more than `SIGN_MS` needs a sign on the screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QWidget,
)

from cryoplan.app.outlining import Outlining
from cryoplan.gui.main_window import MainWindow
from tests.support.real_window import drag

SIGN_MS = 100.0
POLL_MS = 10
PATIENCE_MS = 120_000
THINKING_S = 1.35
"""Mental preparation before an action, by the keystroke-level model (Card, Moran, Newell 1980)."""

MOVING_S = 1.1 + 0.2
"""Pointing and pressing once, by the same model."""

NONE = Qt.KeyboardModifier.NoModifier


@dataclass
class Hand:
    """One user at one window.

    Attributes
    ----------
    actions : list of str
        What was done, in order.
    waits : list of (str, float, bool)
        What was waited for, for how many ms, and whether a sign was shown.
    """

    window: MainWindow
    actions: list[str] = field(default_factory=list)
    waits: list[tuple[str, float, bool]] = field(default_factory=list)

    # Acting -----------------------------------------------------------------------------------------

    def click(self, widget: QWidget, at: QPoint | QPointF | None = None, what: str = "") -> None:
        """Click a widget that can be seen and pressed; scrolls to it first, as an action of its own."""
        self._reach(widget)
        assert widget.isEnabled(), f"{self._called(widget, what)} is grey"
        place = widget.rect().center() if at is None else QPointF(at).toPoint()
        assert widget.rect().contains(place), f"{place} is not in {self._called(widget, what)}"
        self._did(f"click {self._called(widget, what)}")
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place)

    def key(self, which: Qt.Key, held: Qt.KeyboardModifier = NONE, widget: QWidget | None = None) -> None:
        """Press a key in the window, or in a widget that has the focus."""
        self._did(f"key {held.name + ' ' if held != NONE else ''}{which.name}")
        if QApplication.activeWindow() is None:
            # Where there is no window manager nobody hands the focus back when a dialog has closed.
            self.window.activateWindow()
            assert QTest.qWaitForWindowActive(self.window)
        QTest.keyClick(widget or self.window, which, held)

    def drag(self, widget: QWidget, start: QPointF, end: QPointF) -> None:
        """Drag in a view."""
        self._did("drag")
        drag(widget, start, end)

    def type(self, edit: QWidget, text: str) -> None:
        """Type a text over what stands in a field, and leave it with Tab."""
        self._reach(edit)
        self._did(f"type {text!r}")
        edit.setFocus()
        edit.selectAll()
        QTest.keyClicks(edit, text)
        QTest.keyClick(edit, Qt.Key.Key_Tab)

    def choose(self, box: QComboBox, index: int) -> None:
        """Choose a line of a list: one click opens it, one chooses."""
        self._reach(box)
        assert box.isEnabled(), f"{box.accessibleName()} is grey"
        assert index >= 0, f"{box.accessibleName()} has no such line"
        self._did(f"open {box.accessibleName()}")
        self._did(f"choose {box.itemText(index)!r}")
        box.setCurrentIndex(index)
        box.activated.emit(index)

    # Dialogs ----------------------------------------------------------------------------------------

    def in_dialog(self, handle: Callable[[QDialog], None], then: Callable[[], None]) -> None:
        """Do something that opens a dialog which holds everything up, and use the dialog."""
        failures: list[BaseException] = []

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QDialog) or not dialog.isVisible():
                QTimer.singleShot(POLL_MS, look)
                return
            try:
                handle(dialog)
            except BaseException as error:  # told below: here it would vanish in Qt
                failures.append(error)
                dialog.reject()

        QTimer.singleShot(POLL_MS, look)
        then()
        if failures:
            raise failures[0]

    def in_file_dialog(self, path: Path, then: Callable[[], None]) -> None:
        """Do something that asks for a file or folder, type its path and press Return."""

        def handle(dialog: QDialog) -> None:
            assert isinstance(dialog, QFileDialog)
            edit = dialog.findChild(QLineEdit, "fileNameEdit")
            self._did("type a path")
            edit.setFocus()
            edit.selectAll()
            edit.setText(str(path))
            self._did("key Return")
            QTest.keyClick(edit, Qt.Key.Key_Return)
            if dialog.isVisible():  # the completer took the key
                QTest.keyClick(edit, Qt.Key.Key_Return)

        self.in_dialog(handle, then)

    def press_in(self, dialog: QDialog, words: str) -> None:
        """Press a button of a dialog by its words."""
        buttons = [b for b in dialog.findChildren(QPushButton) if b.text().replace("&", "") == words]
        assert len(buttons) == 1, f"{len(buttons)} buttons {words!r}"
        self.click(buttons[0])

    # Waiting ----------------------------------------------------------------------------------------

    def wait(self, what: str, until: Callable[[], bool]) -> None:
        """Wait until something is there; note for how long, and whether the window said so."""
        begin = time.perf_counter()
        signed = False
        while not until():
            waited_ms = 1000.0 * (time.perf_counter() - begin)
            assert waited_ms < PATIENCE_MS, f"waited in vain for: {what}"
            signed = signed or self.sign() != ""
            QTest.qWait(POLL_MS)
        self.waits.append((what, 1000.0 * (time.perf_counter() - begin), signed))

    def until(self, condition: Callable[[], bool]) -> None:
        """Go on when something is so that nobody looking at the screen would wait for."""
        end = time.perf_counter() + PATIENCE_MS / 1000.0
        while not condition():
            assert time.perf_counter() < end
            QTest.qWait(POLL_MS)

    def sign(self) -> str:
        """Return what on the screen says that something is under way; empty when nothing does."""
        workspace = self.window.workspace
        if QApplication.overrideCursor() is not None:
            return "wait cursor"
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog) and dialog.isVisible():
            return dialog.windowTitle()
        if workspace.is_busy and self.window.status_line.isVisible():
            return workspace.busy_text or self.window.top_bar.chip.text()
        outlining = Outlining.of(workspace)
        if outlining.is_busy:
            return outlining.busy_text
        said = self.window.status_line.shown_message
        if said.endswith("..."):
            return said
        chip = self.window.top_bar.chip.text()
        return chip if "SOLVING" in chip or "PREVIEW" in chip else ""

    # Telling ----------------------------------------------------------------------------------------

    @property
    def waited_s(self) -> float:
        """Seconds of waiting."""
        return sum(ms for _, ms, _ in self.waits) / 1000.0

    @property
    def estimated_s(self) -> float:
        """Seconds that a person needs: waiting, and each action with its thought."""
        return self.waited_s + len(self.actions) * (THINKING_S + MOVING_S)

    def unsigned(self) -> list[str]:
        """Return the waits above `SIGN_MS` of which nothing on the screen told."""
        return [f"{what}: {ms:.0f} ms" for what, ms, signed in self.waits if ms > SIGN_MS and not signed]

    def summary(self) -> str:
        """Return the counts in a line."""
        return (
            f"{len(self.actions)} actions, {self.waited_s:.0f} s of waiting, about "
            f"{self.estimated_s / 60.0:.1f} min by the keystroke-level model"
        )

    def _did(self, what: str) -> None:
        self.actions.append(what)

    def _reach(self, widget: QWidget) -> None:
        """Scroll until a widget is seen, as a hand would; it must be there at all."""
        assert widget.isVisibleTo(self.window) or widget.window() is not self.window, (
            f"{widget.accessibleName() or widget} is not shown"
        )
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                before = parent.verticalScrollBar().value()
                parent.ensureWidgetVisible(widget)
                if parent.verticalScrollBar().value() != before:
                    self._did("scroll")
                QTest.qWait(POLL_MS)
            parent = parent.parentWidget()

    def _called(self, widget: QWidget, what: str) -> str:
        return repr(what or widget.accessibleName() or type(widget).__name__)
