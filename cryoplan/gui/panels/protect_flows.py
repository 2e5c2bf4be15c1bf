"""Flows: the speed of the blood in each vessel, by its name or as the plan says, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QGridLayout, QToolButton, QWidget

from cryoplan.app.workspace import Workspace
from cryoplan.case.structure import Role
from cryoplan.gui.gesture import attempt
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Name, Text
from cryoplan.gui.words import say
from cryoplan.plan.edit_warmers import set_flow
from cryoplan.plan.warmer import FASTEST_M_S
from cryoplan.simulation.conditions import load_conditions

NOTE = (
    "Mean speed of the blood; 0 where it is clamped or closed by a balloon. The width is measured. "
    "Below 3 mm a vessel is part of the perfusion."
)
NONE = "No vessel is outlined."


class FlowRows(QWidget):
    """One line for each vessel."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.rows: dict[str, FlowRow] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(5)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self.note = Text(NOTE, "muted", wrap=True, scale=0.93)

    def refresh(self) -> None:
        """Show the vessels of the case."""
        case, plan = self._workspace.case, self._workspace.plan
        names = [s.name for s in case.structures if s.role is Role.VESSEL] if case is not None else []
        if list(self.rows) != names or self._grid.indexOf(self.note) < 0:
            self._lay_out(names)
        result = self._workspace.result
        said = {f.place: f.text for f in result.findings if f.code == "vessel-wall"} if result else {}
        stale = not self._workspace.is_current
        given = {f.structure: f.speed_m_s for f in plan.flows}
        may_edit = self._workspace.keeper.may_edit
        for name, row in self.rows.items():
            row.show_flow(given.get(name), may_edit=may_edit, solved=said.get(name, ""), stale=stale)
        self.note.say(NOTE if names else NONE)

    def _lay_out(self, names: list[str]) -> None:
        for row in self.rows.values():
            row.leave(self._grid)
        self._grid.removeWidget(self.note)
        self.rows = {name: FlowRow(self._workspace, name, self._grid, n) for n, name in enumerate(names)}
        self._grid.addWidget(self.note, len(names), 0, 1, 3)


class FlowRow:
    """One vessel."""

    def __init__(self, workspace: Workspace, name: str, grid: QGridLayout, line: int) -> None:
        self._workspace, self._vessel = workspace, name
        kind = load_conditions().vessel_kind(name)
        self._usual = kind.speed
        self._title = kind.title
        self.name = Name(name)
        self.speed = NumberBox(
            f"Speed of the blood in {name}", " m/s", lowest=0.0, highest=FASTEST_M_S, step=0.05, digits=2
        )
        self.reset = QToolButton()
        self.reset.setText("\N{ANTICLOCKWISE OPEN CIRCLE ARROW}")
        self.reset.setFixedWidth(26)
        self.reset.setStyleSheet("padding: 3px 4px;")
        self.reset.setAccessibleName(say(f"Blood in {name} flows as its name says"))
        self.reset.setToolTip(say(f"As its name says: {self._usual.value:g} m/s"))
        self.parts: tuple[QWidget, ...] = (self.name, self.speed, self.reset)
        for column, part in enumerate(self.parts):
            grid.addWidget(part, line, column)
        self.speed.valueChanged.connect(self._change)
        self.reset.clicked.connect(self._go_back)

    def leave(self, grid: QGridLayout) -> None:
        """Take the line out."""
        for part in self.parts:
            grid.removeWidget(part)
            part.hide()
            part.deleteLater()

    def show_flow(self, given: float | None, *, may_edit: bool, solved: str, stale: bool) -> None:
        """Show the speed of the plan, or that of the name."""
        usual = self._usual
        self.speed.show_value(usual.value if given is None else given)
        tip = f"Taken for: {self._title}; {usual.value:g} m/s: {usual.source} ({usual.how})"
        if solved:
            tip += f"\n{'Before the last change: ' if stale else ''}{solved}"
        self.name.say(self._vessel, "text" if given is None else "accent", tip)
        self.speed.setToolTip(say(tip))
        self.speed.setEnabled(may_edit)
        self.reset.setEnabled(may_edit and given is not None)

    @Slot()
    def _change(self) -> None:
        value = self.speed.value()
        attempt(self._workspace, lambda plan: set_flow(plan, self._vessel, value))

    @Slot()
    def _go_back(self) -> None:
        attempt(self._workspace, lambda plan: set_flow(plan, self._vessel, None))
