"""Subjects: the patients and blocks that are solved for time - always of several tissues, with a vessel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cryoplan.case.build import build_case
from cryoplan.case.case import Case
from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, freeze_thaw_freeze
from cryoplan.simulation.problem import (
    Problem,
    build_problem,
    phantom_problem,
    probe_source,
    solver_grid,
)
from cryoplan.simulation.settings import PREVIEW, STANDARD, SolverSettings
from cryoplan.simulation.tissue_region import BODY_DEGC
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.loading import built_in_case, built_in_plan
from cryoplan.workflow.solving import catalogue, tissues

LEAST_MARGIN_MM, LARGEST_MARGIN_MM = 5.0, 100.0
TWIN_MM = 12.0
BLOCK_MODEL, BLOCK_TUMOUR_MM = "icesphere-17g", 12.0

AIR_HU, FAT_HU, SOFT_HU, BONE_HU, BLOOD_HU = -1000, -100, 45, 500, 160


def body_scan(voxels: int, edge_mm: float = 256.0) -> tuple[Scan, tuple[NamedMask, ...]]:
    """Make a body of a few ellipsoids: fat, soft tissue, spine, liver, a tumour and the vein beside it.

    Parameters
    ----------
    voxels : int
        Voxels a side.
    edge_mm : float
        Edge of the cube.
    """
    spacing = edge_mm / voxels
    origin = -0.5 * (edge_mm - spacing)
    grid = Grid(size=(voxels,) * 3, spacing_mm=(spacing,) * 3, origin_mm=(origin,) * 3)
    along = grid.coordinates_mm(0)
    x, y, z = along[None, None, :], along[None, :, None], along[:, None, None]

    def ellipsoid(centre: Point, radii: Point) -> npt.NDArray[np.bool_]:
        parts = [((p - c) / r) ** 2 for p, c, r in zip((x, y, z), centre, radii, strict=True)]
        return np.asarray(sum(parts) <= 1.0)

    r = 0.45 * edge_mm
    body = ellipsoid((0.0, 0.0, 0.0), (r, 0.8 * r, 2.0 * r))
    within = ellipsoid((0.0, 0.0, 0.0), (0.85 * r, 0.65 * r, 2.0 * r))
    spine = ellipsoid((0.0, 0.5 * r, 0.0), (0.12 * r, 0.12 * r, 2.0 * r))
    liver = ellipsoid((-0.35 * r, 0.0, 0.0), (0.45 * r, 0.4 * r, 0.6 * r)) & ~spine
    tumour = ellipsoid((-0.35 * r, 0.0, 0.0), (12.0, 12.0, 12.0))
    vein = ellipsoid((-0.35 * r + 20.0, 0.0, 0.0), (4.0, 4.0, 0.5 * r)) & liver & ~tumour
    values = np.full(grid.shape, AIR_HU, np.int16)
    for where, hu in ((body, FAT_HU), (within, SOFT_HU), (spine, BONE_HU), (vein, BLOOD_HU)):
        values[where] = hu
    rng = np.random.default_rng(1)
    values += rng.integers(-8, 9, size=values.shape, dtype=np.int16)
    scan = Scan(
        volume=Volume(grid=grid, values=values),
        facts=ScanFacts(path="", kind="phantom", code="BENCH", modality="CT", patient_position="HFS"),
    )
    parts = (("liver", liver & ~tumour & ~vein), ("tumour", tumour), ("portal vein", vein), ("bone", spine))
    masks = [NamedMask(name=n, mask=Volume(grid=grid, values=m), source="benchmark") for n, m in parts]
    return scan, tuple(masks)


class Patient:
    """A case with its three-probe plan, and problems of any size made from them."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.case: Case = built_in_case() if sizes.built_in else build_case(*body_scan(48))
        self.plan: Plan = replace(
            built_in_plan(self.case), protocol=freeze_thaw_freeze(sizes.freeze_s, sizes.thaw_s)
        )

    @property
    def one_freeze(self) -> Plan:
        """The plan with a single freeze."""
        phase = Phase(kind=PhaseKind.FREEZE, duration_s=self.sizes.freeze_s)
        return replace(self.plan, protocol=Protocol(phases=(phase,)))

    @property
    def six_probes(self) -> Plan:
        """A single freeze of six probes: each of the three has a twin nearer to the feet."""
        plan = self.one_freeze
        twins = (
            replace(p, name=f"{p.name}b", tip_mm=_below(p.tip_mm), entry_mm=_below(p.entry_mm))
            for p in plan.probes
        )
        return replace(plan, probes=(*plan.probes, *twins))

    @property
    def four_probes(self) -> Plan:
        """The plan with four probes: the first of the three has a twin nearer to the feet."""
        first = self.plan.probes[0]
        twin = replace(
            first, name=f"{first.name}b", tip_mm=_below(first.tip_mm), entry_mm=_below(first.entry_mm)
        )
        return replace(self.plan, probes=(*self.plan.probes, twin))

    @property
    def standard(self) -> SolverSettings:
        """The standard quality."""
        return replace(STANDARD, spacing_mm=self.sizes.standard_mm)

    def problem(self, plan: Plan, spacing_mm: float, cells: int) -> Problem:
        """Return the problem of a plan on about ``cells ** 3`` cells."""
        settings = replace(STANDARD, spacing_mm=spacing_mm)
        return self.build(plan, replace(settings, margin_mm=self._margin_mm(plan, settings, cells)))

    def preview(self, plan: Plan) -> Problem:
        """Return the problem of a plan at the preview's quality."""
        return self.build(plan, replace(PREVIEW, spacing_mm=self.sizes.coarse_mm))

    def build(self, plan: Plan, settings: SolverSettings) -> Problem:
        """Return the problem of a plan."""
        return build_problem(self.case, plan, catalogue(), tissues(), settings)

    def _margin_mm(self, plan: Plan, settings: SolverSettings, cells: int) -> float:
        probes = catalogue()
        sources = tuple(probe_source(p, probes.model(p.model), BODY_DEGC) for p in plan.probes)
        low, high = LEAST_MARGIN_MM, LARGEST_MARGIN_MM
        while high - low > 0.25 * settings.spacing_mm:
            middle = 0.5 * (low + high)
            size = solver_grid(self.case, sources, middle, settings.spacing_mm).size
            if float(np.prod(size)) > float(cells) ** 3:
                high = middle
            else:
                low = middle
        return low


def _below(point_mm: Point) -> Point:
    x, y, z = point_mm
    return x, y, z - TWIN_MM


def block(sizes: Sizes, spacing_mm: float, cells: int) -> Problem:
    """Return a cube of liver with a tumour and a layer of fat, and one freeze of three parallel probes."""
    edge = cells * spacing_mm
    probes = tuple(
        Probe(name=str(n + 1), model=BLOCK_MODEL, tip_mm=(x, y, -0.3 * edge), entry_mm=(x, y, 0.5 * edge))
        for n, (x, y) in enumerate(((-7.0, -4.0), (7.0, -4.0), (0.0, 8.0)))
    )
    phase = Phase(kind=PhaseKind.FREEZE, duration_s=sizes.freeze_s)
    plan = Plan(name="block", probes=probes, protocol=Protocol(phases=(phase,)))
    settings = replace(STANDARD if spacing_mm < PREVIEW.spacing_mm else PREVIEW, spacing_mm=spacing_mm)
    whole = phantom_problem("liver", None, edge, plan, catalogue(), tissues(), settings)
    first = -0.5 * (edge - spacing_mm)
    grid = Grid(size=(cells,) * 3, spacing_mm=(spacing_mm,) * 3, origin_mm=(first,) * 3)
    along = grid.coordinates_mm(0)
    x, y, z = along[None, None, :], along[None, :, None], along[:, None, None]
    labels = np.zeros(grid.shape, np.uint8)
    labels[x**2 + y**2 + z**2 <= BLOCK_TUMOUR_MM**2] = 1
    labels[:, :, along > 0.3 * edge] = 2
    materials = tuple(tissues().tissue(name).material() for name in ("liver", "tumour", "fat"))
    return replace(whole, grid=grid, material_map=labels, materials=materials)
