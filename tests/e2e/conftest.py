"""The real window with its background process and its 3D view, on the display that pytest-xvfb makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui import theme
from cryoplan.gui.canvas import make_canvas
from cryoplan.gui.main_window import MainWindow
from cryoplan.simulation.settings import PREVIEW
from tests.support.real_window import open_small

_MEASURED: list[str] = []


@pytest.fixture
def say() -> Callable[[str], None]:
    """Say something measured at the end of the run; what a machine is fast enough for is not for a test."""
    return _MEASURED.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _MEASURED:
        terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _display(qapp) -> None:
    del qapp
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs an X display; unset QT_QPA_PLATFORM and install Xvfb")


@pytest.fixture
def make_window(qapp) -> Iterator[Callable[[], MainWindow]]:
    """Make real windows that solve on the preview grid; whatever a test leaves open is closed."""
    palette = theme.apply(qapp)
    windows: list[MainWindow] = []

    def make() -> MainWindow:
        workspace = Workspace()
        workspace.settings = PREVIEW
        window = MainWindow(workspace, ViewState(), palette, make_canvas)
        window.resize(1280, 720)
        window.show()
        window.activateWindow()
        assert QTest.qWaitForWindowActive(window)
        windows.append(window)
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def window(make_window) -> MainWindow:
    return make_window()


@pytest.fixture
def desk(window: MainWindow, qtbot) -> MainWindow:
    """The window with a small case and two probes."""
    open_small(window, qtbot)
    return window
