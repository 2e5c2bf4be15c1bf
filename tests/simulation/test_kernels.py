"""Compiled kernels against the slow numpy twin, threads, precision, and the step plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import Cancelled
from cryoplan.simulation import stepper, survey, team
from cryoplan.simulation.run import Run, super_step_stages
from cryoplan.simulation.surroundings import Exchange
from tests.support import blocks


def _hard_problem():
    """Four tissues, a cold and a warm face, an insulated one, vessels of both kinds, two oblique probes."""
    problem = blocks.block(
        blocks.probe("1", (0.7, -0.3, 0.2), (1.0, 0.4, 0.8)),
        blocks.probe("2", (7.0, 5.0, 1.0), (0.0, 1.0, 0.3), length_mm=9.0),
        edge_cells=18,
    )
    k, j, i = np.indices(problem.grid.shape)
    problem = blocks.patched(problem, "fat", (i < 5) & (j > 6))
    problem = blocks.patched(problem, "gas", k > 15)
    problem = blocks.patched(problem, "bone-cortical", (k < 4) & (i > 10))
    held = (np.abs(i - 12) < 2) & (np.abs(j - 13) < 2)
    bath = np.flatnonzero((i == 5) & (k == 9))
    return replace(
        problem,
        held=held,
        held_degc=np.where(k > 9, 37.0, 30.0).astype(np.float32),
        void=(i > 15) & (j < 4),
        exchanges=(
            Exchange(
                kind="skin", cells=bath, rate=np.full(len(bath), 4e5), degc=np.linspace(20.0, 40.0, len(bath))
            ),
        ),
        boundary_degc=(37.0, 37.0, 20.0, None, -30.0, 37.0),
    )


STEPS_S = (0.2, 1.0, 4.0, 10.0, 10.0, 10.0)


def _stepped(problem, threads=1, **settings):
    run = Run(replace(problem, settings=replace(problem.settings, **settings)), threads=threads)
    run.begin(0.0, "freeze")
    for step_s in STEPS_S:
        run.step(step_s)
    return run


@pytest.mark.parametrize(("precision", "within_k"), [("single", 5e-3), ("double", 2e-3)])
def test_kernels_agree_with_the_slow_twin(precision, within_k):
    found = _stepped(_hard_problem(), precision=precision)
    # The same precision for both: in single, face conductivities are float16 numbers, 2.4e-4 apart.
    twin = _stepped(_hard_problem(), solver="reference", precision=precision)
    t = twin.field_degc().values
    assert t.min() < -60.0
    assert found.stages == twin.stages
    np.testing.assert_allclose(found.field_degc().values, t, atol=within_k)
    for line, other in zip(found.ledger, twin.ledger, strict=True):
        assert line == pytest.approx(other, rel=1e-3, abs=0.1)


@pytest.mark.parametrize(
    "settings", [{}, {"precision": "double"}, {"solver": "reference", "precision": "double"}]
)
def test_energy_closes_in_the_hard_problem(settings):
    ledger = _stepped(_hard_problem(), **settings).energy()
    assert ledger.residual < (1e-6 if settings else 1e-5)
    assert ledger.probes_j < -100.0
    assert abs(ledger.vessels_j) > 1.0
    assert abs(ledger.skin_j) > 1.0
    assert ledger.boundary_j != 0.0


def test_single_precision_moves_no_isotherm_by_a_hundredth_of_a_millimetre():
    problem = blocks.block(blocks.probe(), edge_cells=30, stages=blocks.freeze(300.0))
    radii = []
    for precision in ("single", "double"):
        t = _stepped(problem, precision=precision).field_degc().values
        for degc in (0.0, -20.0, -40.0):
            volume = float(np.clip(0.5 + (degc - t) / 8.0, 0.0, 1.0).sum()) * 8.0
            radii.append((3 * volume / (4 * np.pi)) ** (1 / 3))
    np.testing.assert_allclose(radii[:3], radii[3:], atol=0.01)
    assert radii[0] > radii[1] > radii[2] > 1.0


def test_the_bits_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(stepper, "LEAST_CELLS", 0)
    one, two, three = (_stepped(_hard_problem(), threads=n) for n in (1, 2, 3))
    for other in (two, three):
        np.testing.assert_array_equal(one.field_degc().values, other.field_degc().values)
        np.testing.assert_array_equal(one.ledger, other.ledger)


def test_chunks_of_many_materials_give_the_same_as_chunks_of_few(monkeypatch):
    few = _stepped(_hard_problem())
    monkeypatch.setattr(survey, "FEW", 0)
    many = _stepped(_hard_problem())
    assert len(many.chunks.mixed_base) > 0
    assert len(few.chunks.mixed_base) == 0
    np.testing.assert_allclose(few.field_degc().values, many.field_degc().values, atol=2e-4)


def test_a_solver_of_ones_own_is_found_by_its_name(monkeypatch):
    calls = []

    def counting(run, *rest):
        calls.append(run)
        return stepper.compiled_step(run, *rest)

    monkeypatch.setattr(stepper, "_STEPPERS", dict(stepper._STEPPERS))
    stepper.register_stepper("counting", counting)
    _stepped(_hard_problem(), solver="counting")
    assert len(calls) >= len(STEPS_S)
    with pytest.raises(ValueError, match="already"):
        stepper.register_stepper("counting", counting)
    with pytest.raises(SimulationError, match="no solver called 'nobody'"):
        _stepped(_hard_problem(), solver="nobody")


def test_planes_are_shared_evenly():
    first = team.split_planes(np.array([1.0, 1.0, 6.0, 2.0, 2.0]), 2)
    assert first.tolist() == [0, 3, 5]
    assert team.split_planes(np.zeros(3), 2)[[0, -1]].tolist() == [0, 3]


@pytest.mark.parametrize(("step_s", "euler_s", "stages"), [(0.1, 0.1, 1), (0.3, 0.1, 2), (10.0, 0.05, 20)])
def test_stage_count_is_the_least_stable_one(step_s, euler_s, stages):
    assert super_step_stages(step_s, euler_s) == stages
    assert euler_s * (stages**2 + stages) / 2 >= step_s * (1 - 1e-9)
    assert stages == 1 or euler_s * (stages**2 - stages) / 2 < step_s


class _SecondThoughts:
    """Progress that is cancelled from the n-th question on."""

    def __init__(self, patience):
        self.patience, self.asked = patience, 0

    def report(self, report):
        pass

    def cancelled(self):
        self.asked += 1
        return self.asked > self.patience


@pytest.mark.parametrize("threads", [1, 2])
def test_a_call_of_many_stages_is_left_in_the_middle(monkeypatch, threads):
    monkeypatch.setattr(stepper, "QUICK_CALL", 0)
    monkeypatch.setattr(stepper, "LEAST_CELLS", 0)
    progress = _SecondThoughts(10**9)
    run = Run(blocks.block(blocks.probe(), edge_cells=30), progress, threads)
    run.begin(0.0, "freeze")
    run.step(0.2)
    run.use_whole_block()
    progress.asked, progress.patience = 0, 2
    with pytest.raises(Cancelled):
        run.step(2e6)  # tens of thousands of stages in one call: minutes
    assert progress.asked < 50  # once a stage is through after the first yes


def test_what_a_thread_fails_at_is_told():
    def fail(rank):
        raise ValueError(f"rank {rank}")

    with pytest.raises(ValueError, match="rank"):
        team.run_together(2, fail)
    assert team.run_together(3, lambda rank: rank * rank, watch=lambda: None) == [0, 1, 4]


def test_chunks_begin_at_cache_lines():
    lattice = Run(_hard_problem()).lattice
    assert lattice.layout.row % 16 == lattice.layout.size % 16 == 0
    for array in (*lattice.field[:6], *lattice.record, lattice.faces.of_u):
        if array.size >= lattice.layout.size:
            assert array.ctypes.data % 16 == 0
    assert lattice.field.u.ctypes.data % 64 == 0


def test_maximum_principle_holds_without_metabolism():
    problem = blocks.block(blocks.probe(), tissue="gel", start_degc=20.0, stages=blocks.freeze(120.0))
    run = Run(problem)
    run.begin(0.0, "freeze")
    for step_s in (0.2, 0.5, 2.0, 10.0, 30.0, 60.0):
        run.step(step_s)
        t = run.field_degc().values
        assert t.max() <= 20.0 + 1e-4
        assert t.min() >= -150.0


def test_kernels_compile_without_a_place_for_their_cache(monkeypatch):
    import numba

    from cryoplan.simulation.compiled import compiled

    compile_it = numba.njit

    def refuse_cache(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return compile_it(**options)

    monkeypatch.setattr(numba, "njit", refuse_cache)
    double = compiled(lambda x: 2.0 * x)
    assert double(21.0) == 42.0
