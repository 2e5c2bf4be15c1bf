"""Compiled kernels against the slow numpy twin, and the step plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.simulation.reference import ReferenceState
from cryoplan.simulation.run import Run, longest_super_step_s, super_step_stages
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
    vessel = (np.abs(i - 12) < 2) & (np.abs(j - 13) < 2)
    exchange = np.where((i == 5) & (k == 9), np.float32(4e5), np.float32(0))
    return replace(
        problem,
        vessel=vessel,
        vessel_exchange=exchange,
        boundary_degc=(37.0, 37.0, 20.0, None, -30.0, 37.0),
    )


def test_kernels_agree_with_the_slow_twin_step_by_step():
    problem = _hard_problem()
    run = Run(problem)
    twin = ReferenceState(run.lattice, problem.material_map)
    run.begin(0.0, "freeze")
    for step_s in (0.2, 1.0, 4.0, 10.0, 10.0, 10.0):
        coldest = run.coldest_ahead(step_s)
        stages = super_step_stages(step_s, run.lattice.longest_euler_step_s(coldest))
        order = np.arange(stages, dtype=float)
        times = run.time_s + step_s * (order**2 + order) / (stages**2 + stages)
        coolant = np.stack([g.at(times) for g in run.gas], axis=1)
        strength = np.array([g.strength for g in run.gas])
        twin.w = run.lattice.inner(run.lattice.w).astype(float)
        twin.q = run.lattice.inner(run.lattice.q).astype(float)
        twin.super_step(step_s, stages, coolant, strength)
        run.step(step_s)
    found = run.lattice.enthalpy[run.current].reshape(run.lattice.padded)[1:-1, 1:-1, 1:-1]
    t_kernel = twin.temperature(found)
    t_twin = twin.temperature(twin.enthalpy)
    assert t_twin.min() < -60.0
    np.testing.assert_allclose(t_kernel, t_twin, atol=5e-3)


def test_energy_closes_in_the_hard_problem():
    run = Run(_hard_problem())
    run.begin(0.0, "freeze")
    for step_s in (0.2, 1.0, 4.0, 10.0, 10.0, 30.0):
        run.step(step_s)
    ledger = run.energy()
    assert ledger.residual < 1e-8
    assert ledger.probes_j < -100.0
    assert ledger.vessels_j > 1.0
    assert ledger.boundary_j != 0.0


@pytest.mark.parametrize(("step_s", "euler_s", "stages"), [(0.1, 0.1, 1), (0.3, 0.1, 2), (10.0, 0.05, 20)])
def test_stage_count_is_the_least_stable_one(step_s, euler_s, stages):
    assert super_step_stages(step_s, euler_s) == stages
    assert euler_s * (stages**2 + stages) / 2 >= step_s * (1 - 1e-9)
    assert stages == 1 or euler_s * (stages**2 - stages) / 2 < step_s


def test_one_call_never_holds_more_work_than_a_cancel_may_wait():
    for cells in (10**5, 10**6, 10**7):
        step = longest_super_step_s(0.04, cells)
        assert super_step_stages(step, 0.04) * cells <= max(5e7, 3 * cells)


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

    from cryoplan.simulation import kernels

    compile_it = numba.njit

    def refuse_cache(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return compile_it(**options)

    monkeypatch.setattr(numba, "njit", refuse_cache)
    double = kernels._compiled(lambda x: 2.0 * x)
    assert double(21.0) == 42.0
