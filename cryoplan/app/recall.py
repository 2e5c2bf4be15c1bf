"""Recall: the answer to the question on screen, brought back from the case file if one is kept there.

The file is read by the thread that owns it, so a place that hangs holds up nobody else; the background
process unpacks and judges what was read. It is shown as current only after the key was found right three
times: of the row, of the temperatures in it, and of case and plan when they arrive.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.errands import Errands
from cryoplan.app.jobs import Asked, Failure
from cryoplan.app.keeper import Keeper, failure_of
from cryoplan.case.case import Case
from cryoplan.case.store import StoredResult
from cryoplan.plan.plan import Plan

KIND = "recall"
"""Of the job."""


class Recall(QObject):
    """Looks for one answer at a time; a question that took the place of another gives up the way to it.

    Signals
    -------
    missed : Failure
        An answer is in the file but cannot be had.
    changed
        `is_under_way` may be another one.
    """

    missed = Signal(object)
    changed = Signal()
    _read = Signal(object)

    def __init__(self, keeper: Keeper, errands: Errands, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper, self._errands = keeper, errands
        self._key = ""
        self._question: tuple[Case, Plan] | None = None
        self._reading: Future[StoredResult | None] | None = None
        self._asked: Asked | None = None
        self._refused: tuple[str, Case, Plan] | None = None
        self._read.connect(self._take)
        keeper.changed.connect(self._look_again)

    @property
    def is_under_way(self) -> bool:
        """True while an answer is on its way."""
        return self._reading is not None or self._asked is not None

    def want(self, key: str, case: Case, plan: Plan) -> None:
        """Bring back the answer to a question, if the file holds it; a question is looked up once."""
        if key == self._key:
            return
        self.forget()
        self._key = key
        if not key or key not in self._keeper.kept.results:
            return
        self._question = (case, plan)
        self._reading = self._keeper.call(lambda file: file.stored(key))
        self._reading.add_done_callback(self._tell)
        self.changed.emit()

    def forget(self) -> None:
        """Look for nothing any more: there is an answer, or another patient."""
        self.give_up()
        self._key = ""

    def give_up(self) -> bool:
        """Stop looking, and do not look for the same again; tell whether something was on its way."""
        was_under_way = self.is_under_way
        if self._asked is not None:
            self._errands.stop_one(self._asked)
        self._question = self._reading = self._asked = self._refused = None
        if was_under_way:
            self.changed.emit()
        return was_under_way

    def ends(self, asked: Asked) -> bool:
        """Note that a job ended; tell whether it was the one whose answer is still wanted."""
        if asked is not self._asked:
            return False
        self._asked = None
        return True

    def _tell(self, future: Future[StoredResult | None]) -> None:
        with suppress(RuntimeError):  # the window was closed meanwhile
            self._read.emit(future)

    @Slot(object)
    def _take(self, future: Future[StoredResult | None]) -> None:
        if future is not self._reading or self._question is None:
            return
        case, plan = self._question
        self._reading = self._question = None
        error = future.exception()
        stored = None if error is not None else future.result()
        if stored is not None:
            self._asked = self._errands.ask(KIND, case=case, plan=plan, stored=stored)
            return
        if error is not None and self._keeper.kept.trouble is not None:
            self._refused = (self._key, case, plan)  # the trouble is on the screen already
        elif error is not None:
            known = failure_of(error)
            self.missed.emit(
                Failure(what=known.what, remedy=known.remedy, code=known.code, place=known.place)
            )
        self.changed.emit()

    @Slot()
    def _look_again(self) -> None:
        if self._refused is not None and self._keeper.kept.trouble is None:
            refused = self._refused
            self.forget()
            self.want(*refused)
