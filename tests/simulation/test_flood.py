"""Lung that fills with blood: what changes at the first thaw, what stays, and that no heat is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from cryoplan.case.structure import Role
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol
from cryoplan.simulation import stepper
from cryoplan.simulation.active import ACTIVE_DEGC
from cryoplan.simulation.arrays import NOTHING
from cryoplan.simulation.problem import Problem, build_problem
from cryoplan.simulation.run import Run
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.solver import solve
from cryoplan.simulation.surroundings import Flood
from cryoplan.simulation.tissue import load_tissues
from tests.support import blocks, bodies

FREEZE_S, THAW_S, RIM_MM = 180.0, 60.0, 4.0
TISSUES = load_tissues()
PERFUSION = 40_000.0
"""W/(m3 K) of both states here: the tabulated lung hardly lets ice grow, and then there is little to see."""


def _lung(*, floods: bool = True, edge_cells: int = 40, **settings: object) -> Problem:
    """Aerated lung, a slab of muscle on one side that blood does not fill."""
    problem = blocks.block(
        blocks.probe("1", (0.3, 0.2, 0.1)), tissue="lung-inflated", edge_cells=edge_cells, spacing_mm=1.0,
        stages=blocks.cycle(FREEZE_S, THAW_S), extra_times_s=(FREEZE_S + 0.5,),
    )  # fmt: skip
    aerated, filled, muscle = (
        TISSUES.tissue(name).material() for name in ("lung-inflated", "lung-flooded", "muscle")
    )
    labels = np.zeros(problem.grid.shape, np.uint8)
    labels[:, :, edge_cells // 2 + 5 :] = 2
    return replace(
        problem,
        materials=(replace(aerated, w=PERFUSION), replace(filled, w=PERFUSION), muscle),
        material_map=labels,
        floods=(Flood(at_s=FREEZE_S, rim_mm=RIM_MM, changes=((0, 1),)),) if floods else (),
        settings=replace(problem.settings, **settings),
    )


def _frozen(problem: Problem) -> Run:
    """Return the run at the end of the first freeze."""
    run = Run(problem, threads=1)
    run.begin(0.0, "freeze")
    size = 0.2
    while run.time_s < FREEZE_S - 1e-9:
        run.step(min(size, FREEZE_S - run.time_s))
        size = min(1.15 * size, 10.0)
    return run


def _inner(run: Run, flat: np.ndarray) -> np.ndarray:
    return run.lattice.layout.inner(flat).copy()


class _Filled:
    """One run before and after its flood."""

    def __init__(self, problem: Problem) -> None:
        self.run = run = _frozen(problem)
        record = run.lattice.record
        self.lattice = run.lattice
        self.stored_j = run.stored_j()
        self.degc = _inner(run, record.temperature)
        self.kept = {
            name: getattr(record, name).copy()
            for name in ("minimum", "minimum_at", "freeze_minimum", "below_s", "start")
        }
        frozen = np.argwhere(_inner(run, record.minimum) < 0.0)
        away = cKDTree(frozen).query(np.argwhere(np.ones(problem.grid.shape, bool)))[0]
        self.near = away.reshape(problem.grid.shape) <= RIM_MM
        run.flood(problem.floods[0])


@pytest.fixture(scope="module")
def filled() -> _Filled:
    return _Filled(_lung())


def test_aerated_lung_in_the_ice_and_its_rim_fills_and_nothing_else(filled):
    before = _lung().material_map
    after = filled.run.problem.material_map
    expected = np.where((before == 0) & filled.near, 1, before)
    np.testing.assert_array_equal(after, expected)
    assert 500 < np.count_nonzero(after == 1) < np.count_nonzero(before == 0) / 2
    # The ice reaches the muscle's rim, so that not being filled there says something.
    assert np.count_nonzero(filled.near & (before == 2)) > 50
    label = _inner(filled.run, filled.run.lattice.field.label)
    stepped = label != NOTHING
    np.testing.assert_array_equal(label[stepped], after[stepped])


def test_unfrozen_lung_takes_the_temperature_of_blood_and_ice_stays(filled):
    now = _inner(filled.run, filled.run.lattice.record.temperature)
    changed = filled.run.problem.material_map == 1
    warm = changed & (filled.degc > 0.0)
    assert warm.sum() > 500
    assert filled.degc[warm].min() < 10.0
    np.testing.assert_array_equal(now[warm], 37.0)
    assert (changed & ~warm).sum() > 200
    # The state that is stepped says the same as the record. Cells of the probe show their wall, and where the
    # insulated shaft begins the wall is as warm as the lung beside it.
    run = filled.run
    stepped = _inner(run, run.lattice.field.label) != NOTHING
    stays = stepped & ~warm
    np.testing.assert_allclose(now[stays], filled.degc[stays], rtol=2e-6, atol=2e-5)
    values = _inner(run, run.lattice.field.values[run.current])
    for number, material in enumerate(run.problem.materials):
        of = _inner(run, run.lattice.field.label) == number
        expected = material.enthalpy(now[of].astype(float)) - float(material.enthalpy(37.0))
        np.testing.assert_allclose(values[of], expected, atol=50.0, rtol=1e-6)


def test_blood_brings_its_heat_without_unsettling_the_balance(filled):
    run = filled.run
    assert run.stored_j() == pytest.approx(filled.stored_j, rel=1e-9)
    # Another account of what the blood changed: enthalpy above that at 37 degC, of each state of the lung.
    layout, cell_m3 = run.lattice.layout, run.lattice.cell_m**3
    changed = (run.problem.material_map == 1) & (layout.inner(run.lattice.field.label) != NOTHING)
    now = layout.inner(run.lattice.record.temperature)[changed].astype(float)
    was = filled.degc[changed].astype(float)
    aerated, full, _ = run.problem.materials
    brought = full.enthalpy(now) - full.enthalpy(37.0) - aerated.enthalpy(was) + aerated.enthalpy(37.0)
    assert run.stored_at_start == pytest.approx(float(brought.sum()) * cell_m3, rel=1e-3)


def test_what_was_recorded_before_is_kept(filled):
    record = filled.run.lattice.record
    assert filled.run.lattice is not filled.lattice
    for name in ("below_s", "start"):
        np.testing.assert_array_equal(getattr(record, name), filled.kept[name], err_msg=name)
    # The state is made anew of temperatures, so that the lowest one may move by its last digit.
    for name in ("minimum", "freeze_minimum"):
        np.testing.assert_allclose(getattr(record, name), filled.kept[name], rtol=2e-6, atol=2e-5)
    moved = record.minimum < filled.kept["minimum"]
    np.testing.assert_array_equal(record.minimum_at[~moved], filled.kept["minimum_at"][~moved])
    np.testing.assert_allclose(record.minimum_at[moved], FREEZE_S)


def test_blood_does_not_flow_again_where_it_stood_still(filled):
    run = filled.run
    label = _inner(run, run.lattice.field.label)
    w = _inner(run, run.lattice.field.w)
    lung = (label == 0) | (label == 1)
    dead = _inner(run, run.lattice.record.minimum) < run.problem.settings.stasis_degc
    assert (lung & dead).sum() > 100
    np.testing.assert_array_equal(w[lung & dead], 0.0)
    np.testing.assert_array_equal(w[lung & ~dead], np.float32(PERFUSION))


def test_what_was_active_stays_active_and_what_changed_is_stepped(filled):
    run = filled.run
    changed = np.flatnonzero(run.problem.material_map != _lung().material_map)
    stepped = run.active.has(run.lattice.layout.places(changed))
    assert stepped.all()


@pytest.fixture(scope="module")
def solved():
    return solve(_lung(), threads=1), solve(_lung(floods=False), threads=1)


def test_the_first_freeze_does_not_know_of_the_flood_and_the_second_reaches_further(solved):
    with_blood, without = solved
    first, other = (r.end_of_freeze(1).temperature_degc.values for r in solved)
    np.testing.assert_array_equal(first, other)
    ice = [blocks.ice_ml(r.end_of_freeze(2).temperature_degc.values, 1.0) for r in solved]
    assert ice[0] > 1.03 * ice[1] > 0.0
    assert with_blood.ledger.probes_j < 1.2 * without.ledger.probes_j < 0.0


def test_energy_balance_stays_closed_over_a_flood(solved):
    assert solved[0].ledger.residual < 1e-5
    assert {f.code for f in solved[0].findings} <= {"ice-near-border"}


def test_both_freezes_count_across_a_flood(solved):
    twice = dict(solved[0].freezes_below)[-20.0].values
    ends = np.stack([solved[0].end_of_freeze(n).temperature_degc.values for n in (1, 2)])
    below = (ends < -20.0).sum(axis=0)
    assert np.count_nonzero(below == 2) > 20
    assert np.all(twice >= below)
    assert twice.max() == 2


def test_minimum_of_both_freezes_is_kept(solved):
    frames = np.stack([f.temperature_degc.values for f in solved[0].frames])
    minimum = solved[0].minimum_degc.values
    assert np.all(minimum <= frames.min(axis=0) + 1e-4)
    # Where the first freeze was the colder one, its minimum outlives the blood.
    first = solved[0].minimum_at_s.values <= FREEZE_S
    assert (first & (minimum < 0.0)).sum() > 0


@pytest.mark.parametrize("precision", ["single", "double"])
def test_two_threads_flood_to_the_same_bits(monkeypatch, precision):
    monkeypatch.setattr(stepper, "LEAST_CELLS", 1)
    one, two = (solve(_lung(edge_cells=30, precision=precision), threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.minimum_degc.values, two.minimum_degc.values)
    for a, b in zip(one.frames, two.frames, strict=True):
        np.testing.assert_array_equal(a.temperature_degc.values, b.temperature_degc.values)
    assert one.ledger == two.ledger


def test_a_lung_that_was_never_frozen_does_not_fill():
    run = Run(_lung(), threads=1)
    run.begin(0.0, "freeze")
    run.step(0.2)
    lattice = run.lattice
    run.flood(run.problem.floods[0])
    assert run.lattice is lattice


def test_a_lung_of_a_patient_fills_with_its_mixtures_under_skin_and_beside_a_vessel():
    lung = bodies.ball("lung", Role.LUNG, "lung-inflated", (0.0, 10.0, 0.0), 18.0)
    x, _, z = bodies.coordinates()
    vessel = bodies.structure("pulmonary vein", Role.VESSEL, "blood", (x - 14.0) ** 2 + z**2 <= 16.0)
    kinds = (PhaseKind.FREEZE, PhaseKind.THAW, PhaseKind.FREEZE)
    plan = Plan(
        probes=(Probe(name="1", model="generic-15g", tip_mm=(0.0, 15.0, 0.0), entry_mm=(0.0, -40.0, 0.0)),),
        protocol=Protocol(phases=tuple(Phase(kind=k, duration_s=120.0) for k in kinds)),
    )
    settings = SolverSettings(spacing_mm=2.0, margin_mm=20.0)
    problem = build_problem(bodies.body(lung, vessel), plan, load_catalogue(), TISSUES, settings)
    assert problem.held is not None or problem.exchanges
    result = solve(problem, threads=1)
    assert result.ledger.residual < 1e-5
    assert "energy-not-conserved" not in {f.code for f in result.findings}
    without = solve(replace(problem, floods=()), threads=1)
    first, other = (r.end_of_freeze(1).temperature_degc.values for r in (result, without))
    np.testing.assert_array_equal(first, other)
    # Blood came into the lung only: far from it the steady state under the skin stands as it did.
    points = problem.grid.index_to_mm(np.argwhere(np.ones(problem.grid.shape, bool))[:, ::-1])
    away = np.hypot(points[:, 0], points[:, 2]).reshape(problem.grid.shape)
    last, bare = (r.frames[-1].temperature_degc.values for r in (result, without))
    far = away > 22.0
    assert far.sum() > 1000
    assert problem.start_field_degc is not None
    assert problem.start_field_degc[far].min() < 36.0
    assert np.abs(last - bare)[far].max() < ACTIVE_DEGC
    assert np.abs(last - bare)[~far].max() > 1.0
