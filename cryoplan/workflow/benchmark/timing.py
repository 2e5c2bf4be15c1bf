"""Timing: medians of repeated runs, and the question whether to stop without the cost of telling progress."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryoplan.core.progress import Progress, ProgressReport, check_cancelled

SHORT_S, LONG_S, SOME = 5.0, 20.0, 3
"""Runs of at most `SHORT_S` are repeated as asked, those of at most `LONG_S` three times, others not."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Progress that only asks: what is timed does not pay for a terminal."""

    whole: Progress

    def report(self, report: ProgressReport) -> None:
        """Drop the report."""

    def cancelled(self) -> bool:
        """Ask the whole."""
        return self.whole.cancelled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Median wall time of some runs."""

    seconds: float
    repeats: int


def median_time(action: Callable[[], object], progress: Progress, repeats: int) -> Timed:
    """Time an action some times; the slower it is, the fewer.

    Raises
    ------
    Cancelled
        Between two runs, when `progress` says so.
    """
    times: list[float] = []
    wanted = repeats
    while len(times) < wanted:
        check_cancelled(progress)
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
        if times[0] > SHORT_S:
            wanted = min(repeats, SOME) if times[0] <= LONG_S else 1
    return Timed(seconds=statistics.median(times), repeats=len(times))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
