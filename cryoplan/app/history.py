"""History: every change of the plan is one entry of Qt's undo stack, and keeps whole plans."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from cryoplan.plan.plan import Plan


class SetPlan(QUndoCommand):
    """Put one plan in the place of another.

    Parameters
    ----------
    text : str
        What the user did, for the history ("Probe 2: tip moved 3.1 mm").
    old, new : Plan
        A few hundred bytes each, so both are kept whole.
    apply : callable
        Makes a plan the current one.
    gesture : str, optional
        Changes of one gesture (a drag) become one entry; one that ends where it began leaves none.
    describe : callable, optional
        ``(old, new) -> text`` for merged entries.
    """

    def __init__(
        self,
        text: str,
        old: Plan,
        new: Plan,
        apply: Callable[[Plan], None],
        gesture: str | None = None,
        describe: Callable[[Plan, Plan], str] | None = None,
    ) -> None:
        super().__init__(text)
        self.old, self.new = old, new
        self._apply = apply
        self._gesture = gesture
        self._describe = describe

    def redo(self) -> None:
        """Make the new plan the current one."""
        self._apply(self.new)

    def undo(self) -> None:
        """Make the old plan the current one."""
        self._apply(self.old)

    def id(self) -> int:
        """Tell Qt which entries may merge: those of one gesture."""
        return -1 if self._gesture is None else zlib.crc32(self._gesture.encode()) & 0x7FFFFFFF

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802 - Qt's name
        """Take in a later change of the same gesture."""
        if not isinstance(other, SetPlan) or other._gesture != self._gesture:
            return False
        self.new = other.new
        if self._describe is not None and self.new != self.old:
            self.setText(self._describe(self.old, self.new))
        if self.new == self.old:
            self.setObsolete(True)
        return True
