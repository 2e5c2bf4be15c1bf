"""Left out: the sides of the tumour that margins are not asked of, each with its share and a tick."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from cryoplan import workflow
from cryoplan.app.workspace import Workspace
from cryoplan.case.left_out import WIDEST_MM, LeftOut, Side
from cryoplan.core.units import show_percent
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import STALE, Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.margins.assessment import Assessment

WHY = (
    "No ice is wanted beyond a capsule, and none is asked for in bone or at the pleura. What is ticked is "
    "left out of every margin, and said beside it."
)
SOURCE = (
    "Within 5 mm of the liver's surface: Sandu et al., Front Oncol 11, 2021, 623098. The choice is one of "
    "this case and can be undone."
)
NOTHING = "No capsule, bone, lung, pleura or skin is within 5 mm of the target."

NAME_PX = 150


class SidesEditor(Section):
    """One line for each side: tick, distance, share of the surface."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Left out of the margins")
        self._workspace = workspace
        self._known: tuple[object, ...] = ()
        self._offered: tuple[tuple[LeftOut, float], ...] = ()
        self.rows: list[SideRow] = []
        lines = QWidget()
        self.add(lines)
        self._grid = QGridLayout(lines)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self.toggled.connect(self._look)
        self.head.setToolTip(say(f"{WHY}\n{SOURCE}"))
        self.note = Text("", "muted", wrap=True, scale=0.93)
        self._grid.addWidget(self.note, 0, 0, 1, 3)

    def refresh(self, assessment: Assessment | None, stale: bool) -> None:
        """Show the sides of the tumour of the result on screen; nothing is offered for one out of date."""
        case, result = self._workspace.case, self._workspace.result
        self.setVisible(assessment is not None and bool(assessment.margins))
        if case is None or result is None or assessment is None or not assessment.margins:
            return
        chosen = {s.structure for s in case.left_out}
        share = assessment.margins[0].fraction_left_out
        gist = show_percent(share) if chosen else "nothing"
        self.say(gist, STALE if stale else "warn" if chosen else "muted")
        # Looking for sides takes some tenths of a second: only where they show, once a result and choice.
        asked = (assessment.key, case.left_out)
        if self.is_open and not stale and asked != self._known:
            self._offered = workflow.offered_sides(case, result, assessment)
            self._known = asked
        may_edit = self._workspace.keeper.may_edit and not stale
        while len(self.rows) < len(self._offered):
            self.rows.append(SideRow(self, self._grid, len(self.rows) + 1))
        for row, (side, on_it) in zip(self.rows, self._offered, strict=False):
            row.show_side(side, on_it, ticked=side.structure in chosen, may_edit=may_edit, stale=stale)
        for row in self.rows[len(self._offered) :]:
            row.hide()
        self.note.say("" if self._offered else NOTHING, STALE if stale else "muted", f"{WHY}\n{SOURCE}")
        self.note.setVisible(not self._offered)

    @Slot()
    def _look(self) -> None:
        workspace = self._workspace
        assessment = workspace.assessment
        self.refresh(assessment, assessment is not None and not workspace.is_current)

    def choose(self, structure: str, within_mm: float | None) -> None:
        """Leave a side out, or not any more; one step of the history."""
        self._workspace.leave_out(structure, within_mm)


class SideRow:
    """One side."""

    def __init__(self, editor: SidesEditor, grid: QGridLayout, line: int) -> None:
        self._editor, self._structure = editor, ""
        self.tick = QCheckBox()
        self.within = NumberBox(
            "Distance within which the side is left out", " mm", lowest=0.5, highest=WIDEST_MM
        )
        self.share = Text("", "muted")
        for column, part in enumerate((self.tick, self.within, self.share)):
            grid.addWidget(part, line, column)
        self.tick.clicked.connect(self._ticked)
        self.within.valueChanged.connect(self._moved)

    def show_side(self, side: LeftOut, share: float, *, ticked: bool, may_edit: bool, stale: bool) -> None:
        """Show a side, its distance and how much of the surface lies on it."""
        self._structure = side.structure
        name = f"capsule of {side.structure}" if side.side is Side.CAPSULE else side.structure
        shown = self.tick.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, NAME_PX)
        self.tick.setText(say(shown))
        self.tick.setToolTip(say(f"Leave {side.words()} out of the margins\n{SOURCE}"))
        self.tick.setAccessibleName(say(f"Leave {name} out of the margins"))
        self.tick.setChecked(ticked)
        self.tick.setEnabled(may_edit)
        self.within.setAccessibleName(say(f"Distance within which {name} is left out"))
        self.within.show_value(side.within_mm)
        self.within.setEnabled(may_edit and ticked)
        self.share.say(show_percent(share), STALE if stale else "muted", "of the tumour's surface")
        for part in (self.tick, self.within, self.share):
            part.show()

    def hide(self) -> None:
        """Show no side."""
        for part in (self.tick, self.within, self.share):
            part.hide()

    @Slot(bool)
    def _ticked(self, ticked: bool) -> None:
        self._editor.choose(self._structure, self.within.value() if ticked else None)

    @Slot(float)
    def _moved(self, _value: float) -> None:
        if self.tick.isChecked():
            self._editor.choose(self._structure, self.within.value())
