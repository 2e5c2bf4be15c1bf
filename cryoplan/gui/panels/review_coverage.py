"""Coverage: tumour, tumour with a rim and healthy tissue by each isotherm, in percent and millilitres."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Level
from cryoplan.core.geometry import Point
from cryoplan.core.units import show_degc, show_ml, show_percent
from cryoplan.gui.numbers import coverage_row, short_limit
from cryoplan.gui.parts import DASH, SIGNS, STALE, Press, Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.limits import Limits

NAME_PX = 62
ROOMY = 4
"""Columns that leave room for a percent sign at 300 pixels."""
HEALTHY_TIP = "Outside the target and within the body, at or below the isotherm at the lowest temperature."
ICE_TIP = "All that was at or below the isotherm at the lowest temperature, the target included."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in one cell: two lines, how it is judged, and where a press leads."""

    upper: str
    lower: str = ""
    level: Level | None = None
    tip: str = ""
    point: Point | None = None
    name: str = ""


class CellBox(Press):
    """One cell."""

    def __init__(self) -> None:
        super().__init__(framed=False)
        self.point: Point | None = None
        self._upper, self._lower = Text("", scale=0.9, bold=True), Text("", "muted", scale=0.85)
        column = QVBoxLayout()
        column.setContentsMargins(0, 2, 1, 3)
        column.setSpacing(0)
        for part in (self._upper, self._lower):
            part.setAlignment(Qt.AlignmentFlag.AlignRight)
            column.addWidget(part)
        self.add(column)

    @property
    def texts(self) -> tuple[str, str]:
        """Both lines as shown."""
        return self._upper.text(), self._lower.text()

    @property
    def tone(self) -> str:
        """Tone of the upper line."""
        return self._upper.tone

    def show_cell(self, cell: Cell, *, stale: bool) -> None:
        """Show a cell."""
        tone = STALE if stale else cell.level.value if cell.level is not None else "text"
        sign = "" if cell.level in (None, Level.OK) else f"{SIGNS[cell.level]} "
        self._upper.say(f"{sign}{cell.upper}", tone)
        self._lower.say(cell.lower, STALE if stale else "muted")
        self._lower.setVisible(bool(cell.lower))
        self.point = cell.point
        self.setEnabled(cell.point is not None)
        judged = f", {cell.level.value}" if cell.level is not None else ""
        self.setAccessibleName(say(f"{cell.name}: {cell.upper} {cell.lower}{judged}"))
        goes = "Press to go to the worst place." if cell.point is not None else ""
        self.setToolTip(say("\n".join(filter(None, (cell.name, cell.tip, goes)))))


class CoverageSection(Section):
    """The table; one column for each isotherm."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__("Coverage, volumes", is_open=True)
        self._workspace, self._view = workspace, view
        self.none = Text("", "muted", wrap=True)
        self.add(self.none)
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnMinimumWidth(0, NAME_PX)
        self.add(self._table)
        self._heads: list[Text] = []
        self._names: list[Text] = []
        self._boxes: dict[tuple[int, int], CellBox] = {}
        self.rows: list[CellBox] = []
        self.note = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.note)

    def refresh(self) -> None:
        """Show the table of the result on screen."""
        assessment = self._workspace.assessment
        stale = assessment is not None and not self._workspace.is_current
        thresholds = (
            sorted({i.threshold_degc for i in assessment.isotherms}, reverse=True) if assessment else []
        )
        lines = _lines(assessment, self._workspace.limits, thresholds) if assessment is not None else []
        self.none.say("Nothing is solved yet.")
        self.none.setVisible(assessment is None)
        self._table.setVisible(assessment is not None)
        for column, degc in enumerate(thresholds):
            head = _kept(self._heads, column, self._grid, 0, column + 1)
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            head.say(show_degc(degc), STALE if stale else "muted", "At or below, lowest temperature.")
            head.show()
            self._grid.setColumnStretch(column + 1, 1)
        self.rows = []
        used = set()
        for line, (name, tip, cells) in enumerate(lines):
            label = _kept(self._names, line, self._grid, line + 1, 0)
            label.say(name, STALE if stale else "text", tip)
            label.show()
            for column, cell in enumerate(cells):
                box = self._boxes.get((line, column))
                if box is None:
                    box = self._boxes[line, column] = CellBox()
                    box.clicked.connect(self._go)
                    self._grid.addWidget(box, line + 1, column + 1)
                box.show_cell(cell, stale=stale)
                box.show()
                used.add((line, column))
                self.rows.append(box)
        for place, box in self._boxes.items():
            if place not in used:
                box.hide()
        for spare in (*self._heads[len(thresholds) :], *self._names[len(lines) :]):
            spare.hide()
        self._say_limits(assessment, stale)
        self._say_gist(assessment, stale)

    def _say_limits(self, assessment: Assessment | None, stale: bool) -> None:
        wanted = [
            f"{_short_rim(c.rim_mm)} {show_degc(c.threshold_degc)} {short_limit(c.limit)}"
            for c in self._workspace.limits.coverage
        ]
        has = assessment is not None and bool(assessment.coverage)
        self.note.setVisible(has)
        self.note.say(f"Wanted: {'; '.join(wanted) or 'nothing is set'}.", STALE if stale else "muted")

    def _say_gist(self, assessment: Assessment | None, stale: bool) -> None:
        covered = None if assessment is None else assessment.covered(0.0)
        if assessment is None or covered is None:
            self.say("")
            return
        levels = [
            limit.level(c.fraction)
            for c in assessment.coverage
            if (limit := self._workspace.limits.covered(c.threshold_degc, c.rim_mm)) is not None
        ]
        worst = max(levels, key=lambda v: v.rank, default=None)
        sign = "" if worst is None else f"{SIGNS[worst]} "
        tone = STALE if stale else "muted" if worst in (None, Level.OK) else worst.value
        self.say(f"{sign}{_narrow(show_percent(covered.fraction), 1)} in ice", tone)

    @Slot()
    def _go(self) -> None:
        box = self.sender()
        if isinstance(box, CellBox) and box.point is not None:
            self._view.cursor_mm = box.point


def _kept(parts: list[Text], number: int, grid: QGridLayout, row: int, column: int) -> Text:
    while len(parts) <= number:
        parts.append(Text("", "muted", scale=0.85))
        grid.addWidget(parts[-1], row, column, Qt.AlignmentFlag.AlignVCenter)
    return parts[number]


def _narrow(percent: str, columns: int) -> str:
    """Return a percentage without what does not fit; a hundred percent needs no decimals to be that."""
    short = percent.replace("100.0 %", "100 %")
    return short if columns <= ROOMY else short.removesuffix(" %")


def _ml(volume_ml: float) -> str:
    return show_ml(volume_ml).removesuffix(" ml")


def _short_rim(rim_mm: float) -> str:
    return f"+{rim_mm:g} mm" if rim_mm else "target"


def _lines(
    assessment: Assessment, limits: Limits, thresholds: list[float]
) -> list[tuple[str, str, list[Cell]]]:
    lines = []
    for rim in sorted({c.rim_mm for c in assessment.coverage}):
        cells, whole = [], 0.0
        for degc in thresholds:
            covered = assessment.covered(degc, rim)
            assert covered is not None  # each rim is measured for each isotherm
            row = coverage_row(covered, assessment.margin(degc), limits)
            whole = covered.whole_ml
            cells.append(
                Cell(
                    upper=_narrow(row.value, len(thresholds)),
                    lower=show_ml(covered.reached_ml),
                    level=row.level,
                    tip=row.tip,
                    point=row.point,
                    name=f"{_short_rim(rim)} at {show_degc(degc)}",
                )
            )
        tip = f"The target{f' and {rim:g} mm around it, within the body' if rim else ''}: {show_ml(whole)}."
        lines.append((_short_rim(rim), tip, cells))
    if assessment.healthy_below_ml:
        healthy = dict(assessment.healthy_below_ml)
        cells = [
            Cell(upper=_ml(healthy[t]) if t in healthy else DASH, tip=HEALTHY_TIP, name="Healthy tissue, ml")
            for t in thresholds
        ]
        lines.append(("healthy ml", HEALTHY_TIP, cells))
    cells = [Cell(upper=_ml(assessment.volume_ml(t)), tip=ICE_TIP, name="All, ml") for t in thresholds]
    lines.append(("all ml", ICE_TIP, cells))
    return lines
