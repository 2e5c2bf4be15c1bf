"""Stroke bench: how soon a slice view shows what the brush did, measured with real mouse events."""

from __future__ import annotations

import os
import tempfile
import time

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication

from cryoplan.app.outline_tools import Tool, ToolSettings
from cryoplan.app.outlining import Outlining
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.gui.panels.draw import DrawSection
from cryoplan.gui.slice_layers import Outlines
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.steady_hand import SteadyHand
from cryoplan.scene.plane import Orientation
from cryoplan.workflow.benchmark.drawing import drawn_on
from cryoplan.workflow.benchmark.sizes import Sizes

VIEW_PX = 720
WAIT_S = 2.0
TURN = 0.07
"""Radians of a circle from one event of the mouse to the next."""


class _Nobody(QObject):
    """In the place of the background process, which other figures are about."""

    answered = Signal(object)
    restarted = Signal()

    def submit(self, kind: str, **arguments: object) -> int:
        """Take a job and do nothing about it."""
        del kind, arguments
        return 0

    def cancel(self, job: int) -> None:
        """Forget a job."""

    def close(self) -> None:
        """End."""


class _TimedView(SliceView):
    """Remembers when it was last drawn."""

    shown_at = 0.0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw."""
        super().paintEvent(event)
        self.shown_at = time.perf_counter()


def stroke_times(sizes: Sizes) -> list[float]:
    """Draw strokes in a view of a large scan; return the milliseconds from each event to its picture."""
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["XDG_DATA_HOME"] = os.environ["LOCALAPPDATA"] = folder
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt"):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QApplication.instance() or QApplication([])
        case = drawn_on(sizes)
        workspace, view = Workspace(_Nobody()), ViewState()
        try:
            workspace.set_case(case)
            return _strokes(app, workspace, view, case, sizes)
        finally:
            workspace.close()


def _strokes(
    app: QApplication, workspace: Workspace, view: ViewState, case: Case, sizes: Sizes
) -> list[float]:
    middle = tuple(float(v) for v in case.scan.volume.grid.centre_mm())
    view.cursor_mm = middle
    picture = _TimedView(workspace, view, Orientation.AXIAL)
    others = [SliceView(workspace, view, o) for o in Orientation if o is not Orientation.AXIAL]
    section = DrawSection(workspace, view)
    for one in (picture, *others, section):
        one.resize(VIEW_PX, VIEW_PX)
        one.show()
    outlining = Outlining.of(workspace)
    SteadyHand(outlining)
    outlining.begin(case.structures[0].name)
    outlining.settings = ToolSettings(radius_mm=15.0, is_ball=True)
    until = time.perf_counter() + WAIT_S
    while time.perf_counter() < until and not Outlines.of(workspace).is_complete:
        _turn(app)
    centre, found = picture.pixel_of(middle), []
    for number in range(sizes.strokes):
        outlining.take(Tool.ERASER if number % 3 == 2 else Tool.BRUSH)
        reach = VIEW_PX * (0.15 + 0.04 * (number % 5))
        for n in range(sizes.stroke_points):
            angle = number + TURN * n
            pos = centre + QPointF(reach * np.cos(angle), reach * np.sin(angle))
            kind = QEvent.Type.MouseMove if n else QEvent.Type.MouseButtonPress
            found.append(_shown_after(app, picture, kind, pos))
        _send(picture, QEvent.Type.MouseButtonRelease, pos)
        _turn(app)
    outlining.finish()
    for one in (picture, *others, section):
        one.close()
    return [1000.0 * s for s in found]


def _shown_after(app: QApplication, picture: _TimedView, kind: QEvent.Type, pos: QPointF) -> float:
    began = time.perf_counter()
    _send(picture, kind, pos)
    while picture.shown_at < began and time.perf_counter() - began < WAIT_S:
        _turn(app)
    return max(picture.shown_at, time.perf_counter() if picture.shown_at < began else 0.0) - began


def _turn(app: QApplication) -> None:
    app.processEvents()
    time.sleep(0.0002)  # threads that make steps of strokes get their turn


def _send(picture: SliceView, kind: QEvent.Type, pos: QPointF) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    is_move, is_up = kind == QEvent.Type.MouseMove, kind == QEvent.Type.MouseButtonRelease
    event = QMouseEvent(
        kind,
        pos,
        picture.mapToGlobal(pos),
        none if is_move else left,
        none if is_up else left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(picture, event)
