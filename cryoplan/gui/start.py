"""Start: the application, its log and last nets for errors, and the first window."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from cryoplan import __version__
from cryoplan.app.child import unexpected
from cryoplan.app.log import start_log
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui import theme
from cryoplan.gui.canvas import make_canvas
from cryoplan.gui.main_window import MainWindow


def start_window(case_path: Path | None, demo: bool) -> int:
    """Open the window and return the exit code once it is closed.

    Parameters
    ----------
    case_path : Path or None
        A saved case, an image or a folder to open at once.
    demo : bool
        Open the built-in case.
    """
    os.environ.setdefault("QT_API", "pyside6")
    application = QApplication.instance() or QApplication([sys.argv[0]])
    application.setApplicationName("cryoplan")
    application.setApplicationVersion(__version__)
    log_file = start_log()
    faulthandler.enable(log_file)
    palette = theme.apply(application)
    workspace = Workspace()
    window = MainWindow(workspace, ViewState(), palette, make_canvas)
    sys.excepthook = _net(workspace)
    _quit_on_interrupt(window)
    window.show()
    if demo:
        workspace.open_demo()
    elif case_path is not None:
        window.open_path(case_path)
    code = application.exec()
    window.deleteLater()
    faulthandler.disable()
    return int(code)


def _net(workspace: Workspace):
    """Return an exception hook that logs, tells the user, and lets the program go on."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        logging.getLogger("cryoplan").error("".join(traceback.format_exception(kind, error, trace)))
        workspace.failed.emit(unexpected(error))

    return hook


def _quit_on_interrupt(window: MainWindow) -> None:
    """Close the window in order on Ctrl+C or an end signal; the timer gives Python its turn to see it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    timer = QTimer(window)
    timer.start(250)
    timer.timeout.connect(_nothing)


def _nothing() -> None:
    """Do nothing; called so that Python runs at all while Qt waits."""
