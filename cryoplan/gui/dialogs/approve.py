"""Approve: who approves this plan, beside what exactly is approved."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from cryoplan import RESEARCH_USE
from cryoplan.case.history_write import LONGEST_PERSON
from cryoplan.gui.dialogs.answers import add_answers
from cryoplan.gui.parts import Heading, Text
from cryoplan.gui.words import say


class ApproveDialog(QDialog):
    """Asks for a name; without one there is no approval.

    Parameters
    ----------
    words : tuple of str
        What is approved, one line each; the first names the plan.
    person : str
        Who approved last in this session.
    """

    def __init__(self, words: tuple[str, ...], person: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Approve plan"))
        self.setMinimumWidth(460)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(8)
        column.addWidget(Heading("What is approved"))
        self._lines = []
        for number, line in enumerate(words):
            text = Text(line.removesuffix(" approved") if not number else line, bold=not number, wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(text)
            self._lines.append(text)
        column.addWidget(Heading("Approved by"))
        self.person = QLineEdit(person)
        self.person.setAccessibleName(say("Name of who approves"))
        self.person.setPlaceholderText(say("Name, for example Dr A. Example"))
        self.person.setMaxLength(LONGEST_PERSON)
        self.person.selectAll()
        column.addWidget(self.person)
        column.addWidget(
            Text(
                "Name and time go into the history of the case. Any change of the plan, the structures "
                "or the words of the case withdraws the approval.",
                "muted",
                wrap=True,
            )
        )
        column.addWidget(Text(f"{RESEARCH_USE}.", "muted"))
        column.addSpacing(4)
        self.approve = add_answers(self, column, "Approve")
        self.person.textChanged.connect(self._check)
        self._check()
        self.person.setFocus()

    @property
    def name(self) -> str:
        """Who approves, without blanks around it."""
        return " ".join(self.person.text().split())

    @Slot()
    def _check(self) -> None:
        self.approve.setEnabled(bool(self.name))
        self.approve.setToolTip(say("" if self.name else "Say who approves"))

    def accept(self) -> None:
        """Close with a name only."""
        if self.name:
            super().accept()


def ask_approval(words: tuple[str, ...], person: str, parent: QWidget | None = None) -> str:
    """Ask who approves; empty when nobody does."""
    dialog = ApproveDialog(words, person, parent)
    try:
        return dialog.name if dialog.exec() == QDialog.DialogCode.Accepted else ""
    finally:
        dialog.deleteLater()
