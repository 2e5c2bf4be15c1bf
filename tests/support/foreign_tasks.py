"""Tasks for the child process that reads: each answers, refuses, dies, hangs or swells as its name says."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from pathlib import Path

import numpy as np

from cryoplan.core.errors import StructureError
from cryoplan.core.progress import Progress, ProgressReport, check_cancelled


def answer(number: int, *, progress: Progress) -> dict[str, object]:
    progress.report(ProgressReport(fraction=1.0, text="all of it"))
    return {"number": number, "many": np.arange(300_000), "none": np.zeros(0), "flags": np.eye(9) > 0}


def refuse(*, progress: Progress) -> None:
    progress.report(ProgressReport(fraction=0.0, text="a look"))
    raise StructureError("a.nii is wrong.", "Mend it.", code="some-code", place="a.nii")


def die(*, progress: Progress) -> None:
    Path(tempfile.gettempdir(), "patient.dcm").write_bytes(b"x")
    progress.report(ProgressReport(fraction=0.0, text=tempfile.gettempdir()))
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(*, progress: Progress) -> None:
    progress.report(ProgressReport(fraction=0.0, text="begun"))
    threading.Event().wait()


def wait_for_cancel(*, progress: Progress) -> None:
    progress.report(ProgressReport(fraction=0.0, text="begun"))
    while True:
        check_cancelled(progress)
        threading.Event().wait(0.01)


def swell(*, progress: Progress) -> int:
    progress.report(ProgressReport(fraction=0.0, text="begun"))
    return int(np.ones(1 << 28).sum())  # 2 GB


def stumble(*, progress: Progress) -> None:
    progress.report(ProgressReport(fraction=0.0, text="begun"))
    raise KeyError("Doe^Jane")
