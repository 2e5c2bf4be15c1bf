"""Rows: numbers beside their limits, findings and margins, as plan card and panels show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolTip, QVBoxLayout, QWidget

from cryoplan.core.finding import Finding, Level
from cryoplan.gui.meaning import has_meaning, offer_meaning, tip_of
from cryoplan.gui.numbers import Shown
from cryoplan.gui.parts import SIGNS, STALE, Name, Press, Text
from cryoplan.gui.words import say


class NumberRow(Press):
    """Sign, name, value and limit in columns that align from row to row; a press goes to the place."""

    def __init__(self, *, value_px: int = 96, limit_px: int = 62) -> None:
        super().__init__(framed=False)
        self.point = None
        self._sign = Text("", bold=True)
        self._sign.setFixedWidth(14)
        self._name = Name(scale=0.95)
        self._value = Text("", bold=True)
        self._value.setMinimumWidth(value_px)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._limit = Text("", "muted")
        self._limit.setMinimumWidth(limit_px)
        self._limit.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout()
        row.setContentsMargins(0, 3, 0, 4)
        row.setSpacing(3)
        row.addWidget(self._sign)
        row.addWidget(self._name, 1)
        row.addWidget(self._value)
        row.addWidget(self._limit)
        self._limit.setVisible(limit_px > 0)
        self.add(row)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """Sign, name, value and limit as shown."""
        return (self._sign.text(), self._name.text(), self._value.text(), self._limit.text())

    @property
    def tone(self) -> str:
        """Tone of the value."""
        return self._value.tone

    def show_numbers(
        self,
        name: str,
        value: str,
        limit: str = "",
        *,
        level: Level | None = None,
        stale: bool = False,
        tip: str = "",
        point=None,
    ) -> None:
        """Show one number; `level` None means that it has no limit.

        Parameters
        ----------
        point : Point, optional
            Where a press goes to.
        """
        tone = STALE if stale else level.value if level is not None else "text"
        self._sign.say("" if level is None else SIGNS[level], tone)
        self._name.say(name, tone if level not in (None, Level.OK) or stale else "text")
        self._value.say(value, tone)
        self._limit.say(limit, STALE if stale else "muted")
        self.point = point
        self.setEnabled(point is not None)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if point is not None else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if point is not None else Qt.CursorShape.ArrowCursor)
        words = f", {level.value}" if level is not None else ""
        self.setAccessibleName(
            say(f"{name}: {value}, limit {limit}{words}" if limit else f"{name}: {value}{words}")
        )
        goes = "Press to go there." if point is not None else ""
        self.setToolTip(say("\n".join(part for part in (name, tip, goes) if part)))


class FindingRow(Press):
    """Sign and sentence of one finding, wrapped."""

    def __init__(self) -> None:
        super().__init__(framed=False)
        self._sign = Text("", bold=True)
        self._sign.setFixedWidth(14)
        self._text = Text("", wrap=True, scale=0.93)
        row = QHBoxLayout()
        row.setContentsMargins(0, 3, 0, 5)
        row.setSpacing(4)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self.add(row)
        self.finding: Finding | None = None

    def show_finding(self, finding: Finding, *, stale: bool = False, goes: bool = False) -> None:
        """Show a finding; `goes` tells whether a press leads somewhere."""
        self.finding = finding
        self._sign.say(SIGNS[finding.level], STALE if stale else finding.level.value)
        self._text.say(finding.text, STALE if stale else "text")
        self.setAccessibleName(say(f"{finding.level.value}: {finding.text}"))
        self.setToolTip(say(tip_of(finding)))
        self.setEnabled(goes)
        # A disabled button swallows the right click; the list behind it gives menu and tooltip instead.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not goes)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if goes else Qt.FocusPolicy.NoFocus)


class Findings(QWidget):
    """A list of findings, heaviest first, that keeps its rows when it changes.

    Parameters
    ----------
    empty : str
        What is said when there is none.
    folds_ok : bool
        Put those that are ok behind a button that counts them.
    """

    def __init__(self, empty: str = "", *, folds_ok: bool = False) -> None:
        super().__init__()
        self.rows: list[FindingRow] = []
        self._on_press = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._empty = Text(empty, "muted", wrap=True, scale=0.93)
        self._column.addWidget(self._empty)
        self._folds_ok = folds_ok
        self.passed = QPushButton()
        self.passed.setCheckable(True)
        self.passed.toggled.connect(self._fold)
        self.passed.hide()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the help on the finding under the mouse, whether or not its row can be pressed."""
        row = self._row_at(event.pos())
        if row is None or not has_meaning(row.finding.code):
            event.ignore()
            return
        offer_meaning(self, row.finding.code, event.globalPos())

    def event(self, event: QEvent) -> bool:
        """Show the tooltip of a row that takes no mouse."""
        if event.type() == QEvent.Type.ToolTip and (row := self._row_at(event.pos())) is not None:
            QToolTip.showText(event.globalPos(), say(row.toolTip()), self, row.geometry())
            return True
        return super().event(event)

    def _row_at(self, point: QPoint) -> FindingRow | None:
        under = (r for r in self.rows if r.isVisible() and r.geometry().contains(point))
        return next((r for r in under if r.finding is not None), None)

    def on_press(self, call) -> None:
        """Call this with the finding whose row is pressed; findings without a place do not react."""
        self._on_press = call

    def show_findings(
        self, findings: Iterable[Finding], *, empty: str | None = None, stale: bool = False
    ) -> None:
        """Show these findings, or the sentence `empty`."""
        shown = sorted(findings, key=lambda f: -f.level.rank)
        while len(self.rows) < len(shown):
            row = FindingRow()
            row.clicked.connect(self._pressed)
            self._column.addWidget(row)
            self.rows.append(row)
        for row, finding in zip(self.rows, shown, strict=False):
            row.show_finding(finding, stale=stale, goes=self._on_press is not None and bool(finding.place))
        self._count = len(shown)
        self._fold()
        if empty is not None:
            self._empty.say(empty)
        self._empty.setVisible(not shown and bool(self._empty.text()))

    _count = 0

    def _fold(self) -> None:
        passed = 0
        for number, row in enumerate(self.rows):
            used = number < self._count and row.finding is not None
            ok = used and row.finding.level is Level.OK
            passed += ok
            row.setVisible(used and not (ok and self._folds_ok and not self.passed.isChecked()))
        if self._folds_ok:
            if self._column.indexOf(self.passed) < 0:
                self._column.addSpacing(4)
                self._column.addWidget(self.passed)
            self.passed.setVisible(passed > 0)
            verb = "Hide" if self.passed.isChecked() else "Show"
            self.passed.setText(say(f"{verb} {passed} that passed"))
            self.passed.setAccessibleName(self.passed.text())

    def texts(self) -> list[str]:
        """Return the sentences shown."""
        return [row.finding.text for row in self.rows if not row.isHidden() and row.finding is not None]

    def show_all(self, shown: Sequence[Shown], stale: bool) -> None:
        """Fill the column, one row a value; grey where `stale`."""
        for row, part in zip(self.set_count(len(shown)), shown, strict=True):
            row.show_numbers(
                part.name,
                part.value,
                part.limit,
                level=part.level,
                stale=stale,
                tip=part.tip,
                point=part.point,
            )

    def _pressed(self) -> None:
        row = self.sender()
        if self._on_press is not None and isinstance(row, FindingRow) and row.finding is not None:
            self._on_press(row.finding)


class MarginBox(Press):
    """One margin, large: what it is measured to, its worst value, its limit."""

    def __init__(self) -> None:
        super().__init__()
        self.point = None
        self._title = Text("", "muted", scale=0.93)
        self._value = Text("", scale=1.5, bold=True)
        self._limit = Text("", "muted", scale=0.93)
        self._sure = Text("", "muted", scale=0.93)
        column = QVBoxLayout()
        column.setContentsMargins(8, 7, 4, 7)
        column.setSpacing(2)
        for part in (self._title, self._value, self._sure, self._limit):
            column.addWidget(part)
        self._sure.hide()
        self.add(column)

    @property
    def texts(self) -> tuple[str, str, str]:
        """Title, value and limit as shown."""
        return (self._title.text(), self._value.text(), self._limit.text())

    @property
    def tone(self) -> str:
        """Tone of the value."""
        return self._value.tone

    def show_margin(
        self,
        title: str,
        value: str,
        limit: str,
        *,
        level: Level | None,
        stale: bool,
        tip: str,
        point,
        preview: bool = False,
        sure: str = "",
    ) -> None:
        """Show a margin; None as `level`: there is none yet, it has no limit, or it is one of a preview.

        `sure` is one line on how sure it is.
        """
        tone = STALE if stale else level.value if level is not None else "preview" if preview else "text"
        sign = "" if level is None else f"{SIGNS[level]} "
        self._title.say(title, STALE if stale else "muted")
        self._value.say(value, tone)
        self._limit.say(
            f"{sign}limit {limit}" if limit else "", tone if level not in (None, Level.OK) else "muted"
        )
        self._sure.say(sure, STALE if stale else "muted")
        self._sure.setVisible(bool(sure))
        self.set_edge("" if stale or level in (None, Level.OK) else tone)
        self.point = point
        self.setEnabled(point is not None)
        self.setAccessibleName(say(f"{title}: {value}, {limit}" + (f", {level.value}" if level else "")))
        self.setToolTip(say(tip))


class Rows(QWidget):
    """A column of `NumberRow`s that grows and shrinks without being built anew."""

    def __init__(self, *, value_px: int = 96, limit_px: int = 62, on_press=None) -> None:
        super().__init__()
        self._sizes = {"value_px": value_px, "limit_px": limit_px}
        self._on_press = on_press
        self.rows: list[NumberRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def set_count(self, count: int) -> list[NumberRow]:
        """Return exactly `count` rows to be filled."""
        while len(self.rows) < count:
            row = NumberRow(**self._sizes)
            row.clicked.connect(self._pressed)
            self._column.addWidget(row)
            self.rows.append(row)
        while len(self.rows) > count:
            row = self.rows.pop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        return self.rows

    def show_all(self, shown: Sequence[Shown], stale: bool) -> None:
        """Fill the column, one row a value; grey where `stale`."""
        for row, part in zip(self.set_count(len(shown)), shown, strict=True):
            row.show_numbers(
                part.name,
                part.value,
                part.limit,
                level=part.level,
                stale=stale,
                tip=part.tip,
                point=part.point,
            )

    def _pressed(self) -> None:
        row = self.sender()
        if self._on_press is not None and isinstance(row, NumberRow) and row.point is not None:
            self._on_press(row.point)
