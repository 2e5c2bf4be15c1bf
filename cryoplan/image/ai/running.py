"""Run one task of TotalSegmentator on a scan: write it out, start the script, wait, read the label map."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cryoplan.core.errors import CryoplanError, StructureError
from cryoplan.core.progress import SILENT, Cancelled, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.ai import runner
from cryoplan.image.ai.installed import INSTALL, Installation
from cryoplan.image.ai.tasks import Task
from cryoplan.image.labels import read_structures
from cryoplan.image.scan import LOWEST_HU, Scan
from cryoplan.image.structures.found import StructureFile
from cryoplan.image.write import write_volume

_LOOK_S = 0.2
_END_S = 5.0
_PLACED_ELSEWHERE = {"mask-resampled", "mask-leaves-image", "mask-outside", "mask-grid"}

# TotalSegmentator's own words -> how far it is and what it is doing.
_STAGES = (
    (re.compile(r"generating rough", re.I), 0.1, "Looking for the part of the body"),
    (re.compile(r"^\s*resampling", re.I), 0.15, "Resampling the image"),
    (re.compile(r"^\s*predicting", re.I), 0.2, "Outlining"),
    (re.compile(r"removing small blobs|postprocessing", re.I), 0.85, "Cleaning the outlines"),
    (re.compile(r"saving segmentations", re.I), 0.9, "Writing the outlines"),
)
_PART = re.compile(r"predicting part (\d+) of (\d+)", re.I)
_ON_CPU = re.compile(r"no gpu detected|running on (the )?cpu", re.I)

_FELL = {
    "memory": (
        "TotalSegmentator ran out of memory.",
        "Choose the fast 3 mm task, close other programs, or run it on the processor instead of the graphics "
        "card.",
        "ai-memory",
    ),
    "weights": (
        "TotalSegmentator wanted to fetch weights, which it may not do from here.",
        "Fetch them once with its command totalseg_download_weights, then look again.",
        "ai-no-weights",
    ),
    "licence": (
        "The TotalSegmentator that is installed asks for a licence for this task.",
        "Choose another task; this program runs the open ones only.",
        "ai-licence",
    ),
    "package": (
        "The TotalSegmentator that is installed does not fit or is not whole.",
        f"Install it again: {INSTALL}.",
        "ai-package",
    ),
}


def run_task(
    scan: Scan,
    task: Task,
    installation: Installation,
    *,
    device: str = "gpu",
    progress: Progress = SILENT,
) -> StructureFile:
    """Outline a scan with TotalSegmentator.

    Parameters
    ----------
    scan : Scan
        CT in HU, or MR.
    task : Task
        What is asked for; it fits the scan's modality.
    installation : Installation
        From `find_installation`.
    device : str
        ``gpu`` (the processor where there is none) or ``cpu``.
    progress : Progress
        Told what is being done; asked five times a second whether to go on.

    Returns
    -------
    StructureFile
        Masks on the scan's grid, named as TotalSegmentator names its classes.

    Raises
    ------
    StructureError
        If weights are missing, it falls, runs out of memory, or what it returns cannot be used.
    Cancelled
        If `progress` says so; the process and all that it started have ended then.
    """
    check_cancelled(progress)
    refuse_unfit(scan, task, installation)
    with tempfile.TemporaryDirectory(prefix="cryoplan-ai-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        progress.report(ProgressReport(fraction=0.0, text="Handing the image to TotalSegmentator"))
        write_volume(_plain(scan), folder / "image.nii")
        check_cancelled(progress)
        job = {
            "image": str(folder / "image.nii"),
            "labels": str(folder / "labels.nii.gz"),
            "task": task.task,
            "fast": task.fast,
            "device": device,
            "search": [place for place in sys.path if place],
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        names = _run(folder, progress)
        check_cancelled(progress)
        progress.report(ProgressReport(fraction=0.95, text="Reading the outlines"))
        return _read(folder, names, scan, task, installation)


def refuse_unfit(scan: Scan, task: Task, installation: Installation | None) -> Installation:
    """Return the installation if the task can be run on the scan.

    Raises
    ------
    StructureError
        If TotalSegmentator or its weights are missing, or the image is of another kind.
    """
    if installation is None:
        raise StructureError(
            "TotalSegmentator is not installed.",
            f"Install it with {INSTALL}, then its weights with {task.download}.",
            code="ai-not-installed",
        )
    lacking = installation.lacks(task)
    if lacking:
        raise StructureError(
            "TotalSegmentator is installed, but weights that this task needs are not "
            f"(data sets {', '.join(map(str, lacking))} in {installation.weights.name}).",
            f"Fetch them once, on a computer with network, with {task.download}.",
            code="ai-no-weights",
            place=task.id,
        )
    if scan.facts.modality not in ("", task.modality):
        raise StructureError(
            f"This task is for {task.modality}, and the image is {scan.facts.modality}.",
            "Choose a task for this image.",
            code="ai-other-modality",
            place=task.id,
        )
    return installation


def _plain(scan: Scan) -> Volume:
    """Return the voxels that are handed over: padding below air is what no network was trained on."""
    volume = scan.volume
    if not scan.facts.has_hounsfield:
        return volume
    return Volume(grid=volume.grid, values=np.maximum(volume.values, volume.values.dtype.type(LOWEST_HU)))


def _run(folder: Path, progress: Progress) -> dict[str, str]:
    """Start the script, follow it to its end, and return the names of the labels."""
    surroundings = dict(os.environ)
    for name in ("TMPDIR", "TEMP", "TMP"):
        surroundings[name] = str(folder)  # what it unpacks goes when the job does
    own_group: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    with (folder / "errors.txt").open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-P", "-u", str(Path(runner.__file__)), str(folder / "job.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env=surroundings,
            **own_group,
        )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_listen, args=(child, lines), daemon=True)
    reader.start()
    heard = _Heard(progress)
    try:
        while True:
            if progress.cancelled():
                raise Cancelled
            try:
                line = lines.get(timeout=_LOOK_S)
            except queue.Empty:
                # A helper that outlives the script may hold its output open for ever.
                if child.poll() is not None:
                    break
                continue
            if line is None:
                break
            heard.take(line)
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        pass  # its output is closed and it does not end: what it said counts
    finally:
        _end(child)
        reader.join(_END_S)
    heard.judge(child.returncode)
    return heard.names


def _listen(child: subprocess.Popen[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    assert child.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        for line in child.stdout:
            lines.put(line[:4000].decode("utf-8", "replace").rstrip())
    lines.put(None)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the script and every process that it started."""
    if sys.platform == "win32":
        if child.poll() is None:
            ended = ["taskkill", "/F", "/T", "/PID", str(child.pid)]
            subprocess.run(ended, check=False, capture_output=True)
    else:
        # Helpers of nnU-Net may outlive the script; they are of its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_END_S)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


class _Heard:
    """What the script has said so far."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.names: dict[str, str] = {}
        self._kind = self._error = ""
        self._where = ""
        self._done = False

    def take(self, line: str) -> None:
        if not line.startswith(runner.MARK):
            self._follow(line)
            return
        try:
            said = json.loads(line[len(runner.MARK) :])
        except ValueError:
            return
        word = said.get("word")
        if word == "names":
            self.names = {str(k): str(v) for k, v in said["names"].items()}
            self._tell(0.02, "Loading TotalSegmentator")
        elif word == "loaded":
            self._tell(0.08, "TotalSegmentator begins")
        elif word == "failed":
            self._kind, self._error = str(said.get("kind", "")), str(said.get("name", ""))
        elif word == "done":
            self._done = True

    def _follow(self, line: str) -> None:
        if _ON_CPU.search(line):
            self._where = " on the processor, which takes longer"
        part = _PART.search(line)
        if part and int(part[2]) > 0:
            number, of = int(part[1]), int(part[2])
            self._tell(0.2 + 0.6 * (number - 1) / of, f"Outlining, part {number} of {of}{self._where}")
            return
        for words, fraction, text in _STAGES:
            if words.search(line):
                self._tell(fraction, text + (self._where if text == "Outlining" else ""))
                return

    def _tell(self, fraction: float, text: str) -> None:
        self._progress.report(ProgressReport(fraction=fraction, text=text))

    def judge(self, code: int | None) -> None:
        """Raise unless the script said that all is done."""
        if self._done:
            return
        if self._kind:
            own = (
                f"TotalSegmentator made an error of its own ({self._error}).",
                "Try again, or choose the other resolution; the case is as it was.",
                "ai-failed",
            )
            what, remedy, kind = _FELL.get(self._kind, own)
            raise StructureError(what, remedy, code=kind)
        how = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
        # Linux ends the largest program with signal 9 when no memory is left.
        guess = " Memory has probably run out." if code == -9 else ""
        raise StructureError(
            f"TotalSegmentator ended by itself ({how}).{guess}",
            "Choose the fast 3 mm task or close other programs, and try again; the case is as it was.",
            code="ai-died",
        )


def _read(
    folder: Path, names: dict[str, str], scan: Scan, task: Task, installation: Installation
) -> StructureFile:
    path = folder / "labels.nii.gz"
    if not path.is_file():
        raise StructureError(
            "TotalSegmentator ended without an outline.",
            f"Install it again: {INSTALL}.",
            code="ai-no-result",
        )
    (folder / "labels.json").write_text(json.dumps(names), encoding="utf-8")
    try:
        found = read_structures(path, scan)
    except CryoplanError as error:
        if error.code == "no-labels":
            raise StructureError(
                "TotalSegmentator found nothing in this image.",
                "Choose the other resolution, or outline by hand.",
                code="ai-nothing-found",
            ) from error
        if error.code in _PLACED_ELSEWHERE:
            raise _elsewhere() from error
        raise StructureError(
            f"What TotalSegmentator returned cannot be read: {error.what}",
            f"Install it again: {INSTALL}.",
            code="ai-no-result",
        ) from error
    if any(finding.code in _PLACED_ELSEWHERE for finding in found.findings):
        raise _elsewhere()
    how = ", 3 mm" if task.fast else ""
    source = f"TotalSegmentator {installation.version}, {task.task}{how}, not reviewed"
    return StructureFile(masks=tuple(replace(mask, source=source) for mask in found.masks))


def _elsewhere() -> StructureError:
    return StructureError(
        "TotalSegmentator returned outlines on another grid than that of the image; they were not taken.",
        f"Install it again: {INSTALL}.",
        code="ai-other-grid",
    )
