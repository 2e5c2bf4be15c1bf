"""A soak: a seeded hand does random things with the real window; nothing breaks, stalls or grows.

The short form is part of every run. For the long one set ``CRYOPLAN_SOAK`` to the number of actions (300 of
the acceptance list) and, if wanted, ``CRYOPLAN_SOAK_SEED``; it takes some minutes and asserts times as well,
so it wants a machine that does nothing else.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QtMsgType
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from cryoplan.app.allocator import give_back_what_is_freed
from cryoplan.app.outlining import Outlining
from cryoplan.app.tidying import Tidying
from cryoplan.gui.live_hand import LiveHand
from cryoplan.gui.steady_hand import SteadyHand
from tests.support.hand import Hand
from tests.support.real_window import LOAD_MS, open_demo, open_small
from tests.support.soaking import Soak, worst_by_kind

pytestmark = pytest.mark.display

SHORT = 60
WARM_UP = 60
LONG = int(os.environ.get("CRYOPLAN_SOAK", "0"))
SEED = int(os.environ.get("CRYOPLAN_SOAK_SEED", "1"))

if LONG:
    # First of all, as when the program starts; in the suite other tests share the process.
    give_back_what_is_freed()

LONGEST_STALL_MS = 200.0
MOST_GROWTH_MB = 100.0


def resident_mb(*, trimmed: bool) -> float:
    """Return what this process has in memory, with or without what its allocator only keeps at hand."""
    gc.collect()
    if trimmed:
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2.0**20


class Wrong:
    """What must not happen while the hand works: own errors, faults in the log, warnings of Qt."""

    def __init__(self, workspace, caplog, qtlog) -> None:
        self._caplog, self._qtlog = caplog, qtlog
        self._failures: list[str] = []
        workspace.failed.connect(self._failed)

    def _failed(self, failure) -> None:
        # One with details is an error of the program; any other is a refusal with its reason.
        if failure.details:
            self._failures.append(f"{failure.code}: {failure.what}\n{failure.details}")

    @property
    def all(self) -> list[str]:
        """Everything that was heard."""
        logged = [r.getMessage() for r in self._caplog.records if r.levelno >= logging.WARNING]
        loud = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
        return [*self._failures, *logged, *(r.message for r in self._qtlog.records if r.type in loud)]


def state_of(workspace) -> dict[str, object]:
    """Return what has to be the same when a case is opened again."""
    case = workspace.case
    history = workspace.keeper.kept.history
    return {
        "plan": workspace.plan,
        "target": case.target_name,
        "structures": {s.name: (s.role, s.tissue, s.mask.digest()) for s in case.structures},
        "limits": case.limits,
        "left out": case.left_out,
        "steps": [e.text for e in history.entries],
        "current": history.current,
    }


def save_and_open_again(soak: Soak, qtbot, place: Path, monkeypatch) -> tuple[dict, dict]:
    """Save by the key, close the case, open it again; return what it was and what it is."""
    window = soak.hand.window
    workspace = window.workspace
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(place), ""))
    with qtbot.waitSignal(workspace.saver.saved, timeout=LOAD_MS):
        QTest.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    soak.rest()
    before = state_of(workspace)
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert workspace.case is None
    window.files.open_path(place)
    qtbot.waitUntil(lambda: workspace.case is not None and not workspace.is_busy, timeout=LOAD_MS)
    soak.rest()
    return before, state_of(workspace)


@pytest.mark.slow
def test_random_actions_break_nothing_and_the_case_is_the_same_when_it_is_opened_again(
    window, qtbot, qtlog, caplog, say, tmp_path, monkeypatch
):
    workspace = window.workspace
    wrong = Wrong(workspace, caplog, qtlog)
    # As the program itself is started, see `cryoplan.gui.start`.
    Tidying(window)
    LiveHand(workspace.live, window.settings, SteadyHand(Outlining.of(workspace)))
    (open_demo if LONG else open_small)(window, qtbot)
    soak = Soak(Hand(window, qtbot, SEED))
    soak.count_waits(monkeypatch)
    if LONG:
        soak.warm_up()
    soak.act(min(WARM_UP, LONG or SHORT))
    soak.rest()
    kept_mb, trimmed_mb = resident_mb(trimmed=False), resident_mb(trimmed=True)
    if LONG:
        soak.act(max(LONG - WARM_UP, 0))
        soak.rest()
    grown_kept_mb = resident_mb(trimmed=False) - kept_mb
    grown_mb = resident_mb(trimmed=True) - trimmed_mb
    assert wrong.all == []

    worst = worst_by_kind(soak.done)
    told = ", ".join(f"{d.kind} {d.stall_ms:.0f} ({d.cpu_ms:.0f})" for d in worst[:12])
    say(f"Soak of {len(soak.done)} actions, seed {SEED}: longest stall by kind in ms (own work): {told}")
    steps = [e.text for e in workspace.keeper.kept.history.entries]
    say(f"  {len(steps)} steps of the history, {len(set(steps))} different ones")
    waited = max(soak.done, key=lambda d: d.waiting_ms)
    say(f"  longest while a wait was shown: {waited.kind} {waited.waiting_ms:.0f} ms")
    if LONG:
        say(
            f"  memory at rest after {WARM_UP} actions {kept_mb:.0f} MB, {trimmed_mb:.0f} MB trimmed; "
            f"grown by {grown_kept_mb:+.0f} MB, {grown_mb:+.0f} MB trimmed"
        )

    before, after = save_and_open_again(soak, qtbot, tmp_path / "soaked.cryoplan", monkeypatch)
    assert after == before
    assert wrong.all == []
    if LONG:
        assert worst[0].stall_ms <= LONGEST_STALL_MS
        assert grown_mb <= MOST_GROWTH_MB
