"""Shapes that the synthetic abdomen is made of: tubes, round cones, ellipsoids and a knobbly ball.

Every shape answers with millimetres, positive outside; the knobbly ball and the round cone are exact, so
that volumes and distances of the phantom are known without counting voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid

Array = npt.NDArray[np.floating[Any]]
FloatArray = npt.NDArray[np.float64]
Slices = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class Patch:
    """A box of an axis-aligned grid: where it lies in the array, and its coordinates ready to broadcast."""

    where: Slices
    x: Array
    y: Array
    z: Array


def patch(grid: Grid, lower_mm: npt.ArrayLike, upper_mm: npt.ArrayLike) -> Patch:
    """Return the part of `grid` inside an LPS box; it may be empty."""
    first = np.maximum(np.ceil(grid.mm_to_index(lower_mm)).astype(int), 0)
    last = np.minimum(np.floor(grid.mm_to_index(upper_mm)).astype(int), np.array(grid.size) - 1)
    (i0, j0, k0), (i1, j1, k1) = first, np.maximum(last + 1, first)
    x, y, z = (grid.coordinates_mm(axis).astype(np.float32) for axis in range(3))
    return Patch(
        (slice(k0, k1), slice(j0, j1), slice(i0, i1)),
        x[None, None, i0:i1],
        y[None, j0:j1, None],
        z[k0:k1, None, None],
    )


def whole(grid: Grid) -> Patch:
    """Return all of `grid`."""
    lower, upper = grid.bounds_mm()
    return patch(grid, lower, upper)


def ellipsoid(p: Patch, centre_mm: Point, radii_mm: Point, turn_deg: float = 0.0) -> Array:
    """Return the signed distance to an ellipsoid, right to first order near its surface.

    `turn_deg` turns it about z, from +x towards +y. Method: value over gradient, (q - 1) q / |grad|.
    """
    c, s = np.float32(np.cos(np.radians(turn_deg))), np.float32(np.sin(np.radians(turn_deg)))
    dx, dy, dz = (
        p.x - np.float32(centre_mm[0]),
        p.y - np.float32(centre_mm[1]),
        p.z - np.float32(centre_mm[2]),
    )
    u, v = c * dx + s * dy, -s * dx + c * dy
    a, b, h = (np.float32(r) for r in radii_mm)
    inner = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (dz / h) ** 2)
    slope = np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2 + (dz / h**2) ** 2)
    return np.asarray(inner * (inner - 1) / np.maximum(slope, np.float32(1e-6)))


def tube(p: Patch, a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_a: float, radius_b: float) -> Array:
    """Return the distance to a tube with round ends whose radius changes evenly (exact if it does not)."""
    a, d = np.asarray(a_mm, np.float32), np.subtract(b_mm, a_mm).astype(np.float32)
    dx, dy, dz = p.x - a[0], p.y - a[1], p.z - a[2]
    t = np.clip((dx * d[0] + dy * d[1] + dz * d[2]) / max(float(d @ d), 1e-6), 0.0, 1.0)
    square = (dx - t * d[0]) ** 2 + (dy - t * d[1]) ** 2 + (dz - t * d[2]) ** 2
    return np.asarray(np.sqrt(square) - (radius_a + t * (radius_b - radius_a)))


def tube_box(a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_mm: float) -> tuple[FloatArray, FloatArray]:
    """Return the box around a tube."""
    lower = np.minimum(a_mm, b_mm) - radius_mm
    return lower, np.maximum(a_mm, b_mm) + radius_mm


@dataclass(frozen=True, slots=True)
class RoundCone:
    """Two balls and the cone that touches both: a gallbladder."""

    a_mm: Point
    b_mm: Point
    radius_a_mm: float
    radius_b_mm: float

    def distance_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Return the exact signed distance of points ``(..., 3)``, positive outside.

        Derived in the half plane of axis and point: the surface is the nearer of the two balls, or the
        slanted line between their points of contact.
        """
        a, b = np.array(self.a_mm), np.array(self.b_mm)
        length = float(np.linalg.norm(b - a))
        axis = (b - a) / length
        from_a = np.asarray(points_mm, float) - a
        along = from_a @ axis
        across = np.sqrt(np.maximum((from_a**2).sum(axis=-1) - along**2, 0.0))
        sine = (self.radius_a_mm - self.radius_b_mm) / length
        cosine = np.sqrt(1.0 - sine**2)
        # Position along the slanted side of the foot of the perpendicular, measured from ball a.
        foot = along * cosine - across * sine
        side = across * cosine + along * sine - self.radius_a_mm
        ball_a = np.sqrt(along**2 + across**2) - self.radius_a_mm
        ball_b = np.sqrt((along - length) ** 2 + across**2) - self.radius_b_mm
        return np.asarray(np.where(foot < 0, ball_a, np.where(foot > length * cosine, ball_b, side)))

    def moved(self, vector_mm: npt.ArrayLike) -> RoundCone:
        """Return the same shape elsewhere."""
        a, b = np.add(self.a_mm, vector_mm), np.add(self.b_mm, vector_mm)
        return RoundCone(_point(a), _point(b), self.radius_a_mm, self.radius_b_mm)


@dataclass(frozen=True, slots=True)
class KnobblyBall:
    """A star-shaped body whose radius is a smooth function of the direction: a tumour.

    The radius is ``radius_mm * (1 + sum of amplitude * sin(frequency . direction + phase))``.
    """

    centre_mm: Point
    radius_mm: float
    waves: tuple[tuple[float, Point, float], ...]

    def radius_along(self, directions: npt.ArrayLike) -> FloatArray:
        """Return the radius in mm along unit vectors ``(..., 3)``."""
        unit = np.asarray(directions, float)
        total = np.ones(unit.shape[:-1])
        for amplitude, frequency, phase in self.waves:
            total += amplitude * np.sin(unit @ np.array(frequency) + phase)
        return np.asarray(self.radius_mm * total)

    def inside(self, points_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Tell for points ``(..., 3)`` whether they lie inside."""
        from_centre = np.asarray(points_mm, float) - np.array(self.centre_mm)
        length = np.linalg.norm(from_centre, axis=-1)
        directions = from_centre / np.maximum(length, 1e-9)[..., None]
        return np.asarray(length <= self.radius_along(directions))

    def surface_mm(self, number: int = 20_000) -> FloatArray:
        """Return evenly spread points ``(number, 3)`` of the surface."""
        directions = fibonacci_sphere(number)
        return np.asarray(np.array(self.centre_mm) + directions * self.radius_along(directions)[:, None])

    def volume_ml(self, number: int = 200_000) -> float:
        """Return the volume: the mean of r^3 over all directions times 4/3 pi."""
        radii = self.radius_along(fibonacci_sphere(number))
        return float(4.0 / 3.0 * np.pi * (radii**3).mean() / 1000.0)


def fibonacci_sphere(number: int) -> FloatArray:
    """Return unit vectors ``(number, 3)`` spread evenly (golden-angle spiral; equal areas)."""
    n = np.arange(number) + 0.5
    z = 1.0 - 2.0 * n / number
    angle = np.pi * (1.0 + 5.0**0.5) * n
    across = np.sqrt(1.0 - z**2)
    return np.column_stack([across * np.cos(angle), across * np.sin(angle), z])


def smooth_noise(grid: Grid, scale_mm: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return smooth random numbers of variance about 1 on `grid` that change over `scale_mm`."""
    from scipy import ndimage

    coarse = [
        max(4, round(n * s / scale_mm * 3)) for n, s in zip(grid.shape, grid.spacing_mm[::-1], strict=True)
    ]
    noise = ndimage.gaussian_filter(rng.standard_normal(coarse), 1.2, mode="wrap")
    noise = (noise / noise.std()).astype(np.float32)
    result = noise
    for axis, wanted in enumerate(grid.shape):  # one axis after the other: linear and cheap
        at = np.linspace(0, result.shape[axis] - 1, wanted)
        low = np.minimum(at.astype(int), result.shape[axis] - 2)
        part = (at - low).astype(np.float32)
        shape = [1, 1, 1]
        shape[axis] = wanted
        weight = part.reshape(shape)
        result = result.take(low, axis) * (1 - weight) + result.take(low + 1, axis) * weight
    return np.asarray(result, np.float32)


def _point(values: FloatArray) -> Point:
    return (float(values[0]), float(values[1]), float(values[2]))
