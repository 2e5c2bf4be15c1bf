"""Paper: size, language, department and logo of what is printed, chosen once for all cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QPushButton

from cryoplan.app.child import failure_of
from cryoplan.app.print_choice import keep_style, print_style
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import StoreError
from cryoplan.gui.parts import Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.report.style import Paper, PrintStyle
from cryoplan.workflow.logo import read_logo

LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}
LONGEST = 120


class PaperSection(Section):
    """What a department sets once; every change is kept at once and counts for the next print."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Paper")
        self._workspace = workspace
        self.paper = QComboBox()
        self.paper.addItems([paper.value for paper in Paper])
        self.paper.setAccessibleName(say("Size of paper"))
        self.language = QComboBox()
        for code, name in LANGUAGE_NAMES.items():
            self.language.addItem(name, code)
        self.language.setAccessibleName(say("Language of what is printed"))
        self.department = QLineEdit()
        self.department.setMaxLength(LONGEST)
        self.department.setPlaceholderText(say("in the head of each page"))
        self.department.setAccessibleName(say("Department"))
        self.logo = QPushButton(say("Choose..."))
        self.no_logo = QPushButton(say("None"))
        self.no_logo.setAccessibleName(say("No logo"))
        self.no_logo.setToolTip(say("Print without a logo"))
        row = QHBoxLayout()
        row.addWidget(self.logo, 1)
        row.addWidget(self.no_logo)
        grid = QGridLayout()
        for line, (name, part) in enumerate(
            (("Size", self.paper), ("Language", self.language), ("Department", self.department))
        ):
            grid.addWidget(Text(name), line, 0)
            grid.addWidget(part, line, 1)
        grid.addWidget(Text("Logo"), 3, 0)
        grid.addLayout(row, 3, 1)
        self.add(grid)
        self.refresh()
        self.paper.activated.connect(self._keep)
        self.language.activated.connect(self._keep)
        self.department.editingFinished.connect(self._keep)
        self.logo.clicked.connect(self._choose_logo)
        self.no_logo.clicked.connect(self._drop_logo)

    def refresh(self) -> None:
        """Show what is chosen."""
        style = self._style = print_style()
        self.paper.setCurrentText(style.paper.value)
        self.language.setCurrentIndex(max(0, self.language.findData(style.language)))
        self.department.setText(style.department)
        self.logo.setText(say("Another one..." if style.logo else "Choose..."))
        self.logo.setAccessibleName(say("Choose a logo"))
        self.no_logo.setEnabled(bool(style.logo))
        said = [style.paper.value, LANGUAGE_NAMES[style.language], style.department]
        self.say(", ".join(filter(None, said)))

    @Slot()
    def _keep(self) -> None:
        self._take(
            replace(
                self._style,
                paper=Paper(self.paper.currentText()),
                language=str(self.language.currentData()),
                department=" ".join(self.department.text().split()),
            )
        )

    @Slot()
    def _choose_logo(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, say("Choose a logo"), "", say("Pictures (*.png *.jpg *.jpeg)")
        )
        if not path:
            return
        try:
            logo = read_logo(Path(path))
        except StoreError as error:
            self._workspace.failed.emit(failure_of(error))
            return
        self._take(replace(self._style, logo=logo))

    @Slot()
    def _drop_logo(self) -> None:
        self._take(replace(self._style, logo=b""))

    def _take(self, style: PrintStyle) -> None:
        if style != self._style and not keep_style(style):
            self._workspace.message.emit(
                "The choice of paper could not be kept; your settings cannot be written"
            )
            return
        self.refresh()
