"""Newest: work in a thread of which only the newest wish counts; an older one stops and is never heard of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.core.progress import Cancelled, Progress, ProgressReport

Work = Callable[[Progress], object]
Then = Callable[[object], None]


class Newest(QObject):
    """One thread, one wish at a time.

    Signals
    -------
    failed : Exception
        The newest work ended with it.
    changed
        Something began, ended or went on.
    """

    failed = Signal(object)
    changed = Signal()
    _ended = Signal(int, object, object)
    _went_on = Signal(int, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._lock = threading.Lock()
        self._number = 0
        self._work: Work | None = None
        self._is_running = False
        self._then: Then | None = None
        self.text = ""
        self._ended.connect(self._end)
        self._went_on.connect(self._go_on)

    @property
    def is_busy(self) -> bool:
        """True while the newest wish is not fulfilled."""
        return self._then is not None

    def ask(self, work: Work, then: Then, text: str) -> None:
        """Do something in the thread in place of what it does now; `then` gets the value in this thread.

        Parameters
        ----------
        work : callable
            Takes a `Progress`; it should ask it whether to go on.
        text : str
            What is being done, for whoever waits.
        """
        with self._lock:
            self._number += 1
            self._work = work
            starts = not self._is_running
            self._is_running = True
        self._then, self.text = then, text
        if starts:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        self.changed.emit()

    def cancel(self) -> None:
        """Give up what was asked."""
        with self._lock:
            self._number += 1
            self._work = None
        was_busy, self._then = self.is_busy, None
        if was_busy:
            self.changed.emit()

    def _run(self) -> None:
        while True:
            with self._lock:
                work, number, self._work = self._work, self._number, None
                if work is None:
                    self._is_running = False
                    return
            value: object = None
            failure: Exception | None = None
            try:
                value = work(_Asked(self, number))
            except Cancelled:
                continue
            except Exception as error:
                failure = error
            with suppress(RuntimeError):  # the window was closed meanwhile
                self._ended.emit(number, value, failure)

    @Slot(int, object, object)
    def _end(self, number: int, value: object, failure: Exception | None) -> None:
        if number != self._number or self._then is None:
            return
        then, self._then = self._then, None
        if failure is not None:
            self.failed.emit(failure)
        else:
            then(value)
        self.changed.emit()

    @Slot(int, object)
    def _go_on(self, number: int, report: ProgressReport) -> None:
        if number == self._number and self._then is not None and report.text:
            self.text = report.text
            self.changed.emit()


class _Asked:
    """Progress of one wish."""

    def __init__(self, newest: Newest, number: int) -> None:
        self._newest, self._number = newest, number

    def report(self, report: ProgressReport) -> None:
        with suppress(RuntimeError):
            self._newest._went_on.emit(self._number, report)

    def cancelled(self) -> bool:
        return self._newest._number != self._number
