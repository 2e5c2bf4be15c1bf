"""Approval: who approves exactly which plan and numbers, and the other states of a case."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

from cryoplan import workflow
from cryoplan.app.asking import Asking
from cryoplan.app.workspace import Workspace
from cryoplan.case.history import Status
from cryoplan.core.errors import StoreError
from cryoplan.core.units import show_degc, show_mm
from cryoplan.margins.assessment import Margin
from cryoplan.margins.case_limits import changed_limits
from cryoplan.plan.file import plan_to_json


class Approving(QObject):
    """Approves the case that is shown, through the thread that owns its file.

    Attributes
    ----------
    person : str
        Who approved last in this session.
    """

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._asking = Asking(workspace, self)
        self.person = ""

    @property
    def is_under_way(self) -> bool:
        """True while the file is at it."""
        return self._asking.is_under_way

    @property
    def refusal(self) -> str:
        """Why the plan cannot be approved now; empty when it can."""
        workspace = self._workspace
        kept = workspace.keeper.kept
        if workspace.case is None or kept.path is None:
            return "No case is open."
        if kept.read_only:
            return "The case is open for reading only."
        if not workspace.can_export:
            return "Only a plan whose result is current can be approved: solve first."
        if kept.trouble is not None:
            return "The last steps are not saved yet."
        return ""

    def words(self) -> tuple[str, ...]:
        """Return what is approved: plan, margins and what they leave out, own limits, probes; one line each.

        The result has to be current.
        """
        workspace = self._workspace
        plan, assessment = workspace.plan, workspace.assessment
        margins = "; ".join(map(_margin_words, assessment.margins)) if assessment is not None else ""
        limits = "; ".join(changed.words() for changed in changed_limits(workspace.case))
        left_out = "; ".join(s.words() for s in workspace.case.left_out) if workspace.case else ""
        by_model: dict[str, list[str]] = {}
        for probe in plan.probes:
            known = probe.model in workspace.catalogue
            name = workspace.catalogue[probe.model].name if known else probe.model
            by_model.setdefault(name, []).append(probe.name)
        probes = "; ".join(f"{', '.join(names)} ({model})" for model, names in by_model.items())
        return tuple(
            line
            for line in (
                f"Plan {plan.name} approved",
                f"Least margins: {margins}" if margins else "",
                f"Left out of the margins: {left_out}" if left_out else "",
                f"Judged by limits of this case: {limits}" if limits else "",
                f"Protocol: {plan.protocol.describe()}",
                f"Probes: {probes}",
            )
            if line
        )

    def approve(self, person: str) -> None:
        """Approve what is shown; the answer comes as another `Kept`, an error as `Workspace.failed`.

        Raises
        ------
        StoreError
            If it cannot be approved, see `refusal`, or nobody is named.
        """
        if self.refusal:
            raise StoreError(self.refusal, "Put that right, then approve it.", code="not-approvable")
        if not person.strip():
            raise StoreError("An approval needs a name.", "Say who approves.", code="approval-without-name")
        self.person = person.strip()
        case, plan, text = self._workspace.case, self._workspace.plan, ". ".join(self.words())
        assert case is not None

        def work(file: workflow.CaseFile) -> None:
            # Steps are written before this; still, nobody may approve what he has not seen.
            if plan_to_json(file.plan) != plan_to_json(plan) or not file.case.is_like(case):
                raise StoreError(
                    "The case in the file is not the one that was looked at, so it was not approved.",
                    "Look at it again, then approve it.",
                    code="approval-of-another-plan",
                )
            file.store.approve(person, text)

        self._ask(work)

    def mark(self, status: Status) -> None:
        """Say that the case is ready, treated, or a draft again; the latter withdraws an approval."""
        self._ask(lambda file: file.store.set_status(status.value))

    def _ask(self, work: Any) -> None:
        self._workspace.message.emit("Writing it into the case file ...")
        self._asking.watch(self._workspace.keeper.call(work))


def _margin_words(margin: Margin) -> str:
    value = "no ice" if margin.no_ice else show_mm(margin.minimum_mm, signed=True)
    return f"{show_degc(margin.threshold_degc)} {value}"
