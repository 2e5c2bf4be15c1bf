"""Table: a few columns of numbers with a sign in front; a press on a row leads to its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from cryoplan.core.finding import Level
from cryoplan.gui.parts import SIGNS, STALE, Name, Press, Text
from cryoplan.gui.words import say

SIGN_PX = 14


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its texts behind the sign, how it stands, and what its tooltip says.

    Attributes
    ----------
    level : Level or None
        None is neither good nor bad: muted, without a sign.
    """

    texts: tuple[str, ...]
    level: Level | None
    tip: str = ""

    @property
    def sign(self) -> str:
        """The sign in front."""
        return "" if self.level is None else SIGNS[self.level]


class TableRow(Press):
    """One line of a table."""

    def __init__(self, shares: Sequence[int], elided: int | None) -> None:
        super().__init__(framed=False)
        self.cells: list[Text] = []
        row = QHBoxLayout()
        row.setContentsMargins(0, 2, 0, 3)
        row.setSpacing(3)
        sign = Text("", bold=True)
        sign.setFixedWidth(SIGN_PX)
        row.addWidget(sign)
        self.cells.append(sign)
        for column, share in enumerate(shares):
            cell = Name("") if column == elided else Text("")
            _share(cell, column)
            row.addWidget(cell, share)
            self.cells.append(cell)
        self.add(row)

    def show_row(self, row: Row, *, old: bool) -> None:
        """Show a line; an old one is grey."""
        tone = STALE if old else "muted" if row.level is None else row.level.value
        plain = STALE if old else "muted" if row.level is None else "text"
        marked = row.level not in (None, Level.OK)
        for column, (cell, text) in enumerate(zip(self.cells, (row.sign, *row.texts), strict=True)):
            cell.say(text, tone if column == 0 or marked else plain)
        self.setToolTip(say("\n".join(filter(None, (row.tip, "Press to go there.")))))
        level = "" if row.level is None else f", {row.level.value}"
        self.setAccessibleName(say(f"{', '.join(row.texts)}{level}"))


class Table(QWidget):
    """Heads and rows; keeps its rows when it changes.

    Parameters
    ----------
    heads : sequence of (str, int)
        Text and share of the width of each column behind the sign; the first is aligned left.
    elided : int, optional
        Column whose texts may be too long.

    Signals
    -------
    pressed : int
        The number of the row that was pressed, from 0.
    """

    pressed = Signal(int)

    def __init__(self, heads: Sequence[tuple[str, int]], *, elided: int | None = None) -> None:
        super().__init__()
        self._shares = [share for _, share in heads]
        self._elided = elided
        self._shown = 0
        self.lines: list[TableRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(3)
        head.addSpacing(SIGN_PX + 3)
        for column, (text, share) in enumerate(heads):
            title = Text(text, "muted", scale=0.88)
            _share(title, column)
            head.addWidget(title, share)
        self._column.addLayout(head)

    def show_rows(self, rows: Sequence[Row], *, old: bool = False) -> None:
        """Show these rows; grey where they belong to an earlier plan."""
        while len(self.lines) < len(rows):
            line = TableRow(self._shares, self._elided)
            line.clicked.connect(self._press)
            self._column.addWidget(line)
            self.lines.append(line)
        for line, row in zip(self.lines, rows, strict=False):
            line.show_row(row, old=old)
            line.show()
        for line in self.lines[len(rows) :]:
            line.hide()
        self._shown = len(rows)

    def texts(self) -> list[tuple[str, ...]]:
        """Return the rows shown, each with its sign first."""
        return [tuple(cell.text() for cell in line.cells) for line in self.lines[: self._shown]]

    @Slot()
    def _press(self) -> None:
        line = self.sender()
        if isinstance(line, TableRow):
            self.pressed.emit(self.lines.index(line))


def _share(cell: Text, column: int) -> None:
    """Let a cell take its share of the width, so that columns align from row to row."""
    cell.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
    cell.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
