"""CaseWriter: one thread that owns the case file and writes each step as it happens, in order.

The window never waits long for a disk: a step that is not written yet waits in memory, in order, and is tried
again until it is written or the case is saved elsewhere. Nothing in here knows of Qt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import EllipsisType
from typing import TypeVar

from cryoplan import workflow
from cryoplan.app.calls import Call, When
from cryoplan.app.held_file import HeldFile, Remembered, changed_meanwhile
from cryoplan.app.packed_steps import bounded, unpacked
from cryoplan.app.steps import Kept, State, Step
from cryoplan.case.case import Case
from cryoplan.case.store import Memory
from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.plan.plan import Plan

T = TypeVar("T")

PATIENCE_S = 0.15
"""How long a step is waited for: most are on the disk within some milliseconds."""

AGAIN_S = 2.0
"""After this time a step that could not be written is tried again."""

GESTURE_S = 0.4
"""A gesture is over when nothing was added to it for this time."""

_log = logging.getLogger(__name__)


class CaseWriter:
    """Keeps one case file at a time.

    Parameters
    ----------
    told : callable
        Called from any thread whenever `kept` may be another one.
    """

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._wake = threading.Condition()
        self._kept = Kept()
        self._held: HeldFile | None = None
        self._make: tuple[Path, Case, Plan] | None = None
        self._unkept: Remembered | None = None
        self._steps: list[Step] = []
        self._begun: Step | None = None
        self._tried: Step | None = None
        self._due = 0.0
        self._writing = False
        self._failures = 0
        self._calls: list[Call] = []
        self._answering: Call | None = None
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
        return self._call(lambda: self._begin(path, case, plan), When.LEAVING)

    def attach(
        self, path: Path, case: Case, plan: Plan, *, read_only: bool = False, memory: Memory | None = None
    ) -> Future[None]:
        """Go on with a file that exists, of which `case`, `plan` and `memory` were just read.

        The future holds a StoreError when the file cannot be opened or is another one by now; then nothing
        is kept, but `move` makes a file of what is in memory: title, notes and history too.
        """
        read = Remembered(state=(case, plan), text="Continued in a file of its own", memory=memory)
        return self._call(lambda: self._attach(path, read, read_only), When.LEAVING)

    def leave(self) -> Future[None]:
        """Leave the present file once its steps are written; while they cannot be, they are forgotten."""
        return self._call(self._drop, When.LEAVING)

    def record(self, step: Step, describe: Callable[[Plan, Plan], str], *, wait: bool = True) -> None:
        """Take one step; when this returns it is usually on the disk, unless nobody shall `wait`."""
        with self._changing():
            if not self._merged(step, describe):
                self._steps = bounded([*self._steps, step])
            self._due = time.monotonic() + (GESTURE_S if step.gesture else 0.0)
        if wait and step.gesture is None and self._make is None:
            self.settle(PATIENCE_S)

    def settle(self, timeout_s: float, *, again: bool = False) -> bool:
        """Write what waits, a gesture too, and wait for it; tell whether all is on the disk.

        What could not be written before is waited for only with `again`, for one more attempt.
        """
        until = time.monotonic() + timeout_s
        with self._wake:
            self._due = 0.0
            self._try_at = 0.0 if again else self._try_at
            failures = self._failures
            self._wake.notify_all()
            while self._steps or self._make:
                if self._kept.trouble is not None and not (again and failures == self._failures):
                    break
                left = until - time.monotonic()
                if left <= 0.0 or not self._wake.wait(left):
                    break
            return not self._steps and self._make is None

    def take_back(self) -> Step | None:
        """Take the last step out again if nothing of it is on the disk; None when there is no such step."""
        with self._changing():
            busy = 1 if self._writing else 0
            first = len(self._steps) - 1
            while first > busy and self._steps[first].continues:
                first -= 1
            if first < busy or self._steps[first].continues:
                return None
            step = replace(self._steps[-1], before=self._steps[first].before, continues=False)
            del self._steps[first:]
            return step

    def call(self, function: Callable[[workflow.CaseFile], T]) -> Future[T]:
        """Do something with the file after the steps that wait."""
        return self._call(lambda: function(self._need()), When.AFTER_STEPS)

    def go(self, function: Callable[[workflow.CaseFile], State]) -> Future[State]:
        """Go to another state of the history; where that fails, the file stays in the state it is in."""
        return self._call(lambda: self._gone(function), When.AFTER_STEPS)

    def move(self, path: Path, *, remove_old: bool = False) -> Future[None]:
        """Go on in a file at another place: a copy of this one with its history, or what is in memory.

        Works while the present file cannot be written; the steps that wait go to the new one. The old one
        is removed only if all of it is in the new one.
        """
        return self._call(lambda: self._move(path, remove_old), When.AT_ONCE)

    def retry(self) -> None:
        """Try again now."""
        with self._wake:
            self._try_at = 0.0
            self._wake.notify_all()

    def close(self, timeout_s: float) -> bool:
        """Write what waits, free the file and end the thread; tell whether all was written."""
        done = self.settle(timeout_s, again=True)
        self.abandon()
        self._thread.join(timeout_s)
        return done

    def abandon(self) -> None:
        """End the thread as soon as the disk lets it; steps that wait are still written if it can."""
        with self._wake:
            self._ending = True
            calls, self._calls = self._calls, []
            if self._answering is not None:
                calls.append(self._answering)
            self._wake.notify_all()
        for call in calls:
            call.turn_away(None)

    def hand_over(self) -> tuple[Remembered, tuple[Step, ...]]:
        """Give up a file that hangs; return what memory holds of it, and the steps that wait."""
        with self._wake:
            remembered = self._in_memory()
            steps, self._steps = tuple(self._steps), []
        self.abandon()
        return remembered, steps

    # The thread -------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                job = self._next()
                while job is None and not self._ending:
                    self._wake.wait(self._pause())
                    job = self._next()
            if job is None:
                self._close_file()
                return
            try:
                job()
            except CryoplanError as error:
                self._failed(error)
            except Exception as error:
                # Whatever it is: without this thread no step would ever be written again.
                _log.exception("The case file could not be written")
                what = f"The case file could not be written ({type(error).__name__})."
                self._failed(StoreError(what, "Save the case elsewhere.", code="case-file-failed"))

    def _next(self) -> Callable[[], None] | None:
        now = time.monotonic()
        free, waits = now >= self._try_at, bool(self._steps or self._make)
        when = self._calls[0].when if self._calls else None
        if when is When.AT_ONCE:
            return self._answer
        if self._make is not None and free:
            return self._create
        if self._make is None and self._steps and free:
            if now >= self._due or len(self._steps) > 1 or self._calls or self._ending:
                self._writing = True
                return self._write
            return None
        if when is not None and not waits:
            return self._answer
        if self._kept.trouble is None:
            return None
        if when is not None:
            return self._answer if when is When.LEAVING else self._refuse
        return self._mend if free and not waits and self._held is not None else None

    def _pause(self) -> float | None:
        if self._make is not None or self._steps or self._kept.trouble is not None:
            return max(0.0, max(self._due, self._try_at) - time.monotonic()) + 0.001
        return None

    def _write(self) -> None:
        file = self._need()
        step = self._tried = self._steps[0]
        if step.continues and step.gesture is not None:
            file.store.resume_gesture(step.gesture)
        # Case and plan in whole, whatever the step changed: the file is what the window shows, always.
        file.record(step.text, case=unpacked(step.case), plan=step.plan, gesture=step.gesture, **step.words)
        with self._changing(trouble=None):
            if self._steps:  # they may have been handed over meanwhile
                self._steps.pop(0)
            self._begun = step if step.gesture and not step.leads_back else None
            self._agree()

    def _create(self) -> None:
        assert self._make is not None
        path, case, plan = self._make
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        workflow.save_case(path, case, plan)
        self._take(HeldFile(workflow.CaseFile.open(path, scan=case.scan)))

    def _answer(self) -> None:
        with self._wake:
            call = self._calls.pop(0)
            if not call.future.set_running_or_notify_cancel():
                return
            self._answering = call
        try:
            value, error = call.function(), None
            self._agree()
        except BaseException as caught:
            value, error = None, caught
        with self._wake:
            self._answering = None
        self._refresh()
        with suppress(InvalidStateError):  # it was turned away meanwhile
            if error is None:
                call.future.set_result(value)
            else:
                call.future.set_exception(error)

    def _refuse(self) -> None:
        with self._wake:
            call, trouble = self._calls.pop(0), self._kept.trouble
        call.turn_away(trouble)

    def _mend(self) -> None:
        """Look whether the file is as it should be after trouble, though no step waits any more."""
        self._need()
        with self._changing(trouble=None):
            pass

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
        merged = replace(step, before=before, continues=continues)
        if continues or not merged.leads_back:
            self._steps.append(replace(merged, text=describe(before[1], step.plan) or step.text))
        return True

    def _call(self, function: Callable[[], T], when: When) -> Future[T]:
        call = Call(function, Future(), when)
        with self._wake:
            if self._ending:
                call.turn_away(None)
            elif when is When.AT_ONCE:
                at_once = sum(1 for c in self._calls if c.when is When.AT_ONCE)
                self._calls.insert(at_once, call)
            else:
                self._due = 0.0
                self._calls.append(call)
            self._wake.notify_all()
        return call.future

    def _need(self) -> workflow.CaseFile:
        """Return the file, opened anew after trouble, and only if it is where others will find it."""
        if self._held is None:
            raise StoreError("No case file is open.", "Save the case as a file.", code="no-case")
        if self._kept.trouble is not None:
            self._held.reopen()
            self._bring_back(self._held)
        self._held.require_place()
        return self._held.file

    def _bring_back(self, held: HeldFile) -> None:
        """Bring a file to the state that memory is in, where a step arrived although writing it failed."""
        if held.is_ahead:
            with self._wake:
                first, tried = self._steps[0] if self._steps else None, self._tried
                if first is not None and first is tried:
                    return  # it is written again, and nothing is left to write
                if first is not None and tried is not None and first.before is tried.before:
                    self._steps[0] = replace(first, continues=True)  # its gesture went on meanwhile
                    return
            held.go_back()  # it was taken back meanwhile
        self._tried = None

    def _gone(self, function: Callable[[workflow.CaseFile], State]) -> State:
        file, held = self._need(), self._held
        assert held is not None
        try:
            state = function(file)
        except StoreError as error:
            self._tried = None
            try:
                held.reopen()
                self._bring_back(held)
            except CryoplanError:
                self._failed(error)
            raise
        self._begun = None
        return state

    def _begin(self, path: Path, case: Case, plan: Plan) -> None:
        self._drop()
        with self._wake:
            self._make = (path, case, plan)
            self._kept = Kept(path=path)

    def _attach(self, path: Path, read: Remembered, read_only: bool) -> None:
        self._drop()
        case, plan = read.state
        self._unkept = read
        reason = ""
        try:
            file = workflow.CaseFile.open(path, scan=case.scan, read_only=read_only)
        except StoreError as error:
            if error.code not in ("case-file-in-use", "not-writable"):
                raise
            reason = error.what
            file = workflow.CaseFile.open(path, scan=case.scan, read_only=True)
        if not read_only and not (file.case.is_like(case) and file.plan == plan):
            file.close()
            raise changed_meanwhile(path)
        self._take(HeldFile(file), reason)

    def _drop(self) -> None:
        """Forget file and steps."""
        self._close_file()
        with self._wake:
            self._steps.clear()
            self._begun = self._make = self._unkept = self._tried = None
            self._try_at = 0.0
            self._kept = Kept()

    def _move(self, path: Path, remove_old: bool) -> None:
        old = self._held
        if old is not None and path.resolve() == old.path.resolve():
            self._need()  # it is there already
            return
        new = None if old is None else old.copied(path)
        if old is not None and new is not None:
            self._bring_back(new)
            is_whole = old.is_in_place
            self._take(new)
            if remove_old and is_whole:
                with suppress(OSError):
                    old.path.unlink()
            return
        remembered = self._in_memory()
        state = remembered.state
        remembered.write(path)
        self._take(HeldFile(workflow.CaseFile.open(path, scan=state[0].scan)))
        with self._changing():
            self._begun = None
            if self._steps and self._steps[0].continues:
                self._steps[0] = replace(self._steps[0], continues=False, before=state)

    def _in_memory(self) -> Remembered:
        if self._held is not None:
            return self._held.remembered
        if self._make is not None:
            return Remembered(state=self._make[1:], text="")
        if self._unkept is not None:
            return self._unkept
        raise StoreError("No case file is open.", "Open a case first.", code="no-case")

    def _take(self, held: HeldFile, reason: str = "") -> None:
        """Go on with a file, which is in the state that memory is in."""
        self._close_file()
        with self._changing(trouble=None):
            self._held = held
            self._make = self._unkept = self._tried = None
            self._try_at = 0.0
            self._kept = Kept(path=held.path, reason=reason)

    def _agree(self) -> None:
        self._tried = None
        if self._held is not None:
            self._held.agree()

    def _close_file(self) -> None:
        if self._held is not None:
            self._held.close()
        with self._wake:
            self._held = None

    def _failed(self, error: CryoplanError) -> None:
        with self._changing(trouble=error):
            self._failures += 1
            self._try_at = time.monotonic() + AGAIN_S

    def _refresh(self) -> None:
        with self._changing():
            pass

    @contextmanager
    def _changing(self, trouble: CryoplanError | EllipsisType | None = ...) -> Iterator[None]:
        """Change what there is in the block, and tell so after it; never holding the lock while telling."""
        with self._wake:
            try:
                yield
            finally:
                if trouble is not ...:
                    self._writing = False
                self._kept = self._shown(self._kept.trouble if trouble is ... else trouble)
                self._wake.notify_all()
        self._told()

    def _shown(self, trouble: CryoplanError | None) -> Kept:
        kept, held = self._kept, self._held
        waiting = tuple(step.text for step in self._steps)
        continues = sum(step.continues for step in self._steps)
        if held is None:
            title, notes = self._unkept.words if self._unkept is not None else ("", "")
            return Kept(
                path=kept.path,
                title=title,
                notes=notes,
                waiting=waiting,
                continues=continues,
                trouble=trouble,
            )
        store = held.file.store
        return Kept(
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
            results=store.known_results,
        )
