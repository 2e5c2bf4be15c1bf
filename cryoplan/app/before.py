"""Before: a result that is kept to compare later ones of the same patient with."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.answered_case import AnsweredCase
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.compare import Change, LargestDifference, compare, largest_difference
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.plan import Plan
from cryoplan.simulation.result import ThermalResult


class Before(QObject):
    """The result that was put aside, with its plan and its judgement; never printed, gone with the patient.

    Signals
    -------
    changed
        Another result is kept, or none.
    """

    changed = Signal()

    def __init__(self, workspace: AnsweredCase) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.result: ThermalResult | None = None
        self.assessment: Assessment | None = None
        self._plan = Plan()
        self._structures: tuple[str, ...] = ()
        self._known: tuple[Assessment, tuple[Change, ...], LargestDifference | None] | None = None

    @Slot()
    def keep(self) -> bool:
        """Keep the current result; tell whether there is one."""
        workspace = self._workspace
        if not workspace.is_current or workspace.case is None:
            return False
        assert workspace.result is not None
        # The frames of a result are most of it, and are not compared.
        self.result, self.assessment = replace(workspace.result, frames=()), workspace.assessment
        self._plan = workspace.plan
        self._structures = tuple(s.name for s in workspace.case.structures)
        self._known = None
        self.changed.emit()
        return True

    @Slot()
    def forget(self) -> None:
        """Keep nothing any more."""
        if self.result is not None:
            self.result = self.assessment = self._known = None
            self.changed.emit()

    @property
    def is_other(self) -> bool:
        """True while a current result is on screen that is not the one that is kept."""
        workspace = self._workspace
        return (
            self.result is not None
            and workspace.is_current
            and workspace.result is not None
            and workspace.result.key != self.result.key
        )

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every number before and now; empty unless a current result can be compared."""
        return self._compared[1] if self._compared else ()

    @property
    def largest(self) -> LargestDifference | None:
        """Where the lowest temperature changed most."""
        return self._compared[2] if self._compared else None

    @property
    def words(self) -> str:
        """What is different in the plan and the structures since."""
        workspace = self._workspace
        if self.result is None or workspace.case is None:
            return ""
        names = [s.name for s in workspace.case.structures]
        parts = [describe_change(self._plan, workspace.plan)]
        parts += [f"{n} added" for n in names if n not in self._structures]
        parts += [f"{n} gone" for n in self._structures if n not in names]
        if workspace.result is not None and workspace.result.settings != self.result.settings:
            parts.append("another grid or skin")
        return "; ".join(filter(None, parts))

    @property
    def _compared(self) -> tuple[Assessment, tuple[Change, ...], LargestDifference | None] | None:
        after, result = self._workspace.assessment, self._workspace.result
        if not self.is_other or self.assessment is None or self.result is None:
            return None
        assert after is not None
        assert result is not None
        if self._known is None or self._known[0] is not after:
            largest = largest_difference(self.result.minimum_degc, result.minimum_degc)
            self._known = (after, compare(self.assessment, after), largest)
        return self._known
