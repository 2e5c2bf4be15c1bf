"""Outliner: one run of TotalSegmentator for the window, in a process that starts with the first run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.ai_tasks import Accepted, OutlineFound
from cryoplan.app.jobs import Answer, Failure, JobCancelled, JobDone, JobFailed, JobProgress
from cryoplan.app.worker import Worker
from cryoplan.app.workspace import Workspace
from cryoplan.core.progress import ProgressReport
from cryoplan.image.scan import Scan

TASKS_MODULE = "cryoplan.app.ai_tasks"


class Doing(StrEnum):
    """What an outliner is doing."""

    NOTHING = "nothing"
    RUNNING = "running"
    FOUND = "found"
    ADDING = "adding"


def _start() -> Worker:
    return Worker(TASKS_MODULE)


class Outliner(QObject):
    """Starts, follows and stops a run; what was found becomes part of the case when it is accepted.

    Signals
    -------
    changed
        What it does, how far it is, or what was found.
    failed : Failure
        A run could not be done; it does nothing again.
    added : int
        So many outlines have become structures.
    """

    changed = Signal()
    failed = Signal(object)
    added = Signal(int)

    def __init__(
        self,
        workspace: Workspace,
        parent: QObject | None = None,
        *,
        start: Callable[[], Worker] = _start,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._start_worker = workspace, start
        self._worker: Worker | None = None
        self._job: int | None = None
        self._scan: Scan | None = None
        self._began_s = 0.0
        self.doing = Doing.NOTHING
        self.progress: ProgressReport | None = None
        self.found: tuple[OutlineFound, ...] = ()
        workspace.case_changed.connect(self._case_changed)

    @property
    def elapsed_s(self) -> float:
        """Wall time since the run began."""
        return time.monotonic() - self._began_s

    def start(self, task: str, device: str) -> None:
        """Outline the image of the case with a task of `cryoplan.workflow.find_offers`."""
        case = self._workspace.case
        if case is None or self.doing in (Doing.RUNNING, Doing.ADDING):
            return
        self.found = ()
        self._scan, self._began_s = case.scan, time.monotonic()
        self._ask(Doing.RUNNING, "outline", scan=case.scan, task=task, device=device)

    def cancel(self) -> None:
        """Stop the run; nothing of it is kept."""
        if self._worker is not None and self._job is not None:
            self._worker.cancel(self._job)

    def add(self, names: Sequence[str]) -> None:
        """Make outlines part of the case, as one step."""
        if self.doing is Doing.FOUND and names:
            self._ask(Doing.ADDING, "take", names=tuple(names))

    def discard(self) -> None:
        """Forget what was found."""
        if self.doing is Doing.FOUND:
            assert self._worker is not None
            self._worker.submit("drop")
            self._rest()

    def close(self) -> None:
        """End the process, and the run with it."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _ask(self, doing: Doing, kind: str, **arguments: object) -> None:
        if self._worker is None:
            self._worker = self._start_worker()
            self._worker.answered.connect(self._take)
        self.doing, self.progress = doing, None
        self._job = self._worker.submit(kind, **arguments)
        self.changed.emit()

    def _rest(self) -> None:
        self.doing, self._job, self.progress, self.found, self._scan = Doing.NOTHING, None, None, (), None
        self.changed.emit()

    @Slot()
    def _case_changed(self) -> None:
        case = self._workspace.case
        if self._scan is None:
            return
        image = None if case is None else case.scan.volume
        # A case that comes back from the other process has another object of the same image.
        if image is self._scan.volume or (image and image.digest() == self._scan.volume.digest()):
            return
        # Another patient: neither a run nor its outlines may wait for him.
        self.cancel()
        if self._worker is not None:
            self._worker.submit("drop")
        self._rest()

    @Slot(object)
    def _take(self, answer: Answer) -> None:
        if answer.id != self._job:
            return
        if isinstance(answer, JobProgress):
            self.progress = answer.report
            self.changed.emit()
        elif isinstance(answer, JobCancelled):
            self._rest()
        elif isinstance(answer, JobFailed):
            self._rest()
            self._tell(answer.failure)
        elif isinstance(answer, JobDone) and self.doing is Doing.RUNNING:
            assert isinstance(answer.value, tuple)
            self.doing, self.found = Doing.FOUND, answer.value
            self.changed.emit()
        elif isinstance(answer, JobDone):
            assert isinstance(answer.value, Accepted)
            count = len(answer.value.structures)
            taken = self._workspace.add_outlines(answer.value.structures, answer.value.findings)
            self._rest()
            if taken:
                self.added.emit(count)

    def _tell(self, failure: Failure) -> None:
        self.failed.emit(failure)
