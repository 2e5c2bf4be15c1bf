"""How sure: what each step adds to the uncertainty of the margins, and the check of this very plan."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from cryoplan import workflow
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_degc, show_mm
from cryoplan.gui.numbers import LARGE_THRESHOLDS_DEGC, Shown, short_sure, sure_words
from cryoplan.gui.parts import STALE, Text
from cryoplan.gui.rows import Rows
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.uncertainty import NOT_IN_IT

ENERGY_BOUND = 1e-3
"""A balance that is off by more than this is no balance; the solver's own check warns long before."""


class SureSection(Section):
    """Shares of the uncertainty, the energy balance, and the check on another grid."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("How sure")
        self._workspace = workspace
        self.sums = Text("", wrap=True)
        self.add(self.sums)
        self.rows = Rows(value_px=72, limit_px=0)
        self.add(self.rows)
        self.rest = Text(NOT_IN_IT, "muted", wrap=True, scale=0.93)
        self.add(self.rest)
        self.energy = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.energy)
        self.check = QPushButton(say("Check this plan on another grid"))
        self.check.setAccessibleName(say("Check how much another grid changes this plan"))
        self.check.setToolTip(
            say(
                "Solves this plan on another grid and with half the step, and tells what that changes. Takes "
                "about as long as a solve on the finer of both grids."
            )
        )
        self.check.clicked.connect(workspace.request_convergence)
        self.add(self.check)
        self.checked = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.checked)

    def refresh(self, assessment: Assessment | None, stale: bool) -> None:
        """Show how sure the margins of the result on screen are."""
        workspace = self._workspace
        case, result, report = workspace.case, workspace.result, workspace.convergence
        self.setVisible(assessment is not None and bool(assessment.margins))
        if case is None or result is None or assessment is None:
            return
        tone = STALE if stale else "text"
        lines: list[str] = []
        sums: list[str] = []
        shown: list[Shown] = []
        for threshold in LARGE_THRESHOLDS_DEGC:
            margin = assessment.margin(threshold)
            found = None if margin is None else workflow.margin_uncertainty(case, margin, result, report)
            if margin is None or found is None:
                continue
            lines.append(f"{show_degc(threshold)}: {sure_words(margin, found)}")
            sums.append(short_sure(margin, found))
            if not shown:
                shown = [Shown(name=s.name, value=show_mm(s.mm), tip=s.why) for s in found.shares]
        self.say(sums[0] if sums else "", STALE if stale else "muted")
        self.sums.say("\n".join(lines) or "No ice, so there is no margin to be sure of.", tone)
        self.rows.show_all(shown, stale)
        residual = result.ledger.residual
        mark, of_energy = ("✓", "muted") if residual < ENERGY_BOUND else ("!", "warn")
        self.energy.say(
            f"{mark} Energy balance of this solve: off by {residual:.1g} of the heat that was moved.",
            STALE if stale else of_energy,
        )
        self.check.setEnabled(not stale and not workspace.is_busy)
        self.checked.setVisible(report is not None or workspace.is_checking)
        if workspace.is_checking:
            self.checked.say("Checking... see the status line; it can be cancelled there.", "accent")
        elif report is not None:
            mark, of_check = ("✓", "ok") if report.is_converged else ("!", "warn")
            self.checked.say(f"{mark} {report.sentence}", STALE if stale else of_check)
