"""A vessel of 8 mm bites into the ice: depth against two cylinders on paper, and against a finer grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.plan.plan import Plan
from cryoplan.simulation.conditions import load_conditions
from cryoplan.simulation.contacts import find_contacts
from cryoplan.simulation.exact_pair import CylinderPair
from cryoplan.simulation.settings import STANDARD
from cryoplan.simulation.solver import solve
from cryoplan.simulation.sources import Drive
from cryoplan.simulation.tissue_map import TissueMap
from cryoplan.simulation.verification.blocks import TISSUE, block, cell_centres_m, sharp, through
from cryoplan.simulation.vessels import Lumen, lumen_of
from tests.support.analytic import centres_mm

SLAB = (None,) * 6
VESSEL_MM, MELT_DEGC = 8.0, -1.0


def vessel_at(x_mm: float, name: str = "hepatic vein") -> Structure:
    """A straight vessel of 8 mm along z, drawn as finely as the sub-voxel share needs."""
    grid = Grid(size=(64, 64, 100), spacing_mm=(0.25, 0.25, 1.0), origin_mm=(x_mm - 7.875, -7.875, -49.5))
    away = np.hypot(*(centres_mm(grid)[..., axis] - at for axis, at in ((0, x_mm), (1, 0.0))))
    mask = Volume(grid=grid, values=away <= 0.5 * VESSEL_MM)
    return Structure(name=name, role=Role.VESSEL, tissue="blood", mask=mask, source="formula")


def beside(problem, vessel: Structure):
    """Return the problem with the vessel in it, by the functions that make it of a patient."""
    share, diameter = lumen_of(vessel, problem.grid)
    cells = np.flatnonzero(share > 0.0)
    lumen = Lumen(
        name=vessel.name,
        kind=load_conditions().vessel_kind(vessel.name),
        cells=cells,
        share=share.ravel()[cells],
        diameter_mm=diameter.ravel()[cells],
    )
    tissue = TissueMap(
        material_map=problem.material_map,
        materials=problem.materials,
        start_degc=(None,),
        contents=(("liver", "liver", 0),),
        lumens=(lumen,),
        skin=None,
        findings=(),
    )
    contacts = find_contacts(tissue, "", problem.grid, Plan(), workflow.tissues(), STANDARD)
    return replace(problem, held=contacts.held, held_degc=contacts.held_degc, exchanges=contacts.exchanges)


def edges_mm(grid: Grid, field, material, degc: float) -> tuple[float, float]:
    """Return how far an isotherm reaches from x = 0 along +x and -x, between the two rows next to y = 0.

    Between two cells the potential is straight, not the temperature: ice conducts four times as well.
    """
    x = grid.coordinates_mm(0)
    middle = grid.size[1] // 2
    row = material.potential(field[0, middle - 1 : middle + 1].astype(float)).mean(axis=0)
    level = float(material.potential(degc))
    return crossing(x[x > 0], row[x > 0], level), crossing(-x[x < 0][::-1], row[x < 0][::-1], level)


def crossing(x, values, level: float) -> float:
    """Return the first x at which a profile rises through a level."""
    at = int(np.flatnonzero(values > level)[0])
    assert at > 0, "no ice"
    return float(np.interp(level, values[at - 1 : at + 1], x[at - 1 : at + 1]))


def tissue_degc(material, potential):
    """Return the temperatures of potentials; the inverse of `Material.potential`."""
    degc = np.linspace(-60.0, 40.0, 100_001)
    return np.interp(potential, material.potential(degc), degc)


@pytest.mark.parametrize(("spacing", "within_mm"), [(1.0, 0.25), (0.5, 0.125)])
def test_the_bite_of_an_8_mm_vessel_is_that_of_the_closed_form(spacing, within_mm):
    """A cold core and a vessel, standing, without perfusion: both edges within a quarter of a cell.

    Freezing takes 4 K, so that no cell stands half frozen on the edge and the edge is the -1 degC isotherm.
    """
    material = sharp(TISSUE, latent=5e3, width_k=4.0)
    edge = float(material.potential(MELT_DEGC))
    pair = CylinderPair(
        cold_m=4e-3,
        warm_m=0.5e-3 * VESSEL_MM,
        apart_m=18e-3,
        cold_potential=float(material.potential(-5.0)),
        warm_potential=float(material.potential(37.0)),
    )
    assert 5e-3 < pair.bite_m(edge) < 15e-3
    n = 2 * round(36.0 / spacing)
    problem = block((n, n, 2), spacing, material, 37.0, SLAB, end_s=9000.0, step_max_s=30.0)
    problem = beside(problem, vessel_at(18.0))
    assert problem.held is not None
    centres = cell_centres_m(problem.grid)
    exact = tissue_degc(material, pair.potential(centres[..., 0], centres[..., 1]))
    rim = np.zeros(problem.grid.shape, bool)
    rim[:, [0, -1], :] = rim[:, :, [0, -1]] = True
    # The vessel is held by what the program makes of it; the closed form holds the core and what is far away.
    imposed = rim | (np.hypot(centres[..., 0], centres[..., 1]) < 5.5e-3)
    degc = np.where(imposed, exact, problem.held_degc).astype(np.float32)
    problem = replace(problem, held=problem.held | imposed, held_degc=degc)
    field = solve(problem).frames[-1].temperature_degc.values
    near, far = edges_mm(problem.grid, field, material, MELT_DEGC)
    assert near == pytest.approx(1e3 * pair.near_m(edge), abs=within_mm)
    assert far == pytest.approx(1e3 * pair.far_m(edge), abs=within_mm)
    assert far - near == pytest.approx(1e3 * pair.bite_m(edge), abs=1.5 * within_mm)


def test_a_vessel_bites_into_growing_ice_as_deep_as_on_a_grid_twice_as_fine():
    """A probe in perfused liver, 600 s, vessel wall 6 mm away: 1 mm cells against 0.5 mm."""
    found = {}
    for spacing in (1.0, 0.5):
        material = workflow.tissues().tissue("liver").material()
        n = 2 * round(40.0 / spacing)
        probe = through(
            (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), Drive(end_degc=-140.0, coefficient=1200.0, tau_s=30.0), 0.9e-3
        )
        bare = block((n, n, 2), spacing, material, 37.0, SLAB, probes=(probe,), end_s=600.0, step_max_s=5.0)
        for name, problem in (("bare", bare), ("vessel", beside(bare, vessel_at(10.0)))):
            field = solve(problem).frames[-1].temperature_degc.values
            found[name, spacing] = edges_mm(problem.grid, field, material, 0.0)
    (free, _), (bitten, away) = found["bare", 0.5], found["vessel", 0.5]
    assert free - bitten > 3.0, "a bite that anybody can see"
    assert away == pytest.approx(free, abs=1.0), "the other side of the ice hardly knows"
    assert bitten < 6.0, "nothing freezes into the lumen"
    (free_1, _), (bitten_1, _) = found["bare", 1.0], found["vessel", 1.0]
    assert free_1 - bitten_1 == pytest.approx(free - bitten, abs=0.5)


def test_a_vessel_without_flow_bites_nothing():
    """The same vessel with blood that stands still: ice grows through it."""
    material = workflow.tissues().tissue("liver").material()
    probe = through(
        (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), Drive(end_degc=-140.0, coefficient=1200.0, tau_s=30.0), 0.9e-3
    )
    bare = block((80, 80, 2), 1.0, material, 37.0, SLAB, probes=(probe,), end_s=600.0, step_max_s=5.0)
    clotted = beside(bare, vessel_at(12.0, "hepatic vein thrombus"))
    assert clotted.held is None
    assert not clotted.exchanges
