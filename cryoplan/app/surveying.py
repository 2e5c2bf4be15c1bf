"""Surveying: a path is looked through in a child process; what comes is told on the window's thread.

Not a job of the worker: that may be solving, and nobody who points at a folder wants to wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from cryoplan import workflow
from cryoplan.app.child import failure_of, unexpected
from cryoplan.core.errors import CryoplanError
from cryoplan.core.progress import Cancelled, ProgressReport

Look = Callable[..., object]


class Surveying(QObject):
    """One look at one path, and the names of its patients for who asks.

    Signals
    -------
    found : Found
        See `cryoplan.image.survey`: counts, the description, small pictures.
    named : dict
        Names by pseudonym.
    finished
        Nothing more will come.
    failed : Failure
        It could not be looked through.
    """

    found = Signal(object)
    named = Signal(object)
    finished = Signal()
    failed = Signal(object)

    def __init__(self, path: Path, parent: QObject | None = None, *, look: Look | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._look = look or workflow.survey
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to look."""
        self._run(lambda: self._look(self.path, self._tell, progress=self), self.finished.emit)

    def ask_names(self, codes: Collection[str]) -> None:
        """Read the names of patients; `named` answers."""

        def work() -> None:
            names = workflow.patient_names(self.path, codes, progress=self)
            self._emit(lambda: self.named.emit(names))

        self._run(work)

    def stop(self) -> None:
        """Give it up; nothing is told any more. The child ends within a moment."""
        self._is_over.set()

    @property
    def is_running(self) -> bool:
        """True while a thread of it has not ended."""
        return any(thread.is_alive() for thread in self._threads)

    def wait(self, timeout_s: float) -> None:
        """Wait until what was given up has ended."""
        for thread in self._threads:
            thread.join(timeout_s)

    # What the reading asks and tells, in its thread ---------------------------------------------------

    def report(self, report: ProgressReport) -> None:
        """Say nothing: the counts say more."""

    def cancelled(self) -> bool:
        """Tell whether it was given up."""
        return self._is_over.is_set()

    def _tell(self, value: object) -> None:
        self._emit(lambda: self.found.emit(value))

    def _run(self, work: Callable[[], object], end: Callable[[], None] | None = None) -> None:
        def run() -> None:
            try:
                work()
            except Cancelled:
                return
            except Exception as error:
                failure = failure_of(error) if isinstance(error, CryoplanError) else unexpected(error)
                self._emit(lambda: self.failed.emit(failure))
            else:
                if end is not None:
                    self._emit(end)

        self._threads = [t for t in self._threads if t.is_alive()]
        self._threads.append(threading.Thread(target=run, name="surveying", daemon=True))
        self._threads[-1].start()

    def _emit(self, emit: Callable[[], None]) -> None:
        if not self.cancelled():
            with suppress(RuntimeError):  # the window was closed meanwhile
                emit()
