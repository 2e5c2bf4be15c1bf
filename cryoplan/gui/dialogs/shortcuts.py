"""Shortcuts: the sheet of keys and gestures."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from cryoplan.gui.parts import Text
from cryoplan.gui.words import say


class ShortcutsDialog(QDialog):
    """Keys on the left, what they do on the right.

    Parameters
    ----------
    rows : sequence of (keys, text)
        In the order to be shown.
    """

    def __init__(self, rows: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Shortcuts"))
        self.resize(560, 620)
        content = QWidget()
        grid = QGridLayout(content)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for number, (keys, text) in enumerate(rows):
            key = Text(keys, bold=True)
            key.setAlignment(Qt.AlignmentFlag.AlignTop)
            words = Text(text, wrap=True)
            words.setAccessibleName(say(f"{keys}: {text}"))
            grid.addWidget(key, number, 0)
            grid.addWidget(words, number, 1)
        grid.setRowStretch(len(rows), 1)
        area = QScrollArea()
        area.setAccessibleName(say("Keys and what they do"))
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(area, 1)
        column.addWidget(buttons)
