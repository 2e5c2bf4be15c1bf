"""Skin marks: points that the room finds again; put at the crosshair, told on the sheet for the CT room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from cryoplan.gui.parts import Swatch, Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.plan.edit_marks import add_mark, move_mark, remove_mark, rename_mark
from cryoplan.plan.mark import MARK_WORDS, Mark, MarkKind, entry_words
from cryoplan.plan.names import LONGEST_NAME
from cryoplan.plan.probe import Probe
from cryoplan.scene.style import theme

if TYPE_CHECKING:
    from cryoplan.gui.panel import Panel

NO_MARK = "None set: the sheet for the room then tells entries by slice and angle alone."


class MarkRow(QWidget):
    """One mark: its name, what it is, and three buttons."""

    renamed = Signal(str, str)
    shown = Signal(str)
    moved = Signal(str)
    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.mark_name = ""
        # Two lines: side by side the name and its buttons would be cut in a panel of 300 pixels.
        both = QVBoxLayout(self)
        both.setContentsMargins(0, 2, 0, 5)
        both.setSpacing(4)
        row, below = QHBoxLayout(), QHBoxLayout()
        for line in (row, below):
            line.setSpacing(5)
            both.addLayout(line)
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        self.name.editingFinished.connect(self._rename)
        self.kind = Text("", "muted", scale=0.93)
        self.show_button = QPushButton(say("Show"))
        self.here = QPushButton(say("Move here"))
        self.delete = QPushButton(say("Delete"))
        self.show_button.setToolTip(say("Move the crosshair to this mark"))
        self.here.setToolTip(say("Put this mark at the crosshair"))
        row.addWidget(Swatch(theme().marks.letters))
        row.addWidget(self.name, 1)
        row.addWidget(self.kind)
        for button in (self.show_button, self.here, self.delete):
            below.addWidget(button)
        self.show_button.clicked.connect(self._show)
        self.here.clicked.connect(self._move)
        self.delete.clicked.connect(self._remove)

    def show_mark(self, mark: Mark) -> None:
        """Show a mark; a name that is being typed stays."""
        same = self.mark_name == mark.name
        self.mark_name = mark.name
        if not (same and self.name.hasFocus() and self.name.isModified()):
            self.name.setText(mark.name)
        self.name.setAccessibleName(say(f"Name of the mark {mark.name}"))
        self.kind.say(MARK_WORDS[mark.kind])
        for button, does in ((self.show_button, "Show"), (self.here, "Move here"), (self.delete, "Delete")):
            button.setAccessibleName(say(f"{does}: mark {mark.name}"))

    @Slot()
    def _rename(self) -> None:
        new = self.name.text().strip()
        if new != self.mark_name:
            self.name.setModified(False)
            self.renamed.emit(self.mark_name, new)

    @Slot()
    def _show(self) -> None:
        self.shown.emit(self.mark_name)

    @Slot()
    def _move(self) -> None:
        self.moved.emit(self.mark_name)

    @Slot()
    def _remove(self) -> None:
        self.removed.emit(self.mark_name)


class MarkSection(Section):
    """The marks of the plan, and where the chosen probe enters from them."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("Skin marks", is_open=False)
        self._panel = panel
        self.rows: list[MarkRow] = []
        self.words = Text("", "muted", wrap=True)
        self.add(self.words)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 2, 0, 0)
        row.setSpacing(5)
        self.new = {
            kind: QPushButton(say(words.removesuffix(" mark").capitalize()))
            for kind, words in MARK_WORDS.items()
        }
        self.add(Text("New at the crosshair:", "muted", scale=0.93))
        for kind, button in self.new.items():
            button.setProperty("kind", kind.value)
            button.setToolTip(say("At the crosshair: put it on the skin first"))
            button.setAccessibleName(say(f"Put a {MARK_WORDS[kind]} at the crosshair"))
            button.clicked.connect(self._add)
            row.addWidget(button)
        self.add(buttons)

    def show_marks(self, marks: tuple[Mark, ...], chosen: Probe | None, *, has_case: bool) -> None:
        """Show the marks of the plan."""
        self.say(str(len(marks)) if marks else "none")
        while len(self.rows) < len(marks):
            row = MarkRow()
            row.renamed.connect(self._rename)
            row.shown.connect(self._show)
            row.moved.connect(self._move)
            row.removed.connect(self._remove)
            self.column.insertWidget(len(self.rows), row)
            self.rows.append(row)
        for row in self.rows[len(marks) :]:
            row.hide()
        for row, mark in zip(self.rows, marks, strict=False):
            row.show_mark(mark)
            row.show()
            self._panel.enable_edits(row.name, row.here, row.delete)
        self._panel.enable_edits(*self.new.values(), when=has_case)
        if not marks:
            self.words.say(NO_MARK, "muted")
        elif chosen is not None:
            self.words.say(f"Probe {chosen.name} enters {entry_words(chosen.entry_mm, marks)}.", "text")
        self.words.setVisible(not marks or chosen is not None)

    @Slot()
    def _add(self) -> None:
        kind = MarkKind(self.sender().property("kind"))
        at = self._panel.view.cursor_mm
        self._panel.try_edit(lambda plan: add_mark(plan, kind=kind, position_mm=at))

    @Slot(str, str)
    def _rename(self, name: str, new: str) -> None:
        self._panel.try_edit(lambda plan: rename_mark(plan, name, new))
        self._panel.refresh()

    @Slot(str)
    def _show(self, name: str) -> None:
        for mark in self._panel.workspace.plan.marks:
            if mark.name == name:
                self._panel.go_to(mark.position_mm)

    @Slot(str)
    def _move(self, name: str) -> None:
        at = self._panel.view.cursor_mm
        self._panel.try_edit(lambda plan: move_mark(plan, name, at))

    @Slot(str)
    def _remove(self, name: str) -> None:
        self._panel.try_edit(lambda plan: remove_mark(plan, name))
