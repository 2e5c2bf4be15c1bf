"""What a hand does to the real window: press, drag, open; and whether a process is still there."""

from __future__ import annotations

import os

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from cryoplan.app.worker import Worker
from cryoplan.gui.main_window import MainWindow
from tests.support.desk import small_case
from tests.support.scenes import make_plan

LOAD_MS, SOLVE_MS = 120_000, 240_000


def open_demo(window: MainWindow, qtbot) -> None:
    """Press the button of the first screen and wait until everything of the case is there."""
    press(window.welcome.demo)
    qtbot.waitUntil(lambda: window.workspace.meshes is not None, timeout=LOAD_MS)
    qtbot.waitUntil(lambda: not window.workspace.is_busy, timeout=LOAD_MS)


def open_small(window: MainWindow, qtbot) -> None:
    """Show a ball of tumour with two probes, and wait until the background process has made its surfaces."""
    window.workspace.set_case(small_case(), make_plan())
    qtbot.waitUntil(lambda: window.workspace.meshes is not None, timeout=LOAD_MS)
    qtbot.waitUntil(lambda: not window.workspace.is_busy, timeout=LOAD_MS)


def press(widget: QWidget, at: QPoint | None = None) -> None:
    """Click a widget, in its middle unless said otherwise."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or widget.rect().center())


def drag(widget: QWidget, start: QPointF, end: QPointF, *, release: bool = True) -> None:
    """Press at one place, move in steps to another, and let go there."""
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start.toPoint())
    for step in range(1, 6):
        at = start + (end - start) * (step / 5.0)
        QTest.mouseMove(widget, at.toPoint())
        QTest.qWait(1)  # lets the event of this step arrive before the next overtakes it
    if release:
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end.toPoint())


def child_pid(window: MainWindow) -> int:
    """Return the process id of the window's background process."""
    return window.workspace.findChild(Worker).pid


def is_alive(pid: int) -> bool:
    """Tell whether a process of ours still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
