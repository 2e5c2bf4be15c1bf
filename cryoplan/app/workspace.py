"""Workspace: the only mutable truth of the window (case, plan, result, freshness), and its signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan import workflow
from cryoplan.app.edited_case import EditedCase
from cryoplan.app.errands import Errands
from cryoplan.app.jobs import Asked, Failure
from cryoplan.app.recall import Recall
from cryoplan.app.rehearsal import rehearse
from cryoplan.app.results import Results
from cryoplan.app.saver import Saver
from cryoplan.app.state import BUSY_TEXT, State
from cryoplan.app.travel import PATIENCE_S
from cryoplan.app.worker import Worker
from cryoplan.case.case import Case
from cryoplan.case.history import Kind
from cryoplan.core.errors import CryoplanError, StaleError
from cryoplan.core.finding import Finding
from cryoplan.core.progress import ProgressReport
from cryoplan.image.series import PathDescription
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.limits import Limits
from cryoplan.plan.plan import Plan
from cryoplan.scene.meshes import CaseMeshes
from cryoplan.simulation.result import Frame, ThermalResult
from cryoplan.simulation.settings import STANDARD, SolverSettings

UNSAVED_STANDING = "Not approved · last steps not saved"
"""What a PDF says that is printed while the disk does not take the steps that it shows."""


class Workspace(EditedCase):
    """Case, plan and result, and what the background process is doing with them.

    Panels get it in their constructor, read it when a signal comes, and write through its methods only.

    Signals
    -------
    case_changed, plan_changed, result_changed, state_changed
        Something is different; ask what.
    series_listed : PathDescription
        A folder holds several series; one has to be chosen.
    meshes_changed
        The surfaces of the 3D view are ready, or gone with their case.
    message, failed, file_changed, limits_changed
        See `EditedCase`.
    verified : Verification
        What the check of the solver found.
    """

    case_changed = Signal()
    plan_changed = Signal()
    result_changed = Signal()
    state_changed = Signal()
    series_listed = Signal(object)
    meshes_changed = Signal()
    verified = Signal(object)

    def __init__(self, worker: Worker | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.saver = Saver(self.keeper, self)
        self.saver.saved.connect(lambda path: self.message.emit(f"Saved {path.name}"))
        self.saver.failed.connect(self._fail)
        self.saver.changed.connect(self._told)
        self._errands = Errands(worker or Worker(parent=self, prepare=rehearse), self)
        self._errands.done.connect(self._done)
        self._errands.failed.connect(self._not_done)
        self._errands.cancelled.connect(self._gave_up)
        self._errands.changed.connect(self._told)
        self._recall = Recall(self.keeper, self._errands, self)
        self._recall.missed.connect(self._missed)
        self._recall.changed.connect(self._told)
        self._settings: SolverSettings = STANDARD
        self._key = ""
        self._rules: tuple[Finding, ...] | None = None
        self._results = Results()
        # What the process answered, and the same by the limits that the case has had since.
        self._judged: tuple[Assessment, Assessment] | None = None
        self.limits_changed.connect(self._told)
        self._solving: Asked | None = None
        self._checked: workflow.ConvergenceReport | None = None
        self._meshing: Asked | None = None
        self.meshes: CaseMeshes | None = None
        # Asked before another case takes the place of this one; the window puts its question here.
        self.may_leave: Callable[[], bool] = lambda: True
        self._to_look_at: set[Path] = set()
        # Tenure of the keeper in which each PDF was asked for: another patient may be shown when it is done.
        self._printing: dict[Path, int] = {}

    # What there is ----------------------------------------------------------------------------------

    @property
    def result(self) -> ThermalResult | None:
        """The newest result; only current if `is_current`."""
        return None if self._results.shown is None else self._results.shown[0]

    @property
    def assessment(self) -> Assessment | None:
        """The judgement of `result` by the limits of the case; of those it had when it became out of date."""
        self._judge()
        return None if self._judged is None else self._judged[1]

    @property
    def limits(self) -> Limits:
        """What the case is judged by: the ordinary limits, its own in place of some."""
        return workflow.limits_of(self._case)

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
            self._look_for_result()
            self._told()

    @property
    def is_current(self) -> bool:
        """True when the result shown is the answer to exactly this case and plan."""
        return self._results.shown is not None and self._results.shown[0].key == self._key

    @property
    def convergence(self) -> workflow.ConvergenceReport | None:
        """What refining grid and step changed for exactly this case, plan and grid; None when not checked."""
        return self._checked if self._checked is not None and self._checked.key == self._key else None

    @property
    def is_checking(self) -> bool:
        """True while the grid is being checked."""
        return self._errands.has("converge")

    @property
    def is_verifying(self) -> bool:
        """True while the solver is being checked."""
        return self._errands.has("verify")

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
        return State.READY if self._results.shown is None else State.OUT_OF_DATE

    @property
    def progress(self) -> ProgressReport | None:
        """How far the background process is."""
        return self._errands.progress

    @property
    def busy_text(self) -> str:
        """What is being done in the background, empty when nothing is."""
        recalling = BUSY_TEXT["recall"] if self._recall.is_under_way else ""
        return self._errands.busy_text or self.saver.busy_text or recalling

    @property
    def is_busy(self) -> bool:
        """True while something is under way in the background."""
        return self._errands.is_busy or self.saver.is_busy or self._recall.is_under_way

    # The plan ---------------------------------------------------------------------------------------

    def _set_plan(self, plan: Plan) -> None:
        self._plan = plan
        self._rules = None
        self._refresh_key()
        self._look_for_result()
        self.plan_changed.emit()
        self._told()

    def _refresh_key(self) -> None:
        self._key = ""
        if self._case is not None and self._plan.probes:
            self._key = workflow.simulation_key(self._case, self._plan, self.catalogue, self._settings)
            if self._results.look_up(self._key):
                self.result_changed.emit()

    def _judge(self) -> None:
        """Judge the result that is shown by the limits of the case, as long as it is its answer."""
        shown = self._results.shown
        if shown is None:
            self._judged = None
            return
        if self._judged is None or self._judged[0] is not shown[1]:
            self._judged = (shown[1], shown[1])
        if self._case is not None and self.is_current:
            self._judged = (shown[1], workflow.judge_again(self._case, shown[0], self._judged[1]))

    def _look_for_result(self) -> None:
        """Bring the answer back from the file where another state of the same case is shown."""
        if self._case is None or self.is_current:
            self._recall.forget()
        else:
            self._recall.want(self._key, self._case, self._plan)

    def _told(self) -> None:
        self._judge()
        self.state_changed.emit()

    # The case ---------------------------------------------------------------------------------------

    def set_case(
        self,
        case: Case | None,
        plan: Plan | None = None,
        *,
        file: Path | None = None,
        read_only: bool = False,
    ) -> None:
        """Show another patient, in a new case file or in the one that it was read from."""
        self._errands.stop("solve", "converge", "meshes")  # what is to be printed is still wanted
        self._solving = None
        self._recall.forget()
        self._travel.forget()
        self._case = case
        self._plan = plan or Plan()
        self._rules = None
        self._results.clear()
        self._judged = None
        self.saver.forget()
        if case is None:
            self.keeper.leave()
        elif file is None:
            self.keeper.begin(case, self._plan)
        else:
            self.saver.watch(self.keeper.attach(file, case, self._plan, read_only=read_only))
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
        self._errands.ask("list-series", path=path)

    def open_image(self, path: Path, series_uid: str | None = None, structures: Sequence[Path] = ()) -> None:
        """Read a scan in the background and show it as a new case."""
        self._errands.ask("load", path=path, series_uid=series_uid, structures=tuple(structures))

    def add_structures(self, path: Path, mesh_axes: str = "") -> None:
        """Read structures in the background and add them to the case; a mesh may need its axes stated."""
        if self._need_case():
            self._errands.ask("structures", case=self._case, path=path, mesh_axes=mesh_axes)

    def set_target(self, name: str) -> None:
        """Choose the tumour that margins are measured on."""
        if self._case is not None and name != self._case.target_name:
            self._errands.ask("target", case=self._case, name=name)

    def open_demo(self) -> None:
        """Make and show the built-in case with its plan."""
        self._errands.ask("demo")

    def open_case_file(self, path: Path, *, read_only: bool = False) -> None:
        """Open a saved case in the background; with `read_only` others may go on writing it."""
        if read_only:
            self._to_look_at.add(path)
        else:
            self._to_look_at.discard(path)
        self._errands.ask("open", path=path)

    def save_case_file(self, path: Path) -> None:
        """Give the case file a place in the background; a current result goes with it."""
        if self._need_case():
            self.saver.save(path)

    # Long work --------------------------------------------------------------------------------------

    def request_simulation(self) -> None:
        """Solve the plan in the background; the newest request wins."""
        if not self._need_probes():
            return
        self._recall.give_up()
        if self._solving is not None:
            self._errands.stop_one(self._solving)
        self._solving = self._errands.ask("solve", case=self._case, plan=self._plan, settings=self.settings)
        self._told()

    def request_convergence(self) -> None:
        """Solve the plan on another grid and with half the step in the background; see `convergence`."""
        if not self._need_probes():
            return
        self._errands.stop("converge")
        known = self.assessment if self.is_current else None
        self._errands.ask("converge", case=self._case, plan=self._plan, settings=self.settings, known=known)

    def request_verification(self) -> None:
        """Run the solver's quick checks in the background; `verified` tells the answer."""
        if not self.is_verifying:
            self._errands.ask("verify")

    def cancel(self) -> None:
        """Stop what the user asked for; the surfaces of the 3D view are still made."""
        if self._recall.give_up():
            self.message.emit("Cancelled")
        self._errands.stop(*(BUSY_TEXT.keys() - {"meshes"}))

    def export_pdf(self, path: Path) -> None:
        """Print the plan PDF in the background.

        Raises
        ------
        StaleError
            If the result is not the answer to this plan: then nothing is printed.
        """
        if not self.is_current:
            raise StaleError(
                "The result is out of date." if self._results.shown else "The plan has not been solved.",
                "Solve first, then print.",
                code="stale-result",
            )
        # An approval that a step in memory withdraws may not be printed.
        is_saved = self.keeper.settle(PATIENCE_S)
        standing = workflow.standing(self.keeper.kept.history) if is_saved else UNSAVED_STANDING
        self._printing[path] = self.keeper.tenure
        self._errands.ask(
            "report",
            case=self._case,
            plan=self._plan,
            solved=self._results.shown,
            path=path,
            standing=standing,
        )

    def close(self) -> bool:
        """End the background process and free the case file; tell whether all steps are on the disk."""
        self._recall.forget()
        self._errands.close()
        return self.saver.close()

    @Slot(object)
    def _gave_up(self, asked: Asked) -> None:
        if asked is self._solving:
            self._solving = None
        elif asked.kind in ("solve", "recall"):
            return  # nobody waits for it any more
        if asked.kind != "meshes":
            self.message.emit("Cancelled")

    @Slot(object, object)
    def _not_done(self, asked: Asked, failure: Failure) -> None:
        if asked.kind == "recall":
            if self._recall.ends(asked):
                self._missed(failure)
            return
        newest = asked is self._solving
        if newest:
            self._solving = None
        if (asked.kind == "solve" and not newest) or (asked.kind == "meshes" and asked is not self._meshing):
            return  # of a plan or a case that is not shown any more
        self.failed.emit(failure)

    @Slot(object, object, object)
    def _done(self, asked: Asked, value: Any, frames: list[Frame]) -> None:
        kind = asked.kind
        if asked is self._solving:
            self._solving = None
        if kind in ("load", "demo", "open") and not self.may_leave():
            return
        if kind == "solve":
            result, assessment = value
            result = replace(result, frames=tuple(frames))
            self._keep_result(result, assessment)
            case = asked.arguments["case"]
            if self._case is not None and self._case.scan.volume.digest() == case.scan.volume.digest():
                self.saver.take(result, case, asked.arguments["plan"])
        elif kind == "recall":
            # Only the answer to the question on screen is looked for; any other came too late.
            if self._recall.ends(asked) and value[0].key == self._key:
                self._keep_result(*value)
                self.saver.take(value[0], asked.arguments["case"], asked.arguments["plan"], is_stored=True)
        elif kind == "converge":
            self._checked = value
            if self.convergence is None:
                self.message.emit("The grid was checked for a plan that has changed since. Please repeat it.")
        elif kind == "verify":
            self.verified.emit(value)
        elif kind == "meshes":
            if asked is self._meshing:
                self.meshes = value
                self.meshes_changed.emit()
        elif kind == "list-series":
            assert isinstance(value, PathDescription)
            self.series_listed.emit(value)
        elif kind == "load":
            self._errands.held.cases.add(value.digest())
            self.set_case(value)
            self.message.emit("Scan loaded")
        elif kind == "demo":
            self._errands.held.cases.add(value[0].digest())
            self.set_case(*value)
        elif kind in ("structures", "target"):
            if asked.arguments["case"] is self._case:
                self._edit_case(asked, value)
            else:
                what = "structures were not added" if kind == "structures" else "target was not chosen"
                self.message.emit(f"The {what}, because the case changed meanwhile. Please repeat it.")
        elif kind == "open":
            self._errands.held.cases.add(value.case.digest())
            if value.result is not None:  # the grid it was solved on, else it would not be the answer
                self._settings = value.result.settings
            path = asked.arguments["path"]
            self.set_case(value.case, value.plan, file=path, read_only=path in self._to_look_at)
            if value.result is not None:
                self._keep_result(value.result, value.assessment)
                self.saver.take(value.result, value.case, value.plan, is_stored=True)
            for finding in value.findings:
                self.message.emit(finding.text)
        else:
            self._note_print(value)

    def _note_print(self, path: Path) -> None:
        """Say that a PDF is there, in the history of the case too that it was made of."""
        if self._printing.pop(path, None) != self.keeper.tenure:
            self.message.emit(f"Printed {path.name}; its case was closed before, so its history lacks that")
            return
        self.message.emit(f"Printed {path.name}")
        if self.keeper.may_edit:
            self.keeper.call(lambda file: file.record("Plan printed as PDF", kind=Kind.EXPORT))

    @Slot(object)
    def _missed(self, failure: Failure) -> None:
        """Say why a stored result is not shown, in the status line unless our own process failed."""
        if failure.details:
            self.failed.emit(failure)
        else:
            self.message.emit(f"{failure.what} {failure.remedy}")

    def _edit_case(self, asked: Asked, case: Case) -> None:
        """Take structures or a target that were chosen as one step of the history."""
        before = asked.arguments["case"]
        if asked.kind == "target":
            text = f"Target: {case.target_name}"
        else:
            new = [s.name for s in case.structures if s.name not in {b.name for b in before.structures}]
            text = f"Structures added: {', '.join(new)}"
        if self._may_edit():
            self._show_case(case)
            self._record(text, before=(before, self._plan))

    def _show_case(self, case: Case) -> None:
        """Put another state of the same patient in place: the plan and its history stay."""
        self._errands.held.cases.add(case.digest())
        self._case = case
        self._rules = None
        self._refresh_key()
        self._look_for_result()
        self._make_meshes()
        self.case_changed.emit()
        self.result_changed.emit()

    def _make_meshes(self) -> None:
        self.meshes = None
        self._meshing = None
        if self._case is not None:
            self._meshing = self._errands.ask("meshes", case=self._case)
        self.meshes_changed.emit()

    def _keep_result(self, result: ThermalResult, assessment: Assessment) -> None:
        self._errands.held.results.add(result.key)
        for old in self._results.keep((result, assessment)):
            self._errands.held.results.discard(old)
        # A late answer is kept for undo, but only the answer to the plan on screen may be shown.
        if result.key == self._key and self._case is not None:
            self._results.look_up(self._key)
            self.result_changed.emit()

    def _need_probes(self) -> bool:
        if self._need_case() and not self._plan.probes:
            self._fail(CryoplanError("The plan has no probe.", "Place one first: press P.", code="no-probes"))
        return self._case is not None and bool(self._plan.probes)
