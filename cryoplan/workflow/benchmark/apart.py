"""Apart: what only a process of its own can tell - peak memory, and the time to a first result."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.image.memory import peak_bytes
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes

T = TypeVar("T")

FIRST_CELLS = 32
LOOK_S = 0.05
"""How often the wait for a process asks whether to stop."""


def run_apart(
    task: Callable[[Sizes], T],
    sizes: Sizes,
    progress: Progress,
    surroundings: Mapping[str, str | None] | None = None,
    *,
    may_start_others: bool = False,
) -> tuple[T, float]:
    """Run a task in a fresh process; return its answer and the seconds from start to answer.

    Parameters
    ----------
    surroundings : mapping, optional
        Environment variables of the process; None removes one.
    may_start_others : bool
        Whether the process starts processes of its own, which then end with it.

    Raises
    ------
    Cancelled
        When `progress` says so; the process is ended.
    SimulationError
        If the process ends without an answer.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, task, sizes), daemon=not may_start_others)
    with _environment(surroundings or {}):
        began = time.perf_counter()
        process.start()
    theirs.close()
    try:
        while not ours.poll(LOOK_S):
            check_cancelled(progress)
        answer: T = ours.recv()
        return answer, time.perf_counter() - began
    except EOFError:
        raise SimulationError(
            "A process of the benchmark ended without an answer.",
            "Run it again with more memory free, or leave that figure out with --only.",
            code="benchmark-process",
            place=task.__name__,
        ) from None
    finally:
        ours.close()
        process.terminate()
        process.join()


def _answer(pipe: Connection, task: Callable[[Sizes], object], sizes: Sizes) -> None:
    pipe.send(task(sizes))


@contextmanager
def _environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def peak_memory_gb() -> float | None:
    """Return the largest resident memory that this process ever had; None where the system does not tell."""
    peak = peak_bytes()
    return None if peak is None else peak / 1e9


def _peak(sizes: Sizes, spacing_mm: float, cells: int) -> float | None:
    from cryoplan.simulation.solver import solve
    from cryoplan.workflow.benchmark.subjects import Patient

    patient = Patient(sizes)
    result = solve(patient.problem(patient.plan, spacing_mm, cells))
    assert result.frames
    return peak_memory_gb()


def peak_standard(sizes: Sizes) -> float | None:
    """Return the peak memory of a process that solves the standard problem."""
    return _peak(sizes, sizes.standard_mm, sizes.standard_cells)


def peak_fine(sizes: Sizes) -> float | None:
    """Return the peak memory of a process that solves the largest problem."""
    return _peak(sizes, sizes.fine_mm, sizes.memory_cells)


def first_result(sizes: Sizes) -> float | None:
    """Solve a small problem of three tissues; return its coldest temperature."""
    from cryoplan.simulation.solver import solve
    from cryoplan.workflow.benchmark.subjects import block

    result = solve(block(sizes, sizes.coarse_mm, FIRST_CELLS))
    return float(result.minimum_degc.values.min())


def memory(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure peak memory at the standard size."""
    value, _ = run_apart(peak_standard, sizes, progress)
    yield row("memory-120", value, 1, _memory_note(sizes.standard_cells, sizes.standard_mm, value))


def memory_full(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure peak memory at the largest size."""
    value, _ = run_apart(peak_fine, sizes, progress)
    yield row("memory-240", value, 1, _memory_note(sizes.memory_cells, sizes.fine_mm, value))


def _memory_note(cells: int, spacing_mm: float, value: float | None) -> str:
    if value is None:
        return "this system does not tell"
    return (
        f"whole process: program, patient, build and solve of about {cells}^3 cells of {spacing_mm:g} mm, "
        "and all frames"
    )


def start(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure the time from the start of a process to its first temperatures, without and with a cache."""
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-") as folder:
        surroundings = {"NUMBA_CACHE_DIR": folder, "CRYOPLAN_NO_KERNEL_CACHE": None}
        what = (
            f"from the start of a Python process to the ice of a block of {FIRST_CELLS}^3 cells of "
            f"{sizes.coarse_mm:g} mm, three tissues, three probes"
        )
        _, cold = run_apart(first_result, sizes, progress, surroundings)
        yield row("first-result-cold", cold, 1, f"{what}; empty cache folder")
        warm = [run_apart(first_result, sizes, progress, surroundings)[1] for _ in range(sizes.repeats)]
        yield row("first-result-warm", statistics.median(warm), len(warm), f"{what}; cache of the run before")
