"""A desk with a small case, and shown slice views on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from cryoplan.app.view import Window
from cryoplan.case.case import Case
from cryoplan.gui.slice_layers import Outlines
from cryoplan.gui.slice_view import SliceView
from cryoplan.scene.plane import Orientation
from tests.support.desk import Desk
from tests.support.scenes import TUMOUR_MM

SHOWN = (460, 420)


@pytest.fixture
def empty_desk(qapp) -> Iterator[Desk]:
    """A workspace without a case, its view state, and the worker that the test plays."""
    del qapp
    desk = Desk()
    yield desk
    desk.workspace.close()


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    """The small case with its two probes; the crosshair is in the middle of the tumour."""
    open_case(empty_desk)
    return empty_desk


def open_case(desk: Desk, case: Case | None = None) -> None:
    """Open a case (the small one when left out) and look at the tumour."""
    desk.open(case)
    desk.view.cursor_mm = TUMOUR_MM
    desk.view.window = Window(width=400.0, level=40.0)


@pytest.fixture
def show(desk: Desk, qtbot) -> Callable[..., SliceView]:
    """Make a slice view of the desk and show it with every outline made."""

    def make(orientation: Orientation = Orientation.AXIAL, placing=None) -> SliceView:
        view = SliceView(desk.workspace, desk.view, orientation, placing)
        qtbot.addWidget(view)
        view.resize(*SHOWN)
        view.show()
        qtbot.waitExposed(view)
        view.setFocus()
        qtbot.waitUntil(lambda: Outlines.of(desk.workspace).is_complete)
        view.grab()
        return view

    return make


class Mouse:
    """Real mouse events at patient points or at pixels of a view, through its window system window."""

    def __init__(self, view: SliceView) -> None:
        self.view = view

    def _at(self, place):
        return (self.view.pixel_of(place) if isinstance(place, tuple) else QPointF(place)).toPoint()

    def _do(self, what, place, button) -> None:
        what(self.view.windowHandle(), button, Qt.KeyboardModifier.NoModifier, self._at(place))

    def press(self, place, button=Qt.MouseButton.LeftButton) -> None:
        self._do(QTest.mousePress, place, button)

    def move(self, place) -> None:
        QTest.mouseMove(self.view.windowHandle(), self._at(place))

    def release(self, place, button=Qt.MouseButton.LeftButton) -> None:
        self._do(QTest.mouseRelease, place, button)

    def click(self, place, button=Qt.MouseButton.LeftButton) -> None:
        self._do(QTest.mouseClick, place, button)

    def drag(self, start, *places, button=Qt.MouseButton.LeftButton) -> None:
        self.press(start, button)
        for place in places:
            self.move(place)
        self.release(places[-1], button)


@pytest.fixture
def mouse() -> type[Mouse]:
    return Mouse
