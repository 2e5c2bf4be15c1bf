"""Small cases with known geometry for the tests of pictures: a patient of ellipsoids on any grid."""

from __future__ import annotations

import os
import signal
from functools import cache

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import planning_grid
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import point_to_segment_mm
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.simulation.result import EnergyLedger, Frame, ThermalResult
from cryoplan.simulation.settings import STANDARD

TUMOUR_MM = (-40.0, -10.0, 20.0)
TUMOUR_RADIUS_MM = 12.0
BODY_MM = (0.0, 0.0, 0.0)
BODY_RADII_MM = (110.0, 80.0, 400.0)
FAT_HU, LIVER_HU, TUMOUR_HU, AIR_HU = -100, 60, 20, -1000


def turned(axis_deg: tuple[float, float, float]) -> tuple[float, ...]:
    """Return the direction of a grid turned about x, y and z."""
    a, b, c = np.radians(axis_deg)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return tuple((z @ y @ x).ravel())


def grid_around(
    centre_mm: tuple[float, float, float],
    edges_mm: tuple[float, float, float],
    spacing_mm: tuple[float, float, float],
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
) -> Grid:
    """Return a grid of that direction whose middle is `centre_mm`."""
    size = tuple(max(2, round(e / s)) for e, s in zip(edges_mm, spacing_mm, strict=True))
    axes = np.asarray(direction).reshape(3, 3)
    origin = np.asarray(centre_mm) - axes @ (np.asarray(spacing_mm) * (np.asarray(size) - 1) / 2.0)
    return Grid(size=size, spacing_mm=spacing_mm, origin_mm=tuple(origin), direction=direction)


def points_mm(grid: Grid) -> np.ndarray:
    """Return the LPS centres of all voxels, ``(nk, nj, ni, 3)``."""
    k, j, i = np.indices(grid.shape)
    return grid.index_to_mm(np.stack([i, j, k], axis=-1))


def ellipsoid(grid: Grid, centre_mm, radii_mm) -> Volume:
    """Return the mask of an ellipsoid along the patient axes."""
    inside = (((points_mm(grid) - np.asarray(centre_mm)) / np.asarray(radii_mm)) ** 2).sum(-1) <= 1.0
    return Volume(grid=grid, values=inside)


def make_case(grid: Grid | None = None, *, with_target: bool = True) -> Case:
    """Return a CT of fat in air with a spherical tumour on the patient's right, and a spine behind."""
    if grid is None:
        grid = grid_around(BODY_MM, (260.0, 200.0, 160.0), (2.0, 2.0, 4.0))
    body = ellipsoid(grid, BODY_MM, BODY_RADII_MM)
    tumour = ellipsoid(grid, TUMOUR_MM, (TUMOUR_RADIUS_MM,) * 3)
    spine = ellipsoid(grid, (0.0, 45.0, 0.0), (16.0, 16.0, 400.0))
    hu = np.where(body.values, FAT_HU, AIR_HU).astype(np.int16)
    hu[tumour.values] = TUMOUR_HU
    hu[spine.values] = 500
    scan = Scan(
        volume=Volume(grid=grid, values=hu),
        facts=ScanFacts(path="made", kind="phantom", code="TEST-1", modality="CT"),
    )
    structures = (
        Structure(name="body", role=Role.BODY, tissue="fat", mask=body, source="made"),
        Structure(name="tumour 1", role=Role.TUMOUR, tissue="tumour", mask=tumour, source="made"),
    )
    target = structures[1] if with_target else None
    return Case(
        code="TEST-1",
        scan=scan,
        structures=structures,
        target_name="tumour 1" if with_target else "",
        planning_grid=planning_grid(scan, target),
    )


@cache
def small_case() -> Case:
    """Return the case that most tests of the window use."""
    return make_case()


def make_plan() -> Plan:
    """Return two parallel probes from the patient's right through the tumour, 10 mm apart in z."""
    x, y, z = TUMOUR_MM
    return Plan(
        name="A",
        probes=tuple(
            Probe(
                name=name,
                model="generic-15g",
                tip_mm=(x + 14.0, y, z + dz),
                entry_mm=(x - 66.0, y, z + dz),
            )
            for name, dz in (("1", -5.0), ("2", 5.0))
        ),
    )


def cold_field(grid: Grid, plan: Plan, catalogue: Catalogue) -> Volume:
    """Return a field of -157 degC at the active zones that rises by 8 degC a millimetre up to 37 degC."""
    points = points_mm(grid)
    gap = np.min(
        [point_to_segment_mm(points, *p.active_zone_mm(catalogue.model(p.model))) for p in plan.probes],
        axis=0,
    )
    return Volume(grid=grid, values=np.minimum(-157.0 + 8.0 * gap, 37.0).astype(np.float32))


def make_result(case: Case, plan: Plan, catalogue: Catalogue) -> ThermalResult:
    """Return a result with that field as its lowest temperature."""
    field = cold_field(case.planning_grid, plan, catalogue)
    return ThermalResult(
        key="test",
        grid=case.planning_grid,
        minimum_degc=field,
        minimum_at_s=Volume(grid=field.grid, values=np.zeros(field.grid.shape, np.float32)),
        frames=(Frame(time_s=600.0, label="end_freeze_1", temperature_degc=field),),
        ledger=EnergyLedger(
            stored_j=0.0, probes_j=0.0, perfusion_j=0.0, metabolic_j=0.0, boundary_j=0.0, vessels_j=0.0
        ),
        settings=STANDARD,
    )


def die_like_vtk_without_opengl(_pipe: object) -> None:
    """End this process by signal 11, as VTK does where it finds no OpenGL at all."""
    os.kill(os.getpid(), signal.SIGSEGV)
