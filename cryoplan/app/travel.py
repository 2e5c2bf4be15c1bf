"""Travel: going to another step of the history, which the disk may take its time for."""

from __future__ import annotations

from concurrent.futures import Future

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.keeper import failure_of
from cryoplan.app.steps import State

PATIENCE_S = 0.25
"""How long the window waits for a step of the history before it goes on without."""


class Travel(QObject):
    """One way to another state at a time.

    Signals
    -------
    arrived : Case, Plan
        The state is there.
    failed : CryoplanError
        It cannot be reached; nothing changed.
    """

    arrived = Signal(object, object)
    failed = Signal(object)
    _late = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._future: Future[State] | None = None
        self._late.connect(self._arrive)

    @property
    def is_under_way(self) -> bool:
        """True while the state is on its way; nothing may be edited meanwhile."""
        return self._future is not None

    def go(self, future: Future[State]) -> None:
        """Wait for a state, at once where the disk is quick."""
        self._future = future
        try:
            future.exception(timeout=PATIENCE_S)
        except TimeoutError:
            future.add_done_callback(self._late.emit)
        else:
            self._arrive(future)

    def forget(self) -> None:
        """Another patient is shown."""
        self._future = None

    @Slot(object)
    def _arrive(self, future: Future[State]) -> None:
        if future is not self._future:
            return
        self._future = None
        error = future.exception()
        if error is not None:
            self.failed.emit(failure_of(error))
            return
        self.arrived.emit(*future.result())
