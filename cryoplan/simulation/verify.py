"""Verify: the same kernels against closed forms, as one table of errors beside their bounds.

Fronts are measured by frozen volume, not by counting cells, so that the figure is that of the method and
not of rounding to whole cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import unit
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.simulation.exact import (
    LineSink,
    NeumannPlanar,
    SteadyCylinder,
    SteadySphere,
    TwoPhase,
    pennes_point,
)
from cryoplan.simulation.problem import Faces, Problem, Stage
from cryoplan.simulation.run import Run
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.solver import solve, warm_up
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material, load_tissues

FloatArray = npt.NDArray[np.float64]

FRONT, DEGREES_1D, PARTS_3D, ENERGY = 0.01, 0.5, 0.02, 1e-6
"""Bounds: fronts 1 %; temperatures 0.5 degC in one dimension, 2 % (and heat too) in three; energy 1e-6."""

NARROW_K = 0.2
"""Width of the freezing range that stands for a sharp melting point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the table: `error` must not exceed `bound`, both in `unit`."""

    name: str
    error: float
    bound: float
    unit: str
    passed: bool
    note: str = ""

    def to_text(self) -> str:
        """Return the error beside its bound, relative ones in percent."""
        if self.unit == "1" and self.bound >= 1e-4:
            return f"{100 * self.error:+.2f} % (bound {100 * self.bound:g} %)"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.error:.2g}{unit} (bound {self.bound:g}{unit})"

    def to_json(self) -> dict[str, object]:
        """Return the check as plain values."""
        return asdict(self)


def run_checks(quick: bool = True, progress: Progress = SILENT) -> tuple[Check, ...]:
    """Run the checks; `quick` leaves out the finer repeats.

    Raises
    ------
    Cancelled
        When `progress` says so.
    """
    warm_up()
    parts: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("Planar freezing (Neumann)", planar_neumann),
        ("Line sink", lambda: line_sink(1.0)),
        ("Steady cylinder", lambda: steady_cylinder(1.0)),
        ("Steady cylinder, oblique", lambda: oblique_cylinder(1.0)),
        ("Steady sphere", steady_sphere),
        ("Point sink with perfusion (Pennes)", point_sink),
        ("Energy balance and grid", lambda: freeze_and_thaw((2.0, 1.0) if quick else (2.0, 1.0, 0.5))),
    ]
    if not quick:
        parts.insert(4, ("Line sink, fine", lambda: line_sink(0.5)))
        parts.insert(5, ("Steady cylinder, preview grid", lambda: steady_cylinder(2.0)))
    checks: list[Check] = []
    for number, (title, part) in enumerate(parts):
        progress.report(ProgressReport(fraction=number / len(parts), text=title))
        for check in part():
            check_cancelled(progress)
            checks.append(check)
    progress.report(ProgressReport(fraction=1.0, text="Done"))
    return tuple(checks)


def _check(name: str, error: float, bound: float, unit_name: str, note: str = "") -> Check:
    error = float(error)
    return Check(
        name=name, error=error, bound=bound, unit=unit_name, passed=bool(abs(error) <= bound), note=note
    )


WATER = TwoPhase(
    k_s=2.22, k_l=0.56, c_s=2050.0, c_l=4200.0, rho=1000.0, latent=333_600.0, melt_degc=0.0, start_degc=37.0
)
TISSUE = TwoPhase(
    k_s=2.0, k_l=0.52, c_s=1800.0, c_l=3600.0, rho=1050.0, latent=238_095.238, melt_degc=-1.0, start_degc=37.0
)
"""The parameter sets of the shared validation tables."""


def sharp(
    medium: TwoPhase, *, w: float = 0.0, latent: float | None = None, width_k: float = NARROW_K
) -> Material:
    """Return the material that stands for a medium with a sharp front."""
    return Material(
        name="check",
        # The mean of the narrow range is the melting point.
        t_u=medium.melt_degc + 0.5 * width_k,
        t_l=medium.melt_degc - 0.5 * width_k,
        latent=medium.rho * (medium.latent if latent is None else latent),
        c_u=medium.rho * medium.c_l,
        cf_a=medium.rho * medium.c_s,
        cf_b=0.0,
        k_u=medium.k_l,
        k_l=medium.k_s,
        w=w,
    )


def block(
    size: tuple[int, int, int],
    spacing_mm: float,
    material: Material,
    start_degc: float,
    faces: Faces,
    *,
    probes: tuple[ProbeSource, ...] = (),
    end_s: float = 900.0,
    times_s: tuple[float, ...] = (),
    step_max_s: float = 10.0,
) -> Problem:
    """Return a homogeneous block whose centre is the origin."""
    origin = [-0.5 * (n - 1) * spacing_mm for n in size]
    grid = Grid(size=size, spacing_mm=(spacing_mm,) * 3, origin_mm=(origin[0], origin[1], origin[2]))
    return Problem(
        grid=grid,
        material_map=np.zeros(grid.shape, np.uint8),
        materials=(material,),
        start_degc=start_degc,
        probes=probes,
        stages=(Stage(start_s=0.0, end_s=end_s, kind="freeze", label="end_freeze_1"),),
        boundary_degc=faces,
        settings=SolverSettings(
            spacing_mm=spacing_mm, step_max_s=step_max_s, extra_times_s=times_s, frames_every_s=0.0
        ),
    )


def _frozen_fraction(material: Material, degc: npt.NDArray[np.float32]) -> FloatArray:
    return np.asarray(1.0 - material.unfrozen_fraction(degc))


DEPTHS_M = np.array([2.0, 5.0, 10.0, 15.0, 20.0, 30.0]) / 1000.0
"""Depths at which the published table of the planar problem gives temperatures."""


def planar_neumann() -> Iterator[Check]:
    """Half space: front and profile after 60 to 900 s.

    A front that is sharper than a cell makes the profile behind it breathe as it passes from cell to cell,
    at 0.5 mm by up to 0.8 degC. Here cells are 0.3 mm and freezing takes 2 K.
    """
    for name, medium, wall in (("water, -100 degC", WATER, -100.0), ("tissue, -140 degC", TISSUE, -140.0)):
        exact = NeumannPlanar(medium=medium, wall_degc=wall)
        material = sharp(medium, width_k=2.0)
        n, h = 450, 0.3
        faces: Faces = (None, None, None, None, wall, medium.start_degc)
        problem = block(
            (n, 1, 1), h, material, medium.start_degc, faces, times_s=(60.0, 300.0, 600.0), step_max_s=1.0
        )
        result = solve(problem)
        x = (np.arange(n) + 0.5) * h / 1000.0
        fronts, degrees = [], []
        for frame in result.frames:
            t = frame.temperature_degc.values[0, 0]
            front = float(_frozen_fraction(material, t).sum()) * h / 1000.0
            fronts.append(front / exact.front_m(frame.time_s) - 1.0)
            found = np.interp(DEPTHS_M, x, t)
            degrees.append(float(np.abs(found - exact.temperature(DEPTHS_M, frame.time_s)).max()))
        yield _check(f"Planar front, {name}", max(fronts, key=abs), FRONT, "1", "0.3 mm, 60 to 900 s")
        yield _check(f"Planar temperatures, {name}", max(degrees), DEGREES_1D, "degC", "0.3 mm, 60 to 900 s")
        yield _check(f"Planar energy, {name}", result.ledger.residual, ENERGY, "1")


OFFSETS = ((0.0, 0.0), (0.5, 0.5), (0.5, 0.0), (0.31, 0.17))
"""Places of the axis between cell centres, in cells."""


def _through(offset: tuple[float, float], h_mm: float, drive: Drive, radius_mm: float) -> ProbeSource:
    """Return a probe along z that passes through the whole block."""
    return ProbeSource(
        name="1", begin_m=(offset[0] * h_mm / 1000, offset[1] * h_mm / 1000, -1.0), back=(0.0, 0.0, 1.0),
        length_m=2.0, taper_m=0.0, radius_m=radius_mm / 1000, freeze=drive,
    )  # fmt: skip


def _radii(problem: Problem, source: ProbeSource) -> FloatArray:
    """Return the distance of every cell from the axis, metres ``[k, j, i]``."""
    z, y, x = np.meshgrid(*(problem.grid.coordinates_mm(a) / 1000 for a in (2, 1, 0)), indexing="ij")
    rel = np.stack([x, y, z], axis=-1) - np.asarray(source.begin_m)
    back = np.asarray(source.back)
    return np.asarray(np.linalg.norm(rel - (rel @ back)[..., None] * back, axis=-1))


def line_sink(spacing_mm: float) -> Iterator[Check]:
    """A probe that draws constant heat, in a slab: front and temperatures in tissue and water."""
    cold = replace(WATER, start_degc=20.0)
    slab: Faces = (None, None, None, None, None, None)
    for name, medium in (("tissue", TISSUE), ("water", cold)):
        exact = LineSink(medium=medium, sink_w_m=500.0)
        material = sharp(medium)
        for offset in OFFSETS:
            # A weak contact to something very cold draws the same heat whatever the tissue does.
            radius_mm, weak = 0.75, 0.05
            end = -500.0 / (2 * np.pi * radius_mm / 1000 * weak)
            probe = _through(offset, spacing_mm, Drive(end_degc=end, coefficient=weak, tau_s=1e-3), radius_mm)
            n = 2 * round(55.0 / spacing_mm)
            problem = block(
                (n, n, 2), spacing_mm, material, medium.start_degc, slab, probes=(probe,), times_s=(300.0,),
                end_s=600.0,
            )  # fmt: skip
            result = solve(problem)
            r = _radii(problem, probe)
            fronts, degrees = [], []
            for frame in result.frames:
                t = frame.temperature_degc.values
                area = float(_frozen_fraction(material, t).sum()) * (spacing_mm / 1000) ** 2 / 2
                fronts.append(np.sqrt(area / np.pi) / exact.front_m(frame.time_s) - 1.0)
                far = (np.abs(r - exact.front_m(frame.time_s)) > 2e-3 * spacing_mm) & (r > 4.5e-3)
                degrees.append(float(np.abs(t - exact.temperature(r, frame.time_s))[far].max()))
            where = f"{name}, axis at {offset[0]:g}, {offset[1]:g} cells"
            note = f"{spacing_mm:g} mm, 300 and 600 s"
            yield _check(f"Line sink front, {where}", max(fronts, key=abs), FRONT, "1", note)
            span = medium.start_degc - float(exact.temperature(2e-3, 600.0))
            yield _check(f"Line sink temperatures, {where}", max(degrees) / span, PARTS_3D, "1", note)


def _cylinder(w: float) -> SteadyCylinder:
    return SteadyCylinder(
        k_s=2.0, k_l=0.52, w=w, probe_degc=-140.0, melt_degc=-1.0, blood_degc=37.0, probe_m=0.9e-3
    )


STIFF = Drive(end_degc=-140.0, coefficient=1e7, tau_s=1e-3)
"""Contact without resistance: the wall has the coolant's temperature."""


def _profile_front(t: npt.NDArray[np.float32], r: FloatArray, exact: SteadyCylinder, h: float) -> float:
    """Return the radius at which the frozen profile, a line in ln r, meets the melting point.

    Counting frozen cells would not do: in a steady state the last cell may hold any part of its latent heat.
    """
    ice = (r > exact.front_m - 6 * h) & (r < exact.front_m - 1.5 * h)
    slope, offset = np.polyfit(np.log(r[ice]), t[ice].astype(float), 1)
    return float(np.exp((exact.melt_degc - offset) / slope))


def _settle(run: Run, end_s: float) -> None:
    run.begin(0.0, "freeze")
    step = 0.2
    while run.time_s < end_s:
        run.step(step)
        step = min(1.15 * step, 30.0)


def steady_cylinder(spacing_mm: float) -> Iterator[Check]:
    """A probe of fixed wall temperature in perfused tissue, long after the start."""
    slab: Faces = (None, None, None, None, 37.0, 37.0)
    for w in (20e3, 40e3):
        exact = _cylinder(w)
        # Latent heat only delays the steady state; almost none is needed.
        material = sharp(TISSUE, w=w, latent=5e3)
        for offset in OFFSETS:
            probe = _through(offset, spacing_mm, STIFF, 0.9)
            n = 2 * round(40.0 / spacing_mm)
            run = Run(block((n, n, 2), spacing_mm, material, 37.0, slab, probes=(probe,), end_s=4000.0))
            _settle(run, 4000.0)
            t = run.field_degc().values
            found = _profile_front(t, _radii(run.problem, probe), exact, spacing_mm / 1000)
            heat = -float(run.power[0]) / (2 * spacing_mm / 1000)
            where = f"W {w / 1000:g}, axis at {offset[0]:g}, {offset[1]:g} cells"
            note = f"{spacing_mm:g} mm"
            front = found / exact.front_m - 1.0
            yield _check(f"Steady cylinder front, {where}", front, FRONT, "1", note)
            yield _check(f"Steady cylinder heat, {where}", heat / exact.heat_w_m - 1.0, PARTS_3D, "1", note)


def oblique_cylinder(spacing_mm: float) -> Iterator[Check]:
    """The same across a cube; its faces are given the exact temperatures."""
    exact = _cylinder(40e3)
    material = sharp(TISSUE, w=40e3, latent=5e3)
    for direction in ((1.0, 1.0, 0.0), (1.0, 0.7, 0.4)):
        back = unit(direction)
        start = np.array([0.21, -0.34, 0.11]) * spacing_mm / 1000 - back
        probe = ProbeSource(
            name="1", begin_m=(float(start[0]), float(start[1]), float(start[2])),
            back=(float(back[0]), float(back[1]), float(back[2])), length_m=2.0, taper_m=0.0,
            radius_m=exact.probe_m, freeze=STIFF,
        )  # fmt: skip
        n = 2 * round(27.0 / spacing_mm)
        problem = block((n, n, n), spacing_mm, material, 37.0, (37.0,) * 6, probes=(probe,), end_s=1500.0)
        run = Run(problem)
        run.use_whole_box()
        _exact_faces(run, probe, exact, material)
        _settle(run, 1500.0)
        h = spacing_mm / 1000
        # Length of the axis within the cube, from the slab method.
        reach = _axis_length(start, back, 0.5 * n * h)
        heat = -float(run.power[0]) / reach
        t = run.field_degc().values
        r = _radii(problem, probe)
        middle = _middle(problem, back)
        front = _profile_front(t[middle], r[middle], exact, h)
        where = "along (" + ", ".join(f"{d:g}" for d in direction) + ")"
        note = f"{spacing_mm:g} mm, W 40"
        yield _check(f"Oblique cylinder heat, {where}", heat / exact.heat_w_m - 1.0, PARTS_3D, "1", note)
        yield _check(f"Oblique cylinder front, {where}", front / exact.front_m - 1.0, FRONT, "1", note)


def _middle(problem: Problem, back: FloatArray) -> npt.NDArray[np.bool_]:
    z, y, x = np.meshgrid(*(problem.grid.coordinates_mm(a) for a in (2, 1, 0)), indexing="ij")
    along = np.stack([x, y, z], axis=-1) @ back
    return np.asarray(np.abs(along) < 8.0)


def _axis_length(start: FloatArray, back: FloatArray, half: float) -> float:
    cuts = sorted(float((side * half - start[d]) / back[d]) for d in range(3) if back[d] for side in (-1, 1))
    inside = [
        (a, b) for a, b in pairwise(cuts) if np.all(np.abs(start + 0.5 * (a + b) * back) <= half + 1e-12)
    ]
    return sum(b - a for a, b in inside)


def _exact_faces(run: Run, probe: ProbeSource, exact: SteadyCylinder, material: Material) -> None:
    """Give the outer faces the closed form; the halo stands for the faces themselves."""
    lattice, grid = run.lattice, run.problem.grid
    half = 0.5 * grid.size[0] * grid.spacing_mm[0]
    axes = [
        np.clip(np.arange(-1, n + 1) * grid.spacing_mm[0] + grid.origin_mm[0], -half, half) / 1000
        for n in grid.size
    ]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    rel = np.stack([x, y, z], axis=-1) - np.asarray(probe.begin_m)
    back = np.asarray(probe.back)
    r = np.linalg.norm(rel - (rel @ back)[..., None] * back, axis=-1)
    t = exact.temperature(r)
    halo = np.ones(lattice.padded, bool)
    halo[1:-1, 1:-1, 1:-1] = False
    for array, values in ((lattice.temperature, t), (lattice.potential, material.potential(t))):
        array.reshape(lattice.padded)[halo] = values[halo].astype(np.float32)


def steady_sphere() -> Iterator[Check]:
    """Perfused tissue around a cold sphere whose cells hold the closed form's own temperatures."""
    exact = SteadySphere(
        k_s=2.0, k_l=0.52, w=20e3, probe_degc=-140.0, melt_degc=-1.0, blood_degc=37.0, probe_m=5e-3
    )
    material = sharp(TISSUE, w=20e3, latent=5e3)
    problem = block((80, 80, 80), 1.0, material, 37.0, (37.0,) * 6, end_s=2000.0)
    z, y, x = np.meshgrid(*(problem.grid.coordinates_mm(a) / 1000 for a in (2, 1, 0)), indexing="ij")
    r = np.sqrt(x * x + y * y + z * z)
    problem = replace(problem, vessel=r < 7e-3, vessel_degc=-140.0)
    run = Run(problem)
    held = run.lattice.fixed_cells
    flat = material.enthalpy(exact.temperature(r[r < 7e-3]))
    run.fixed_h[:] = flat
    run.lattice.enthalpy[:, held] = flat
    run.start_h[held] = flat
    run.refresh_state()
    _settle(run, 2000.0)
    volume = float(_frozen_fraction(material, run.field_degc().values).sum()) * 1e-9
    before = run.ledger[3], run.time_s
    run.step(20.0)
    heat = -(float(run.ledger[3]) - float(before[0])) / (run.time_s - before[1])
    front = (volume * 3 / (4 * np.pi)) ** (1 / 3)
    yield _check("Steady sphere front", front / exact.front_m - 1.0, FRONT, "1", "1 mm")
    yield _check("Steady sphere heat", heat / exact.heat_w - 1.0, PARTS_3D, "1", "1 mm")


def point_sink() -> Iterator[Check]:
    """One cell that draws 0.05 W in perfused tissue that does not freeze: the change at 5, 10 and 20 mm."""
    k, rho_c, w, q = 0.52, 1050.0 * 3600.0, 20e3, 0.05
    medium = Material(
        name="no ice", t_u=-150.0, t_l=-151.0, latent=0.0, c_u=rho_c, cf_a=rho_c, cf_b=0.0, k_u=k, k_l=k, w=w
    )
    problem = block((81, 81, 81), 1.0, medium, 37.0, (37.0,) * 6, end_s=600.0, times_s=(60.0, 300.0))
    exchange = np.zeros(problem.grid.shape, np.float32)
    exchange[40, 40, 40] = 1.0
    # A weak exchange with something very cold is a constant sink.
    problem = replace(problem, vessel_exchange=exchange, vessel_degc=-q / 1e-9)
    run = Run(problem)
    run.use_whole_box()
    z, y, x = np.meshgrid(*(problem.grid.coordinates_mm(a) for a in (2, 1, 0)), indexing="ij")
    r_mm = np.sqrt(x * x + y * y + z * z)
    shells = [np.abs(r_mm - at) < 0.5 for at in (5.0, 10.0, 20.0)]
    distances = [r_mm[shell] / 1000 for shell in shells]
    step, errors = 0.2, []
    for stop in (60.0, 300.0, 600.0):
        while run.time_s < stop - 1e-9:
            size = min(step, stop - run.time_s)
            run.step(size)
            step = min(1.15 * step, 10.0)
        t = run.field_degc().values
        # Means over thin shells: the seven-point stencil favours its axes, evenly around the sphere.
        found, should = [], []
        for shell, part in zip(shells, distances, strict=True):
            found.append(float(t[shell].astype(float).mean()) - 37.0)
            should.append(float(pennes_point(part, stop, q_w=q, k=k, rho_c=rho_c, w=w).mean()))
        errors.append(float(np.abs(np.subtract(found, should)).max() / np.abs(should).max()))
    yield _check(
        "Point sink in perfused tissue", max(errors), PARTS_3D, "1", "1 mm; 5, 10, 20 mm; 60 to 600 s"
    )


def freeze_and_thaw(spacings_mm: tuple[float, ...]) -> Iterator[Check]:
    """Three oblique probes in liver, 5-3-5 min: energy, and the change of ice volume with the grid."""
    back = unit((0.3, 0.2, 1.0))
    u = (float(back[0]), float(back[1]), float(back[2]))
    drive = Drive(end_degc=-150.0, coefficient=3000.0, tau_s=5.0)
    probes = tuple(
        ProbeSource(name=str(n + 1), begin_m=(x, y, -0.012), back=u, length_m=0.025, taper_m=0.005,
                    radius_m=0.9e-3, freeze=drive)
        for n, (x, y) in enumerate(((0.0, 0.0), (0.0131, 0.002), (0.006, 0.0122)))
    )  # fmt: skip
    stages = (
        Stage(start_s=0.0, end_s=300.0, kind="freeze", label="end_freeze_1"),
        Stage(start_s=300.0, end_s=480.0, kind="passive", label="end_thaw_1"),
        Stage(start_s=480.0, end_s=780.0, kind="freeze", label="end_freeze_2"),
    )
    liver = load_tissues().tissue("liver").material()
    radii = []
    for h in spacings_mm:
        n = round(80.0 / h)
        problem = block((n, n, n), h, liver, 37.0, (37.0,) * 6, probes=probes)
        result = solve(replace(problem, stages=stages))
        yield _check(
            f"Energy balance at {h:g} mm", result.ledger.residual, ENERGY, "1", "5-3-5 min, 3 probes"
        )
        volume = float(np.clip(0.5 - result.minimum_degc.values / 8.0, 0.0, 1.0).sum()) * h**3
        radii.append((volume * 3 / (4 * np.pi)) ** (1 / 3))
    for a, b, h in zip(radii, radii[1:], spacings_mm, strict=False):
        yield _check(f"Equivalent ice radius, {h:g} mm against half of it", a - b, 0.5, "mm", f"{b:.1f} mm")
