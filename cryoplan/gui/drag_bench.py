"""Drag bench: how soon the window shows the ice of a probe that is dragged, and how long it never answers.

The real window with its background process; mouse events come 60 times a second, as from a hand that does not
wait. Each event is timed to the first drawing of a slice that shows the ice of its plan or a later one.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from cryoplan.app.outlining import Outlining
from cryoplan.app.tidying import Tidying
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import as_point
from cryoplan.gui import theme
from cryoplan.gui.canvas import make_canvas
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.slice_layers import Outlines
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.steady_hand import SteadyHand
from cryoplan.plan.edits import Grip
from cryoplan.scene.plane import Orientation
from cryoplan.workflow.benchmark.following import DragTimes
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.subjects import Patient

WINDOW_PX = (1600, 1000)
EVERY_S = 1.0 / 60.0
WAIT_S, SOLVE_S = 60.0, 240.0
TICK_MS = 5
REACH_MM = 6.0
PROBES_STEP = 2


@dataclass
class _Drag:
    """What was seen of one drag."""

    sent: list[tuple[float, str]] = field(default_factory=list)
    waiting: int = 0
    latency_s: list[float] = field(default_factory=list)
    drawn: set[str] = field(default_factory=set)


class Hand(QObject):
    """Drags a probe in the axial view of a window, and watches what the window does meanwhile."""

    def __init__(self, app: QApplication, window: MainWindow) -> None:
        super().__init__(window)
        self._app, self._window = app, window
        self._workspace = window.workspace
        self._picture: SliceView = window.slices[Orientation.AXIAL]
        self.longest_s = 0.0
        self._ticked = time.perf_counter()
        self._clock = QTimer(window)
        self._clock.setTimerType(Qt.TimerType.PreciseTimer)
        self._clock.timeout.connect(self._tick)
        self._clock.start(TICK_MS)
        self.is_holding = False
        # These events do not come through the window system, which would know of the button.
        self._workspace.live.is_held = lambda: self.is_holding

    def turn(self) -> None:
        """Let the window do what is due."""
        self._app.processEvents()
        time.sleep(0.0005)

    @Slot()
    def _tick(self) -> None:
        """Note how long the window did not answer: a timer that is always due had to wait so long."""
        now = time.perf_counter()
        self.longest_s = max(self.longest_s, now - self._ticked)
        self._ticked = now

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Let the window go on until something is so; tell whether it became so."""
        end = time.perf_counter() + seconds
        while not until():
            if time.perf_counter() > end:
                return False
            self.turn()
        return True

    def take_probe(self) -> QPointF:
        """Select the first probe, go to its active zone, and return where its middle grip is."""
        workspace, view = self._workspace, self._window.view
        probe = workspace.plan.probes[0]
        front, back = probe.active_zone_mm(workspace.catalogue[probe.model])
        view.selected_probe = probe.name
        view.cursor_mm = as_point((np.asarray(front) + np.asarray(back)) / 2.0)
        self.turn()
        found = next((g for g in self._picture.grips if g.kind is Grip.WHOLE), None)
        return self._picture.pixel_of(front) if found is None else found.at

    def send(self, kind: QEvent.Type, pos: QPointF) -> None:
        """Send the view an event of the mouse."""
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind == QEvent.Type.MouseMove else left
        held = none if kind == QEvent.Type.MouseButtonRelease else left
        event = QMouseEvent(
            kind, pos, self._picture.mapToGlobal(pos), button, held, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(self._picture, event)

    def drag(self, seconds: float) -> DragTimes:
        """Drag a probe round and round, let go, and wait until the plan is solved."""
        at = self.take_probe()
        reach = REACH_MM / (self._picture.mm_per_px or 1.0)
        live, seen = self._workspace.live, _Drag()
        self.longest_s, self.is_holding = 0.0, True
        self.send(QEvent.Type.MouseButtonPress, at)
        began = due = time.perf_counter()
        while (now := time.perf_counter()) - began < seconds:
            if now >= due:
                due = now + EVERY_S
                turn = 1.2 * (now - began)
                way = QPointF(float(np.sin(3.0 * turn)), float(1.0 - np.cos(2.0 * turn)))
                self.send(QEvent.Type.MouseMove, at + way * reach)
                seen.sent.append((now, live.wanted_key))
            self.turn()
            self._look(seen)
        self.wait(lambda: self._look(seen) or seen.waiting == len(seen.sent), WAIT_S)
        dragging_s, self.longest_s, self.is_holding = self.longest_s, 0.0, False
        self.send(QEvent.Type.MouseButtonRelease, at)
        released = time.perf_counter()
        solved = self.wait(lambda: self._workspace.is_current, SOLVE_S)
        final_s = time.perf_counter() - released
        self.wait(lambda: False, 0.5)  # the final ice is drawn in all views
        return DragTimes(
            latency_ms=tuple(1000.0 * s for s in seen.latency_s),
            previews=len(seen.drawn),
            seconds=seconds,
            stall_ms=1000.0 * dragging_s,
            final_stall_ms=1000.0 * self.longest_s,
            final_s=final_s if solved else None,
        )

    def _look(self, seen: _Drag) -> bool:
        """Note which moves are drawn now; always False."""
        shown = self._workspace.live.shown
        if shown is not None and self._picture.drawn_ice is shown.field_degc and shown.key not in seen.drawn:
            seen.drawn.add(shown.key)
            now = time.perf_counter()
            keys = [key for _, key in seen.sent]
            if shown.key in keys:
                last = len(keys) - keys[::-1].index(shown.key)
                seen.latency_s += [now - t for t, _ in seen.sent[seen.waiting : last]]
                seen.waiting = max(seen.waiting, last)
        return False


def open_window(app: QApplication) -> MainWindow:
    """Open a window whose ice follows the hand, whatever the user's settings are."""
    Tidying(app)
    workspace = Workspace()
    window = MainWindow(workspace, ViewState(), theme.apply(app), make_canvas)
    live = workspace.live
    live.follows = live.solves = True
    SteadyHand(Outlining.of(workspace)).begin()
    window.resize(*WINDOW_PX)
    window.show()
    window.rail.chosen.emit(PROBES_STEP)
    return window


def drag_times(sizes: Sizes) -> DragTimes:
    """Drag a probe of four in a window of its own and tell how soon its ice was drawn."""
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-", ignore_cleanup_errors=True) as folder:
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "LOCALAPPDATA", "APPDATA"):
            os.environ[name] = folder
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt"):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QApplication.instance() or QApplication([])
        patient = Patient(sizes)
        window = open_window(app)
        try:
            return drag_in(app, window, sizes.drag_s, patient)
        finally:
            window.close()


def drag_in(app: QApplication, window: MainWindow, seconds: float, patient: Patient) -> DragTimes:
    """Show a patient with four probes and drag one, once to make all ready and once for the times."""
    hand = Hand(app, window)
    window.workspace.set_case(patient.case, patient.four_probes)
    hand.wait(lambda: window.workspace.meshes is not None, WAIT_S)
    hand.wait(lambda: Outlines.of(window.workspace).is_complete, WAIT_S)
    hand.wait(lambda: not window.workspace.is_busy, WAIT_S)
    hand.drag(min(seconds, 1.0))
    return hand.drag(seconds)
