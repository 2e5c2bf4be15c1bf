"""Help: one page per panel, and the glossary; stands beside the work and does not stop it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from cryoplan.core.help_pages import PanelHelp, glossary, panel_pages
from cryoplan.gui.parts import Heading, Text, WidthLock, text_scaled
from cryoplan.gui.words import language, say

LIST_WIDTH = 150


class HelpDialog(QDialog):
    """Topics on the left, the chosen one on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Help"))
        self.setModal(False)
        self.resize(text_scaled(700), text_scaled(560))
        self._pages = panel_pages(language())
        self.topics = QListWidget()
        self.topics.setAccessibleName(say("Topics"))
        self.topics.setFixedWidth(text_scaled(LIST_WIDTH))
        self.topics.setSpacing(3)
        self.topics.addItems([*(page.title for page in self._pages), say("Glossary")])
        self.topics.currentRowChanged.connect(self._choose)
        self.search = QLineEdit()
        self.search.setPlaceholderText(say("Type a word"))
        self.search.setAccessibleName(say("Word to look for in the glossary"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._fill_glossary)
        self.area = QScrollArea()
        self.area.setAccessibleName(say("Help text"))
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.viewport().installEventFilter(WidthLock(self.area))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        right = QVBoxLayout()
        right.addWidget(self.search)
        right.addWidget(self.area, 1)
        row = QHBoxLayout()
        row.addWidget(self.topics)
        row.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        column.addWidget(buttons)
        self.show_panel(0)

    def show_panel(self, number: int) -> None:
        """Show the page of a panel of the rail."""
        self.topics.setCurrentRow(number)

    def show_glossary(self) -> None:
        """Show the glossary."""
        self.topics.setCurrentRow(len(self._pages))
        self.search.setFocus()

    def texts(self) -> tuple[str, ...]:
        """Return what the page says, one text a paragraph."""
        return tuple(text.text() for text in self.area.widget().findChildren(Text))

    @Slot(int)
    def _choose(self, row: int) -> None:
        is_glossary = row == len(self._pages)
        self.search.setVisible(is_glossary)
        if is_glossary:
            self._fill_glossary()
        elif row >= 0:
            self._show(_page_parts(self._pages[row]))

    @Slot()
    def _fill_glossary(self) -> None:
        wanted = self.search.text().casefold()
        parts: list[QWidget] = []
        for term in glossary(language()):
            if wanted in f"{term.name} {term.text}".casefold():
                parts += [
                    Text(term.name, bold=True, wrap=True),
                    Text(term.text, wrap=True),
                    Text(term.source, "muted", scale=0.9, wrap=True),
                ]
        self._show(parts or [Text("Nothing is called so here.", "muted", wrap=True)])

    def _show(self, parts: list[QWidget]) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 2, 10, 8)
        column.setSpacing(6)
        for part in parts:
            if isinstance(part, Text):
                part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(part)
        column.addStretch(1)
        self.area.setWidget(content)


def _page_parts(page: PanelHelp) -> list[QWidget]:
    return [
        Text(page.title, bold=True, scale=1.25),
        Text(page.what_for, wrap=True),
        Heading("How"),
        *(Text(paragraph, wrap=True) for paragraph in page.how),
        Heading("Beware"),
        Text(page.beware, wrap=True),
    ]
