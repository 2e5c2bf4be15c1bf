"""Review: every number of the assessment beside its limit; the margins side by side and never merged."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_degc, show_mm, show_percent
from cryoplan.gui.dialogs.histogram import HistogramDialog
from cryoplan.gui.histogram_section import HistogramSection
from cryoplan.gui.numbers import (
    LARGE_THRESHOLDS_DEGC,
    Shown,
    left_out_words,
    margin_row,
    margin_title,
    qam_words,
    short_limit,
)
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.limits import LimitEditor
from cryoplan.gui.panels.review_coverage import CoverageSection
from cryoplan.gui.panels.review_map import MarginMapSection
from cryoplan.gui.panels.review_organs import OrgansSection
from cryoplan.gui.panels.review_profile import ProfileSection
from cryoplan.gui.panels.review_sides import SidesEditor
from cryoplan.gui.panels.review_sure import SureSection
from cryoplan.gui.parts import DASH, OUT_OF_DATE, STALE, Heading, Text
from cryoplan.gui.rows import Findings, MarginBox
from cryoplan.margins.assessment import Assessment
from cryoplan.report.decision import CONTROL_RATES

COLUMNS = 7
"""Isotherm; least, 5 % and median; three shares."""


class ReviewPanel(Panel):
    """All margins, coverages, organs, volumes and findings."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Review")
        self.add(Text("Review", bold=True, scale=1.08))
        self.stale = Text("", "warn", bold=True, wrap=True)
        self.add(self.stale)
        boxes, buttons = QHBoxLayout(), QHBoxLayout()
        boxes.setSpacing(8)
        buttons.setSpacing(8)
        self.margins: list[MarginBox] = []
        self.go_buttons: list[QPushButton] = []
        for threshold in LARGE_THRESHOLDS_DEGC:
            box = MarginBox()
            box.clicked.connect(self._go)
            boxes.addWidget(box, 1)
            self.margins.append(box)
            button = QPushButton("Worst place")
            button.setAccessibleName(f"Go to the worst place of the {margin_title(threshold)}")
            button.setToolTip(f"Move the crosshair to where the {margin_title(threshold)} margin is worst")
            button.clicked.connect(self._go)
            buttons.addWidget(button, 1)
            self.go_buttons.append(button)
        self.add(boxes)
        self.add(buttons)
        self.margin_map = MarginMapSection(workspace, view)
        self.add(self.margin_map)
        self.profile = ProfileSection(workspace, view)
        self.add(self.profile)
        self.limits = LimitEditor(workspace)
        self.add(self.limits)
        workspace.file_changed.connect(self._soon.ask)  # it may have become read-only
        self.rates = Text(CONTROL_RATES, "muted", wrap=True, scale=0.93)
        self.add(self.rates)
        self.add(Heading("Margins, mm, and shares of the surface"))
        self._none = Text("", "muted", wrap=True)
        self.add(self._none)
        self._table = QWidget()
        self._cells = QGridLayout(self._table)
        self._cells.setContentsMargins(0, 0, 0, 0)
        self._cells.setHorizontalSpacing(5)
        self._cells.setVerticalSpacing(4)
        self.thresholds: list[list[Text]] = []
        for column, (head, tip) in enumerate(
            (
                ("°C", "Isotherm of the lowest temperature"),
                ("least", "The worst place of the surface"),
                ("5 %", "A twentieth of the surface lies below this"),
                ("median", "Half of the surface lies below this"),
                ("< 0 %", "Share of the surface that the isotherm does not reach"),
                ("0–5 %", "Share of the surface with less than 5 mm"),
                ("≥ 5 %", "Share of the surface with 5 mm and more"),
            )
        ):
            title = Text(head, "muted", scale=0.93)
            title.setToolTip(tip)
            title.setAlignment(_side(column))
            self._cells.addWidget(title, 0, column)
            self._cells.setColumnStretch(column, 1)
        self.add(self._table)
        self.left_out = Text("", "warn", wrap=True, scale=0.93)
        self.add(self.left_out)
        self.sides = SidesEditor(workspace)
        self.add(self.sides)
        self.sure = SureSection(workspace)
        self.add(self.sure)
        self.coverage = CoverageSection(workspace, view)
        self.organs = OrgansSection(workspace, view)
        self.histogram = HistogramSection(workspace, view)
        self.histogram.larger.connect(self._show_histogram)
        for section in (self.coverage, self.organs, self.histogram):
            self.add(section)
        self.add(Heading("Findings"))
        self.findings = Findings("", folds_ok=True)
        self.findings.on_press(self._go_to_finding)
        self.add(self.findings)

    def refresh(self) -> None:
        """Show the assessment, grey unless it is that of the plan on screen."""
        assessment = self.workspace.assessment
        stale = assessment is not None and not self.workspace.is_current
        self.stale.setVisible(stale)
        if stale:
            self.stale.say(f"! {OUT_OF_DATE}: the plan has changed since this was solved.", "warn")
        has_margin = assessment is not None and bool(assessment.margins)
        self._none.setVisible(not has_margin)
        self._none.say(
            "Nothing is solved yet." if assessment is None else "No target is chosen, so there is no margin."
        )
        self._table.setVisible(has_margin)
        self.margin_map.refresh()
        self.profile.refresh()
        self.limits.refresh()
        self._show_margins(assessment, stale)
        self._show_table(assessment, stale)
        self.left_out.say(left_out_words(assessment), STALE if stale else "warn")
        self.left_out.setVisible(bool(self.left_out.text()))
        self.sides.refresh(assessment, stale)
        self.sure.refresh(assessment, stale)
        for section in (self.coverage, self.organs, self.histogram):
            section.refresh()
        self.findings.show_findings(
            assessment.findings if assessment else (),
            empty="Nothing is solved yet." if assessment is None else "✓ Nothing was found.",
            stale=stale,
        )

    def show_limits(self) -> None:
        """Open the fields of the limits."""
        self.limits.opener.setChecked(True)
        self.area.ensureWidgetVisible(self.limits.opener)
        self.limits.opener.setFocus()

    def _show_margins(self, assessment: Assessment | None, stale: bool) -> None:
        for box, button, threshold in zip(self.margins, self.go_buttons, LARGE_THRESHOLDS_DEGC, strict=True):
            margin = assessment.margin(threshold) if assessment else None
            if margin is None:
                row = Shown(
                    name=margin_title(threshold),
                    value=DASH,
                    limit=short_limit(self.workspace.limits.margin(threshold)),
                )
            else:
                row = margin_row(margin, self.workspace.limits)
            box.show_margin(
                row.name, row.value, row.limit, level=row.level, stale=stale, tip=row.tip, point=row.point
            )
            button.setProperty("point", row.point)
            button.setEnabled(row.point is not None)

    def _show_table(self, assessment: Assessment | None, stale: bool) -> None:
        margins = assessment.margins if assessment is not None else ()
        while len(self.thresholds) < len(margins):
            line = [Text("", scale=0.93) for _ in range(COLUMNS)]
            for column, cell in enumerate(line):
                cell.setAlignment(_side(column))
                self._cells.addWidget(cell, len(self.thresholds) + 1, column)
            self.thresholds.append(line)
        limits = self.workspace.limits
        for margin, line in zip(margins, self.thresholds, strict=False):
            row = margin_row(margin, limits)
            limit = limits.margin(margin.threshold_degc)
            at = show_degc(margin.threshold_degc).removesuffix(" °C")
            shares = (margin.fraction_below_0, margin.fraction_0_to_5, margin.fraction_5_up)
            texts = (
                (at, "no ice", *[DASH] * (COLUMNS - 2))
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

    @Slot()
    def _show_histogram(self) -> None:
        hidden = tuple(self.histogram.chart.hidden)
        HistogramDialog(self.workspace, self.view, self.window(), hidden=hidden).show()

    @Slot()
    def _go(self) -> None:
        pressed = self.sender()
        point = pressed.point if isinstance(pressed, MarginBox) else pressed.property("point")
        if point is not None:
            self.go_to(tuple(point))

    def _go_to_finding(self, finding: Finding) -> None:
        """Go to the coldest place of the structure, or to the worst margin of the target."""
        assessment = self.workspace.assessment
        if assessment is None:
            return
        for margin in assessment.margins:
            if finding.place == margin.structure and finding.level is not Level.OK and not margin.no_ice:
                self.go_to(margin.worst_point_mm)
                return
        for organ in assessment.structures:
            if organ.name == finding.place:
                self.go_to(organ.at_mm)
                return


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
