"""Single probe: one probe in one uniform medium, and the size of its isotherms, as experiments measure them.

The axis runs obliquely through the lattice, so that the reading is an average over all positions of an
isotherm between cell centres and not the luck of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from cryoplan.core.geometry import as_point, unit
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress
from cryoplan.core.volume import Volume
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.protocol import LONGEST_PROTOCOL_S
from cryoplan.simulation.isotherm import scale_of
from cryoplan.simulation.problem import Problem, Stage, probe_source
from cryoplan.simulation.result import ThermalResult
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.solver import solve
from cryoplan.simulation.sources import ProbeSource
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]

BACK = unit((0.36, 0.2, 1.0))
"""Direction of the shaft; no lattice plane holds it."""

OFFSET_MM = (0.31, 0.17, 0.11)
"""Place of the middle of the active zone against the nearest cell centre."""

_ANGLES = 48
_RAY_STEP_MM = 0.25
_SECTION_STEP_MM = 1.0
_END_RADII_MM = (0.0, 1.5, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """An experiment with one probe.

    Attributes
    ----------
    model : ProbeModel
    material : Material
    start_degc : float
        Start temperature of the medium, of its blood and of the outer faces.
    phases : tuple of (kind, seconds)
        ``freeze`` or a thaw mode.
    spacing_mm : float
    room_mm : float
        From the axis and from the ends of the active zone to the outer faces.
    times_s : tuple of float
        Extra times to keep.
    step_max_s : float
    """

    model: ProbeModel
    material: Material
    start_degc: float
    phases: tuple[tuple[str, float], ...]
    spacing_mm: float = 1.0
    room_mm: float = 35.0
    times_s: tuple[float, ...] = ()
    step_max_s: float = 10.0

    def problem(self) -> Problem:
        """Return the problem; the middle of the active zone is near the LPS origin."""
        half = 0.5 * (self.model.active_length.value + self.model.taper.value)
        middle = np.asarray(OFFSET_MM)
        probe = Probe(
            name="1",
            model=self.model.id,
            tip_mm=as_point(middle - (half + self.model.tip_offset.value) * BACK),
            entry_mm=as_point(middle + 200.0 * BACK),
        )
        source = probe_source(probe, self.model, self.start_degc)
        reach = half * np.abs(BACK) + self.room_mm
        grid = Grid.isotropic(-reach, reach, self.spacing_mm)
        stages, time = [], 0.0
        for number, (kind, seconds) in enumerate(self.phases, start=1):
            stages.append(Stage(start_s=time, end_s=time + seconds, kind=kind, label=f"end_{number}"))
            time += seconds
        return Problem(
            grid=grid,
            material_map=np.zeros(grid.shape, np.uint8),
            materials=(self.material,),
            start_degc=self.start_degc,
            probes=(source,),
            stages=tuple(stages),
            boundary_degc=(self.start_degc,) * 6,
            settings=SolverSettings(
                spacing_mm=self.spacing_mm,
                step_max_s=self.step_max_s,
                extra_times_s=self.times_s,
                frames_every_s=LONGEST_PROTOCOL_S,
            ),
        )

    def run(self, progress: Progress = SILENT) -> Outcome:
        """Solve the problem."""
        problem = self.problem()
        return Outcome(source=problem.probes[0], result=solve(problem, progress=progress))

    def changed(self, **numbers: float) -> Setup:
        """Return a copy whose probe model has other numbers; keys are fields of `ProbeModel`."""
        model = self.model
        for name, value in numbers.items():
            model = replace(model, **{name: replace(getattr(model, name), value=float(value))})
        return replace(self, model=model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Width (largest diameter across the probe) and length (along it) of an isotherm, mm; 0 without one."""

    width_mm: float
    length_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What one experiment with one probe gave."""

    source: ProbeSource
    result: ThermalResult

    def field(self, time_s: float | None = None) -> Volume:
        """Return the temperature at a kept time, or at the end."""
        frames = self.result.frames
        frame = frames[-1] if time_s is None else self.result.frame_near(time_s)
        return frame.temperature_degc

    def size(self, degc: float, time_s: float | None = None) -> Size:
        """Return the size of an isotherm at a kept time, or at the end."""
        return isotherm_size(self.field(time_s), self.source, degc)

    @property
    def shaft_degc(self) -> float:
        """Mean temperature of the shaft's surface at the end."""
        return float(self.result.probes[0].shaft_degc[-1])


def isotherm_size(field: Volume, source: ProbeSource, degc: float) -> Size:
    """Measure an isotherm around one probe.

    Across: the mean over 48 rays of one section, the largest of the sections 1 mm apart. Along: lines
    parallel to the axis up to 3 mm beside it, extended to the axis by a parabola.
    """
    begin = np.asarray(source.begin_m) * 1000.0
    back = np.asarray(source.back)
    one = unit(np.cross(back, np.eye(3)[np.argmin(np.abs(back))]))
    two = np.cross(back, one)
    angle = np.arange(_ANGLES) * (2.0 * np.pi / _ANGLES)
    around = np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * two
    reach = 1000.0 * source.reach_m
    far = float(max(field.grid.size)) * field.grid.spacing_mm[0]
    sections = np.arange(-5.0, reach + 5.0, _SECTION_STEP_MM)
    rays = np.arange(0.0, 0.5 * far, _RAY_STEP_MM)
    scale = scale_of(field)
    level, read = scale.level(degc), scale.volume(field)
    points = begin + sections[:, None, None, None] * back + rays[:, None] * around[:, None, :]
    radius = last_below(sampled(read, points), rays, level).mean(axis=1)
    if not radius.max() > 0.0:
        return Size(width_mm=0.0, length_mm=0.0)
    ends = [_end(read, begin, back, around, 0.5 * reach, sense, far, level) for sense in (-1.0, 1.0)]
    return Size(width_mm=2.0 * float(radius.max()), length_mm=ends[0] + ends[1])


def sampled(field: Volume, points: FloatArray) -> FloatArray:
    """Return the field at LPS points ``(..., 3)`` in mm, linear between cell centres."""
    ijk = field.grid.mm_to_index(points.reshape(-1, 3))
    values = map_coordinates(field.values.astype(float), ijk[:, ::-1].T, order=1, mode="nearest")
    return np.asarray(values).reshape(points.shape[:-1])


def last_below(values: FloatArray, along: FloatArray, level: float) -> FloatArray:
    """Return where each curve (last axis) is below `level` for the last time; 0 for never."""
    below = values < level
    last = values.shape[-1] - 1 - np.argmax(below[..., ::-1], axis=-1)
    last = np.minimum(last, values.shape[-1] - 2)
    a = np.take_along_axis(values, last[..., None], -1)[..., 0]
    b = np.take_along_axis(values, last[..., None] + 1, -1)[..., 0]
    part = np.clip((level - a) / np.where(b > a, b - a, 1.0), 0.0, 1.0)
    found = along[last] + part * (along[1] - along[0])
    return np.asarray(np.where(below.any(axis=-1), found, 0.0))


def _end(
    field: Volume,
    begin: FloatArray,
    back: FloatArray,
    around: FloatArray,
    middle: float,
    sense: float,
    far: float,
    level: float,
) -> float:
    """Return how far the field is below a level from the middle of the active zone along the axis."""
    steps = np.arange(0.0, 0.5 * far, _RAY_STEP_MM)
    radii = np.asarray(_END_RADII_MM)
    start = begin + middle * back + radii[:, None, None] * around[::4]
    points = start[:, :, None, :] + (sense * steps)[:, None] * back
    reach = last_below(sampled(field, points), steps, level).mean(axis=1)
    slope = np.polyfit(radii**2, reach, 1)
    return float(slope[1])


def root_mean_square(differences: npt.ArrayLike) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(np.asarray(differences, float)))))
