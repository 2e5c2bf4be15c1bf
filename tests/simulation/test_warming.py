"""Warmers: heat through the wall of a tube against the closed form; flows; what is said and refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import SimulationError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.plan.edit_warmers import add_warmer, set_flow, set_warmer
from cryoplan.plan.plan import Plan
from cryoplan.plan.warmer import WarmerKind
from cryoplan.simulation.problem import build_problem
from cryoplan.simulation.settings import PREVIEW
from cryoplan.simulation.solver import solve
from cryoplan.simulation.steady import steady_field
from cryoplan.simulation.surroundings import Exchange
from cryoplan.simulation.tissue_map import forget_regions, map_tissues
from cryoplan.simulation.vessels import is_held
from cryoplan.simulation.warming import find_warming, fluid_rate, with_flows
from tests.support.analytic import centres_mm

K_FLUID, K_TISSUE = 0.6, 0.52


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
@pytest.mark.parametrize(("diameter_mm", "h"), [(7.0, 750.0), (7.0, 500.0), (12.0, 250.0), (20.0, 200.0)])
def test_a_tube_of_warm_fluid_passes_the_heat_of_the_closed_form(spacing_mm, diameter_mm, h):
    """Fluid at 40 degC, tissue at 37 degC from 25 mm: ``2 pi dT / (1 / (h R) + ln(Ro / R) / k)``."""
    n = 2 * round(28.0 / spacing_mm)
    grid = Grid(
        size=(n, n, 2), spacing_mm=(spacing_mm,) * 3, origin_mm=(-0.5 * (n - 1) * spacing_mm,) * 2 + (0.0,)
    )
    # Shares of the cells by ten points a side.
    offsets = (np.arange(10) - 4.5) / 10.0 * spacing_mm
    x, y = grid.coordinates_mm(0), grid.coordinates_mm(1)
    share = np.mean(
        [np.hypot((x + a)[None, :], (y + b)[:, None]) <= 0.5 * diameter_mm for a in offsets for b in offsets],
        axis=0,
    )
    share = np.broadcast_to(share, grid.shape)
    away = np.broadcast_to(np.hypot(x[None, :], y[:, None]), grid.shape)
    inner, outer = 0.5e-3 * diameter_mm, 25e-3
    heat = 2.0 * np.pi * 3.0 / (1.0 / (h * inner) + np.log(outer / inner) / K_TISSUE)
    exact = 37.0 + heat * np.log(outer / np.maximum(1e-3 * away, inner)) / (2.0 * np.pi * K_TISSUE)
    cells = np.flatnonzero(share > 0.0)
    edge_m = spacing_mm / 1000.0
    rate = fluid_rate(np.full(len(cells), 1e-3 * diameter_mm), h, K_FLUID, edge_m) * share.ravel()[cells]
    warm = Exchange(kind="warmer", cells=cells, rate=rate, degc=np.full(len(cells), 40.0))
    k = np.where(share >= 0.5, K_FLUID, K_TISSUE)
    rim = away > 24.0
    field = steady_field(
        k, np.zeros(grid.shape), edge_m, blood_degc=37.0, exchanges=(warm,), held=rim,
        held_degc=exact.astype(np.float32),
    )  # fmt: skip
    found = float((rate * (40.0 - field.ravel()[cells])).sum()) * edge_m**3 / (grid.size[2] * edge_m)
    assert found == pytest.approx(heat, rel=0.06 if spacing_mm < 2.0 else 0.12)
    ring = np.abs(away - 15.0) < 0.6 * spacing_mm
    assert float((field[ring] - exact[ring]).mean()) == pytest.approx(0.0, abs=0.08)


def test_fluid_that_cannot_be_stiffer_than_the_lattice_stays_finite():
    rates = [float(fluid_rate(0.01, h, K_FLUID, 2e-3)) for h in (100.0, 599.0, 601.0, 10_000.0)]
    assert np.all(np.isfinite(rates))
    assert np.all(np.diff(rates[:2]) > 0.0)


@pytest.fixture(scope="module")
def demo():
    case = workflow.built_in_case()
    plan = workflow.built_in_plan(case)
    return case, plan


def beside_target(case, plan, tissue: str = "fluid", role: Role = Role.URETHRA):
    """Return the case with a tube of 8 mm that runs past the tips of the probes."""
    centre = np.mean([p.tip_mm for p in plan.probes], axis=0) + np.array([0.0, 0.0, 0.0])
    grid = case.scan.volume.grid
    away = centres_mm(grid) - centre
    mask = np.hypot(away[..., 0] - 18.0, away[..., 1]) <= 4.0
    tube = Structure(
        name="tube", role=role, tissue=tissue, mask=Volume(grid=grid, values=mask), source="formula"
    )
    return case.changed(structures=(*case.structures, tube))


def problem_of(case, plan):
    return build_problem(case, plan, workflow.catalogue(), workflow.tissues(), PREVIEW)


def test_a_warmed_tube_is_warm_before_the_first_freeze_and_keeps_ice_away(demo):
    case, plan = demo
    case = beside_target(case, plan)
    warm_plan = add_warmer(plan, WarmerKind.URETHRAL, structure="tube")
    assert warm_plan.physics_key() != plan.physics_key()
    forget_regions()
    cold, warm = problem_of(case, plan), problem_of(case, warm_plan)
    assert [e.kind for e in warm.exchanges].count("warmer") == 1
    assert {f.code for f in warm.findings} - {f.code for f in cold.findings} == {"warmer-on"}
    exchange = next(e for e in warm.exchanges if e.kind == "warmer")
    inside = exchange.cells[exchange.rate > 0.9 * exchange.rate.max()]
    assert warm.start_field_degc is not None
    assert float(warm.start_field_degc.ravel()[inside].mean()) > 39.5
    a, b = solve(cold), solve(warm)
    assert b.ledger.warmers_j > 100.0
    assert a.ledger.warmers_j == 0.0
    assert b.ledger.residual < 1e-4
    difference = b.minimum_degc.values - a.minimum_degc.values
    # A front goes from cell to cell in jumps, by which what is near it breathes by about a degree at 2 mm.
    assert float(difference.min()) > -1.5, "a warmer makes nothing colder"
    assert float(b.minimum_degc.values.ravel()[inside].min()) > 0.0


def test_a_warmer_that_is_off_changes_no_key_and_no_problem(demo):
    case, plan = demo
    case = beside_target(case, plan)
    off = add_warmer(plan, WarmerKind.URETHRAL, structure="tube")
    off = set_warmer(off, off.warmers[0].name, is_on=False)
    assert off.physics_key() == plan.physics_key()
    assert [e.kind for e in problem_of(case, off).exchanges] == [
        e.kind for e in problem_of(case, plan).exchanges
    ]


def test_a_warmer_of_a_structure_that_is_gone_is_said_and_one_in_gas_is_refused(demo):
    case, plan = demo
    warm = add_warmer(plan, WarmerKind.BALLOON, structure="tube")
    missing = [f for f in problem_of(case, warm).findings if f.code == "warmer-structure-missing"]
    assert len(missing) == 1
    assert "tube" in missing[0].text
    with pytest.raises(SimulationError, match="carries no heat"):
        problem_of(beside_target(case, plan, "gas", Role.GAS), warm)


def test_a_pocket_that_a_warmer_runs_through_is_warm_from_the_start(demo):
    case, plan = demo
    case = beside_target(case, plan, "hydrodissection", Role.FLUID)
    pocket = next(s for s in case.structures if s.name == "tube")
    cold = problem_of(case, plan)
    warm = problem_of(case, add_warmer(plan, WarmerKind.BALLOON, structure=pocket.name))
    exchange = next(e for e in warm.exchanges if e.kind == "warmer")
    inside = exchange.cells[exchange.rate > 0.9 * exchange.rate.max()]
    assert float(cold.start_field_degc.ravel()[inside].mean()) < 22.0
    assert float(warm.start_field_degc.ravel()[inside].min()) > 37.0
    assert "pocket-start" in {f.code for f in cold.findings}
    assert "pocket-start" not in {f.code for f in warm.findings}


def test_a_bag_warms_only_the_skin_below_it(demo):
    case, plan = demo
    entry = plan.probes[0].entry_mm
    bag = add_warmer(plan, WarmerKind.SKIN_BAG, centre_mm=entry)
    bag = set_warmer(bag, bag.warmers[0].name, radius_mm=25.0)
    bare, warm = problem_of(case, plan), problem_of(case, bag)
    skin = {e.kind: e for e in warm.exchanges}
    under, around = skin["warmer"], skin["skin"]
    every = next(e for e in bare.exchanges if e.kind == "skin")
    assert set(under.cells) | set(around.cells) == set(every.cells)
    assert not set(under.cells) & set(around.cells)
    k, j, i = np.unravel_index(under.cells, warm.grid.shape)
    away = np.linalg.norm(warm.grid.index_to_mm(np.stack([i, j, k], -1).astype(float)) - entry, axis=-1)
    assert away.max() <= 25.0
    assert np.all(under.degc == 40.0)
    # Skin under a bag of 40 degC at rest is warmer than skin in the air.
    assert float(warm.start_field_degc.ravel()[under.cells].mean()) > 36.5
    assert float(bare.start_field_degc.ravel()[under.cells].mean()) < 36.0


def test_the_plan_says_how_fast_a_vessel_flows_and_the_finding_says_so(demo):
    case, plan = demo
    vessel = next(s for s in case.structures if s.role is Role.VESSEL)
    grid = problem_of(case, plan).grid
    tissue = map_tissues(case, grid, workflow.tissues())
    if vessel.name not in {v.name for v in tissue.lumens}:
        pytest.skip("the built-in case has no vessel in the block")
    assert with_flows(tissue, plan, grid) is tissue
    clamped = with_flows(tissue, set_flow(plan, vessel.name, 0.0), grid)
    lumen = next(v for v in clamped.lumens if v.name == vessel.name)
    assert not is_held(lumen).any()
    said = next(f.text for f in clamped.findings if f.place == vessel.name and f.code == "vessel-wall")
    assert "as the plan says" in said
    assert len(clamped.findings) == len(tissue.findings)
    stray = find_warming(case, set_flow(plan, "no such vein", 0.1), grid, tissue, workflow.tissues())
    assert [f.code for f in stray.findings] == ["flow-vessel-missing"]
    fast = set_flow(plan, vessel.name, 0.3)
    assert set_flow(fast, vessel.name, None).physics_key() == plan.physics_key()
    assert replace(fast, flows=()) == plan == Plan(**{f: getattr(plan, f) for f in plan.__slots__})
