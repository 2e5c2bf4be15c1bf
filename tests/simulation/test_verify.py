"""The checks that a user can run are those of the suite."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.progress import Cancelled
from cryoplan.core.volume import Volume
from cryoplan.simulation.exact import SteadyCylinder, SteadySphere
from cryoplan.simulation.solver import solve
from cryoplan.simulation.verification import run_checks
from cryoplan.simulation.verification.blocks import STIFF, TISSUE, block, sharp, through
from cryoplan.simulation.verification.check import check, comparison
from cryoplan.simulation.verification.random_probes import (
    Placement,
    cases,
    cubes_problem,
    misses,
    placements,
    reference,
)
from cryoplan.simulation.verification.standing import standing_front
from cryoplan.simulation.verification.suite import QUICK_FINENESS, Verification, run_verification


@pytest.fixture(scope="module")
def quick() -> Verification:
    return run_verification(quick=True)


def test_quick_checks_pass_and_cover_the_closed_forms(quick):
    names = " ".join(c.name for c in quick.checks)
    closed = ("Planar", "Line sink", "Steady cylinder", "Oblique", "sphere", "Point sink")
    for part in (*closed, "Energy", "Radius", "Length", "Turned"):
        assert part in names
    failed = [f"{c.name}: {c.error:.2e} > {c.bound:g} {c.unit}" for c in quick.checks if not c.passed]
    assert failed == []
    assert all(c.passed == (abs(c.error) <= c.bound) for c in quick.checks if c.judged)
    assert quick.passed


def test_every_curve_and_every_check_belongs_to_a_group_that_is_shown(quick):
    assert "" not in quick.groups()
    assert {c.group for c in quick.curves} <= set(quick.groups())


def test_a_run_is_the_same_after_it_was_written_and_read(quick):
    assert Verification.from_json(quick.to_json()) == quick


def test_an_error_that_is_no_number_does_not_pass():
    assert not check("nan", float("nan"), 1.0, "mm").passed
    assert comparison("open", float("nan"), 0.0, "mm").passed


def test_checks_can_be_cancelled():
    class Cancel:
        def report(self, report) -> None:
            del report

        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        run_checks(progress=Cancel())


@pytest.mark.parametrize("sphere", [False, True])
def test_a_standing_front_without_waking_is_the_closed_form(sphere):
    common = {"k_s": 2.0, "k_l": 0.52, "w": 20e3, "probe_degc": -140.0, "melt_degc": -1.0, "blood_degc": 37.0}
    material = sharp(TISSUE, w=20e3, width_k=1e-3)
    if sphere:
        exact = SteadySphere(**common, probe_m=5e-3)
        front, heat = exact.front_m, exact.heat_w
    else:
        exact = SteadyCylinder(**common, probe_m=0.9e-3)
        front, heat = exact.front_m, exact.heat_w_m
    for waking in (0.0, 1e-4):
        found = standing_front(
            material,
            probe_degc=-140.0,
            probe_m=exact.probe_m,
            blood_degc=37.0,
            sphere=sphere,
            waking_k=waking,
        )
        assert found.front_m == pytest.approx(front, rel=2e-5)
        assert found.heat == pytest.approx(heat, rel=2e-5)
        r = np.array([exact.probe_m, 7e-3, 0.95 * front, 1.1 * front, 30e-3])
        assert np.abs(found.temperature(r) - exact.temperature(r)).max() < 0.05


def test_waking_blood_moves_a_standing_front_outwards():
    material = sharp(TISSUE, w=40e3)
    fronts = [
        standing_front(material, probe_degc=-140.0, probe_m=9e-4, blood_degc=37.0, waking_k=w).front_m
        for w in (0.0, 0.5, 1.0)
    ]
    assert fronts[0] < fronts[1] < fronts[2]
    assert fronts[2] / fronts[0] - 1.0 == pytest.approx(0.0087, abs=0.001)


def test_placements_are_the_same_every_time_and_all_different():
    first, again = placements(20), placements(20)
    assert first == again
    assert placements(3) == first[:3]
    back = np.array([p.back for p in first])
    assert np.linalg.norm(back, axis=1) == pytest.approx(np.ones(20))
    assert len({p.back for p in first}) == 20
    assert np.abs([p.offset_cells for p in first]).max() <= 0.5


def test_the_reading_finds_the_reference_in_a_field_made_of_it():
    case = cases()[0]
    truth = reference(case, QUICK_FINENESS)
    placement = Placement(offset_cells=(0.2, -0.1, 0.3), back=(0.6, 0.48, 0.64))
    problem = cubes_problem(case, placement, 1.0)
    source = problem.probes[0]
    z, y, x = np.meshgrid(*(problem.grid.coordinates_mm(a) / 1000 for a in (2, 1, 0)), indexing="ij")
    rel = np.stack([x, y, z], axis=-1) - np.asarray(source.begin_m)
    along = rel @ np.asarray(source.back)
    radius = np.linalg.norm(rel - along[..., None] * np.asarray(source.back), axis=-1)
    field = Volume(grid=problem.grid, values=truth.at(radius, along).astype(np.float32))
    for miss in misses(case, truth, field, placement):
        assert np.abs(miss.radial_m).max() < 5e-5
        assert miss.widest_m < 1e-4
        assert np.abs(miss.axial_m).max() < 1.5e-4


@pytest.mark.parametrize("radius_mm", [0.735, 0.9, 1.2])
def test_the_preview_grid_holds_every_probe_of_the_catalogue(radius_mm):
    material = sharp(TISSUE, w=20e3, latent=5e3)
    exact = standing_front(material, probe_degc=-140.0, probe_m=radius_mm / 1000, blood_degc=37.0)
    slab = (None, None, None, None, 37.0, 37.0)
    for offset in ((0.0, 0.0), (0.5, 0.5), (0.5, 0.1), (0.31, 0.17)):
        source = through(
            (offset[0] * 0.002, offset[1] * 0.002, 0.0), (0.0, 0.0, 1.0), STIFF, radius_mm / 1000
        )
        problem = block(
            (44, 44, 2), 2.0, material, 37.0, slab, probes=(source,), end_s=4000.0, step_max_s=30.0
        )
        heat = float(solve(problem).probes[0].heat_w[-1]) / 0.004
        assert heat == pytest.approx(exact.heat, rel=0.015)
