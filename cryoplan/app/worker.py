"""Worker: one background process behind a pipe; a thread waits for its answers and makes them signals."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
from multiprocessing.connection import Connection
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from cryoplan.app.child import end_with_parent, serve
from cryoplan.app.jobs import Answer, Failure, Job, JobCancelled, JobDone, JobFailed

TASKS_MODULE = "cryoplan.app.tasks"
END_WAIT_S = 2.0


def _child(connection: Connection, mark: Any, tasks_module: str, parent: int) -> None:
    end_with_parent(parent)
    serve(connection, mark, tasks_module)


class _Reader(QThread):
    """Waits on the pipe; `connection.recv` gives the interpreter free while it waits."""

    answered = Signal(object, object)

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def run(self) -> None:
        """Pass answers on until the pipe breaks; None says that it did."""
        while True:
            try:
                answer = self._connection.recv()
            except (EOFError, OSError):
                self.answered.emit(self._connection, None)
                return
            self.answered.emit(self._connection, answer)


class Worker(QObject):
    """Sends jobs to the background process and tells their answers on the window's thread.

    Parameters
    ----------
    tasks_module : str
        Module with the tasks; tests bring their own.

    Signals
    -------
    answered : object
        A `JobProgress`, `JobFrame`, `JobDone`, `JobCancelled` or `JobFailed`, in the order of events.
    restarted
        The process ended by itself and a new one was started; it remembers nothing.
    """

    answered = Signal(object)
    restarted = Signal()

    def __init__(self, tasks_module: str = TASKS_MODULE, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks_module = tasks_module
        self._context = multiprocessing.get_context("spawn")
        self._open: dict[int, Job] = {}
        self._next = 1
        # Not a daemon, because a daemon may not start the process that draws the 3D picture of the report;
        # so whoever forgets to close us must not wait for it for ever when Python ends.
        atexit.register(self.close)
        self._start()

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        # A plain shared number without a lock: one side writes, the other reads, and eight bytes never tear.
        self._mark: Any = self._context.Value("q", 0, lock=False)
        self._connection = ours
        self._process = self._context.Process(
            target=_child, args=(theirs, self._mark, self._tasks_module, os.getpid())
        )
        self._process.start()
        theirs.close()
        self._reader = _Reader(ours)
        self._reader.answered.connect(self._take)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """Process id of the background process."""
        return self._process.pid

    def submit(self, kind: str, **arguments: object) -> int:
        """Send a job and return its id; jobs are done in their order."""
        job = Job(id=self._next, kind=kind, arguments=arguments)
        self._next += 1
        self._open[job.id] = job
        with contextlib.suppress(OSError):  # a broken pipe is told by the reader in a moment
            self._connection.send(job)
        return job.id

    def cancel(self, job: int) -> None:
        """Ask this job and all earlier ones to stop; they answer with `JobCancelled`."""
        self._mark.value = max(self._mark.value, job)

    def is_open(self, job: int) -> bool:
        """Tell whether the job has not been answered yet."""
        return job in self._open

    @Slot(object, object)
    def _take(self, connection: Connection, answer: Answer | None) -> None:
        if connection is not self._connection:
            return  # a last word of a process that has been replaced
        if answer is None:
            self._revive()
            return
        if isinstance(answer, JobDone | JobCancelled | JobFailed):
            self._open.pop(answer.id, None)
        self.answered.emit(answer)

    def _revive(self) -> None:
        lost = list(self._open.values())
        self._open.clear()
        self._process.join(END_WAIT_S)
        code = self._process.exitcode
        self._reader.wait()
        self._connection.close()
        self._start()
        self.restarted.emit()
        for job in lost:
            failure = Failure(
                what="The background calculation ended unexpectedly and was started again.",
                remedy="Nothing of your plan was lost. Try again; if it comes back, the file may be damaged "
                "or memory too short.",
                code="worker-ended",
                details=f"exit code {code}, job {job.kind}",
            )
            self.answered.emit(JobFailed(id=job.id, kind=job.kind, failure=failure))

    def close(self) -> None:
        """End process and thread; whatever runs is given up. A second call does nothing."""
        atexit.unregister(self.close)
        if self._process.pid is None or self._reader.isFinished():
            return
        self._reader.answered.disconnect(self._take)
        self.cancel(self._next)
        # Terminating is safe here: every file that the process writes is replaced only when whole.
        self._process.terminate()
        self._process.join(END_WAIT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._reader.wait()
        self._connection.close()
        self._open.clear()
