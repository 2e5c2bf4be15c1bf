"""Workspace: the only mutable truth of the window (case, plan, result, freshness), and its signals."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoStack

from cryoplan import workflow
from cryoplan.app.history import SetPlan
from cryoplan.app.jobs import (
    Answer,
    Asked,
    Failure,
    JobDone,
    JobFailed,
    JobForgot,
    JobFrame,
    JobProgress,
)
from cryoplan.app.parcel import Held
from cryoplan.app.rehearsal import rehearse
from cryoplan.app.state import BUSY_TEXT, State
from cryoplan.app.worker import Worker
from cryoplan.case.case import Case
from cryoplan.core.errors import CryoplanError, StaleError
from cryoplan.core.finding import Finding
from cryoplan.core.progress import ProgressReport
from cryoplan.image.series import PathDescription
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.edits import describe_change
from cryoplan.plan.plan import Plan
from cryoplan.scene.meshes import CaseMeshes
from cryoplan.simulation.result import Frame, ThermalResult
from cryoplan.simulation.settings import STANDARD, SolverSettings

KEPT_RESULTS = 3


class Workspace(QObject):
    """Case, plan and result, and what the background process is doing with them.

    Panels get it in their constructor, read it when a signal comes, and write through its methods only.

    Signals
    -------
    case_changed, plan_changed, result_changed, state_changed
        Something is different; ask what.
    message : str
        One line for the status bar.
    failed : Failure
        Something did not work.
    series_listed : PathDescription
        A folder holds several series; one has to be chosen.
    meshes_changed
        The surfaces of the 3D view are ready, or gone with their case.
    """

    case_changed = Signal()
    plan_changed = Signal()
    result_changed = Signal()
    state_changed = Signal()
    message = Signal(str)
    failed = Signal(object)
    series_listed = Signal(object)
    meshes_changed = Signal()
    verified = Signal(object)

    def __init__(self, worker: Worker | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.catalogue: Catalogue = workflow.catalogue()
        self.undo_stack = QUndoStack(self)
        self._settings: SolverSettings = STANDARD
        self._worker = worker or Worker(parent=self, prepare=rehearse)
        self._worker.answered.connect(self._take)
        self._worker.restarted.connect(self._forget_child)
        self._case: Case | None = None
        self._plan = Plan()
        self._key = ""
        self._rules: tuple[Finding, ...] | None = None
        self._shown: tuple[ThermalResult, Assessment] | None = None
        self._results: OrderedDict[str, tuple[ThermalResult, Assessment]] = OrderedDict()
        self._child = Held()
        self._jobs: dict[int, Asked] = {}
        self._frames: dict[int, list[Frame]] = {}
        self._solving: int | None = None
        self._checked: workflow.ConvergenceReport | None = None
        self._meshing: int | None = None
        self.meshes: CaseMeshes | None = None
        self.progress: ProgressReport | None = None

    # What there is ----------------------------------------------------------------------------------

    @property
    def case(self) -> Case | None:
        """The patient, None before one is opened."""
        return self._case

    @property
    def plan(self) -> Plan:
        """The plan as it stands."""
        return self._plan

    @property
    def result(self) -> ThermalResult | None:
        """The newest result; only current if `is_current`."""
        return None if self._shown is None else self._shown[0]

    @property
    def assessment(self) -> Assessment | None:
        """The judgement of `result`."""
        return None if self._shown is None else self._shown[1]

    @property
    def rules(self) -> tuple[Finding, ...]:
        """Findings about the plan that need no solve; worked out when asked for, once per plan."""
        if self._case is None or not self._plan.probes:
            return ()
        if self._rules is None:
            self._rules = workflow.check(self._case, self._plan, self.catalogue)
        return self._rules

    @property
    def settings(self) -> SolverSettings:
        """How the plan is solved; another grid makes another answer, so a change here outdates the result."""
        return self._settings

    @settings.setter
    def settings(self, value: SolverSettings) -> None:
        if value != self._settings:
            self._settings = value
            self._refresh_key()
            self._told()

    @property
    def is_current(self) -> bool:
        """True when the result shown is the answer to exactly this case and plan."""
        return self._shown is not None and self._shown[0].key == self._key

    @property
    def convergence(self) -> workflow.ConvergenceReport | None:
        """What refining grid and step changed for exactly this case, plan and grid; None when not checked."""
        return self._checked if self._checked is not None and self._checked.key == self._key else None

    @property
    def is_checking(self) -> bool:
        """True while the grid is being checked."""
        return any(asked.kind == "converge" for asked in self._jobs.values())

    @property
    def is_verifying(self) -> bool:
        """True while the solver is being checked."""
        return any(asked.kind == "verify" for asked in self._jobs.values())

    @property
    def can_export(self) -> bool:
        """True when numbers may leave the program."""
        return self.is_current

    @property
    def state(self) -> State:
        """What the state chip says."""
        if self._case is None:
            return State.EMPTY
        if self._solving is not None:
            return State.SOLVING
        if self.is_current:
            return State.CURRENT
        return State.READY if self._shown is None else State.OUT_OF_DATE

    @property
    def busy_text(self) -> str:
        """What the background process is doing, empty when it rests."""
        if not self._jobs:
            return ""
        kind = next(iter(self._jobs.values())).kind
        if self.progress is not None and self.progress.text:
            return self.progress.text
        return BUSY_TEXT[kind]

    @property
    def is_busy(self) -> bool:
        """True while a job is under way."""
        return bool(self._jobs)

    # The plan ---------------------------------------------------------------------------------------

    def edit(self, text: str, new_plan: Plan, *, gesture: str | None = None) -> None:
        """Put `new_plan` in place as one undoable step; steps of one `gesture` become one."""
        if new_plan == self._plan:
            return
        self.undo_stack.push(SetPlan(text, self._plan, new_plan, self._set_plan, gesture, describe_change))

    def undo(self) -> None:
        """Take the last step back."""
        self.undo_stack.undo()

    def redo(self) -> None:
        """Do the last undone step again."""
        self.undo_stack.redo()

    def _set_plan(self, plan: Plan) -> None:
        self._plan = plan
        self._rules = None
        self._refresh_key()
        self.plan_changed.emit()
        self._told()

    def _refresh_key(self) -> None:
        before = self._shown
        self._key = ""
        if self._case is not None and self._plan.probes:
            self._key = workflow.simulation_key(self._case, self._plan, self.catalogue, self._settings)
            # Undo brings the old ice ball back at once.
            self._shown = self._results.get(self._key, self._shown)
        if self._shown is not before:
            self.result_changed.emit()

    def _told(self) -> None:
        self.state_changed.emit()

    # The case ---------------------------------------------------------------------------------------

    def set_case(self, case: Case | None, plan: Plan | None = None) -> None:
        """Show another patient; undo history and results of the last one are gone."""
        self._stop("solve", "converge", "meshes")  # what was to be saved or printed is still wanted
        self._solving = None
        self._case = case
        self._plan = plan or Plan()
        self._rules = None
        self._shown = None
        self._results.clear()
        self.undo_stack.clear()
        self._refresh_key()
        self._make_meshes()
        self.case_changed.emit()
        self.plan_changed.emit()
        self.result_changed.emit()
        self._told()

    def new_case(self) -> None:
        """Close the case."""
        self.set_case(None)

    def list_series(self, path: Path) -> None:
        """Ask what a folder holds; `series_listed` answers."""
        self._submit("list-series", path=path)

    def open_image(self, path: Path, series_uid: str | None = None, structures: Sequence[Path] = ()) -> None:
        """Read a scan in the background and show it as a new case."""
        self._submit("load", path=path, series_uid=series_uid, structures=tuple(structures))

    def add_structures(self, path: Path) -> None:
        """Read a label map or segmentation in the background and add it to the case."""
        if self._need_case():
            self._submit("structures", case=self._case, path=path)

    def set_target(self, name: str) -> None:
        """Choose the tumour that margins are measured on."""
        if self._case is not None and name != self._case.target_name:
            self._submit("target", case=self._case, name=name)

    def open_demo(self) -> None:
        """Make and show the built-in case with its plan."""
        self._submit("demo")

    def open_case_file(self, path: Path) -> None:
        """Open a saved case in the background."""
        self._submit("open", path=path)

    def save_case_file(self, path: Path) -> None:
        """Save the case in the background; a current result goes with it."""
        if self._need_case():
            self._submit(
                "save",
                case=self._case,
                plan=self._plan,
                solved=self._shown if self.is_current else None,
                path=path,
            )

    def open_plan(self, path: Path) -> None:
        """Read a plan file as one undoable step."""
        try:
            plan = workflow.load_plan(path, self.catalogue)
        except CryoplanError as error:
            self._fail(error)
            return
        self.edit(f"Plan {plan.name} opened", plan)

    def save_plan(self, path: Path) -> None:
        """Write a plan file."""
        try:
            workflow.save_plan(self._plan, path)
        except CryoplanError as error:
            self._fail(error)
            return
        self.message.emit(f"Saved {path.name}")

    # Long work --------------------------------------------------------------------------------------

    def request_simulation(self) -> None:
        """Solve the plan in the background; the newest request wins."""
        if not self._need_probes():
            return
        if self._solving is not None:
            self._worker.cancel(self._solving)
        self._solving = self._submit("solve", case=self._case, plan=self._plan, settings=self.settings)
        self._told()

    def request_convergence(self) -> None:
        """Solve the plan on another grid and with half the step in the background; see `convergence`."""
        if not self._need_probes():
            return
        self._stop("converge")
        known = self.assessment if self.is_current else None
        self._submit("converge", case=self._case, plan=self._plan, settings=self.settings, known=known)

    def request_verification(self) -> None:
        """Run the solver's quick checks in the background; `verified` tells the answer."""
        if not self.is_verifying:
            self._submit("verify")

    def cancel(self) -> None:
        """Stop what the user asked for; the surfaces of the 3D view are still made."""
        self._stop(*(BUSY_TEXT.keys() - {"meshes"}))

    def _stop(self, *kinds: str) -> None:
        for job, asked in self._jobs.items():
            if asked.kind in kinds:
                self._worker.cancel(job)

    def export_pdf(self, path: Path) -> None:
        """Print the plan PDF in the background.

        Raises
        ------
        StaleError
            If the result is not the answer to this plan: then nothing is printed.
        """
        if not self.is_current:
            raise StaleError(
                "The result is out of date." if self._shown else "The plan has not been solved.",
                "Solve first, then print.",
                code="stale-result",
            )
        self._submit("report", case=self._case, plan=self._plan, solved=self._shown, path=path)

    def close(self) -> None:
        """End the background process."""
        self._worker.close()
        # Qt's stack speaks once more while it is taken apart, to windows that are gone by then.
        self.undo_stack.blockSignals(True)

    def _submit(self, kind: str, **arguments: Any) -> int:
        job = self._worker.submit(kind, **self._child.shortened(arguments))
        self._jobs[job] = Asked(kind, arguments)
        if kind == "solve":
            self._frames[job] = []
        self.progress = ProgressReport(fraction=0.0, text=BUSY_TEXT[kind])
        self._told()
        return job

    @Slot()
    def _forget_child(self) -> None:
        self._child.forget()

    @Slot(object)
    def _take(self, answer: Answer) -> None:
        if answer.id not in self._jobs:
            return
        if isinstance(answer, JobProgress):
            self.progress = answer.report
        elif isinstance(answer, JobFrame):
            self._frames[answer.id].append(answer.frame)
            return
        else:
            asked = self._jobs.pop(answer.id)
            kind = asked.kind
            frames = self._frames.pop(answer.id, [])
            newest = self._solving == answer.id
            if newest:
                self._solving = None
            if not self._jobs:
                self.progress = None
            if isinstance(answer, JobForgot):
                self._ask_again(asked, newest)
            elif kind == "meshes" and self._meshing != answer.id:
                pass  # of a case that is not shown any more
            elif isinstance(answer, JobDone):
                self._done(asked, answer.value, frames)
            elif kind == "solve" and not newest:
                pass  # nobody waits for it any more, whatever became of it
            elif isinstance(answer, JobFailed):
                self.failed.emit(answer.failure)
            elif kind != "meshes":
                self.message.emit("Cancelled")
        self._told()

    def _ask_again(self, asked: Asked, newest: bool) -> None:
        """Ask once more, with everything: the process does not hold what was named."""
        self._forget_child()
        job = self._submit(asked.kind, **asked.arguments)
        if newest:
            self._solving = job
        elif asked.kind == "meshes" and asked.arguments["case"] is self._case:
            self._meshing = job

    def _done(self, asked: Asked, value: Any, frames: list[Frame]) -> None:
        kind = asked.kind
        if kind == "solve":
            result, assessment = value
            self._keep_result(replace(result, frames=tuple(frames)), assessment)
        elif kind == "converge":
            self._checked = value
            if self.convergence is None:
                self.message.emit("The grid was checked for a plan that has changed since. Please repeat it.")
        elif kind == "verify":
            self.verified.emit(value)
        elif kind == "meshes":
            self.meshes = value
            self.meshes_changed.emit()
        elif kind == "list-series":
            assert isinstance(value, PathDescription)
            self.series_listed.emit(value)
        elif kind == "load":
            self._child.cases.add(value.digest())
            self.set_case(value)
            self.message.emit("Scan loaded")
        elif kind == "demo":
            self._child.cases.add(value[0].digest())
            self.set_case(*value)
        elif kind in ("structures", "target"):
            if asked.arguments["case"] is self._case:
                self._replace_case(value)
            else:
                what = "structures were not added" if kind == "structures" else "target was not chosen"
                self.message.emit(f"The {what}, because the case changed meanwhile. Please repeat it.")
        elif kind == "open":
            self._child.cases.add(value.case.digest())
            if value.result is not None:  # the grid it was solved on, else it would not be the answer
                self._settings = value.result.settings
            self.set_case(value.case, value.plan)
            if value.result is not None:
                self._keep_result(value.result, value.assessment)
            for finding in value.findings:
                self.message.emit(finding.text)
        else:
            self.message.emit(f"{'Printed' if kind == 'report' else 'Saved'} {value.name}")

    def _replace_case(self, case: Case) -> None:
        """Put a new state of the same patient in place: the plan and its history stay."""
        self._child.cases.add(case.digest())
        self._case = case
        self._rules = None
        self._refresh_key()
        self._make_meshes()
        self.case_changed.emit()
        self.result_changed.emit()

    def _make_meshes(self) -> None:
        self.meshes = None
        self._meshing = None
        if self._case is not None:
            self._meshing = self._submit("meshes", case=self._case)
        self.meshes_changed.emit()

    def _keep_result(self, result: ThermalResult, assessment: Assessment) -> None:
        self._child.results.add(result.key)
        self._results[result.key] = (result, assessment)
        self._results.move_to_end(result.key)
        while len(self._results) > KEPT_RESULTS:
            old, _ = self._results.popitem(last=False)
            self._child.results.discard(old)
        # A late answer is kept for undo, but only the answer to the plan on screen may be shown.
        if result.key == self._key:
            self._shown = (result, assessment)
            self.result_changed.emit()

    def _need_case(self) -> bool:
        if self._case is None:
            self._fail(CryoplanError("No case is open.", "Open a scan first.", code="no-case"))
            return False
        return True

    def _need_probes(self) -> bool:
        if self._need_case() and not self._plan.probes:
            self._fail(CryoplanError("The plan has no probe.", "Place one first: press P.", code="no-probes"))
        return self._case is not None and bool(self._plan.probes)

    def _fail(self, error: CryoplanError) -> None:
        self.failed.emit(Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place))
