"""Feasible: what cannot be computed is refused by name before any work, and large ice gets a larger block."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.case.structure import Role
from cryoplan.core.errors import PlanError, SimulationError
from cryoplan.core.finding import Level
from cryoplan.core.grid import Grid
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol
from cryoplan.simulation.feasible import available_bytes, check_memory, ice_reach_mm
from cryoplan.simulation.problem import build_problem, phantom_problem, probe_source
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.tissue import load_tissues
from tests.support import bodies

TISSUES = load_tissues()
CATALOGUE = load_catalogue()
SETTINGS = SolverSettings(spacing_mm=2.0)


def _probe(name: str, x: float = 0.0, tip_y: float = 15.0, model: str = "generic-15g") -> Probe:
    return Probe(name=name, model=model, tip_mm=(x, tip_y, 0.0), entry_mm=(x, tip_y - 90.0, 0.0))


def _build(*probes: Probe, structures=(), settings=SETTINGS, **changes):
    plan = replace(Plan(probes=probes), **changes)
    return build_problem(bodies.body(*structures), plan, CATALOGUE, TISSUES, settings)


@pytest.mark.parametrize(
    ("probes", "code", "named"),
    [
        ((_probe("A"), _probe("B", x=0.5)), "probes-overlap", ("A", "B")),
        ((_probe("A"), _probe("B", tip_y=20.0)), "probes-overlap", ("A", "B")),
        ((_probe("A", tip_y=400.0),), "tip-outside-scan", ("A",)),
        ((_probe("A", tip_y=-30.0),), "probe-outside-body", ("A",)),
        ((_probe("U", model="urethral-warmer"),), "no-probes", ()),
    ],
)
def test_what_cannot_be_solved_is_refused_by_name(probes, code, named):
    with pytest.raises(SimulationError) as caught:
        _build(*probes)
    assert caught.value.code == code
    assert caught.value.remedy
    for name in named:
        assert name in caught.value.what


def test_probes_one_behind_the_other_on_one_axis_are_two_probes():
    problem = _build(_probe("A", tip_y=35.0), _probe("B", tip_y=-4.0))
    assert len(problem.probes) == 2


def test_phantoms_refuse_probes_in_one_place_too():
    plan = Plan(probes=(_probe("A"), _probe("B", x=1.0)))
    with pytest.raises(SimulationError, match="A and B"):
        phantom_problem("gel", 20.0, 120.0, plan, CATALOGUE, TISSUES, SETTINGS)


def test_an_active_zone_partly_in_the_air_is_warned_of():
    problem = _build(_probe("A", tip_y=-12.0))
    finding = next(f for f in problem.findings if f.code == "active-zone-in-air")
    assert finding.level is Level.WARN
    assert finding.place == "A"


@pytest.mark.parametrize("duration", [0.0, -5.0, float("nan")])
def test_a_phase_without_length_cannot_exist(duration):
    with pytest.raises(PlanError) as caught:
        Protocol(phases=(Phase(kind=PhaseKind.FREEZE, duration_s=duration),))
    assert caught.value.code == "phase-duration"


def test_a_grid_that_does_not_fit_is_refused_with_what_it_needs():
    plan = Plan(probes=(_probe("A"),))
    grid = Grid.isotropic([-100] * 3, [100] * 3, 0.5)
    cells = float(np.prod(grid.size, dtype=float))
    with pytest.raises(SimulationError) as caught:
        check_memory(plan, grid, SETTINGS, free_bytes=4e9)
    assert caught.value.code == "too-many-cells"
    assert f"{cells / 1e6:.0f} million cells" in caught.value.what
    # 10-5-10 min: 25 frames of the slider, two for each phase and the start; 90 + 4 x 32 bytes a cell.
    needed = cells * (90 + 4 * 32)
    assert f"needs {needed / 1e9:.1f} GB" in caught.value.what
    check_memory(plan, grid, SETTINGS, free_bytes=1.3 * needed)
    check_memory(plan, grid, replace(SETTINGS, frames_every_s=0.0), free_bytes=0.9 * needed)


def test_the_machine_tells_how_much_memory_is_free():
    assert 1e8 < available_bytes() < 1e14


def test_more_time_and_less_blood_make_more_ice():
    source = probe_source(_probe("A"), CATALOGUE["generic-15g"], 37.0)
    reach = [[ice_reach_mm(source, t, w) for w in (100e3, 40e3, 2.5e3, 0.0)] for t in (300.0, 600.0, 1200.0)]
    assert np.all(np.diff(reach, axis=0) >= 0.0)
    assert np.all(np.diff(reach, axis=1) >= 0.0)
    # One needle in liver cannot give more than about 16 mm at steady state (physics section 9).
    # That is a wall held at -140 degC; the contact of a real probe keeps it warmer.
    assert 12.0 < reach[-1][1] <= 15.9 * 1.05
    warm = probe_source(_probe("U", model="urethral-warmer"), CATALOGUE["urethral-warmer"], 37.0)
    assert ice_reach_mm(warm, 600.0, 0.0) == pytest.approx(3.5)


def test_the_block_grows_where_the_ice_will():
    liver = bodies.ball("liver", Role.ORGAN, "liver", (0.0, 0.0, 0.0), 36.0)
    perfused = _build(_probe("A"), structures=(liver,))
    bare = _build(_probe("A"))
    assert "block-extended" not in {f.code for f in perfused.findings}
    assert "block-extended" in {f.code for f in bare.findings}
    assert np.prod(bare.grid.size) > np.prod(perfused.grid.size)


def test_a_block_stays_the_same_while_a_probe_moves_a_little():
    grids = {_build(_probe("A", x=x)).grid for x in np.arange(1.0, 3.0, 0.25)}
    assert len(grids) <= 2
    for grid in grids:
        np.testing.assert_array_equal(np.mod(grid.origin_mm, 8.0), 0.0)
        assert all(n % 4 == 0 for n in grid.size)
