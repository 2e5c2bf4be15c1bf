"""A border of tissues that moves by a part of a cell moves the ice by a part of what a whole cell would."""

from __future__ import annotations

import numpy as np

from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol
from cryoplan.simulation.problem import build_problem
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.solver import solve
from cryoplan.simulation.tissue import load_tissues
from tests.support import bodies

FINE = Grid(size=(400, 40, 60), spacing_mm=(0.25, 3.0, 3.0), origin_mm=(-49.875, -38.5, -88.5))
PLAN = Plan(
    probes=(Probe(name="1", model="generic-15g", tip_mm=(0.0, 25.0, 0.0), entry_mm=(0.0, -40.0, 0.0)),),
    protocol=Protocol(phases=(Phase(kind=PhaseKind.FREEZE, duration_s=240.0),)),
)


def _heat_and_cold(border_mm: float) -> tuple[float, float]:
    """Return the heat that the probe draws (J) and the volume colder than about 0 degC (mm3)."""
    x = FINE.coordinates_mm(0)
    inside = np.broadcast_to(x >= border_mm - 1e-9, FINE.shape).copy()
    fat = Structure(
        name="fat", role=Role.FAT, tissue="fat", mask=Volume(grid=FINE, values=inside), source="formula"
    )
    settings = SolverSettings(spacing_mm=2.0, margin_mm=20.0, skin="insulated", frames_every_s=0.0)
    result = solve(build_problem(bodies.body(fat), PLAN, load_catalogue(), load_tissues(), settings))
    # Counted with a ramp from -6 to 6 degC: a count of cells would jump by whole cells whatever the tissue.
    cold = np.clip(0.5 - result.minimum_degc.values.astype(float) / 12.0, 0.0, 1.0)
    return result.ledger.probes_j, float(cold.sum()) * 8.0


def test_heat_and_ice_follow_a_border_that_moves_in_quarters_of_a_cell():
    found = np.array([_heat_and_cold(at) for at in np.arange(4.0, 8.01, 0.5)])
    steps = np.diff(found, axis=0)
    whole = found[-1] - found[0]
    # Two whole cells in eight steps. With a yes or no per cell four steps are nought and the others carry up
    # to half of it; mixed, every step goes the same way and none carries a third.
    for of_one, total in zip(steps.T, whole, strict=True):
        assert np.all(of_one * np.sign(total) > 0.02 * abs(total))
        assert np.abs(of_one).max() < 0.3 * abs(total)
