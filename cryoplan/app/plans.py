"""Plans: takes up another plan of the case, copies, renames and deletes; each is a step of the history."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from cryoplan.app.jobs import Failure
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import PlanError
from cryoplan.workflow import other_plans


class Plans(QObject):
    """The plans of the case that is shown."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace

    def names(self) -> tuple[str, ...]:
        """Return the names of all plans of the case in order, none without a case."""
        case = self._workspace.case
        return () if case is None else other_plans.plan_names(case, self._workspace.plan)

    @Slot()
    def copy(self) -> None:
        """Keep the plan and go on with a copy of it."""
        case, plan = self._workspace.case, self._workspace.plan
        if case is None:
            return
        try:
            case, made = other_plans.keep_and_copy(case, plan)
        except PlanError as error:
            self._tell(error)
            return
        self._workspace.take_plan(f"Plan {plan.name} kept; {made.name} is a copy of it", case, made)

    def take_up(self, name: str) -> None:
        """Go on with another plan; the one that was worked on is kept."""
        workspace = self._workspace
        if workspace.case is None:
            return
        try:
            case, plan = other_plans.take_up(workspace.case, workspace.plan, name, workspace.catalogue)
        except PlanError as error:
            self._tell(error)
            return
        workspace.take_plan(f"Plan {name} taken up; {workspace.plan.name} kept", case, plan)

    def rename(self, name: str) -> None:
        """Give the plan that is worked on another name."""
        workspace = self._workspace
        if workspace.case is None:
            return
        before = workspace.plan.name
        try:
            plan = other_plans.rename_plan(workspace.case, workspace.plan, name)
        except PlanError as error:
            self._tell(error)
            return
        workspace.edit(f"Plan {before} renamed to {plan.name}", plan)

    def delete(self, name: str) -> None:
        """Delete a plan that is kept beside the one that is worked on."""
        workspace = self._workspace
        if workspace.case is not None:
            case = other_plans.forget_plan(workspace.case, name)
            workspace.take_plan(f"Plan {name} deleted", case, workspace.plan)

    def _tell(self, error: PlanError) -> None:
        self._workspace.failed.emit(
            Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place)
        )
