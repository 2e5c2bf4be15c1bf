"""Asked roles: the structures whose names leave open what they are, with one answer for all of them."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan import workflow
from cryoplan.app.workspace import Workspace
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.parts import Heading, Name, Text
from cryoplan.gui.words import say

WORDS = {role: role.value.replace("-", " ") for role in Role}


class RoleBox(QComboBox):
    """A list of roles that the wheel leaves alone: a role may not change while the panel is scrolled."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll."""
        event.ignore()


class RolesSection(QWidget):
    """A question that is there only while something is unsure.

    Each row begins with what was guessed, so that OK alone confirms all guesses.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._asked: tuple[tuple[str, Role], ...] = ()
        self.choices: dict[str, QComboBox] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(4)
        self._heading = Heading("What are these?")
        column.addWidget(self._heading)
        self._why = Text(
            "Their names leave it open. Tissue, limits and colours follow from the answer, and it is "
            "remembered for the name.",
            "muted",
            wrap=True,
            scale=0.93,
        )
        column.addWidget(self._why)
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(0, 1)
        column.addWidget(self._rows)
        self._problem = Text("", "warn", wrap=True)
        self._problem.hide()
        column.addWidget(self._problem)
        self.ok = QPushButton(say("OK"))
        self.ok.setAccessibleName(say("These roles are right"))
        self.ok.clicked.connect(self._answer)
        column.addWidget(self.ok)
        self.hide()

    def refresh(self) -> None:
        """Ask about what is unsure in the case."""
        case = self._workspace.case
        unsure = () if case is None else workflow.unsure(case)
        self.setVisible(bool(unsure))
        may = self._workspace.keeper.may_edit
        self.ok.setEnabled(may)
        asked = tuple((s.name, s.role) for s in unsure)
        if asked != self._asked:
            self._asked = asked
            self._rebuild(unsure)
        for choice in self.choices.values():
            choice.setEnabled(may)

    def _rebuild(self, unsure: tuple[Structure, ...]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        self._problem.hide()
        self.choices = {}
        for row, structure in enumerate(unsure):
            choice = RoleBox()
            for role in Role:
                choice.addItem(say(WORDS[role]), role)
            choice.setCurrentIndex(list(Role).index(structure.role))
            choice.setAccessibleName(say(f"What {structure.name} is"))
            self._grid.addWidget(Name(structure.name), row, 0)
            self._grid.addWidget(choice, row, 1)
            self.choices[structure.name] = choice

    def _answer(self) -> None:
        answers = {name: Role(choice.currentData()) for name, choice in self.choices.items()}
        try:
            self._workspace.set_roles(answers)
        except CryoplanError as error:
            self._problem.say(f"{error.what} {error.remedy}")
            self._problem.show()
