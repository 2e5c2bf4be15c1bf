"""Pair table: how far apart any two probes are at tip, middle and back of their active zones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QPushButton

from cryoplan.core.finding import Level
from cryoplan.core.geometry import Point, as_point
from cryoplan.core.units import show_mm
from cryoplan.gui.parts import SIGNS
from cryoplan.gui.section import Section
from cryoplan.gui.table import Row, Table
from cryoplan.gui.words import say
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.limits import placement_limits
from cryoplan.plan.placement import Pair, pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.spacing import judge_pair, neighbours, off_limits

FEW = 6
"""Of more pairs only those of the chosen probe show at first: four probes have six."""


class PairTable(Section):
    """The table, coloured by the limits of spacing; the worst pair stands beside the heading.

    Parameters
    ----------
    go_to : callable
        Takes a pair's place and its two names; a press on a row leads there.
    refresh : callable
        A slot that shows the pairs again.
    """

    def __init__(self, go_to: Callable[[Point, str, str], None], refresh: Callable[[], None]) -> None:
        super().__init__("Pairs, axis to axis")
        self._go_to = go_to
        self._places: list[tuple[Point, str, str]] = []
        self.table = Table((("pair", 4), ("tip", 4), ("mid", 4), ("back", 4), ("angle", 4), ("gap", 4)))
        self.table.setToolTip(
            say(
                "mm between the axes at the tips, the middles and the back ends of the active zones; "
                "the angle; the least gap between the shafts"
            )
        )
        self.table.pressed.connect(self._press)
        self.more = QPushButton()
        self.more.setCheckable(True)
        self.more.toggled.connect(refresh)
        self.add(self.table)
        self.add(self.more)

    def show_pairs(self, plan: Plan, catalogue: Catalogue, chosen: str | None = None) -> None:
        """Show all pairs of a plan whose models are known; of many, those of the chosen probe at first."""
        found = pairs(plan, catalogue)
        self.setVisible(bool(found))
        near = neighbours(found)
        judged = [(pair, *judge_pair(plan, pair, are_neighbours=(pair.a, pair.b) in near)) for pair in found]
        self._say_worst(plan, judged)
        many = len(found) > FEW
        self.more.setVisible(many)
        self.more.setText(say("Fewer" if self.more.isChecked() else f"All {len(found)} pairs"))
        self.more.setAccessibleName(self.more.text())
        if many and not self.more.isChecked():
            judged = [j for j in judged if chosen in (j[0].a, j[0].b)]
        self.table.show_rows([_row(pair, level, why) for pair, level, why in judged])
        self.table.setVisible(bool(judged))
        self._places = [(_between(plan, pair, catalogue), pair.a, pair.b) for pair, _, _ in judged]

    def _say_worst(self, plan: Plan, judged: list[tuple[Pair, Level | None, str]]) -> None:
        bad = [(pair, level) for pair, level, _ in judged if level not in (None, Level.OK)]
        if not bad:
            self.say(f"{SIGNS[Level.OK]} all well spaced" if judged else "", Level.OK.value)
            return
        pair, level = max(bad, key=lambda both: (both[1].rank, off_limits(plan, both[0])))
        is_close = pair.narrowest_mm < placement_limits()["close_warn"]
        far = show_mm(pair.narrowest_mm if is_close else pair.widest_mm)
        self.say(f"{SIGNS[level]} {pair.a}–{pair.b} {far}", level.value)

    @Slot(int)
    def _press(self, row: int) -> None:
        self._go_to(*self._places[row])


def _row(pair: Pair, level: Level | None, why: str) -> Row:
    numbers = (pair.tip_mm, pair.middle_mm, pair.back_mm)
    texts = (
        f"{pair.a}–{pair.b}",
        *(f"{value:.1f}" for value in numbers),
        f"{pair.angle_deg:.0f}°",
        f"{pair.closest_mm:.1f}".replace("-", "\N{MINUS SIGN}"),
    )
    return Row(texts, level, why)


def _between(plan: Plan, pair: Pair, catalogue: Catalogue) -> Point:
    """Return the place halfway between the middles of two active zones."""
    ends = [plan.probe(n).active_zone_mm(catalogue.model(plan.probe(n).model)) for n in (pair.a, pair.b)]
    return as_point(np.mean(np.asarray(ends, float), axis=(0, 1)))
