"""Team: several threads inside one compiled super-step, meeting at barriers.

A numba kernel with ``parallel=True`` takes the interpreter lock at every launch, a dozen times per
super-step, and its thread pool aborts the process when two Python threads enter it (solver notes section 7).
Here ordinary Python threads call the same lock-free kernel with their rank; they meet at a counter in
memory. The work is split by planes and every sum is made in the order of the planes, so that the bits of the
answer do not depend on the number of threads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types

from cryoplan.simulation.compiled import inner
from cryoplan.simulation.lanes import lowered

_T = TypeVar("_T")

SPINS = 200
"""Looks at the counter before the processor is offered to others: some microseconds."""

LEAST_CELLS = 60_000
"""Active cells below which a second thread costs more in meetings than it brings."""

MOST_THREADS = 64

WATCH_S = 0.01
"""How often somebody looks whether long work is still wanted."""


@lowered
def _arrive(_typing: Any, counter: Any) -> Any:
    """Add one to ``counter[0]`` atomically; return the new value."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        one = ir.Constant(ir.IntType(64), 1)
        return builder.add(builder.atomic_rmw("add", data, one, "seq_cst"), one)

    return types.int64(counter), generate


@lowered
def look(_typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001 - numba types them
    """Return ``array[index]`` of an int64 array as other threads left it."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.load_atomic(builder.gep(data, [args[1]]), "acquire", 8)

    return types.int64(array, types.int64), generate


@lowered
def _offer(_typing: Any) -> Any:
    """Offer the processor to another thread."""
    name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

    def generate(_context: Any, builder: Any, _sig: Any, _args: Any) -> Any:
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(32), []), name)
        return builder.call(function, [])

    return types.int32(), generate


@inner
def meet(counter: Any, n_threads: Any) -> None:
    """Wait until all threads are here; what any of them wrote before is seen by all after."""
    if n_threads == 1:
        return
    mine = _arrive(counter)
    target = (mine + n_threads - 1) // n_threads * n_threads
    looks = 0
    while look(counter, 0) < target:
        looks += 1
        if looks > SPINS:
            _offer()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    # All threads of a team must run at once, or the others wait for them at the first barrier for ever.
    # Threads are only made when asked for.
    return ThreadPoolExecutor(max_workers=2 * MOST_THREADS, thread_name_prefix="solver")


def run_together(
    n_threads: int, work: Callable[[int], _T], watch: Callable[[], None] | None = None
) -> list[_T]:
    """Call ``work(rank)`` on every thread of the team; return the answers by rank.

    Parameters
    ----------
    watch : callable, optional
        Called every `WATCH_S` by the calling thread, which then does none of the work itself.
    """
    own = 1 if watch is None else 0
    others = [_pool().submit(work, rank) for rank in range(own, n_threads)]
    try:
        answers = [work(0)] if watch is None else []
        while watch is not None and wait(others, timeout=WATCH_S).not_done:
            watch()
    finally:
        wait(others)
    return answers + [other.result() for other in others]


def split_planes(work: npt.NDArray[np.float64], n_threads: int) -> npt.NDArray[np.int64]:
    """Return the first plane of each thread, and the end, so that the work is shared evenly."""
    done = np.concatenate([[0.0], np.cumsum(work)])
    inner = np.searchsorted(done, done[-1] * np.arange(1, n_threads) / n_threads)
    return np.concatenate([[0], inner, [len(work)]]).astype(np.int64)
