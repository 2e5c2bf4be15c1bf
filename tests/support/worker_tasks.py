"""Tasks for tests of the background process: quick ones, endless ones, and ones that go wrong."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from cryoplan.app.child import Line
from cryoplan.core.errors import PlanError
from cryoplan.core.progress import Progress, ProgressReport, check_cancelled

PAUSES_FILE = "CRYOPLAN_TEST_PAUSES"
FALLS = "CRYOPLAN_TEST_PAUSES_FALL"


def idle(pause: Progress) -> None:
    """Work without end while there is nothing to do, and write down when a job ends it; or fall at once."""
    _note("begun")
    if FALLS in os.environ:
        raise ZeroDivisionError
    try:
        while True:
            check_cancelled(pause)
            threading.Event().wait(0.002)
    finally:
        _note("ended")


def _note(word: str) -> None:
    if PAUSES_FILE in os.environ:
        with Path(os.environ[PAUSES_FILE]).open("a", encoding="ascii") as file:
            file.write(f"{word} ")


def echo(line: Line, value: object) -> object:
    line.report(ProgressReport(fraction=0.5, text="half"))
    return value


def endless(line: Line) -> None:
    """Report, then work until asked to stop."""
    line.report(ProgressReport(fraction=0.1, text="on it"))
    while True:
        check_cancelled(line)
        threading.Event().wait(0.002)


def refuse(_line: Line) -> None:
    raise PlanError("Probe 2 is bent.", "Straighten it.", code="bent", place="probe 2")


def fall(_line: Line, patient: str) -> None:
    raise ValueError(f"a number of {patient} is not one")


def die(_line: Line) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Garbled:
    """Goes into the pipe and does not come out of it."""

    def __reduce__(self):
        return (int, ("not a number",))


def garble(_line: Line) -> Garbled:
    return Garbled()


def size(_line: Line, block: bytes) -> int:
    return len(block)


TASKS = {
    "echo": echo,
    "endless": endless,
    "refuse": refuse,
    "fall": fall,
    "die": die,
    "garble": garble,
    "size": size,
}
