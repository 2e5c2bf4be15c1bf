"""Axisymmetric kernel: the enthalpy balance of rings around a probe, compiled, in float64.

It shares nothing with the three-dimensional solver but the equations: rings instead of cubes, the probe a
wall instead of corrected faces, the seam between two tissues solved for its temperature instead of a
harmonic mean, and second-order super-steps (RKL2; Meyer, Balsara & Aslam 2014, J Comput Phys 257:594, doi
10.1016/j.jcp.2013.08.021) instead of first-order ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

_F = TypeVar("_F", bound=Callable[..., Any])


def _compiled(function: _F) -> _F:
    """Compile with a cache on disk where there is a place for one, else without."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


T_U, T_L, H1, C_U, CF_B, C_L, K_U, K_L, RISE, W, Q_M = range(11)
"""Columns of the table of materials; H1 and C_L as `Material.h1` and `Material.c_l`."""

WAKING_K = 1.0
"""Blood flow rises from 0 at T_u to full over this (physics section 6)."""

KELVIN = 273.15


@_compiled
def temperature_of(h: Any, p: Any) -> Any:
    """Return degC at an enthalpy of J/m3."""
    if h <= 0.0:
        if p[CF_B] == 0.0:
            return p[T_L] + h / p[C_L]
        # H = c_l x + b x^2 / 2 with x = T - T_l
        return p[T_L] + (np.sqrt(max(p[C_L] * p[C_L] + 2.0 * p[CF_B] * h, 0.0)) - p[C_L]) / p[CF_B]
    if h < p[H1]:
        return p[T_L] + (p[T_U] - p[T_L]) * h / p[H1]
    return p[T_U] + (h - p[H1]) / p[C_U]


@_compiled
def conductivity_of(t: Any, p: Any) -> Any:
    """Return k in W/(m K)."""
    if t >= p[T_U]:
        return p[K_U]
    if t > p[T_L]:
        return p[K_L] + (p[K_U] - p[K_L]) * (t - p[T_L]) / (p[T_U] - p[T_L])
    if p[RISE] == 0.0:
        return p[K_L]
    return p[K_L] * (p[T_L] + KELVIN) / (t + KELVIN)


@_compiled
def potential_of(t: Any, p: Any) -> Any:
    """Return the integral of k dT from T_l, W/m."""
    if t <= p[T_L]:
        if p[RISE] == 0.0:
            return p[K_L] * (t - p[T_L])
        return p[K_L] * (p[T_L] + KELVIN) * np.log((t + KELVIN) / (p[T_L] + KELVIN))
    if t < p[T_U]:
        x = t - p[T_L]
        return x * (p[K_L] + 0.5 * (p[K_U] - p[K_L]) * x / (p[T_U] - p[T_L]))
    return 0.5 * (p[K_L] + p[K_U]) * (p[T_U] - p[T_L]) + p[K_U] * (t - p[T_U])


@_compiled
def _wall_flux(t_cell: Any, t_coolant: Any, exchange: Any, spread: Any, p: Any) -> Any:
    """Return heat through a wall into a cell, W: exchange (W/K) in series with the tissue (spread in m).

    Newton on the wall temperature; both fluxes are monotone in it.
    """
    if exchange == 0.0:
        return 0.0
    held = potential_of(t_cell, p)
    wall = t_coolant
    for _ in range(30):
        miss = exchange * (t_coolant - wall) - spread * (potential_of(wall, p) - held)
        change = miss / (exchange + spread * conductivity_of(wall, p))
        wall += change
        if abs(change) < 1e-9:
            break
    return exchange * (t_coolant - wall)


@_compiled
def _seam_flux(t_low: Any, t_high: Any, a: Any, b: Any, p_low: Any, p_high: Any) -> Any:
    """Return heat per area from high to low across a seam, W/m2; a, b are the inverse half widths, 1/m."""
    p_a, p_b = potential_of(t_low, p_low), potential_of(t_high, p_high)
    seam = 0.5 * (t_low + t_high)
    low, high = min(t_low, t_high), max(t_low, t_high)
    for _ in range(40):
        miss = b * (p_b - potential_of(seam, p_high)) - a * (potential_of(seam, p_low) - p_a)
        change = miss / (a * conductivity_of(seam, p_low) + b * conductivity_of(seam, p_high))
        seam = min(max(seam + change, low), high)
        if abs(change) < 1e-10:
            break
    return a * (potential_of(seam, p_low) - p_a)


@_compiled
def rate(
    h: Any, out: Any, t: Any, pot: Any, awake: Any, table: Any, row_material: Any, volume: Any, radial: Any,
    axial: Any, seam: Any, wall_column: Any, wall_row: Any, wall_exchange: Any, wall_spread: Any,
    outer: Any, coolant: Any, strength: Any, start: Any, blood: Any,
) -> Any:  # fmt: skip
    """Write dH/dt of every ring and return (heat from the probe, perfusion and metabolism, boundary) in W.

    Arrays are ``[row, column]``; `volume` is 0 inside the probe. `radial` and `axial` hold area / distance of
    the face above each ring (0 where there is none), `seam` area and both half widths of the rows above which
    the tissue changes, `outer` the conductance lengths of the outer faces, whose temperature is `start`.
    """
    rows, columns = h.shape
    for j in range(rows):
        p = table[row_material[j]]
        for i in range(columns):
            if volume[j, i] > 0.0:
                t[j, i] = temperature_of(h[j, i], p)
                pot[j, i] = potential_of(t[j, i], p)
            out[j, i] = 0.0
    blood_w, outer_w, probe_w = 0.0, 0.0, 0.0
    for j in range(rows):
        p = table[row_material[j]]
        far = potential_of(start, p)
        for i in range(columns):
            if volume[j, i] == 0.0:
                continue
            if radial[j, i] > 0.0:
                q = radial[j, i] * (pot[j, i + 1] - pot[j, i])
                out[j, i] += q
                out[j, i + 1] -= q
            if axial[j, i] > 0.0:
                if seam[j, 0] > 0.0:
                    area = volume[j, i] * seam[j, 0]
                    q = area * _seam_flux(
                        t[j, i], t[j + 1, i], seam[j, 1], seam[j, 2], p, table[row_material[j + 1]]
                    )
                else:
                    q = axial[j, i] * (pot[j + 1, i] - pot[j, i])
                out[j, i] += q
                out[j + 1, i] -= q
            if outer[j, i] > 0.0:
                q = outer[j, i] * (far - pot[j, i])
                out[j, i] += q
                outer_w += q
            flow = min(max((t[j, i] - p[T_U]) / WAKING_K, 0.0), 1.0) * awake[j, i]
            q = flow * (p[W] * (blood - t[j, i]) + p[Q_M]) * volume[j, i]
            out[j, i] += q
            blood_w += q
    for n in range(len(wall_row)):
        j, i = wall_row[n], wall_column[n]
        q = _wall_flux(t[j, i], coolant, strength * wall_exchange[n], wall_spread[n], table[row_material[j]])
        out[j, i] += q
        probe_w += q
    for j in range(rows):
        for i in range(columns):
            if volume[j, i] > 0.0:
                out[j, i] /= volume[j, i]
    return probe_w, blood_w, outer_w


@_compiled
def super_step(
    h: Any, step_s: Any, stages: Any, work: Any, heat: Any, t: Any, pot: Any, awake: Any, table: Any,
    row_material: Any, volume: Any, radial: Any, axial: Any, seam: Any, wall_column: Any, wall_row: Any,
    wall_exchange: Any, wall_spread: Any, outer: Any, coolants: Any, strength: Any, start: Any, blood: Any,
) -> None:  # fmt: skip
    """Advance `h` by one RKL2 super-step; `coolants` has the coolant at each stage, `heat` takes joules."""
    # work: [0] rate at the start, [1] rate now, [2], [3] the last two stages
    rows, columns = h.shape
    w1 = 4.0 / (stages * stages + stages - 2.0)
    first = rate(
        h, work[0], t, pot, awake, table, row_material, volume, radial, axial, seam, wall_column, wall_row,
        wall_exchange, wall_spread, outer, coolants[0], strength, start, blood,
    )  # fmt: skip
    gain = w1 / 3.0
    for j in range(rows):
        for i in range(columns):
            work[2, j, i] = h[j, i]
            work[3, j, i] = h[j, i] + gain * step_s * work[0, j, i]
    # Joules go through the same recursion as the state, so that they are the fluxes exactly as applied.
    before = np.zeros(3)
    last = np.zeros(3)
    for e in range(3):
        last[e] = gain * step_s * first[e]
    b_1, b_2 = 1.0 / 3.0, 1.0 / 3.0  # of the stages j - 1 and j - 2
    older, newer = 2, 3
    for n in range(2, stages + 1):
        b = (n * n + n - 2.0) / (2.0 * n * (n + 1.0))
        mu = (2.0 * n - 1.0) / n * b / b_1
        nu = -(n - 1.0) / n * b / b_2
        gain = mu * w1
        back = -(1.0 - b_1) * gain
        now = rate(
            work[newer], work[1], t, pot, awake, table, row_material, volume, radial, axial, seam,
            wall_column, wall_row, wall_exchange, wall_spread, outer, coolants[n - 1], strength, start, blood,
        )  # fmt: skip
        rest = 1.0 - mu - nu
        for j in range(rows):
            for i in range(columns):
                work[older, j, i] = (
                    mu * work[newer, j, i] + nu * work[older, j, i] + rest * h[j, i]
                    + step_s * (gain * work[1, j, i] + back * work[0, j, i])
                )  # fmt: skip
        for e in range(3):
            before[e] = mu * last[e] + nu * before[e] + step_s * (gain * now[e] + back * first[e])
        for e in range(3):
            last[e], before[e] = before[e], last[e]
        older, newer = newer, older
        b_2, b_1 = b_1, b
    for j in range(rows):
        for i in range(columns):
            h[j, i] = work[newer, j, i]
            if volume[j, i] > 0.0:
                t[j, i] = temperature_of(h[j, i], table[row_material[j]])
    for e in range(3):
        heat[e] += last[e]
