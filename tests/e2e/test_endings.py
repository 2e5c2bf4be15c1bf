"""Every way of ending leaves nothing behind: no process, no thread, no half of a picture."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cryoplan.app.state import State
from tests.support.real_window import SOLVE_MS, child_pid, is_alive, open_small

pytestmark = pytest.mark.display

START = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from cryoplan.gui.start import start_window

if __name__ == "__main__":
    application = QApplication(sys.argv[:1])
    QTimer.singleShot(1500, application.closeAllWindows)
    sys.exit(start_window(None, demo={demo}))
"""


def begin_to_solve(window, qtbot) -> None:
    window.workspace.request_simulation()
    qtbot.waitUntil(
        lambda: window.workspace.progress is not None and window.workspace.progress.fraction > 0.01,
        timeout=SOLVE_MS,
    )
    assert window.workspace.state is State.SOLVING


def test_closing_while_solving_ends_the_background_process(desk, qtbot):
    begin_to_solve(desk, qtbot)
    pid = child_pid(desk)
    assert is_alive(pid)
    assert desk.close()
    assert not is_alive(pid)


def test_ctrl_q_closes_too(desk, qtbot):
    begin_to_solve(desk, qtbot)
    pid = child_pid(desk)
    QTest.keyClick(desk, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert not desk.isVisible()
    assert not is_alive(pid)


def test_cancel_stops_the_solve_and_the_window_goes_on(desk, qtbot):
    begin_to_solve(desk, qtbot)
    with qtbot.waitSignal(desk.workspace.message, check_params_cb=lambda text: text == "Cancelled"):
        QTest.keyClick(desk, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert desk.workspace.state is State.READY
    begin_to_solve(desk, qtbot)


def test_a_window_opens_again_after_another_was_closed(make_window, qtbot):
    first = make_window()
    open_small(first, qtbot)
    first.close()
    second = make_window()
    open_small(second, qtbot)
    assert second.isVisible()
    assert second.workspace.case is not None
    assert second.canvas.picture.isVisible()


@pytest.mark.parametrize("demo_too", [False, True], ids=["empty", "while the demo is being made"])
def test_the_program_starts_and_ends_without_a_word(demo_too, tmp_path):
    script = tmp_path / "start.py"
    script.write_text(START.format(demo=demo_too), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
