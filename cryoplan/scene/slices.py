"""Slices: the 2-D picture of a patient plane out of any volume, and where its pixels are.

A plane has two coordinates in millimetres: `u` grows to the right of the screen and `v` grows *down*. They
are patient coordinates, at most with the sign changed, so that one number means one place in every view:

========  ==================  =================  ==========================================
plane     u (right)           v (down)           seen
========  ==================  =================  ==========================================
axial     +x (to the left)    +y (to the back)   from the feet: R on the left, A on top
coronal   +x (to the left)    -z (to the feet)   from the front: R on the left, H on top
sagittal  +y (to the back)    -z (to the feet)   from the left: A on the left, H on top
========  ==================  =================  ==========================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.errors import ImageError
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan

FloatArray = npt.NDArray[np.float64]
Curve = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
"""A function of voxel values, element by element."""


class Orientation(Enum):
    """The three planes of the patient; the value is the word on the screen."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def axis(self) -> int:
        """Patient axis across the plane: x 0, y 1, z 2."""
        return {"axial": 2, "coronal": 1, "sagittal": 0}[self.value]

    @property
    def u_axis(self) -> int:
        """Patient axis that runs to the right of the screen."""
        return {"axial": 0, "coronal": 0, "sagittal": 1}[self.value]

    @property
    def v_axis(self) -> int:
        """Patient axis that runs along the screen's vertical."""
        return {"axial": 1, "coronal": 2, "sagittal": 2}[self.value]

    @property
    def v_sign(self) -> int:
        """+1 where the patient axis runs down the screen, -1 where it runs up."""
        return 1 if self is Orientation.AXIAL else -1

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Letters of the left, right, top and bottom edge of the screen."""
        return {
            "axial": ("R", "L", "A", "P"),
            "coronal": ("R", "L", "H", "F"),
            "sagittal": ("A", "P", "H", "F"),
        }[self.value]

    @property
    def coordinate(self) -> str:
        """Name of the coordinate across the plane."""
        return "xyz"[self.axis]


@dataclass(frozen=True, slots=True)
class SlicePlane:
    """A plane of the patient: its orientation and its coordinate across (LPS millimetres)."""

    orientation: Orientation
    position_mm: float

    @classmethod
    def through(cls, orientation: Orientation, point_mm: npt.ArrayLike) -> SlicePlane:
        """Return the plane of that orientation through a point."""
        return cls(orientation, float(np.asarray(point_mm, float)[orientation.axis]))

    def plane_to_mm(self, u: npt.ArrayLike, v: npt.ArrayLike) -> FloatArray:
        """Convert plane coordinates, each ``(...)``, to LPS points ``(..., 3)``."""
        uu, vv = np.broadcast_arrays(np.asarray(u, float), np.asarray(v, float))
        points = np.empty((*uu.shape, 3))
        points[..., self.orientation.axis] = self.position_mm
        points[..., self.orientation.u_axis] = uu
        points[..., self.orientation.v_axis] = self.orientation.v_sign * vv
        return points

    def mm_to_plane(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Project LPS points ``(..., 3)`` onto the plane; returns u, v as ``(..., 2)``."""
        points = np.asarray(points_mm, float)
        o = self.orientation
        return np.stack([points[..., o.u_axis], o.v_sign * points[..., o.v_axis]], axis=-1)

    def distance_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Return how far LPS points ``(..., 3)`` lie from the plane, positive towards +axis."""
        return np.asarray(np.asarray(points_mm, float)[..., self.orientation.axis] - self.position_mm)

    def orientation_letters(self) -> tuple[str, str, str, str]:
        """Return the patient letters (R L A P H F) of the left, right, top and bottom edge."""
        return self.orientation.letters

    def position_text(self) -> str:
        """Return the slice position as the views and the report show it, for example ``z −302.0 mm``."""
        number = f"{self.position_mm:.1f}".replace("-", "\N{MINUS SIGN}")
        return f"{self.orientation.coordinate} {number} mm"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceImage:
    """Voxel values of a plane.

    Attributes
    ----------
    plane : SlicePlane
        Plane that the pixels show: for a picture between two slices, that of the nearest slice.
    values : numpy.ndarray
        ``[row, column]``, row 0 on top of the screen; may be a view of the volume, so never write to it.
    left_mm, right_mm, top_mm, bottom_mm : float
        Plane coordinates of the outer edges of the pixels; left < right and top < bottom.
    """

    plane: SlicePlane
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

    def covers(self, plane: SlicePlane) -> bool:
        """Tell whether the plane passes through the volume, outer voxel faces included."""
        a = plane.orientation.axis
        index = (plane.position_mm - self._first[a]) / self._spacing[a]
        return bool(-0.5 - 1e-6 <= index <= self._count[a] - 0.5 + 1e-6)

    def extract(self, plane: SlicePlane, *, interpolate: bool = False) -> SliceImage:
        """Return the picture of a plane.

        Parameters
        ----------
        plane : SlicePlane
            Where to cut.
        interpolate : bool
            False: the nearest slice, as it was acquired. True: linear between the two nearest slices, for
            fields such as temperatures. Oblique volumes are interpolated in either case.

        Raises
        ------
        ImageError
            If the plane does not pass through the volume.
        """
        if not self.covers(plane):
            raise ImageError(
                f"The {plane.orientation.value} plane at {plane.position_text()} lies outside the image.",
                "Choose a slice of the image.",
                code="plane-outside",
                place=plane.orientation.value,
            )
        if not interpolate:
            plane = self.nearest_plane(plane.orientation, plane.position_mm)
        values = self._direct(plane) if self.is_direct else self._oblique(plane)
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
        assert self._zyx is not None
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

    def _layer(self, orientation: Orientation, index: int) -> npt.NDArray[Any]:
        assert self._zyx is not None
        place: list[Any] = [slice(None)] * 3
        place[2 - orientation.axis] = index
        layer: npt.NDArray[Any] = self._zyx[tuple(place)]
        return layer if orientation.v_sign > 0 else layer[::-1]

    def _oblique(self, plane: SlicePlane) -> npt.NDArray[Any]:
        grid, o = self.volume.grid, plane.orientation
        to_index = (grid.axes / np.asarray(grid.spacing_mm)).T
        u = self._first[o.u_axis] + self._spacing[o.u_axis] * np.arange(self._count[o.u_axis])
        p = self._first[o.v_axis] + self._spacing[o.v_axis] * np.arange(self._count[o.v_axis])
        p = p if o.v_sign > 0 else p[::-1]
        coordinates = []
        inside = np.ones((len(p), len(u)), bool)
        for g in range(3):
            constant = to_index[g, o.axis] * plane.position_mm - float(to_index[g] @ grid.origin_mm)
            index = (to_index[g, o.v_axis] * p + constant)[:, None] + (to_index[g, o.u_axis] * u)[None, :]
            inside &= (index >= -0.5) & (index <= grid.size[g] - 0.5)
            coordinates.append(index)
        source = self.volume.values
        if source.dtype == bool:
            source = source.view(np.uint8)
        kind = np.float64 if source.dtype == np.float64 else np.float32
        image: npt.NDArray[Any] = ndimage.map_coordinates(
            source, coordinates[::-1], order=1, mode="nearest", output=kind
        )
        if self._outside is None:
            self._outside = float(self.volume.values.min())
        image[~inside] = self._outside
        return image


def _best_axes(strength: FloatArray) -> tuple[int, int, int]:
    """Return the permutation of columns with the largest product of entries, one column a row."""
    choices = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    return max(choices, key=lambda c: float(strength[0, c[0]] * strength[1, c[1]] * strength[2, c[2]]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Grey window: `width` values around `level` go from black to white."""

    name: str
    width: float
    level: float


WINDOW_PRESETS = (
    Window(name="soft tissue", width=400.0, level=40.0),
    Window(name="liver", width=150.0, level=90.0),
    Window(name="lung", width=1500.0, level=-600.0),
    Window(name="bone", width=1800.0, level=400.0),
    Window(name="brain", width=80.0, level=40.0),
)
"""Usual CT windows in HU, in the order of the number keys. Source: common radiology practice."""


def auto_window(volume: Volume) -> Window:
    """Return a window from the 1st to the 99.5th percentile of the voxels that differ from the lowest value.

    For MR, whose values have no unit; the lowest value is left out because it is padding in most files.
    At most some 200,000 voxels, evenly spread, are looked at.
    """
    values = volume.values
    step = max(1, round((values.size / 200_000) ** (1 / 3)))
    sample = np.asarray(values[::step, ::step, ::step], np.float64)
    sample = sample[np.isfinite(sample)]
    signal = sample[sample > sample.min()] if sample.size else sample
    low, high = np.percentile(signal, (1.0, 99.5)) if signal.size else (0.0, 1.0)
    width = max(float(high - low), 1e-6)
    return Window(name="auto", width=width, level=float(low + high) / 2.0)


def default_window(scan: Scan) -> Window:
    """Return the window a scan opens with: soft tissue for CT, automatic for everything else."""
    return WINDOW_PRESETS[0] if scan.facts.has_hounsfield else auto_window(scan.volume)


def window_to_gray(values: npt.NDArray[Any], window: float, level: float) -> npt.NDArray[np.uint8]:
    """Map voxel values to grey, 0 black to 255 white, in an array of its own.

    DICOM PS3.3 C.11.2.1.3.2 (LINEAR_EXACT): ``255 ((x - level) / window + 0.5)``, clipped.

    Raises
    ------
    ValueError
        If `window` is not positive.
    """
    if not window > 0:
        raise ValueError(f"a grey window needs a positive width, not {window}")
    gray = np.asarray(values, np.float32) * np.float32(255.0 / window)
    gray += np.float32(255.0 * (0.5 - level / window) + 0.5)
    np.clip(gray, 0.0, 255.0, out=gray)
    # NaN, where a field has no value, is black.
    if values.dtype.kind == "f":
        np.nan_to_num(gray, copy=False)
    return gray.astype(np.uint8)
