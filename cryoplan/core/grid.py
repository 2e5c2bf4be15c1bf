"""Grid: where voxels are. States the one convention of the program and converts index <-> millimetres.

Positions are **LPS millimetres**: +x to the patient's left, +y to the back, +z to the head, as in DICOM.
Index points are ``(i, j, k)`` along the grid's axes; arrays are indexed ``[k, j, i]``. An index point names
the voxel's *centre*. Only this file converts between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

IDENTITY_DIRECTION = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A regular, orthogonal lattice of voxels in patient space.

    Attributes
    ----------
    size : tuple of int
        Number of voxels along i, j, k.
    spacing_mm : tuple of float
        Distance of voxel centres along i, j, k.
    origin_mm : tuple of float
        LPS position of the centre of voxel (0, 0, 0).
    direction : tuple of 9 float
        Row-major 3 x 3 matrix; its *columns* are the unit vectors of i, j, k in LPS (as in SimpleITK).

    Raises
    ------
    ValueError
        If sizes or spacings are not positive, a number is not finite, or the axes are not orthonormal
        and right- or left-handed unit vectors.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    direction: tuple[float, ...] = IDENTITY_DIRECTION

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", tuple(int(n) for n in self.size))
        object.__setattr__(self, "spacing_mm", tuple(float(s) for s in self.spacing_mm))
        # Adding zero turns -0.0, which files give for flipped axes, into 0.0: equal grids get equal digests.
        object.__setattr__(self, "origin_mm", tuple(float(x) + 0.0 for x in self.origin_mm))
        object.__setattr__(self, "direction", tuple(float(d) + 0.0 for d in self.direction))
        if len(self.size) != 3 or min(self.size) < 1:
            raise ValueError(f"a grid needs three positive sizes, not {self.size}")
        if len(self.spacing_mm) != 3 or not all(np.isfinite(s) and s > 0 for s in self.spacing_mm):
            raise ValueError(f"a grid needs three positive spacings, not {self.spacing_mm}")
        if len(self.origin_mm) != 3 or not np.all(np.isfinite(self.origin_mm)):
            raise ValueError(f"a grid needs a finite origin, not {self.origin_mm}")
        if len(self.direction) != 9 or not np.all(np.isfinite(self.direction)):
            raise ValueError(f"a direction has nine finite numbers, not {self.direction}")
        axes = self.axes
        if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4):
            raise ValueError(f"the axes of a grid are orthogonal unit vectors, not {self.direction}")

    @classmethod
    def isotropic(cls, lower_mm: npt.ArrayLike, upper_mm: npt.ArrayLike, spacing_mm: float) -> Self:
        """Make the smallest axis-aligned cubic grid whose voxels cover a box.

        Voxel centres lie on whole multiples of `spacing_mm` from the patient origin, so that two such
        grids of one spacing always share their lattice.
        """
        # The small slack keeps a box face that lies on a voxel face from adding a layer through rounding.
        first = np.floor(np.asarray(lower_mm, float) / spacing_mm + 0.5 + 1e-9)
        last = np.ceil(np.asarray(upper_mm, float) / spacing_mm - 0.5 - 1e-9)
        last = np.maximum(last, first)
        size = (last - first).astype(int) + 1
        origin = first * spacing_mm
        return cls(
            size=(int(size[0]), int(size[1]), int(size[2])),
            spacing_mm=(spacing_mm, spacing_mm, spacing_mm),
            origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of an array on this grid: ``(nk, nj, ni)``."""
        return (self.size[2], self.size[1], self.size[0])

    @property
    def axes(self) -> FloatArray:
        """3 x 3 matrix whose columns are the unit vectors of i, j, k in LPS."""
        return np.asarray(self.direction, float).reshape(3, 3)

    @property
    def affine(self) -> FloatArray:
        """4 x 4 matrix from (i, j, k, 1) to (x, y, z, 1) in LPS millimetres."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes * np.asarray(self.spacing_mm)
        matrix[:3, 3] = self.origin_mm
        return matrix

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel, millilitres."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def is_axis_aligned(self) -> bool:
        """True when i, j, k run along +x, +y, +z."""
        return bool(np.allclose(self.direction, IDENTITY_DIRECTION, atol=1e-6))

    @property
    def is_planning(self) -> bool:
        """True for a grid that a solver may use: axis-aligned and cubic."""
        a, b, c = self.spacing_mm
        return self.is_axis_aligned and abs(a - b) < 1e-6 * a and abs(a - c) < 1e-6 * a

    def index_to_mm(self, points_ijk: npt.ArrayLike) -> FloatArray:
        """Convert index points ``(..., 3)`` to LPS millimetres ``(..., 3)``."""
        points = np.asarray(points_ijk, float) * np.asarray(self.spacing_mm)
        return np.asarray(points @ self.axes.T + np.asarray(self.origin_mm))

    def mm_to_index(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Convert LPS millimetres ``(..., 3)`` to (fractional) index points ``(..., 3)``."""
        points = np.asarray(points_mm, float) - np.asarray(self.origin_mm)
        return np.asarray((points @ self.axes) / np.asarray(self.spacing_mm))

    def contains_mm(self, points_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Tell for LPS points ``(..., 3)`` whether they lie inside the voxels, outer faces included."""
        index = self.mm_to_index(points_mm)
        inside = (index >= -0.5 - 1e-9) & (index <= np.asarray(self.size) - 0.5 + 1e-9)
        return np.asarray(inside.all(axis=-1))

    def bounds_mm(self) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper LPS corner of the box around all voxels, outer faces included."""
        upper = np.asarray(self.size, float) - 0.5
        corners = np.array(
            [[x, y, z] for x in (-0.5, upper[0]) for y in (-0.5, upper[1]) for z in (-0.5, upper[2])]
        )
        points = self.index_to_mm(corners)
        return points.min(axis=0), points.max(axis=0)

    def centre_mm(self) -> FloatArray:
        """Return the LPS centre of the grid."""
        return self.index_to_mm((np.asarray(self.size, float) - 1.0) / 2.0)

    def coordinates_mm(self, axis: int) -> FloatArray:
        """Return the LPS coordinates of voxel centres along x (0), y (1) or z (2).

        Raises
        ------
        ValueError
            If the grid is not axis-aligned: there the question has no answer.
        """
        if not self.is_axis_aligned:
            raise ValueError("only an axis-aligned grid has one coordinate per axis")
        return np.asarray(self.origin_mm[axis] + self.spacing_mm[axis] * np.arange(self.size[axis]), float)

    def difference(self, other: Grid, *, tolerance_mm: float = 0.05) -> str | None:
        """Say in words how `other` differs, or return None when both name the same places.

        Two grids are the same when their sizes are equal and no corner is further apart than
        `tolerance_mm`: files round spacings and origins, so equality of floats is too much to ask.
        """
        if self.size != other.size:
            return f"size {_show(self.size)} against {_show(other.size)} voxels"
        corners = np.array(
            [
                [i, j, k]
                for i in (0, self.size[0] - 1)
                for j in (0, self.size[1] - 1)
                for k in (0, self.size[2] - 1)
            ]
        )
        gap = float(np.abs(self.index_to_mm(corners) - other.index_to_mm(corners)).max())
        if gap <= tolerance_mm:
            return None
        if not np.allclose(self.direction, other.direction, atol=1e-4):
            return "axes point in other directions"
        if not np.allclose(self.spacing_mm, other.spacing_mm, rtol=1e-4):
            return f"spacing {_show(self.spacing_mm)} against {_show(other.spacing_mm)} mm"
        return f"origin {_show(self.origin_mm)} against {_show(other.origin_mm)} mm"


def _show(values: tuple[float, ...]) -> str:
    return " x ".join(f"{v:g}" for v in values)
