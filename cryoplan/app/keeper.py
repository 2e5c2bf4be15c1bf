"""Keeper: the case file as the window sees it - each edit a step, undo and redo, and whether all is saved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import platformdirs
from PySide6.QtCore import QObject, Signal

from cryoplan import workflow
from cryoplan.app.packed_steps import unpacked
from cryoplan.app.steps import Kept, State, Step
from cryoplan.app.writer import CaseWriter
from cryoplan.case.case import Case
from cryoplan.case.store import Memory
from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.plan.plan import Plan

T = TypeVar("T")

LEAVING_S = 5.0
"""How long the next case waits for the file of the last one."""

MOMENT_S = 0.25
"""How long somebody who leaves without the steps that wait is kept waiting: a disk that answers needs less,
and one that hangs is left to itself."""

CLOSING_S = 10.0
"""How long the end of the program waits for a disk."""


def cases_folder() -> Path:
    """Return where cases live until they are given a place."""
    return Path(platformdirs.user_data_path("cryoplan", appauthor=False)) / "cases"


class Keeper(QObject):
    """Keeps one case file through a `CaseWriter`.

    Signals
    -------
    changed
        `kept` is another one.

    Attributes
    ----------
    tenure : int
        Another number for each case that is kept.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._writer = CaseWriter(self._tell)
        # Steps that were taken back before they were on the disk, and how many were undone there after that.
        self._taken_back: list[Step] = []
        self._undone = 0
        self.tenure = 0
        self._changing_writer = threading.RLock()

    # What there is ----------------------------------------------------------------------------------

    @property
    def kept(self) -> Kept:
        """The file, its history, and what is not written yet."""
        return self._writer.kept

    @property
    def may_edit(self) -> bool:
        """False when the case is open for reading only."""
        return not self.kept.read_only

    @property
    def is_named(self) -> bool:
        """True when the user gave the file its place."""
        path = self.kept.path
        return path is not None and path.parent != cases_folder()

    @property
    def undo_count(self) -> int:
        """Steps that can be taken back, one after the other."""
        kept = self.kept
        line = kept.history.line
        behind = line.index(kept.history.current) if kept.history.current in line else 0
        return behind + len(kept.waiting) - kept.continues

    @property
    def undo_text(self) -> str:
        """What undo would take back; empty when there is nothing."""
        kept = self.kept
        return kept.waiting[-1] if kept.waiting else kept.history.undo_text

    @property
    def redo_text(self) -> str:
        """What redo would make again; empty when there is nothing."""
        if self._taken_back and not self._undone:
            return self._taken_back[-1].text
        kept = self.kept
        return "" if kept.waiting else kept.history.redo_text

    @property
    def can_undo(self) -> bool:
        """True when a step can be taken back."""
        return self.may_edit and bool(self.undo_text)

    @property
    def can_redo(self) -> bool:
        """True when a step can be made again."""
        return self.may_edit and bool(self.redo_text)

    # Files ------------------------------------------------------------------------------------------

    def begin(self, case: Case, plan: Plan) -> Path:
        """Keep a new case in the user's data folder, until `move` gives it a place."""
        folder, stem = cases_folder(), f"{case.code}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        path, number = folder / f"{stem}.cryoplan", 1
        while path.exists():
            number += 1
            path = folder / f"{stem}-{number}.cryoplan"
        self._leaving(lambda: self._writer.begin(path, case, plan))
        return path

    def attach(
        self, path: Path, case: Case, plan: Plan, *, read_only: bool = False, memory: Memory | None = None
    ) -> Future[None]:
        """Go on with a file of which `case`, `plan` and `memory` were just read; see `CaseWriter.attach`."""
        return self._leaving(
            lambda: self._writer.attach(path, case, plan, read_only=read_only, memory=memory)
        )

    def leave(self) -> None:
        """Let go of the file."""
        self._leaving(lambda: self._writer.leave())

    def leave_without(self) -> None:
        """Let go of the file and of the steps that wait, without waiting for a place that hangs."""
        self._leaving(lambda: self._writer.leave(), MOMENT_S)

    def move(self, path: Path) -> Future[None]:
        """Go on at another place; the file in the data folder is removed when the new one is whole."""
        # One that is open for reading only belongs to whoever has it.
        return self._writer.move(path, remove_old=not self.is_named and self.may_edit)

    def rescue(self, path: Path) -> None:
        """Do as `move` and wait for it; where the present place hangs, go on from memory.

        Title, notes, approvals and history are in memory; structures of earlier steps are not.

        Raises
        ------
        StoreError
            If the new place cannot be written.
        """
        moved = self.move(path)
        wait([moved], timeout=LEAVING_S)
        if not moved.cancel():
            moved.result()
            return
        # Nothing may be recorded while the steps go from one thread to the other.
        with self._changing_writer:
            remembered, steps = self._writer.hand_over()
            try:
                remembered.write(path)
            finally:
                # Even where that failed: the steps belong to a thread that answers.
                self._writer = CaseWriter(self._tell)
                self._writer.attach(path, *remembered.state, memory=remembered.memory).exception()
                for step in steps:
                    self._writer.record(replace(step, gesture=None), lambda _old, _new: "")
        self._tell()

    def retry(self) -> None:
        """Try now what could not be written."""
        self._writer.retry()

    def settle(self, timeout_s: float = CLOSING_S, *, again: bool = False) -> bool:
        """Write what waits; tell whether all is on the disk; see `CaseWriter.settle`."""
        return self._writer.settle(timeout_s, again=again)

    def close(self) -> bool:
        """Write what waits and free the file; tell whether all was written."""
        self.settle()
        untouched = self._untouched()
        done = self._writer.close(CLOSING_S)
        with suppress(OSError):
            if untouched is not None:
                untouched.unlink(missing_ok=True)
        return done

    def call(self, function: Callable[[workflow.CaseFile], T]) -> Future[T]:
        """Do something with the file after the steps that wait."""
        return self._writer.call(function)

    def _leaving(self, leave: Callable[[], Future[None]], patience_s: float | None = None) -> Future[None]:
        """Leave the present file for good, so that no step of the next case can end up in it."""
        patience_s = LEAVING_S if patience_s is None else patience_s
        untouched = self._untouched()
        self._forget_taken_back()
        self.tenure += 1
        future = leave()
        if not wait([future], timeout=patience_s).done:
            # The thread hangs in a place that does not answer: it writes what it has when that goes on.
            self._writer.abandon()
            self._writer = CaseWriter(self._tell)
            future = leave()
            wait([future], timeout=LEAVING_S)
        self._remove(untouched)
        return future

    def _untouched(self) -> Path | None:
        """Return the present file if it is a draft in which nobody did anything: it is not worth keeping."""
        self._writer.settle(0.0)
        kept = self.kept
        if kept.path is None or self.is_named or kept.read_only or kept.waiting:
            return None
        return kept.path if len(kept.history) <= 1 else None

    def _remove(self, path: Path | None) -> None:
        """Remove a draft that was left, unless it is the present file."""
        if path is not None and path != self.kept.path:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _forget_taken_back(self) -> None:
        self._taken_back.clear()
        self._undone = 0

    def _tell(self) -> None:
        with suppress(RuntimeError):  # a thread that hung may outlive the window
            self.changed.emit()

    # Steps ------------------------------------------------------------------------------------------

    def record(self, step: Step, describe: Callable[[Plan, Plan], str], *, wait: bool = True) -> None:
        """Take one step; see `CaseWriter.record`.

        Parameters
        ----------
        describe : callable
            ``(old, new) -> text`` for what the parts of one gesture did together.
        wait : bool
            Give the disk a moment.

        Raises
        ------
        StoreError
            If the case is open for reading only.
        """
        self.require_writable()
        self._forget_taken_back()
        with self._changing_writer:
            self._writer.record(step, describe, wait=wait)

    def undo(self) -> Future[State]:
        """Take the last step back; one that is not written yet just does not happen."""
        self.require_writable()
        # Redo goes the way back in the same order: what was undone on the disk first.
        step = None if self._undone else self._writer.take_back()
        if step is not None:
            self._taken_back.append(step)
            return _done((unpacked(step.before[0]), step.before[1]))
        future = self._writer.go(lambda file: file.undo())
        if self._taken_back:
            future.add_done_callback(lambda done: self._count(done, 1))
        return future

    def redo(self) -> Future[State]:
        """Make the step again that was taken back last."""
        self.require_writable()
        if self._taken_back and not self._undone:
            step = replace(self._taken_back.pop(), gesture=None)
            self._writer.record(step, lambda _old, _new: step.text)
            return _done((unpacked(step.case), step.plan))
        future = self._writer.go(lambda file: file.redo())
        if self._undone:
            future.add_done_callback(lambda done: self._count(done, -1))
        return future

    def _count(self, done: Future[State], undone: int) -> None:
        if done.exception() is None:
            self._undone += undone

    def go_to(self, state: int) -> Future[State]:
        """Go to any state of the history."""
        self.require_writable()
        self._forget_taken_back()
        return self._writer.go(lambda file: file.go_to(state))

    def require_writable(self) -> None:
        """Raise when nothing may be changed.

        Raises
        ------
        StoreError
            Says who has the file.
        """
        kept = self.kept
        if kept.read_only:
            raise StoreError(
                f"This case is open for reading only. {kept.reason}".strip(),
                "Save a copy and work on that, or open it again when it is free.",
                code="case-read-only",
            )


def failure_of(error: BaseException) -> CryoplanError:
    """Return what a future failed with as something to show; anything unexpected goes on as it is."""
    if isinstance(error, CryoplanError):
        return error
    raise error


def _done(state: State) -> Future[State]:
    future: Future[State] = Future()
    future.set_result(state)
    return future
