"""CaseWriter: one thread that owns the case file and writes each step as it happens, in order.

The window never waits long for a disk: a step that is not written yet waits in memory, in order, and is tried
again until it is written or the case is saved elsewhere. Nothing in here knows of Qt.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import EllipsisType
from typing import Any, TypeVar

from cryoplan import workflow
from cryoplan.case.case import Case
from cryoplan.case.history import History
from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.core.finding import Finding
from cryoplan.plan.plan import Plan

T = TypeVar("T")

PATIENCE_S = 0.15
"""How long a step is waited for: most are on the disk within some milliseconds."""

AGAIN_S = 2.0
"""After this time a step that could not be written is tried again."""

GESTURE_S = 0.4
"""A gesture is over when nothing was added to it for this time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One edit on its way to the file.

    Attributes
    ----------
    text : str
        A sentence for the history.
    case, plan : Case, Plan
        As they are after it.
    before : (Case, Plan)
        As they were before it.
    gesture : str or None
        Steps of one gesture that follow one another are one step.
    continues : bool
        The beginning of its gesture is on the disk already.
    words : dict
        ``title``, ``notes`` or ``limits`` where the step changes them.
    """

    text: str
    case: Case
    plan: Plan
    before: tuple[Case, Plan]
    gesture: str | None = None
    continues: bool = False
    words: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the window shows of the case file.

    Attributes
    ----------
    path : Path or None
        The file; None while there is no case.
    title, notes, status : str
        See `cryoplan.case.store.CaseStore`.
    history : History
        As it is on the disk.
    waiting : tuple of str
        Steps that are not on the disk yet, oldest first.
    continues : bool
        The first of them goes on with the gesture that is the last step on the disk.
    trouble : CryoplanError or None
        Why not, when it is more than a moment.
    read_only : bool
        Nothing is written; `reason` says why.
    reason : str
        Who has the file, for example.
    findings : tuple of Finding
        What opening noticed.
    """

    path: Path | None = None
    title: str = ""
    notes: str = ""
    status: str = "draft"
    history: History = field(default_factory=History)
    waiting: tuple[str, ...] = ()
    continues: bool = False
    trouble: CryoplanError | None = None
    read_only: bool = False
    reason: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """Something to do with the file; `at_once` ones do not wait for steps that can not be written."""

    function: Callable[[], Any]
    future: Future[Any]
    at_once: bool


class CaseWriter:
    """Keeps one case file at a time.

    Parameters
    ----------
    told : callable
        Called from the thread whenever `kept` may be another one.
    """

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._wake = threading.Condition()
        self._kept = Kept()
        self._file: workflow.CaseFile | None = None
        self._inode: tuple[int, int] | None = None
        self._seal: bytes | None = None
        self._make: tuple[Path, Case, Plan] | None = None
        self._steps: list[Step] = []
        self._begun: Step | None = None
        self._due = 0.0
        self._writing = False
        self._calls: list[_Call] = []
        self._try_at = 0.0
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="case-writer", daemon=True)
        self._thread.start()

    # From any thread --------------------------------------------------------------------------------

    @property
    def kept(self) -> Kept:
        """What there is; never changes once read."""
        with self._wake:
            return self._kept

    def begin(self, path: Path, case: Case, plan: Plan) -> Future[None]:
        """Make a new file in the place of the present one; steps may follow as soon as this is done."""
        return self._leave(lambda: self._begin(path, case, plan))

    def attach(self, path: Path, case: Case, *, read_only: bool = False) -> Future[None]:
        """Go on with a file that exists, of which `case` was just read.

        The future holds a StoreError when the file cannot be opened; then nothing is kept.
        """
        return self._leave(lambda: self._attach(path, case, read_only))

    def leave(self) -> Future[None]:
        """Leave the present file; what could not be written by now is forgotten."""
        return self._leave(self._drop)

    def record(self, step: Step, describe: Callable[[Plan, Plan], str]) -> None:
        """Take one step; when this returns it is usually on the disk."""
        with self._wake:
            if self._merged(step, describe):
                self._due = time.monotonic() + GESTURE_S
            else:
                self._steps.append(step)
                self._due = time.monotonic() + (GESTURE_S if step.gesture else 0.0)
            self._show()
            self._wake.notify_all()
        if step.gesture is None:
            self.settle(PATIENCE_S)

    def settle(self, timeout_s: float) -> bool:
        """Write what waits, a gesture too, and wait for it; tell whether all is on the disk."""
        until = time.monotonic() + timeout_s
        with self._wake:
            self._due = 0.0
            self._wake.notify_all()
            while (self._steps or self._make) and self._kept.trouble is None:
                left = until - time.monotonic()
                if left <= 0.0 or not self._wake.wait(left):
                    break
            return not self._steps and self._make is None

    def take_back(self) -> Step | None:
        """Take the last step out again if nothing of it is on the disk; None when there is no such step."""
        with self._wake:
            if len(self._steps) > (1 if self._writing else 0) and not self._steps[-1].continues:
                step = self._steps.pop()
                self._show()
                return step
            return None

    def call(self, function: Callable[[workflow.CaseFile], T]) -> Future[T]:
        """Do something with the file after the steps that wait."""
        return self._call(lambda: function(self._need()), after_steps=True)

    def move(self, path: Path, *, remove_old: bool = False) -> Future[None]:
        """Go on in a file at another place: a copy of this one with its history, or what is in memory.

        Works while the present file cannot be written; the steps that wait go to the new one.
        """
        return self._call(lambda: self._move(path, remove_old))

    def retry(self) -> None:
        """Try again now."""
        with self._wake:
            self._try_at = 0.0
            self._wake.notify_all()

    def close(self, timeout_s: float) -> bool:
        """Write what waits, free the file and end the thread; tell whether all was written."""
        done = self.settle(timeout_s)
        with self._wake:
            self._ending = True
            self._wake.notify_all()
        self._thread.join(timeout_s)
        return done

    # The thread -------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                job = self._next()
                while job is None:
                    if self._ending:
                        self._close_file()
                        return
                    self._wake.wait(self._pause())
                    job = self._next()
            job()

    def _next(self) -> Callable[[], None] | None:
        now = time.monotonic()
        free = now >= self._try_at
        if self._calls and self._calls[0].at_once:
            return self._answer
        if self._make is not None:
            return self._create if free else None
        if self._steps and free and (now >= self._due or len(self._steps) > 1 or self._calls):
            self._writing = True
            return self._write
        if self._calls and not self._steps:
            return self._answer
        if self._calls and self._kept.trouble is not None:
            return self._refuse
        return None

    def _pause(self) -> float | None:
        if self._make is not None or self._steps:
            return max(0.0, max(self._due, self._try_at) - time.monotonic()) + 0.001
        return None

    def _write(self) -> None:
        step = self._steps[0]
        try:
            file = self._need()
            self._look(file)
            file.record(
                step.text,
                case=step.case if step.continues or step.case is not step.before[0] else None,
                plan=step.plan if step.continues or step.plan is not step.before[1] else None,
                gesture=step.gesture,
                **step.words,
            )
        except CryoplanError as error:
            self._failed(error)
            return
        with self._wake:
            self._steps.pop(0)
            self._begun = step if step.gesture else None
            self._settled()

    def _create(self) -> None:
        assert self._make is not None
        path, case, plan = self._make
        try:
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
            workflow.save_case(path, case, plan)
            file = workflow.CaseFile.open(path, scan=case.scan)
        except CryoplanError as error:
            self._failed(error)
            return
        with self._wake:
            self._make = None
            self._take(file)
            self._settled()

    def _answer(self) -> None:
        with self._wake:
            call = self._calls.pop(0)
        future = call.future
        if not future.set_running_or_notify_cancel():
            return
        try:
            value = call.function()
        except BaseException as error:
            self._refresh()
            future.set_exception(error)
        else:
            self._refresh()
            future.set_result(value)

    def _refuse(self) -> None:
        with self._wake:
            future = self._calls.pop(0).future
            trouble = self._kept.trouble
        if future.set_running_or_notify_cancel():
            future.set_exception(trouble or StoreError("The case file does not answer.", "Save elsewhere."))

    # Inside -----------------------------------------------------------------------------------------

    def _merged(self, step: Step, describe: Callable[[Plan, Plan], str]) -> bool:
        """Add a step to the last one of its gesture; one that leads back to its start leaves nothing."""
        busy = 1 if self._writing else 0
        if step.gesture is None:
            return False
        continues = False
        if len(self._steps) > busy and self._steps[-1].gesture == step.gesture:
            last = self._steps.pop()
            before, continues = last.before, last.continues
        else:
            begun = self._steps[0] if busy and len(self._steps) == 1 else self._begun
            if len(self._steps) > busy or begun is None or begun.gesture != step.gesture:
                return False
            before, continues = begun.before, True
        if continues or step.plan != before[1] or step.case is not before[0]:
            text = describe(before[1], step.plan)
            self._steps.append(replace(step, text=text or step.text, before=before, continues=continues))
        return True

    def _call(self, function: Callable[[], T], *, after_steps: bool = False) -> Future[T]:
        future: Future[T] = Future()
        with self._wake:
            if after_steps:
                self._due = 0.0
                self._calls.append(_Call(function, future, at_once=False))
            else:
                self._calls.insert(0, _Call(function, future, at_once=True))
            self._wake.notify_all()
        return future

    def _leave(self, function: Callable[[], None]) -> Future[None]:
        self.settle(PATIENCE_S)
        return self._call(function)

    def _need(self) -> workflow.CaseFile:
        """Return the file, opened anew after trouble: a handle of a folder that was away may be dead."""
        if self._kept.trouble is not None and self._file is not None:
            old = self._file
            assert self._kept.path is not None
            with suppress(CryoplanError):
                old.close()
            self._file = workflow.CaseFile.open(self._kept.path, scan=old.case.scan)
            self._inode = _inode(self._kept.path)
            # The step that failed last may have arrived all the same; anything else is somebody else's.
            entries = self._file.history.entries
            if self._seal not in {e.hash for e in entries[-3:]}:
                raise StoreError(
                    f"{self._kept.path.name} was changed by another program meanwhile.",
                    "Save the case elsewhere.",
                    code="case-file-changed",
                    place=self._kept.path.name,
                )
        if self._file is None:
            raise StoreError("No case file is open.", "Open a case first.", code="no-case")
        return self._file

    def _look(self, file: workflow.CaseFile) -> None:
        """Refuse to write to a file that nobody will find: it may be gone though it can still be written."""
        path = file.store.path
        if _inode(path) != self._inode:
            raise StoreError(
                f"{path.name} was removed, or another file was put in its place.",
                "Save the case elsewhere.",
                code="case-file-gone",
                place=path.name,
            )

    def _begin(self, path: Path, case: Case, plan: Plan) -> None:
        self._drop()
        with self._wake:
            self._make = (path, case, plan)
            self._kept = Kept(path=path)
            self._try_at = 0.0

    def _attach(self, path: Path, case: Case, read_only: bool) -> None:
        self._drop()
        reason = ""
        try:
            file = workflow.CaseFile.open(path, scan=case.scan, read_only=read_only)
        except StoreError as error:
            if error.code not in ("case-file-in-use", "not-writable"):
                raise
            reason = error.what
            file = workflow.CaseFile.open(path, scan=case.scan, read_only=True)
        with self._wake:
            self._take(file, reason)

    def _drop(self) -> None:
        """Forget file and steps."""
        with self._wake:
            self._close_file()
            self._steps.clear()
            self._begun = self._make = None
            self._kept = Kept()

    def _move(self, path: Path, remove_old: bool) -> None:
        old, old_path = self._file, self._kept.path
        if old is not None:
            try:
                old.store.save_copy(path)
            except StoreError:
                # If the new place is not at fault, the old one is out of reach: what was in it goes on from
                # memory, and its history stays where it is.
                text = f"Continued after {old.store.path.name} was out of reach"
                workflow.save_case(path, old.case, old.plan, text=text)
            scan = old.case.scan
        elif self._make is not None:
            _, case, plan = self._make
            workflow.save_case(path, case, plan)
            scan = case.scan
        else:
            raise StoreError("No case file is open.", "Open a case first.", code="no-case")
        file = workflow.CaseFile.open(path, scan=scan)
        with self._wake:
            self._close_file()
            self._make = None
            self._take(file)
            self._try_at = 0.0
        if remove_old and old_path is not None and old_path != path:
            with suppress(OSError):
                old_path.unlink()

    def _take(self, file: workflow.CaseFile, reason: str = "") -> None:
        self._file = file
        self._inode = _inode(file.store.path)
        self._kept = Kept(path=file.store.path, reason=reason)
        self._show(None)

    def _close_file(self) -> None:
        if self._file is not None:
            with suppress(CryoplanError):
                self._file.close()
        self._file = self._inode = self._seal = None

    def _failed(self, error: CryoplanError) -> None:
        with self._wake:
            self._writing = False
            self._try_at = time.monotonic() + AGAIN_S
            self._show(error)
            self._wake.notify_all()
        self._told()

    def _settled(self) -> None:
        self._writing = False
        self._show(None)
        self._wake.notify_all()

    def _refresh(self) -> None:
        with self._wake:
            self._show(self._kept.trouble if self._steps or self._make else None)
            self._wake.notify_all()

    def _show(self, trouble: CryoplanError | EllipsisType | None = ...) -> None:
        kept, file = self._kept, self._file
        trouble = kept.trouble if trouble is ... else trouble
        waiting = tuple(step.text for step in self._steps)
        continues = bool(self._steps) and self._steps[0].continues
        if file is None:
            self._kept = Kept(path=kept.path, waiting=waiting, continues=continues, trouble=trouble)
        else:
            store = file.store
            self._seal = store.history().seal
            self._kept = Kept(
                path=store.path,
                title=store.title,
                notes=store.notes,
                status=store.status,
                history=store.history(),
                waiting=waiting,
                continues=continues,
                trouble=trouble,
                read_only=store.read_only,
                reason=kept.reason,
                findings=store.findings,
            )
        self._told()


def _inode(path: Path) -> tuple[int, int] | None:
    """Return what names a file for the system; None where it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, and what it raises is wanted
    except OSError:
        return None
    return found.st_dev, found.st_ino
