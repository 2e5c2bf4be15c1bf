"""Start: the application, its log and last nets for errors, and the first window."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSettings, QTimer
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication

from cryoplan import __version__
from cryoplan.app import crash
from cryoplan.app.allocator import give_back_what_is_freed
from cryoplan.app.jobs import Failure
from cryoplan.app.log import listen_to_qt, start_log
from cryoplan.app.outlining import Outlining
from cryoplan.app.settings import Settings
from cryoplan.app.tidying import Tidying
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.resources import resource
from cryoplan.gui import theme
from cryoplan.gui.appearance import LIGHT, PART, Appearance
from cryoplan.gui.canvas import make_canvas
from cryoplan.gui.dialogs.unexpected import Teller
from cryoplan.gui.live_hand import LiveHand
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.steady_hand import SteadyHand
from cryoplan.gui.words import start_speaking


def start_window(case_path: Path | None, demo: bool) -> int:
    """Open the window and return the exit code once it is closed.

    Parameters
    ----------
    case_path : Path or None
        A saved case, an image or a folder to open at once.
    demo : bool
        Open the built-in case.
    """
    give_back_what_is_freed()
    os.environ.setdefault("QT_API", "pyside6")
    application = QApplication.instance() or QApplication([sys.argv[0]])
    application.setApplicationName("cryoplan")
    application.setApplicationVersion(__version__)
    QApplication.setDesktopFileName("cryoplan")  # by which a desktop finds the entry of `app.file_type_linux`
    QApplication.setWindowIcon(QIcon(str(resource("icons", "cryoplan.svg"))))
    Tidying(application)
    start_log()
    listen_to_qt()
    endings = crash.last_endings()
    session = crash.Session(crash.WINDOW)
    session.begin()
    with tempfile.TemporaryDirectory(prefix="cryoplan-qt-") as forgotten:
        forget_visited_folders(Path(forgotten))
        wanted = Settings().read(PART, Appearance)
        start_speaking(application, wanted.language)
        palette = theme.apply(application, dark=wanted.look != LIGHT, text_percent=wanted.text_percent)
        workspace = Workspace()
        window = MainWindow(workspace, ViewState(), palette, make_canvas)
        LiveHand(workspace.live, window.settings, SteadyHand(Outlining.of(workspace)))
        net = crash.Net(Teller(window).tell, interrupted=QApplication.quit)
        net.install()
        _quit_on_interrupt(window)
        clicks = DoubleClicks(window)
        application.installEventFilter(clicks)
        show_fitting(window)
        if endings:
            window.banner.show_failure(ended_badly(endings))
        if demo:
            workspace.open_demo()
        elif case_path is not None:
            window.files.open_path(case_path)
        code = application.exec()
        net.remove()
        window.deleteLater()
    session.end()
    return int(code)


def show_fitting(window: MainWindow) -> None:
    """Show the window in its usual size, or as large as the screen where that is smaller."""
    room = window.screen().availableSize()
    if room.width() < window.width() or room.height() < window.height():
        window.showMaximized()
    else:
        window.show()


class DoubleClicks(QObject):
    """Opens what is double-clicked on systems that tell so by an event, not on the command line."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the file of such an event."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self._window.files.open_path(Path(event.file()))
            return True
        return super().eventFilter(watched, event)


def ended_badly(endings: tuple[crash.Ending, ...]) -> Failure:
    """Return what the banner says of sessions that ended badly."""
    return Failure(
        what="The last session of cryoplan ended unexpectedly.",
        remedy=f"{crash.SAFE} Copy details gives what is known of it, without patient data.",
        code="ended-badly",
        details="\n\n".join(ending.details for ending in endings),
    )


def forget_visited_folders(folder: Path) -> None:
    """Let Qt's own settings live in a folder that goes with the window.

    Qt's file dialogs write the folders that were visited into the user's settings of Qt, and names of folders
    are often names of patients.
    """
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(folder))


def _quit_on_interrupt(window: MainWindow) -> None:
    """Close the window in order on Ctrl+C or an end signal; the timer gives Python its turn to see it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    timer = QTimer(window)
    timer.start(250)
    timer.timeout.connect(_nothing)


def _nothing() -> None:
    """Do nothing; called so that Python runs at all while Qt waits."""
