"""Margins in numbers: each isotherm's least, 5 % and median margin, and the shares of the surface."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_degc, show_mm, show_percent
from cryoplan.gui.numbers import left_out_words, margin_row, qam_words
from cryoplan.gui.parts import DASH, STALE, Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.margins.assessment import Assessment
from cryoplan.report.decision import CONTROL_RATES

COLUMNS = (
    ("°C", "Isotherm of the lowest temperature"),
    ("least", "The worst place of the surface, mm"),
    ("5 %", "A twentieth of the surface lies below this, mm"),
    ("median", "Half of the surface lies below this, mm"),
    ("< 0 %", "Share of the surface that the isotherm does not reach"),
    ("0–5 %", "Share of the surface with less than 5 mm"),
    ("≥ 5 %", "Share of the surface with 5 mm and more"),
)


class MarginsSection(Section):
    """A table, one line for each isotherm; what is left out of it stands below."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Margins, mm", is_open=True)
        self._workspace = workspace
        self.none = Text("", "muted", wrap=True)
        self.add(self.none)
        self._table = QWidget()
        self._cells = QGridLayout(self._table)
        self._cells.setContentsMargins(0, 0, 0, 0)
        self._cells.setHorizontalSpacing(3)
        self._cells.setVerticalSpacing(4)
        self.thresholds: list[list[Text]] = []
        for column, (head, tip) in enumerate(COLUMNS):
            title = Text(head, "muted", scale=0.93)
            title.setToolTip(say(tip))
            title.setAlignment(_side(column))
            self._cells.addWidget(title, 0, column)
            self._cells.setColumnStretch(column, 1)
        self.add(self._table)
        self.left_out = Text("", "warn", wrap=True, scale=0.93)
        self.add(self.left_out)
        self.rates = Text(CONTROL_RATES, "muted", wrap=True, scale=0.93)
        self.add(self.rates)

    def refresh(self, assessment: Assessment | None, stale: bool) -> None:
        """Show the margins, grey unless they are those of the plan on screen."""
        has_margin = assessment is not None and bool(assessment.margins)
        self.none.setVisible(not has_margin)
        self.none.say(
            "Nothing is solved yet." if assessment is None else "No target is chosen, so there is no margin."
        )
        self._table.setVisible(has_margin)
        self._show_table(assessment, stale)
        self.left_out.say(left_out_words(assessment), STALE if stale else "warn")
        self.left_out.setVisible(bool(self.left_out.text()))

    def _show_table(self, assessment: Assessment | None, stale: bool) -> None:
        margins = assessment.margins if assessment is not None else ()
        while len(self.thresholds) < len(margins):
            line = [Text("", scale=0.93) for _ in COLUMNS]
            for column, cell in enumerate(line):
                cell.setAlignment(_side(column))
                self._cells.addWidget(cell, len(self.thresholds) + 1, column)
            self.thresholds.append(line)
        limits = self._workspace.limits
        for margin, line in zip(margins, self.thresholds, strict=False):
            row = margin_row(margin, limits)
            limit = limits.margin(margin.threshold_degc)
            at = show_degc(margin.threshold_degc).removesuffix(" °C")
            shares = (margin.fraction_below_0, margin.fraction_0_to_5, margin.fraction_5_up)
            texts = (
                (at, "no ice", *[DASH] * (len(COLUMNS) - 2))
                if margin.no_ice
                else (
                    at,
                    row.value.removesuffix(" mm"),
                    *(show_mm(v, signed=True).removesuffix(" mm") for v in (margin.p05_mm, margin.median_mm)),
                    *(show_percent(v).removesuffix(" %") for v in shares),
                )
            )
            tip = f"{row.tip}\n{qam_words(assessment, margin)}" if assessment is not None else row.tip
            for cell, text in zip(line, texts, strict=True):
                cell.say(text, STALE if stale else "text", tip)
            if not stale and limit is not None and row.level is not None:
                line[1].say(line[1].text(), row.level.value)
            for cell in line:
                cell.show()
        for line in self.thresholds[len(margins) :]:
            for cell in line:
                cell.hide()


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
