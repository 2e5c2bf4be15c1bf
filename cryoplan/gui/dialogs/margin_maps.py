"""Margin maps: the ice edge and the lethal isotherm side by side on the unrolled tumour, large."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from cryoplan import RESEARCH_USE
from cryoplan.app.margin_shown import margin_of
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.gui.margin_bars_view import MarginBarsView
from cryoplan.gui.margin_legend import LegendLine, legend_words
from cryoplan.gui.numbers import LARGE_THRESHOLDS_DEGC, margin_row
from cryoplan.gui.parts import OUT_OF_DATE, STALE, Later, Text
from cryoplan.gui.unrolled_view import UnrolledView
from cryoplan.gui.words import say
from cryoplan.gui.worst_walk import NO_RESULT, place_number

READING = (
    "The whole surface of the tumour, seen from its middle: front (A) in the middle, back (P) at both rims, "
    "the patient's right (R) on the left. Where parts of it lie behind each other the worst is shown. "
    "A press moves the crosshair there; numbers are the worst places."
)


class _Column(QWidget):
    """One margin: its least value, its shares, its map and its histogram."""

    def __init__(self, workspace: Workspace, view: ViewState, threshold_degc: float) -> None:
        super().__init__()
        self._workspace, self._view, self._degc = workspace, view, threshold_degc
        self.title = Text("", bold=True, scale=1.1)
        self.legend = LegendLine()
        self.unrolled = UnrolledView()
        self.bars = MarginBarsView()
        self.unrolled.chosen.connect(self._go)
        column = QVBoxLayout(self)
        for part in (self.title, self.legend, self.unrolled, self.bars):
            column.addWidget(part)
        column.addStretch(1)

    def refresh(self) -> None:
        """Show the margins there are, grey unless they are those of the plan on screen."""
        shown = margin_of(self._workspace, self._view, self._degc)
        for part in (self.title, self.legend, self.unrolled, self.bars):
            part.setVisible(shown is not None)
        assessment = self._workspace.assessment
        margin = None if assessment is None else assessment.margin(self._degc)
        if shown is None or margin is None:
            return
        limits = self._workspace.limits
        row, limit = margin_row(margin, limits), limits.margin(self._degc)
        tone = "text" if shown.is_current else STALE
        level = row.level.value if shown.is_current and row.level is not None else tone
        self.title.say(f"{row.name}: {row.value} ({row.limit})", level, row.tip)
        self.legend.show_words(legend_words(shown, with_shares=True), tone)
        self.unrolled.show_margin(shown)
        self.unrolled.show_marks(self._view.cursor_mm, place_number(shown, self._view))
        wanted = None if limit is None else limit.warn or limit.fail
        self.bars.setVisible(not shown.bars.no_ice)
        self.bars.show_margin(shown, None if wanted is None else wanted.value)

    @Slot(tuple)
    def _go(self, point: Point) -> None:
        self._view.place_mm = point
        self._view.cursor_mm = point


class MarginMapsDialog(QDialog):
    """Both margins beside the work; follows plan, result, steps and crosshair."""

    def __init__(self, workspace: Workspace, view: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Margins on the tumour"))
        self.resize(1040, 520)
        self._workspace = workspace
        self.columns = [_Column(workspace, view, degc) for degc in LARGE_THRESHOLDS_DEGC]
        self.state = Text("", "warn", bold=True, wrap=True)
        row = QHBoxLayout()
        row.setSpacing(18)
        for column in self.columns:
            row.addWidget(column, 1)
        whole = QVBoxLayout(self)
        whole.addWidget(self.state)
        whole.addLayout(row, 1)
        whole.addWidget(Text(READING, "muted", wrap=True, scale=0.93))
        whole.addWidget(Text(RESEARCH_USE, "muted", scale=0.93))
        self._soon = Later(self.refresh, self)
        for signal in (
            workspace.case_changed,
            workspace.plan_changed,
            workspace.result_changed,
            workspace.state_changed,
            workspace.limits_changed,
            view.changed,
        ):
            signal.connect(self._soon.ask)
        # The next opening makes a new one, and a closed one need not follow the work.
        self.finished.connect(self.deleteLater)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show both margins, and say what they are of."""
        assessment = self._workspace.assessment
        if assessment is None or assessment.margin_map is None:
            self.state.say(NO_RESULT, "muted")
        elif self._workspace.is_current:
            self.state.say(assessment.margin_map.structure, "text")
        else:
            self.state.say(f"! {OUT_OF_DATE}: the plan has changed since this was solved.", "warn")
        for column in self.columns:
            column.refresh()
