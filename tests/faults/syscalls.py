"""Failing system calls: each write, flush, rename and removal of a session fails in turn, made by strace.

A session makes a case, edits it five times, saves a copy, exports the plan and prints the PDF. Whatever
fails, each file is whole or absent, no edit is lost, and what was not written is said in a sentence.

Run ``python -m tests.faults.syscalls`` from the root of the tree; Linux with strace.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from cryoplan import workflow
from cryoplan.app import writer as writing
from cryoplan.app.steps import Step
from cryoplan.app.writer import CaseWriter
from cryoplan.core.errors import CryoplanError
from cryoplan.plan import edits

CALLS = {
    "flush": ("fsync,fdatasync", "EIO"),
    "write": ("write,pwrite64", "EIO"),
    "no room": ("write,pwrite64", "ENOSPC"),
    "rename": ("rename,renameat,renameat2", "EIO"),
    "remove": ("unlink,unlinkat", "EIO"),
    "open": ("openat", "EACCES"),
}
EDITS = 5
LONG_S = 30.0
ATTACHED = "attached"


@dataclass(slots=True)
class Report:
    """What became of the sessions.

    Attributes
    ----------
    faults : Counter
        Calls that were made to fail, by their kind.
    said, healed : int
        Sessions with a sentence about it, and those where a further attempt or nothing was needed.
    wrong : list of str
        What must not be: damaged files, lost edits, silence.
    """

    faults: Counter[str] = field(default_factory=Counter)
    said: int = 0
    healed: int = 0
    wrong: list[str] = field(default_factory=list)


def why_not() -> str:
    """Return why this cannot run here, empty when it can."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        return "needs Linux with strace"
    probe = ["strace", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return "strace may not trace here"
    return ""


@cache
def solved():
    """Return case, plan, result and judgement that a session starts from."""
    from tests.support.desk import answer, small_case
    from tests.support.scenes import make_plan

    case, plan = small_case(), make_plan()
    result, judged = answer(plan)
    key = workflow.simulation_key(case, plan, workflow.catalogue(), result.settings)
    return case, plan, replace(result, key=key), replace(judged, key=key)


def session(folder: Path) -> list[str]:
    """Work as the window does and return a line for each thing that was done or not."""
    case, plan, result, judged = solved()
    lines: list[str] = []
    writing.AGAIN_S = 0.01

    def told() -> None:
        trouble = writer.kept.trouble
        if trouble is not None:
            lines.append(f"said: {trouble.what} {trouble.remedy}")

    def attempt(what, work) -> None:
        try:
            work()
        except CryoplanError as error:
            lines.append(f"said: {error.what} {error.remedy}")
        else:
            lines.append(f"done: {what}")

    writer = CaseWriter(told)
    writer.begin(folder / "case.cryoplan", case, edits.rename_plan(plan, "edit 0")).result(LONG_S)
    before = (case, edits.rename_plan(plan, "edit 0"))
    for n in range(1, EDITS + 1):
        after = (case, edits.rename_plan(plan, f"edit {n}"))
        step = Step(text=f"Edit {n}", case=case, plan=after[1], before=before)
        writer.record(step, lambda _old, _new: "")
        before = after
    # As the user does who waits until the disk is well again.
    until = time.monotonic() + LONG_S
    while not writer.settle(LONG_S, again=True) and time.monotonic() < until:
        pass
    copy = writer.call(lambda file: file.store.save_copy(folder / "copy.cryoplan"))
    attempt("copy", lambda: copy.result(LONG_S))
    attempt("plan", lambda: workflow.save_plan(plan, folder / "plan.json"))
    pdf = folder / "plan.pdf"
    attempt(
        "pdf",
        lambda: workflow.write_report(case, plan, workflow.catalogue(), result, judged, pdf, pictures=()),
    )
    lines.append(f"closed: {writer.close(LONG_S)}")
    return lines


def faulty_session(folder: Path, calls: str, error: str, number: int) -> tuple[list[str], bool]:
    """Run a session in a fork whose `number`-th call of a kind fails; tell whether it came to that."""
    reading, telling = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            os.kill(os.getpid(), signal.SIGSTOP)
            text = "\n".join(session(folder)).encode()
            try:
                os.write(telling, text)
            except OSError:  # the fault may hit this as well
                os.write(telling, text)
            code = 0
        finally:
            os._exit(code)
    os.close(telling)
    os.waitpid(child, os.WUNTRACED)
    log = folder.with_suffix(".strace")
    command = ["strace", "-f", "-p", str(child), "-o", str(log), "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:error={error}:when={number}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        line = strace.stderr.readline()
        if ATTACHED not in line:
            raise RuntimeError(line)
        os.kill(child, signal.SIGCONT)
        with os.fdopen(reading) as stream:
            lines = stream.read().splitlines()
        _, status = os.waitpid(child, 0)
        strace.stderr.read()
    text = log.read_text()
    log.unlink()
    if status != 0:
        lines.append(f"ended: {status}")
    return lines, "(INJECTED)" in text


def wrong_with(folder: Path, lines: list[str]) -> list[str]:
    """Return what must not be after a session."""
    wrong = [line for line in lines if line.startswith("ended")]
    said = any(line.startswith("said: ") for line in lines)
    if "closed: True" not in lines and not said:
        wrong.append("the case was not written, in silence")
    for name, what in (("case", "closed: True"), ("copy", "done: copy")):
        path = folder / f"{name}.cryoplan"
        try:
            with workflow.CaseFile.open(path) as file:
                done = [entry.text for entry in file.history.entries][1:]
                if file.store.findings or done != [f"Edit {n}" for n in range(1, EDITS + 1)]:
                    wrong.append(f"{name}: {done} {file.store.findings}")
        except CryoplanError as error:
            if path.exists() or what in lines:
                wrong.append(f"{name}: {error}")
    plan, pdf = folder / "plan.json", folder / "plan.pdf"
    try:
        if workflow.load_plan(plan, workflow.catalogue()) != solved()[1]:
            wrong.append("plan: another one")
    except CryoplanError as error:
        if plan.exists() or "done: plan" in lines:
            wrong.append(f"plan: {error}")
    data = pdf.read_bytes() if pdf.exists() else b""
    if (pdf.exists() or "done: pdf" in lines) and not (data[:5] == b"%PDF-" and b"%%EOF" in data[-10:]):
        wrong.append("pdf: cut")
    if not said:
        wrong += [
            f"{name}: nothing was said" for name in ("copy", "plan", "pdf") if f"done: {name}" not in lines
        ]
    return wrong


def fault_loop(folder: Path, *, every: int = 1, kinds: tuple[str, ...] = tuple(CALLS)) -> Report:
    """Make every `every`-th call of each kind fail, one in each session."""
    solved()
    workflow.catalogue()
    session(_made(folder / "dry"))  # loads all modules, so that the forks need not
    report = Report()
    for kind in kinds:
        number, hit = 1, True
        while hit:
            place = _made(folder / f"{kind.replace(' ', '-')}-{number}")
            lines, hit = faulty_session(place, *CALLS[kind], number)
            wrong = wrong_with(place, lines)
            report.wrong += [f"{kind} {number}: {what}" for what in wrong]
            if hit:
                report.faults[kind] += 1
                said = any(line.startswith("said: ") for line in lines)
                report.said += said
                report.healed += not said
            shutil.rmtree(place)
            number += every
    return report


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=list(CALLS))
    options = parser.parse_args()
    if why_not():
        print(f"skipped: {why_not()}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = fault_loop(Path(folder), every=options.every, kinds=tuple(options.kinds))
    print(f"{report.faults.total()} failing calls {dict(report.faults)}")
    print(f"{report.said} said, {report.healed} healed by themselves, {len(report.wrong)} wrong")
    print(*report.wrong, sep="\n")
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
