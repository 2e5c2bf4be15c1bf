"""Questions about whole cases: steps left behind, deleting, a title, what a de-identified copy keeps."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from cryoplan.case.history import Status
from cryoplan.gui.dialogs.answers import add_answers
from cryoplan.gui.parts import Heading, Text, indicator_style
from cryoplan.gui.words import say
from cryoplan.workflow.deidentifying import REMAINS

LONGEST_TITLE = 120


class Leaving(Enum):
    """What to do with steps that are not on the disk."""

    SAVE_ELSEWHERE = "Save elsewhere..."
    TRY_AGAIN = "Try again"
    WITHOUT = "Leave without them"
    STAY = "Stay with this case"


def unsaved_sentence(count: int, reason: str) -> str:
    """Say how much is not on the disk, and why."""
    what = "The case is" if not count else "1 step is" if count == 1 else f"{count} steps are"
    return f"{what} not on the disk: {reason}"


def ask_leaving(count: int, reason: str, parent: QWidget) -> Leaving:
    """Ask what becomes of steps that are not on the disk; closing the question stays with the case."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(say("Not saved"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(say(unsaved_sentence(count, reason)))
    box.setInformativeText(
        say("They are kept in memory only. Save the case elsewhere, or try again once the place is back.")
    )
    roles = QMessageBox.ButtonRole
    buttons = {
        Leaving.SAVE_ELSEWHERE: roles.AcceptRole,
        Leaving.TRY_AGAIN: roles.ActionRole,
        Leaving.WITHOUT: roles.DestructiveRole,
        Leaving.STAY: roles.RejectRole,
    }
    made = {box.addButton(say(answer.value), role): answer for answer, role in buttons.items()}
    for button, answer in made.items():
        if answer is Leaving.SAVE_ELSEWHERE:
            box.setDefaultButton(button)
        elif answer is Leaving.STAY:
            box.setEscapeButton(button)
    box.exec()
    chosen = box.clickedButton()
    answer = made.get(chosen, Leaving.STAY) if chosen is not None else Leaving.STAY
    box.deleteLater()
    return answer


def ask_delete(name: str, parent: QWidget) -> bool:
    """Ask once whether a case is to be deleted; `name` is its pseudonym and title."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(say("Delete case"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(say(f"Delete case {name}?"))
    box.setInformativeText(
        say(
            "The case file goes with its plan, its history and its results: to the trash, or for good where "
            "there is no trash. The images it was made from and its copies are not touched."
        )
    )
    delete = box.addButton(say("Delete"), QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.exec()
    yes = box.clickedButton() is delete
    box.deleteLater()
    return yes


def ask_title(code: str, title: str, status: str, parent: QWidget) -> str | None:
    """Ask for the title of a case; None when it stays as it is."""
    words = f"Title of case {code}. Do not use the patient's name."
    if status in (Status.APPROVED, Status.TREATED):
        words += "\nA new title is a change: it withdraws the approval."
    text, yes = QInputDialog.getText(parent, say("Rename case"), say(words), QLineEdit.EchoMode.Normal, title)
    new = " ".join(text.split())[:LONGEST_TITLE]
    return new if yes and new != title else None


class DeidentifyDialog(QDialog):
    """Says what a de-identified copy holds and what stays in it, and asks about names."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Save a de-identified copy"))
        self.setMinimumWidth(480)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(8)
        column.addWidget(Text(f"Case {name}", bold=True, wrap=True))
        column.addWidget(
            Text(
                "The copy has a new pseudonym and new identifiers and no dates, history, notes, title or "
                "approvals. A result goes with it if it is current.",
                wrap=True,
            )
        )
        column.addWidget(Heading("Names"))
        self.keep_names = QCheckBox(say("Keep the names of probes and structures"))
        self.keep_names.setStyleSheet(indicator_style())
        self.keep_names.setAccessibleDescription(say("Only if none of them leads to the patient"))
        column.addWidget(self.keep_names)
        column.addWidget(
            Text(
                "Only if you have read them and none leads to the patient; otherwise they are numbered.",
                "muted",
                wrap=True,
            )
        )
        column.addWidget(Heading("What stays"))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(Text("!", "warn", bold=True, scale=1.1), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Text(REMAINS, wrap=True), 1)
        column.addLayout(row)
        column.addSpacing(6)
        self.save = add_answers(self, column, "Save copy...")


def ask_deidentify(name: str, parent: QWidget) -> bool | None:
    """Ask whether names are kept; None when no copy is wanted."""
    dialog = DeidentifyDialog(name, parent)
    try:
        yes = dialog.exec() == QDialog.DialogCode.Accepted
        return dialog.keep_names.isChecked() if yes else None
    finally:
        dialog.deleteLater()
