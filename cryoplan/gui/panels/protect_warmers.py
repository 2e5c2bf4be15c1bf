"""Warmers: those of the plan, each with its numbers and a tick, and a button that adds one."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QGridLayout, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from cryoplan import workflow
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.structure import Role
from cryoplan.core.errors import CryoplanError
from cryoplan.core.sourced import Sourced
from cryoplan.gui.gesture import attempt
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Name, Text, indicator_style
from cryoplan.gui.words import say
from cryoplan.plan.edit_warmers import add_warmer, remove_warmer, set_warmer
from cryoplan.plan.warmer import (
    COLDEST_DEGC,
    LARGEST_COEFFICIENT,
    LARGEST_RADIUS_MM,
    LEAST_COEFFICIENT,
    LEAST_RADIUS_MM,
    WARMEST_DEGC,
    Warmer,
    WarmerKind,
)
from cryoplan.plan.warmer_kinds import load_warmers

WHAT = "On from before the first freeze to the end. Part of the plan: solve again after a change."

SUITED = {
    WarmerKind.URETHRAL: (Role.URETHRA, Role.FLUID),
    WarmerKind.PYELOPERFUSION: (Role.URETER, Role.FLUID),
    WarmerKind.BALLOON: (
        Role.FLUID,
        Role.BLADDER,
        Role.BOWEL,
        Role.STOMACH,
        Role.GALLBLADDER,
        Role.BILE_DUCT,
    ),
}
"""Roles that are offered first; of the others whatever is hollow enough is up to the user."""
SHORT = {
    WarmerKind.URETHRAL: "urethral warmer",
    WarmerKind.PYELOPERFUSION: "pyeloperfusion",
    WarmerKind.BALLOON: "warm fluid",
    WarmerKind.SKIN_BAG: "skin bag",
}
NEVER = (
    Role.BODY,
    Role.SKIN,
    Role.FAT,
    Role.MUSCLE,
    Role.BONE,
    Role.LUNG,
    Role.GAS,
    Role.TUMOUR,
    Role.VESSEL,
)


class WarmerRows(QWidget):
    """The warmers of the plan."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self.rows: list[WarmerRow] = []
        self.add = QPushButton(say("+ Warmer"))
        self.add.setAccessibleName(say("Add a warmer"))
        self.add.setToolTip(
            say("Urethral warmer, pyeloperfusion, irrigation or balloon, warm bag on the skin")
        )
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill_menu)
        self._menu.triggered.connect(self._add)
        self.add.setMenu(self._menu)
        self.said = Text("", "warn", wrap=True)
        self.said.hide()
        self.note = Text(WHAT, "muted", wrap=True, scale=0.93)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        for part in (self.add, self.said, self.note):
            self._column.addWidget(part)

    def refresh(self) -> None:
        """Show the warmers as they are."""
        plan, case = self._workspace.plan, self._workspace.case
        may_edit = case is not None and self._workspace.keeper.may_edit
        while len(self.rows) < len(plan.warmers):
            row = WarmerRow(self._workspace)
            self._column.insertWidget(len(self.rows), row)
            self.rows.append(row)
        while len(self.rows) > len(plan.warmers):
            row = self.rows.pop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        names = {s.name for s in case.structures} if case is not None else set()
        for row, warmer in zip(self.rows, plan.warmers, strict=True):
            is_lost = not warmer.kind.is_on_skin and warmer.structure not in names
            row.show_warmer(warmer, may_edit=may_edit, is_lost=is_lost)
        self.add.setEnabled(may_edit)
        self.note.setVisible(bool(plan.warmers))

    def fill_menu(self) -> None:
        """Offer each kind with the structures that it can run through."""
        self._menu.clear()
        case = self._workspace.case
        structures = case.structures if case is not None else ()
        for kind, usual in load_warmers().items():
            if kind.is_on_skin:
                action = QAction(say(f"{usual.title}, nearest to the crosshair"), self._menu)
                action.setData((kind.value, ""))
                self._menu.addAction(action)
                continue
            inside = self._menu.addMenu(say(usual.title))
            fitting = [s for s in structures if s.role not in NEVER]
            for structure in sorted(fitting, key=lambda s, k=kind: s.role not in SUITED[k]):
                action = QAction(structure.name, inside)
                action.setData((kind.value, structure.name))
                inside.addAction(action)
            inside.setEnabled(bool(fitting))

    @Slot(QAction)
    def _add(self, action: QAction) -> None:
        kind_value, structure = action.data()
        self.add_one(WarmerKind(kind_value), structure)

    def add_one(self, kind: WarmerKind, structure: str = "") -> None:
        """Add a warmer in a structure, or on the skin nearest to the crosshair."""
        workspace = self._workspace
        centre = None
        self.said.hide()
        if kind.is_on_skin and workspace.case is not None:
            try:
                centre = workflow.nearest_skin(workspace.case, self._view.cursor_mm)
            except CryoplanError as error:
                self.said.say(f"! {error.what} {error.remedy}", "warn")
                self.said.show()
                return
        attempt(workspace, lambda plan: add_warmer(plan, kind, structure=structure, centre_mm=centre))


class WarmerRow(QWidget):
    """One warmer."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace, self._name = workspace, ""
        self.tick = QCheckBox()
        self.tick.setStyleSheet(indicator_style())
        self.called = Name("", bold=True)
        self.remove = QToolButton()
        self.remove.setText("\N{MINUS SIGN}")
        self.remove.setFixedWidth(26)
        self.remove.setStyleSheet("padding: 3px 4px;")
        self.degc = NumberBox("", " °C", lowest=COLDEST_DEGC, highest=WARMEST_DEGC)
        self.coefficient = NumberBox(
            "", " W/m²K", lowest=LEAST_COEFFICIENT, highest=LARGEST_COEFFICIENT, step=50.0, digits=0
        )
        self.radius = NumberBox(
            "", " mm", lowest=LEAST_RADIUS_MM, highest=LARGEST_RADIUS_MM, step=5.0, digits=0
        )
        self.lost = Text("", "warn", wrap=True, scale=0.93)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 2, 0, 4)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(3)
        grid.addWidget(self.tick, 0, 0)
        grid.addWidget(self.called, 0, 1, 1, 3)
        grid.addWidget(self.remove, 0, 4)
        grid.addWidget(self.degc, 1, 1)
        grid.addWidget(self.coefficient, 1, 2, 1, 2)
        self.around = Text("skin within", "muted")
        grid.addWidget(self.around, 2, 1)
        grid.addWidget(self.radius, 2, 2, 1, 2)
        grid.addWidget(self.lost, 3, 1, 1, 4)
        grid.setColumnStretch(2, 1)
        self.tick.clicked.connect(self._switch)
        self.remove.clicked.connect(self._remove)
        self.degc.valueChanged.connect(self._change)
        self.coefficient.valueChanged.connect(self._change)
        self.radius.valueChanged.connect(self._change)

    def show_warmer(self, warmer: Warmer, *, may_edit: bool, is_lost: bool) -> None:
        """Show a warmer."""
        self._name = warmer.name
        usual = load_warmers()[warmer.kind]
        self.tick.setChecked(warmer.is_on)
        self.tick.setAccessibleName(say(f"{warmer.name} is on"))
        self.tick.setToolTip(say("Off: it stays in the plan and changes nothing"))
        called = warmer.name if warmer.kind.is_on_skin else f"{warmer.structure}, {SHORT[warmer.kind]}"
        self.called.say(called, "text" if warmer.is_on else "muted", f"{usual.title}\n{warmer.name}")
        self.remove.setAccessibleName(say(f"Remove {warmer.name}"))
        self.remove.setToolTip(say("Take it out of the plan"))
        for box, value, what, number in (
            (self.degc, warmer.temperature_degc, "temperature of the fluid", usual.temperature),
            (self.coefficient, warmer.coefficient, "heat exchange with the wall or skin", usual.coefficient),
        ):
            box.show_value(value)
            box.setAccessibleName(say(f"{warmer.name}, {what}"))
            box.setToolTip(say(_told(what, number)))
        self.radius.show_value(warmer.radius_mm)
        self.radius.setVisible(warmer.kind.is_on_skin)
        self.around.setVisible(warmer.kind.is_on_skin)
        self.radius.setAccessibleName(say(f"{warmer.name}, radius of the warmed skin"))
        self.radius.setToolTip(say("Radius of the warmed skin"))
        self.lost.say(f"! No structure is called {warmer.structure}: it warms nothing." if is_lost else "")
        self.lost.setVisible(is_lost)
        for part in (self.tick, self.remove, self.degc, self.coefficient, self.radius):
            part.setEnabled(may_edit)

    @Slot()
    def _switch(self) -> None:
        is_on = self.tick.isChecked()
        attempt(self._workspace, lambda plan: set_warmer(plan, self._name, is_on=is_on))

    @Slot()
    def _remove(self) -> None:
        attempt(self._workspace, lambda plan: remove_warmer(plan, self._name))

    @Slot()
    def _change(self) -> None:
        numbers = {
            self.degc: "temperature_degc", self.coefficient: "coefficient", self.radius: "radius_mm",
        }  # fmt: skip
        box = self.sender()
        key, value = numbers[box], box.value()
        attempt(self._workspace, lambda plan: set_warmer(plan, self._name, **{key: value}))


def _told(what: str, number: Sourced) -> str:
    spread = "" if number.low is None else f" ({number.low:g} to {number.high:g})"
    return (
        f"{what.capitalize()}; usual {number.value:g}{spread} {number.unit}: {number.source} ({number.how})"
    )
