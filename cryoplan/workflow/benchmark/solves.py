"""Solves: how long the solver takes on a patient, at each quality, and how many bytes its stages move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from cryoplan.core.progress import Progress
from cryoplan.plan.plan import Plan
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.result import ThermalResult
from cryoplan.simulation.solver import solve
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.subjects import Patient
from cryoplan.workflow.benchmark.timing import Quiet, median_time

BYTES_PER_CELL_AND_STAGE = 29.0
"""What a stage must read and write of a cell without ice beside another tissue.

State 4 and 8, potential 8, label 1, face conductivities 6, lists 2; ice adds 18, one tissue saves 6.
"""

NUDGE_MM = 0.4


def time_solve(
    case: str, problem: Problem, progress: Progress, repeats: int, *, note: str = ""
) -> tuple[Row, ThermalResult]:
    """Return the row of solving a problem, and the last result."""
    results: list[ThermalResult] = []

    def run() -> None:
        results[:] = [solve(problem, progress=Quiet(progress))]

    timed = median_time(run, progress, repeats)
    found = results[0]
    i, j, k = problem.grid.size
    used = len(np.unique(problem.material_map))
    said = (
        f"{i} x {j} x {k} cells, {used} tissues, {len(problem.probes)} probes, "
        f"{problem.duration_s / 60:.3g} min, {found.steps} steps, {found.stages} stages{note}"
    )
    return row(case, timed.seconds, timed.repeats, said), found


def standard(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure the standard quality, and the bytes that the stages move per second."""
    sizes = patient.sizes
    built: list[Problem] = []

    def build() -> None:
        built[:] = [patient.problem(patient.plan, sizes.standard_mm, sizes.standard_cells)]

    building = median_time(build, progress, sizes.repeats)
    yield row(
        "build-1mm",
        building.seconds,
        building.repeats,
        "build_problem of cycle-1mm; the second and later runs find their masks resampled already",
    )
    cycle, result = time_solve("cycle-1mm", built[0], progress, sizes.repeats)
    yield cycle
    moved = result.cell_stages * BYTES_PER_CELL_AND_STAGE / result.wall_s
    yield row(
        "stage-bandwidth",
        moved / 1e9,
        1,
        f"{result.cell_stages / 1e9:.3g} Gcell stages of cycle-1mm at {BYTES_PER_CELL_AND_STAGE:g} bytes "
        "each, over the whole time of the solve",
    )
    freeze = patient.problem(patient.one_freeze, sizes.standard_mm, sizes.standard_cells)
    yield time_solve("freeze-1mm", freeze, progress, sizes.repeats)[0]


def coarse(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure the preview and the coarse grid."""
    sizes = patient.sizes
    step = count()

    def preview(plan: Plan) -> Callable[[], None]:
        def run() -> None:
            # A probe has moved each time, as under the mouse: nothing that was kept of the plan may help.
            moved = _nudged(plan, NUDGE_MM * next(step))
            problem = patient.preview(moved)
            solve(problem, progress=Quiet(progress))

        return run

    plan = patient.six_probes
    preview(plan)()
    timed = median_time(preview(plan), progress, sizes.repeats)
    problem = patient.preview(plan)
    building = median_time(lambda: patient.preview(plan), progress, sizes.repeats)
    i, j, k = problem.grid.size
    yield row(
        "preview",
        1000.0 * timed.seconds,
        timed.repeats,
        f"build_problem and solve, {i} x {j} x {k} cells, {len(plan.probes)} probes, a probe moved by "
        f"{NUDGE_MM} mm before each run; {1000 * building.seconds:.0f} ms of it to build",
    )
    yield time_solve("cycle-2mm", patient.preview(patient.plan), progress, sizes.repeats)[0]


def _nudged(plan: Plan, by_mm: float) -> Plan:
    first, *others = plan.probes
    (x, y, z), (u, v, w) = first.tip_mm, first.entry_mm
    moved = replace(first, tip_mm=(x, y, z + by_mm), entry_mm=(u, v, w + by_mm))
    return replace(plan, probes=(moved, *others))


def fine(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure the check on the fine grid."""
    sizes = patient.sizes
    problem = patient.problem(patient.plan, sizes.fine_mm, sizes.fine_cells)
    yield time_solve("cycle-0.5mm", problem, progress, sizes.repeats)[0]
