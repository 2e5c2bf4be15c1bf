"""Curves: the enthalpy law of a tissue as the few numbers that the kernels need.

The state of a cell is the enthalpy above that at the start temperature. Heat flows down two potentials,

    U = integral of u dT,   Psi = integral of psi dT,   k = k_u u + k_l psi

(u: unfrozen fraction, psi: ice factor; both integrals are set so that U = T and Psi = 0 above T_u). Within
one tissue ``k_u (U_b - U_a) + k_l (Psi_b - Psi_a)`` is the exact integral of k dT, the mean that neither
lags nor leads a front (solver notes section 2); between two tissues that freeze alike the same two
differences carry the harmonic means of k_u and k_l, so that one form serves every face.

With e the enthalpy above that at T_l, ice is at ``T = T_l + x``, ``x = GAIN (r - 1)``,
``r = sqrt(1 + BEND e)`` (c_f rises with T), or ``x = GAIN e`` (c_f constant). Psi is a polynomial of degree 9
in x, the same for all tissues that freeze alike; it is good to `FIT_K` down to `COLDEST_DEGC` and a tenth of
that above -60 degC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.units import ZERO_CELSIUS_K
from cryoplan.simulation.tissue import Material

Float64s = npt.NDArray[np.float64]

COLDEST_DEGC = -200.0
"""Liquid nitrogen boils at -196 degC: nothing gets colder."""

FIT_K = 2e-3
"""Largest error of the fit, in kelvin."""

DEGREE = 9

REF, H1, INV_H1, INV_C_U, BEND, GAIN = range(6)
"""Columns that differ between tissues: these are what a cell of a mixed chunk carries along."""

N_OWN = 6

(T_U, T_L, HALF, ZERO, ONE, SLOPED, RISE, T_LK, POLY) = range(9)
"""Columns of a way to freeze; the polynomial takes `DEGREE` columns from POLY on.

SLOPED is 1 where c_f rises with T, 0 where it is constant.
"""

N_SHARED = POLY + DEGREE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """Parameter tables of the materials of a problem.

    Attributes
    ----------
    own : float (materials, 6)
    way : int64 (materials,)
        Which row of `shared` a material uses.
    shared : float (ways, 18)
    conductivity : float64 (materials, 2)
        k_u and k_l.
    """

    own: npt.NDArray[np.floating]
    way: npt.NDArray[np.int64]
    shared: npt.NDArray[np.floating]
    conductivity: Float64s


def tabulate(materials: Sequence[Material], start_degc: float, dtype: npt.DTypeLike) -> Curves:
    """Return the tables; `start_degc` is where the stored enthalpy is zero."""
    ways: dict[tuple[float, ...], int] = {}
    way = []
    shared: list[Float64s] = []
    for material in materials:
        key = (*way_to_freeze(material), float(material.cf_b > 0.0))
        if key not in ways:
            ways[key] = len(shared)
            shared.append(_shared(material))
        way.append(ways[key])
    return Curves(
        own=np.stack([_own(m, start_degc) for m in materials]).astype(dtype),
        way=np.array(way, np.int64),
        shared=np.stack(shared).astype(dtype),
        conductivity=np.array([[m.k_u, m.k_l] for m in materials]),
    )


def way_to_freeze(material: Material) -> tuple[float, float, float]:
    """Return what two materials share when U and Psi are the same functions of temperature."""
    return material.t_u, material.t_l, material.rise


def _own(material: Material, start_degc: float) -> Float64s:
    row = np.zeros(N_OWN)
    row[REF] = float(material.enthalpy(start_degc))
    row[H1], row[INV_H1], row[INV_C_U] = material.h1, 1.0 / material.h1, 1.0 / material.c_u
    if material.cf_b > 0.0:
        row[BEND], row[GAIN] = 2.0 * material.cf_b / material.c_l**2, material.c_l / material.cf_b
    else:
        row[GAIN] = 1.0 / material.c_l
    return row


def _shared(material: Material) -> Float64s:
    row = np.zeros(N_SHARED)
    row[T_U], row[T_L], row[HALF] = material.t_u, material.t_l, 0.5 * (material.t_u - material.t_l)
    row[ONE], row[SLOPED], row[RISE] = 1.0, float(material.cf_b > 0.0), material.rise
    row[T_LK] = material.t_l + ZERO_CELSIUS_K
    row[POLY:] = _ice_polynomial(material)
    return row


def _ice_polynomial(material: Material) -> Float64s:
    """Return coefficients of x, x^2, ... for the integral of psi dT from T_l to T_l + x."""
    lowest = COLDEST_DEGC - material.t_l
    x = 0.5 * lowest * (1.0 - np.cos(np.pi * (np.arange(200) + 0.5) / 200))
    wanted = _ice_integral(material, material.t_l + x)
    powers = (x / lowest)[:, None] ** np.arange(1, DEGREE + 1)
    # Weighted towards the warm end, where an error moves an isotherm.
    weight = 1.0 / (0.02 + x / lowest)
    scaled = np.linalg.lstsq(powers * weight[:, None], wanted * weight, rcond=None)[0]
    return np.asarray(scaled / lowest ** np.arange(1, DEGREE + 1))


def _ice_integral(material: Material, t_degc: Float64s) -> Float64s:
    at = np.asarray(material.potential(t_degc)) - float(material.potential(material.t_l))
    return np.asarray(at / material.k_l)


def potentials(material: Material, t_degc: npt.ArrayLike) -> tuple[Float64s, Float64s]:
    """Return (U, Psi) in kelvin at temperatures in degC, exactly."""
    t = np.asarray(t_degc, float)
    half = 0.5 * (material.t_u - material.t_l)
    u = material.unfrozen_fraction(t)
    above = np.maximum(t - material.t_u, 0.0)
    ice = _ice_integral(material, np.minimum(t, material.t_l))
    return material.t_u - half * (1.0 - u**2) + above, ice - half * (1.0 - u) ** 2
