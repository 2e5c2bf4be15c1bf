"""Saver: what takes too long for a step - results into the case file, and the case to another place."""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from cryoplan import workflow
from cryoplan.app.keeper import Keeper, failure_of
from cryoplan.app.results import KEPT_RESULTS
from cryoplan.case.case import Case
from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.plan.plan import Plan
from cryoplan.simulation.result import ThermalResult

REST_MS = 5000
"""A result goes into the file when nothing newer came for this time: while a probe is moved about it would
be written for nothing."""

Solved = tuple[ThermalResult, Case, Plan, int]
"""With the tenure of the keeper in which it was solved."""

ENDING_S = 20.0
"""How long the end of the program waits for a result that goes into the file."""


LEFT_BEHIND_S = 4.0
"""How long the end of the program waits for a result of a case that was left before."""


class Saver(QObject):
    """Works in a thread of its own; the file belongs to the keeper's thread.

    Signals
    -------
    saved : Path
        The case has its place.
    failed : CryoplanError
        It has not, or not all of it is there: the error says what is.
    changed
        `is_busy` is another one.
    """

    saved = Signal(object)
    failed = Signal(object)
    changed = Signal()
    _ended = Signal(object)

    def __init__(self, keeper: Keeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        # Not an executor: the interpreter would wait for its threads at the end, even for one that hangs.
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._do_all, name="saver", daemon=True)
        self._thread.start()
        # As many as memory and file keep, by their keys: each state that was solved is one to go back to.
        self._newest: OrderedDict[str, Solved] = OrderedDict()
        self._unstored: set[str] = set()
        # On their way into the file: a case that is left meanwhile must not lose them.
        self._under_way: dict[str, Solved] = {}
        self._saving = 0
        # Files that were left and still get their results, and who waits to open one of them again.
        self._leaving: list[Path] = []
        self._waiting: tuple[Path, Callable[[], object]] | None = None
        self._is_closed = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._store_quietly)
        self._ended.connect(lambda end: end())

    @property
    def is_busy(self) -> bool:
        """True while the case is on its way to another place, or one that was left is wanted again."""
        return self._saving > 0 or self._waiting is not None

    @property
    def busy_text(self) -> str:
        """What is being done."""
        return "Saving the case" if self.is_busy else ""

    def take(self, result: ThermalResult, case: Case, plan: Plan, *, is_stored: bool = False) -> None:
        """Remember a result; one that was solved goes into the file after a rest, or with `save`."""
        self._newest[result.key] = (result, case, plan, self._keeper.tenure)
        self._newest.move_to_end(result.key)
        while len(self._newest) > KEPT_RESULTS:
            self._unstored.discard(self._newest.popitem(last=False)[0])
        if not is_stored:
            self._unstored.add(result.key)
            self._rest.start()

    def forget(self) -> None:
        """Another patient is shown; what was solved a moment ago still goes into the file that is left."""
        waiting = {solved[0].key: solved for solved in self._take_unstored()}
        left, kept = tuple((self._under_way | waiting).values()), self._keeper.kept
        self._under_way.clear()
        self._waiting = None
        self._newest.clear()
        if left and kept.path is not None and not kept.read_only:
            self._leaving.append(kept.path)
            self._run(partial(_store_behind, kept.path, left), partial(self._has_left, kept.path))

    def when_left(self, path: Path, call: Callable[[], object]) -> None:
        """Call at once, or as soon as the results of a case that was left a moment ago are in this file.

        Who opens it again before that would see it without its ice. The last who asks is the one who is
        meant, and nobody is once another patient is shown.
        """
        self._waiting = None
        if path in self._leaving:
            self._waiting = (path, call)
            self.changed.emit()
        else:
            call()

    def _has_left(self, path: Path, error: BaseException | None) -> None:
        self._leaving.remove(path)
        if self._waiting is not None and self._waiting[0] not in self._leaving:
            call, self._waiting = self._waiting[1], None
            call()
            self.changed.emit()
        if error is not None and not isinstance(error, CryoplanError):
            raise error

    def save(self, path: Path) -> None:
        """Give the case its place, with the newest results; `saved` or `failed` tells."""
        unstored = {solved[0].key for solved in self._take_unstored()}
        newest = tuple(self._newest.values())
        self._saving += 1

        def work() -> None:
            self._keeper.settle()
            self._keeper.rescue(path)
            # After that: the old place may be the one that does not answer, and memory all that is left.
            there = self._keeper.kept.results
            self._store_saved(path, tuple(solved for solved in newest if solved[0].key not in there))

        def end(error: BaseException | None) -> None:
            self._saving -= 1
            # What is not in the file is tried again when the case is left or the program ends.
            there = self._keeper.kept.results
            self._unstored |= {key for key in unstored if key in self._newest and key not in there}
            self.changed.emit()
            if error is None:
                self.saved.emit(path)
            else:
                self.failed.emit(failure_of(error))

        self._run(work, end)
        self.changed.emit()

    def store_now(self) -> None:
        """Put the newest results into the file without waiting for a rest."""
        self._store_quietly()

    def watch(self, future: Future[None]) -> None:
        """Tell when something that was asked of the keeper fails."""

        def end(error: BaseException | None) -> None:
            if error is not None:
                self.failed.emit(failure_of(error))

        self._run(future.result, end)

    def close(self) -> bool:
        """Write what waits, results too, and free the file; tell whether all steps are on the disk.

        A second call is harmless.
        """
        if not self._is_closed:
            self._store_quietly()
            self._is_closed = True
            self._work.put(None)
            # Once a case was left nothing goes into its file; what is still at it may hang in its place.
            is_worth_it = self._keeper.kept.path is not None and self._keeper.settle(again=True)
            self._thread.join(ENDING_S if is_worth_it else LEFT_BEHIND_S if self._leaving else 0.0)
            self._ended.disconnect()
        return self._keeper.close()

    def _take_unstored(self) -> tuple[Solved, ...]:
        self._rest.stop()
        newest = tuple(solved for key, solved in self._newest.items() if key in self._unstored)
        self._unstored.clear()
        return newest

    def _store_quietly(self) -> None:
        newest = self._take_unstored()
        if not newest:
            return
        self._under_way |= {solved[0].key: solved for solved in newest}

        def end(error: BaseException | None) -> None:
            for solved in newest:
                self._under_way.pop(solved[0].key, None)
            # A result can be solved again; that the disk has a problem shows at the steps.
            if error is not None and not isinstance(error, CryoplanError):
                raise error

        self._run(lambda: self._store(newest), end)

    def _store(self, newest: tuple[Solved, ...]) -> None:
        for solved in newest:
            self._store_one(solved)

    def _store_saved(self, path: Path, newest: tuple[Solved, ...]) -> None:
        """Store results in the place that the case has now, and say what is there if they cannot be."""
        for done, solved in enumerate(newest):
            try:
                self._store_one(solved)
            except CryoplanError as error:
                steps = len(self._keeper.kept.waiting)
                raise StoreError(
                    _saved_in_part(path, steps, len(newest) - done, error),
                    "Put that right and save the case again, or solve again later.",
                    code="results-not-saved",
                    place=path.name,
                ) from error

    def _store_one(self, solved: Solved) -> None:
        result, case, plan, tenure = solved
        if self._keeper.tenure != tenure:
            return
        stored = workflow.stored_result(result, case, plan, workflow.catalogue())
        image = case.scan.volume.digest()

        def put(file: workflow.CaseFile) -> None:
            # The window may show another patient by now, or the same one from another file.
            is_same = self._keeper.tenure == tenure and file.case.scan.volume.digest() == image
            if is_same and not file.store.read_only:
                file.put_stored(stored, text=_solved_text(result))

        self._keeper.call(put).result()

    def _run(self, work: Callable[[], object], end: Callable[[BaseException | None], None]) -> None:
        def do() -> None:
            failure: BaseException | None = None
            try:
                work()
            except BaseException as error:
                failure = error
            with suppress(RuntimeError):  # the window was closed meanwhile
                self._ended.emit(lambda: end(failure))

        self._work.put(do)

    def _do_all(self) -> None:
        while (do := self._work.get()) is not None:
            do()


def _store_behind(path: Path, solved: Iterable[Solved]) -> None:
    """Put results into a file that the window has left, unless somebody has it open again."""
    for result, case, plan, _ in solved:
        stored = workflow.stored_result(result, case, plan, workflow.catalogue())
        with _left(path, case) as file:
            # It may be another patient's file by now, put in the same place; and the result may be in it.
            is_same = file.case.scan.volume.digest() == case.scan.volume.digest()
            if is_same and result.key not in file.store.known_results:
                file.put_stored(stored, text=_solved_text(result))


def _left(path: Path, case: Case) -> workflow.CaseFile:
    """Open a file that is being left; its writer may take a moment for its last steps."""
    until = time.monotonic() + 0.5 * LEFT_BEHIND_S
    while True:
        try:
            return workflow.CaseFile.open(path, scan=case.scan)
        except StoreError as error:
            if error.code != "case-file-in-use" or time.monotonic() > until:
                raise
        time.sleep(0.1)


def _solved_text(result: ThermalResult) -> str:
    return f"Solved on a grid of {result.settings.spacing_mm:g} mm"


def _saved_in_part(path: Path, steps: int, results: int, error: CryoplanError) -> str:
    said = "with all its steps"
    if steps:
        said = f"but its last {steps} steps wait" if steps > 1 else "but its last step waits"
    lost = f"the temperatures of {results} solved plans are" if results > 1 else "the temperatures are"
    return f"The case is saved as {path.name} {said}; {lost} not in it: {error.what}"
