"""Slices: the 2-D picture of a patient plane out of any volume, and where its pixels are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.errors import ImageError
from cryoplan.core.geometry import FloatArray
from cryoplan.core.volume import Volume
from cryoplan.scene.oblique import ObliquePlane, Plane, cut_corners_uv
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.sampled import Lattice, PlaneSampler, sample_plane

Curve = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
"""A function of voxel values, element by element."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceImage:
    """Voxel values of a plane.

    Attributes
    ----------
    plane : Plane
        Plane that the pixels show: for a picture between two slices, that of the nearest slice.
    values : numpy.ndarray
        ``[row, column]``, row 0 on top of the screen; may be a view of the volume, so never write to it.
    left_mm, right_mm, top_mm, bottom_mm : float
        Plane coordinates of the outer edges of the pixels; left < right and top < bottom.
    """

    plane: Plane
    values: npt.NDArray[Any]
    left_mm: float
    right_mm: float
    top_mm: float
    bottom_mm: float

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """Size of a pixel along u and v."""
        rows, columns = self.values.shape
        return (self.right_mm - self.left_mm) / columns, (self.bottom_mm - self.top_mm) / rows

    @property
    def extent_mm(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top: the order of matplotlib's ``imshow``."""
        return self.left_mm, self.right_mm, self.bottom_mm, self.top_mm

    def column_centres_mm(self) -> FloatArray:
        """Return u of the pixel centres."""
        du = self.spacing_mm[0]
        return np.asarray(self.left_mm + du * (np.arange(self.values.shape[1]) + 0.5), np.float64)

    def row_centres_mm(self) -> FloatArray:
        """Return v of the pixel centres."""
        dv = self.spacing_mm[1]
        return np.asarray(self.top_mm + dv * (np.arange(self.values.shape[0]) + 0.5), np.float64)

    def pixel_to_plane(self, column: float, row: float) -> tuple[float, float]:
        """Convert a (fractional) pixel, whole numbers at pixel centres, to u and v."""
        du, dv = self.spacing_mm
        return self.left_mm + (column + 0.5) * du, self.top_mm + (row + 0.5) * dv

    def plane_to_pixel(self, u_mm: float, v_mm: float) -> tuple[float, float]:
        """Convert u and v to a fractional pixel, column first."""
        du, dv = self.spacing_mm
        return (u_mm - self.left_mm) / du - 0.5, (v_mm - self.top_mm) / dv - 0.5


class SliceSampler:
    """Cuts patient planes out of one volume, whatever the directions of its axes.

    A grid whose axes are patient axes in any order and sign (to a tenth of a voxel over its whole length) is
    cut by indexing, without copying or resampling a voxel; any other grid by trilinear interpolation.

    Parameters
    ----------
    volume : Volume
        Image, mask or temperature field.
    outside : float or None
        Value of places that an oblique volume does not reach; the volume's lowest value when None.
    """

    def __init__(self, volume: Volume, *, outside: float | None = None) -> None:
        self.volume = volume
        self._outside = outside
        grid = volume.grid
        axes = grid.axes
        # Grid axis (i 0, j 1, k 2) that runs most along each patient axis; unique for orthogonal axes
        # except at exactly 45 degrees, where any fair choice will do.
        along = _best_axes(np.abs(axes))
        signs = [1.0 if axes[a, along[a]] >= 0 else -1.0 for a in range(3)]
        exact = np.zeros((3, 3))
        for a in range(3):
            exact[a, along[a]] = signs[a]
        reach = np.asarray(grid.spacing_mm) * (np.asarray(grid.size) - 1) / 2.0
        drift = float((np.abs(axes - exact) @ reach).max())
        self.is_direct = drift <= 0.1 * min(grid.spacing_mm)
        self._spacing = np.array([grid.spacing_mm[along[a]] for a in range(3)])
        lower, upper = grid.bounds_mm()
        self._planes: dict[Orientation, PlaneSampler] = {}
        self._zyx: npt.NDArray[Any] | None = None
        if self.is_direct:
            view = np.transpose(volume.values, tuple(2 - along[a] for a in (2, 1, 0)))
            flips = tuple(slice(None, None, -1 if signs[a] < 0 else 1) for a in (2, 1, 0))
            self._zyx = view[flips]
            self._count = np.array([grid.size[along[a]] for a in range(3)])
            self._first = grid.centre_mm() - self._spacing * (self._count - 1) / 2.0
        else:
            self._count = np.maximum(np.ceil((upper - lower) / self._spacing - 1e-6).astype(int), 1)
            self._first = (lower + upper) / 2.0 - self._spacing * (self._count - 1) / 2.0

    def positions_mm(self, orientation: Orientation) -> FloatArray:
        """Return the positions that scrolling goes through, ascending, one voxel apart."""
        a = orientation.axis
        return np.asarray(self._first[a] + self._spacing[a] * np.arange(self._count[a]))

    def count(self, orientation: Orientation) -> int:
        """Return the number of slices along the scroll axis."""
        return int(self._count[orientation.axis])

    def shape(self, orientation: Orientation) -> tuple[int, int]:
        """Return rows and columns of a picture."""
        return int(self._count[orientation.v_axis]), int(self._count[orientation.u_axis])

    def step_mm(self, orientation: Orientation) -> float:
        """Return the distance of neighbouring slices."""
        return float(self._spacing[orientation.axis])

    def nearest_index(self, orientation: Orientation, position_mm: float) -> int:
        """Return the index of the slice nearest to a position; the first or last one beyond the ends."""
        a = orientation.axis
        index = round((position_mm - self._first[a]) / self._spacing[a])
        return int(np.clip(index, 0, self._count[a] - 1))

    def nearest_plane(self, orientation: Orientation, position_mm: float) -> SlicePlane:
        """Return the slice nearest to a position."""
        index = self.nearest_index(orientation, position_mm)
        a = orientation.axis
        return SlicePlane(orientation, float(self._first[a] + self._spacing[a] * index))

    def covers(self, plane: Plane) -> bool:
        """Tell whether the plane passes through the volume, outer voxel faces included."""
        if isinstance(plane, ObliquePlane):
            return cut_corners_uv(self.volume.grid, plane) is not None
        a = plane.orientation.axis
        index = (plane.position_mm - self._first[a]) / self._spacing[a]
        return bool(-0.5 - 1e-6 <= index <= self._count[a] - 0.5 + 1e-6)

    def extract(self, plane: Plane, *, interpolate: bool = False) -> SliceImage:
        """Return the picture of a plane.

        Parameters
        ----------
        plane : Plane
            Where to cut.
        interpolate : bool
            False: the nearest slice, as it was acquired. True: linear between the two nearest slices, for
            fields such as temperatures. Oblique volumes and planes are interpolated in either case.

        Raises
        ------
        ImageError
            If the plane does not pass through the volume.
        """
        if isinstance(plane, ObliquePlane):
            return self.extract_oblique(plane)
        if not self.covers(plane):
            raise _outside(plane)
        if not interpolate:
            plane = self.nearest_plane(plane.orientation, plane.position_mm)
        return self.picture_of(plane, self._direct(plane) if self.is_direct else self._oblique(plane))

    def extract_oblique(self, plane: ObliquePlane, lattice: Lattice | None = None) -> SliceImage:
        """Return the picture of an oblique plane, on the pixels of `lattice` or of the whole volume.

        Raises
        ------
        ImageError
            If the plane does not pass through the volume.
        """
        lattice = lattice if lattice is not None else self.lattice_on(plane)
        if lattice is None:
            raise _outside(plane)
        values, inside = sample_plane(self.volume, lattice, plane.position_mm)
        values[~inside] = self.outside
        return oblique_picture(plane, lattice, values)

    def lattice_on(
        self,
        plane: ObliquePlane,
        *,
        seen_uv: tuple[float, float, float, float] | None = None,
        least_mm: float = 0.0,
    ) -> Lattice | None:
        """Return square pixels for a plane, as large as the smallest edge of a voxel.

        They lie on fixed places of the plane, so that a picture that moves over it does not shimmer.

        Parameters
        ----------
        plane : ObliquePlane
            The plane.
        seen_uv : tuple of float, optional
            Left, right, top and bottom of the part that is wanted; all that the volume has when left out.
        least_mm : float
            Pixels are not smaller than this.

        Returns
        -------
        Lattice or None
            None where the plane misses the volume, or the part that is wanted has none of it.
        """
        corners = cut_corners_uv(self.volume.grid, plane)
        if corners is None:
            return None
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        if seen_uv is not None:
            left, right = max(left, seen_uv[0]), min(right, seen_uv[1])
            top, bottom = max(top, seen_uv[2]), min(bottom, seen_uv[3])
        if left >= right or top >= bottom:
            return None
        size = max(least_mm, min(self.volume.grid.spacing_mm))
        first = np.floor(np.array([left, top]) / size + 0.5)
        last = np.ceil(np.array([right, bottom]) / size - 0.5)
        columns, rows = np.maximum(last - first + 1.0, 2.0).astype(int)
        return Lattice(
            axes=plane.facing, u_mm=float(first[0] * size), v_mm=float(first[1] * size),
            du_mm=size, dv_mm=size, rows=int(rows), columns=int(columns),
        )  # fmt: skip

    def picture_of(self, plane: SlicePlane, values: npt.NDArray[Any]) -> SliceImage:
        """Return values ``(rows, columns)`` of a plane of this volume with the places of their pixels."""
        o = plane.orientation
        u0, du, nu = self._first[o.u_axis], self._spacing[o.u_axis], self._count[o.u_axis]
        v0, dv, nv = self._first[o.v_axis], self._spacing[o.v_axis], self._count[o.v_axis]
        low, high = v0 - dv / 2, v0 + dv * (nv - 0.5)
        top, bottom = (low, high) if o.v_sign > 0 else (-high, -low)
        return SliceImage(
            plane=plane,
            values=values,
            left_mm=float(u0 - du / 2),
            right_mm=float(u0 + du * (nu - 0.5)),
            top_mm=float(top),
            bottom_mm=float(bottom),
        )

    def value_at(
        self, point_mm: npt.ArrayLike, *, interpolate: bool = False, curve: Curve | None = None
    ) -> float | None:
        """Return the voxel value at an LPS point (trilinear when asked), None outside the volume.

        With a `curve`, what is interpolated and returned is that function of the voxels.
        """
        grid = self.volume.grid
        index = grid.mm_to_index(point_mm)
        if not bool(grid.contains_mm(point_mm)):
            return None
        if not interpolate:
            i, j, k = np.clip(np.rint(index).astype(int), 0, np.asarray(grid.size) - 1)
            value = self.volume.values[k, j, i]
            return float(value if curve is None else curve(value))
        low = np.clip(np.floor(index).astype(int), 0, np.maximum(np.asarray(grid.size) - 2, 0))
        corner = self.volume.values[low[2] : low[2] + 2, low[1] : low[1] + 2, low[0] : low[0] + 2]
        corner = corner if curve is None else curve(corner)
        return float(
            ndimage.map_coordinates(
                np.asarray(corner, np.float64), (index - low)[::-1, None], order=1, mode="nearest"
            )[0]
        )

    def _direct(self, plane: SlicePlane) -> npt.NDArray[Any]:
        o = plane.orientation
        place = (plane.position_mm - self._first[o.axis]) / self._spacing[o.axis]
        low = int(np.clip(np.floor(place + 1e-6), 0, self._count[o.axis] - 1))
        share = float(np.clip(place - low, 0.0, 1.0))
        image = self._layer(o, low)
        if share > 1e-5 and low + 1 < self._count[o.axis]:
            kind = np.result_type(image.dtype, np.float32)
            image = image.astype(kind) * kind.type(1.0 - share)
            image += self._layer(o, low + 1) * kind.type(share)
        return image

    def layers(self, orientation: Orientation, low: int, high: int) -> npt.NDArray[Any]:
        """Return the acquired slices `low` to `high` (not included) of a direct volume, without a copy.

        Returns
        -------
        numpy.ndarray
            ``[slice, row, column]`` by ascending position; row 0 on top of the screen. Never write to it.

        Raises
        ------
        ValueError
            If the axes of the volume are not patient axes: then no slice of it is a plane of the patient.
        """
        if self._zyx is None:
            raise ValueError("only a volume along the patient axes has slices of its own")
        place: list[Any] = [slice(None)] * 3
        place[2 - orientation.axis] = slice(low, high)
        block: npt.NDArray[Any] = np.moveaxis(self._zyx[tuple(place)], 2 - orientation.axis, 0)
        return block if orientation.v_sign > 0 else block[:, ::-1]

    def sample(self, plane: SlicePlane) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """Return the trilinear values of a plane and where it lies in the volume, both ``(rows, columns)``.

        Values where the volume does not reach are 0 and mean nothing: use them only inside.
        """
        values, inside = sample_plane(self.volume, self.lattice(plane.orientation), plane.position_mm)
        return values, inside

    def lattice(self, orientation: Orientation) -> Lattice:
        """Return where the pixels of an orientation are."""
        o = orientation
        rows, columns = self.shape(o)
        first, step = self._first, self._spacing
        top = first[o.v_axis] if o.v_sign > 0 else -(first[o.v_axis] + step[o.v_axis] * (rows - 1))
        return Lattice(
            axes=o,
            u_mm=float(first[o.u_axis]),
            v_mm=float(top),
            du_mm=float(step[o.u_axis]),
            dv_mm=float(step[o.v_axis]),
            rows=rows,
            columns=columns,
        )

    def planes(self, orientation: Orientation) -> PlaneSampler:
        """Return the sampled planes of an orientation; the newest are kept, for slabs that move."""
        known = self._planes.get(orientation)
        if known is None:
            known = PlaneSampler(self.volume, self.lattice(orientation), self.step_mm(orientation))
            self._planes[orientation] = known
        return known

    @property
    def outside(self) -> float:
        """Value of places that the volume does not reach."""
        if self._outside is None:
            self._outside = float(self.volume.values.min())
        return self._outside

    def _layer(self, orientation: Orientation, index: int) -> npt.NDArray[Any]:
        layer: npt.NDArray[Any] = self.layers(orientation, index, index + 1)[0]
        return layer

    def _oblique(self, plane: SlicePlane) -> npt.NDArray[Any]:
        image, inside = self.sample(plane)
        image[~inside] = self.outside
        return image


def oblique_picture(plane: ObliquePlane, lattice: Lattice, values: npt.NDArray[Any]) -> SliceImage:
    """Return values ``(rows, columns)`` of an oblique plane with the places of their pixels."""
    left, top = lattice.u_mm - lattice.du_mm / 2.0, lattice.v_mm - lattice.dv_mm / 2.0
    return SliceImage(
        plane=plane,
        values=values,
        left_mm=left,
        right_mm=left + lattice.columns * lattice.du_mm,
        top_mm=top,
        bottom_mm=top + lattice.rows * lattice.dv_mm,
    )


def _outside(plane: Plane) -> ImageError:
    if isinstance(plane, ObliquePlane):
        name, where = "oblique", plane.position_text()
    else:
        name, where = plane.orientation.value, f"at {plane.position_text()}"
    return ImageError(
        f"The {name} plane {where} lies outside the image.",
        "Choose a slice of the image.",
        code="plane-outside",
        place=name,
    )


def _best_axes(strength: FloatArray) -> tuple[int, int, int]:
    """Return the permutation of columns with the largest product of entries, one column a row."""
    choices = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    return max(choices, key=lambda c: float(strength[0, c[0]] * strength[1, c[1]] * strength[2, c[2]]))
