"""Worker: one background process behind a pipe; a thread waits for its answers and makes them signals."""

from __future__ import annotations

import atexit
import contextlib
import logging
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from cryoplan.app import crash
from cryoplan.app.child import end_with_parent, serve
from cryoplan.app.jobs import CANCEL_SLOTS, Answer, Failure, Job, JobFailed, JobFrame, JobProgress
from cryoplan.app.log import Clean, start_log

TASKS_MODULE = "cryoplan.app.tasks"
END_WAIT_S = 2.0


def _child(connection: Connection, marks: Any, tasks_module: str, parent: int) -> None:
    end_with_parent(parent)
    start_log("cryoplan-worker")
    session = crash.Session(crash.BACKGROUND)
    session.begin()
    with crash.Net():
        serve(connection, marks, tasks_module)
    session.end()


def _as_it_is(_answer: Answer) -> None:
    """Prepare nothing."""


class _Writer(QThread):
    """Sends jobs; a pipe takes no more than a few kilobytes while the process is busy with another job."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()

    def run(self) -> None:
        """Send until None comes."""
        while (job := self.jobs.get()) is not None:
            with contextlib.suppress(OSError):  # a broken pipe is told by the reader in a moment
                self._connection.send(job)


class _Reader(QThread):
    """Waits on the pipe; `connection.recv` gives the interpreter free while it waits."""

    answered = Signal(object, object)

    def __init__(self, connection: Connection, prepare: Callable[[Answer], None]) -> None:
        super().__init__()
        self._connection, self._prepare = connection, prepare

    def run(self) -> None:
        """Pass answers on until the pipe breaks; None says that it did."""
        while True:
            try:
                answer = self._connection.recv()
            except (EOFError, OSError):
                break
            except Exception:
                # An answer that cannot be put together again: nothing behind it in the pipe can be trusted.
                logging.getLogger("cryoplan").exception("an answer of the worker cannot be read")
                break
            self._prepare(answer)
            self.answered.emit(self._connection, answer)
        self.answered.emit(self._connection, None)


class Worker(QObject):
    """Sends jobs to the background process and tells their answers on the window's thread.

    Parameters
    ----------
    tasks_module : str
        Module with the tasks; tests bring their own.
    prepare : callable, optional
        Called with every answer on the reading thread, before the window's thread hears of it.

    Signals
    -------
    answered : object
        An `Answer`, in the order of events.
    restarted
        The process ended by itself and a new one was started; it remembers nothing.
    """

    answered = Signal(object)
    restarted = Signal()

    def __init__(
        self,
        tasks_module: str = TASKS_MODULE,
        parent: QObject | None = None,
        *,
        prepare: Callable[[Answer], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks_module = tasks_module
        self._prepare = prepare or _as_it_is
        self._context = multiprocessing.get_context("spawn")
        self._open: dict[int, Job] = {}
        self._next = 1
        self._is_closed = False
        # Not a daemon, because a daemon may not start the process that draws the 3D picture of the report;
        # so whoever forgets to close us must not wait for it for ever when Python ends.
        atexit.register(self.close)
        self._start()

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        # Plain shared numbers without a lock: one side writes, the other reads, and eight bytes never tear.
        self._marks: Any = self._context.Array("q", CANCEL_SLOTS, lock=False)
        self._connection = ours
        self._process = self._context.Process(
            target=_child, args=(theirs, self._marks, self._tasks_module, os.getpid())
        )
        self._process.start()
        theirs.close()
        self._reader = _Reader(ours, self._prepare)
        self._reader.answered.connect(self._take)
        self._reader.start()
        self._writer = _Writer(ours)
        self._writer.start()

    @property
    def pid(self) -> int | None:
        """Process id of the background process."""
        return self._process.pid

    def submit(self, kind: str, **arguments: object) -> int:
        """Send a job and return its id; jobs are done in their order."""
        job = Job(id=self._next, kind=kind, arguments=arguments)
        self._next += 1
        self._open[job.id] = job
        self._writer.jobs.put(job)
        return job.id

    def cancel(self, job: int) -> None:
        """Ask a job to stop; it answers with `JobCancelled`, unless it was done already."""
        self._marks[job % CANCEL_SLOTS] = job

    def is_open(self, job: int) -> bool:
        """Tell whether the job has not been answered yet."""
        return job in self._open

    @Slot(object, object)
    def _take(self, connection: Connection, answer: Answer | None) -> None:
        if self._is_closed or connection is not self._connection:
            return  # a last word of a process that has been ended or replaced
        if answer is None:
            self._revive()
            return
        if not isinstance(answer, JobProgress | JobFrame):
            self._open.pop(answer.id, None)
        self.answered.emit(answer)

    def _revive(self) -> None:
        lost = list(self._open.values())
        self._open.clear()
        self._process.kill()  # it may live on where only an answer of its could not be read
        self._process.join(END_WAIT_S)
        code = self._process.exitcode
        trace = crash.take_trace(crash.BACKGROUND, self._process.pid or 0)
        logging.getLogger("cryoplan").error(
            "the background process ended with %d\n%s", code or 0, Clean(trace)
        )
        self._end_threads()
        self._start()
        self.restarted.emit()
        for job in lost:
            failure = Failure(
                what="The background calculation ended unexpectedly and was started again.",
                remedy="Nothing of your plan was lost. Try again; if it comes back, the file may be damaged "
                "or memory too short.",
                code="worker-ended",
                details=f"exit code {code}, job {job.kind}\n{trace}".strip(),
            )
            self.answered.emit(JobFailed(id=job.id, kind=job.kind, failure=failure))

    def close(self) -> None:
        """End process and thread; whatever runs is given up. A second call does nothing."""
        atexit.unregister(self.close)
        if self._is_closed:
            return
        # From here on a process that ended by itself, of the same signal as we for example, stays ended.
        self._is_closed = True
        self._reader.answered.disconnect(self._take)
        # Terminating is safe here: every file that the process writes is replaced only when whole.
        self._process.terminate()
        self._process.join(END_WAIT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        # It was ended from here and had no turn to remove its trace file.
        crash.take_trace(crash.BACKGROUND, self._process.pid or 0)
        self._end_threads()
        self._open.clear()

    def _end_threads(self) -> None:
        # The process is gone: neither reading nor writing can wait any more.
        self._writer.jobs.put(None)
        self._writer.wait()
        self._reader.wait()
        self._connection.close()
