"""Vacancy: whether a case that is open for reading only could be opened for writing by now."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cryoplan.app.keeper import Keeper
from cryoplan.case.store_lock import is_free

LOOK_MS = 3000
"""How often it is looked whether the other writer has gone."""


class Vacancy(QObject):
    """Looks again and again while the case is open for reading only, in a thread: the place may hang.

    Signals
    -------
    changed
        `is_free` is another one.
    """

    changed = Signal()
    _seen = Signal(object, bool)

    def __init__(self, keeper: Keeper, parent: QObject) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._free: Path | None = None
        self._is_looking = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._seen.connect(self._take)
        keeper.changed.connect(self._follow)
        self._follow()

    @property
    def is_free(self) -> bool:
        """True when the case is open for reading only and nothing stands in the way of writing it."""
        kept = self._keeper.kept
        return kept.read_only and kept.path is not None and kept.path == self._free

    @property
    def is_looking(self) -> bool:
        """True while the place is asked."""
        return self._is_looking

    @Slot()
    def look(self) -> None:
        """Look now."""
        kept = self._keeper.kept
        if kept.read_only and kept.path is not None and not self._is_looking:
            self._is_looking = True
            threading.Thread(target=self._look, args=(kept.path,), name="vacancy", daemon=True).start()

    def _look(self, path: Path) -> None:
        try:
            free = may_be_written(path)
        except OSError:  # the place has gone
            free = False
        with suppress(RuntimeError):  # the window was closed meanwhile
            self._seen.emit(path, free)

    @Slot(object, bool)
    def _take(self, path: Path, free: bool) -> None:
        self._is_looking = False
        before = self.is_free
        self._free = path if free else None
        if self.is_free != before:
            self.changed.emit()

    @Slot()
    def _follow(self) -> None:
        if not self._keeper.kept.read_only:
            self._timer.stop()
            self._free = None
        elif not self._timer.isActive():
            self._timer.start()
            self.look()


def may_be_written(path: Path) -> bool:
    """Tell whether a case file is there, may be written, and nobody has it open for writing."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) and is_free(path)
