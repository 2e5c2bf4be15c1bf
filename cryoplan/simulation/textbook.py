"""Textbook: the explicit solver that everybody writes first, in loops and in numpy; the yardstick of speed.

Forward Euler in time and central differences in space (FTCS) on temperatures::

    T' = T + dt / c(T) * (sum over six faces of k_face (T_neighbour - T) / h2 + w (T_blood - T) + q_m)

with the apparent heat capacity c(T) (the latent heat spread over the freezing range), harmonic means of k(T)
on the faces, blood flow where nothing is frozen, and probes as voxels held at the temperature of the coolant.
It knows no vessels, no stasis and no contact resistance. Nothing plans with it: ``cryoplan bench`` divides
its time by that of `cryoplan.simulation.solver`. A probe made of voxels is as wrong here as anywhere (solver
notes section 3), so temperatures near probes are not to be compared.

The loops are compiled as they stand, in one thread and in float64 (float32 is not faster here), with the
error model of numpy: testing each of the six divisions for zero would make them more than twice as slow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.units import ZERO_CELSIUS_K
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.sources import ProbeSource
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SAFETY = 0.9
"""Share of the longest stable step; anybody would keep some distance from the edge."""


class Textbook:
    """A field that explicit steps march on.

    Parameters
    ----------
    problem : Problem
        Its material map, faces, probes and first stage are used.
    step : callable
        `step_loops` or `step_arrays`.

    Attributes
    ----------
    dt_s : float
        Step: 0.9 of what is stable for the fastest diffusion that the temperatures of this problem allow.
    steps_needed : int
        Steps to the end of the protocol.
    steps : int
        Steps taken.
    """

    def __init__(self, problem: Problem, step: Callable[..., None]) -> None:
        self._problem, self._step = problem, step
        self._h = problem.cell_m
        self._label = np.pad(problem.material_map, 1, mode="edge").astype(np.int64)
        self._table = np.array([_row(m) for m in problem.materials])
        if step is step_arrays:
            self._table = np.ascontiguousarray(self._table.T[:, self._label])
        self._t = np.full(self._label.shape, float(problem.start_degc))
        self._new, self._k = self._t.copy(), np.empty_like(self._t)
        self._probe = np.zeros(self._label.shape, np.int64)
        for number, source in enumerate(problem.probes):
            self._probe[1:-1, 1:-1, 1:-1][_voxels(source, problem)] = number + 1
        self._hold_faces(self._t)
        self.dt_s = SAFETY * self._longest_s()
        self.steps_needed = math.ceil(problem.duration_s / self.dt_s)
        self.steps = 0

    def march(self, steps: int, progress: Progress = SILENT) -> None:
        """Take steps; asks before each whether to stop.

        Raises
        ------
        Cancelled
            When `progress` says so.
        """
        for _ in range(steps):
            check_cancelled(progress)
            time_s = (self.steps + 1) * self.dt_s
            self._step(
                self._t, self._new, self._k, self._label, self._probe, self._table, self._coolant(time_s),
                self._problem.start_degc, self.dt_s, self._h,
            )  # fmt: skip
            self._hold_faces(self._new)
            self._t, self._new = self._new, self._t
            self.steps += 1

    @property
    def temperature_degc(self) -> FloatArray:
        """Temperature, float64, ``[k, j, i]``, degC."""
        return self._t[1:-1, 1:-1, 1:-1].copy()

    def _coolant(self, time_s: float) -> FloatArray:
        start = self._problem.start_degc
        drives = [p.freeze for p in self._problem.probes]
        return np.array([d.end_degc + (start - d.end_degc) * math.exp(-time_s / d.tau_s) for d in drives])

    def _hold_faces(self, t: FloatArray) -> None:
        # The halo holds the temperature of the face; half a cell too far out, as everybody does it first.
        for side, degc in enumerate(self._problem.boundary_degc):
            axis, high = divmod(side, 2)
            halo: list[Any] = [slice(None)] * 3
            inner = list(halo)
            halo[axis], inner[axis] = (-1, -2) if high else (0, 1)
            t[tuple(halo)] = t[tuple(inner)] if degc is None else degc

    def _longest_s(self) -> float:
        """Return h2 c / (6 k), least c and largest k of each material over the range that may occur."""
        faces = [b for b in self._problem.boundary_degc if b is not None]
        ends = [p.freeze.end_degc for p in self._problem.probes]
        range_degc = (min(self._problem.start_degc, *faces, *ends), max(self._problem.start_degc, *faces))
        t = np.linspace(*range_degc, 400)
        used = np.unique(self._label)
        fastest = max(
            float(np.max(m.conductivity(t))) / min(m.c_u, m.cf_a + m.cf_b * min(range_degc[0], m.t_l))
            for m in (self._problem.materials[n] for n in used)
        )
        return float(self._h**2 / (6.0 * fastest))


def _row(m: Material) -> list[float]:
    mushy = m.h1 / (m.t_u - m.t_l)
    return [m.t_u, m.t_l, m.c_u, mushy, m.cf_a, m.cf_b, m.k_u, m.k_l, m.rise, m.w, m.q_m]


def _voxels(source: ProbeSource, problem: Problem) -> tuple[IntArray, ...]:
    """Return the voxels that the active zone passes through, found by walking along it."""
    count = max(2, math.ceil(4.0 * source.length_m / problem.cell_m))
    along = np.linspace(0.0, source.length_m, count)
    points_mm = 1000.0 * (np.asarray(source.begin_m) + np.outer(along, source.back))
    points_mm = points_mm[problem.grid.contains_mm(points_mm)]
    ijk = np.rint(problem.grid.mm_to_index(points_mm)).astype(np.int64)
    ijk = np.clip(ijk, 0, np.asarray(problem.grid.size) - 1)
    return ijk[:, 2], ijk[:, 1], ijk[:, 0]


@numba.njit(error_model="numpy")
def _conductivity(t: Any, p: Any) -> Any:
    if t >= p[0]:
        return p[6]
    if t > p[1]:
        return p[7] + (p[6] - p[7]) * (t - p[1]) / (p[0] - p[1])
    if p[8] > 0.5:
        return p[7] * (p[1] + 273.15) / (t + 273.15)
    return p[7]


@numba.njit(error_model="numpy")
def _capacity(t: Any, p: Any) -> Any:
    if t >= p[0]:
        return p[2]
    if t > p[1]:
        return p[3]
    return p[4] + p[5] * t


@numba.njit(error_model="numpy")
def _mean(a: Any, b: Any) -> Any:
    return 2.0 * a * b / (a + b)


@numba.njit(error_model="numpy")
def step_loops(
    t: Any,
    new: Any,
    k: Any,
    label: Any,
    probe: Any,
    table: Any,
    coolant: Any,
    blood: Any,
    dt: Any,
    h: Any,
) -> None:
    """Write the temperatures after one step to `new`; plain nested loops.

    Parameters
    ----------
    t, new, k : float64 ``[k, j, i]`` with halo
        Temperatures before and after, degC, and room for the conductivity.
    label, probe : int64 ``[k, j, i]`` with halo
        Row of `table`; number of the probe, 0 for tissue.
    table : float64 (n, 11)
        Properties of the tissues.
    coolant : float64 (n,)
        Temperature of each probe, degC.
    blood, dt, h : float
        degC, s, m.
    """
    nk, nj, ni = t.shape
    for a in range(nk):
        for b in range(nj):
            for c in range(ni):
                k[a, b, c] = _conductivity(t[a, b, c], table[label[a, b, c]])
    for a in range(1, nk - 1):
        for b in range(1, nj - 1):
            for c in range(1, ni - 1):
                if probe[a, b, c] > 0:
                    new[a, b, c] = coolant[probe[a, b, c] - 1]
                    continue
                p = table[label[a, b, c]]
                here = t[a, b, c]
                own = k[a, b, c]
                heat = _mean(own, k[a - 1, b, c]) * (t[a - 1, b, c] - here)
                heat += _mean(own, k[a + 1, b, c]) * (t[a + 1, b, c] - here)
                heat += _mean(own, k[a, b - 1, c]) * (t[a, b - 1, c] - here)
                heat += _mean(own, k[a, b + 1, c]) * (t[a, b + 1, c] - here)
                heat += _mean(own, k[a, b, c - 1]) * (t[a, b, c - 1] - here)
                heat += _mean(own, k[a, b, c + 1]) * (t[a, b, c + 1] - here)
                source = p[10]
                if here >= p[0]:
                    source += p[9] * (blood - here)
                new[a, b, c] = here + dt / _capacity(here, p) * (heat / (h * h) + source)


def step_arrays(
    t: FloatArray,
    new: FloatArray,
    k: FloatArray,
    _label: IntArray,
    probe: IntArray,
    table: FloatArray,
    coolant: FloatArray,
    blood: float,
    dt: float,
    h: float,
) -> None:
    """Write the temperatures after one step to `new`; the same in whole numpy arrays.

    `table` is spread over the cells beforehand: float64 ``[11, k, j, i]``.
    """
    t_u, t_l, c_u, c_mushy, c_a, c_b, k_u, k_l, rise, w, q_m = table
    warm, frozen = t >= t_u, t <= t_l
    ice = np.where(rise > 0.5, k_l * (t_l + ZERO_CELSIUS_K) / (t + ZERO_CELSIUS_K), k_l)
    k[...] = np.where(warm, k_u, np.where(frozen, ice, k_l + (k_u - k_l) * (t - t_l) / (t_u - t_l)))
    capacity = np.where(warm, c_u, np.where(frozen, c_a + c_b * t, c_mushy))
    source = q_m + np.where(warm, w * (blood - t), 0.0)
    heat = np.zeros_like(t)
    for axis in range(3):
        low: list[slice] = [slice(None)] * 3
        high = list(low)
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        a, b = tuple(low), tuple(high)
        flow = 2.0 * k[a] * k[b] / (k[a] + k[b]) * (t[b] - t[a])
        heat[a] += flow
        heat[b] -= flow
    new[...] = t + dt / capacity * (heat / h**2 + source)
    held = probe > 0
    new[held] = coolant[probe[held] - 1]
