"""LiveIce: a coarse preview of the ice follows the plan in hand; once the hand rests, the plan is solved.

Only the newest plan is asked for, and one preview at a time. A preview under way is finished when the plan
changes meanwhile, because it takes hardly longer than the time between two looks: were it given up with
every move of the mouse, nothing would ever be shown while the hand moves. What comes is shown as the preview
that it is, also when the hand is further already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cryoplan import workflow
from cryoplan.app.errands import Errands
from cryoplan.app.jobs import Asked, Failure
from cryoplan.case.case import Case
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.simulation.settings import SolverSettings

KIND = "preview"
"""Of the job."""

REST_MS = 250
"""So long after the last change of the plan it is solved, unless the hand still holds a probe."""

HELD_MS = 60
"""How often it is looked whether the hand has let go."""

FAILURES = 2
"""After so many errors of our own in a row nothing is previewed any more until another case is opened."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Question:
    key: str
    case: Case
    plan: Plan
    settings: SolverSettings


class LiveIce(QObject):
    """Previews of the plan in hand.

    Attributes
    ----------
    follows : bool
        Whether changes of the plan are previewed.
    solves : bool
        Whether a plan is solved by itself once the hand rests.
    is_held : callable
        Tells whether the hand holds something now; then the plan is not solved yet.

    Signals
    -------
    changed
        `shown` or `trouble` is another one.
    rested
        The plan in hand should be solved now.
    failed : Failure
        A preview failed by an error of our own.
    switched
        The user chose otherwise.
    """

    changed = Signal()
    switched = Signal()
    rested = Signal()
    failed = Signal(object)

    def __init__(self, errands: Errands, catalogue: Catalogue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._errands, self._catalogue = errands, catalogue
        self.follows = self.solves = False
        self.is_held: Callable[[], bool] = lambda: False
        self._wanted: _Question | None = None
        self._asked: Asked | None = None
        self._shown: workflow.Preview | None = None
        self._trouble: Failure | None = None
        self._failures = 0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._rested)

    @property
    def shown(self) -> workflow.Preview | None:
        """The newest preview, perhaps of the plan before the one in hand; None when none is to be drawn."""
        return self._shown

    @property
    def is_behind(self) -> bool:
        """True while the preview shown is not yet that of the plan in hand."""
        return self._wanted is not None and (self._shown is None or self._shown.key != self._wanted.key)

    @property
    def wanted_key(self) -> str:
        """Key of the preview that the plan in hand has or will have; empty when nothing is in hand."""
        return "" if self._wanted is None else self._wanted.key

    @property
    def trouble(self) -> Failure | None:
        """Why the plan in hand has no preview or was not solved by itself."""
        return self._trouble

    def want(self, case: Case, plan: Plan, settings: SolverSettings) -> None:
        """Follow a plan that has no answer yet."""
        self._set_trouble(None)
        if self.solves:
            self._rest.start(REST_MS)
        if not self.follows or self._failures >= FAILURES:
            return
        key = workflow.preview_key(case, plan, self._catalogue, settings)
        self._wanted = _Question(key=key, case=case, plan=plan, settings=settings)
        if self._asked is None:
            self._ask()
        elif not self._errands.is_at(self._asked):
            # It waits behind other work: what it asks is out of date before it begins.
            self._errands.stop_one(self._asked)

    def switch(self, *, follows: bool | None = None, solves: bool | None = None) -> None:
        """Take the user's choice; None leaves one as it is."""
        self.follows = self.follows if follows is None else follows
        self.solves = self.solves if solves is None else solves
        if not self.solves:
            self._rest.stop()
        self.switched.emit()

    def settle(self) -> None:
        """The plan in hand is being solved, or is not to be."""
        self._rest.stop()

    def drop(self) -> None:
        """Nothing is in hand any more: there is an answer, or the case is another one."""
        self._rest.stop()
        self._wanted = None
        if self._asked is not None:
            self._errands.stop_one(self._asked)
        if self._shown is not None or self._trouble is not None:
            self._shown, self._trouble = None, None
            self.changed.emit()

    def forget(self) -> None:
        """Another patient is shown."""
        self._failures = 0
        self.drop()

    def refuse(self, failure: Failure) -> None:
        """The plan in hand could not be solved by itself."""
        self._set_trouble(failure)

    # Answers that come ------------------------------------------------------------------------------

    def take(self, asked: Asked, preview: workflow.Preview) -> None:
        """Show a preview that came, and ask for the next one if the hand is further."""
        if not self._ends(asked):
            return
        self._failures = 0
        if self._wanted is not None:
            self._shown = preview
            self.changed.emit()
        self._go_on(preview.key)

    def not_done(self, asked: Asked, failure: Failure) -> None:
        """Note that a preview could not be made: a plan that cannot be solved, or an error of our own."""
        if not self._ends(asked) or self._wanted is None:
            return
        if failure.details:
            self._failures += 1
            if self._failures == 1:
                self.failed.emit(failure)
        tried = workflow.preview_key(
            asked.arguments["case"], asked.arguments["plan"], self._catalogue, asked.arguments["settings"]
        )
        if tried == self._wanted.key or self._failures >= FAILURES:
            # What is shown is the ice of another plan, and no preview of this one will take its place.
            self._shown = None
            self._set_trouble(failure)
        if self._failures >= FAILURES:
            self._wanted = None
        self._go_on(tried)

    def gave_up(self, asked: Asked) -> None:
        """Note that a preview was cancelled."""
        if self._ends(asked):
            self._go_on("" if self._shown is None else self._shown.key)

    def _ends(self, asked: Asked) -> bool:
        if asked is not self._asked:
            return False
        self._asked = None
        return True

    def _go_on(self, known: str) -> None:
        if self._wanted is not None and self._wanted.key != known:
            self._ask()

    def _ask(self) -> None:
        wanted = self._wanted
        if wanted is None or (self._shown is not None and self._shown.key == wanted.key):
            return
        self._asked = self._errands.ask(KIND, case=wanted.case, plan=wanted.plan, settings=wanted.settings)

    def _set_trouble(self, failure: Failure | None) -> None:
        if failure is not self._trouble:
            self._trouble = failure
            self.changed.emit()

    @Slot()
    def _rested(self) -> None:
        if self.is_held():
            self._rest.start(HELD_MS)
        elif self._trouble is None:
            self.rested.emit()
