"""Protection: pockets, warmers, the flow of vessels, and what they changed, in the Review step."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.panels.protect_flows import FlowRows
from cryoplan.gui.panels.protect_pocket import PocketBox
from cryoplan.gui.panels.protect_warmers import WarmerRows
from cryoplan.gui.panels.review_compare import CompareBox
from cryoplan.gui.section import Section


class ProtectSections(QWidget):
    """Four sections that open and close; each tells its gist while it is closed."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace = workspace
        self.pocket = PocketBox(workspace, view)
        self.warmers = WarmerRows(workspace, view)
        self.flows = FlowRows(workspace)
        self.compare = CompareBox(workspace, view)
        self.sections = {
            "pocket": Section("Fluid and gas pockets"),
            "warmers": Section("Warmers"),
            "flows": Section("Flow in vessels"),
            "compare": Section("Compare with before"),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for section, body in zip(
            self.sections.values(), (self.pocket, self.warmers, self.flows, self.compare), strict=True
        ):
            section.add(body)
            column.addWidget(section)
        workspace.before.changed.connect(self._gists)

    def refresh(self) -> None:
        """Show the case and the plan as they are."""
        self.setVisible(self._workspace.case is not None)
        for part in (self.pocket, self.warmers, self.flows, self.compare):
            part.refresh()
        self._gists()

    def _gists(self) -> None:
        plan, before = self._workspace.plan, self._workspace.before
        on = sum(w.is_on for w in plan.warmers)
        self.sections["pocket"].say(self.pocket.gist)
        self.sections["warmers"].say(f"{on} on" if on else "none")
        self.sections["flows"].say(f"{len(plan.flows)} set" if plan.flows else "by name")
        self.sections["compare"].say("kept" if before.result is not None else "")
