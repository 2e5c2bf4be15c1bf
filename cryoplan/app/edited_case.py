"""EditedCase: the case and the plan on screen, and every way to change them that is a step of the history."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan import workflow
from cryoplan.app.jobs import Failure
from cryoplan.app.keeper import Keeper
from cryoplan.app.steps import State as CaseState
from cryoplan.app.steps import Step
from cryoplan.app.travel import Travel
from cryoplan.case.case import Case
from cryoplan.case.listed import renamed, without
from cryoplan.case.own_limits import Judged
from cryoplan.case.reviews import reviews_of, with_reviewed
from cryoplan.case.second_image import SecondImage
from cryoplan.core.errors import CryoplanError
from cryoplan.margins.limits import Limits
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.edit_warmers import rename_structure
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.plan import Plan
from cryoplan.workflow.other_plans import follow_renamed_structure


class EditedCase(QObject):
    """Case and plan, kept in the case file with each edit; `Workspace` adds what is worked out from them.

    Signals
    -------
    message : str
        One line for the status bar.
    failed : Failure
        Something did not work.
    limits_changed
        The case is judged by other limits, or other sides of the target are left out.
    file_changed
        The case file, its history, its status, or whether all is saved: see `Keeper.kept`.
    second_changed
        The case has another second image, or none any more; everything else is as it was.
    reviews_changed
        Another structure is reviewed, or one not any more; everything else is as it was.
    """

    message = Signal(str)
    failed = Signal(object)
    file_changed = Signal()
    limits_changed = Signal()
    second_changed = Signal()
    reviews_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.catalogue: Catalogue = workflow.catalogue()
        self.keeper = Keeper(self)
        self.keeper.changed.connect(self.file_changed)
        self._travel = Travel(self)
        self._travel.arrived.connect(self._arrive)
        self._travel.failed.connect(self._fail)
        self._case: Case | None = None
        self._plan = Plan()
        # Strokes that are drawn but not yet steps; whatever comes next goes on from them.
        self.finish_strokes: Callable[[], None] = lambda: None

    @property
    def case(self) -> Case | None:
        """The patient, None before one is opened."""
        return self._case

    @property
    def plan(self) -> Plan:
        """The plan as it stands."""
        return self._plan

    @property
    def limits(self) -> Limits:
        """What the case is judged by: the ordinary limits, its own in place of some."""
        return workflow.limits_of(self._case)

    def edit(self, text: str, new_plan: Plan, *, gesture: str | None = None) -> None:
        """Put `new_plan` in place as one step of the history; steps of one `gesture` become one."""
        if new_plan == self._plan:
            return
        self.finish_strokes()
        if not self._may_edit():
            return
        before = self._plan
        self._set_plan(new_plan)
        if self._case is not None:
            self._record(text, before=(self._case, before), gesture=gesture)

    def take_case(self, text: str, case: Case) -> bool:
        """Put `case` (the present one with a structure drawn anew) in place as one step; tell whether it is.

        The disk is not waited for: the next stroke has begun already.
        """
        if self._case is None or not self._may_edit():
            return False
        before = self._case
        if reviews_of(before).keys() - reviews_of(case).keys():
            text = f"{text}; no longer reviewed"
        self._show_case(case)
        self._record(text, before=(before, self._plan), wait=False)
        return True

    def take_plan(self, text: str, case: Case, plan: Plan) -> bool:
        """Put another plan of the case in place, `case` with the plans beside it; tell whether it is.

        Its ice comes back with it if it was solved before: results are kept by what was solved.
        """
        self.finish_strokes()
        if self._case is None or not self._may_edit():
            return False
        before = (self._case, self._plan)
        self._case = case
        if plan != self._plan:
            self._set_plan(plan)
        self._record(text, before=before)
        return True

    def rename_structure(self, old: str, new: str) -> bool:
        """Give a structure another name, as one step; tell whether it has it.

        Raises
        ------
        StructureError
            If there is no such structure, or the new name is empty or another structure's.
        """
        self.finish_strokes()
        before = self._case
        if before is None:
            return False
        case = renamed(before, old, new)
        if case is before:
            return True
        name = next(s.name for s in case.structures if s.name not in {b.name for b in before.structures})
        case = follow_renamed_structure(case, old, name)
        plan = rename_structure(self._plan, old, name)
        return self._put_list(f"Structure renamed: {old} to {name}", case, plan)

    def delete_structure(self, name: str) -> bool:
        """Take a structure out of the case, with its limits, as one step; tell whether it is gone.

        Raises
        ------
        StructureError
            If there is no such structure.
        """
        self.finish_strokes()
        before = self._case
        if before is None:
            return False
        case = without(before, name)
        text = f"Structure deleted: {name}"
        if len(case.limits) < len(before.limits):
            text += " and its limits"
        if case.target_name != before.target_name:
            text += f"; target: {case.target_name or 'none'}"
        if not self._put_list(text, case):
            return False
        self.message.emit(f"{text}. Ctrl+Z brings it back.")
        return True

    def _put_list(self, text: str, case: Case, plan: Plan | None = None) -> bool:
        before, plan_before = self._case, self._plan
        if before is None or not self._may_edit():
            return False
        self._show_case(case)
        if plan is not None and plan != plan_before:
            self._set_plan(plan)
        self._record(text, before=(before, plan_before))
        return True

    def set_reviewed(self, name: str, is_reviewed: bool) -> bool:
        """Note that a structure was looked at and is right, or take that back, as one step; tell whether so.

        Raises
        ------
        StructureError
            If there is no structure of that name.
        """
        self.finish_strokes()
        before = self._case
        if before is None:
            return False
        case = with_reviewed(before, name, is_reviewed)
        if case is before:
            return True
        if not self._may_edit():
            return False
        self._case = case
        self._record(f"{name}: {'reviewed' if is_reviewed else 'not reviewed'}", before=(before, self._plan))
        self.reviews_changed.emit()
        return True

    def may_edit(self) -> bool:
        """Tell whether the case may be changed now; where it may not, say why."""
        return self._case is not None and self._may_edit()

    def _record(self, text: str, before: CaseState, gesture: str | None = None, *, wait: bool = True) -> None:
        assert self._case is not None
        step = Step(text=text, case=self._case, plan=self._plan, before=before, gesture=gesture)
        self.keeper.record(step, describe=describe_change, wait=wait)

    def _may_edit(self) -> bool:
        if self._travel.is_under_way:
            self.message.emit("One moment: the last step is still on its way")
            return False
        try:
            self.keeper.require_writable()
        except CryoplanError as error:
            self._fail(error)
            return False
        return True

    def undo(self) -> None:
        """Take the last step back, of the plan or the structures, also after the case was opened again."""
        self.finish_strokes()
        if self.keeper.can_undo and self._may_edit():
            self._travel.go(self.keeper.undo())

    def redo(self) -> None:
        """Make the step again that was taken back last."""
        self.finish_strokes()
        if self.keeper.can_redo and self._may_edit():
            self._travel.go(self.keeper.redo())

    def go_to(self, state: int) -> None:
        """Go back or on to any step of the history."""
        self.finish_strokes()
        if self._may_edit():
            self._travel.go(self.keeper.go_to(state))

    @Slot(object, object)
    def _arrive(self, case: Case, plan: Plan) -> None:
        if self._case is not None and case.digest() == self._case.digest() and _as_sure(case, self._case):
            other = case.second != self._case.second
            seen = reviews_of(case) != reviews_of(self._case)
            self._judge_by(case)
            if other:
                self.second_changed.emit()
            if seen:
                self.reviews_changed.emit()
        else:
            self._show_case(case)
        self._set_plan(plan)

    def edit_second(self, text: str, second: SecondImage | None) -> None:
        """Put a second image in place, or none, as one step of the history; no temperature depends on it."""
        if self._case is None or not self._may_edit():
            return
        before = self._case
        self._case = before.changed(second=second)
        self._record(text, before=(before, self._plan))
        self.second_changed.emit()

    def write_notes(self, notes: str) -> None:
        """Keep what the user wrote about the case, as one step of the history."""
        self.finish_strokes()
        if self._case is None or notes == self.keeper.kept.notes or not self._may_edit():
            return
        here = (self._case, self._plan)
        step = Step(text="Notes changed", case=here[0], plan=here[1], before=here, words={"notes": notes})
        self.keeper.record(step, describe=describe_change)

    def set_limit(self, judged: Judged, warn: float | None, fail: float | None) -> bool:
        """Judge a number of this case by another limit, as one step; tell whether it is judged so now.

        Raises
        ------
        LimitError
            If the values cannot be meant, see `cryoplan.margins.case_limits.with_limit`; nothing is changed.
        """
        self.finish_strokes()
        if self._case is None:
            return False
        return self._change_limit(judged, workflow.with_limit(self._case, judged, warn, fail))

    def reset_limit(self, judged: Judged) -> bool:
        """Judge a number of this case by the ordinary limit again, as one step."""
        self.finish_strokes()
        if self._case is None:
            return False
        return self._change_limit(judged, workflow.without_limit(self._case, judged))

    def _change_limit(self, judged: Judged, case: Case) -> bool:
        before = self._case
        assert before is not None
        if case.limits == before.limits:
            return True
        if not self._may_edit():
            return False
        text = workflow.describe_limit(before, case, judged)
        self._judge_by(case)
        self._record(text, before=(before, self._plan))
        return True

    def leave_out(self, structure: str, within_mm: float | None) -> bool:
        """Leave the side of a structure out of the margins within a distance, or not any more, as one step.

        Raises
        ------
        StructureError, LimitError
            See `cryoplan.margins.case_sides.with_side`; nothing is changed.
        """
        self.finish_strokes()
        before = self._case
        if before is None:
            return False
        case = workflow.with_side(before, structure, within_mm)
        if case.left_out == before.left_out:
            return True
        if not self._may_edit():
            return False
        self._judge_by(case)
        self._record(workflow.describe_sides(before, case), before=(before, self._plan))
        return True

    def _judge_by(self, case: Case) -> None:
        """Put the same case in place, perhaps judged in another way."""
        before, self._case = self._case, case
        if before is None or before.judged_by != case.judged_by:
            self.limits_changed.emit()

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

    # What follows from another state, in the class that knows ------------------------------------------

    @abstractmethod
    def _set_plan(self, plan: Plan) -> None:
        """Put a plan in place."""

    @abstractmethod
    def _show_case(self, case: Case) -> None:
        """Put another state of the same patient in place: the plan and its history stay."""

    def need_case(self) -> bool:
        """Tell whether a case is open, and say so where none is."""
        self.finish_strokes()
        if self._case is None:
            self._fail(CryoplanError("No case is open.", "Open a scan first.", code="no-case"))
            return False
        return True

    def _need_probes(self) -> bool:
        if self.need_case() and not self._plan.probes:
            self._fail(CryoplanError("The plan has no probe.", "Place one first: press P.", code="no-probes"))
        return self._case is not None and bool(self._plan.probes)

    def _fail(self, error: CryoplanError) -> None:
        self.failed.emit(Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place))


def _as_sure(a: Case, b: Case) -> bool:
    """Tell whether the same roles are guessed in both; a guess that was confirmed changes no temperature."""
    return {s.name for s in a.structures if s.role_is_guess} == {
        s.name for s in b.structures if s.role_is_guess
    }
