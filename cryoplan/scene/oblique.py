"""Oblique planes: any plane of the patient, turned to the screen the way radiologists are used to.

Like the three planes of the patient they have millimetre coordinates `u` to the right and `v` down the
screen, measured from the origin of the patient coordinates, and right x down points into the screen: nothing
is ever seen in a mirror.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray, Point, as_point, unit
from cryoplan.core.grid import Grid
from cryoplan.scene.plane import OBLIQUE_DEG, Orientation, SlicePlane, letters_of

STAYS_DEG = 60.0
"""A view keeps facing the way it does until its plane is tilted further than this: at 45 degrees, where
another of the three planes becomes the nearest, a hand that drags to and fro would turn it over and back."""

_STRAIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Facing:
    """How a plane is turned to the screen.

    Attributes
    ----------
    right_lps, down_lps : Point
        Patient directions that run to the right and down the screen: of length 1, at right angles.

    Raises
    ------
    ValueError
        If they are not.
    """

    right_lps: Point
    down_lps: Point
    _across: Point = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        a, b = np.asarray(self.right_lps), np.asarray(self.down_lps)
        object.__setattr__(self, "_across", as_point(np.cross(a, b)))
        off = max(abs(float(a @ a) - 1.0), abs(float(b @ b) - 1.0), abs(float(a @ b)))
        if not off < _STRAIGHT:
            raise ValueError(f"right {self.right_lps} and down {self.down_lps} are not a square frame")

    @property
    def right(self) -> FloatArray:
        """Patient direction that runs to the right of the screen."""
        return np.asarray(self.right_lps)

    @property
    def down(self) -> FloatArray:
        """Patient direction that runs down the screen."""
        return np.asarray(self.down_lps)

    @property
    def across(self) -> FloatArray:
        """Patient direction that runs into the screen; positions grow along it."""
        return np.asarray(self._across)

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Letters of the left, right, top and bottom edge: two where the edge lies between two sides."""
        right, down = self.right, self.down
        left_edge, right_edge = letters_of(-right)[:2], letters_of(right)[:2]
        return left_edge, right_edge, letters_of(-down)[:2], letters_of(down)[:2]

    @property
    def tilt(self) -> tuple[Orientation, float]:
        """The nearest of the three planes of the patient, and the angle to it in degrees."""
        across = self.across
        nearest = max(Orientation, key=lambda o: abs(float(across[o.axis])))
        beside = np.delete(across, nearest.axis)
        return nearest, float(np.degrees(np.arctan2(np.linalg.norm(beside), abs(across[nearest.axis]))))


@dataclass(frozen=True, slots=True)
class ObliquePlane:
    """A plane of any direction: how it faces the screen, and its distance from the origin along `across`."""

    facing: Facing
    position_mm: float

    @classmethod
    def through(cls, facing: Facing, point_mm: npt.ArrayLike) -> ObliquePlane:
        """Return the plane that faces so and holds a point."""
        return cls(facing, float(np.asarray(point_mm, float) @ facing.across))

    def shifted(self, by_mm: float) -> ObliquePlane:
        """Return the parallel plane that lies so much further into the screen."""
        return ObliquePlane(self.facing, self.position_mm + by_mm)

    def plane_to_mm(self, u: npt.ArrayLike, v: npt.ArrayLike) -> FloatArray:
        """Convert plane coordinates, each ``(...)``, to LPS points ``(..., 3)``."""
        f = self.facing
        uu, vv = np.asarray(u, float)[..., None], np.asarray(v, float)[..., None]
        return np.asarray(uu * f.right + vv * f.down + self.position_mm * f.across)

    def mm_to_plane(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Project LPS points ``(..., 3)`` onto the plane; returns u, v as ``(..., 2)``."""
        points = np.asarray(points_mm, float)
        return np.stack([points @ self.facing.right, points @ self.facing.down], axis=-1)

    def distance_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Return how far LPS points ``(..., 3)`` lie from the plane, positive into the screen."""
        return np.asarray(np.asarray(points_mm, float) @ self.facing.across - self.position_mm)

    def orientation_letters(self) -> tuple[str, str, str, str]:
        """Return the patient letters of the left, right, top and bottom edge, at most two each."""
        return self.facing.letters

    def position_text(self) -> str:
        """Return how the plane lies, such as ``axial`` or ``23° off axial``."""
        nearest, off = self.facing.tilt
        return nearest.value if off < OBLIQUE_DEG else f"{off:.0f}° off {nearest.value}"


Plane = SlicePlane | ObliquePlane
"""What a view can show."""


def facing_of(normal: npt.ArrayLike, *, stay: Orientation | None = None) -> tuple[Facing, Orientation]:
    """Turn a plane to the screen as the nearest of axial, coronal and sagittal is turned.

    Like that one it is seen from the feet, the front or the left; its vertical is that one's vertical as far
    as the plane allows. A plane that *is* one of the three so looks as its slice view does.

    Parameters
    ----------
    normal : array_like
        Of the plane, LPS, of any length and either sign.
    stay : Orientation, optional
        The one it follows until its angle to that one exceeds `STAYS_DEG`.

    Returns
    -------
    tuple of Facing and Orientation
        And the plane of the patient that was followed: the `stay` of the next call.
    """
    n = unit(normal)
    follows = stay
    if follows is None or abs(n[follows.axis]) < np.cos(np.radians(STAYS_DEG)):
        # Equal components (45 degrees) go to the first; rounding must not decide.
        follows = max(Orientation, key=lambda o: round(abs(float(n[o.axis])), 9))
    if float(np.cross(follows.right, follows.down) @ n) < 0.0:
        n = -n
    down = unit(follows.down - (follows.down @ n) * n)
    return Facing(as_point(np.cross(down, n)), as_point(down)), follows


def cut_corners_uv(grid: Grid, plane: ObliquePlane) -> FloatArray | None:
    """Return the corners ``(n, 2)`` of what a plane cuts out of a grid's box; None where it misses.

    The box ends at the outer faces of the outer voxels.
    """
    size = np.asarray(grid.size)
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners = grid.index_to_mm(ends * size - 0.5)
    away = plane.distance_mm(corners)
    found = [corners[n] for n in np.flatnonzero(np.abs(away) < _STRAIGHT)]
    for a, b in _EDGES:
        if away[a] * away[b] < 0.0:
            found.append(corners[a] + away[a] / (away[a] - away[b]) * (corners[b] - corners[a]))
    return plane.mm_to_plane(np.asarray(found)) if len(found) >= 3 else None


_EDGES = tuple((a, a + step) for step in (1, 2, 4) for a in range(8) if not a & step)
"""Pairs of corners, numbered by their three bits, that an edge of the box joins."""
