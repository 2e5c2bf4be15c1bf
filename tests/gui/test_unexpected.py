"""Unexpected errors in the window: one dialog, counted, copied without patient data; nothing stops."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from cryoplan.app import crash
from cryoplan.gui.banner import Banner
from cryoplan.gui.dialogs.unexpected import Teller, UnexpectedDialog
from cryoplan.gui.start import ended_badly
from cryoplan.scene.style import theme

NAME = "Brzęczyszczykiewicz"


@pytest.fixture
def teller(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return Teller(window)


def _fall() -> None:
    raise ValueError(f"no structure {NAME}")


def _dialogs(teller: Teller) -> list[UnexpectedDialog]:
    return [d for d in teller.parent().findChildren(UnexpectedDialog) if d.isVisible()]


@pytest.mark.qt_no_exception_capture
def test_an_error_in_a_slot_is_shown_and_the_program_goes_on(teller, qtbot):
    went_on = []
    with crash.Net(teller.tell):
        QTimer.singleShot(0, _fall)
        QTimer.singleShot(1, lambda: went_on.append(True))
        qtbot.waitUntil(lambda: bool(went_on) and bool(_dialogs(teller)))
    (dialog,) = _dialogs(teller)
    assert not dialog.isModal()
    assert crash.SAFE in dialog.message.text()
    dialog.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "ValueError: no structure…" in copied.replace(" …", "…")
    assert "in the main thread" in copied
    assert "cryoplan 0" in copied
    assert NAME not in copied + dialog.message.text() + dialog.shown.toPlainText()


def test_many_errors_make_one_dialog_that_counts_them(teller, qtbot):
    net = crash.Net(teller.tell)
    with net:
        for _ in range(30):
            try:
                _fall()
            except ValueError as error:
                sys.excepthook(ValueError, error, error.__traceback__)
        qtbot.waitUntil(lambda: bool(_dialogs(teller)) and teller.dialog.times == 30)
    assert len(_dialogs(teller)) == 1
    assert "30 times" in teller.dialog.message.text()
    assert teller.dialog.details.count("ValueError") == 1


def test_errors_of_threads_are_shown_on_the_windows_thread(teller, qtbot):
    shown_on = []
    with crash.Net(teller.tell):
        thread = threading.Thread(target=_fall)
        thread.start()
        thread.join()
        assert teller.dialog is None
        qtbot.waitUntil(lambda: teller.dialog is not None)
        shown_on.append(teller.dialog.thread())
    assert shown_on == [QApplication.instance().thread()]
    assert "in a thread" in teller.dialog.details


def test_a_closed_dialog_begins_anew(teller, qtbot):
    found = crash.Unexpected(kind="ValueError", where="here", details="first")
    teller.tell(found)
    qtbot.waitUntil(lambda: bool(_dialogs(teller)))
    teller.dialog.reject()
    teller.tell(crash.Unexpected(kind="ValueError", where="here", details="second"))
    qtbot.waitUntil(lambda: bool(_dialogs(teller)))
    assert teller.dialog.times == 1
    assert teller.dialog.details == "second"


def test_a_session_that_ended_badly_is_told_above_the_views_with_its_trace(qtbot):
    banner = Banner(theme().dark, None)
    qtbot.addWidget(banner)
    ending = crash.Ending(trace="Fatal Python error: Aborted\n  at core/grid.py:3 in f", path=None)
    banner.show_failure(ended_badly((ending,)))
    assert "ended unexpectedly" in banner.text
    assert crash.SAFE in banner.text
    banner.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "core/grid.py:3" in copied
    assert "Python 3" in copied


DIALOG = """
    import sys, tempfile
    from pathlib import Path
    from PySide6.QtWidgets import QApplication, QFileDialog
    from cryoplan.gui.start import forget_visited_folders
    app = QApplication([])
    if sys.argv[1] == "forget":
        forget_visited_folders(Path(sys.argv[3]))
    dialog = QFileDialog(None, "Open", sys.argv[2])
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.show()
    app.processEvents()
    dialog.accept()
    del dialog
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the dialogs are the system's own")
def test_file_dialogs_leave_no_names_of_folders_in_the_users_settings(tmp_path: Path):
    visited, forgotten = tmp_path / NAME, tmp_path / "forgotten"
    visited.mkdir()

    def left(how: str) -> bool:
        config = tmp_path / how
        environment = os.environ | {"XDG_CONFIG_HOME": str(config), "HOME": str(config)}
        environment["QT_QPA_PLATFORM"] = "offscreen"
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(DIALOG), how, str(visited), str(forgotten)],
            env=environment, cwd=Path(__file__).resolve().parents[2], check=True, capture_output=True,
        )  # fmt: skip
        return any(
            NAME in text or NAME.encode("unicode_escape").decode().split("\\")[0] in text
            for path in config.rglob("*")
            if path.is_file()
            for text in [path.read_text("utf-8", errors="replace")]
        )

    assert left("remember"), "Qt does not write the folders any more: this rule can go"
    assert not left("forget")
