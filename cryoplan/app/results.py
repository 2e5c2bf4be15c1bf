"""Results: the last answers of the solver by their keys; undo brings an old ice ball back at once."""

from __future__ import annotations

from collections import OrderedDict

from cryoplan.margins.assessment import Assessment
from cryoplan.simulation.result import ThermalResult

KEPT_RESULTS = 3

Solved = tuple[ThermalResult, Assessment]


class Results:
    """A few results, and the one that is shown: the answer to the question on screen, or the last one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Solved] = OrderedDict()
        self.shown: Solved | None = None

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()
        self.shown = None

    def look_up(self, key: str) -> bool:
        """Show the answer to a question if there is one; tell whether another result is shown now."""
        before = self.shown
        self.shown = self._kept.get(key, before)
        return self.shown is not before

    def keep(self, solved: Solved) -> list[str]:
        """Keep a result as the newest; return the keys of those that had to go for it."""
        self._kept[solved[0].key] = solved
        self._kept.move_to_end(solved[0].key)
        gone = []
        while len(self._kept) > KEPT_RESULTS:
            gone.append(self._kept.popitem(last=False)[0])
        return gone
