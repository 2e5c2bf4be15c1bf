"""Stepper: who advances the field by one super-step, behind one small interface.

``compiled`` is the one that ships: the numba kernels, on several threads where that pays. ``reference`` is
the numpy twin, slow and obvious. Another one (on a graphics card, say) is registered under its own name and
chosen with ``SolverSettings(solver=...)``; the name is part of the key of every result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import Cancelled
from cryoplan.simulation.arrays import Ints, Threads
from cryoplan.simulation.team import LEAST_CELLS, run_together, split_planes

if TYPE_CHECKING:
    from cryoplan.simulation.run import Run

Float64s = npt.NDArray[np.float64]


class Stepper(Protocol):
    """Advances the field of a run in place."""

    def __call__(
        self, run: Run, step_s: float, coolant: Float64s, strength: Float64s, ledger: Float64s
    ) -> int:
        """Advance ``run.lattice.field`` by one RKL1 super-step of as many stages as `coolant` has rows.

        Parameters
        ----------
        run : Run
            Its `lattice`, `chunks`, `rim`, `seams`, `baths` and `current` are read.
        coolant : float64 (stages, probes)
            T_c at the time of each stage, degC.
        strength : float64 (probes,)
            h in W/(m2 K).
        ledger : float64 (6 + probes,)
            Set to the joules that came into the tissue, by line.

        Returns
        -------
        int
            Which of the two rows of ``field.values`` holds the new state.

        Raises
        ------
        Cancelled
            If the step takes long and ``run.progress`` says so meanwhile.
        """


QUICK_CALL = 8_000_000
"""Cells times stages that take some 20 ms: up to here a cancel is heard soon enough between the calls."""


def compiled_step(run: Run, step_s: float, coolant: Float64s, strength: Float64s, ledger: Float64s) -> int:
    """Advance with the compiled kernels; a long call is left as soon as the run is not wanted any more."""
    from cryoplan.simulation.kernels import HALTED, super_step

    lattice, chunks = run.lattice, run.chunks
    first = share_planes(run)
    threads = Threads(
        first=first,
        counter=np.zeros(1, np.int64),
        sums=np.zeros((len(chunks.single_planes) - 1, 2)),
        through_rim=np.zeros(1),
        energies=np.zeros((3, len(ledger))),
        seams=np.zeros((3, len(run.seams.cell))),
        halt=np.zeros(2, np.int64),
    )

    def work_of(rank: int) -> int:
        return int(
            super_step(
                rank, threads, run.current, lattice.field, lattice.faces, chunks, lattice.table.own.ravel(),
                lattice.walls, run.seams, run.baths, run.rim,
                lattice.held, run.strides, run.start,
                lattice.cell_m, step_s, len(coolant), coolant, strength, ledger,
            )
        )  # fmt: skip

    def watch() -> None:
        threads.halt[0] = run.progress.cancelled()

    long = run.active.cells * len(coolant) > QUICK_CALL
    current = run_together(len(first) - 1, work_of, watch if long else None)[0]
    if current == HALTED:
        raise Cancelled
    return current


def share_planes(run: Run) -> Ints:
    """Return the first plane of each thread that the active chunks are worth, and the end."""
    chunks = run.chunks
    n_threads = run.n_threads if run.active.cells >= LEAST_CELLS else 1
    work = np.diff(chunks.single_planes) + 2.0 * np.diff(chunks.mixed_planes)
    work = work + np.diff(chunks.varied_planes) + 0.3 * np.diff(chunks.plain_planes)
    return split_planes(work, n_threads)


def _reference_step(run: Run, step_s: float, coolant: Float64s, strength: Float64s, ledger: Float64s) -> int:
    from cryoplan.simulation.reference import reference_step

    return reference_step(run, step_s, coolant, strength, ledger)


_STEPPERS: dict[str, Stepper] = {"compiled": compiled_step, "reference": _reference_step}


def register_stepper(name: str, stepper: Stepper) -> None:
    """Make another stepper known.

    Raises
    ------
    ValueError
        If the name is taken.
    """
    if name in _STEPPERS:
        raise ValueError(f"there is a stepper called {name} already")
    _STEPPERS[name] = stepper


def find_stepper(name: str) -> Stepper:
    """Return a stepper.

    Raises
    ------
    SimulationError
        If there is none of that name; the message lists those that exist.
    """
    if name not in _STEPPERS:
        raise SimulationError(
            f"There is no solver called {name!r}.",
            f"Choose one of: {', '.join(sorted(_STEPPERS))}.",
            code="solver-unknown",
            place="solver",
        )
    return _STEPPERS[name]
