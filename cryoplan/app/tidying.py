"""Tidying: objects that only reach one another are freed by the window's thread and by no other.

Python looks for them whenever enough was allocated, in whichever thread that happens. A closed dialog found
by the thread that writes the case file would be deleted there: Qt cannot stop its timers from another thread,
and the next tick of one ends the program. So the search is switched off and done here, when the hand rests.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication

EVERY_MS = 500

FULL_AFTER_S = 60.0
"""A full search goes through half a million objects, 40 ms and more, so it is rare."""

WAITS_NO_LONGER = 300_000
"""So many new objects are looked at even while a button is held."""


class Tidying(QObject):
    """Frees what is unreachable, some times a second; lives as long as the application.

    Parameters
    ----------
    parent : QObject
        The application; this has to be made in its thread.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._last_full = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Search as far as is due."""
        new, young, _ = gc.get_count()
        often, seldom, _ = gc.get_threshold()
        if new <= often:
            return
        held = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        if held and new < WAITS_NO_LONGER:
            return
        if not held and time.monotonic() - self._last_full > FULL_AFTER_S:
            gc.collect()
            self._last_full = time.monotonic()
        else:
            gc.collect(1 if young > seldom else 0)
