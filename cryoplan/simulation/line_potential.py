"""Line potential: the steady field around a probe of finite length, as the field of a line that draws heat.

A line on the axis whose strength lambda(z) is constant between *knots* has a potential in closed form. With s
the step of lambda at a knot p, in cylinder coordinates about the line::

    phi(rho, z) = 1/2 sum s asinh((z - p) / rho)

so that the flux through any surface around a piece of the line is 2 pi times its strength. Far from the ends
this is the -ln rho of an endless line; towards and beyond the ends it bends as the isotherms there do. The
stream function ``1/2 sum s sqrt(rho^2 + (z - p)^2)`` tells from which place of the line the heat at a point
comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEAST_RHO = 1e-4
"""Distances from the axis are taken to be at least this many cell edges."""


@dataclass(frozen=True, slots=True, eq=False)
class LineSink:
    """Line on the axis with a strength that is constant between knots.

    Attributes
    ----------
    knots : float64 (n,)
        Places on the axis, rising, in any unit of length.
    steps : float64 (n,)
        Change of the strength at each knot; they add up to zero.
    """

    knots: FloatArray
    steps: FloatArray

    @property
    def drawn(self) -> FloatArray:
        """Heat drawn by the line up to each knot, ``integral of lambda dz``, float64 (n,)."""
        strength = np.cumsum(self.steps)[:-1]
        return np.concatenate([[0.0], np.cumsum(strength * np.diff(self.knots))])

    def potential(self, rho: FloatArray, z: FloatArray) -> FloatArray:
        """Return phi at a distance `rho` from the axis and `z` along it."""
        inverse = 1.0 / np.maximum(rho, LEAST_RHO)
        result = np.zeros(np.shape(z))
        for knot, step in zip(self.knots, self.steps, strict=True):
            result += (0.5 * step) * np.arcsinh((z - knot) * inverse)
        return result

    def outflow(self, rho2: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (F, G): ``-grad phi`` is F times the vector from the axis plus G along the axis.

        Parameters
        ----------
        rho2 : float64
            Square of the distance from the axis.
        z : float64
            Place along the axis.
        """
        rho2 = np.maximum(rho2, LEAST_RHO**2)
        across, along = np.zeros(np.shape(z)), np.zeros(np.shape(z))
        for knot, step in zip(self.knots, self.steps, strict=True):
            ahead = z - knot
            weight = (0.5 * step) / np.sqrt(rho2 + ahead * ahead)
            along -= weight
            ahead *= weight
            across += ahead
        return across / rho2, along

    def passed(self, rho: FloatArray, z: FloatArray) -> FloatArray:
        """Return the heat that the line draws up to the place that draws what passes a point."""
        stream = np.full(np.shape(z), 0.5 * self.drawn[-1])
        for knot, step in zip(self.knots, self.steps, strict=True):
            stream += (0.5 * step) * np.hypot(rho, z - knot)
        return stream
