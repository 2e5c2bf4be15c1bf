"""Pick: from a place on the screen to a grip or a point of the patient; numbers only, no VTK.

Screen places are in pixels from the top left corner, x to the right and y down, as Qt counts them. The
camera comes in as one 4 x 4 matrix from LPS millimetres to normalised device coordinates (-1 to 1, y up).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray, Point, as_point, unit
from cryoplan.plan.shaft import Shaft
from cryoplan.scene.meshes import MeshArrays

REACH_PX = 8.0
"""How near to a grip a click must be, in screen pixels, where the grip is not drawn larger."""

SHAFT_PX = 6.0
"""How near to a shaft a click must be that selects it."""


class GripKind(StrEnum):
    """The three places where a probe can be held."""

    TIP = "tip"
    ENTRY = "entry"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grip:
    """One place where a probe can be held."""

    probe: str
    kind: GripKind
    position_mm: Point


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ray:
    """A half line: LPS origin and unit direction."""

    origin_mm: FloatArray
    direction: FloatArray

    @classmethod
    def between(cls, start_mm: npt.ArrayLike, through_mm: npt.ArrayLike) -> Ray:
        """Return the ray from one point through another."""
        start = np.asarray(start_mm, float)
        return cls(origin_mm=start, direction=unit(np.asarray(through_mm, float) - start))

    def at(self, distance_mm: float) -> Point:
        """Return the point at a distance from the origin."""
        return as_point(self.origin_mm + distance_mm * self.direction)


def screen_ray(world_to_ndc: npt.ArrayLike, x_px: float, y_px: float, size_px: tuple[float, float]) -> Ray:
    """Return the ray from the near plane of the camera through a pixel."""
    inverse = np.linalg.inv(np.asarray(world_to_ndc, float))
    x, y = 2.0 * x_px / size_px[0] - 1.0, 1.0 - 2.0 * y_px / size_px[1]
    near, far = (inverse @ np.array([x, y, depth, 1.0]) for depth in (-1.0, 1.0))
    return Ray.between(near[:3] / near[3], far[:3] / far[3])


def to_screen(
    world_to_ndc: npt.ArrayLike, points_mm: npt.ArrayLike, size_px: tuple[float, float]
) -> FloatArray:
    """Project LPS points ``(..., 3)``: x, y in pixels and depth (smaller is nearer), ``(..., 3)``.

    Points behind the camera get infinite depth.
    """
    points = np.asarray(points_mm, float)
    homogeneous = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)
    clip = homogeneous @ np.asarray(world_to_ndc, float).T
    w = clip[..., 3]
    ahead = w > 1e-9
    ndc = clip[..., :3] / np.where(ahead, w, 1.0)[..., None]
    x = (ndc[..., 0] + 1.0) / 2.0 * size_px[0]
    y = (1.0 - ndc[..., 1]) / 2.0 * size_px[1]
    return np.stack([x, y, np.where(ahead, ndc[..., 2], np.inf)], axis=-1)


def nearest_grip(
    grips: Iterable[Grip],
    world_to_ndc: npt.ArrayLike,
    x_px: float,
    y_px: float,
    size_px: tuple[float, float],
    *,
    reach_px: float = REACH_PX,
) -> Grip | None:
    """Return the grip that a click means: the nearest on the screen within reach, None when there is none.

    Of grips that lie on top of one another (less than 2 pixels apart) the one in front is meant.
    """
    best: tuple[float, float] | None = None
    found = None
    for grip in grips:
        x, y, depth = to_screen(world_to_ndc, grip.position_mm, size_px)
        gap = float(np.hypot(x - x_px, y - y_px))
        if not np.isfinite(depth) or gap > reach_px:
            continue
        key = (round(gap / 2.0), float(depth))
        if best is None or key < best:
            best, found = key, grip
    return found


def nearest_shaft(
    shafts: Iterable[Shaft],
    world_to_ndc: npt.ArrayLike,
    x_px: float,
    y_px: float,
    size_px: tuple[float, float],
) -> str | None:
    """Return the probe or tool whose shaft is drawn under a pixel, the one in front of several."""
    best: float | None = None
    found = None
    for shaft in shafts:
        ends = to_screen(world_to_ndc, np.array([shaft.entry_mm, shaft.tip_mm]), size_px)
        if not np.all(np.isfinite(ends)):
            continue
        along = ends[1, :2] - ends[0, :2]
        from_entry = np.array([x_px, y_px]) - ends[0, :2]
        length2 = float(along @ along)
        share = float(np.clip(from_entry @ along / length2, 0.0, 1.0)) if length2 else 0.0
        depth = float(ends[0, 2] + share * (ends[1, 2] - ends[0, 2]))
        if np.linalg.norm(from_entry - share * along) <= SHAFT_PX and (best is None or depth < best):
            best, found = depth, shaft.name
    return found


def on_plane(ray: Ray, point_mm: npt.ArrayLike, normal: npt.ArrayLike) -> Point | None:
    """Return where a ray meets the plane through a point, None when it runs along it or away from it."""
    across = unit(normal)
    slope = float(ray.direction @ across)
    if abs(slope) < 1e-9:
        return None
    distance = float((np.asarray(point_mm, float) - ray.origin_mm) @ across) / slope
    return ray.at(distance) if distance >= 0.0 else None


def mesh_hits_mm(ray: Ray, mesh: MeshArrays) -> FloatArray:
    """Return the distances along a ray at which it passes a mesh, ascending; empty when it misses.

    Method: Moeller and Trumbore, Journal of Graphics Tools 2 (1997) 21, all triangles at once.
    """
    points = mesh.points_mm.astype(np.float64)
    a, b, c = (points[mesh.triangles[:, n]] for n in range(3))
    ab, ac, to_origin = b - a, c - a, ray.origin_mm - a
    p = np.cross(ray.direction, ac)
    determinant = np.einsum("ij,ij->i", ab, p)
    usable = np.abs(determinant) > 1e-12
    inverse = 1.0 / np.where(usable, determinant, 1.0)
    u = np.einsum("ij,ij->i", to_origin, p) * inverse
    q = np.cross(to_origin, ab)
    v = (q @ ray.direction) * inverse
    distance = np.einsum("ij,ij->i", ac, q) * inverse
    hit = usable & (u >= 0.0) & (v >= 0.0) & (u + v <= 1.0) & (distance >= 0.0)
    return np.sort(distance[hit])


def skin_point_mm(target_mm: npt.ArrayLike, towards_mm: npt.ArrayLike, skin: MeshArrays) -> Point | None:
    """Return where the line from a target point through another one leaves the skin for good.

    This is what an entry snaps to; None when the line does not meet the skin.
    """
    ray = Ray.between(target_mm, towards_mm)
    hits = mesh_hits_mm(ray, skin)
    return ray.at(float(hits[-1])) if hits.size else None
