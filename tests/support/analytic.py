"""Small cases and results whose fields are formulas: spheres of ice around spheres of tumour."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.structure import Role, Structure
from cryoplan.core.finding import Finding
from cryoplan.core.grid import Grid
from cryoplan.core.sourced import Sourced
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.simulation.result import EnergyLedger, Frame, ThermalResult, ThermocoupleTrace
from cryoplan.simulation.settings import SolverSettings

SLOPE_K_PER_MM = 4.0
"""The analytic fields rise by 4 K/mm, so -20 and -40 degC lie 5 and 10 mm inside the ice edge."""

LEDGER = EnergyLedger(
    stored_j=-50_000.0, probes_j=-60_000.0, perfusion_j=9_000.0, metabolic_j=900.0, boundary_j=100.0
)


def cube(edge: int = 60, spacing_mm: float = 1.0, centre_mm: Sequence[float] = (0.0, 0.0, 0.0)) -> Grid:
    """Axis-aligned cubic grid of ``edge + 1`` voxels a side around a centre."""
    return Grid(
        size=(edge + 1,) * 3,
        spacing_mm=(spacing_mm,) * 3,
        origin_mm=tuple(c - edge * spacing_mm / 2.0 for c in centre_mm),
    )


def centres_mm(grid: Grid) -> npt.NDArray[np.float64]:
    """LPS of all voxel centres, ``(nk, nj, ni, 3)``."""
    k, j, i = np.indices(grid.shape)
    return grid.index_to_mm(np.stack([i, j, k], axis=-1))


def ball_distance_mm(grid: Grid, centre_mm: Sequence[float], radius_mm: float) -> npt.NDArray[np.float64]:
    """Signed distance to a sphere, negative inside."""
    return np.linalg.norm(centres_mm(grid) - np.asarray(centre_mm, float), axis=-1) - radius_mm


def ball(grid: Grid, centre_mm: Sequence[float], radius_mm: float) -> Volume:
    """Mask of a sphere: voxels whose centre lies inside."""
    return Volume(grid=grid, values=ball_distance_mm(grid, centre_mm, radius_mm) <= 0.0)


def ice(grid: Grid, distance_mm: npt.NDArray[np.float64]) -> Volume:
    """Temperatures that rise by `SLOPE_K_PER_MM` with the distance to the ice edge, between -140 and 37."""
    field = np.clip(SLOPE_K_PER_MM * distance_mm, -140.0, 37.0)
    return Volume(grid=grid, values=field.astype(np.float32))


SENSOR_MM = (3.0, 2.0, 1.0)
"""Where the thermocouple of `result_of` was."""


def ice_ball(grid: Grid, centre_mm: Sequence[float], radius_mm: float) -> Volume:
    """Temperatures of a spherical ice ball of that radius at 0 degC."""
    return ice(grid, ball_distance_mm(grid, centre_mm, radius_mm))


def result_of(
    minimum: Volume,
    *,
    key: str = "k" * 64,
    frames: Sequence[Frame] | None = None,
    findings: Sequence[Finding] = (),
    at_s: Callable[[Grid], npt.NDArray[np.floating]] | None = None,
) -> ThermalResult:
    """Result whose lowest temperature is `minimum`, reached at 1500 s unless said otherwise."""
    grid = minimum.grid
    times = np.full(grid.shape, 1500.0, np.float32) if at_s is None else at_s(grid).astype(np.float32)
    if frames is None:
        warmer = Volume(grid=grid, values=minimum.values + np.float32(4.0))
        frames = (
            Frame(time_s=600.0, label="end_freeze_1", temperature_degc=warmer),
            Frame(time_s=1500.0, label="end_freeze_2", temperature_degc=minimum),
        )
    return ThermalResult(
        key=key,
        grid=grid,
        minimum_degc=minimum,
        minimum_at_s=Volume(grid=grid, values=times),
        frames=tuple(frames),
        thermocouples=(
            ThermocoupleTrace(
                name="T1",
                time_s=np.array([0.0, 1500.0]),
                temperature_degc=np.array([37.0, 4.5]),
                position_mm=SENSOR_MM,
            ),
        ),
        ledger=LEDGER,
        settings=SolverSettings(spacing_mm=grid.spacing_mm[0]),
        steps=150,
        stages=1200,
        wall_s=21.0,
        findings=tuple(findings),
    )


def number(value: float, unit: str, how: str = "assumed") -> Sourced:
    """A sourced number for tests."""
    return Sourced(value=value, unit=unit, source="made for a test", how=how)


def model(name: str = "test-15g") -> ProbeModel:
    """A probe model: 30 mm active zone that begins 4 mm behind the tip."""
    return ProbeModel(
        id=name,
        name="Test 15G",
        vendor="",
        gauge="15",
        coolant="argon",
        note="",
        outer_diameter=number(1.83, "mm", "table"),
        active_length=number(30.0, "mm"),
        tip_offset=number(4.0, "mm"),
        shaft_length=number(175.0, "mm"),
        taper=number(5.0, "mm"),
        coolant_temperature=number(-150.0, "degC", "abstract"),
        cooling_time_constant=number(5.0, "s", "derived"),
        exchange_coefficient=number(2000.0, "W/(m2 K)"),
    )


def catalogue() -> Catalogue:
    """Catalogue with that one model."""
    return Catalogue(models=(model(),))


def probe(
    name: str = "1", tip_mm: Sequence[float] = (0.0, 19.0, 0.0), along: Sequence[float] = (0.0, 1.0, 0.0)
) -> Probe:
    """Probe of 90 mm depth along a direction; by default its active zone has its middle at the origin."""
    tip = np.asarray(tip_mm, float)
    direction = np.asarray(along, float) / np.linalg.norm(along)
    return Probe(name=name, model="test-15g", tip_mm=tuple(tip), entry_mm=tuple(tip - 90.0 * direction))


def plan(*probes: Probe, name: str = "A") -> Plan:
    """Plan with these probes, or one along +y through the origin, and the thermocouple of `result_of`."""
    sensor = Thermocouple(name="T1", position_mm=SENSOR_MM)
    return Plan(name=name, probes=probes or (probe(),), thermocouples=(sensor,))


def structure(name: str, role: Role, mask: Volume) -> Structure:
    """Structure of a role."""
    return Structure(name=name, role=role, tissue="liver", mask=mask, source="formula")


def case(
    grid: Grid,
    *structures: Structure,
    target: str = "tumour",
    planning: Grid | None = None,
    **facts: object,
) -> Case:
    """Case with an empty image on `grid`, which is the planning grid too unless there is another one."""
    values = np.zeros(grid.shape, np.int16)
    known = {
        "path": "/somewhere/on/this/disk",
        "kind": "phantom",
        "code": "C-1",
        "modality": "CT",
        "description": "Abdomen portal venous",
        "patient_position": "HFS",
        "gantry_tilt_deg": 0.0,
        "acquired_on": "2024-03-05",
        "slice_thickness_mm": 1.0,
    }
    scan = Scan(volume=Volume(grid=grid, values=values), facts=ScanFacts(**{**known, **facts}))
    return Case(
        code="C-1",
        scan=scan,
        structures=tuple(structures),
        target_name=target,
        planning_grid=planning or grid,
    )
