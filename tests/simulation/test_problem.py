"""From a case and a plan to a problem: tissues in the right cells, everything assumed said."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.case import Case
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import SimulationError
from cryoplan.core.finding import Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import ThawMode, freeze_thaw_freeze
from cryoplan.simulation.problem import build_problem, phantom_problem, probe_source
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.tissue import load_tissues
from cryoplan.simulation.vessels import exchange_rate
from tests.support import analytic

COARSE = SolverSettings(spacing_mm=2.0, margin_mm=25.0)
TISSUES = load_tissues()
CATALOGUE = analytic.catalogue()

# A flipped, turned and anisotropic scan: its axes run along -y, +x and +z.
SCAN_GRID = Grid(
    size=(70, 60, 40),
    spacing_mm=(2.0, 2.5, 3.0),
    origin_mm=(-75.0, 70.0, -60.0),
    direction=(0, 1, 0, -1, 0, 0, 0, 0, 1),
)


def _coordinates(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    points = analytic.centres_mm(grid)
    return points[..., 0], points[..., 1], points[..., 2]


def _case(modality: str = "CT", structures: tuple[Structure, ...] = (), target: str = "") -> Case:
    """A box of soft tissue (60 HU) with fat for x < -20 and gas for y < -40 (outside the skin)."""
    x, y, _ = _coordinates(SCAN_GRID)
    hu = np.where(x < -20.0, -100, 60)
    hu = np.where(y < -40.0, -1000, hu).astype(np.int16)
    scan = Scan(
        volume=Volume(grid=SCAN_GRID, values=hu),
        facts=ScanFacts(path="", kind="phantom", code="c", modality=modality),
    )
    planning = Grid.isotropic([-20] * 3, [20] * 3, 1.0)
    return Case(code="c", scan=scan, structures=structures, target_name=target, planning_grid=planning)


def _ball(name: str, role: Role, tissue: str, centre: tuple[float, float, float], radius: float) -> Structure:
    return Structure(
        name=name, role=role, tissue=tissue, mask=analytic.ball(SCAN_GRID, centre, radius), source="formula"
    )


PLAN = Plan(probes=(Probe(name="1", model="test-15g", tip_mm=(0.0, 15.0, 0.0), entry_mm=(0.0, -70.0, 0.0)),))


def _tissue_at(problem, point) -> str:
    i, j, k = np.rint(problem.grid.mm_to_index(point)).astype(int)
    return problem.materials[problem.material_map[k, j, i]].name


def test_the_grid_holds_target_and_probes_with_the_margin():
    target = _ball("T", Role.TUMOUR, "tumour", (20.0, 0.0, 10.0), 9.0)
    problem = build_problem(_case(structures=(target,), target="T"), PLAN, CATALOGUE, TISSUES, COARSE)
    points = [(20.0 + 6.0 + 24.0, 0.0, 10.0), (0.0, 11.0 + 24.0, 0.0), (0.0, 11.0 - 35.0 - 24.0, 0.0)]
    assert problem.grid.contains_mm(points).all()
    assert problem.grid.is_planning
    # Cells lie on whole multiples of the spacing.
    np.testing.assert_allclose(np.mod(problem.grid.origin_mm, 2.0), 0.0, atol=1e-9)


def test_unlabelled_cells_are_told_by_hounsfield_values_and_said():
    problem = build_problem(_case(), PLAN, CATALOGUE, TISSUES, COARSE)
    assert _tissue_at(problem, (10.0, 0.0, 0.0)) == "soft-tissue"
    assert _tissue_at(problem, (-24.0, 0.0, 0.0)) == "fat"
    assert _tissue_at(problem, (10.0, -46.0, 0.0)) == "gas"
    found = {f.code: f for f in problem.findings}
    assert "fat" in found["tissue-by-hu"].text


def test_later_layers_win_whatever_the_order_of_the_structures():
    liver = _ball("liver", Role.ORGAN, "liver", (0.0, 0.0, 0.0), 30.0)
    tumour = _ball("T", Role.TUMOUR, "tumour-hcc", (10.0, 0.0, 0.0), 10.0)
    muscle = _ball("muscle", Role.MUSCLE, "muscle", (0.0, 0.0, 20.0), 22.0)
    for structures in ((liver, tumour, muscle), (tumour, muscle, liver)):
        problem = build_problem(_case(structures=structures, target="T"), PLAN, CATALOGUE, TISSUES, COARSE)
        assert _tissue_at(problem, (10.0, 0.0, 0.0)) == "tumour-hcc"
        assert _tissue_at(problem, (-10.0, 0.0, 10.0)) == "liver"
        assert _tissue_at(problem, (0.0, 0.0, 36.0)) == "muscle"


def test_wide_vessels_are_held_warm_and_narrow_ones_exchange():
    x, y, _ = _coordinates(SCAN_GRID)
    wide = Volume(grid=SCAN_GRID, values=(x - 20.0) ** 2 + y**2 <= 36.0)
    narrow = Volume(grid=SCAN_GRID, values=(x - 8.0) ** 2 + (y - 20.0) ** 2 <= 4.5)
    structures = tuple(
        Structure(name=n, role=Role.VESSEL, tissue="blood", mask=m, source="formula")
        for n, m in (("wide", wide), ("narrow", narrow))
    )
    settings = SolverSettings(spacing_mm=1.0, margin_mm=25.0)
    problem = build_problem(_case(structures=structures), PLAN, CATALOGUE, TISSUES, settings)
    assert problem.held is not None
    i, j, k = np.rint(problem.grid.mm_to_index((20.0, 0.0, 0.0))).astype(int)
    assert problem.held[k, j, i]
    assert problem.held_degc[k, j, i] == 37.0
    i, j, k = np.rint(problem.grid.mm_to_index((8.0, 20.0, 0.0))).astype(int)
    assert not problem.held[k, j, i]
    exchange = next(e for e in problem.exchanges if e.kind == "vessel")
    at = np.flatnonzero(exchange.cells == np.ravel_multi_index((k, j, i), problem.grid.shape))
    # Nearly all of the cell is lumen about 4 mm wide; coarse voxels leave its width to a fifth.
    assert exchange.rate[at] == pytest.approx(float(exchange_rate(0.0042, 0.15)), rel=0.45)
    assert not problem.held.ravel()[exchange.cells].any()
    told = {f.place: f.text for f in problem.findings if f.code == "vessel-wall"}
    assert "held at 37" in told["wide"]
    assert "exchange heat" in told["narrow"]


def test_an_mr_says_that_it_cannot_tell_fat():
    problem = build_problem(_case("MR"), PLAN, CATALOGUE, TISSUES, COARSE)
    finding = next(f for f in problem.findings if f.code == "tissue-assumed")
    assert finding.level is Level.WARN
    assert _tissue_at(problem, (-24.0, 0.0, 0.0)) == "soft-tissue"


def test_cells_beyond_the_scan_take_the_nearest_slice_and_say_so():
    # The last slice lies at z = 57 mm.
    plan = Plan(
        probes=(Probe(name="1", model="test-15g", tip_mm=(10.0, 15.0, 50.0), entry_mm=(10.0, -70.0, 50.0)),)
    )
    problem = build_problem(_case(), plan, CATALOGUE, TISSUES, COARSE)
    assert _tissue_at(problem, (10.0, 0.0, 72.0)) == "soft-tissue"
    finding = next(f for f in problem.findings if f.code == "beyond-scan")
    assert finding.level is Level.WARN


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan(), "no-probes"),
        (
            Plan(probes=(Probe(name="1", model="test-15g", tip_mm=(0, 0, 300), entry_mm=(0, -70, 300)),)),
            "tip-outside-scan",
        ),
    ],
)
def test_a_plan_that_cannot_be_solved_is_refused_with_a_reason(plan, code):
    with pytest.raises(SimulationError) as caught:
        build_problem(_case(), plan, CATALOGUE, TISSUES, COARSE)
    assert caught.value.code == code
    assert caught.value.remedy


def test_a_structure_of_unknown_tissue_is_refused():
    odd = _ball("odd", Role.OTHER, "cheese", (0.0, 0.0, 0.0), 10.0)
    with pytest.raises(SimulationError, match="cheese"):
        build_problem(_case(structures=(odd,)), PLAN, CATALOGUE, TISSUES, COARSE)


def _phantom(material="gel", degc=20.0, size=100.0, plan=None, spacing=2.0):
    plan = plan or analytic.plan()
    return phantom_problem(material, degc, size, plan, CATALOGUE, TISSUES, SolverSettings(spacing_mm=spacing))


def test_a_phantom_is_a_block_around_the_origin():
    problem = _phantom()
    np.testing.assert_allclose(problem.grid.centre_mm(), 0.0, atol=1.0)
    assert problem.start_degc == 20.0
    assert problem.boundary_degc == (20.0,) * 6
    assert {m.name for m in problem.materials} == {"gel"}
    assert [f.code for f in _phantom("liver", None).findings] == ["phantom-perfused"]
    assert _phantom("liver", None).start_degc == 37.0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"material": "cheese"}, "tissue-unknown"),
        ({"degc": -5.0}, "block-temperature"),
        ({"degc": float("nan")}, "block-temperature"),
        ({"size": 5.0}, "block-size"),
        ({"size": 30.0}, "probe-outside-block"),
    ],
)
def test_an_impossible_phantom_is_refused(changes, code):
    with pytest.raises(SimulationError) as caught:
        _phantom(**changes)
    assert caught.value.code == code


def test_a_missing_thaw_is_said():
    plan = Plan(probes=analytic.plan().probes, protocol=freeze_thaw_freeze(mode=ThawMode.HELIUM))
    assert {f.code for f in _phantom(plan=plan).findings} == {"thaw-mode-missing"}


def test_active_zone_begins_behind_the_tip_and_duty_scales_the_cold():
    placed = Probe(
        name="1",
        model="test-15g",
        tip_mm=(0, 19, 0),
        entry_mm=(0, -71, 0),
        intensity=0.5,
        start_s=30,
        stop_s=90,
    )
    source = probe_source(placed, analytic.model(), 37.0)
    np.testing.assert_allclose(source.begin_m, (0.0, 0.015, 0.0), atol=1e-12)
    np.testing.assert_allclose(source.back, (0.0, -1.0, 0.0), atol=1e-12)
    assert source.reach_m == pytest.approx(0.035)
    assert source.freeze.end_degc == pytest.approx(37.0 - 0.5 * 187.0)
    assert (source.start_s, source.stop_s) == (30, 90)
