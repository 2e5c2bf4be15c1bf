"""Top bar: whose case this is, which scan and plan, whether it is saved and current; undo and redo."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from cryoplan.app.state import State
from cryoplan.app.workspace import Workspace
from cryoplan.gui.parts import Name, Text, tone_colour
from cryoplan.gui.plan_menu import PlanMenu
from cryoplan.gui.standing import (
    SAVE_ELSEWHERE,
    STATUS_TONES,
    TRY_AGAIN,
    Standing,
    shown_status,
)
from cryoplan.gui.words import say
from cryoplan.image.scan import Scan
from cryoplan.scene.style import Palette

POSITIONS = {
    "HFS": "head first, supine",
    "FFS": "feet first, supine",
    "HFP": "head first, prone",
    "FFP": "feet first, prone",
    "HFDR": "head first, right side down",
    "HFDL": "head first, left side down",
    "FFDR": "feet first, right side down",
    "FFDL": "feet first, left side down",
}

CHIP_TIPS = {
    State.CURRENT: "Ice and numbers are the answer to exactly this plan.",
    State.PREVIEW: "The ice follows the plan on a coarse grid, at the end of the first freeze. "
    "Its numbers are rough and are never printed.",
    State.OUT_OF_DATE: "Ice and numbers belong to an earlier plan.",
}


class TopBar(QWidget):
    """One line that never scrolls away.

    Signals
    -------
    save_elsewhere_requested
        The disk has trouble and the user wants another place.
    """

    save_elsewhere_requested = Signal()

    def __init__(
        self, workspace: Workspace, palette: Palette, buttons: Sequence[QAction], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("topBar")
        self._workspace = workspace
        self._palette = palette
        self._code = QLabel()
        self._code.setStyleSheet("font-weight: bold; font-size: 14px;")
        self._series = Name("", "muted")
        self.plan = PlanMenu(workspace, self)
        self.chip = QLabel()
        self.chip.setAccessibleName(say("State of the result"))
        self.chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._make_saved()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.setSpacing(12)
        row.addWidget(self._code)
        row.addWidget(self._series, 1)
        row.addWidget(self.saved)
        row.addWidget(self.status)
        row.addWidget(self.plan)
        row.addWidget(self.chip)
        for action in buttons:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setAccessibleName(say(action.text().replace("&", "")))
            row.addWidget(button)
        research = QLabel(say("RESEARCH USE"))
        research.setObjectName("researchUse")
        research.setToolTip(say("Research use; not a medical device"))
        row.addWidget(research)
        workspace.case_changed.connect(self._show_case)
        workspace.state_changed.connect(self._show_state)
        self._standing = Standing(workspace, self)
        self._standing.changed.connect(self._show_saved)
        self._show_saved()
        self._show_case()
        self._show_state()

    def _make_saved(self) -> None:
        self.saved = QToolButton()
        self.saved.setObjectName("saved")
        self.saved.setAutoRaise(True)
        self.saved.clicked.connect(self._offer_help)
        self.status = Text("", "muted", bold=True)
        self.help = QMenu(self)
        self.help.addAction(say(TRY_AGAIN)).triggered.connect(self._try_again)
        self.help.addAction(say(SAVE_ELSEWHERE)).triggered.connect(self.save_elsewhere_requested)

    @Slot()
    def _show_saved(self) -> None:
        word, kept = self._standing.word, self._standing.kept
        self.saved.setText(say(word.text))
        self.saved.setVisible(bool(word.text))
        self.saved.setToolTip(say(word.sentence))
        self.saved.setAccessibleName(say(f"Saving: {word.text}"))
        self.saved.setAccessibleDescription(say(word.sentence))
        # Only trouble can be pressed; an everyday word is nothing to stop at.
        troubled = self._standing.trouble is not None
        self.saved.setEnabled(troubled)
        colour = tone_colour(word.tone).name()
        frame = f"1px solid {colour}" if troubled else "none"
        weight = "bold" if word.tone == "warn" else "normal"
        self.saved.setStyleSheet(
            f"#saved {{ color: {colour}; background: transparent; border: {frame}; font-weight: {weight};"
            " padding: 2px 6px; }"
        )
        status = shown_status(kept) if kept.path is not None else ""
        sign = "✓ " if status in ("approved", "treated") else ""
        self.status.say(f"{sign}{status.capitalize()}", STATUS_TONES.get(status, "muted"))
        self.status.setAccessibleName(say(f"Status: {status}"))
        self.status.setToolTip(
            say("Status of the case: draft, ready, approved or treated; see the Report step")
        )
        self.status.setVisible(bool(status))

    @Slot()
    def _offer_help(self) -> None:
        self.help.popup(self.saved.mapToGlobal(QPoint(0, self.saved.height())))

    @Slot()
    def _try_again(self) -> None:
        self._workspace.keeper.retry()

    @Slot()
    def _show_case(self) -> None:
        case = self._workspace.case
        self._code.setText(say(case.code if case else "No case"))
        text = describe_scan(case.scan) if case else "Open a scan, or the demonstration case"
        self._series.say(text)

    @Slot()
    def _show_state(self) -> None:
        state = self._workspace.state
        text = f"{state.value}"
        if state is State.SOLVING and self._workspace.progress is not None:
            text = f"SOLVING {100 * self._workspace.progress.fraction:.0f} %"
        colour = {
            State.CURRENT: self._palette.ok,
            State.SOLVING: self._palette.accent,
            State.PREVIEW: self._palette.preview,
            State.OUT_OF_DATE: self._palette.warn,
        }.get(state, self._palette.text_muted)
        sign = {State.CURRENT: "●", State.SOLVING: "◔", State.PREVIEW: "~", State.OUT_OF_DATE: "!"}.get(
            state, "○"
        )
        self.chip.setText(say(f"{sign} {text}"))
        self.chip.setToolTip(say(CHIP_TIPS.get(state, "")))
        self.chip.setMinimumWidth(130)
        self.chip.setStyleSheet(
            f"color: {colour}; border: 1px solid {colour}; border-radius: 10px; padding: 2px 10px;"
            "font-weight: bold;"
        )


def describe_scan(scan: Scan) -> str:
    """Return the scan in one line: modality, slices, position, tilt, date."""
    facts, grid = scan.facts, scan.volume.grid
    parts = [" ".join(p for p in (facts.modality, facts.description) if p) or facts.kind]
    parts.append(f"{max(grid.spacing_mm):.1f} mm slices")
    if facts.patient_position:
        parts.append(POSITIONS.get(facts.patient_position, facts.patient_position))
    if facts.gantry_tilt_deg is not None:
        parts.append(f"tilt {facts.gantry_tilt_deg:.0f}°")
    if facts.acquired_on:
        parts.append(facts.acquired_on)
    return "  ·  ".join(parts)
