"""Vessels: lumen of 3 mm and more, its local diameter, and the heat that flowing blood brings to its wall.

The wall coefficient is ``h = Nu k / D``: developed laminar flow below Re 2300, the turbulent correlation from
4000 on, between them a straight line. Lumen cells exchange heat by volume with blood at body temperature. As
they conduct as well, a rate of ``4 h / D`` would bring less than h to the wall: a conducting cylinder with
the exchange ``m^2 k / R^2`` per volume passes ``(k / R) m I1(m) / I0(m)``, and m is chosen so that this is h.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from scipy.optimize import brentq
from scipy.special import i0e, i1e

from cryoplan.case.structure import Structure
from cryoplan.core.grid import Grid
from cryoplan.simulation.conditions import Blood, VesselKind, load_conditions
from cryoplan.simulation.partial_volume import coverage

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

WIDEST_MM = 32.0
"""Diameters are measured up to here; an aneurysm is wide enough at this."""

_LADDER = 1.19
"""Step between two diameters that are told apart: a wall coefficient is not known to 19 percent."""

_WIDE_LADDER = 1.25
"""The same for lumen that is held at the temperature of the blood, and for its rim."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lumen:
    """The cells of one vessel.

    Attributes
    ----------
    name : str
        Name of the structure.
    kind : VesselKind
        What it was taken for.
    cells : int64 (n,)
        Flat indices of ``[k, j, i]``.
    share : float32 (n,)
        Part of each cell that is lumen.
    diameter_mm : float32 (n,)
        Local diameter.
    """

    name: str
    kind: VesselKind
    cells: IntArray
    share: Float32Array
    diameter_mm: Float32Array


def nusselt(diameter_m: npt.ArrayLike, speed_m_s: float, blood: Blood | None = None) -> FloatArray:
    """Return the Nusselt number of blood in a round vessel; 0 where blood stands still."""
    blood = blood or load_conditions().blood
    diameter = np.asarray(diameter_m, float)
    if speed_m_s <= 0.0:
        return np.zeros_like(diameter)
    reynolds = speed_m_s * diameter / blood.viscosity.value
    low, high = blood.laminar_to.value, blood.turbulent_from.value
    laminar = blood.laminar_nusselt.value
    turbulent = 0.023 * np.maximum(reynolds, high) ** 0.8 * blood.prandtl.value**0.4
    weight = np.clip((reynolds - low) / (high - low), 0.0, 1.0)
    return np.asarray((1.0 - weight) * laminar + weight * turbulent)


def wall_coefficient(diameter_m: npt.ArrayLike, speed_m_s: float, blood: Blood | None = None) -> FloatArray:
    """Return ``h = Nu k / D``, W/(m2 K)."""
    blood = blood or load_conditions().blood
    number = nusselt(diameter_m, speed_m_s, blood)
    return np.asarray(number * blood.conductivity.value / np.asarray(diameter_m, float))


def exchange_rate(diameter_m: npt.ArrayLike, speed_m_s: float, blood: Blood | None = None) -> FloatArray:
    """Return the exchange per volume of conducting lumen that brings h to its wall, W/(m3 K)."""
    blood = blood or load_conditions().blood
    diameter = np.asarray(diameter_m, float)
    conductivity = blood.conductivity.value
    return _conducting(diameter, nusselt(diameter, speed_m_s, blood), conductivity)


def lumen_rate(diameter_m: npt.ArrayLike, coefficient: float, conductivity: float) -> FloatArray:
    """Return the same for any fluid from its wall coefficient, W/(m2 K), and conductivity, W/(m K)."""
    diameter = np.asarray(diameter_m, float)
    return _conducting(diameter, coefficient * diameter / conductivity, conductivity)


def _conducting(diameter: FloatArray, numbers: FloatArray, conductivity: float) -> FloatArray:
    unlike, where = np.unique(np.round(numbers, 3), return_inverse=True)
    squares = np.array([_square(float(n)) for n in unlike])[where].reshape(diameter.shape)
    return np.asarray(squares * conductivity / (0.5 * diameter) ** 2)


@lru_cache(maxsize=4096)
def _square(number: float) -> float:
    """Return m^2 of ``m I1(m) / I0(m) = Nu / 2``."""
    if number <= 0.0:
        return 0.0

    def short(m: float) -> float:
        return float(m * i1e(m) / i0e(m)) - 0.5 * number

    return float(brentq(short, 1e-6, number + 10.0)) ** 2


def local_diameter(structure: Structure, grid: Grid) -> Float32Array:
    """Return the local diameter of a vessel at the cells of `grid`, float32 ``[k, j, i]``, mm.

    The diameter at a point is that of the widest ball that holds the point and fits into the lumen. It is
    measured at 1 mm or finer, in steps, and does not depend on which part of the lattice `grid` is. Cells
    that only balls of less than 3 mm reach have 0.
    """
    edge = grid.spacing_mm[0]
    fine = min(edge, 1.0)
    lower, upper = grid.bounds_mm()
    around = Grid.isotropic(lower - WIDEST_MM, upper + WIDEST_MM, fine)
    inside = coverage(structure.mask, around) > 0.5
    result = np.zeros(grid.shape, np.float32)
    if not inside.any():
        return result
    low_kji = np.array([int(np.flatnonzero(inside.any(axis=other))[0]) for other in ((1, 2), (0, 2), (0, 1))])
    high_kji = np.array(
        [int(np.flatnonzero(inside.any(axis=other))[-1]) for other in ((1, 2), (0, 2), (0, 1))]
    )
    pad = int(np.ceil(2.0 * edge / fine)) + 2
    low_kji = np.maximum(low_kji - pad, 0)
    high_kji = np.minimum(high_kji + pad + 1, inside.shape)
    window = tuple(slice(int(a), int(b)) for a, b in zip(low_kji, high_kji, strict=True))
    lumen = np.pad(inside[window], 1)
    # The transform measures to the centre of the nearest cell outside; its face is half a cell nearer.
    # No cell centre lies exactly on the axis of a tube: on average the nearest is 0.38 edges away from it.
    depth = distance_transform_edt(lumen, sampling=fine)[1:-1, 1:-1, 1:-1] - (0.5 - 0.38) * fine
    width = np.zeros(depth.shape, np.float32)
    radius = 0.5 * load_conditions().blood.smallest.value
    held_above = load_conditions().blood.held_above.value
    while radius <= min(float(depth.max()), 0.5 * WIDEST_MM) + 1e-9:
        core = depth >= radius - 1e-9
        # A little more than the ball: cells that the lumen only partly fills find their diameter as well.
        reached = distance_transform_edt(~core, sampling=fine) <= radius + 1.5 * fine + 0.5 * edge
        step = _LADDER if 2.0 * radius < 1.2 * held_above else _WIDE_LADDER
        width[reached] = 2.0 * radius * step**0.5
        radius *= step
    picked, places = [], []
    for axis in (2, 1, 0):
        index = np.rint((grid.coordinates_mm(axis) - around.origin_mm[axis]) / fine).astype(int)
        index -= low_kji[2 - axis]
        good = np.flatnonzero((index >= 0) & (index < width.shape[2 - axis]))
        picked.append(index[good])
        places.append(good)
    result[np.ix_(*places)] = width[np.ix_(*picked)]
    return result


def lumen_of(structure: Structure, grid: Grid) -> tuple[Float32Array, Float32Array]:
    """Return lumen share and local diameter (mm) at the cells of `grid`; narrower vessels are left out."""
    smallest = load_conditions().blood.smallest.value
    share = coverage(structure.mask, grid)
    diameter = local_diameter(structure, grid)
    return np.where(diameter >= smallest, share, np.float32(0.0)), diameter


def is_held(lumen: Lumen) -> npt.NDArray[np.bool_]:
    """Tell which cells are held at blood temperature: wide, with flow, and at least half lumen."""
    wide = lumen.diameter_mm > load_conditions().blood.held_above.value
    return np.asarray(wide & (lumen.share >= 0.5) & (lumen.kind.speed.value > 0.0))


def rates(lumen: Lumen) -> FloatArray:
    """Return the exchange of each cell per volume of the cell, W/(m3 K); 0 where the cell is held."""
    rate = exchange_rate(lumen.diameter_mm / 1000.0, lumen.kind.speed.value) * lumen.share
    return np.where(is_held(lumen), 0.0, rate)
