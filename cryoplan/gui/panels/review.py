"""Review: every number of the assessment beside its limit; the margins side by side and never merged."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Finding, Level
from cryoplan.gui.dialogs.histogram import HistogramDialog
from cryoplan.gui.histogram_section import HistogramSection
from cryoplan.gui.numbers import (
    LARGE_THRESHOLDS_DEGC,
    Shown,
    margin_row,
    margin_title,
    short_limit,
)
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.limits import LimitEditor
from cryoplan.gui.panels.review_coverage import CoverageSection
from cryoplan.gui.panels.review_map import MarginMapSection
from cryoplan.gui.panels.review_margins import MarginsSection
from cryoplan.gui.panels.review_organs import OrgansSection
from cryoplan.gui.panels.review_profile import ProfileSection
from cryoplan.gui.panels.review_protect import ProtectSections
from cryoplan.gui.panels.review_sides import SidesEditor
from cryoplan.gui.panels.review_sure import SureSection
from cryoplan.gui.panels.review_time import TimeReview
from cryoplan.gui.parts import DASH, OUT_OF_DATE, Heading, Text
from cryoplan.gui.rows import Findings, MarginBox
from cryoplan.gui.words import say
from cryoplan.margins.assessment import Assessment


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
            button = QPushButton(say("Worst place"))
            button.setAccessibleName(say(f"Go to the worst place of the {margin_title(threshold)}"))
            button.setToolTip(
                say(f"Move the crosshair to where the {margin_title(threshold)} margin is worst")
            )
            button.clicked.connect(self._go)
            buttons.addWidget(button, 1)
            self.go_buttons.append(button)
        self.add(boxes)
        self.add(buttons)
        self.margin_map = MarginMapSection(workspace, view)
        self.in_numbers = MarginsSection(workspace)
        self.sides = SidesEditor(workspace)
        self.coverage = CoverageSection(workspace, view)
        self.organs = OrgansSection(workspace, view)
        self.histogram = HistogramSection(workspace, view)
        self.histogram.larger.connect(self._show_histogram)
        self.time = TimeReview(workspace, view)
        self.protect = ProtectSections(workspace, view)
        self.profile = ProfileSection(workspace, view)
        self.sure = SureSection(workspace)
        self.limits = LimitEditor(workspace)
        workspace.file_changed.connect(self._soon.ask)  # it may have become read-only
        # From the question that is asked first to what is looked up.
        for part in (
            self.margin_map,
            self.in_numbers,
            self.sides,
            self.coverage,
            self.organs,
            self.histogram,
            self.time,
            self.protect,
            self.profile,
            self.sure,
            self.limits,
        ):
            self.add(part)
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
        self._show_margins(assessment, stale)
        for judged in (self.in_numbers, self.sides, self.sure):
            judged.refresh(assessment, stale)
        for part in (
            self.margin_map,
            self.coverage,
            self.organs,
            self.histogram,
            self.time,
            self.protect,
            self.profile,
            self.limits,
        ):
            part.refresh()
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

    @Slot()
    def _show_histogram(self) -> None:
        hidden = tuple(self.histogram.chart.hidden)
        HistogramDialog(self.workspace, self.view, self.window(), hidden=hidden).show()

    @Slot()
    def _go(self) -> None:
        pressed = self.sender()
        point = pressed.point if isinstance(pressed, MarginBox) else pressed.property("point")
        if point is not None:
            self.go_to_place(tuple(point))

    def _go_to_finding(self, finding: Finding) -> None:
        """Go to the coldest place of the structure, or to the worst margin of the target."""
        assessment = self.workspace.assessment
        if assessment is None:
            return
        for margin in assessment.margins:
            if finding.place == margin.structure and finding.level is not Level.OK and not margin.no_ice:
                self.go_to_place(margin.worst_point_mm)
                return
        for organ in assessment.structures:
            if organ.name == finding.place:
                self.go_to(organ.at_mm)
                return
