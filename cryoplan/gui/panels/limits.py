"""Limits: the limits of this case as fields, each beside the way back to the ordinary one."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.case.own_limits import Judged, Measure
from cryoplan.case.structure import Role
from cryoplan.core.errors import LimitError
from cryoplan.gui.numbers import EXTRA_COVERAGE, coverage_name, limit_words, margin_title
from cryoplan.gui.panels.fields import MINUS
from cryoplan.gui.parts import Name, Text
from cryoplan.gui.words import say
from cryoplan.margins.assessment import DEFAULT_THRESHOLDS_DEGC
from cryoplan.margins.case_limits import (
    UNITS,
    changed_limits,
    is_own,
    is_there,
    limit_of,
    limits_of,
    name_of,
    values,
)

HEADINGS = {
    Measure.MARGIN: "Worst margin, mm",
    Measure.COVERAGE: "Coverage of the tumour, %",
    Measure.ORGAN: "Lowest temperature, °C",
}

FIELD_PX = 56

SIDES = (
    ("wanted", "Values below this warn; empty: nothing warns"),
    ("never below", "Values below this fail; empty: nothing fails"),
)


def rows_of(case: Case) -> list[Judged]:
    """Return what can have a limit in a case: margins, coverages, organs, those that have one first."""
    limits, own = limits_of(case), [o.judged for o in case.limits]
    thresholds = {*DEFAULT_THRESHOLDS_DEGC, *(m.threshold_degc for m in limits.margins)}
    thresholds |= {j.threshold_degc for j in own if j.measure is Measure.MARGIN}
    covered = {*EXTRA_COVERAGE, *((c.threshold_degc, c.rim_mm) for c in limits.coverage)}
    covered |= {(j.threshold_degc, j.rim_mm) for j in own if j.measure is Measure.COVERAGE}
    names = [s.name for s in case.structures if s.role not in (Role.BODY, Role.TUMOUR)]
    organs = [Judged.organ(n) for n in names if n != case.target_name]
    organs += [j for j in own if j.measure is Measure.ORGAN and j not in organs]
    return [
        *(Judged.margin(t) for t in sorted(thresholds, reverse=True)),
        *(Judged.coverage(t, rim) for t, rim in sorted(covered, key=lambda c: (c[1], -c[0]))),
        *sorted(organs, key=lambda j: limit_of(case, j) is None and not is_own(case, j)),
    ]


class LimitEditor(QWidget):
    """A button that opens the fields; every entry is one step of the history.

    What cannot be a limit is said below the button and changes nothing.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.rows: dict[Judged, LimitRow] = {}
        self.opener = QPushButton()
        self.opener.setCheckable(True)
        self.opener.toggled.connect(self._open)
        self.refused = Text("", "warn", wrap=True)
        self.refused.hide()
        self.fields = QWidget()
        self._grid = QGridLayout(self.fields)
        self._grid.setContentsMargins(0, 2, 0, 4)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self._heads: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self.opener, self.refused, self.fields):
            column.addWidget(part)
        workspace.case_changed.connect(self._settle)
        self._open(False)

    def refresh(self) -> None:
        """Show the limits that the case has now."""
        case = self._workspace.case
        self.setVisible(case is not None)
        self._name_opener()
        if case is None or not self.opener.isChecked():
            return
        wanted = rows_of(case)
        if set(wanted) != set(self.rows):
            self._lay_out(wanted)
        may_edit = self._workspace.keeper.may_edit
        for row in self.rows.values():
            row.show_limit(case, may_edit=may_edit)

    def change(self, judged: Judged, warn: float | None, fail: float | None) -> None:
        """Take another limit, or say why not."""
        try:
            self._workspace.set_limit(judged, warn, fail)
        except LimitError as error:
            self.refuse(error)
            return
        self._settle()

    def reset(self, judged: Judged) -> None:
        """Take the ordinary limit again."""
        self._workspace.reset_limit(judged)
        self._settle()

    def refuse(self, error: LimitError) -> None:
        """Say why an entry is no limit, and show the limit that there is."""
        self._settle()
        self.refused.say(f"! {error.what} {error.remedy}")
        self.refused.show()

    @Slot()
    def _settle(self) -> None:
        self.refused.hide()
        for row in self.rows.values():
            row.forget_entry()
        self.refresh()

    def _name_opener(self) -> None:
        count = len(changed_limits(self._workspace.case))
        verb = "Hide the limits" if self.opener.isChecked() else "Limits of this case..."
        self.opener.setText(say(f"{verb} ({count} changed)" if count else verb))
        self.opener.setAccessibleName(say(self.opener.text().rstrip(".")))
        self.opener.setToolTip(
            say("What this case is judged by; a change needs no new solve and can be undone")
        )

    @Slot(bool)
    def _open(self, opened: bool) -> None:
        self.fields.setVisible(opened)
        self.refused.hide()
        self.refresh()

    def _lay_out(self, wanted: list[Judged]) -> None:
        """Put one line for each limit in place; their order follows the measures."""
        for head in self._heads:
            self._grid.removeWidget(head)
            head.hide()
            head.deleteLater()
        for row in self.rows.values():
            row.remove_from(self._grid)
        self._heads, self.rows, line = [], {}, 1
        self._head_sides()
        measure: Measure | None = None
        for judged in wanted:
            if judged.measure is not measure:
                measure = judged.measure
                self._head(line, HEADINGS[measure])
                line += 1
            row = LimitRow(self, judged)
            row.add_to(self._grid, line)
            self.rows[judged] = row
            line += 1
        # Tab goes down the lines as they are read.
        boxes = [part for row in self.rows.values() for part in (*row.boxes, row.back)]
        for first, second in pairwise(boxes):
            QWidget.setTabOrder(first, second)

    def _head(self, line: int, text: str) -> None:
        title = Text(text, "muted", scale=0.93, bold=True)
        self._grid.addWidget(title, line, 0, 1, 4)
        self._heads.append(title)

    def _head_sides(self) -> None:
        for column, (word, tip) in enumerate(SIDES, 1):
            side = Text(word, "muted", scale=0.85)
            side.setToolTip(say(tip))
            side.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
            self._grid.addWidget(side, 0, column)
            self._heads.append(side)


class LimitRow:
    """One limit: its name, the two values, and the way back to the ordinary limit."""

    def __init__(self, editor: LimitEditor, judged: Judged) -> None:
        self._editor, self.judged = editor, judged
        self._values: tuple[float | None, float | None] = (None, None)
        self.name = Name(_short_name(judged), scale=0.95)
        self.boxes = (LimitBox(), LimitBox())
        for box, (side, _) in zip(self.boxes, SIDES, strict=True):
            box.setAccessibleName(say(f"Limit of {name_of(judged)}, {side}"))
            box.editingFinished.connect(self._take)
        self.back = QToolButton()
        self.back.setText("↺")
        self.back.setFixedWidth(22)
        self.back.setStyleSheet("QToolButton { padding: 2px 0px; }")
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.back.setSizePolicy(policy)
        self.back.setAccessibleName(say(f"Default limit of {name_of(judged)}"))
        self.back.setToolTip(say("Back to the default"))
        self.back.clicked.connect(self._reset)
        self._parts: tuple[QWidget, ...] = (self.name, *self.boxes, self.back)

    def add_to(self, grid: QGridLayout, line: int) -> None:
        """Take a line of the grid."""
        for column, part in enumerate(self._parts):
            grid.addWidget(part, line, column)

    def remove_from(self, grid: QGridLayout) -> None:
        """Leave the grid for good."""
        for part in self._parts:
            grid.removeWidget(part)
            part.hide()
            part.deleteLater()

    def show_limit(self, case: Case, *, may_edit: bool) -> None:
        """Show the limit that the case has; what is being typed is left alone."""
        limit, own = limit_of(case, self.judged), is_own(case, self.judged)
        there = is_there(case, self.judged)
        self._values = values(limit)
        name = _short_name(self.judged)
        self.name.say(
            f"{name} *" if own else name,
            "accent" if own else "text",
            f"{name}\n{limit_words(limit)}" if there else f"{name} is not in this case any more.",
        )
        for box, value in zip(self.boxes, self._values, strict=True):
            box.show_text(_written(value, self.judged.measure))
            box.setEnabled(may_edit and there)
            box.setToolTip(say(limit_words(limit)))
        self.back.setEnabled(own and may_edit)
        self.back.setVisible(own)

    def forget_entry(self) -> None:
        """Let what was typed be replaced by the limit that there is."""
        for box in self.boxes:
            box.setModified(False)

    def _take(self) -> None:
        entered: list[float | None] = []
        for box, known in zip(self.boxes, self._values, strict=True):
            if not box.isModified():
                entered.append(known)
                continue
            try:
                entered.append(read_limit(box.text(), self.judged))
            except LimitError as error:
                self._editor.refuse(error)
                return
        if tuple(entered) == self._values:
            for box, value in zip(self.boxes, self._values, strict=True):
                box.force_text(_written(value, self.judged.measure))
            return
        self._editor.change(self.judged, *entered)

    def _reset(self) -> None:
        self._editor.reset(self.judged)


class LimitBox(QLineEdit):
    """A number, or nothing where there is no limit."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(FIELD_PX)
        self.setMaxLength(12)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setPlaceholderText(say("none"))

    def show_text(self, text: str) -> None:
        """Show a value, unless another one is being typed."""
        if not self.isModified():
            self.force_text(text)

    def force_text(self, text: str) -> None:
        """Show a value in place of whatever stands here."""
        if text != self.text():
            self.setText(say(text))
        self.setModified(False)


def read_limit(text: str, judged: Judged) -> float | None:
    """Return the value of an entry, None for an empty one.

    Raises
    ------
    LimitError
        If it is no number.
    """
    plain = text.strip().replace(MINUS, "-").replace(",", ".")
    for unit in ("mm", "°C", "%"):
        plain = plain.removesuffix(unit).strip()
    if not plain:
        return None
    try:
        value = float(plain)
    except ValueError as error:
        raise LimitError(
            f"“{text.strip()}” is no number, so the limit of {name_of(judged)} stays as it is.",
            "Write a number such as 5, or nothing for no limit.",
            code="limit-not-a-number",
            place=name_of(judged),
        ) from error
    return value / 100.0 if judged.measure is Measure.COVERAGE else value


def _written(value: float | None, measure: Measure) -> str:
    if value is None:
        return ""
    shown = 100.0 * value if UNITS[measure] == "fraction" else value
    return f"{shown:.6g}".replace("-", MINUS)


def _short_name(judged: Judged) -> str:
    if judged.measure is Measure.ORGAN:
        return judged.structure
    if judged.measure is Measure.COVERAGE:
        return coverage_name(judged.threshold_degc, judged.rim_mm)
    return margin_title(judged.threshold_degc)
