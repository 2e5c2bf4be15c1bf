"""The background process: takes one job after another, answers through a pipe, looks at the cancel mark."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Protocol

from cryoplan.app.jobs import (
    CANCEL_SLOTS,
    Answer,
    Failure,
    Forgotten,
    Job,
    JobCancelled,
    JobDone,
    JobFailed,
    JobForgot,
    JobFrame,
    JobProgress,
)
from cryoplan.app.scrub import describe
from cryoplan.core.errors import ConsentError, CryoplanError
from cryoplan.core.progress import Cancelled, ProgressReport
from cryoplan.simulation.cores import leave_a_core
from cryoplan.simulation.result import Frame


class CancelMarks(Protocol):
    """Numbers shared with the window: a job stops when its id stands in its slot."""

    def __getitem__(self, slot: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Pause:
    """What idle work asks whether to go on: it ends as soon as a job waits."""

    connection: Connection

    def report(self, report: ProgressReport) -> None:
        """Say nothing: nobody asked for this work."""

    def cancelled(self) -> bool:
        """Tell whether a job waits."""
        return self.connection.poll()


@dataclass(frozen=True, slots=True)
class Line:
    """What a task talks through: progress, frames, and the question whether to stop."""

    job: int
    send: Callable[[Answer], None]
    marks: CancelMarks

    def report(self, report: ProgressReport) -> None:
        """Send progress to the window."""
        self.send(JobProgress(id=self.job, report=report))

    def cancelled(self) -> bool:
        """Tell whether the window asked this job to stop."""
        return self.marks[self.job % CANCEL_SLOTS] == self.job

    def frame(self, frame: Frame) -> None:
        """Send a solved field to the window."""
        self.send(JobFrame(id=self.job, frame=frame))


def serve(connection: Connection, marks: CancelMarks, tasks_module: str) -> None:
    """Answer jobs until the pipe closes; the body of the background process.

    Parameters
    ----------
    tasks_module : str
        Module whose ``TASKS`` maps a job's kind to ``f(line, **arguments)``, and whose ``idle(pause)`` is
        called once after every job while there is nothing to do; it is given up when a job comes.
    """
    # Ctrl+C in the terminal is the window's to handle; it then tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_a_core()
    _lower_priority()
    tasks = import_module(tasks_module)
    ready = False
    try:
        while True:
            if not ready and not connection.poll(0.3):
                _rest(tasks.idle, connection)
                ready = True
            job = connection.recv()
            connection.send(_do(job, tasks.TASKS, connection.send, marks))
            ready = False
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the window has gone


def _rest(idle: Callable[[Pause], None], connection: Connection) -> None:
    """Work while nobody waits; an error in what nobody asked for may not end the process."""
    try:
        idle(Pause(connection))
    except Cancelled:
        return
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        logging.getLogger("cryoplan").error("work between two jobs", exc_info=error)


def _do(
    job: Job,
    tasks: dict[str, Callable[..., object]],
    send: Callable[[Answer], None],
    marks: CancelMarks,
) -> Answer:
    line = Line(job.id, send, marks)
    try:
        if line.cancelled():
            raise Cancelled
        value = tasks[job.kind](line, **job.arguments)
    except Cancelled:
        return JobCancelled(id=job.id, kind=job.kind)
    except Forgotten:
        return JobForgot(id=job.id, kind=job.kind)
    except CryoplanError as error:
        failure = failure_of(error)
        return JobFailed(id=job.id, kind=job.kind, failure=failure)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        logging.getLogger("cryoplan").error("job %s", job.kind, exc_info=error)
        return JobFailed(id=job.id, kind=job.kind, failure=unexpected(error))
    return JobDone(id=job.id, kind=job.kind, value=value)


def failure_of(error: CryoplanError) -> Failure:
    """Return the failure of an error that a user can read, and what a yes would settle."""
    to_agree = error.findings if isinstance(error, ConsentError) else ()
    return Failure(
        what=error.what, remedy=error.remedy, code=error.code, place=error.place, to_agree=to_agree
    )


def unexpected(error: BaseException) -> Failure:
    """Return the failure of an error of our own, with the places in our code but no values of the patient."""
    name = type(error).__name__
    memory = isinstance(error, MemoryError)
    return Failure(
        what="There was not enough memory." if memory else f"cryoplan made an error of its own ({name}).",
        remedy="Close other programs and try again."
        if memory
        else "Nothing of your plan was lost. Try again; if it comes back, report it with the details.",
        details=describe(error),
    )


def _lower_priority() -> None:
    # The window shares the cores with us: it must win whenever it has something to draw. More than a little
    # lower, and beside the display's server on two cores the preview of a dragged probe took twice as long.
    if sys.platform != "win32":
        os.nice(2)


def end_with_parent(parent: int) -> None:
    """Make this process end when the window was killed and could not say so."""

    def watch() -> None:
        while os.getppid() == parent:
            threading.Event().wait(1.0)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
