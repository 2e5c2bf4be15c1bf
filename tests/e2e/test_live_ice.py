"""A probe is dragged in the real window: solved previews follow it, and letting go brings the final ice."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from cryoplan.app.ice import Standing, ice_of
from cryoplan.app.state import State
from cryoplan.core.geometry import as_point
from cryoplan.gui.live_hand import LiveHand
from cryoplan.plan.edits import Grip
from cryoplan.scene.plane import Orientation
from tests.support.real_window import SOLVE_MS, open_demo
from tests.support.stalls import StallMonitor

pytestmark = [pytest.mark.display, pytest.mark.slow]

MOVES = 120
EVERY_S = 1.0 / 60.0


def test_solved_ice_follows_a_dragged_probe_and_the_final_takes_its_place(window, qapp, qtbot, say):
    open_demo(window, qtbot)
    workspace, view = window.workspace, window.view
    LiveHand(workspace.live, window.settings)
    picture = window.slices[Orientation.AXIAL]
    probe = workspace.plan.probes[0]
    middle = np.mean(probe.active_zone_mm(workspace.catalogue[probe.model]), axis=0)
    view.selected_probe, view.cursor_mm = probe.name, as_point(middle)
    qtbot.waitUntil(lambda: any(g.kind is Grip.WHOLE for g in picture.grips))
    at = next(g.at for g in picture.grips if g.kind is Grip.WHOLE)
    monitor = StallMonitor(window)

    # The first preview finds kernels and tissues ready or makes them: it is waited for, not timed.
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=at.toPoint())
    QTest.mouseMove(picture, (at + QPointF(6, 0)).toPoint())
    qtbot.waitUntil(lambda: workspace.live.shown is not None, timeout=SOLVE_MS)
    assert workspace.state is State.PREVIEW
    assert not workspace.can_export

    monitor.start()
    sent: list[tuple[float, str]] = []
    latency: list[float] = []
    states: set[State] = set()
    drawn: list[object] = []
    for n in range(MOVES):
        turn = 0.1 * n
        way = QPoint(round(10 * np.sin(turn)), round(6 * (1 - np.cos(turn))))
        QTest.mouseMove(picture, at.toPoint() + way)
        sent.append((time.perf_counter(), workspace.live.wanted_key))
        until = time.perf_counter() + EVERY_S
        while time.perf_counter() < until:
            qapp.processEvents()
            time.sleep(0.001)  # QTest's own waiting keeps other threads from running
            states.add(workspace.state)
            shown = workspace.live.shown
            if shown is not None and picture.drawn_ice is shown.field_degc and shown not in drawn:
                drawn.append(shown)
                assert ice_of(workspace, view).standing is Standing.PREVIEW
                known = [t for t, key in sent if key == shown.key]
                latency += [time.perf_counter() - known[-1]] if known else []
    assert states == {State.PREVIEW}  # held: nothing was solved, and nothing passed for an answer
    assert len(drawn) >= 2  # ice was shown while the hand moved
    longest = monitor.longest_ms

    end = (at + QPointF(18, 8)).toPoint()
    QTest.mouseMove(picture, end)
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=end)
    qtbot.waitUntil(lambda: workspace.state is State.SOLVING, timeout=SOLVE_MS)
    assert workspace.live.shown is not None
    qtbot.waitUntil(lambda: workspace.state is State.CURRENT, timeout=SOLVE_MS)
    assert workspace.live.shown is None
    assert ice_of(workspace, view).standing is Standing.CURRENT
    picture.grab()
    assert "PREVIEW" not in picture.texts
    solved = workspace.result.key

    # One gesture is one step; the ice of before was never solved, and the new one comes back at once.
    workspace.undo()
    qtbot.waitUntil(lambda: workspace.live.shown is not None, timeout=SOLVE_MS)
    workspace.redo()
    qtbot.waitUntil(lambda: workspace.is_current, timeout=SOLVE_MS)
    assert workspace.result.key == solved
    assert workspace.state is State.CURRENT
    say(
        f"Real window, a probe of the demonstration dragged at 60 moves a second: {len(drawn)} previews in "
        f"{sent[-1][0] - sent[0][0]:.1f} s, {1000 * statistics.median(latency):.0f} ms median from a move to "
        f"its ice, longest stall {longest:.0f} ms"
    )
