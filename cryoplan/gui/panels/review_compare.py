"""Compare: a result put aside as "before", and what the plan on screen changed, better and worse apart."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_degc, show_ml, show_mm, show_percent
from cryoplan.gui.numbers import Shown
from cryoplan.gui.parts import DASH, STALE, Heading, Text
from cryoplan.gui.rows import Rows
from cryoplan.gui.words import say
from cryoplan.margins.compare import Change, LargestDifference, Measured

WHAT = (
    "Keeps the result that is shown, to compare the next ones with: change the plan, solve, and see what "
    "that did. The ice edge before is drawn grey and dashed. It is not saved and never printed."
)
SHOWN_DEGC = (0.0, -20.0, -40.0)


class CompareBox(QWidget):
    """Two buttons, what is different in the plan, and the numbers that changed."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self.keep = QPushButton(say("Keep as before"))
        self.keep.setAccessibleName(say("Keep this result to compare later ones with"))
        self.keep.setToolTip(say(WHAT))
        self.keep.clicked.connect(workspace.before.keep)
        self.forget = QPushButton(say("Forget"))
        self.forget.setAccessibleName(say("Forget the result that was kept"))
        self.forget.clicked.connect(workspace.before.forget)
        self.solve = QPushButton(say("Solve again (F9)"))
        self.solve.setAccessibleName(say("Solve the plan, to compare it with the result before"))
        self.solve.clicked.connect(workspace.request_simulation)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.keep, self.solve, self.forget):
            buttons.addWidget(button, 1)
        self.state = Text("", "muted", wrap=True)
        self.better, self.worse, self.other = (
            Rows(value_px=84, limit_px=58, on_press=self._go) for _ in "123"
        )
        self._heads = [Heading(t) for t in ("Better than before", "Worse than before", "Otherwise changed")]
        self.same = Text("", "muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(buttons)
        column.addWidget(self.state)
        for head, rows in zip(self._heads, (self.better, self.worse, self.other), strict=True):
            column.addWidget(head)
            column.addWidget(rows)
        column.addWidget(self.same)
        workspace.before.changed.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Show what changed; nothing of an answer that is out of date is compared."""
        workspace, before = self._workspace, self._workspace.before
        kept = before.result is not None
        self.keep.setVisible(not kept or before.is_other)
        self.keep.setEnabled(workspace.is_current)
        self.keep.setText(say("Keep this one" if kept else "Keep as before"))
        self.forget.setVisible(kept)
        self.solve.setVisible(kept and not workspace.is_current)
        self.solve.setEnabled(bool(workspace.plan.probes) and not workspace.is_busy)
        changed = [c for c in before.changes if c.is_change and _is_shown(c)]
        same = sum(not c.is_change for c in before.changes if _is_shown(c))
        words = before.words or "nothing in plan and structures"
        if not kept:
            text, tone = (
                "Keep this result, change the plan and solve: then both stand side by side.",
                "muted",
            )
        elif not workspace.is_current:
            text, tone = (f"! Solve to compare. Changed since: {words}.", "warn")
        elif not before.is_other:
            text, tone = ("This result is the one that is kept. Change the plan and solve.", "muted")
        else:
            text, tone = (f"Changed since: {words}.", "text")
        self.state.say(text, tone if workspace.assessment is not None else STALE)
        groups: tuple[tuple[Rows, Callable[[Change], bool]], ...] = (
            (self.better, lambda c: c.is_better is True),
            (self.worse, lambda c: c.is_better is False),
            (self.other, lambda c: c.is_better is None),
        )
        for (rows, fits), head in zip(groups, self._heads, strict=True):
            chosen = [row_of(c) for c in changed if fits(c)]
            if rows is self.other and before.largest is not None:
                chosen.insert(0, _largest(before.largest))
            rows.show_all(chosen, False)
            rows.setVisible(bool(chosen))
            head.setVisible(bool(chosen))
        self.same.say(f"{same} other numbers did not change." if changed else "No number changed.")
        self.same.setVisible(before.is_other)

    def _go(self, point) -> None:
        self._view.cursor_mm = point


def _is_shown(change: Change) -> bool:
    return change.threshold_degc is None or change.threshold_degc in SHOWN_DEGC


def row_of(change: Change) -> Shown:
    """Return a line: what, before and after, and the difference with its sign."""
    show, names = _WORDS[change.measured]
    degc = "" if change.threshold_degc is None else show_degc(change.threshold_degc)
    name = names.format(name=change.name, degc=degc)
    before, after = (DASH if v is None else show(v) for v in (change.before, change.after))
    # The unit stands once, behind the difference; where there is none, behind the values.
    difference = change.difference
    value, limit = f"{before} → {after}", ""
    if difference is not None and not math.isinf(difference):
        unit = " " + after.rpartition(" ")[2]
        value = f"{before.removesuffix(unit)} → {after.removesuffix(unit)}"
        limit = _signed(change, difference) + unit
    better = {True: "better", False: "worse", None: "changed"}[change.is_better]
    return Shown(
        name=name,
        value=value,
        limit=limit,
        tip=f"{name}: {before} before, {after} now, {better}",
        point=change.point_mm,
    )


def _largest(largest: LargestDifference) -> Shown:
    side = "warmer" if largest.degc > 0.0 else "colder"
    return Shown(
        name="Largest difference",
        value=f"{abs(largest.degc):.0f} °C",
        limit=side,
        tip="Of the lowest temperature, in any one place",
        point=largest.at_mm,
    )


def _signed(change: Change, difference: float) -> str:
    scale, digits = (100.0, 1) if change.measured is Measured.COVERAGE else (1.0, 1)
    return f"{scale * difference:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _margin(value: float) -> str:
    return "no ice" if math.isinf(value) else show_mm(value, signed=True)


_WORDS: dict[Measured, tuple[Callable[[float], str], str]] = {
    Measured.MARGIN: (_margin, "Margin {degc}"),
    Measured.COVERAGE: (show_percent, "Covered {degc}"),
    Measured.ORGAN: (show_degc, "{name}"),
    Measured.VOLUME: (show_ml, "Ice {degc}"),
    Measured.HEALTHY: (show_ml, "Healthy tissue frozen"),
}
