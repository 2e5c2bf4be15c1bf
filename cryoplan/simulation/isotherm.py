"""Isotherm: between voxels a temperature is read along the heat potential, which runs straight through ice.

Heat flows down the integral of k dT, and ice conducts up to four times better than tissue. Where a voxel is
ice and its neighbour is not, the temperature therefore bends between them, and a straight line through both
puts the edge of the ice up to a sixth of a voxel too far inside. The potential of heat conduction (Kirchhoff
1894; Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed., section 1.6) has no such bend::

    g(T) = T                                            above the begin of freezing T_u
    g(T) = T_u - (1 / k_u) (integral of k dT, T to T_u)  below it

g is counted in kelvin of unfrozen tissue, so that fields without ice are read as they are. Everything that
says where a temperature lies (lines, surfaces, sizes, margins, covered shares, the verification) reads g at
g(T), and what reads a temperature at a place reads g there and turns it back.

One curve is used for every tissue: that of liver, in the tissue table with its sources (`READ_AS`). Most
tissues of the table freeze alike; `READ_AS` says what the others lose.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cryoplan.core.units import ZERO_CELSIUS_K
from cryoplan.core.volume import Volume
from cryoplan.simulation.tissue import Material, load_tissues

READ_AS = "liver"
"""The tissue whose curve is used. Soft organs, muscle, blood and tumours share its freezing range and its
ratio of ice to tissue within a tenth."""

COLDEST_DEGC = -250.0
"""Below the temperature of any coolant; keeps the logarithm of the curve finite for whatever is asked."""


@lru_cache(maxsize=1)
def _ice() -> tuple[Material, float]:
    """Return the material and its potential where freezing begins, W/m."""
    material = load_tissues().tissue(READ_AS).material()
    return material, float(material.potential(material.t_u))


def heat_potential(degc: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return the heat potential of temperatures, in kelvin of unfrozen tissue.

    Never falls where the temperature rises, and rises by more than the temperature does. Compare fields and
    levels that both came through here.

    Parameters
    ----------
    degc : array_like
        Temperatures in degC, any shape; values that are not numbers stay what they are.
    """
    material, begin = _ice()
    result = np.array(degc, np.float32)
    # Only the ice bends: in a block of a million voxels that is a twentieth of them.
    flat = result.reshape(-1)
    cold = np.flatnonzero((flat < material.t_u) & (flat > -np.inf))
    at = np.maximum(flat[cold].astype(float), COLDEST_DEGC)
    flat[cold] = material.t_u + (material.potential(at) - begin) / material.k_u
    return result


def potential_degc(potential: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the temperatures in degC of heat potentials; the inverse of `heat_potential`."""
    material, begin = _ice()
    result = np.array(potential, float)
    flat = result.reshape(-1)
    cold = np.flatnonzero(flat < material.t_u)
    # In W/m above the end of freezing, where the potential of a material is zero.
    p = begin + (flat[cold] - material.t_u) * material.k_u
    t_lk = material.t_l + ZERO_CELSIUS_K
    frozen = np.minimum(p, 0.0) / material.k_l
    ice = t_lk * np.expm1(frozen / t_lk) if material.rise else frozen
    # The root of the parabola between the two ends of freezing, without a difference of near numbers.
    half = 0.5 * (material.k_u - material.k_l) / (material.t_u - material.t_l)
    mushy = np.maximum(p, 0.0)
    part = 2.0 * mushy / (material.k_l + np.sqrt(material.k_l**2 + 4.0 * half * mushy))
    flat[cold] = material.t_l + ice + part
    return result


def level_of(degc: float) -> float:
    """Return the heat potential of one temperature, as exactly as fields have it."""
    return float(heat_potential(degc))


def potential_of(field_degc: Volume) -> Volume:
    """Return the heat potential of a temperature field, float32 on the same grid."""
    return Volume(grid=field_degc.grid, values=heat_potential(field_degc.values))
