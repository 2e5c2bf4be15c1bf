"""A look through files whose answers the test tells."""

from __future__ import annotations

from cryoplan.app.surveying import Surveying
from cryoplan.core.grid import Grid

GRID = Grid(size=(512, 512, 60), spacing_mm=(0.7, 0.7, 5.0), origin_mm=(0.0, 0.0, 0.0))


class Played(Surveying):
    """Looks at nothing: the test emits what was found."""

    def start(self) -> None:
        """Wait for the test."""
        self.asked: list[set[str]] = []

    def ask_names(self, codes) -> None:
        """Note who was asked about."""
        self.asked.append(set(codes))
