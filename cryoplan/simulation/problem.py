"""Problem: everything the solver needs, in SI, and the only step from clinic records into SI.

Temperatures stay in degC (the equations use differences; kelvin appears where a law needs it). The start
field is the steady state of the unfrozen tissue: uniform, at the blood's temperature. Tissue that makes
heat of its own is therefore given blood Q_m / W colder (at most 0.5 degC), so that nothing drifts where no
probe acts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.planning import mask_box_mm
from cryoplan.core.errors import SimulationError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.units import mm_to_m
from cryoplan.core.volume import Volume
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.protocol import PhaseKind, ThawMode
from cryoplan.simulation.contacts import find_contacts
from cryoplan.simulation.feasible import (
    check_axes,
    check_block,
    check_memory,
    void_findings,
    wider_margin_mm,
)
from cryoplan.simulation.lung import lung_findings
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.surroundings import Exchange, Flood
from cryoplan.simulation.tissue import Material, TissueTable
from cryoplan.simulation.tissue_map import TissueMap, map_tissues, tissue_key
from cryoplan.simulation.tissue_region import BODY_DEGC
from cryoplan.simulation.warming import find_warming, with_flows

FloatArray = npt.NDArray[np.float64]

HEATER_COEFFICIENT = 10_000.0
"""W/(m2 K), assumed: an electric heater sits in the wall, so that the shaft keeps close to its limit."""

SNAP_CELLS = 4
"""The block of a patient begins and ends on multiples of this many cells.

A probe that is dragged then keeps its block for several millimetres, and with it the tissues and the steady
state that were found for it.
"""

Faces = tuple[float | None, float | None, float | None, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One phase of the protocol: ``freeze``, or the thaw mode ``passive``, ``helium`` or ``electric``."""

    start_s: float
    end_s: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A heat transfer problem on a cubic lattice.

    Attributes
    ----------
    grid : Grid
        Axis-aligned, cubic, millimetres.
    material_map : uint8 ``[k, j, i]``
        Index into `materials`.
    materials : tuple of Material
    start_degc : float
        Start temperature of everything, and of the blood.
    probes : tuple of ProbeSource
    stages : tuple of Stage
    thermocouples : tuple of (name, LPS position in mm)
    boundary_degc : tuple of six float or None
        Temperature of the faces k-, k+, j-, j+, i-, i+; None is insulated.
    start_field_degc : float32 ``[k, j, i]`` or None
        Start temperature of each cell; None is `start_degc` everywhere.
    held, held_degc : bool and float32 ``[k, j, i]``, or None
        Cells whose temperature is imposed, and that temperature.
    void : bool ``[k, j, i]`` or None
        Cells outside the body: they store and conduct nothing.
    exchanges : tuple of Exchange
        Heat exchange of single cells with vessels, air or a warm bag, and warmers.
    floods : tuple of Flood
        Lung that fills with blood.
    settings : SolverSettings
    findings : tuple of Finding
        What had to be assumed.
    """

    grid: Grid
    material_map: npt.NDArray[np.uint8]
    materials: tuple[Material, ...]
    start_degc: float
    probes: tuple[ProbeSource, ...]
    stages: tuple[Stage, ...]
    thermocouples: tuple[tuple[str, Point], ...] = ()
    boundary_degc: Faces
    start_field_degc: npt.NDArray[np.float32] | None = None
    held: npt.NDArray[np.bool_] | None = None
    held_degc: npt.NDArray[np.float32] | None = None
    void: npt.NDArray[np.bool_] | None = None
    exchanges: tuple[Exchange, ...] = ()
    floods: tuple[Flood, ...] = ()
    settings: SolverSettings
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.material_map.shape != self.grid.shape or not self.grid.is_planning:
            raise ValueError("the material map lives on a cubic, axis-aligned grid")
        if int(self.material_map.max()) >= len(self.materials):
            raise ValueError("the material map names a material that is not there")

    @property
    def cell_m(self) -> float:
        """Edge of the cells, metres."""
        return mm_to_m(self.grid.spacing_mm[0])

    @property
    def duration_s(self) -> float:
        """End of the last stage."""
        return self.stages[-1].end_s


def probe_source(probe: Probe, model: ProbeModel, start_degc: float) -> ProbeSource:
    """Return a placed probe in SI (physics section 8).

    The duty u scales the end temperature, ``T_c = T_b + (T_end - T_b) u``. A model without a time constant
    or coefficient of its own for thawing uses that of freezing.
    """
    tau = model.cooling_time_constant.value
    thaw_tau = model.thaw_time_constant.value if model.thaw_time_constant else tau
    h = model.exchange_coefficient.value
    freeze = Drive(
        end_degc=start_degc + (model.coolant_temperature.value - start_degc) * probe.intensity,
        coefficient=h,
        tau_s=tau,
    )
    # A warmer is on in every phase; what it does is what a probe does while it freezes, but warm.
    thaws = [(mode.value, freeze) for mode in ThawMode] if model.is_warmer else []
    if model.active_thaw_temperature is not None:
        coefficient = model.active_thaw_coefficient.value if model.active_thaw_coefficient else h
        gas = Drive(end_degc=model.active_thaw_temperature.value, coefficient=coefficient, tau_s=thaw_tau)
        thaws.append((ThawMode.HELIUM.value, gas))
    if model.electric_thaw_temperature is not None:
        heater = Drive(
            end_degc=model.electric_thaw_temperature.value, coefficient=HEATER_COEFFICIENT, tau_s=thaw_tau
        )
        thaws.append((ThawMode.ELECTRIC.value, heater))
    begin = np.asarray(probe.tip_mm) - probe.direction * model.tip_offset.value
    x, y, z = (mm_to_m(float(v)) for v in begin)
    back = -probe.direction
    return ProbeSource(
        name=probe.name,
        begin_m=(x, y, z),
        back=(float(back[0]), float(back[1]), float(back[2])),
        length_m=mm_to_m(model.active_length.value),
        taper_m=mm_to_m(model.taper.value),
        radius_m=mm_to_m(0.5 * model.outer_diameter.value),
        freeze=freeze,
        thaws=tuple(thaws),
        start_s=probe.start_s,
        stop_s=float("inf") if probe.stop_s is None else probe.stop_s,
    )


def stages_of(plan: Plan) -> tuple[Stage, ...]:
    """Return the protocol's phases with the labels of their end frames."""
    counts = {PhaseKind.FREEZE: 0, PhaseKind.THAW: 0}
    result = []
    for start, end, phase in plan.protocol.spans():
        counts[phase.kind] += 1
        kind = "freeze" if phase.kind is PhaseKind.FREEZE else phase.mode.value
        label = f"end_{phase.kind.value}_{counts[phase.kind]}"
        result.append(Stage(start_s=start, end_s=end, kind=kind, label=label))
    return tuple(result)


def _sources(
    plan: Plan, catalogue: Mapping[str, ProbeModel], start_degc: float
) -> tuple[tuple[ProbeSource, ...], list[Finding]]:
    models = [_model(catalogue, p.model) for p in plan.probes]
    if all(m.is_warmer for m in models):
        raise SimulationError(
            "The plan has no probe that freezes.", "Place at least one.", code="no-probes", place="probes"
        )
    sources = tuple(probe_source(p, m, start_degc) for p, m in zip(plan.probes, models, strict=True))
    check_axes(sources)
    end = plan.protocol.duration_s
    findings = [
        Finding(
            level=Level.WARN,
            code="probe-never-on",
            text=f"Probe {s.name} starts at {s.start_s:g} s, after the end of the protocol.",
            place=s.name,
        )
        for s in sources
        if s.start_s >= end
    ]
    modes = {s.kind for s in stages_of(plan)} - {"freeze", "passive"}
    for mode in sorted(modes):
        without = [s.name for s in sources if mode not in dict(s.thaws)]
        if without:
            findings.append(
                Finding(
                    level=Level.WARN,
                    code="thaw-mode-missing",
                    text=f"No data for {mode} thaw of probe {', '.join(without)}: passive thaw was computed.",
                    place=", ".join(without),
                )
            )
    return sources, findings


def _model(catalogue: Mapping[str, ProbeModel], model_id: str) -> ProbeModel:
    # A Catalogue answers with its own sentence; a plain mapping is enough for tests and checks.
    finder = getattr(catalogue, "model", None)
    found = finder(model_id) if finder is not None else catalogue[model_id]
    assert isinstance(found, ProbeModel)
    return found


def phantom_problem(
    material: str,
    degc: float | None,
    size_mm: float,
    plan: Plan,
    catalogue: Mapping[str, ProbeModel],
    tissues: TissueTable,
    settings: SolverSettings,
) -> Problem:
    """Return a homogeneous block, its centre at the LPS origin.

    Parameters
    ----------
    material : str
        Key of the tissue table.
    degc : float or None
        Start temperature, which is also that of the faces and of the blood; None is 37.
    size_mm : float
        Edge of the block, 20 to 400.

    Raises
    ------
    SimulationError
        If the material is unknown, the block or its temperature is out of range, or a probe does not fit.
    """
    start = BODY_DEGC if degc is None else float(degc)
    medium = tissues.tissue(material).material()
    if not (np.isfinite(size_mm) and 20.0 <= size_mm <= 400.0):
        raise SimulationError(
            f"A block of {size_mm:g} mm is not possible.",
            "Use an edge of 20 to 400 mm.",
            code="block-size",
            place="size",
        )
    if not (np.isfinite(start) and medium.t_u < start <= 60.0):
        raise SimulationError(
            f"A block of {material} cannot start at {start:g} degC.",
            f"Use more than {medium.t_u:g}, where it freezes, and at most 60.",
            code="block-temperature",
            place="phantom",
        )
    sources, findings = _sources(plan, catalogue, start)
    half = 0.5 * size_mm
    grid = Grid.isotropic([-half] * 3, [half] * 3, settings.spacing_mm)
    check_block(sources, grid, settings)
    check_memory(plan, grid, settings)
    if medium.w > 0.0:
        findings.append(
            Finding(
                level=Level.OK,
                code="phantom-perfused",
                text=f"The block of {material} is perfused: {medium.w / 1000:g} kW/(m3 K), blood at "
                f"{start:g} °C.",
                place=material,
            )
        )
    return Problem(
        grid=grid,
        material_map=np.zeros(grid.shape, np.uint8),
        materials=(medium,),
        start_degc=start,
        probes=sources,
        stages=stages_of(plan),
        thermocouples=tuple((t.name, t.position_mm) for t in plan.sensors),
        boundary_degc=(start,) * 6,
        settings=settings,
        findings=tuple(findings),
    )


def build_problem(
    case: Case,
    plan: Plan,
    catalogue: Mapping[str, ProbeModel],
    tissues: TissueTable,
    settings: SolverSettings,
    *,
    progress: Progress = SILENT,
) -> Problem:
    """Return the problem of a patient and a plan.

    The grid covers the target and every active zone with ``settings.margin_mm`` on all sides, on the lattice
    of whole multiples of the spacing, and more where the ice is expected to grow larger.

    Parameters
    ----------
    case, plan, catalogue, tissues, settings
        What is treated, how, and the numbers that it rests on.
    progress : Progress
        Asked between the parts whether to go on.

    Raises
    ------
    Cancelled
        When `progress` says so.
    SimulationError
        If there is no probe, a tip lies outside the scan, a tissue is unknown or the grid does not fit.
    """
    sources, findings = _sources(plan, catalogue, BODY_DEGC)
    for probe in plan.probes:
        if not case.scan.volume.grid.contains_mm(probe.tip_mm):
            raise SimulationError(
                f"The tip of probe {probe.name} lies outside the scan.",
                "Move it into the patient.",
                code="tip-outside-scan",
                place=probe.name,
            )
    grid = solver_grid(case, sources, settings.margin_mm, settings.spacing_mm)
    check_block(sources, grid, settings)
    check_memory(plan, grid, settings)
    tissue = map_tissues(case, grid, tissues, progress=progress)
    margin = wider_margin_mm(sources, plan, _perfusion_around(tissue, grid, sources), settings)
    if margin > settings.margin_mm:
        grid = solver_grid(case, sources, margin, settings.spacing_mm)
        check_memory(plan, grid, settings)
        tissue = map_tissues(case, grid, tissues, progress=progress)
        findings.append(
            Finding(
                level=Level.OK,
                code="block-extended",
                text=f"The computed block reaches {margin:.0f} mm beyond probes and target instead of "
                f"{settings.margin_mm:g}: the ice may grow large in tissue with little blood.",
            )
        )
    check_cancelled(progress)
    tissue = with_flows(tissue, plan, grid)
    warming = find_warming(case, plan, grid, tissue, tissues)
    check_cancelled(progress)
    contacts = find_contacts(tissue, tissue_key(case), grid, plan, tissues, settings, warming.exchange)
    check_cancelled(progress)
    outside = void_findings(sources, grid, contacts.void)
    return Problem(
        grid=grid,
        material_map=tissue.material_map,
        materials=contacts.materials,
        start_degc=BODY_DEGC,
        probes=sources,
        stages=stages_of(plan),
        thermocouples=tuple((t.name, t.position_mm) for t in plan.sensors),
        boundary_degc=contacts.boundary_degc,
        start_field_degc=contacts.start_field_degc,
        held=contacts.held,
        held_degc=contacts.held_degc,
        void=contacts.void,
        exchanges=contacts.exchanges,
        floods=contacts.floods,
        settings=settings,
        findings=(
            *findings,
            *tissue.findings,
            *contacts.findings,
            *warming.findings,
            *lung_findings(tissue, grid, sources),
            *outside,
        ),
    )


def solver_grid(case: Case, sources: Sequence[ProbeSource], margin_mm: float, spacing_mm: float) -> Grid:
    """Return the cubic grid around target and active zones, with `margin_mm` on all sides or a little more.

    It lies on the lattice of whole multiples of the spacing and is made of blocks of four cells a side.
    """
    points = [np.asarray(s.begin_m) * 1000.0 for s in sources]
    points += [(np.asarray(s.begin_m) + s.reach_m * np.asarray(s.back)) * 1000.0 for s in sources]
    if case.target is not None:
        points += list(_box_mm(case.target.mask))
    cloud = np.asarray(points)
    grid = Grid.isotropic(cloud.min(axis=0) - margin_mm, cloud.max(axis=0) + margin_mm, spacing_mm)
    first = np.rint(np.asarray(grid.origin_mm) / spacing_mm).astype(int)
    last = first + np.asarray(grid.size)
    first, last = first // SNAP_CELLS * SNAP_CELLS, -(-last // SNAP_CELLS) * SNAP_CELLS
    i, j, k = (int(n) for n in last - first)
    x, y, z = (float(v) for v in first * spacing_mm)
    return Grid(size=(i, j, k), spacing_mm=grid.spacing_mm, origin_mm=(x, y, z))


_BOXES: WeakKeyDictionary[Volume, tuple[FloatArray, FloatArray]] = WeakKeyDictionary()


def _box_mm(mask: Volume) -> tuple[FloatArray, FloatArray]:
    # A drag asks for the same box at every step, and finding it means to look at every voxel.
    known = _BOXES.get(mask)
    if known is None:
        known = _BOXES[mask] = mask_box_mm(mask)
    return known


AROUND_MM = (4.0, 12.0)
"""Distances from the axes at which the perfusion that the ice grows into is looked up."""


def _perfusion_around(tissue: TissueMap, grid: Grid, sources: Sequence[ProbeSource]) -> float:
    """Return the median perfusion of the tissue around the active zones, W/(m3 K)."""
    w = np.array([m.w for m in tissue.materials])
    found = []
    for source in sources:
        back = np.asarray(source.back)
        side = np.cross(back, np.eye(3)[int(np.argmin(np.abs(back)))])
        side /= np.linalg.norm(side)
        turns = np.arange(8) * (np.pi / 4.0)
        ring = np.cos(turns)[:, None] * side + np.sin(turns)[:, None] * np.cross(back, side)
        along = np.linspace(0.0, source.length_m, 6)[:, None] * back + np.asarray(source.begin_m)
        for away in AROUND_MM:
            points = 1000.0 * along[:, None, :] + away * ring[None, :, :]
            i, j, k = np.rint(grid.mm_to_index(points.reshape(-1, 3))).astype(int).T
            found.append(w[tissue.material_map[k, j, i]])
    return float(np.median(np.concatenate(found)))
