"""The yardstick is a right solver, only a slow one: it meets ours where both must agree."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.grid import Grid
from cryoplan.core.progress import Cancelled
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.solver import solve
from cryoplan.simulation.textbook import Textbook, step_arrays, step_loops
from cryoplan.simulation.tissue import load_tissues
from tests.support.blocks import block, freeze, patched, probe

COLD, WARM = -60.0, 20.0


def bar(spacing_mm: float, seconds: float = 240.0) -> Problem:
    """A bar of gel, 40 mm long, frozen from its low end of i; nothing passes its other faces."""
    cells = round(40.0 / spacing_mm)
    grid = Grid(size=(cells, 4, 4), spacing_mm=(spacing_mm,) * 3, origin_mm=(0.5 * spacing_mm, 0.0, 0.0))
    return Problem(
        grid=grid,
        material_map=np.zeros(grid.shape, np.uint8),
        materials=(load_tissues().tissue("gel").material(),),
        start_degc=WARM,
        probes=(),
        stages=freeze(seconds),
        boundary_degc=(None, None, None, None, COLD, None),
        settings=SolverSettings(spacing_mm=spacing_mm),
    )


def marched(problem: Problem, step) -> np.ndarray:
    solver = Textbook(problem, step)
    solver.march(solver.steps_needed)
    return solver.temperature_degc


def front_mm(values: np.ndarray, problem: Problem, degc: float) -> float:
    """Where the line through the middle of the bar passes a temperature."""
    line = values[2, 2]
    return float(np.interp(degc, line, problem.grid.coordinates_mm(0)))


@pytest.mark.parametrize("spacing_mm", [2.0, 1.0])
def test_textbook_front_meets_that_of_the_solver_within_a_cell(spacing_mm):
    # Its halo holds the face's temperature half a cell too far out, and latent heat that is spread over the
    # freezing range leaves the front uncertain by a fraction of a cell.
    problem = bar(spacing_mm)
    ours = solve(problem).frames[-1].temperature_degc.values
    theirs = marched(problem, step_loops)
    for degc in (-20.0, -2.0, 5.0):
        assert front_mm(theirs, problem, degc) == pytest.approx(
            front_mm(ours, problem, degc), abs=1.0 * spacing_mm
        )
    assert front_mm(ours, problem, -2.0) > 5.0


def test_loops_and_arrays_say_the_same():
    problem = block(probe("1", (-6.0, 0.0, 0.0)), probe("2", (6.0, 1.0, 2.0)), edge_cells=20)
    fat = np.zeros(problem.grid.shape, bool)
    fat[:, :6] = True
    problem = patched(problem, "fat", fat)
    fields = []
    for step in (step_loops, step_arrays):
        solver = Textbook(problem, step)
        solver.march(40)
        fields.append(solver.temperature_degc)
    np.testing.assert_allclose(fields[0], fields[1], atol=1e-9)
    assert fields[0].min() < -100.0


def test_no_temperature_leaves_the_range_of_what_drives_it():
    problem = block(probe(), edge_cells=16, stages=freeze(120.0))
    values = marched(problem, step_loops)
    assert values.min() >= -150.0
    assert values.max() <= 37.0 + 0.2  # metabolism warms a little
    assert (values < 0.0).sum() > 50


def test_cancel_stops_the_march():
    class Stop:
        def report(self, _report):
            raise AssertionError("nothing is told step by step")

        def cancelled(self):
            return True

    solver = Textbook(bar(2.0), step_loops)
    with pytest.raises(Cancelled):
        solver.march(5, Stop())
    assert solver.steps == 0
