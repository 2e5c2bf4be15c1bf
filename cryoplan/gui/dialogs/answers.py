"""Answers: the two buttons at the foot of a dialog that asks, one that goes on and Cancel."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout

from cryoplan.gui.words import say


def add_answers(dialog: QDialog, column: QVBoxLayout, words: str) -> QPushButton:
    """Add a button that accepts `dialog` and Cancel below all that is in `column`.

    Parameters
    ----------
    words : str
        What going on does; nobody has to read "OK" and guess.

    Returns
    -------
    QPushButton
        The button that goes on; Return presses it.
    """
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    accept = QPushButton(say(words))
    accept.setProperty("primary", True)
    accept.setDefault(True)
    buttons.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    return accept
