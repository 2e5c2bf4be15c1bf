"""The reference solver is right by itself: against closed forms, its own refinement and its own energy."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.simulation.exact import LineSink, NeumannPlanar, SteadyCylinder, TwoPhase
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material
from cryoplan.simulation.verification import axisymmetric_kernel as kernel
from cryoplan.simulation.verification.axisymmetric import (
    AxisymmetricProblem,
    Fineness,
    _table,
    graded_edges,
    solve_axisymmetric,
)

TISSUE = TwoPhase(
    k_s=2.0, k_l=0.52, c_s=1800.0, c_l=3600.0, rho=1050.0, latent=238_095.238, melt_degc=-1.0, start_degc=37.0
)
LIVER = Material(
    name="liver", t_u=-1.0, t_l=-8.0, latent=2.5e8, c_u=3.8e6, cf_a=2.1e6, cf_b=5900.0, k_u=0.52, k_l=1.95,
    rise=1.0, w=40e3, q_m=1e4,
)  # fmt: skip
DRY = Material(
    name="fat", t_u=-1.0, t_l=-8.0, latent=5e7, c_u=2.1e6, cf_a=1.6e6, cf_b=0.0, k_u=0.21, k_l=0.25, w=2e3
)


def sharp(width_k: float, *, w: float = 0.0, latent: float | None = None) -> Material:
    return Material(
        name="sharp",
        t_u=-1.0 + 0.5 * width_k,
        t_l=-1.0 - 0.5 * width_k,
        latent=TISSUE.rho * (TISSUE.latent if latent is None else latent),
        c_u=TISSUE.rho * TISSUE.c_l,
        cf_a=TISSUE.rho * TISSUE.c_s,
        cf_b=0.0,
        k_u=TISSUE.k_l,
        k_l=TISSUE.k_s,
        w=w,
    )


def probe(
    radius_mm: float, end_degc: float, h: float, *, length_mm: float = 30.0, taper_mm: float = 0.0,
    tau_s: float = 1e-3,
) -> ProbeSource:  # fmt: skip
    return ProbeSource(
        name="1", begin_m=(0.0, 0.0, 0.0), back=(0.0, 0.0, 1.0), length_m=length_mm / 1000,
        taper_m=taper_mm / 1000, radius_m=radius_mm / 1000,
        freeze=Drive(end_degc=end_degc, coefficient=h, tau_s=tau_s),
    )  # fmt: skip


@pytest.mark.parametrize("material", [LIVER, DRY, sharp(0.2)])
def test_its_curves_are_those_of_the_material(material):
    row = _table((material,))[0]
    for t in (-150.0, -40.0, -8.0, -4.4, -1.0, 5.0, 37.0):
        assert kernel.temperature_of(float(material.enthalpy(t)), row) == pytest.approx(t, abs=1e-9)
        assert kernel.conductivity_of(t, row) == pytest.approx(float(material.conductivity(t)), rel=1e-12)
        assert kernel.potential_of(t, row) == pytest.approx(
            float(material.potential(t)), rel=1e-12, abs=1e-12
        )


def test_edges_hold_every_anchor_and_grow_from_it():
    edges = graded_edges(-60.0, 90.0, (0.0, 13.3, 30.0), 0.1, 0.5, 2.0, 20.0)
    assert all(np.abs(edges - a).min() == 0.0 for a in (-60.0, 0.0, 13.3, 30.0, 90.0))
    width = np.diff(edges)
    assert width.min() > 0.05
    assert width.max() < 2.2
    assert width[np.searchsorted(edges, 13.3)] == pytest.approx(0.1, rel=0.15)
    assert np.all(width[1:] / width[:-1] < 1.3)


def test_planar_freezing_as_a_cylinder_of_a_hundred_metres():
    exact = NeumannPlanar(medium=TISSUE, wall_degc=-140.0)
    wide = probe(100_000.0, -140.0, 1e8, length_mm=2.0)
    problem = AxisymmetricProblem(materials=(sharp(0.5),), probe=wide, freeze_s=600.0, whole_length=True)
    field = solve_axisymmetric(problem, fineness=Fineness(ice_mm=0.1, ice_reach_mm=32.0, step_max_s=1.0))[-1]
    depth = field.radius_m(-1.0, 0.001) - 100.0
    assert depth == pytest.approx(exact.front_m(600.0), rel=2e-3)
    depths = np.array([2.0, 5.0, 10.0, 15.0, 20.0, 30.0]) / 1000
    far = np.abs(depths - depth) > 5e-4
    found = field.at(100.0 + depths, 0.001)
    assert np.abs(found - exact.temperature(depths, 600.0))[far].max() < 0.2


def test_line_sink_that_draws_constant_heat():
    exact = LineSink(medium=TISSUE, sink_w_m=500.0)
    weak, radius_mm = 0.05, 0.2
    end = -500.0 / (2 * np.pi * radius_mm / 1000 * weak)
    line = probe(radius_mm, end, weak, length_mm=2.0)
    # The bound on the stiffness looks at the coolant, which here is a mere device; nothing gets as cold.
    problem = AxisymmetricProblem(materials=(sharp(0.5),), probe=line, freeze_s=600.0, whole_length=True)
    field = solve_axisymmetric(problem, fineness=Fineness(ice_mm=0.1, step_max_s=1.0))[-1]
    assert field.radius_m(-1.0, 0.001) == pytest.approx(exact.front_m(600.0), rel=2e-3)
    r = field.r_m[field.r_m > 1e-3]
    away = np.abs(r - exact.front_m(600.0)) > 5e-4
    assert np.abs(field.at(r, 0.001) - exact.temperature(r, 600.0))[away & (r < 0.05)].max() < 0.25


def test_steady_cylinder_in_perfused_tissue():
    exact = SteadyCylinder(
        k_s=2.0, k_l=0.52, w=40e3, probe_degc=-140.0, melt_degc=-1.0, blood_degc=37.0, probe_m=0.9e-3
    )
    shaft = probe(0.9, -140.0, 1e7, length_mm=2.0)
    material = sharp(0.2, w=40e3, latent=5e3)
    problem = AxisymmetricProblem(materials=(material,), probe=shaft, freeze_s=4000.0, whole_length=True)
    field = solve_axisymmetric(problem, fineness=Fineness(step_max_s=10.0))[-1]
    assert -field.probe_w / 0.002 == pytest.approx(exact.heat_w_m, rel=3e-3)
    assert field.radius_m(-1.0, 0.001) == pytest.approx(exact.front_m, rel=4e-3)


@pytest.mark.parametrize("materials", [(LIVER,), (LIVER, DRY)])
def test_energy_closes_and_isotherms_settle_with_refinement(materials):
    shaft = probe(0.8, -150.0, 3000.0, length_mm=20.0, taper_mm=5.0, tau_s=5.0)
    problem = AxisymmetricProblem(
        materials=materials, seams_m=(0.0123,) * (len(materials) - 1), probe=shaft, freeze_s=240.0,
        thaw_s=60.0 * (len(materials) - 1),
    )  # fmt: skip
    coarse = Fineness(wall_mm=0.2, ice_mm=0.4, room_mm=40.0)
    found = []
    for fineness in (coarse, coarse.refined(2.0)):
        fields = solve_axisymmetric(problem, fineness=fineness)
        last, frozen = fields[-1], fields[0]
        assert last.stored_j == pytest.approx(sum(last.heat_j), rel=1e-9)
        assert frozen.time_s == 240.0
        ice = frozen.tips_m(0.0)
        cold = frozen.tips_m(-20.0)[0]  # behind the taper nothing is as cold
        radii = [frozen.radius_m(degc, z) for degc in (0.0, -20.0) for z in (0.006, 0.017)]
        found.append([*ice, cold, *radii])
    assert np.abs(np.array(found[0]) - np.array(found[1])).max() < 5e-5


def test_two_layers_of_one_tissue_are_one_tissue():
    shaft = probe(0.8, -150.0, 3000.0, length_mm=20.0, tau_s=5.0)
    coarse = Fineness(wall_mm=0.2, ice_mm=0.5, room_mm=30.0)
    fields = []
    for parts in (1, 2):
        problem = AxisymmetricProblem(
            materials=(LIVER,) * parts, seams_m=(0.011,) * (parts - 1), probe=shaft, freeze_s=120.0
        )
        fields.append(solve_axisymmetric(problem, fineness=coarse)[-1])
    one, two = (np.array([*f.tips_m(-20.0), f.radius_m(-20.0, 0.011)]) for f in fields)
    assert np.abs(one - two).max() < 3e-5
