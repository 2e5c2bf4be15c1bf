"""Errands: what the background process was asked and has not answered yet."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.jobs import Answer, Asked, JobDone, JobFailed, JobForgot, JobFrame, JobProgress
from cryoplan.app.parcel import Held
from cryoplan.app.state import BUSY_TEXT, QUIET
from cryoplan.app.worker import Worker
from cryoplan.core.progress import ProgressReport
from cryoplan.simulation.result import Frame


class Errands(QObject):
    """Jobs under way; one that the process could not do because it began anew is asked again by itself.

    Signals
    -------
    done : Asked, value, list of Frame
        A job is answered.
    failed : Asked, Failure
        A job could not be done.
    cancelled : Asked
        A job stopped because it was asked to.
    changed
        Something began, ended or went on.
    """

    done = Signal(object, object, object)
    failed = Signal(object, object)
    cancelled = Signal(object)
    changed = Signal()

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._worker.answered.connect(self._take)
        self._worker.restarted.connect(self._forget)
        self._jobs: dict[int, Asked] = {}
        self._frames: dict[int, list[Frame]] = {}
        self.held = Held()
        self.progress: ProgressReport | None = None

    @property
    def is_busy(self) -> bool:
        """True while a job is under way that somebody waits for."""
        return bool(self._told())

    @property
    def busy_text(self) -> str:
        """What the process is doing, empty when it rests."""
        told = self._told()
        if not told:
            return ""
        if self.progress is not None and self.progress.text:
            return self.progress.text
        return BUSY_TEXT[told[0].kind]

    def has(self, kind: str) -> bool:
        """Tell whether a job of a kind is under way."""
        return any(asked.kind == kind for asked in self._jobs.values())

    def is_at(self, asked: Asked) -> bool:
        """Tell whether a job is the one that the process is at: it does them in their order."""
        return next(iter(self._jobs.values()), None) is asked

    def ask(self, kind: str, **arguments: Any) -> Asked:
        """Ask for something; whoever keeps the answer's `Asked` knows it by its identity."""
        asked = Asked(kind, arguments)
        self._send(asked)
        return asked

    def stop(self, *kinds: str) -> None:
        """Cancel the jobs of some kinds."""
        for job, asked in self._jobs.items():
            if asked.kind in kinds:
                self._worker.cancel(job)

    def stop_one(self, asked: Asked) -> None:
        """Cancel one job."""
        for job, other in self._jobs.items():
            if other is asked:
                self._worker.cancel(job)

    def close(self) -> None:
        """End the background process."""
        self._worker.close()

    def _send(self, asked: Asked) -> None:
        job = self._worker.submit(asked.kind, **self.held.shortened(asked.arguments))
        self._jobs[job] = asked
        self._frames[job] = []
        if asked.kind not in QUIET:
            self.progress = ProgressReport(fraction=0.0, text=BUSY_TEXT[asked.kind])
            self.changed.emit()

    def _told(self) -> list[Asked]:
        """Return the jobs under way that are spoken of."""
        return [asked for asked in self._jobs.values() if asked.kind not in QUIET]

    @Slot()
    def _forget(self) -> None:
        self.held.forget()

    @Slot(object)
    def _take(self, answer: Answer) -> None:
        if answer.id not in self._jobs:
            return
        if isinstance(answer, JobProgress):
            if self._jobs[answer.id].kind in QUIET:
                return
            self.progress = answer.report
        elif isinstance(answer, JobFrame):
            self._frames[answer.id].append(answer.frame)
            return
        else:
            asked, frames = self._jobs.pop(answer.id), self._frames.pop(answer.id)
            if not self._told():
                self.progress = None
            if isinstance(answer, JobForgot):
                self.held.forget()
                self._send(asked)
            elif isinstance(answer, JobDone):
                if asked.arguments.get("case") is not None:
                    self.held.took(asked.arguments["case"])
                self.done.emit(asked, answer.value, frames)
            elif isinstance(answer, JobFailed):
                self.failed.emit(asked, answer.failure)
            else:
                if asked.arguments.get("case") is not None:
                    self.held.lost(asked.arguments["case"])
                self.cancelled.emit(asked)
            if asked.kind in QUIET:
                return
        self.changed.emit()
