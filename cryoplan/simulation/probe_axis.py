"""Probe axis: where cells and faces of a lattice lie as seen from one probe, in cell edges.

The first cell centre of the grid is at zero; points are in the order k, j, i of the arrays.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.line_potential import LineSink

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PARALLEL = 1e-12
LEAST_CHORD = 1e-6
"""A direction cosine, and a length in a cell, that count as none."""

NEAREST_POINTS, NEAR_POINTS, FAR_POINTS = 6, 3, 2
NEAR_FROM, FAR_FROM = 1.5, 2.5
"""Points of the quadrature along an edge of a face, and the distances from the line where fewer do.

Two points at 2.5 edges and three at 1.5 are right to 1e-3 of the flux."""


class ProbeAxis:
    """Axis of one probe in the lattice.

    Parameters
    ----------
    begin_m : tuple of float
        LPS position of the tip-side end of the active zone, metres.
    back : tuple of float
        Unit vector along the shaft.
    origin_m : float64 (3,)
        LPS centre of the first cell, metres.
    h : float
        Edge of the cells, metres.
    """

    def __init__(
        self,
        begin_m: tuple[float, float, float],
        back: tuple[float, float, float],
        origin_m: FloatArray,
        h: float,
    ) -> None:
        # Order k, j, i everywhere: the axis and points are reversed once, here.
        self.start = ((np.asarray(begin_m) - origin_m) / h)[::-1]
        self.back = np.asarray(back, float)[::-1]

    def cylindrical(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (distance from the axis, place along it) of points ``(n, 3)``."""
        relative = points - self.start
        along = relative @ self.back
        radial = relative - along[:, None] * self.back
        return np.sqrt(np.einsum("nc,nc->n", radial, radial)), along

    def pierces(self, centres: FloatArray, low: float, high: float) -> BoolArray:
        """Tell which unit cells the axis passes through between the places `low` and `high`."""
        near = np.full(len(centres), low)
        far = np.full(len(centres), high)
        inside = np.ones(len(centres), bool)
        for axis in range(3):
            offset = centres[:, axis] - self.start[axis]
            if abs(self.back[axis]) < PARALLEL:
                # Half open, so that an axis on a face belongs to one of the two cells only.
                inside &= (offset >= -0.5) & (offset < 0.5)
                continue
            a, b = (offset - 0.5) / self.back[axis], (offset + 0.5) / self.back[axis]
            near, far = np.maximum(near, np.minimum(a, b)), np.minimum(far, np.maximum(a, b))
        return np.asarray(inside & (far - near > LEAST_CHORD))

    def inside(self, low: float, high: float, shape: tuple[int, int, int]) -> tuple[float, float]:
        """Return the part of the axis between two places that lies within the lattice."""
        for d in range(3):
            if abs(self.back[d]) < PARALLEL:
                continue
            a = (-0.5 - self.start[d]) / self.back[d]
            b = (shape[d] - 0.5 - self.start[d]) / self.back[d]
            low, high = max(low, min(a, b)), min(high, max(a, b))
        return low, max(low, high)

    def face_flux(
        self, line: LineSink, lower: FloatArray, face_axis: IntArray, distance: FloatArray
    ) -> FloatArray:
        """Return the flux of a line on this axis through unit faces.

        Parameters
        ----------
        line : LineSink
        lower : float64 (n, 3)
            Centres of the cells below the faces.
        face_axis : int64 (n,)
            Normal of each face, positive upwards.
        distance : float64 (n,)
            Of each face from the line, about; says how fine the quadrature has to be.
        """
        result = np.empty(len(lower))
        relative = lower - self.start
        bounds = (0.0, NEAR_FROM, FAR_FROM, np.inf)
        for number, points in enumerate((NEAREST_POINTS, NEAR_POINTS, FAR_POINTS)):
            ring = np.flatnonzero((distance >= bounds[number]) & (distance < bounds[number + 1]))
            if len(ring):
                result[ring] = self._flux(line, relative[ring], face_axis[ring], points)
        return result

    def _flux(self, line: LineSink, relative: FloatArray, normal: IntArray, points: int) -> FloatArray:
        every, weights = _face_points(points)
        offsets = every[normal]
        z = (relative @ self.back)[:, None] + (every @ self.back)[normal]
        # |p + o|^2 = |p|^2 + |o|^2 + 2 p.o of cell centres and points of the face.
        square = 2.0 * np.matmul(offsets, relative[:, :, None])[:, :, 0]
        square += np.einsum("nc,nc->n", relative, relative)[:, None]
        square += np.einsum("dqc,dqc->dq", every, every)[normal]
        across, along = line.outflow(square - z * z, z)
        back = self.back[normal][:, None]
        outward = (np.take_along_axis(relative, normal[:, None], axis=1) + 0.5) - z * back
        return np.asarray((across * outward + along * back) @ weights)


@cache
def _face_points(points: int) -> tuple[FloatArray, FloatArray]:
    """Return offsets ``[normal, point, axis]`` from a cell centre to its upper faces, and weights."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    u, v = np.meshgrid(0.5 * nodes, 0.5 * nodes, indexing="ij")
    flat = np.stack([u.ravel(), v.ravel()], axis=1)
    offsets = np.stack([np.insert(flat, normal, 0.5, axis=1) for normal in range(3)])
    return offsets, np.outer(0.5 * weights, 0.5 * weights).ravel()
