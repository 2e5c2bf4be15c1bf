"""Contacts: skin, vessels, pockets, lung and warmers come into a problem as physics says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.case.structure import Role
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol
from cryoplan.simulation.conditions import load_conditions
from cryoplan.simulation.problem import build_problem
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.tissue import load_tissues
from tests.support import bodies

TISSUES = load_tissues()
CATALOGUE = load_catalogue()
SETTINGS = SolverSettings(spacing_mm=2.0, margin_mm=30.0)
NEAR_SKIN = Plan(
    probes=(Probe(name="1", model="generic-15g", tip_mm=(0.0, 15.0, 0.0), entry_mm=(0.0, -40.0, 0.0)),)
)


def _problem(*structures, plan=NEAR_SKIN, settings=SETTINGS, **changes):
    return build_problem(bodies.body(*structures, **changes), plan, CATALOGUE, TISSUES, settings)


def _cell(problem, *point: float) -> tuple[int, int, int]:
    i, j, k = np.rint(problem.grid.mm_to_index(point)).astype(int)
    return k, j, i


def test_skin_loses_heat_to_the_room_and_the_body_starts_colder_there():
    problem = _problem()
    skin = next(e for e in problem.exchanges if e.kind == "skin")
    j = np.unravel_index(skin.cells, problem.grid.shape)[1]
    y = problem.grid.origin_mm[1] + 2.0 * j
    assert np.all(np.abs(y - bodies.FRONT_MM) <= 2.0 + 1e-9)
    assert set(skin.degc) == {22.0}
    # The plane's area, and the contact in series with up to a cell of tissue.
    faces = problem.grid.size[0] * problem.grid.size[2]
    assert float(skin.rate.sum()) * 0.002 == pytest.approx(7.5 * faces, rel=0.05)
    assert problem.void is not None
    assert problem.void[_cell(problem, 0.0, -44.0, 0.0)]
    assert not problem.void[_cell(problem, 0.0, -36.0, 0.0)]
    start = problem.start_field_degc
    assert start is not None
    at_skin, deep = float(start[_cell(problem, 0, -38.0, 0)]), float(start[_cell(problem, 0, 20.0, 0)])
    # Convection against a half space with blood: 15 h / (h + k m) colder.
    soft = TISSUES.tissue("soft-tissue").material()
    m = np.sqrt(soft.w / soft.k_u)
    assert 37.0 - at_skin == pytest.approx(15.0 * 7.5 / (7.5 + soft.k_u * m) * np.exp(-m * 0.002), rel=0.15)
    assert deep == pytest.approx(37.0, abs=0.1)
    # A face of the block that the skin meets is insulated, the others are held at the body's temperature.
    assert problem.boundary_degc == (None, None, None, 37.0, None, None)


def test_what_lies_on_the_skin_can_be_chosen():
    bag = _problem(settings=replace(SETTINGS, skin="warm-bag"))
    assert bag.start_field_degc is not None
    assert float(bag.start_field_degc.max()) > 37.5
    none = _problem(settings=replace(SETTINGS, skin="insulated"))
    assert not none.exchanges
    assert none.start_field_degc is None
    assert none.void is not None
    assert "skin-insulated" in {f.code for f in none.findings}


def test_an_mr_without_an_outlined_body_has_no_skin():
    problem = _problem(modality="MR")
    assert problem.void is None
    assert problem.start_field_degc is None
    assert problem.boundary_degc == (37.0,) * 6


def test_injected_fluid_starts_at_room_temperature_and_a_cyst_does_not():
    pocket = bodies.ball("hydrodissection", Role.FLUID, "hydrodissection", (20.0, 10.0, 0.0), 8.0)
    cyst = bodies.ball("cyst", Role.FLUID, "fluid", (-20.0, 10.0, 0.0), 8.0)
    start = _problem(pocket, cyst, settings=replace(SETTINGS, skin="insulated")).start_field_degc
    problem = _problem(pocket, cyst)
    assert start is not None
    assert float(start[_cell(problem, 20.0, 10.0, 0.0)]) == 21.0
    assert float(start[_cell(problem, -20.0, 10.0, 0.0)]) == 37.0
    # Cells on the border hold fluid and tissue: their start is between, and the cold is that of the volume.
    soft = TISSUES.tissue("soft-tissue").material()
    fluid = TISSUES.tissue("hydrodissection").material()
    heat = np.array([m.c_u for m in problem.materials])[problem.material_map]
    missing = float((heat * (37.0 - start)).sum()) * problem.grid.voxel_volume_ml
    assert missing == pytest.approx(16.0 * fluid.c_u * pocket.volume_ml, rel=0.03)
    assert soft.c_u != fluid.c_u
    assert "pocket-start" in {f.code for f in problem.findings}


def test_blood_that_stands_still_brings_no_heat():
    x, _, z = bodies.coordinates()
    lumen = (x - 12.0) ** 2 + z**2 <= 25.0
    flowing = _problem(bodies.structure("portal vein", Role.VESSEL, "blood", lumen))
    still = _problem(bodies.structure("portal vein thrombus", Role.VESSEL, "blood", lumen))
    assert flowing.held is not None
    assert still.held is None
    assert not any(e.kind == "vessel" for e in still.exchanges)
    assert "can freeze" in next(f.text for f in still.findings if f.code == "vessel-wall")


def test_a_vessel_below_3_mm_is_part_of_the_tissue_around_it():
    x, _, z = bodies.coordinates()
    twig = bodies.structure("twig", Role.VESSEL, "blood", (np.abs(x - 10.0) < 1.4) & (np.abs(z) < 1.6))
    problem = _problem(twig)
    assert {m.name for m in problem.materials} == {m.name for m in _problem().materials}
    assert not any(e.kind == "vessel" for e in problem.exchanges)


def _protocol(*minutes: float) -> Protocol:
    kinds = (PhaseKind.FREEZE, PhaseKind.THAW)
    return Protocol(
        phases=tuple(Phase(kind=kinds[n % 2], duration_s=60.0 * m) for n, m in enumerate(minutes))
    )


def test_lung_floods_at_the_first_thaw_that_a_freeze_follows():
    lung = bodies.ball("lung", Role.LUNG, "lung-inflated", (0.0, 10.0, 0.0), 18.0)
    problem = _problem(lung, plan=replace(NEAR_SKIN, protocol=_protocol(3, 3, 7, 5, 10)))
    (flood,) = problem.floods
    assert flood.at_s == 180.0
    assert flood.rim_mm == load_conditions().flooded_rim.value == 4.0
    changes = dict(flood.changes)
    inflated = int(problem.material_map[_cell(problem, 0.0, 10.0, 0.0)])
    assert problem.materials[changes[inflated]].name == "lung-flooded"
    # Mixtures on the border of the lung flood as well: they become denser, and nothing else changes place.
    for before, after in changes.items():
        assert problem.materials[after].c_u > problem.materials[before].c_u
    assert not _problem(lung, plan=replace(NEAR_SKIN, protocol=_protocol(10, 5))).floods
    assert not _problem(plan=replace(NEAR_SKIN, protocol=_protocol(10, 5, 10))).floods


WARMER = Probe(name="U", model="urethral-warmer", tip_mm=(20.0, 40.0, 0.0), entry_mm=(20.0, -40.0, 0.0))


def test_a_warmer_is_warm_in_every_phase_and_freezes_nothing():
    plan = replace(NEAR_SKIN, probes=(*NEAR_SKIN.probes, WARMER))
    long_enough = SolverSettings(spacing_mm=2.0, margin_mm=20.0)
    wide = replace(WARMER, tip_mm=(20.0, 50.0, 0.0))
    problem = _problem(plan=replace(plan, probes=(*NEAR_SKIN.probes, wide)), settings=long_enough)
    source = problem.probes[1]
    for phase in ("freeze", "passive", "helium", "electric"):
        drive = source.drive(10.0, phase)
        assert drive is not None
        assert drive.end_degc == 40.0
        assert drive.coefficient == 750.0
    assert not any(f.code == "thaw-mode-missing" and "U" in f.place for f in problem.findings)
