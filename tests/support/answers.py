"""Answers: results of plans in the small case, made from formulas in place of a solve."""

from __future__ import annotations

from functools import cache

import numpy as np

from cryoplan import workflow
from cryoplan.core.volume import Volume
from cryoplan.margins.assess import assess
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.plan import Plan
from cryoplan.simulation.result import EnergyLedger, Frame, ThermalResult
from cryoplan.simulation.settings import STANDARD
from tests.support.scenes import cold_field, small_case

FRAMES_S = (300.0, 600.0, 900.0, 1500.0)
LABELS = {600.0: "end_freeze_1", 900.0: "end_thaw_1", 1500.0: "end_freeze_2"}


@cache
def answer(plan: Plan) -> tuple[ThermalResult, Assessment]:
    """Return a result for a plan in that case, and its judgement."""
    case, catalogue = small_case(), workflow.catalogue()
    lowest = cold_field(case.planning_grid, plan, catalogue)
    # Colder with every frame, so that a test can tell one from another.
    warmer = [Volume(grid=lowest.grid, values=lowest.values + np.float32(3 * n)) for n in (3, 2, 1)]
    frames = tuple(
        Frame(time_s=t, label=LABELS.get(t, ""), temperature_degc=field)
        for t, field in zip(FRAMES_S, [*warmer, lowest], strict=True)
    )
    result = ThermalResult(
        key="to be replaced",
        grid=lowest.grid,
        minimum_degc=lowest,
        minimum_at_s=Volume(grid=lowest.grid, values=np.full(lowest.grid.shape, 1500.0, np.float32)),
        frames=frames,
        ledger=EnergyLedger(
            stored_j=-50_000.0, probes_j=-60_000.0, perfusion_j=9_900.0, metabolic_j=0.0, boundary_j=100.0
        ),
        settings=STANDARD,
        steps=150,
        stages=1200,
        wall_s=3.2,
    )
    return result, assess(case, plan, catalogue, result)
