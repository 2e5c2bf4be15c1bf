"""Axisymmetric reference: one probe in (r, z) on a fine graded grid, to judge the coarse cubes by.

The probe is a wall at r = r_w with flat ends, every ring of tissue a finite volume; the medium may be
layered across the axis. Nothing of the three-dimensional solver is used but the material curves, whose
agreement between the two is itself checked by the tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]

FIRST_STEP_S, STEP_GROWTH = 0.02, 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fineness:
    """Grid and steps of the reference.

    Attributes
    ----------
    wall_mm : float
        Rings at the wall, at the ends of the probe and at seams.
    ice_mm : float
        Rings out to `ice_reach_mm` from the probe, where isotherms are read.
    far_mm : float
        Rings beyond.
    ice_reach_mm, room_mm : float
        How far the ice may reach, and where the block ends, from the active zone.
    step_max_s : float
    """

    wall_mm: float = 0.1
    ice_mm: float = 0.2
    far_mm: float = 2.0
    ice_reach_mm: float = 20.0
    room_mm: float = 60.0
    step_max_s: float = 4.0

    def refined(self, factor: float) -> Fineness:
        """Return the same block with `factor` times smaller rings and steps."""
        return replace(
            self,
            wall_mm=self.wall_mm / factor,
            ice_mm=self.ice_mm / factor,
            far_mm=self.far_mm / factor,
            step_max_s=self.step_max_s / factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisymmetricProblem:
    """One probe along z, its active zone from z = 0 upwards; SI units and degC.

    Attributes
    ----------
    materials : tuple of Material
        From low to high z.
    seams_m : tuple of float
        z of the planes between them.
    probe : ProbeSource
        Its lengths, radius and drive; place and direction are not used.
    start_degc : float
        Start, blood and outer faces.
    freeze_s, thaw_s : float
        Freeze, then passive thaw.
    stasis_degc : float
        Tissue that was ever colder has no perfusion any more.
    """

    materials: tuple[Material, ...]
    seams_m: tuple[float, ...] = ()
    probe: ProbeSource
    start_degc: float = 37.0
    freeze_s: float
    thaw_s: float = 0.0
    stasis_degc: float = -5.0
    whole_length: bool = False
    """The probe passes through the whole block, which is then as long as its active zone."""

    def __post_init__(self) -> None:
        if len(self.seams_m) != len(self.materials) - 1 or list(self.seams_m) != sorted(self.seams_m):
            raise ValueError("there is one seam between two materials, from low to high z")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AxisymmetricField:
    """Temperatures at one time: ring centres `r_m`, `z_m` and ``t_degc[z, r]``, NaN inside the probe."""

    time_s: float
    r_m: FloatArray
    z_m: FloatArray
    t_degc: FloatArray
    probe_w: float
    heat_j: tuple[float, float, float]
    stored_j: float

    def radius_m(self, isotherm_degc: float, z_m: float) -> float:
        """Return the radius of an isotherm in the section at `z_m`; nan if it is not there."""
        above = int(np.clip(np.searchsorted(self.z_m, z_m), 1, len(self.z_m) - 1))
        share = (z_m - self.z_m[above - 1]) / (self.z_m[above] - self.z_m[above - 1])
        profile = (1.0 - share) * self.t_degc[above - 1] + share * self.t_degc[above]
        good = np.isfinite(profile)
        # Between rings the temperature goes with ln r.
        return float(np.exp(_crossing(np.log(self.r_m[good]), profile[good], isotherm_degc)))

    def tips_m(self, isotherm_degc: float) -> tuple[float, float]:
        """Return z of an isotherm on the axis below and above the probe; nan if it is not there."""
        column = self.t_degc[:, 0]
        held = np.flatnonzero(np.isnan(column))
        low, high = column[: held[0]][::-1], column[held[-1] + 1 :]
        below = -_crossing(-self.z_m[: held[0]][::-1], low, isotherm_degc)
        return below, _crossing(self.z_m[held[-1] + 1 :], high, isotherm_degc)

    def at(self, r_m: npt.ArrayLike, z_m: npt.ArrayLike) -> FloatArray:
        """Return bilinear temperatures, degC; near the probe's wall those of the nearest ring."""
        from scipy.interpolate import RegularGridInterpolator

        filled = self.t_degc.copy()
        first = np.argmax(np.isfinite(filled), axis=1)
        for row, column in enumerate(first):
            filled[row, :column] = filled[row, column]
        reader = RegularGridInterpolator((self.z_m, self.r_m), filled, bounds_error=False, fill_value=None)
        r, z = np.broadcast_arrays(np.asarray(r_m, float), np.asarray(z_m, float))
        return np.asarray(reader(np.stack([z.ravel(), r.ravel()], axis=1)).reshape(r.shape))


def _crossing(x: FloatArray, t: FloatArray, value: float) -> float:
    """Return where a profile that starts cold first rises through `value`, by linear interpolation."""
    warm = np.flatnonzero(t > value)
    if not len(warm) or warm[0] == 0:
        return math.nan
    n = int(warm[0])
    return float(x[n - 1] + (value - t[n - 1]) / (t[n] - t[n - 1]) * (x[n] - x[n - 1]))


def graded_edges(
    low: float, high: float, anchors: tuple[float, ...], fine: float, middle: float, far: float, reach: float
) -> FloatArray:
    """Return cell edges of ``[low, high]`` with an edge on every anchor.

    The width grows by a twelfth of the distance from the nearest anchor, from `fine` to `middle`, and beyond
    `reach` from the anchors by a sixth of the rest up to `far`.
    """
    marks = sorted({low, high, *(a for a in anchors if low < a < high)})

    def width(x: float) -> float:
        near = min(abs(x - a) for a in anchors)
        inner = min(anchors) - reach <= x <= max(anchors) + reach
        beyond = 0.0 if inner else max(min(anchors) - reach - x, x - max(anchors) - reach)
        return min(min(fine + near / 12.0, middle) + beyond / 6.0, far)

    edges = [marks[0]]
    for a, b in pairwise(marks):
        # Count the cells that the density 1 / width asks for, then place them at equal counts.
        x = np.linspace(a, b, 4001)
        density = 1.0 / np.array([width(float(v)) for v in x])
        count = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(x))])
        n = max(1, round(float(count[-1])))
        inner_edges = np.interp(np.linspace(0.0, count[-1], n + 1)[1:-1], count, x)
        edges += [*inner_edges.tolist(), b]
    return np.asarray(edges)


@dataclass(slots=True, eq=False)
class _Rings:
    """Geometry of the rings, ``[row, column]``, SI."""

    r: FloatArray
    z: FloatArray
    row_material: npt.NDArray[np.int64]
    volume: FloatArray
    radial: FloatArray
    axial: FloatArray
    seam: FloatArray
    outer: FloatArray
    wall_row: npt.NDArray[np.int64]
    wall_column: npt.NDArray[np.int64]
    wall_exchange: FloatArray
    wall_spread: FloatArray


def _rings(problem: AxisymmetricProblem, fineness: Fineness) -> _Rings:
    probe = problem.probe
    r_w, reach = probe.radius_m, probe.reach_m
    mm = 1e-3
    fine, middle, far = fineness.wall_mm * mm, fineness.ice_mm * mm, fineness.far_mm * mm
    ice, room = fineness.ice_reach_mm * mm, fineness.room_mm * mm
    inner = np.linspace(0.0, r_w, 2 if problem.whole_length else max(2, round(r_w / (2.0 * fine))) + 1)
    r_edges = np.concatenate([inner[:-1], graded_edges(r_w, r_w + room, (r_w,), fine, middle, far, ice)])
    low, high = (0.0, reach) if problem.whole_length else (-room, reach + room)
    anchors = (0.0, reach, *problem.seams_m)
    z_edges = graded_edges(low, high, anchors, fine, middle, far, ice)
    if problem.whole_length:
        z_edges = np.linspace(low, high, 3)

    dr, dz = np.diff(r_edges), np.diff(z_edges)
    r, z = 0.5 * (r_edges[1:] + r_edges[:-1]), 0.5 * (z_edges[1:] + z_edges[:-1])
    area = np.pi * np.diff(r_edges**2)
    volume = np.outer(dz, area)
    first = int(np.searchsorted(r_edges, r_w - 1e-9))
    beside = (z > 0.0) & (z < reach)
    volume[np.ix_(beside, np.arange(len(r)) < first)] = 0.0
    row_material = np.searchsorted(np.asarray(problem.seams_m, float), z).astype(np.int64)

    live = volume > 0.0
    radial, axial, outer = np.zeros_like(volume), np.zeros_like(volume), np.zeros_like(volume)
    radial[:, :-1] = np.outer(dz, 2 * np.pi * r_edges[1:-1] / (r[1:] - r[:-1]))
    radial[:, :-1][~(live[:, :-1] & live[:, 1:])] = 0.0
    axial[:-1] = np.outer(1.0 / (z[1:] - z[:-1]), area)
    axial[:-1][~(live[:-1] & live[1:])] = 0.0
    outer[:, -1] = dz * 2 * np.pi * r_edges[-1] / (0.5 * dr[-1])
    if not problem.whole_length:
        outer[0] += area / (0.5 * dz[0])
        outer[-1] += area / (0.5 * dz[-1])
    seam = np.zeros((len(z), 3))
    change = np.flatnonzero(np.diff(row_material))
    seam[change] = np.stack([1.0 / dz[change], 2.0 / dz[change], 2.0 / dz[change + 1]], axis=1)

    rows = np.flatnonzero(beside)
    side = 2 * np.pi * dz[rows]
    wall_row, wall_column = [rows], [np.full(len(rows), first)]
    exchange = [side * r_w * probe.exchange_profile(z[rows])]
    spread = [side / np.log(r[first] / r_w)]
    if not problem.whole_length:
        for row, at in ((rows[0] - 1, 0.0), (rows[-1] + 1, reach)):
            wall_row.append(np.full(first, row))
            wall_column.append(np.arange(first))
            exchange.append(area[:first] * float(probe.exchange_profile(np.array([at]))[0]))
            spread.append(area[:first] / (0.5 * dz[row]))
    return _Rings(
        r=r, z=z, row_material=row_material, volume=volume, radial=radial, axial=axial, seam=seam,
        outer=outer,
        wall_row=np.concatenate(wall_row).astype(np.int64),
        wall_column=np.concatenate(wall_column).astype(np.int64),
        wall_exchange=np.concatenate(exchange), wall_spread=np.concatenate(spread),
    )  # fmt: skip


def _table(materials: tuple[Material, ...]) -> FloatArray:
    return np.array(
        [[m.t_u, m.t_l, m.h1, m.c_u, m.cf_b, m.c_l, m.k_u, m.k_l, m.rise, m.w, m.q_m] for m in materials]
    )


def _euler_step_s(rings: _Rings, materials: tuple[Material, ...], coldest: float, strength: float) -> float:
    """Return the stable step of forward Euler with every ring as cold as the coolant, the stiffest state."""
    v = rings.volume
    faces = rings.radial + rings.axial + rings.outer
    faces[:, 1:] += rings.radial[:, :-1]
    faces[1:] += rings.axial[:-1]
    # A seam's half widths can be tighter than the distance of the centres.
    faces *= np.where((rings.seam[:, 0] > 0.0) | (np.roll(rings.seam[:, 0], 1) > 0.0), 2.0, 1.0)[:, None]
    k = np.array([max(m.k_u, float(m.conductivity(min(coldest, m.t_l)))) for m in materials])
    c = np.array([min(m.c_u, max(m.cf_a + m.cf_b * min(coldest, m.t_l), 0.05 * m.c_l)) for m in materials])
    k, c = k[rings.row_material][:, None], c[rings.row_material][:, None]
    total = faces * k
    wall = strength * rings.wall_exchange
    spread = rings.wall_spread * k[rings.wall_row, 0]
    series = np.where(wall > 0.0, wall * spread / np.maximum(wall + spread, 1e-300), 0.0)
    np.add.at(total, (rings.wall_row, rings.wall_column), series)
    with np.errstate(divide="ignore"):
        return float(0.9 / np.max(np.where(v > 0.0, total / np.where(v > 0.0, v * c, 1.0), 0.0)))


def solve_axisymmetric(
    problem: AxisymmetricProblem,
    times_s: tuple[float, ...] = (),
    fineness: Fineness | None = None,
    progress: Progress = SILENT,
) -> tuple[AxisymmetricField, ...]:
    """Solve from the start to the end of the thaw.

    Parameters
    ----------
    problem : AxisymmetricProblem
    times_s : tuple of float
        Times to keep besides the end.
    fineness : Fineness, optional

    Returns
    -------
    tuple of AxisymmetricField
        In time order; the last is the end.

    Raises
    ------
    Cancelled
        When `progress` says so.
    """
    from cryoplan.simulation.verification import axisymmetric_kernel as kernel

    rings = _rings(problem, fineness or Fineness())
    step_max = (fineness or Fineness()).step_max_s
    table = _table(problem.materials)
    drive: Drive = problem.probe.freeze
    start = problem.start_degc
    at_start = np.array([float(m.enthalpy(start)) for m in problem.materials])[rings.row_material][:, None]
    h = np.where(rings.volume > 0.0, at_start, 0.0)
    work, heat = np.zeros((4, *h.shape)), np.zeros(3)
    t, pot, awake = np.full_like(h, start), np.zeros_like(h), np.ones_like(h)
    frozen_step = _euler_step_s(rings, problem.materials, drive.end_degc, drive.coefficient)
    end = problem.freeze_s + problem.thaw_s
    stops = sorted({*(s for s in times_s if 0.0 < s < end), problem.freeze_s, end})
    fields, now, step = [], 0.0, FIRST_STEP_S
    for stop in stops:
        freezing = now < problem.freeze_s
        while now < stop - 1e-9:
            check_cancelled(progress)
            size = min(step, stop - now)
            # Super-steps of RKL2 reach (s^2 + s - 2) / 4 Euler steps; odd s keep it monotone for stiff parts.
            stages = max(3, math.ceil(0.5 * (-1.0 + math.sqrt(9.0 + 16.0 * size / frozen_step))))
            stages += 1 - stages % 2
            order = np.arange(stages, dtype=float)
            moment = now + size * (order**2 + order - 2.0) / (stages**2 + stages - 2.0)
            moment[0] = now
            moment[1:2] = now + size * 4.0 / (3.0 * (stages**2 + stages - 2.0))
            coolant = drive.end_degc + (start - drive.end_degc) * np.exp(-moment / drive.tau_s)
            before = heat[0]
            kernel.super_step(
                h, size, stages, work, heat, t, pot, awake, table, rings.row_material, rings.volume,
                rings.radial, rings.axial, rings.seam, rings.wall_column, rings.wall_row, rings.wall_exchange,
                rings.wall_spread, rings.outer, coolant, drive.coefficient if freezing else 0.0, start, start,
            )  # fmt: skip
            awake[t < problem.stasis_degc] = 0.0
            now += size
            power = (heat[0] - before) / size
            step = min(step * STEP_GROWTH, step_max)
        now = stop
        if stop == problem.freeze_s:
            step = FIRST_STEP_S
        fields.append(
            AxisymmetricField(
                time_s=stop, r_m=rings.r, z_m=rings.z, t_degc=np.where(rings.volume > 0.0, t, np.nan),
                probe_w=float(power), heat_j=(float(heat[0]), float(heat[1]), float(heat[2])),
                stored_j=float(((h - at_start) * rings.volume).sum()),
            )
        )  # fmt: skip
    return tuple(fields)
