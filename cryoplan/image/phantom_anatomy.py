"""Where everything is in the synthetic abdomen: the numbers and curves, in LPS millimetres.

z runs from 0 (lower pole of the kidney) to 190 (lung base); x = 0 is the midline. The tumour, the vein
beside it and the gallbladder are placed exactly: their volumes and distances are computed, not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import Point, as_point, unit
from cryoplan.core.grid import Grid
from cryoplan.image.phantom_shapes import KnobblyBall, RoundCone

FloatArray = npt.NDArray[np.float64]
Segment = tuple[Point, Point, float, float]
"""One piece of a tube: both ends and the radius at each, mm."""

GRID = Grid(size=(320, 256, 96), spacing_mm=(1.1, 1.1, 2.0), origin_mm=(-175.5, -125.0, 0.0))

# --- tumour, vein and gallbladder -------------------------------------------------------------------------

TUMOUR = KnobblyBall(
    (-92.0, -8.0, 76.0),
    13.4,
    (
        (0.05, (2.1, -1.4, 1.7), 0.4),
        (0.04, (-1.2, 2.8, 2.2), 1.9),
        (0.02, (4.1, 3.0, -3.6), 2.7),
    ),
)
VEIN_DIAMETER_MM = 5.0
VEIN_GAP_MM = 3.0
GALLBLADDER_DISTANCE_MM = 12.0


def gallbladder() -> RoundCone:
    """Return the gallbladder, moved until it lies 12 mm from the tumour."""
    body = RoundCone((-66.0, -62.0, 46.0), (-42.0, -22.0, 70.0), 13.0, 6.0)
    surface = TUMOUR.surface_mm()
    away = unit(np.array([40.0, -28.0, -14.0]))
    shift = _solve(lambda s: float(body.moved(s * away).distance_mm(surface).min()) - GALLBLADDER_DISTANCE_MM)
    return body.moved(shift * away)


def tumour_vein() -> Segment:
    """Return the straight piece of portal branch whose wall passes 3 mm from the tumour."""
    centre = np.array(TUMOUR.centre_mm)
    side = unit(np.array([0.78, 0.18, 0.60]))
    along = unit(np.array([-0.52, 0.72, 0.46]))
    along = unit(along - side * float(along @ side))
    surface = TUMOUR.surface_mm()

    def gap(distance: float) -> float:
        foot = centre + side * distance
        relative = surface - foot
        t = np.clip(relative @ along, -22.0, 22.0)
        to_axis = np.linalg.norm(relative - t[:, None] * along, axis=1)
        return float(to_axis.min()) - VEIN_DIAMETER_MM / 2 - VEIN_GAP_MM

    foot = centre + side * (20.0 + _solve(lambda s: gap(20.0 + s)))
    radius = VEIN_DIAMETER_MM / 2
    return as_point(foot - 22.0 * along), as_point(foot + 22.0 * along), radius, radius


def _solve(function: object) -> float:
    """Return the zero of a rising function between -30 and 30 mm, by bisection."""
    assert callable(function)
    low, high = -30.0, 30.0
    for _ in range(48):
        middle = 0.5 * (low + high)
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


# --- body -------------------------------------------------------------------------------------------------

_EXPONENT = 2.45


def half_widths_mm(z_mm: npt.ArrayLike) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Return the half width to the side and to the front at heights z; the back is 110 mm everywhere."""
    z = np.asarray(z_mm)
    return 150.0 + 6.0 * np.sin(z / 190.0 * np.pi), 101.0 + 5.0 * np.sin(z / 150.0 * np.pi)


BACK_MM = 110.0


def depth_mm(
    x_mm: npt.NDArray[np.floating], y_mm: npt.NDArray[np.floating], z_mm: npt.NDArray[np.floating]
) -> npt.NDArray[np.float32]:
    """Return the depth below the skin, to first order; broadcasts, negative outside the body.

    The section is a superellipse |x/a|^n + |y/b|^n = 1, n = 2.45.
    """
    side, front = half_widths_mm(z_mm)
    n = np.float32(_EXPONENT)
    a = side.astype(np.float32)
    b = np.where(y_mm < 0, front, BACK_MM).astype(np.float32)
    u, v = np.abs(x_mm).astype(np.float32) / a, np.abs(y_mm).astype(np.float32) / b
    u_n1, v_n1 = u ** (n - 1), v ** (n - 1)
    rho = np.maximum(u_n1 * u + v_n1 * v, np.float32(1e-6)) ** (1 / n)
    slope = np.sqrt((u_n1 / a) ** 2 + (v_n1 / b) ** 2) * rho ** (1 - n)
    return np.asarray(np.minimum((1 - rho) / np.maximum(slope, np.float32(1e-5)), 200.0), np.float32)


def skin_distance_mm(point_mm: Point, direction: Point) -> float:
    """Return the distance from a point in the body to the skin along a unit direction."""
    origin, step = np.array(point_mm), np.array(direction)

    def outside(t: float) -> float:
        x, y, z = origin + t * step
        side, front = half_widths_mm(z)
        b = front if y < 0 else BACK_MM
        return float((abs(x) / side) ** _EXPONENT + (abs(y) / b) ** _EXPONENT) - 1.0

    low, high = 0.0, 400.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if outside(middle) < 0 else (low, middle)
    return low


def diaphragm_mm(x_mm: npt.NDArray[np.floating], y_mm: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the height z of the lower face of the diaphragm: two domes, the right one higher."""
    right = 172.0 - 62.0 * ((x_mm + 62.0) / 88.0) ** 2 - 74.0 * ((y_mm + 4.0) / 92.0) ** 2
    left = 158.0 - 62.0 * ((x_mm - 66.0) / 84.0) ** 2 - 74.0 * ((y_mm - 2.0) / 92.0) ** 2
    # A soft maximum keeps the two domes without an edge between them.
    return np.asarray(8.0 * np.logaddexp(right / 8.0, left / 8.0))


# --- bones ------------------------------------------------------------------------------------------------

VERTEBRA_PERIOD_MM = 36.0


def ribs() -> Iterator[tuple[Segment, bool]]:
    """Give the pieces of the ribs, and whether each is cartilage."""
    angles = np.radians(np.linspace(12.0, 152.0, 46))
    for number in range(8):
        start = 66.0 + 27.0 * number
        reach = (0.42, 0.62, 0.86, 0.92, 0.96, 1.0, 1.0, 1.0)[number]
        for side in (-1.0, 1.0):
            points = []
            for angle in angles[: int(reach * len(angles))]:
                z = start - 74.0 * (np.degrees(angle) / 152.0) ** 1.15
                a, front = half_widths_mm(z)
                b = front if np.cos(angle) < 0 else BACK_MM
                sine, cosine = np.sin(angle), np.cos(angle)
                # Superellipse in polar form, 24 mm below the skin.
                radius = ((sine / (a - 24.0)) ** _EXPONENT + (abs(cosine) / (b - 26.0)) ** _EXPONENT) ** (
                    -1.0 / _EXPONENT
                )
                points.append((side * radius * sine, radius * cosine, z))
            for n in range(len(points) - 1):
                thick = 5.0 if n < len(points) - 2 else 4.4
                cartilage = reach >= 0.86 and n >= 0.82 * len(angles)
                yield (as_point(points[n]), as_point(points[n + 1]), thick, thick), cartilage


# --- vessels ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tree:
    """Rules of a branching vessel tree: growth region and keep-out are asked of callables."""

    length_mm: float
    shrink: float
    thinnest_mm: float
    spread: float


def grow(
    start_mm: npt.ArrayLike,
    direction: npt.ArrayLike,
    radius_mm: float,
    rules: Tree,
    allowed: object,
    rng: np.random.Generator,
) -> list[Segment]:
    """Grow a tree of tapered tubes from one trunk; twigs that leave the allowed region are not grown."""
    assert callable(allowed)
    segments: list[Segment] = []
    buds = [(np.asarray(start_mm, float), unit(direction), radius_mm)]
    while buds:
        foot, way, radius = buds.pop()
        if radius < rules.thinnest_mm:
            continue
        length = rules.length_mm * (0.55 + 0.16 * radius) * rng.uniform(0.85, 1.15)
        # Two bent pieces look like a vessel, one straight piece like a stick.
        bend = way + 0.22 * rng.standard_normal(3)
        middle = foot + unit(bend) * length / 2
        end = middle + unit(way + 0.12 * rng.standard_normal(3)) * length / 2
        thin = radius * 0.9
        if not (allowed(middle, radius) and allowed(end, thin)):
            continue
        segments.append((as_point(foot), as_point(middle), radius, 0.95 * radius))
        segments.append((as_point(middle), as_point(end), 0.95 * radius, thin))
        across = unit(np.cross(way, rng.standard_normal(3)))
        for sign, share in ((1.0, rules.shrink), (-1.0, rules.shrink * rng.uniform(0.72, 0.98))):
            turned = unit(way + sign * rules.spread * rng.uniform(0.7, 1.3) * across)
            buds.append((end, turned, thin * share))
    return segments


def path_segments(points_mm: npt.ArrayLike, radii_mm: npt.ArrayLike, pieces: int = 6) -> list[Segment]:
    """Return a smooth tube through points (Catmull-Rom curve) with radii that change along it."""
    points, radii = np.asarray(points_mm, float), np.asarray(radii_mm, float)
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    curve, widths = [], []
    for n in range(len(points) - 1):
        p0, p1, p2, p3 = padded[n : n + 4]
        for t in np.arange(pieces) / pieces:
            curve.append(
                0.5
                * (
                    2 * p1
                    + (p2 - p0) * t
                    + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
                    + (3 * (p1 - p2) + p3 - p0) * t**3
                )
            )
            widths.append(radii[n] + t * (radii[n + 1] - radii[n]))
    curve.append(points[-1])
    widths.append(radii[-1])
    return [
        (as_point(curve[n]), as_point(curve[n + 1]), float(widths[n]), float(widths[n + 1]))
        for n in range(len(curve) - 1)
    ]
