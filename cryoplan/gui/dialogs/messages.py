"""Messages: what every code of a finding or an error means, found by typing a code or a word."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from cryoplan.core.meanings import Meaning
from cryoplan.gui.parts import Text, scaled_font
from cryoplan.gui.words import say
from cryoplan.workflow import find_meanings

MEANING = Qt.ItemDataRole.UserRole
LIST_WIDTH = 260
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class MessagesDialog(QDialog):
    """Codes on the left by stage, the chosen one explained on the right; does not stop the work."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("What messages mean"))
        self.setModal(False)
        self.resize(760, 520)
        self.search = QLineEdit()
        self.search.setPlaceholderText(say("Type a code or a word, such as slice or skin"))
        self.search.setAccessibleName(say("Code or word to look for"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.count = Text("", "muted")
        self.codes = QListWidget()
        self.codes.setAccessibleName(say("Codes of messages"))
        self.codes.setFixedWidth(LIST_WIDTH)
        self.codes.setSpacing(2)
        self.codes.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.codes.currentItemChanged.connect(self._choose)
        self.code = Text("", bold=True, scale=1.25, wrap=True)
        self.stage = Text("", "muted")
        self.means = Text("", wrap=True)
        self.remedy = Text("", wrap=True)
        for part in (self.code, self.means, self.remedy):
            part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._heads = (Text("What it means", "muted", scale=0.93), Text("What to do", "muted", scale=0.93))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton(say("&Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setToolTip(say("Copies the code and what is said about it (Ctrl+C in the list)"))
        for button in buttons.buttons():
            # Return in the search field must neither close the dialog nor copy.
            button.setAutoDefault(False)
            button.setDefault(False)
        self.copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        keys = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.codes)
        keys.setContext(Qt.ShortcutContext.WidgetShortcut)
        keys.activated.connect(self._copy)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.activated.connect(self._search_again)
        self._place(buttons)
        self._filter("")

    def _place(self, buttons: QDialogButtonBox) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.search, 1)
        top.addWidget(self.count)
        page = QWidget()
        words = QVBoxLayout(page)
        words.setContentsMargins(16, 4, 8, 4)
        words.addWidget(self.code)
        words.addWidget(self.stage)
        for head, text in zip(self._heads, (self.means, self.remedy), strict=True):
            words.addSpacing(12)
            words.addWidget(head)
            words.addWidget(text)
        words.addStretch(1)
        area = QScrollArea()
        area.setAccessibleName(say("What the chosen message means"))
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(page)
        row = QHBoxLayout()
        row.addWidget(self.codes)
        row.addWidget(area, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 12)
        column.setSpacing(10)
        column.addLayout(top)
        column.addLayout(row, 1)
        column.addWidget(buttons)

    @property
    def chosen(self) -> Meaning | None:
        """The code that is explained."""
        item = self.codes.currentItem()
        return None if item is None else item.data(MEANING)

    @property
    def shown(self) -> list[str]:
        """The codes that the list holds."""
        known = (self.codes.item(n).data(MEANING) for n in range(self.codes.count()))
        return [meaning.code for meaning in known if meaning is not None]

    def ask(self, code: str) -> None:
        """Look for a code, or show all when none is given."""
        self.search.setText(code)
        self._search_again()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys walk through the list while the search field keeps the focus."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                self.codes.keyPressEvent(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.codes.setFocus()
                return True
        return super().eventFilter(watched, event)

    @Slot()
    def _search_again(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    @Slot(str)
    def _filter(self, words: str) -> None:
        found = find_meanings(words)
        self.codes.blockSignals(True)
        self.codes.clear()
        stage, first = "", None
        for meaning in found:
            if meaning.stage != stage:
                stage = meaning.stage
                self.codes.addItem(_heading(stage))
            item = QListWidgetItem(meaning.code)
            item.setData(MEANING, meaning)
            self.codes.addItem(item)
            first = first or item
        self.codes.blockSignals(False)
        self.codes.setCurrentItem(first)
        self.count.say("nothing found" if not found else f"{len(found)} of {len(find_meanings(''))}")
        self._choose()

    @Slot()
    def _choose(self) -> None:
        known = self.chosen
        self.code.say(known.code if known else "No message has this code or word.")
        self.stage.say(known.stage if known else "Type less of it, or another word.")
        self.means.say(known.means if known else "")
        self.remedy.say(known.remedy if known else "")
        for part in (*self._heads, self.means, self.remedy):
            part.setVisible(known is not None)
        self.copy.setEnabled(known is not None)

    @Slot()
    def _copy(self) -> None:
        if (known := self.chosen) is not None:
            QGuiApplication.clipboard().setText(known.to_text())


def _heading(stage: str) -> QListWidgetItem:
    item = QListWidgetItem(say(stage))
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    item.setFont(scaled_font(0.93, bold=True))
    return item
