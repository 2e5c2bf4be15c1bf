"""Timing: when and how long the tumour is cold, worked out beside the window once it is looked at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan import workflow
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.core.volume import Volume
from cryoplan.simulation.result import ThermalResult

_log = logging.getLogger(__name__)


class Timing(QObject):
    """Asks for numbers of one result and forgets them with it; each is made once.

    Signals
    -------
    ready
        Something that was asked for is there.
    """

    ready = Signal()
    _made = Signal(object, object, object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._of: tuple[Case, ThermalResult] | None = None
        self._known: dict[object, Any] = {}
        self._asked: set[object] = set()
        self._made.connect(self._take)

    @classmethod
    def of(cls, workspace: Workspace) -> Timing:
        """Return the one of a workspace."""
        found = workspace.findChild(cls)
        return found if found is not None else cls(workspace)

    def times(self) -> workflow.TumourTimes | None:
        """Return the times of the result on screen; None while they are made, and without a target."""
        found: workflow.TumourTimes | None = self._ask("times", workflow.measure_times)
        return found

    def reached_at(self, threshold_degc: float) -> Volume | None:
        """Return when each voxel first reaches a temperature, s; None while that is made."""

        def make(_case: Case, result: ThermalResult) -> Volume:
            from cryoplan.margins.exposure import reached_at

            return reached_at(result, threshold_degc)

        found: Volume | None = self._ask(("reached", threshold_degc), make)
        return found

    @property
    def is_busy(self) -> bool:
        """True while something is made."""
        return bool(self._asked - self._known.keys())

    def _ask(self, what: object, make: Callable[[Case, ThermalResult], Any]) -> Any:
        case, result = self._workspace.case, self._workspace.result
        if case is None or result is None:
            self._of = None
            self._known, self._asked = {}, set()
            return None
        if self._of is None or self._of[0] is not case or self._of[1] is not result:
            # A case that has changed since is shown as out of date; its numbers stay those of its answer.
            if self._of is not None and self._of[1] is result and not self._workspace.is_current:
                return self._known.get(what)
            self._of = (case, result)
            self._known, self._asked = {}, set()
        if what not in self._asked:
            self._asked.add(what)
            Thread(target=self._make, args=(self._of, what, make), name="timing", daemon=True).start()
        return self._known.get(what)

    def _make(
        self,
        of: tuple[Case, ThermalResult],
        what: object,
        make: Callable[[Case, ThermalResult], Any],
    ) -> None:
        try:
            value = make(*of)
        except Exception:
            _log.exception("%s could not be worked out", what)
            value = None
        try:
            self._made.emit(of, what, value)
        except RuntimeError:
            return  # the window closed meanwhile

    @Slot(object, object, object)
    def _take(self, of: tuple[Case, ThermalResult], what: object, value: Any) -> None:
        if of is self._of:
            self._known[what] = value
            self.ready.emit()
