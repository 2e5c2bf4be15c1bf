"""Stalls: how long the window did not answer, measured by a timer that should tick every 5 ms."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Slot

TICK_MS = 5


class StallMonitor(QObject):
    """Counts ticks and remembers the longest gap between two of them since the last `start`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self.ticks = 0
        self.longest_ms = 0.0
        self._last = time.perf_counter()
        self._timer.start()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest_ms = max(self.longest_ms, 1000.0 * (now - self._last))
        self._last = now
        self.ticks += 1
