"""Kernels: one super-step of the enthalpy equation, compiled, without the interpreter lock, on one core.

Plain arrays in, plain arrays out; `cryoplan.simulation.reference` is the slow twin that says the same in
numpy. The
stages are first-order Runge-Kutta-Legendre (solver notes section 4)::

    Y_1 = Y_0 + mu~_1 D M(Y_0),  Y_j = mu_j Y_{j-1} + nu_j Y_{j-2} + mu_j w_1 D M(Y_{j-1})

Rows are sliced before the inner loops, because a loop over a slice is turned into vector instructions and a
loop over ``a[base + i]`` is not; each face is computed once. Energies go through the same recursion as the
state, in float64, so that they are the fluxes exactly as applied.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

_F = TypeVar("_F", bound=Callable[..., Any])

# Reassociation and contraction are free speed; NaN and infinities keep their meaning, they are looked for.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


def _compiled(function: _F) -> _F:
    """Compile with a cache on disk where there is a place for one, else without."""
    options: dict[str, Any] = {"nogil": True, "fastmath": _FAST, "boundscheck": False, "error_model": "numpy"}
    if os.environ.get("CRYOPLAN_NO_KERNEL_CACHE"):
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


ZERO = np.float32(0.0)
ONE = np.float32(1.0)
TWO = np.float32(2.0)
C3, C5, C7, C9, C11 = (np.float32(1.0 / n) for n in (3, 5, 7, 9, 11))
WAKING = np.float32(1.0)
"""1/K. Blood flow rises from 0 at T_u to full 1 / WAKING above it.

A hard switch at T_u has two steady states in the cell that holds the ice edge, and one that freezes stops
up to half a cell early (solver notes section 4, physics section 6). One kelvin is a tenth of a millimetre
in perfused liver.
"""

N_LEDGER = 5
"""Ledger terms before those of the probes: perfusion, metabolism, boundary, vessels, spare."""


@_compiled
def update_state(
    h: Any,
    t: Any,
    flow: Any,
    potential: Any,
    parameters: Any,
    run_start: Any,
    run_end: Any,
    run_material: Any,
    row_runs: Any,
    nj: Any,
    ni: Any,
    box: Any,
) -> None:
    """Write T, blood flow (0 to 1) and potential P of the enthalpies `h`.

    `box` holds the cells k0, k1, j0, j1, i0, i1, padded.
    """
    for k in range(box[0], box[1]):
        for j in range(box[2], box[3]):
            row = k * nj + j
            low, high = row * ni + box[4], row * ni + box[5]
            for run in range(row_runs[row], row_runs[row + 1]):
                start = max(run_start[run], low)
                end = min(run_end[run], high)
                if end <= start:
                    continue
                p = parameters[run_material[run]]
                t_l, h1, inv_h1, inv_cu = p[0], p[1], p[2], p[4]
                c_l, twice_b, t_lk, rise, c_l2 = p[5], p[6], p[7], p[8], p[9]
                k_u, k_l, width, bend = p[10], p[11], p[12], p[13]
                hs = h[start:end]
                ts = t[start:end]
                fs = flow[start:end]
                ps = potential[start:end]
                for i in range(end - start):
                    e = np.float32(hs[i])
                    frozen = min(e, ZERO)
                    between = min(max(e, ZERO), h1)
                    root = np.sqrt(max(c_l2 + twice_b * frozen, ZERO))
                    below = TWO * frozen / (c_l + root)
                    above = max(e - h1, ZERO) * inv_cu
                    liquid = between * inv_h1
                    part = liquid * width
                    ts[i] = t_l + below + part + above
                    fs[i] = min(above * WAKING, ONE)
                    # Integral of k dT; ln(T / T_l) through its atanh series, which keeps the loop in vectors.
                    z = below / (TWO * t_lk + below)
                    z2 = z * z
                    series = ONE + z2 * (C3 + z2 * (C5 + z2 * (C7 + z2 * (C9 + z2 * C11))))
                    ice = rise * t_lk * TWO * z * series + (ONE - rise) * below
                    ps[i] = k_l * ice + part * (k_l + bend * part) + k_u * above


@_compiled
def _potential(t: Any, p: Any) -> Any:
    """Return P in W/m at one temperature, float64."""
    below = min(t - p[0], 0.0)
    part = min(max(t - p[0], 0.0), p[12])
    ice = below
    if p[8] > 0.5:
        ice = p[7] * np.log(max(1.0 + below / p[7], 1e-3))
    return p[11] * ice + part * (p[11] + p[13] * part) + p[10] * max(t - p[14], 0.0)


@_compiled
def _mixture(t: Any, p: Any) -> tuple[float, float]:
    """Return (u, psi) at one temperature, float64."""
    liquid = min(max((t - p[0]) / p[12], 0.0), 1.0)
    cold_k = max(min(t, p[0]) + 273.15, 1.0)
    return liquid, (1.0 - liquid) * (1.0 + p[8] * (p[7] / cold_k - 1.0))


@_compiled
def _fluxes(pa: Any, pb: Any, g: Any, out: Any, n: Any) -> None:
    for i in range(n):
        out[i] = g[i] * (pb[i] - pa[i])


@_compiled
def _advance(
    y1: Any, y2: Any, acc: Any, t: Any, flow: Any, w: Any, mu: Any, nu: Any, gain: Any, start: Any, n: Any
) -> Any:
    """Write the new stage over `y2`; return the perfusion (with metabolism) that was applied, W/m3 summed."""
    total = 0.0
    for i in range(n):
        brought = w[i] * (start - t[i]) * flow[i]
        total += brought
        y2[i] = mu * y1[i] + nu * y2[i] + gain * np.float64(acc[i] + brought)
    return total


@_compiled
def _metabolism(q: Any, flow: Any, n: Any) -> float:
    total = 0.0
    for i in range(n):
        total += q[i] * flow[i]
    return total


@_compiled
def _wall(
    coolant: Any, cell: Any, p: Any, log_resistance: Any, contact: Any, coefficient: Any
) -> tuple[float, float]:
    """Return (heat into the tissue cell W, wall temperature degC) of one wall link.

    Tissue and contact are in series; the tissue's conductivity is its integral mean between wall and cell,
    found by four fixed-point steps.
    """
    strength = contact * coefficient
    if strength <= 0.0 or coolant == cell:
        return 0.0, cell
    here = _potential(cell, p)
    liquid, psi = _mixture(cell, p)
    k = p[10] * liquid + p[11] * psi
    heat = 0.0
    wall = cell
    for _ in range(4):
        heat = (coolant - cell) / (log_resistance / k + 1.0 / strength)
        wall = coolant - heat / strength
        if abs(wall - cell) > 1e-3:
            k = (_potential(wall, p) - here) / (wall - cell)
    heat = (coolant - cell) / (log_resistance / k + 1.0 / strength)
    return heat, coolant - heat / strength


@_compiled
def super_step(
    enthalpy: Any,
    source: Any,
    t: Any,
    flow: Any,
    potential: Any,
    coefficients: Any,
    parameters: Any,
    run_start: Any,
    run_end: Any,
    run_material: Any,
    row_runs: Any,
    seam_low: Any,
    seam_high: Any,
    seam_low_material: Any,
    seam_high_material: Any,
    seam_a: Any,
    seam_b: Any,
    w: Any,
    q: Any,
    nj: Any,
    ni: Any,
    box: Any,
    closed: Any,
    h: Any,
    start_degc: Any,
    step_s: Any,
    stages: Any,
    coolant: Any,
    strength: Any,
    link_cell: Any,
    link_probe: Any,
    link_material: Any,
    link_log: Any,
    link_contact: Any,
    fixed_cells: Any,
    fixed_h: Any,
    exchange_cells: Any,
    exchange: Any,
    vessel_degc: Any,
    ledger: Any,
) -> Any:
    """Advance the state by `step_s`; return the index of the buffer that holds it.

    Parameters
    ----------
    enthalpy : float64 (2, n)
        Buffers; `source` names the one with the state.
    box : int64 (6,)
        Active cells k0, k1, j0, j1, i0, i1 in padded indices.
    closed : int64 (6,)
        1 where that side of the box lies inside the lattice: nothing flows through it.
    coolant : float64 (stages, probes)
        T_c at the time of each stage, degC.
    strength : float64 (probes,)
        W/(m2 K); zero when the probe is off.
    ledger : float64 (5 + probes,)
        Joules into the tissue over this step: perfusion without metabolism, metabolism, boundary, vessels,
        spare, then each probe.
    """
    volume = h * h * h
    k0, k1, j0, j1, i0, i1 = box[0], box[1], box[2], box[3], box[4], box[5]
    n = i1 - i0
    rows = j1 - j0
    plane = nj * ni
    fx = np.zeros(n + 1, np.float32)
    fy_low = np.zeros(n, np.float32)
    fy_high = np.zeros(n, np.float32)
    fz_high = np.zeros(n, np.float32)
    fz_low = np.zeros((rows, n), np.float32)
    acc = np.zeros(n, np.float32)
    n_terms = ledger.shape[0]
    e_1 = np.zeros(n_terms)
    e_2 = np.zeros(n_terms)
    rate = np.zeros(n_terms)
    start32 = np.float32(start_degc)
    w1 = 2.0 / (stages * stages + stages)
    current = source
    gi, gj, gk = coefficients[0], coefficients[1], coefficients[2]

    for stage in range(1, stages + 1):
        if stage == 1:
            mu, nu = 1.0, 0.0
        else:
            mu, nu = (2.0 * stage - 1.0) / stage, (1.0 - stage) / stage
        gain = mu * w1 * step_s
        y1 = enthalpy[current]
        y2 = enthalpy[1 - current]
        update_state(
            y1, t, flow, potential, parameters, run_start, run_end, run_material, row_runs, nj, ni, box
        )
        for term in range(n_terms):
            rate[term] = 0.0

        for j in range(rows):
            a = (k0 - 1) * plane + (j0 + j) * ni + i0
            b = a + plane
            low = fz_low[j]
            if closed[0]:
                for i in range(n):
                    low[i] = ZERO
            else:
                _fluxes(potential[a : a + n], potential[b : b + n], gk[a : a + n], low, n)
                for i in range(n):
                    rate[2] -= low[i]
        for k in range(k0, k1):
            a = k * plane + (j0 - 1) * ni + i0
            b = a + ni
            if closed[2]:
                for i in range(n):
                    fy_low[i] = ZERO
            else:
                _fluxes(potential[a : a + n], potential[b : b + n], gj[a : a + n], fy_low, n)
                for i in range(n):
                    rate[2] -= fy_low[i]
            for j in range(rows):
                c = k * plane + (j0 + j) * ni + i0
                tc = t[c : c + n]
                fc = flow[c : c + n]
                pc = potential[c : c + n]
                # along i: n + 1 faces, the first one below the row
                _fluxes(potential[c - 1 : c + n], potential[c : c + n + 1], gi[c - 1 : c + n], fx, n + 1)
                if closed[4]:
                    fx[0] = ZERO
                if closed[5]:
                    fx[n] = ZERO
                rate[2] += np.float64(fx[n]) - np.float64(fx[0])
                d = c + ni
                if closed[3] and j == rows - 1:
                    for i in range(n):
                        fy_high[i] = ZERO
                else:
                    _fluxes(pc, potential[d : d + n], gj[c : c + n], fy_high, n)
                    if j == rows - 1:
                        for i in range(n):
                            rate[2] += fy_high[i]
                d = c + plane
                if closed[1] and k == k1 - 1:
                    for i in range(n):
                        fz_high[i] = ZERO
                else:
                    _fluxes(pc, potential[d : d + n], gk[c : c + n], fz_high, n)
                    if k == k1 - 1:
                        for i in range(n):
                            rate[2] += fz_high[i]
                low = fz_low[j]
                fx_high = fx[1 : n + 1]
                for i in range(n):
                    acc[i] = (fx_high[i] - fx[i]) + (fy_high[i] - fy_low[i]) + (fz_high[i] - low[i])
                for i in range(n):
                    low[i] = fz_high[i]
                fy_low, fy_high = fy_high, fy_low
                rate[0] += _advance(
                    y1[c : c + n], y2[c : c + n], acc, tc, fc, w[c : c + n], mu, nu, gain, start32, n
                )
                rate[1] += _metabolism(q[c : c + n], fc, n)
        rate[0] -= rate[1]

        for face in range(seam_low.shape[0]):
            low_cell, high_cell = seam_low[face], seam_high[face]
            rise_degc = np.float64(t[high_cell]) - np.float64(t[low_cell])
            if rise_degc != 0.0:
                u_a, psi_a = _mixture(t[low_cell], parameters[seam_low_material[face]])
                u_b, psi_b = _mixture(t[high_cell], parameters[seam_high_material[face]])
                flux = (seam_a[face] * (u_a + u_b) + seam_b[face] * (psi_a + psi_b)) * rise_degc
                y2[low_cell] += gain * flux
                y2[high_cell] -= gain * flux
        for link in range(link_cell.shape[0]):
            cell, probe = link_cell[link], link_probe[link]
            heat, _ = _wall(
                coolant[stage - 1, probe],
                t[cell],
                parameters[link_material[link]],
                link_log[link],
                link_contact[link],
                strength[probe],
            )
            y2[cell] += gain * heat / volume
            rate[N_LEDGER + probe] += heat / volume
        for index in range(exchange_cells.shape[0]):
            cell = exchange_cells[index]
            heat = exchange[index] * (vessel_degc - t[cell])
            y2[cell] += gain * heat
            rate[3] += heat
        taken = 0.0
        for index in range(fixed_cells.shape[0]):
            # What the faces brought is what the blood takes away: the lumen keeps its temperature.
            cell = fixed_cells[index]
            taken += y2[cell] - fixed_h[index]
            y2[cell] = fixed_h[index]
        for term in range(n_terms):
            new = mu * e_1[term] + nu * e_2[term] + gain * rate[term] * volume
            if term == 3:
                new -= taken * volume
            e_2[term] = e_1[term]
            e_1[term] = new
        current = 1 - current

    update_state(
        enthalpy[current],
        t,
        flow,
        potential,
        parameters,
        run_start,
        run_end,
        run_material,
        row_runs,
        nj,
        ni,
        box,
    )
    for term in range(n_terms):
        ledger[term] = e_1[term]
    return current


@_compiled
def show_probes(
    t: Any,
    parameters: Any,
    coolant: Any,
    strength: Any,
    link_cell: Any,
    link_core: Any,
    link_probe: Any,
    link_material: Any,
    link_log: Any,
    link_contact: Any,
    link_share: Any,
    probe_cells: Any,
    probe_cell_owner: Any,
    shaft: Any,
) -> None:
    """Write the mean shaft temperature of each probe, and wall temperatures into its own cells."""
    n_cells = probe_cells.shape[0]
    n_probes = shaft.shape[0]
    sums = np.zeros(n_cells)
    counts = np.zeros(n_cells)
    total = np.zeros(n_probes)
    weight = np.zeros(n_probes)
    for link in range(link_cell.shape[0]):
        probe = link_probe[link]
        _, wall = _wall(
            coolant[probe],
            t[link_cell[link]],
            parameters[link_material[link]],
            link_log[link],
            link_contact[link],
            strength[probe],
        )
        sums[link_core[link]] += wall
        counts[link_core[link]] += 1.0
        total[probe] += wall * link_share[link]
        weight[probe] += link_share[link]
    for probe in range(n_probes):
        if weight[probe] > 0.0:
            shaft[probe] = total[probe] / weight[probe]
    for index in range(n_cells):
        if counts[index] > 0.0:
            t[probe_cells[index]] = sums[index] / counts[index]
        else:
            t[probe_cells[index]] = shaft[probe_cell_owner[index]]


@_compiled
def keep_minimum(
    t: Any, minimum: Any, at_s: Any, w: Any, q: Any, time_s: Any, stasis: Any, nj: Any, ni: Any, box: Any
) -> Any:
    """Note new lowest temperatures and stop the blood for good where tissue was ever below `stasis`."""
    now = np.float32(time_s)
    limit = np.float32(stasis)
    coldest = np.float32(1e9)
    for k in range(box[0], box[1]):
        for j in range(box[2], box[3]):
            c = (k * nj + j) * ni + box[4]
            n = box[5] - box[4]
            ts, ms, at = t[c : c + n], minimum[c : c + n], at_s[c : c + n]
            ws, qs = w[c : c + n], q[c : c + n]
            for i in range(n):
                value = ts[i]
                coldest = min(coldest, value)
                if value < ms[i]:
                    ms[i] = value
                    at[i] = now
                    if value < limit:
                        ws[i] = ZERO
                        qs[i] = ZERO
    return coldest
