"""Asking: something is asked of a thread and answered by a signal, so that the window never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.jobs import Failure
from cryoplan.app.keeper import failure_of
from cryoplan.app.workspace import Workspace


class Asking(QObject):
    """Tells how futures end; their errors go the way of all errors, to `Workspace.failed`.

    Signals
    -------
    answered : object
        What a future held.
    """

    answered = Signal(object)
    _ended = Signal(object)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._under_way = 0
        self._ended.connect(self._end)

    @property
    def is_under_way(self) -> bool:
        """True while an answer is awaited."""
        return self._under_way > 0

    def watch(self, future: Future[Any]) -> None:
        """Tell how a future ends."""
        self._under_way += 1
        future.add_done_callback(self._tell)

    def run(self, function: Callable[[], object]) -> None:
        """Do something that the disk may take its time for in a thread of its own."""
        future: Future[object] = Future()

        def work() -> None:
            try:
                value = function()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(value)

        self.watch(future)
        threading.Thread(target=work, name="asking", daemon=True).start()

    def _tell(self, future: Future[Any]) -> None:
        with suppress(RuntimeError):  # the window was closed meanwhile
            self._ended.emit(future)

    @Slot(object)
    def _end(self, future: Future[Any]) -> None:
        self._under_way -= 1
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self.answered.emit(future.result())
            return
        known = failure_of(error)
        self._workspace.failed.emit(
            Failure(what=known.what, remedy=known.remedy, code=known.code, place=known.place)
        )
