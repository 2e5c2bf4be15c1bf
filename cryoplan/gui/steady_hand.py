"""Steady hand: Python's search for unreachable objects does not hold up a stroke.

With all libraries loaded a full search goes through half a million objects, 40 ms and more in which the
brush stands still. What is there when a tool is first taken in hand stays for good anyway: it is set aside,
and later searches are short.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Slot

from cryoplan.app.outlining import Outlining


class SteadyHand(QObject):
    """Sets aside what is there, once, when the first tool is taken in hand."""

    def __init__(self, outlining: Outlining) -> None:
        super().__init__(outlining)
        self._outlining = outlining
        self.is_steady = False
        outlining.changed.connect(self._look)

    @Slot()
    def _look(self) -> None:
        if self._outlining.tool is not None:
            self.begin()

    def begin(self) -> None:
        """Set aside what is there, once."""
        if not self.is_steady:
            self.is_steady = True
            # First what is unreachable already: set aside, it would never be freed.
            gc.collect()
            gc.freeze()
            self._outlining.changed.disconnect(self._look)
