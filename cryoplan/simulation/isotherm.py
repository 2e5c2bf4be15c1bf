"""Isotherm: between voxels temperatures are read on a scale without the bend that the edge of ice makes.

At the edge of ice the temperature bends between two voxels, and a straight line through both puts the edge up
to a sixth of a voxel off. Two things bend it. Ice conducts up to four times better than tissue, and this part
vanishes in the heat potential, the integral of k dT (Kirchhoff 1894; Carslaw and Jaeger 1959, section 1.6)::

    g(T) = T                                              above the begin of freezing T_u
    g(T) = T_u - (1 / k_u) (integral of k dT from T to T_u)    below

Against it works the latent heat that a growing ball gives off at its edge, and the potential alone overshoots
wherever ice grows fast or conducts little better than the tissue (fat, lung). So temperatures are read on

    f(T) = T + share (g(T) - T),    0 <= share <= 1,

and the share is not assumed but measured on the very field: where lattice lines cross the edge of the ice,
the third differences of f over the four voxels around it vanish in the least-squares sense. A parabola has
none, so that the curvature of a field around a probe is not taken for a bend. Without ice, f(T) = T.

Everything that says where a temperature lies (lines, surfaces, sizes, margins, covered shares, verification)
reads f at f(T); what tells the temperature of a place reads f there and turns it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.core.volume import Volume
from cryoplan.simulation.tissue import Material, load_tissues

READ_AS = "liver"
"""The tissue of the table whose potential is used. Soft organs, muscle, blood and tumours share its freezing
range and, within a tenth, its ratio of ice to tissue; for others the measured share is smaller."""

COLDEST_DEGC = -250.0
"""Below the temperature of any coolant; keeps the logarithm of the curve finite for whatever is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsothermScale:
    """The scale f on which one temperature field is read.

    Attributes
    ----------
    share : float
        Part of the bend of the heat potential that the field has, 0 to 1.
    """

    share: float = 0.0

    def values(self, degc: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return f of temperatures in degC, any shape; it never falls where they rise.

        Values that are not numbers, or not finite, stay what they are.
        """
        result = np.array(degc, np.float32)
        if self.share > 0.0:
            # Only the ice bends: in a block of a million voxels that is a twentieth of them.
            flat = result.reshape(-1)
            cold = np.flatnonzero((flat < _ice()[0].t_u) & (flat > -np.inf))
            t = flat[cold].astype(float)
            flat[cold] = t + self.share * (heat_potential(t) - t)
        return result

    def level(self, degc: float) -> float:
        """Return f of one temperature, rounded as fields are."""
        return float(self.values(degc))

    def volume(self, field_degc: Volume) -> Volume:
        """Return f of a temperature field, on the same grid."""
        return Volume(grid=field_degc.grid, values=self.values(field_degc.values))

    def degc(self, value: float) -> float:
        """Return the temperature at a value of f."""
        begin = _ice()[0].t_u
        if self.share == 0.0 or not value < begin:
            return float(value)
        # f lies below T there, so that the temperature is between the value and the begin of freezing.
        low, high = float(value), begin
        for _ in range(60):
            middle = 0.5 * (low + high)
            there = middle + self.share * (float(heat_potential(middle)) - middle)
            low, high = (middle, high) if there < value else (low, middle)
        return 0.5 * (low + high)


def scale_of(field_degc: Volume) -> IsothermScale:
    """Return the scale on which a temperature field is read; measured once for as long as the field lives."""
    known = _SCALES.get(field_degc)
    if known is None:
        known = _SCALES[field_degc] = IsothermScale(share=_share(field_degc.values))
    return known


_SCALES: WeakKeyDictionary[Volume, IsothermScale] = WeakKeyDictionary()


@lru_cache(maxsize=1)
def _ice() -> tuple[Material, float]:
    """Return the material and its potential where freezing begins, W/m."""
    material = load_tissues().tissue(READ_AS).material()
    return material, float(material.potential(material.t_u))


def heat_potential(degc: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return g of temperatures in degC, in kelvin of unfrozen tissue; equal to them where there is no ice."""
    material, begin = _ice()
    t = np.asarray(degc, float)
    cold = material.t_u + (material.potential(np.maximum(t, COLDEST_DEGC)) - begin) / material.k_u
    return np.asarray(np.where(t < material.t_u, cold, t))


def _span(layers: npt.NDArray[np.intp]) -> slice:
    """Return the layers of voxels that have ice and two more at either end."""
    return slice(max(int(layers[0]) - 2, 0), int(layers[-1]) + 3)


def _share(degc: npt.NDArray[np.floating]) -> float:
    """Measure the share of a field: least squares of the third differences across the edge of its ice."""
    begin = _ice()[0].t_u
    ice = degc < begin
    if not ice.any():
        return 0.0
    box = tuple(_span(np.flatnonzero(ice.any(axis=across))) for across in ((1, 2), (0, 2), (0, 1)))
    degc, ice = degc[box], ice[box]
    against = squares = 0.0
    for axis in range(3):
        t, cold = np.moveaxis(degc, axis, 0), np.moveaxis(ice, axis, 0)
        if len(t) < 4:
            continue
        for sense in (1, -1):
            t, cold = t[::sense], cold[::sense]
            # Two voxels of ice that get warmer outwards, then two of tissue.
            edge = np.nonzero(cold[:-3] & cold[1:-2] & ~cold[2:-1] & ~cold[3:])
            deep, near, warm, far = (t[(edge[0] + n, *edge[1:])].astype(float) for n in range(4))
            rising = (deep < near) & (warm < far)
            third = (far - 3.0 * warm + 3.0 * near - deep)[rising]
            bend = (3.0 * (heat_potential(near) - near) - (heat_potential(deep) - deep))[rising]
            against -= float(third @ bend)
            squares += float(bend @ bend)
    if not np.isfinite(squares) or squares == 0.0:
        return 0.0
    return float(np.clip(against / squares, 0.0, 1.0))
