"""A workspace whose background process is played by the test: it answers what and when the test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from cryoplan import workflow
from cryoplan.app.jobs import Failure, Job, JobCancelled, JobDone, JobFailed, JobFrame, JobProgress
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.core.progress import ProgressReport
from cryoplan.plan.plan import Plan
from tests.support.answers import answer
from tests.support.scenes import make_plan, small_case


class ScriptedWorker(QObject):
    """The surface of `cryoplan.app.worker.Worker`, without a process."""

    answered = Signal(object)
    restarted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.jobs: list[Job] = []
        self.cancelled: list[int] = []
        self.is_closed = False

    def submit(self, kind: str, **arguments: object) -> int:
        self.jobs.append(Job(id=len(self.jobs) + 1, kind=kind, arguments=arguments))
        return self.jobs[-1].id

    def cancel(self, job: int) -> None:
        self.cancelled.append(job)

    def close(self) -> None:
        self.is_closed = True

    # What tests say -----------------------------------------------------------------------------------

    def last(self, kind: str) -> Job:
        """Return the newest job of a kind."""
        return next(j for j in reversed(self.jobs) if j.kind == kind)

    def progress(self, kind: str, fraction: float, text: str, remaining_s: float | None = None) -> None:
        report = ProgressReport(fraction=fraction, text=text, remaining_s=remaining_s)
        self.answered.emit(JobProgress(id=self.last(kind).id, report=report))

    def done(self, kind: str, value: object) -> None:
        self.answered.emit(JobDone(id=self.last(kind).id, kind=kind, value=value))

    def gave_up(self, kind: str) -> None:
        self.answered.emit(JobCancelled(id=self.last(kind).id, kind=kind))

    def failed(self, kind: str, failure: Failure) -> None:
        self.answered.emit(JobFailed(id=self.last(kind).id, kind=kind, failure=failure))


class Desk:
    """Workspace, view state and the scripted worker behind them."""

    def __init__(self) -> None:
        self.worker = ScriptedWorker()
        self.workspace = Workspace(self.worker)
        self.view = ViewState()

    def open(self, case: Case | None = None, plan: Plan | None = None) -> None:
        """Show a case (a ball of tumour in a body of fat) and a plan (two probes through it)."""
        self.workspace.set_case(case or small_case(), make_plan() if plan is None else plan)

    def solve(self) -> None:
        """Ask for a solve and answer it with a field of formulas."""
        workspace = self.workspace
        workspace.request_simulation()
        case, plan = workspace.case, workspace.plan
        key = workflow.simulation_key(case, plan, workspace.catalogue, workspace.settings)
        result, judged = answer(plan)
        result = replace(result, key=key, settings=workspace.settings)
        job = self.worker.last("solve").id
        for frame in result.frames:
            self.worker.answered.emit(JobFrame(id=job, frame=frame))
        self.worker.done("solve", (replace(result, frames=()), replace(judged, key=key)))


@contextmanager
def somebody_else_has(desk: Desk, path: Path) -> Iterator[None]:
    """Keep the case of the desk at `path`, and show it in the block while somebody else has it open there."""
    workspace = desk.workspace
    workspace.keeper.move(path).result(5)
    case, plan = workspace.case, workspace.plan
    workspace.set_case(None)
    with workflow.CaseFile.open(path):
        workspace.set_case(case, plan, file=path)
        yield
        workspace.set_case(None)
