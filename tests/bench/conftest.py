"""A window that solves at the standard quality, and words that are said at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

_MEASURED: list[str] = []


@pytest.fixture
def tell() -> Callable[[str], None]:
    """Tell something measured at the end of the run; what a machine is fast enough for is not for a test."""
    return _MEASURED.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _MEASURED:
        terminalreporter.write_line(line)


@pytest.fixture
def window(qapp) -> Iterator[object]:
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtTest import QTest

    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs an X display; unset QT_QPA_PLATFORM and install Xvfb")
    from cryoplan.app.view import ViewState
    from cryoplan.app.workspace import Workspace
    from cryoplan.gui import theme
    from cryoplan.gui.canvas import make_canvas
    from cryoplan.gui.main_window import MainWindow

    made = MainWindow(Workspace(), ViewState(), theme.apply(qapp), make_canvas)
    made.resize(1280, 720)
    made.show()
    assert QTest.qWaitForWindowExposed(made)
    yield made
    made.close()
    made.deleteLater()
