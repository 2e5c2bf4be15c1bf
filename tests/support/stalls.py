"""Stalls: how long the window did not answer, measured by a timer that should tick every 5 ms."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot

TICK_MS = 5


class StallMonitor(QObject):
    """Counts ticks and remembers the longest gap between two of them since the last `start`.

    Parameters
    ----------
    is_waiting : callable, optional
        Tells whether the window shows that it makes one wait; what it holds up then is remembered apart.

    Attributes
    ----------
    ticks : int
    longest_ms, longest_waiting_ms : float
        Longest gap outside shown waits, and in them.
    cpu_ms : float
        What this thread worked during `longest_ms`; the rest of it, other threads and programs had the turn.
    """

    def __init__(
        self, parent: QObject | None = None, *, is_waiting: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(parent)
        self._is_waiting = is_waiting
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self.ticks = 0
        self.longest_ms = self.longest_waiting_ms = self.cpu_ms = 0.0
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self._waited = self._is_waiting()
        self._timer.start()

    @Slot()
    def _tick(self) -> None:
        now, cpu, waits = time.perf_counter(), time.thread_time(), self._is_waiting()
        gap_ms = 1000.0 * (now - self._last)
        if waits or self._waited:
            self.longest_waiting_ms = max(self.longest_waiting_ms, gap_ms)
        elif gap_ms > self.longest_ms:
            self.longest_ms, self.cpu_ms = gap_ms, 1000.0 * (cpu - self._last_cpu)
        self._last, self._last_cpu, self._waited = now, cpu, waits
        self.ticks += 1
