"""The real window scrolls through its slices while its background process solves: both figures are told.

``cryoplan bench`` uses a stand-in without Qt; this is the thing itself.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest

from cryoplan.app.state import State
from cryoplan.plan.edits import nudge
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol
from tests.support.real_window import SOLVE_MS, open_demo
from tests.support.stalls import StallMonitor

pytestmark = [pytest.mark.display, pytest.mark.slow]

FREEZE_S = float(os.environ.get("CRYOPLAN_BENCH_FREEZE_S", "60"))
"""Short, to be bearable in every run of the tests; set the variable to 600 for figures that mean more."""

SCROLL_MS = 30


def solve_once(window, qtbot, monitor: StallMonitor) -> tuple[float, float]:
    """Solve the plan with a probe moved; return the seconds of the solver and the longest stall in ms."""
    workspace = window.workspace
    workspace.edit("nudge", nudge(workspace.plan, workspace.plan.probes[0].name, (0.0, 0.0, 0.2)))
    qtbot.waitUntil(lambda: window.canvas.is_at_rest, timeout=SOLVE_MS)
    workspace.request_simulation()
    qtbot.waitUntil(
        lambda: workspace.progress is not None and workspace.progress.fraction > 0.0, timeout=SOLVE_MS
    )
    monitor.start()
    longest = 0.0
    while workspace.state is State.SOLVING:
        longest = monitor.longest_ms
        QTest.qWait(2)
    assert workspace.state is State.CURRENT
    return workspace.result.wall_s, longest


def test_window_that_scrolls_and_process_that_solves_bear_one_another(window, qtbot, say):
    open_demo(window, qtbot)
    workspace, view = window.workspace, window.view
    freeze = Phase(kind=PhaseKind.FREEZE, duration_s=FREEZE_S)
    workspace.edit("one freeze", replace(workspace.plan, protocol=Protocol(phases=(freeze,))))
    monitor = StallMonitor(window)
    solve_once(window, qtbot, monitor)  # the first one compiles
    alone_s, rest_ms = solve_once(window, qtbot, monitor)

    x, y, z = view.cursor_mm
    scrolled = []

    def scroll() -> None:
        n = len(scrolled)
        scrolled.append(n)
        view.cursor_mm = (x + n % 11 - 5.0, y + n % 13 - 6.0, z + n % 15 - 7.0)

    timer = QTimer(window)
    timer.timeout.connect(scroll)
    timer.start(SCROLL_MS)
    busy_s, busy_ms = solve_once(window, qtbot, monitor)
    during = len(scrolled)
    monitor.start()
    QTest.qWait(1000)
    scroll_ms = monitor.longest_ms
    timer.stop()
    assert during > 5
    assert monitor.ticks > 5
    say(
        f"Real window, a freeze of {FREEZE_S / 60:g} min at 1 mm: solver {alone_s:.2f} s beside a window at "
        f"rest, {busy_s:.2f} s beside one that scrolls three views ({alone_s / busy_s:.2f}); longest stall "
        f"{rest_ms:.0f} ms at rest, {busy_ms:.0f} ms scrolling, {scroll_ms:.0f} ms scrolling without a solver"
    )
