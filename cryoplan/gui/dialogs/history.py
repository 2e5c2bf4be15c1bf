"""History: every step as a sentence, the newest first, to go back to or on; and the audit log to take away.

The newest stands on top: one looks in here for what was just done, and it is in sight without scrolling.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from cryoplan import RESEARCH_USE
from cryoplan.app.asking import Asking
from cryoplan.app.steps import Kept
from cryoplan.app.workspace import Workspace
from cryoplan.case.history import Entry, History, Kind
from cryoplan.case.history_audit import audit_csv, audit_json
from cryoplan.core.atomic import write_atomic
from cryoplan.gui.panel import SLOW_MS
from cryoplan.gui.parts import Later, Text, scaled_font, tone_colour
from cryoplan.gui.standing import local_seconds
from cryoplan.gui.words import say

NOW, NOT_SAVED, UNDONE = "▶ now", "not saved yet", "undone"

COLUMNS = ("", "Time", "Step")
MARK, TIME, STEP = range(3)

KIND_TONES = {Kind.APPROVE: "ok", Kind.WITHDRAW: "warn", Kind.STATUS: "accent"}

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the list.

    Attributes
    ----------
    text : str
        The sentence.
    at : str
        UTC, as the history has it; empty for a step that is not written.
    mark : str
        `NOW`, `NOT_SAVED`, `UNDONE` or nothing.
    state : int or None
        Where a press goes to.
    tone : str
        See `cryoplan.gui.parts.tone_colour`.
    number : int
        Of the entry; 0 for a step that is not written.
    """

    text: str
    at: str = ""
    mark: str = ""
    state: int | None = None
    tone: str = "text"
    number: int = 0


def lines_of(kept: Kept, *, everything: bool = False, wanted: str = "") -> list[Line]:
    """Return the lines of the list, the newest first.

    Parameters
    ----------
    everything : bool
        Every entry, as in the audit log; else the steps that one can go to.
    wanted : str
        Only lines that hold all of these words.
    """
    history = kept.history
    there = set(history.line[: history.line.index(history.current) + 1]) if history.line else set()
    lines = [Line(text=text, mark=NOT_SAVED, tone="warn") for text in reversed(kept.waiting)]
    if lines:
        # What is on the screen is the newest of them.
        first = lines[0]
        lines[0] = Line(text=first.text, mark=f"{NOW}, {NOT_SAVED}", tone="warn")
    now = 0 if lines else history.current
    # Only the last part of a gesture is a step; the others are in the log.
    replaced = {e.before for e in history.entries if _ends_a_part(e)} - there
    for entry in reversed(history.entries):
        if everything:
            lines.append(_log_line(entry, now))
        elif entry.makes_state and entry.number not in replaced:
            is_now, undone = entry.number == now, entry.number not in there
            lines.append(
                Line(
                    text=entry.text,
                    at=entry.at,
                    mark=NOW if is_now else UNDONE if undone else "",
                    state=entry.number,
                    tone="muted" if undone else "text",
                    number=entry.number,
                )
            )
    words = wanted.casefold().split()
    if not words:
        return lines
    return [line for line in lines if all(w in f"{line.text} {line.mark}".casefold() for w in words)]


def _ends_a_part(entry: Entry) -> bool:
    """Tell whether an entry goes on with the gesture of the state before it, or leads back to its start."""
    if entry.makes_state:
        return entry.parent != entry.before
    return entry.kind == Kind.EDIT and entry.after != entry.before


def _log_line(entry: Entry, now: int) -> Line:
    # One state may be reached several times; the entry that made it bears the mark.
    made_now = entry.makes_state and entry.number == now
    person = f" (by {entry.person})" if entry.person and entry.person not in entry.text else ""
    return Line(
        text=f"{entry.text}{person}",
        at=entry.at,
        mark=NOW if made_now else f"{entry.kind}" if not entry.makes_state else "",
        state=entry.after,
        tone=KIND_TONES.get(Kind(entry.kind), "text") if entry.kind in list(Kind) else "text",
        number=entry.number,
    )


class Lines(QAbstractTableModel):
    """The lines as a table; texts and times are made when they are looked at."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.lines: list[Line] = []

    def show_lines(self, lines: list[Line]) -> None:
        """Show these lines."""
        if lines != self.lines:
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """Return how many lines there are."""
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index | None = None) -> int:
        """Return mark, time and sentence."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return what a column is."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """Return text, colour or letters of a cell."""
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (line.mark, local_seconds(line.at) if line.at else "", line.text)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole:
            tone = line.tone
            if index.column() == TIME:
                tone = "muted"
            elif line.mark.startswith(NOW) and line.tone == "text":
                tone = "accent"
            return tone_colour(tone)
        if role == Qt.ItemDataRole.FontRole and index.column() != TIME and line.mark.startswith(NOW):
            return scaled_font(bold=True)
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == STEP:
            return line.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(
                w for w in (line.mark, local_seconds(line.at) if line.at else "", line.text) if w
            )
        return None


class StepTable(QTableView):
    """The list; Return goes to the chosen step and not to a button of the window."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Return for oneself."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.doubleClicked.emit(self.currentIndex())
            event.accept()
            return
        super().keyPressEvent(event)


class HistoryDialog(QDialog):
    """Stays open beside the work and follows it.

    Parameters
    ----------
    workspace : Workspace
        Goes to a step, and tells what happens.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("History"))
        self.resize(720, 560)
        self._workspace = workspace
        # Of the workspace, so that an export which fails after this window is closed is still told.
        self._asking = Asking(workspace, workspace)
        self._asking.answered.connect(self._exported)
        self._checked: bytes | None = None
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(say("Find a step, for example: probe 2"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(say("Find a step"))
        self.everything = QCheckBox(say("Show e&verything (audit log)"))
        self.everything.setToolTip(say("Also what was undone and done again, approvals, solves and exports"))
        self.model = Lines(self)
        self.table = StepTable()
        self._set_up_table()
        self.count = Text("", "muted", scale=0.93)
        self.chain = Text("", "muted", wrap=True, scale=0.93)
        self.chain.setAccessibleName(say("Whether the history is whole"))
        self.go = QPushButton(say("&Go to this step"))
        self.csv = QPushButton(say("Export CSV..."))
        self.json = QPushButton(say("Export JSON..."))
        close = QPushButton(say("Close"))
        for button, name in ((self.csv, "CSV"), (self.json, "JSON")):
            button.setAccessibleName(say(f"Export the audit log as {name}"))
            button.setToolTip(say("Every entry with its time, what it changed, and its hash"))
        self._lay_out(close)
        self._soon = Later(self._refresh, self)
        self._slow = Later(self._check_chain, self, SLOW_MS)
        self.filter.textChanged.connect(self._soon.ask)
        self.everything.toggled.connect(self._soon.ask)
        self.table.doubleClicked.connect(self._go)
        self.table.selectionModel().currentChanged.connect(self._show_go)
        self.go.clicked.connect(self._go)
        self.csv.clicked.connect(self._export_csv)
        self.json.clicked.connect(self._export_json)
        close.clicked.connect(self.close)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.activated.connect(self.filter.setFocus)
        workspace.file_changed.connect(self._soon.ask)
        workspace.case_changed.connect(self._soon.ask)
        # The next opening makes a new one.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._refresh()
        self.table.setFocus()

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(say("Steps, the newest first"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        # Rows of one height need no look at their texts, however many there are.
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        letters = table.fontMetrics()
        table.verticalHeader().setDefaultSectionSize(letters.height() + 9)
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setSectionResizeMode(STEP, QHeaderView.ResizeMode.Stretch)
        self._width_of_marks(NOT_SAVED)
        head.resizeSection(TIME, letters.horizontalAdvance(say("22 Nov 2026  14:05:09")) + 20)

    def _width_of_marks(self, longest: str) -> None:
        width = self.table.fontMetrics().horizontalAdvance(say(longest)) * 1.15 + 16
        self.table.horizontalHeader().resizeSection(MARK, round(width))

    def _lay_out(self, close: QPushButton) -> None:
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(self.everything)
        row = QHBoxLayout()
        row.addWidget(self.go)
        row.addStretch(1)
        for button in (self.csv, self.json, close):
            row.addWidget(button)
        for button in (self.go, self.csv, self.json, close):
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addWidget(self.count)
        column.addWidget(self.chain)
        column.addLayout(row)
        column.addWidget(Text(f"{RESEARCH_USE}.", "muted", scale=0.93))

    def showEvent(self, event: QShowEvent) -> None:
        """Check the chain once the list is seen."""
        super().showEvent(event)
        self._slow.ask()

    # Showing ----------------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        """What is on the disk."""
        return self._workspace.keeper.kept.history

    @Slot()
    def _refresh(self) -> None:
        kept = self._workspace.keeper.kept
        chosen = self.chosen
        lines = lines_of(kept, everything=self.everything.isChecked(), wanted=self.filter.text())
        self.model.show_lines(lines)
        self._width_of_marks(f"{NOW}, {NOT_SAVED}" if kept.waiting else f"{UNDONE}..")
        self._choose(chosen)
        one = len(lines) == 1
        kind = "step" if one else "steps"
        if self.everything.isChecked():
            kind = f"{'entry' if one else 'entries'} of the audit log"
        found = f"{len(lines):,} {kind}{' found' if self.filter.text().strip() else ''}"
        self.count.say(found if kept.path is not None else "No case is open.")
        for button in (self.csv, self.json):
            button.setEnabled(bool(kept.history.entries))
        if kept.history.seal != self._checked:
            self._slow.ask()
        self._show_go()

    def _choose(self, line: Line | None) -> None:
        """Choose the line again that was chosen, or the present state."""
        lines = self.model.lines
        row = next((n for n, one in enumerate(lines) if line is not None and one.number == line.number), None)
        if row is None or line is None or not line.number or line.mark.startswith(NOW):
            row = next((n for n, one in enumerate(lines) if one.mark.startswith(NOW)), 0)
        if row < len(lines):
            self.table.setCurrentIndex(self.model.index(row, STEP))

    @property
    def chosen(self) -> Line | None:
        """The chosen line."""
        row = self.table.currentIndex().row()
        return self.model.lines[row] if 0 <= row < len(self.model.lines) else None

    @Slot()
    def _show_go(self) -> None:
        line, kept = self.chosen, self._workspace.keeper.kept
        why = ""
        if kept.read_only:
            why = "The case is open for reading only."
        elif line is None:
            why = "Choose a step."
        elif line.state is None:
            why = "This step is not saved yet."
        elif line.state == kept.history.current and not kept.waiting:
            why = "The case is in this state now."
        self.go.setEnabled(not why)
        self.go.setToolTip(
            say(why or "Put plan and structures back as they were after this step; can be undone")
        )

    @Slot()
    def _check_chain(self) -> None:
        kept = self._workspace.keeper.kept
        history = kept.history
        if kept.path is None:
            self.chain.say("")
            return
        if history.seal != self._checked:
            self._broken = history.verify_chain()
            self._checked = history.seal
        count = len(history)
        said = [finding.text for finding in kept.findings]
        if self._broken is not None:
            said.insert(0, f"✕ The history was changed outside cryoplan: entry {self._broken} does not fit.")
        if said:
            self.chain.say(" ".join(dict.fromkeys(said)), "fail")
        else:
            self.chain.say(f"✓ The history is whole: all {count:,} entries fit together.", "ok")

    _broken: int | None = None

    # Doing ------------------------------------------------------------------------------------------

    @Slot()
    def _go(self) -> None:
        line = self.chosen
        self._show_go()
        if self.go.isEnabled() and line is not None and line.state is not None:
            self._workspace.go_to(line.state)

    @Slot()
    def _export_csv(self) -> None:
        self._export("CSV", ".csv")

    @Slot()
    def _export_json(self) -> None:
        self._export("JSON", ".json")

    def _export(self, kind: str, ending: str) -> None:
        case = self._workspace.case
        name = f"{case.code if case is not None else 'case'}-history{ending}"
        typed, _ = QFileDialog.getSaveFileName(self, say(f"Export {kind}"), name, say(f"{kind} (*{ending})"))
        if not typed:
            return
        path = Path(typed)
        if path.suffix.lower() != ending:
            # The dialog asked about the name as it was typed.
            path = path.with_name(path.name + ending)
            if path.exists() and not self._may_replace(path):
                return
        history = self.history

        def write() -> str:
            text = audit_csv(history) if ending == ".csv" else audit_json(history)
            write_atomic(path, text.encode("utf-8"))
            return path.name

        self._asking.run(write)

    def _may_replace(self, path: Path) -> bool:
        answer = QMessageBox.question(
            self, say("Replace file"), say(f"{path.name} exists already. Replace it?")
        )
        return answer == QMessageBox.StandardButton.Yes

    @Slot(object)
    def _exported(self, name: str) -> None:
        self._workspace.message.emit(f"Saved {name}")
