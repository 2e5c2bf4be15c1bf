"""Problem: everything the solver needs, in SI, and the only step from clinic records into SI.

Temperatures stay in degC (the equations use differences; kelvin appears where a law needs it). The start
field is the steady state of the unfrozen tissue: uniform, at the blood's temperature. Tissue that makes
heat of its own is therefore given blood Q_m / W colder (at most 0.5 degC), so that nothing drifts where no
probe acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.core.errors import SimulationError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid
from cryoplan.core.units import mm_to_m
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.protocol import PhaseKind, ThawMode
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.surroundings import Exchange, Flood
from cryoplan.simulation.tissue import Material, TissueTable

FloatArray = npt.NDArray[np.float64]

BODY_DEGC = 37.0
"""Core temperature of the body."""

HEATER_COEFFICIENT = 10_000.0
"""W/(m2 K), assumed: an electric heater sits in the wall, so that the shaft keeps close to its limit."""

LARGEST_CELLS = 15_000_000
"""Cells above which a problem is refused: about 2 GB of arrays, and half an hour."""

COARSEST_RADII = 2.8
"""Largest cell edge in probe radii.

The ring of faces around a probe degenerates on coarser grids (solver notes section 3: at 3.75 radii by 6 mm).
A 1.47 mm probe on the 2 mm preview grid, 2.72 radii, draws the exact steady heat within 1 percent and puts
the steady front within 3 percent for any position of its axis in the cell.
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
    vessel : bool ``[k, j, i]`` or None
        Lumen held at `vessel_degc`.
    vessel_exchange : float32 ``[k, j, i]`` or None
        W/(m3 K) towards `vessel_degc`.
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
    vessel: npt.NDArray[np.bool_] | None = None
    vessel_exchange: npt.NDArray[np.float32] | None = None
    vessel_degc: float = BODY_DEGC
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

    The duty u scales the end temperature, ``T_c = T_b + (T_end - T_b) u``. Gas keeps the model's time
    constant when it thaws; a model without its own thaw coefficient uses that of freezing.
    """
    tau = model.cooling_time_constant.value
    h = model.exchange_coefficient.value
    thaws = []
    if model.active_thaw_temperature is not None:
        coefficient = model.active_thaw_coefficient.value if model.active_thaw_coefficient else h
        gas = Drive(end_degc=model.active_thaw_temperature.value, coefficient=coefficient, tau_s=tau)
        thaws.append((ThawMode.HELIUM.value, gas))
    if model.electric_thaw_temperature is not None:
        heater = Drive(
            end_degc=model.electric_thaw_temperature.value, coefficient=HEATER_COEFFICIENT, tau_s=tau
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
        freeze=Drive(
            end_degc=start_degc + (model.coolant_temperature.value - start_degc) * probe.intensity,
            coefficient=h,
            tau_s=tau,
        ),
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
    if not plan.probes:
        raise SimulationError(
            "The plan has no probe.", "Place at least one.", code="no-probes", place="probes"
        )
    sources = tuple(probe_source(p, _model(catalogue, p.model), start_degc) for p in plan.probes)
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


def _check_fit(plan: Plan, sources: tuple[ProbeSource, ...], grid: Grid, settings: SolverSettings) -> None:
    for probe, source in zip(plan.probes, sources, strict=True):
        ends_m = np.asarray(source.begin_m) + np.outer([0.0, source.reach_m], source.back)
        if not grid.contains_mm(ends_m * 1000.0).all():
            raise SimulationError(
                f"The active zone of probe {probe.name} leaves the computed block.",
                "Move the probe, or use a larger block.",
                code="probe-outside-block",
                place=probe.name,
            )
        if grid.spacing_mm[0] > COARSEST_RADII * source.radius_m * 1000.0 + 1e-9:
            raise SimulationError(
                f"A grid of {settings.spacing_mm:g} mm is too coarse for probe {probe.name} of "
                f"{2000 * source.radius_m:g} mm.",
                f"Use {np.floor(1e4 * COARSEST_RADII * source.radius_m) / 10:.1f} mm or less.",
                code="grid-too-coarse",
                place=probe.name,
            )
    if int(np.prod(grid.size)) > LARGEST_CELLS:
        raise SimulationError(
            f"The problem has {np.prod(grid.size) / 1e6:.0f} million cells.",
            "Use a coarser grid or a smaller margin.",
            code="too-many-cells",
            place="spacing_mm",
        )


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
    _check_fit(plan, sources, grid, settings)
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
        thermocouples=tuple((t.name, t.position_mm) for t in plan.thermocouples),
        boundary_degc=(start,) * 6,
        settings=settings,
        findings=(*findings, *_thermocouples_outside(plan, grid)),
    )


def build_problem(
    case: Case,
    plan: Plan,
    catalogue: Mapping[str, ProbeModel],
    tissues: TissueTable,
    settings: SolverSettings,
) -> Problem:
    """Return the problem of a patient and a plan.

    The grid covers the target and every active zone with ``settings.margin_mm`` on all sides, on the lattice
    of whole multiples of the spacing.

    Raises
    ------
    SimulationError
        If there is no probe, a tip lies outside the scan, a tissue is unknown or the grid does not fit.
    """
    from cryoplan.simulation.tissue_map import map_tissues

    sources, findings = _sources(plan, catalogue, BODY_DEGC)
    for probe in plan.probes:
        if not case.scan.volume.grid.contains_mm(probe.tip_mm):
            raise SimulationError(
                f"The tip of probe {probe.name} lies outside the scan.",
                "Move it into the patient.",
                code="tip-outside-scan",
                place=probe.name,
            )
    grid = solver_grid(case, sources, settings)
    _check_fit(plan, sources, grid, settings)
    tissue = map_tissues(case, grid, tissues)
    return Problem(
        grid=grid,
        material_map=tissue.material_map,
        materials=tissue.materials,
        start_degc=BODY_DEGC,
        probes=sources,
        stages=stages_of(plan),
        thermocouples=tuple((t.name, t.position_mm) for t in plan.thermocouples),
        boundary_degc=(BODY_DEGC,) * 6,
        vessel=tissue.vessel,
        vessel_exchange=tissue.vessel_exchange,
        settings=settings,
        findings=(*findings, *tissue.findings, *_thermocouples_outside(plan, grid)),
    )


def solver_grid(case: Case, sources: tuple[ProbeSource, ...], settings: SolverSettings) -> Grid:
    """Return the cubic grid around target and active zones."""
    points = [np.asarray(s.begin_m) * 1000.0 for s in sources]
    points += [(np.asarray(s.begin_m) + s.reach_m * np.asarray(s.back)) * 1000.0 for s in sources]
    target = case.target
    if target is not None:
        k, j, i = np.nonzero(target.mask.values)
        corners = np.array(
            [[x, y, z] for x in (i.min(), i.max()) for y in (j.min(), j.max()) for z in (k.min(), k.max())]
        )
        points += list(target.mask.grid.index_to_mm(corners))
    cloud = np.asarray(points)
    return Grid.isotropic(
        cloud.min(axis=0) - settings.margin_mm, cloud.max(axis=0) + settings.margin_mm, settings.spacing_mm
    )


def _thermocouples_outside(plan: Plan, grid: Grid) -> list[Finding]:
    return [
        Finding(
            level=Level.WARN,
            code="thermocouple-outside",
            text=f"Thermocouple {t.name} lies outside the computed block; it has no curve.",
            place=t.name,
        )
        for t in plan.thermocouples
        if not grid.contains_mm(t.position_mm)
    ]
