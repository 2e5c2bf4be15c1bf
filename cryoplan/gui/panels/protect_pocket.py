"""Pocket: inflates fluid or gas at the crosshair, along the gap between two structures."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan import workflow
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.pocket import LARGEST_ML, LEAST_ML, Fill
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Text
from cryoplan.gui.words import say

WHAT = (
    "Fills free room (fat, and what nobody outlined) from the crosshair on. No organ moves: a real injection "
    "pushes bowel away. It is a structure, can be drawn on, and undone with Ctrl+Z."
)
FILLS = {
    Fill.SALINE: ("Saline, 21 °C", "Starts as injected from a bag at room temperature; it can freeze"),
    Fill.WARM_SALINE: ("Saline, 37 °C", "Warmed to body temperature, also for a balloon; it can freeze"),
    Fill.CO2: ("CO₂", "Insulates: it conducts a twentieth of what fluid does"),
}
_FILLED = {fill.tissue: fill.value for fill in Fill}
ANY = "any side"
NOT_BETWEEN = (Role.BODY, Role.FAT, Role.SKIN, Role.FLUID, Role.GAS)


class PocketBox(QWidget):
    """Volume, fill, the two structures that it parts, and the button."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self.volume = NumberBox("Volume of the pocket", " ml", lowest=LEAST_ML, highest=LARGEST_ML, step=5.0)
        self.volume.setValue(20.0)
        self.fill = QComboBox()
        self.fill.setAccessibleName(say("What the pocket is filled with"))
        for fill, (text, tip) in FILLS.items():
            self.fill.addItem(say(text), fill.value)
            self.fill.setItemData(self.fill.count() - 1, say(tip), Qt.ItemDataRole.ToolTipRole)
        self.between = (QComboBox(), QComboBox())
        for combo, which in zip(self.between, ("first", "second"), strict=True):
            combo.setAccessibleName(say(f"Structure that the pocket lies along, {which}"))
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(8)
        self.inflate = QPushButton(say("Inflate at the crosshair"))
        self.inflate.setAccessibleName(say("Inflate a pocket at the crosshair"))
        self.inflate.setToolTip(say(WHAT))
        self.inflate.clicked.connect(self._inflate)
        self.said = Text("", "warn", wrap=True)
        self.note = Text(WHAT, "muted", wrap=True, scale=0.93)
        self.pockets = Text("", "text", wrap=True)
        fields = QGridLayout()
        fields.setHorizontalSpacing(6)
        fields.setVerticalSpacing(4)
        for row, (name, part) in enumerate(
            (
                ("volume", self.volume),
                ("of", self.fill),
                ("between", self.between[0]),
                ("and", self.between[1]),
            )
        ):
            fields.addWidget(Text(name, "muted"), row, 0)
            fields.addWidget(part, row, 1)
        fields.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(fields)
        for part in (self.inflate, self.said, self.pockets, self.note):
            column.addWidget(part)
        self.said.hide()
        workspace.case_changed.connect(lambda: self._say(""))
        workspace.plan_changed.connect(lambda: self._say(""))

    @property
    def gist(self) -> str:
        """How much there is."""
        found = self._found()
        return f"{sum(s.volume_ml for s in found):.0f} ml" if found else "none"

    def refresh(self) -> None:
        """Offer the structures of the case, and name the pockets that it has."""
        case = self._workspace.case
        names = [s.name for s in case.structures if s.role not in NOT_BETWEEN] if case is not None else []
        for combo in self.between:
            chosen = combo.currentText()
            if [combo.itemText(n) for n in range(combo.count())] != [say(ANY), *names]:
                combo.clear()
                combo.addItems([say(ANY), *names])
                combo.setCurrentIndex(max(combo.findText(chosen), 0))
        self.inflate.setEnabled(case is not None and self._workspace.keeper.may_edit)
        found = self._found()
        self.pockets.say(
            "\n".join(f"{s.name}: {s.volume_ml:.1f} ml of {_FILLED.get(s.tissue, s.tissue)}" for s in found)
        )
        self.pockets.setVisible(bool(found))

    def _found(self) -> list[Structure]:
        case = self._workspace.case
        made = case.structures if case is not None else ()
        return [s for s in made if s.role in (Role.FLUID, Role.GAS) and s.source.startswith("Inflated")]

    @Slot()
    def _inflate(self) -> None:
        workspace = self._workspace
        workspace.finish_strokes()
        case = workspace.case
        if case is None:
            return
        between = tuple(dict.fromkeys(c.currentText() for c in self.between if c.currentIndex() > 0))
        fill = Fill(self.fill.currentData())
        try:
            made = workflow.inflate_pocket(
                case, workspace.plan, workspace.catalogue, self._view.cursor_mm, self.volume.value(),
                between=between, fill=fill,
            )  # fmt: skip
        except CryoplanError as error:
            self._say(f"! {error.what} {error.remedy}")
            return
        pocket = made.structures[-1]
        if workspace.take_case(
            f"Pocket inflated: {pocket.name}, {self.volume.value():g} ml {fill.value}", made
        ):
            workspace.message.emit(f"{pocket.name} fills free room only; no organ was moved")

    def _say(self, text: str) -> None:
        self.said.say(text, "warn")
        self.said.setVisible(bool(text))
