"""Yardsticks: the textbook solvers and the copy bandwidth, measured in the same run as the solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cryoplan.core.progress import Progress
from cryoplan.simulation.textbook import Textbook, step_arrays, step_loops
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.solves import time_solve
from cryoplan.workflow.benchmark.subjects import block
from cryoplan.workflow.benchmark.timing import Quiet, median_time, usable_cores

COPIED_BYTES = 5e8
"""Bytes that one timing of small copies moves at least, so that the clock does not matter."""


def textbook(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure one freeze of a block with the solver and with the two textbook solvers."""
    problem = block(sizes, sizes.standard_mm, sizes.textbook_cells)
    yield time_solve("freeze-64", problem, progress, sizes.repeats)[0]
    for case, step, steps in (
        ("textbook-loops", step_loops, sizes.loops_steps),
        ("textbook-numpy", step_arrays, sizes.numpy_steps),
    ):
        yield _textbook_row(case, Textbook(problem, step), steps, progress, sizes.repeats)


def _textbook_row(case: str, solver: Textbook, steps: int, progress: Progress, repeats: int) -> Row:
    solver.march(1, Quiet(progress))  # compiles
    timed = median_time(lambda: solver.march(steps, Quiet(progress)), progress, repeats)
    seconds = timed.seconds / steps * solver.steps_needed
    return row(
        case,
        seconds,
        timed.repeats,
        f"scaled: {steps} explicit steps took {timed.seconds:.3g} s, and the freeze needs "
        f"{solver.steps_needed} of {1000 * solver.dt_s:.1f} ms",
    )


def bandwidth(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure how fast numpy copies; bytes read and bytes written both count."""
    large, small, cores = sizes.copy_mb * 1_000_000, sizes.cache_kb * 1000, usable_cores()
    for case, size, workers in (
        ("copy-memory", large, 1),
        ("copy-memory-all", large, cores),
        ("copy-cache", small, 1),
    ):
        rate = _copy_rate(size, workers, progress, sizes.repeats)
        kind = f"{size / 1e6:.3g} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB"
        threads = f"{workers} thread" + ("s" if workers > 1 else "")
        note = f"numpy copyto, two arrays of {kind} a thread, {threads}; read and written bytes both count"
        yield row(case, rate / 1e9, sizes.repeats, note)


def _copy_rate(size: int, workers: int, progress: Progress, repeats: int) -> float:
    pairs = [(np.ones(size // 4, np.float32), np.zeros(size // 4, np.float32)) for _ in range(workers)]
    times = max(1, int(COPIED_BYTES / (2.0 * size)))
    jobs = [_copier(source, target, times) for source, target in pairs]
    with ThreadPoolExecutor(workers) as pool:

        def copy() -> None:
            for future in [pool.submit(job) for job in jobs]:
                future.result()

        timed = median_time(copy, progress, repeats)
    return 2.0 * size * times * workers / timed.seconds


def _copier(source: np.ndarray, target: np.ndarray, times: int) -> Callable[[], None]:
    def copy() -> None:
        for _ in range(times):
            np.copyto(target, source)

    return copy
