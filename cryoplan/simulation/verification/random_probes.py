"""Random probes: one probe in the cubes, at random places and directions, against the axisymmetric rings.

A random turn and a random offset within the cell put the same probe into the lattice in ways that no plan
can choose. Isotherms are read as everywhere (`cryoplan.simulation.isotherm`), along rays: radial ones in
sections through the active zone, axial ones along the axis beyond both ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.simulation.isotherm import scale_of
from cryoplan.simulation.problem import Problem, Stage
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.solver import solve
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material, load_tissues
from cryoplan.simulation.verification.axisymmetric import (
    AxisymmetricField,
    AxisymmetricProblem,
    Fineness,
    solve_axisymmetric,
)
from cryoplan.simulation.verification.blocks import NO_FRAMES_S
from cryoplan.simulation.verification.check import Check, check
from cryoplan.simulation.verification.curve import Curve, Line

FloatArray = npt.NDArray[np.float64]

ISOTHERMS_DEGC = (0.0, -20.0, -40.0)
"""What is shown and judged by (physics section 10)."""

BOUNDS_MM = {1.0: (0.15, 0.35), 2.0: (0.25, 1.2)}
"""Cell edge -> largest radial and axial error of any isotherm, any place and any direction."""

PLACEMENTS, SEED = 20, 3
RAYS = 24
RAY_STEP_M = 5e-5
ROOM_M = 0.042
"""Unfrozen tissue around the active zone; the outer faces are held at the start temperature."""

GROUP = "One probe anywhere in the grid"
SOURCE = "https://doi.org/10.1115/1.1865193"
"""The enthalpy model of a probe in tissue (Zhang, Sandison, Murthy & Xu 2005) that the rings solve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleProbe:
    """One probe in a medium that may change at a plane across its axis.

    Attributes
    ----------
    name : str
    materials : tuple of Material
        From the tip backwards.
    seam_m : float or None
        Distance of the plane from the tip-side end of the active zone.
    probe : ProbeSource
        Its place and direction are those of the reference, along z from the origin.
    end_s, start_degc : float
    stations_m : tuple of float
        Sections in which the radial error is read, from the tip-side end.
    """

    name: str
    materials: tuple[Material, ...]
    seam_m: float | None = None
    probe: ProbeSource
    end_s: float = 600.0
    start_degc: float = 37.0
    stations_m: tuple[float, ...] = (0.015,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the probe lies in the lattice: the middle of its active zone and the direction of its shaft."""

    offset_cells: tuple[float, float, float]
    back: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """How far one isotherm of one placement is off, metres; positive where the cubes have more ice.

    Attributes
    ----------
    isotherm_degc : float
    radial_m : tuple of float
        For each station, the mean over the rays.
    widest_m : float
        The worst single ray of any station.
    axial_m : tuple of two float
        Beyond the tip and behind the active zone; nan where the reference has no such isotherm.
    """

    isotherm_degc: float
    radial_m: tuple[float, ...]
    widest_m: float
    axial_m: tuple[float, float]


def placements(number: int = PLACEMENTS, seed: int = SEED) -> tuple[Placement, ...]:
    """Return places and directions, uniform in the cell and on the sphere; the same for the same seed."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        offset = random.uniform(-0.5, 0.5, 3)
        back = random.normal(size=3)
        back /= np.linalg.norm(back)
        found.append(
            Placement(
                offset_cells=(float(offset[0]), float(offset[1]), float(offset[2])),
                back=(float(back[0]), float(back[1]), float(back[2])),
            )
        )
    return tuple(found)


ALONG_THE_LATTICE = (
    Placement(offset_cells=(0.0, 0.0, 0.0), back=(0.0, 0.0, 1.0)),
    Placement(offset_cells=(0.5, 0.5, 0.5), back=(0.0, 0.0, 1.0)),
    Placement(offset_cells=(0.0, 0.5, 0.25), back=(1.0, 0.0, 0.0)),
    Placement(offset_cells=(0.31, 0.17, 0.4), back=(0.0, 1.0, 0.0)),
)
"""The places that chance never draws: the axis along a row of cells, on an edge, on a face."""


def _source(h: float, *, end_degc: float, tau_s: float, taper_m: float = 0.0) -> ProbeSource:
    return ProbeSource(
        name="1", begin_m=(0.0, 0.0, 0.0), back=(0.0, 0.0, 1.0), length_m=0.03, taper_m=taper_m,
        radius_m=0.8e-3, freeze=Drive(end_degc=end_degc, coefficient=h, tau_s=tau_s),
    )  # fmt: skip


def cases() -> tuple[SingleProbe, ...]:
    """Return what is compared: fixed wall, weak contact, ice that conducts better when cold, two tissues."""
    liver = load_tissues().tissue("liver").material()
    fat = load_tissues().tissue("fat").material()
    plain = Material(
        name="constant properties", t_u=-1.0, t_l=-8.0, latent=2.5e8, c_u=3.78e6, cf_a=1.89e6, cf_b=0.0,
        k_u=0.52, k_l=2.0,
    )  # fmt: skip
    fixed = _source(1e7, end_degc=-140.0, tau_s=1e-3)
    weak = _source(1000.0, end_degc=-150.0, tau_s=5.0, taper_m=0.005)
    strong = _source(5000.0, end_degc=-150.0, tau_s=5.0, taper_m=0.005)
    return (
        SingleProbe(name="fixed wall", materials=(plain,), probe=fixed),
        SingleProbe(name="contact 1 kW/(m2 K)", materials=(replace(plain, w=40e3),), probe=weak),
        SingleProbe(name="contact 5 kW/(m2 K), ice with k ~ 1/T", materials=(liver,), probe=strong),
        SingleProbe(
            name="from liver into fat", materials=(liver, fat), seam_m=0.0185, probe=strong,
            stations_m=(0.010, 0.026),
        ),
    )  # fmt: skip


@lru_cache(maxsize=8)
def reference(case: SingleProbe, fineness: Fineness | None = None) -> AxisymmetricField:
    """Solve a case in (r, z)."""
    problem = AxisymmetricProblem(
        materials=case.materials,
        seams_m=() if case.seam_m is None else (case.seam_m,),
        probe=case.probe,
        start_degc=case.start_degc,
        freeze_s=case.end_s,
    )
    return solve_axisymmetric(problem, fineness=fineness)[-1]


def _begin_m(case: SingleProbe, placement: Placement, spacing_mm: float) -> FloatArray:
    middle = np.asarray(placement.offset_cells) * spacing_mm / 1000.0
    return np.asarray(middle - 0.5 * case.probe.length_m * np.asarray(placement.back))


def cubes_problem(case: SingleProbe, placement: Placement, spacing_mm: float) -> Problem:
    """Return the case in a lattice, the middle of its active zone within half a cell of the origin."""
    h = spacing_mm / 1000.0
    back = np.asarray(placement.back)
    begin = _begin_m(case, placement, spacing_mm)
    ends = np.stack([begin, begin + case.probe.reach_m * back])
    low = np.floor((ends.min(axis=0) - ROOM_M) / h).astype(int)
    high = np.ceil((ends.max(axis=0) + ROOM_M) / h).astype(int)
    size, origin = high - low + 1, low * spacing_mm
    grid = Grid(
        size=(int(size[0]), int(size[1]), int(size[2])),
        spacing_mm=(spacing_mm,) * 3,
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
    )
    labels = np.zeros(grid.shape, np.uint8)
    if case.seam_m is not None:
        z, y, x = np.meshgrid(*(grid.coordinates_mm(a) / 1000 for a in (2, 1, 0)), indexing="ij")
        along = (np.stack([x, y, z], axis=-1) - begin) @ back
        labels[along > case.seam_m] = 1
    here = (float(begin[0]), float(begin[1]), float(begin[2]))
    return Problem(
        grid=grid,
        material_map=labels,
        materials=case.materials,
        start_degc=case.start_degc,
        probes=(replace(case.probe, begin_m=here, back=placement.back),),
        stages=(Stage(start_s=0.0, end_s=case.end_s, kind="freeze", label="end_freeze_1"),),
        boundary_degc=(case.start_degc,) * 6,
        settings=SolverSettings(spacing_mm=spacing_mm, frames_every_s=NO_FRAMES_S),
    )


def _read(field: Volume, points_m: FloatArray) -> FloatArray:
    """Return trilinear values at LPS points in metres."""
    ijk = field.grid.mm_to_index(points_m.reshape(-1, 3) * 1000.0)
    found = map_coordinates(field.values.astype(float), ijk[:, ::-1].T, order=1, mode="nearest")
    return np.asarray(found.reshape(points_m.shape[:-1]))


def _last_rise(x: FloatArray, t: FloatArray, value: float) -> FloatArray:
    """Return, for each row of `t`, where it rises through `value` for the last time; nan if it never does."""
    cold = t <= value
    n = np.minimum(t.shape[-1] - 1 - np.argmax(cold[..., ::-1], axis=-1), t.shape[-1] - 2)
    before = np.take_along_axis(t, n[..., None], -1)[..., 0]
    after = np.take_along_axis(t, n[..., None] + 1, -1)[..., 0]
    found = x[n] + (value - before) / np.where(after > before, after - before, 1.0) * (x[n + 1] - x[n])
    return np.asarray(np.where(cold.any(axis=-1), found, np.nan))


def misses(
    case: SingleProbe, truth: AxisymmetricField, field: Volume, placement: Placement
) -> tuple[Miss, ...]:
    """Return how far each isotherm of a solved lattice is from the reference."""
    back = np.asarray(placement.back)
    begin = _begin_m(case, placement, field.grid.spacing_mm[0])
    scale = scale_of(field)
    read = scale.volume(field)
    side = np.cross(back, np.eye(3)[int(np.argmin(np.abs(back)))])
    side /= np.linalg.norm(side)
    other = np.cross(back, side)
    turn = np.linspace(0.0, 2 * np.pi, RAYS, endpoint=False)
    rays = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other
    reach = np.arange(0.0, ROOM_M, RAY_STEP_M)
    sections = {
        z: _read(read, begin + z * back + rays[:, None, :] * reach[None, :, None]) for z in case.stations_m
    }
    tip = _read(read, begin - back * reach[:, None])
    rear = _read(read, begin + back * (case.probe.reach_m + reach)[:, None])
    found = []
    for degc in ISOTHERMS_DEGC:
        level = scale.level(degc)
        off = {z: _last_rise(reach, t, level) - truth.radius_m(degc, z) for z, t in sections.items()}
        low, high = truth.tips_m(degc)
        ends = (
            float(_last_rise(reach, tip, level)) + low,
            float(_last_rise(reach, rear, level)) + case.probe.reach_m - high,
        )
        found.append(
            Miss(
                isotherm_degc=degc,
                radial_m=tuple(float(v.mean()) for v in off.values()),
                widest_m=max(float(np.abs(v).max()) for v in off.values()),
                axial_m=ends,
            )
        )
    return tuple(found)


def against_reference(
    case: SingleProbe,
    spacing_mm: float,
    number: int = PLACEMENTS,
    progress: Progress = SILENT,
    fineness: Fineness | None = None,
) -> Iterator[Check | Curve]:
    """Solve a case at `number` random placements and compare every isotherm with the reference.

    Yields
    ------
    Check, Check, Curve
        The worst radial error, the worst axial one, and both for each placement.

    Raises
    ------
    Cancelled
        When `progress` says so.
    """
    truth = reference(case, fineness)
    found = []
    for placement in placements(number):
        check_cancelled(progress)
        problem = cubes_problem(case, placement, spacing_mm)
        field = solve(problem, progress=_Deaf(progress)).frames[-1].temperature_degc
        found.append(misses(case, truth, field, placement))
    radial_bound, axial_bound = BOUNDS_MM[spacing_mm]
    radial = 1e3 * np.array([[m.radial_m for m in placed] for placed in found])
    axial = 1e3 * np.array([[m.axial_m for m in placed] for placed in found])
    rays = 1e3 * max(m.widest_m for placed in found for m in placed)
    named = f"{case.name}, {spacing_mm:g} mm"
    per_isotherm = ", ".join(
        f"{degc:g} °C {_largest(radial[:, n]):.2f}" for n, degc in enumerate(ISOTHERMS_DEGC)
    )
    note = f"{number} placements; {per_isotherm}; worst single ray {rays:.2f}"
    yield check(f"Radius, {named}", _largest(radial), radial_bound, "mm", note, group=GROUP, source=SOURCE)
    ends = ("tip", "rear")
    per_end = ", ".join(f"{end} {_largest(axial[:, :, n]):.2f}" for n, end in enumerate(ends))
    yield check(
        f"Length, {named}", _largest(axial), axial_bound, "mm", f"{number} placements; {per_end}",
        group=GROUP, source=SOURCE,
    )  # fmt: skip
    index = tuple(float(n + 1) for n in range(number))
    lines = [
        Line(label=f"radius, {degc:g} °C", x=index, y=_worst_each(radial[:, n]), dots=True)
        for n, degc in enumerate(ISOTHERMS_DEGC)
    ]
    lines += [Line(label=f"length, {end}", x=index, y=_worst_each(axial[:, :, n]), dots=True)
              for n, end in enumerate(ends)]  # fmt: skip
    yield Curve(
        title=f"Error at {number} random placements: {named}", group=GROUP, x_label="placement",
        y_label="error, mm", lines=tuple(lines),
    )  # fmt: skip


def _largest(errors: FloatArray) -> float:
    """Return the largest magnitude; isotherms that the reference does not have are left out."""
    magnitude = np.abs(errors[np.isfinite(errors)])
    return float(magnitude.max()) if magnitude.size else 0.0


def _worst_each(errors: FloatArray) -> tuple[float, ...]:
    """Return, for each placement, the error of largest magnitude with its sign."""
    flat = np.nan_to_num(errors.reshape(len(errors), -1))
    worst = flat[np.arange(len(flat)), np.abs(flat).argmax(axis=1)]
    return tuple(float(v) for v in worst)


class _Deaf:
    """Hands on whether to stop and keeps the progress of a single solve to itself."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def report(self, report: ProgressReport) -> None:
        """Say nothing."""

    def cancelled(self) -> bool:
        """Ask whoever listens."""
        return self._progress.cancelled()
