"""Workspace: the only mutable truth of the window; opens cases, asks for long work, takes what comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan import workflow
from cryoplan.app.answered_case import AnsweredCase
from cryoplan.app.before import Before
from cryoplan.app.exporting import KINDS as EXPORTS
from cryoplan.app.exporting import Exporting
from cryoplan.app.jobs import Asked, Failure
from cryoplan.app.known_roles import KnownRoles
from cryoplan.app.proposed import Proposed
from cryoplan.app.second import CANCELLED, SecondShown
from cryoplan.app.state import BUSY_TEXT
from cryoplan.app.worker import Worker
from cryoplan.case.case import Case
from cryoplan.case.reviews import reviews_of, with_reviews
from cryoplan.case.store import Memory
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Finding
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel
from cryoplan.scene.meshes import CaseMeshes
from cryoplan.simulation.result import Frame


class Workspace(AnsweredCase):
    """Case, plan and result, and what the background process is doing with them.

    Panels get it in their constructor, read it when a signal comes, and write through its methods only.

    Signals
    -------
    case_changed
        Another patient, or other structures; ask what.
    consent_needed : dict, tuple of Finding
        What `open_image` was given, and what the user has to agree to before the scan is read.
    meshes_changed
        The surfaces of the 3D view are ready, or gone with their case.
    plan_changed, result_changed, state_changed
        See `AnsweredCase`.
    message, failed, file_changed, limits_changed
        See `EditedCase`.
    shape_solved : ProbeModel, GelShape or None
        A probe was frozen in gel for the catalogue; None when it was not to be.
    verified : Verification
        What the check of the solver found.
    """

    case_changed = Signal()
    consent_needed = Signal(object, object)
    meshes_changed = Signal()
    verified = Signal(object)
    shape_solved = Signal(object, object)

    def __init__(self, worker: Worker | None = None, parent: QObject | None = None) -> None:
        super().__init__(worker, parent)
        self._errands.done.connect(self._done)
        self._errands.failed.connect(self._not_done)
        self._errands.cancelled.connect(self._gave_up)
        self.live.rested.connect(self._solve_by_itself)
        self._meshing: Asked | None = None
        self.meshes: CaseMeshes | None = None
        # Asked before another case takes the place of this one; the window puts its question here.
        self.may_leave: Callable[[], bool] = lambda: True
        self.may_replace: Callable[[Case], bool] = lambda _case: True
        self._to_look_at: set[Path] = set()
        self.exporting = Exporting(self)
        self.second = SecondShown(self)
        self.second_changed.connect(self.second.follow)
        self.proposed = Proposed(self)
        self.before = Before(self)

    # The case ---------------------------------------------------------------------------------------

    def set_case(
        self,
        case: Case | None,
        plan: Plan | None = None,
        *,
        file: Path | None = None,
        read_only: bool = False,
        memory: Memory | None = None,
    ) -> None:
        """Show another patient, in a new case file or in the one that it was read from with `memory`."""
        self.finish_strokes()
        self._errands.stop("solve", "converge", "meshes")  # what is to be printed is still wanted
        self._solving = self._by_itself = None
        self._recall.forget()
        self._travel.forget()
        self.live.forget()
        self.before.forget()
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
            attached = self.keeper.attach(file, case, self._plan, read_only=read_only, memory=memory)
            self.saver.watch(attached)
        self._refresh_key()
        self._followed = self._key  # a plan that is opened is not in hand
        self._make_meshes()
        self.case_changed.emit()
        self.plan_changed.emit()
        self.result_changed.emit()
        self._told()

    def new_case(self) -> None:
        """Close the case."""
        self.set_case(None)

    def open_image(
        self,
        path: Path,
        series_uid: str | None = None,
        structures: Sequence[Path] = (),
        accept: Sequence[str] = (),
    ) -> None:
        """Read a scan in the background and show it as a new case; `accept` holds codes agreed to."""
        self._errands.ask(
            "load", path=path, series_uid=series_uid, structures=tuple(structures), accept=tuple(accept)
        )

    def add_structures(self, path: Path, mesh_axes: str = "") -> None:
        """Read structures in the background and add them to the case; a mesh may need its axes stated."""
        if self.need_case():
            self._errands.ask("structures", case=self._case, path=path, mesh_axes=mesh_axes)

    def add_outlines(self, structures: Sequence[Structure], findings: Sequence[Finding]) -> bool:
        """Add outlines of another program that the user accepted, as one step; tell whether they are in."""
        self.finish_strokes()
        before = self._case
        if before is None or not self._may_edit():
            return False
        try:
            case = workflow.add_outlines(before, structures, findings)
        except CryoplanError as error:
            self._fail(error)
            return False
        new = [s.name for s in case.structures[len(before.structures) :]]
        self._show_case(case)
        self._record(f"Structures added: {', '.join(new)}", before=(before, self._plan))
        return True

    def set_roles(self, roles: Mapping[str, Role]) -> bool:
        """Take the user's word for what structures are, as one step; tell whether it was taken.

        The answers are remembered for their names, and `message` says so where they cannot be.

        Raises
        ------
        StructureError
            If two structures would be the body; nothing is changed.
        """
        self.finish_strokes()
        before = self._case
        if before is None or not roles or not self._may_edit():
            return False
        case = workflow.with_roles(before, roles)
        told = [f"{name} is {role.value}" for name, role in roles.items()]
        self._show_case(case)
        self._record(f"Roles: {', '.join(told)}", before=(before, self._plan))
        if not KnownRoles().remember(roles):
            self.message.emit("The roles could not be remembered for other cases")
        return True

    def set_target(self, name: str) -> None:
        """Choose the tumour that margins are measured on."""
        self.finish_strokes()
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
        self.saver.when_left(path, partial(self._errands.ask, "open", path=path))

    def save_case_file(self, path: Path) -> None:
        """Give the case file a place in the background; a current result goes with it."""
        if self.need_case():
            self.saver.save(path)

    # Long work --------------------------------------------------------------------------------------

    def request_simulation(self) -> None:
        """Solve the plan in the background; the newest request wins."""
        if not self._need_probes():
            return
        if workflow.catalogue().digest() != self.catalogue.digest():
            self.look_at_catalogue()
        self._recall.give_up()
        self.live.settle()
        self._stop_solving()
        self._solving = self._errands.ask("solve", case=self._case, plan=self._plan, settings=self.settings)
        self._told()

    @Slot()
    def _solve_by_itself(self) -> None:
        """Solve the plan that the hand has let go of; what is wrong with it stands in the window."""
        if self._case is None or not self._plan.probes or self.is_current or self._recall.is_under_way:
            return
        if self._solving is None:
            self._by_itself = self._solving = self._errands.ask(
                "solve", case=self._case, plan=self._plan, settings=self.settings
            )
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

    def request_shape(self, model: ProbeModel) -> None:
        """Freeze a probe in gel in the background, in place of any other; `shape_solved` tells the answer."""
        self._errands.stop("shape")
        self._errands.ask("shape", model=model)

    def cancel(self) -> None:
        """Stop what the user asked for; the surfaces of the 3D view are still made."""
        if self._recall.give_up():
            self.message.emit("Cancelled")
        self.live.settle()
        self._errands.stop(*(BUSY_TEXT.keys() - {"meshes"}))

    def export_pdf(self, path: Path) -> None:
        """Print the plan PDF in the background; see `Exporting.print_plan`."""
        self.exporting.print_plan(path)

    def ask_background(self, kind: str, **arguments: object) -> None:
        """Ask the background process for something whose answer another part of the window takes."""
        self._errands.ask(kind, **arguments)

    def close(self) -> bool:
        """End the background process and free the case file; tell whether all steps are on the disk."""
        self.finish_strokes()
        self._recall.forget()
        self._errands.close()
        return self.saver.close()

    @Slot(object)
    def _gave_up(self, asked: Asked) -> None:
        if asked.kind == "preview":
            self.live.gave_up(asked)
            return
        if asked is self._solving:
            self._solving = self._by_itself = None
        elif asked.kind in ("solve", "recall"):
            return  # nobody waits for it any more
        elif asked.kind == "shape":
            self.shape_solved.emit(asked.arguments["model"], None)
            return
        if asked.kind == "second-again":
            self.second.give_up(asked, CANCELLED)
        self.proposed.give_up(asked)
        if asked.kind != "meshes":
            self.message.emit("Cancelled")

    @Slot(object, object)
    def _not_done(self, asked: Asked, failure: Failure) -> None:
        if asked.kind == "recall":
            if self._recall.ends(asked):
                self._missed(failure)
            return
        if asked.kind == "preview":
            self.live.not_done(asked, failure)
            return
        newest, by_itself = asked is self._solving, asked is self._by_itself
        if newest:
            self._solving = self._by_itself = None
        if newest and by_itself and not failure.details:
            self.live.refuse(failure)
            return
        if (asked.kind == "solve" and not newest) or (asked.kind == "meshes" and asked is not self._meshing):
            return  # of a plan or a case that is not shown any more
        if asked.kind in ("load", "second") and failure.to_agree:
            self.consent_needed.emit(asked.arguments, failure.to_agree)
            return
        if asked.kind == "second-again":
            self.second.give_up(asked, failure)
            return
        self.proposed.give_up(asked)
        if asked.kind == "shape":
            self.shape_solved.emit(asked.arguments["model"], None)
        self.failed.emit(failure)

    @Slot(object, object, object)
    def _done(self, asked: Asked, value: Any, frames: list[Frame]) -> None:
        kind = asked.kind
        if kind == "preview":
            self.live.take(asked, value)
            return
        if asked is self._solving:
            self._solving = self._by_itself = None
        if kind == "load" and not self.may_replace(value):
            self.message.emit("The image was not opened; the case is as it was")
            return
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
            if not self._recall.ends(asked):
                return
            if value[0].key != self._key:
                self._follow()
            else:
                self._keep_result(*value)
                self.saver.take(value[0], asked.arguments["case"], asked.arguments["plan"], is_stored=True)
        elif kind == "converge":
            self._checked = value
            if self.convergence is None:
                self.message.emit("The grid was checked for a plan that has changed since. Please repeat it.")
        elif kind == "verify":
            self.verified.emit(value)
        elif kind == "shape":
            self.shape_solved.emit(asked.arguments["model"], value)
        elif kind == "meshes":
            if asked is self._meshing:
                self.meshes = value
                self.meshes_changed.emit()
        elif kind == "load":
            self._errands.held.took(value)
            self.set_case(value)
            self.message.emit("Scan loaded")
        elif kind == "demo":
            self._errands.held.took(value[0])
            self.set_case(*value)
        elif kind in ("structures", "target"):
            if asked.arguments["case"] is self._case:
                self._edit_case(asked, value)
            else:
                what = "structures were not added" if kind == "structures" else "target was not chosen"
                self.message.emit(f"The {what}, because the case changed meanwhile. Please repeat it.")
        elif kind == "propose":
            self.proposed.take(asked, value)
        elif kind in ("second", "second-again"):
            self.second.take(asked, value)
        elif kind == "open":
            self._errands.held.took(value.case)
            if value.result is not None:  # the grid it was solved on, else it would not be the answer
                self._settings = value.result.settings
            path, memory = asked.arguments["path"], value.memory
            only = path in self._to_look_at
            self.set_case(value.case, value.plan, file=path, read_only=only, memory=memory)
            if value.result is not None:
                self._keep_result(value.result, value.assessment)
                self.saver.take(value.result, value.case, value.plan, is_stored=True)
            for finding in value.findings:
                self.message.emit(finding.text)
        elif kind in EXPORTS:
            self.exporting.take(asked, value)
        else:
            raise ValueError(f"nothing is known of work of the kind {kind}")

    def _edit_case(self, asked: Asked, case: Case) -> None:
        """Take structures or a target that were chosen as one step of the history."""
        before = asked.arguments["case"]
        if asked.kind == "target":
            text = f"Target: {case.target_name}"
        else:
            new = [s.name for s in case.structures if s.name not in {b.name for b in before.structures}]
            text = f"Structures added: {', '.join(new)}"
        if self._may_edit():
            # The background process knows a case without its second image and its reviews.
            self._errands.held.took(case)
            self._show_case(with_reviews(case.changed(second=before.second), reviews_of(before)))
            self._record(text, before=(before, self._plan))

    def _show_case(self, case: Case) -> None:
        """Put another state of the same patient in place: the plan and its history stay."""
        self._case = case
        self._rules = None
        self._refresh_key()
        self._followed = self._key  # of a case that is drawn on nothing is solved before it is asked for
        self.live.drop()
        self._look_for_result()
        self._make_meshes(self.meshes)  # those of the last state are seen until these are made
        self.case_changed.emit()
        self.result_changed.emit()

    def _make_meshes(self, meanwhile: CaseMeshes | None = None) -> None:
        self.meshes = meanwhile
        self._meshing = None
        self._errands.stop("meshes")
        if self._case is not None:
            self._meshing = self._errands.ask("meshes", case=self._case)
        self.meshes_changed.emit()
