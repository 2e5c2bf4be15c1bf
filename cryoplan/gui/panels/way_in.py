"""Way in: what the chosen probe or tool passes, with lengths, and how near it comes to everything."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QPushButton

from cryoplan.case.case import Case
from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.core.geometry import Point, as_point
from cryoplan.core.units import show_mm
from cryoplan.gui.parts import SIGNS, STALE, Text, short_name
from cryoplan.gui.section import Section
from cryoplan.gui.table import Row, Table
from cryoplan.gui.words import say
from cryoplan.plan.clearance import Clearance, clearances
from cryoplan.plan.limits import PlacementLimits, placement_limits
from cryoplan.plan.path import overshoot_mm, passes, sentence
from cryoplan.plan.rules import clearance_level
from cryoplan.plan.shaft import Shaft

FEW = 5
"""Rows that show at first: the worst."""


class WayIn(Section):
    """The sentence of the path, and a row for each structure that a shaft should keep away from.

    Parameters
    ----------
    go_to : callable
        Takes the place at which the shaft is nearest to a structure; a press on a row leads there.
    """

    def __init__(self, go_to: Callable[[Point], None]) -> None:
        super().__init__("Way in", is_open=True)
        self._go_to = go_to
        self._places: list[Point] = []
        self._rows: list[Row] = []
        self.sentence = Text("", wrap=True)
        self.table = Table((("structure", 9), ("mm", 4), ("limit", 4), ("depth", 4)), elided=0)
        self.table.setToolTip(
            say(
                "Least distance of the shaft's surface, its limit, and how deep below the skin, along "
                "the shaft"
            )
        )
        self.table.pressed.connect(self._press)
        self.note = Text("", "muted", wrap=True, scale=0.93)
        self.more = QPushButton()
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_rows)
        for part in (self.sentence, self.table, self.note, self.more):
            self.add(part)
        self._old = False

    def show_way(self, case: Case | None, shaft: Shaft | None, diameter_mm: float | None) -> None:
        """Work out and show the way of a probe or tool; hidden without one, no clearances without a width."""
        self.setVisible(case is not None and shaft is not None)
        if case is None or shaft is None:
            return
        self._old = False
        self.sentence.say(f"{sentence(case, passes(case, shaft))}{_beyond(case, shaft)}", "text")
        limits = placement_limits()
        near = clearances(case, shaft, diameter_mm, roles=watched(limits)) if diameter_mm is not None else ()
        judged = sorted(
            (
                self._judge(case, clearance, limits)
                for clearance in near
                if clearance.structure != case.target_name
            ),
            key=lambda both: (-both[0].rank, both[1].mm),
        )
        self._rows = [self._row(case, level, clearance, limits) for level, clearance in judged]
        self._places = [_at_depth(shaft, clearance.at_depth_mm) for _, clearance in judged]
        self.note.setVisible(not judged)
        self.note.say("Nothing outlined that a shaft should keep away from.")
        self._show_rows()
        self._say_worst(judged)

    def set_old(self) -> None:
        """Grey what belongs to an earlier place of the probe."""
        if not self._old:
            self._old = True
            self.sentence.say(self.sentence.text(), STALE)
            self.say(self.gist, STALE)
            self._show_rows()

    def _judge(self, case: Case, found: Clearance, limits: PlacementLimits) -> tuple[Level, Clearance]:
        return clearance_level(case.structure(found.structure).role, found.mm, limits), found

    def _row(self, case: Case, level: Level, found: Clearance, limits: PlacementLimits) -> Row:
        structure = case.structure(found.structure)
        least = limits["near_organ_warn"] if structure.role in limits.forbidden else 0.0
        limit = f"≥ {least:.0f}" if least else "> 0"
        texts = (structure.name, bare(found.mm), limit, f"{found.at_depth_mm:.0f}")
        crossed = f", crossed for {show_mm(found.crossed_mm)}" if found.crossed_mm > 0.0 else ""
        tip = f"{structure.name} ({structure.role.value}): {show_mm(found.mm)}{crossed}"
        return Row(texts, level, tip)

    def _say_worst(self, judged: list[tuple[Level, Clearance]]) -> None:
        if not judged:
            self.say("")
            return
        level, found = judged[0]
        if level is Level.OK:
            self.say(f"{SIGNS[level]} clear", level.value)
        else:
            self.say(f"{SIGNS[level]} {short_name(found.structure)} {bare(found.mm)}", level.value)

    @Slot()
    def _show_rows(self) -> None:
        rows = self._rows if self.more.isChecked() else self._rows[:FEW]
        self.table.setVisible(bool(rows))
        self.table.show_rows(rows, old=self._old)
        self.more.setVisible(len(self._rows) > FEW)
        self.more.setText(say("Fewer" if self.more.isChecked() else f"All {len(self._rows)}"))
        self.more.setAccessibleName(say(f"{self.more.text()} clearances"))

    @Slot(int)
    def _press(self, row: int) -> None:
        self._go_to(self._places[row])


def watched(limits: PlacementLimits) -> frozenset[Role]:
    """Return the roles whose clearance is shown: what a shaft should never pass, or only on purpose."""
    return limits.forbidden | limits.doubtful


def bare(value_mm: float) -> str:
    """Return millimetres without their unit, for columns that carry it in their head."""
    return show_mm(value_mm).removesuffix(" mm")


def _beyond(case: Case, shaft: Shaft) -> str:
    """Return how far the tip lies beyond the target's far side, or short of it."""
    over = overshoot_mm(case, shaft)
    if over is None:
        return ""
    return f"; tip {show_mm(abs(over))} {'beyond' if over > 0.0 else 'short of'} the target's far side"


def _at_depth(shaft: Shaft, depth_mm: float) -> Point:
    return as_point(shaft.point_behind_tip_mm(shaft.depth_mm - depth_mm))
