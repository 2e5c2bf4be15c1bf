"""Pair table: how far apart any two probes are at tip, middle and back of their active zones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Slot

from cryoplan.core.finding import Level
from cryoplan.core.geometry import Point, as_point
from cryoplan.core.units import show_mm
from cryoplan.gui.parts import SIGNS
from cryoplan.gui.section import Section
from cryoplan.gui.table import Row, Table
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.placement import Pair, pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.spacing import judge_pair, neighbours

_WORST_FIRST = (Level.FAIL, Level.WARN, Level.OK, None)


class PairTable(Section):
    """The table, coloured by the limits of spacing; the worst pair stands beside the heading.

    Parameters
    ----------
    go_to : callable
        Takes a pair's place and its two names; a press on a row leads there.
    """

    def __init__(self, go_to: Callable[[Point, str, str], None]) -> None:
        super().__init__("Pairs, axis to axis")
        self._go_to = go_to
        self._places: list[tuple[Point, str, str]] = []
        self.table = Table((("pair", 4), ("tip", 4), ("mid", 4), ("back", 4), ("angle", 4), ("gap", 4)))
        self.table.setToolTip(
            "mm between the axes at the tips, the middles and the back ends of the active zones; the angle; "
            "the least gap between the shafts"
        )
        self.table.pressed.connect(self._press)
        self.add(self.table)

    def show_pairs(self, plan: Plan, catalogue: Catalogue) -> None:
        """Show all pairs of a plan whose models are known."""
        found = pairs(plan, catalogue)
        self.setVisible(bool(found))
        near = neighbours(found)
        rows, judged = [], []
        for pair in found:
            level, why = judge_pair(plan, pair, are_neighbours=(pair.a, pair.b) in near)
            judged.append((level, pair))
            numbers = (pair.tip_mm, pair.middle_mm, pair.back_mm)
            texts = (
                f"{pair.a}–{pair.b}",
                *(f"{value:.1f}" for value in numbers),
                f"{pair.angle_deg:.0f}°",
                f"{pair.closest_mm:.1f}".replace("-", "\N{MINUS SIGN}"),
            )
            rows.append(Row(texts, level, why))
        self._places = [(_between(plan, pair, catalogue), pair.a, pair.b) for pair in found]
        self.table.show_rows(rows)
        self._say_worst(judged)

    def _say_worst(self, judged: list[tuple[Level | None, Pair]]) -> None:
        if not judged:
            self.say("")
            return
        level, pair = min(judged, key=lambda both: (_WORST_FIRST.index(both[0]), -both[1].widest_mm))
        if level in (None, Level.OK):
            self.say(f"{SIGNS[Level.OK]} all well spaced", Level.OK.value)
            return
        assert level is not None
        far = pair.widest_mm if level is Level.FAIL or pair.narrowest_mm >= 10.0 else pair.narrowest_mm
        self.say(f"{SIGNS[level]} {pair.a}–{pair.b} {show_mm(far)}", level.value)

    @Slot(int)
    def _press(self, row: int) -> None:
        self._go_to(*self._places[row])


def _between(plan: Plan, pair: Pair, catalogue: Catalogue) -> Point:
    """Return the place halfway between the middles of two active zones."""
    ends = [plan.probe(n).active_zone_mm(catalogue.model(plan.probe(n).model)) for n in (pair.a, pair.b)]
    return as_point(np.mean(np.asarray(ends, float), axis=(0, 1)))
