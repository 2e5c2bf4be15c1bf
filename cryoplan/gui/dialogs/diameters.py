"""Diameters: the three measured diameters of a tumour, for an ellipsoid at the crosshair."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from cryoplan.gui.dialogs.answers import add_answers
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Heading, Text
from cryoplan.gui.words import say

ALONG = ("Right to left", "Front to back", "Feet to head")


class DiametersDialog(QDialog):
    """Asks for three diameters along the patient axes."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Ellipsoid"))
        self.setMinimumWidth(360)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(8)
        column.addWidget(Heading(f"Measured diameters of {name}"))
        grid = QGridLayout()
        self.boxes = []
        for row, along in enumerate(ALONG):
            box = NumberBox(f"Diameter {along.lower()}", " mm", lowest=1.0, highest=200.0)
            box.setValue(30.0)
            grid.addWidget(Text(along), row, 0)
            grid.addWidget(box, row, 1)
            self.boxes.append(box)
        column.addLayout(grid)
        column.addWidget(
            Text(
                "Its middle is the crosshair. Brush and eraser can correct it afterwards.", "muted", wrap=True
            )
        )
        add_answers(self, column, "Add ellipsoid")
        self.boxes[0].setFocus()
        self.boxes[0].selectAll()

    @property
    def diameters_mm(self) -> tuple[float, float, float]:
        """Along x, y and z."""
        a, b, c = (box.value() for box in self.boxes)
        return a, b, c


def ask_diameters(name: str, parent: QWidget | None = None) -> tuple[float, float, float] | None:
    """Ask for three diameters; None when they are not given."""
    dialog = DiametersDialog(name, parent)
    try:
        return dialog.diameters_mm if dialog.exec() == QDialog.DialogCode.Accepted else None
    finally:
        dialog.deleteLater()
