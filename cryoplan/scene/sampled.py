"""Sampled planes: patient planes out of a volume whose axes lie anyhow, kept while a slab moves along them.

Along the normal the value is taken to run straight between planes that are at most a voxel apart. Their step
divides the distance of two slices, so that a slab which goes on by one slice finds nearly all planes ready.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.geometry import FloatArray
from cryoplan.core.volume import Volume

FloatPlane = npt.NDArray[np.floating[Any]]
BoolPlane = npt.NDArray[np.bool_]

KEPT_BYTES = 256_000_000
"""Of planes that are kept for one view: some 190 of 512 x 512."""

SMALL = 20_000
"""Pixels that are made in a shorter time than a second thread takes to begin."""

_EDGE = 1e-9
_HANDS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="slices")


class Axes(Protocol):
    """Three patient directions at right angles: of an orientation of the patient, or of an oblique plane."""

    @property
    def right(self) -> FloatArray:
        """To the right of the screen."""

    @property
    def down(self) -> FloatArray:
        """Down the screen."""

    @property
    def across(self) -> FloatArray:
        """Along which positions grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Pixels of the pictures of parallel planes: the middle of the first one and the steps.

    Attributes
    ----------
    axes : Axes
        Of the pictures.
    u_mm, v_mm : float
        Plane coordinates of the middle of the upper left pixel.
    du_mm, dv_mm : float
        Size of a pixel.
    rows, columns : int
        How many.
    """

    axes: Axes
    u_mm: float
    v_mm: float
    du_mm: float
    dv_mm: float
    rows: int
    columns: int


class PlaneSampler:
    """Trilinear values of one volume on the pixels of parallel planes.

    Parameters
    ----------
    volume : Volume
        Its grid may have any directions, size and spacing.
    lattice : Lattice
        Where the pixels are.
    slice_mm : float
        Distance of two neighbouring slices of the pictures: slabs go on by this.
    """

    def __init__(self, volume: Volume, lattice: Lattice, slice_mm: float) -> None:
        self.volume = volume
        self.lattice = lattice
        self.step_mm = slice_mm / max(1, int(np.ceil(slice_mm / _voxel_mm(volume, lattice) - 1e-6)))
        self._kept: OrderedDict[int, tuple[FloatPlane, BoolPlane, bool]] = OrderedDict()
        size = lattice.rows * lattice.columns * 5
        self._most = max(8, KEPT_BYTES // max(size, 1))

    def plane(self, position_mm: float) -> tuple[FloatPlane, BoolPlane, bool]:
        """Return values, where they are inside the volume, and whether all are; never write to them.

        Values outside are 0.
        """
        key = round(position_mm * 1e5)
        known = self._kept.get(key)
        if known is None:
            values, inside = sample_plane(self.volume, self.lattice, position_mm)
            known = self._kept[key] = values, inside, bool(inside.all())
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return known

    def mean(self, position_mm: float, thickness_mm: float) -> tuple[FloatPlane, BoolPlane]:
        """Return the mean over a slab of what lies inside the volume, and where anything does."""
        h, half = self.step_mm, thickness_mm / 2.0
        last = int(np.ceil(half / h - 1e-9))
        # In steps: one for each plane whose surroundings lie in the slab, parts of one at the faces.
        shares = {n: _hat_area(n * h, h, half) / h for n in range(-last, last + 1)}
        planes = [(self.plane(position_mm + n * h), w) for n, w in shares.items() if w > 1e-9]
        total = np.zeros((self.lattice.rows, self.lattice.columns), np.float32)
        weight = np.zeros_like(total)
        counting = np.uint8 if len(planes) < 256 else np.uint16

        def add(rows: slice) -> None:
            here = total[rows]
            count = np.zeros(here.shape, counting)
            for (values, inside, _), share in planes:
                # Outside the values are 0, so only the count has to know.
                if abs(share - 1.0) < 1e-9:
                    np.add(here, values[rows], out=here, casting="same_kind")
                    count += inside[rows].view(np.uint8)
                else:
                    w = np.float32(share)
                    np.add(here, values[rows] * w, out=here, casting="same_kind")
                    weight[rows] += inside[rows] * w
            weight[rows] += count
            np.divide(here, weight[rows], out=here, where=weight[rows] > 0.0)

        self._both(add)
        return total, weight > 0.0

    def most(self, position_mm: float, thickness_mm: float, *, sign: int) -> tuple[FloatPlane, BoolPlane]:
        """Return the largest value (`sign` 1) or the smallest (-1) over a slab, and where there is any."""
        join = np.maximum if sign > 0 else np.minimum
        h, half = self.step_mm, thickness_mm / 2.0
        steps = int(np.floor(half / h + 1e-9))
        rest = np.float32(half / h - steps)
        planes = [self.plane(position_mm + n * h) for n in range(-steps, steps + 1)]
        beyond = []
        if rest > 1e-6:
            # The two faces of the slab lie between planes.
            beyond = [
                (planes[end], self.plane(position_mm + n * h))
                for end, n in ((0, -steps - 1), (-1, steps + 1))
            ]
        best = np.full((self.lattice.rows, self.lattice.columns), -sign * np.inf, np.float32)
        seen = np.zeros(best.shape, bool)

        def add(rows: slice) -> None:
            here = best[rows]
            for values, inside, whole in planes:
                _join(join, here, values[rows], inside[rows], whole)
                seen[rows] |= inside[rows]
            for (near, near_in, near_whole), (far, far_in, far_whole) in beyond:
                face = near[rows] + rest * (far[rows] - near[rows])
                _join(join, here, face, near_in[rows] & far_in[rows], near_whole and far_whole)

        self._both(add)
        return best, seen

    def _both(self, work: Callable[[slice], None]) -> None:
        """Do something with the upper and the lower half of the rows at a time."""
        half = self.lattice.rows // 2
        list(_HANDS.map(work, (slice(0, half), slice(half, self.lattice.rows))))


def sample_plane(volume: Volume, lattice: Lattice, position_mm: float) -> tuple[FloatPlane, BoolPlane]:
    """Return the trilinear values of a plane and where it lies in the volume, both ``(rows, columns)``.

    Values where the volume does not reach are 0.
    """
    grid, axes = volume.grid, lattice.axes
    rows, columns = lattice.rows, lattice.columns
    to_index = (grid.axes / np.asarray(grid.spacing_mm)).T
    corner = lattice.u_mm * axes.right + lattice.v_mm * axes.down + position_mm * axes.across
    first = to_index @ (corner - np.asarray(grid.origin_mm))
    right, down = to_index @ axes.right * lattice.du_mm, to_index @ axes.down * lattice.dv_mm
    inside = _inside(first, right, down, grid.size, rows, columns)
    source = volume.values.view(np.uint8) if volume.values.dtype == bool else volume.values
    values = np.zeros((rows, columns), np.float64 if source.dtype == np.float64 else np.float32)
    met = np.flatnonzero(inside.any(axis=1))
    if not met.size:
        return values, inside
    across = np.flatnonzero(inside.any(axis=0))
    top, bottom, left, end = int(met[0]), int(met[-1]) + 1, int(across[0]), int(across[-1]) + 1
    step = np.stack([np.zeros(3), down, right], axis=1)[::-1]

    def fill(part: slice) -> None:
        start = first + down * part.start + right * left
        # Through an array of its own: the filter wants its output in one piece.
        made = np.empty((1, part.stop - part.start, end - left), values.dtype)
        ndimage.affine_transform(
            source, step, start[::-1], order=1, mode="nearest", output=made, output_shape=made.shape
        )
        values[part, left:end] = made[0]

    if (bottom - top) * (end - left) <= SMALL:
        fill(slice(top, bottom))
    else:
        # Two halves at a time: the interpolation runs without Python's lock, and any machine has two cores.
        half = (top + bottom) // 2
        parts = slice(top, half), slice(half, bottom)
        list(_HANDS.map(fill, [part for part in parts if part.stop > part.start]))
    values[~inside] = 0.0
    return values, inside


def _inside(
    first: FloatArray,
    right: FloatArray,
    down: FloatArray,
    size: tuple[int, int, int],
    rows: int,
    columns: int,
) -> BoolPlane:
    """Return which pixels have voxels: in each row one run of columns."""
    begin, end = np.zeros(rows), np.full(rows, columns - 1.0)
    for g in range(3):
        at = first[g] + down[g] * np.arange(rows)
        low, high = -0.5 - _EDGE - at, size[g] - 0.5 + _EDGE - at
        if abs(right[g]) * columns < _EDGE:
            begin[(low > 0.0) | (high < 0.0)] = np.inf
            continue
        bounds = low / right[g], high / right[g]
        begin = np.maximum(begin, np.minimum(*bounds))
        end = np.minimum(end, np.maximum(*bounds))
    column = np.arange(columns)
    return np.asarray((column >= begin[:, None]) & (column <= end[:, None]))


def _voxel_mm(volume: Volume, lattice: Lattice) -> float:
    """Return the way along the normal that crosses one voxel, of the axis that it crosses most."""
    crossed = np.abs((volume.grid.axes / np.asarray(volume.grid.spacing_mm)).T @ lattice.axes.across)
    return float(1.0 / crossed.max())


def _hat_area(at_mm: float, h: float, half: float) -> float:
    """Return the integral over -half to half of the straight rise and fall around a plane at `at_mm`."""

    def up_to(x: float) -> float:
        x = float(np.clip(x, -h, h))
        return x + h - (h / 2.0) + (x * x / (2.0 * h) if x < 0.0 else -x * x / (2.0 * h))

    return up_to(half - at_mm) - up_to(-half - at_mm)


def _join(join: np.ufunc, best: FloatPlane, values: FloatPlane, inside: BoolPlane, whole: bool) -> None:
    if whole:
        join(best, values, out=best, casting="same_kind")
    else:
        join(best, values, out=best, where=inside, casting="same_kind")
