"""Links: the kernels of what touches single cells - probe walls, seams between tissues, baths, the rim.

Scalar and in float64: there are thousands of links beside millions of cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cryoplan.simulation.compiled import inner
from cryoplan.simulation.curves import (
    BEND,
    GAIN,
    H1,
    HALF,
    INV_C_U,
    INV_H1,
    REF,
    RISE,
    SLOPED,
    T_L,
    T_LK,
    T_U,
)  # fmt: skip
from cryoplan.simulation.ledger import N_LEDGER


@inner
def temperature_of(e: Any, own: Any, m: Any, shared: Any, way: Any) -> Any:
    """Return degC of one enthalpy above that at T_l, float64."""
    frozen = min(e, 0.0)
    x = (
        own[m, GAIN] * (np.sqrt(max(1.0 + own[m, BEND] * frozen, 0.0)) - 1.0)
        if shared[way, SLOPED] > 0.5
        else own[m, GAIN] * frozen
    )
    mushy = min(max(e * own[m, INV_H1], 0.0), 1.0) * 2.0 * shared[way, HALF]
    return shared[way, T_L] + x + mushy + max(e - own[m, H1], 0.0) * own[m, INV_C_U]


@inner
def _potential_of(t: Any, shared: Any, way: Any, k_u: Any, k_l: Any) -> Any:
    """Return (integral of k dT up to T in W/m, k in W/(m K)) at one temperature, float64."""
    liquid = min(max((t - shared[way, T_L]) / (2.0 * shared[way, HALF]), 0.0), 1.0)
    cold = min(t - shared[way, T_L], 0.0)
    solid = 1.0 - liquid
    if shared[way, RISE] > 0.5:
        ratio = max(1.0 + cold / shared[way, T_LK], 1e-3)
        ice, psi = shared[way, T_LK] * np.log(ratio), solid / ratio
    else:
        ice, psi = cold, solid
    u = shared[way, T_U] - shared[way, HALF] * (1.0 - liquid * liquid) + max(t - shared[way, T_U], 0.0)
    return k_u * u + k_l * (ice - shared[way, HALF] * solid * solid), k_u * liquid + k_l * psi


@inner
def wall_heat(
    coolant: Any,
    here: Any,
    shared: Any,
    way: Any,
    k_u: Any,
    k_l: Any,
    log_resistance: Any,
    strength: Any,
    wall: Any,
) -> Any:
    """Return (heat into the tissue cell in W, wall temperature degC) of one wall link.

    Contact and tissue are in series, ``S (T_c - T_w) = (P(T_w) - P_cell) / R_k``: Newton from the wall of
    the last stage, in which P is the exact integral of k dT. The left side is the heat, so that what the
    probe draws is what the tissue gives whatever the iteration leaves.
    """
    for _ in range(30):
        there, slope = _potential_of(wall, shared, way, k_u, k_l)
        change = strength * (coolant - wall) - (there - here) / log_resistance
        change /= strength + slope / log_resistance
        wall = min(max(wall + change, -250.0), 150.0)
        if abs(change) < 1e-3:
            break
    return strength * (coolant - wall), wall


@inner
def warm_walls(
    field: Any, walls: Any, coolant: Any, strength: Any, y2: Any, gain: Any, volume: Any, rate: Any
) -> None:
    """Add what comes through the walls of the probes, by Newton from the wall of the last stage."""
    for link in range(walls.cell.shape[0]):
        probe = walls.probe[link]
        contact = walls.contact[link] * strength[probe]
        if contact <= 0.0:
            continue
        cell = walls.cell[link]
        m = walls.material[link]
        k_u, k_l = field.k[m, 0], field.k[m, 1]
        here = k_u * np.float64(field.u[cell]) + k_l * np.float64(field.psi[cell])
        heat, wall = wall_heat(
            coolant[probe],
            here,
            field.shared,
            field.way_of[m],
            k_u,
            k_l,
            walls.log[link],
            contact,
            walls.degc[link],
        )
        walls.degc[link] = wall
        y2[cell] += gain * heat / volume
        rate[N_LEDGER + probe] += heat / volume


@inner
def cross_seams(field: Any, seams: Any, y1: Any, y2: Any, gain: Any, scratch: Any) -> None:
    """Let heat through faces between tissues that freeze differently, mean k times temperature difference."""
    for index in range(seams.cell.shape[0]):
        m = seams.material[index]
        own, shared, way = field.own, field.shared, field.way_of[m]
        t = seams.held_degc[index]
        if np.isnan(t):
            t = temperature_of(np.float64(y1[seams.cell[index]]) + own[m, REF], own, m, shared, way)
        liquid = min(max((t - shared[way, T_L]) / (2.0 * shared[way, HALF]), 0.0), 1.0)
        cold_k = shared[way, T_LK] + min(t - shared[way, T_L], 0.0)
        scratch[0, index] = t
        scratch[1, index] = liquid
        scratch[2, index] = (1.0 - liquid) * (1.0 + shared[way, RISE] * (shared[way, T_LK] / cold_k - 1.0))
    for face in range(seams.low.shape[0]):
        a, b = seams.low[face], seams.high[face]
        rise_k = scratch[0, b] - scratch[0, a]
        if rise_k != 0.0:
            mean = seams.of_u[face] * (scratch[1, a] + scratch[1, b]) + seams.of_psi[face] * (
                scratch[2, a] + scratch[2, b]
            )
            heat = gain * mean * rise_k
            y2[seams.cell[a]] += heat
            y2[seams.cell[b]] -= heat


@inner
def bathe(field: Any, baths: Any, y1: Any, y2: Any, gain: Any, rate: Any) -> None:
    """Add what cells exchange with vessels, air, bags and warmers."""
    for index in range(baths.cell.shape[0]):
        cell = baths.cell[index]
        m = baths.material[index]
        e = np.float64(y1[cell]) + field.own[m, REF]
        t = temperature_of(e, field.own, m, field.shared, field.way_of[m])
        heat = baths.rate[index] * (baths.degc[index] - t)
        y2[cell] += gain * heat
        rate[baths.slot[index]] += heat


@inner
def through_rim(field: Any, rim: Any) -> Any:
    """Return what comes in from cells that are not stepped, W/m3 summed."""
    result = 0.0
    for face in range(rim.inside.shape[0]):
        a, b = rim.inside[face], rim.outside[face]
        result += rim.of_u[face] * (np.float64(field.u[b]) - np.float64(field.u[a]))
        result += rim.of_psi[face] * (np.float64(field.psi[b]) - np.float64(field.psi[a]))
    return result
