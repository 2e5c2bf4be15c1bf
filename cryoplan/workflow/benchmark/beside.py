"""Beside: how soon the solver hears a cancel, and how it and a busy window bear one another.

The window is a stand-in without Qt: a loop on the main thread whose timer is due every 5 ms, and which draws
for some 8 ms every 16 ms (Python and numpy, a fixed amount of work, so that whatever holds it up shows). The
solver runs as in the program, in a spawned process of lower priority; for comparison also in a thread.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from cryoplan.core.progress import Cancelled, Progress, ProgressReport, check_cancelled
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.subjects import Patient

TICK_S, DRAW_EVERY_S, DRAW_S = 0.005, 0.016, 0.008
NICE = 5
"""The priority that the background process of the window has (``cryoplan.app.child``)."""

BUILD_WAITS_S = (0.02, 0.1, 0.3)
"""Moments after a solve from the plan began; at the standard size the problem is still being made then."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Progress whose cancel is a number shared with another process or thread."""

    mark: Any

    def report(self, report: ProgressReport) -> None:
        """Drop the report."""

    def cancelled(self) -> bool:
        return bool(self.mark[0])


def _serve(pipe: Connection, mark: Any, sizes: Sizes) -> None:
    if sys.platform != "win32":
        os.nice(NICE)
    from cryoplan.simulation.cores import leave_a_core
    from cryoplan.simulation.solver import solve, warm_up

    patient = Patient(sizes)
    plan = patient.one_freeze
    problem = patient.problem(plan, sizes.standard_mm, sizes.standard_cells)
    leave_a_core()  # as the window's worker does
    warm_up()
    pipe.send("ready")
    while True:
        try:
            what = pipe.recv()
        except EOFError:
            return
        began = time.perf_counter()
        try:
            if what == "build":
                problem = patient.problem(plan, sizes.standard_mm, sizes.standard_cells)
            solve(problem, progress=_Mark(mark))
        except Cancelled:
            pipe.send(None)
        else:
            pipe.send(time.perf_counter() - began)


class SolverProcess:
    """A background process that solves one freeze whenever it is asked to."""

    def __init__(self, sizes: Sizes) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._mark: Any = context.Array("q", 1, lock=False)
        self._process = context.Process(target=_serve, args=(theirs, self._mark, sizes), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> SolverProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join()

    def ask(self, what: str = "solve") -> None:
        """Begin a solve; ``build`` makes the problem anew before."""
        self._mark[0] = 0
        self.pipe.send(what)

    def cancel(self) -> None:
        """Ask it to stop."""
        self._mark[0] = 1

    def answer(self, progress: Progress) -> object:
        """Wait for the answer: ``ready``, the seconds of a solve, or None when it was cancelled."""
        while not self.pipe.poll(0.05):
            check_cancelled(progress)
        return self.pipe.recv()


class BusyWindow:
    """The loop that stands in for a busy window."""

    def __init__(self) -> None:
        self._image = np.random.default_rng(2).integers(-200, 300, size=(256, 256)).astype(np.int16)
        self._rounds = 1
        began = time.perf_counter()
        count = 0
        while time.perf_counter() - began < 0.1:
            self._draw()
            count += 1
        self._rounds = max(1, round(count * DRAW_S / 0.1))

    def _draw(self) -> None:
        for _ in range(self._rounds):
            gray = np.clip((self._image.astype(np.float32) + 160.0) * 0.6375, 0.0, 255.0).astype(np.uint8)
            sum(int(v) for v in gray[::16, 128])

    def run(self, until: Callable[[], bool]) -> float:
        """Be busy until something holds; return the longest time between two ticks, seconds."""
        longest = 0.0
        last = drawn = time.perf_counter()
        while not until():
            now = time.perf_counter()
            if now < last + TICK_S:
                time.sleep(last + TICK_S - now)
                now = time.perf_counter()
            longest, last = max(longest, now - last), now
            if now - drawn >= DRAW_EVERY_S:
                drawn = now
                self._draw()
        return longest


def cancel(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure the time from asking a solve to stop until its process says that it has."""
    with SolverProcess(sizes) as solver:
        solver.answer(progress)
        whole = _seconds(solver, progress)
        waits = [0.8 * whole * (n + 0.5) / sizes.repeats for n in range(sizes.repeats)]
        found = [_cancel(solver, "solve", wait, progress) for wait in waits]
        yield _cancel_row("cancel", found, f"at moments of a {whole:.2g} s freeze, {sizes.standard_mm:g} mm")
        found = [_cancel(solver, "build", wait, progress) for wait in BUILD_WAITS_S]
        waited = ", ".join(f"{w:g}" for w in BUILD_WAITS_S)
        yield _cancel_row("cancel-building", found, f"{waited} s after a solve from the plan began")


def _cancel_row(case: str, found: list[float | None], what: str) -> Row:
    heard = [1000.0 * s for s in found if s is not None]
    if not heard:
        return row(case, None, 0, "every solve was done before it could be cancelled")
    note = f"worst, asked {what}; median {statistics.median(heard):.1f} ms; the solver in its own process"
    return row(case, max(heard), len(heard), note)


def _seconds(solver: SolverProcess, progress: Progress) -> float:
    solver.ask()
    answer = solver.answer(progress)
    assert isinstance(answer, float)
    return answer


def _cancel(solver: SolverProcess, what: str, wait_s: float, progress: Progress) -> float | None:
    """Return the seconds until the answer, None where the solve was done before."""
    solver.ask(what)
    threading.Event().wait(wait_s)
    began = time.perf_counter()
    solver.cancel()
    return time.perf_counter() - began if solver.answer(progress) is None else None


def beside(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure stalls and speed with the solver in its own process."""
    window = BusyWindow()
    with SolverProcess(sizes) as solver:
        solver.answer(progress)
        _seconds(solver, progress)
        alone = [_seconds(solver, progress) for _ in range(sizes.repeats)]
        quiet = window.run(_after(statistics.median(alone), progress))
        stalls, times = [], []
        for _ in range(sizes.repeats):
            solver.ask()
            stalls.append(window.run(_heard(solver, progress)))
            times.append(solver.answer(progress))
        yield from _rows("", stalls, alone, [float(str(t)) for t in times], quiet, "its own process")


def beside_thread(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure the same with the solver in a thread beside the window's."""
    from cryoplan.simulation.solver import solve

    window, sizes = BusyWindow(), patient.sizes
    problem = patient.problem(patient.one_freeze, sizes.standard_mm, sizes.standard_cells)
    mark = [0]
    times: list[float] = []

    def run() -> None:
        began = time.perf_counter()
        try:
            solve(problem, progress=_Mark(mark))
        except Cancelled:
            return
        times.append(time.perf_counter() - began)

    run()
    times.clear()
    for _ in range(sizes.repeats):
        check_cancelled(progress)
        run()
    alone, stalls = times.copy(), []
    times.clear()
    quiet = window.run(_after(statistics.median(alone), progress))
    try:
        for _ in range(sizes.repeats):
            thread = threading.Thread(target=run)
            thread.start()
            stalls.append(window.run(_ended(thread, progress)))
            thread.join()
    finally:
        mark[0] = 1
    yield from _rows("-thread", stalls, alone, times, quiet, "a thread of the same process")


def _rows(
    ending: str, stalls: list[float], alone: list[float], times: list[float], quiet: float, where: str
) -> Iterator[Row]:
    count = len(stalls)
    note = (
        f"longest of {count} freezes in {where}, median {1000 * statistics.median(stalls):.1f} ms; "
        f"{1000 * quiet:.1f} ms without solver; a Python loop stands in for the window, see beside.py"
    )
    yield row(f"stall{ending}", 1000.0 * max(stalls), count, note)
    a, b = statistics.median(alone), statistics.median(times)
    note = f"{a:.3g} s alone, {b:.3g} s beside the stand-in, medians; solver in {where}"
    yield row(f"beside{ending}", a / b, count, note)


def _after(seconds: float, progress: Progress) -> Callable[[], bool]:
    end = time.perf_counter() + max(seconds, 0.2)
    return lambda: _look(progress) or time.perf_counter() >= end


def _heard(solver: SolverProcess, progress: Progress) -> Callable[[], bool]:
    return lambda: _look(progress) or solver.pipe.poll()


def _ended(thread: threading.Thread, progress: Progress) -> Callable[[], bool]:
    return lambda: _look(progress) or not thread.is_alive()


def _look(progress: Progress) -> bool:
    check_cancelled(progress)
    return False
