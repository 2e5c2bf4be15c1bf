"""Growing: a region of like voxels around a click, kept from leaking through necks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import StructureError
from cryoplan.core.geometry import Point
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.strokes import Patch

REACH_MM = 50.0
"""Half the region that is looked at: a tumour of ten centimetres is no case for a needle."""

SMOOTHING_MM = 1.0
"""Standard deviation of the smoothing before voxels are compared; about the grain of a body CT."""

SEED_MM = 2.5
"""Radius of the ball whose median is what "like" means: small enough for a lesion of 6 mm."""

FIRST_OF_SPREAD = 2.0
"""The first tolerance of a click, in standard deviations of the voxels around it."""

_NARROWER, _MOST_TRIES = 0.85, 8

NECK_MM = 4.0
"""A bridge that is thinner than this is not grown through."""

_PIECES_EVERYWHERE = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grown:
    """What one tolerance gives.

    Attributes
    ----------
    patch : Patch
        The region.
    leaks : bool
        It reaches the edge of what was looked at, inside the image: it has most likely run out.
    """

    patch: Patch
    leaks: bool


class Seed:
    """A click, with everything worked out that does not depend on the tolerance: `grow` is then quick.

    Parameters
    ----------
    image : Volume
        The scan.
    seed_mm : Point
        LPS position of the click.
    reach_mm : float
        How far from the click is looked.
    progress : Progress
        Asked between the parts of the work whether to go on.

    Attributes
    ----------
    level : float
        Median around the click, in the image's unit (HU for a CT).
    spread : float
        Robust standard deviation of the unsmoothed voxels around the click, 1.4826 times the median
        deviation from the median.

    Raises
    ------
    StructureError
        If the click is outside the image.
    Cancelled
        When `progress` says so.
    """

    def __init__(
        self,
        image: Volume,
        seed_mm: Point,
        *,
        reach_mm: float = REACH_MM,
        progress: Progress = SILENT,
    ) -> None:
        grid = image.grid
        box = VoxelBox.around(grid, seed_mm, reach_mm)
        if box is None or not bool(grid.contains_mm(seed_mm)):
            raise StructureError(
                "The click is outside the image.", "Click on the tumour in a slice.", code="seed-outside"
            )
        self.box = box
        self._grid = box.grid(grid)
        self._spacing = np.asarray(grid.spacing_mm[::-1])
        raw = image.values[box.place].astype(np.float32)
        # Across slices that are thicker than the grain nothing is smoothed: it would mix slices, not noise.
        sigmas = [SMOOTHING_MM / s if s <= 2.0 * SMOOTHING_MM else 0.0 for s in self._spacing]
        smooth = ndimage.gaussian_filter(raw, sigmas, truncate=2.5)
        check_cancelled(progress)
        index = np.clip(
            np.rint(self._grid.mm_to_index(seed_mm)).astype(int), 0, np.asarray(self._grid.size) - 1
        )
        self._at = (int(index[2]), int(index[1]), int(index[0]))
        near = _ball(self._at, raw.shape, self._spacing, SEED_MM)
        self.level = float(np.median(raw[near]))
        self.spread = float(1.4826 * np.median(np.abs(raw[near] - self.level)))
        self._off = np.abs(smooth - np.float32(self.level))
        # The click itself always belongs to the region, and so does its nearest neighbourhood in the slice.
        self._off[self._at] = 0.0
        self._inner = _open_faces(box, image)

    def grow_first(self, *, progress: Progress = SILENT) -> tuple[float, Grown]:
        """Return a tolerance to begin with, and what it gives: the widest tried one that does not run out.

        Where the click is beside an edge, the spread is that of two tissues, and twice as much runs out.
        Where every narrower one does so too, the click says nothing and the first is returned.
        """
        first = max(round(FIRST_OF_SPREAD * self.spread, 1), 1.0)
        wide = self.grow(first, progress=progress)
        tolerance, grown = first, wide
        for _ in range(_MOST_TRIES):
            if not grown.leaks:
                return tolerance, grown
            tolerance = max(round(_NARROWER * tolerance, 1), 1.0)
            grown = self.grow(tolerance, progress=progress)
        return first, wide

    def grow(self, tolerance: float, *, neck_mm: float = NECK_MM, progress: Progress = SILENT) -> Grown:
        """Return the region within `tolerance` of the level, in one piece with the click.

        Parameters
        ----------
        tolerance : float
            Largest difference of a (smoothed) voxel from the level, in the image's unit.
        neck_mm : float
            Pieces that hang on the region by less than this are left out: the voxels are eroded by half
            of it, the piece of the click is kept, and it grows back as far (an opening by reconstruction
            with a ball).
            Where the region at the click is thinner than that, it is taken as it is.
        progress : Progress
            Asked between the parts of the work whether to go on.

        Raises
        ------
        Cancelled
            When it says so.

        Notes
        -----
        Holes are filled within each slice and in space: vessels and necrosis inside a tumour belong to it.
        """
        like = self._off <= tolerance
        labels, _ = ndimage.label(like)
        check_cancelled(progress)
        like = labels == labels[self._at]
        part = VoxelBox.drawn(like)
        assert part is not None  # the click is in it
        like = like[part.place]
        at = tuple(a - p.start for a, p in zip(self._at, part.place, strict=True))
        region = _without_necks(like, (at[0], at[1], at[2]), self._spacing, neck_mm, progress)
        check_cancelled(progress)
        region = _filled(region)
        whole = np.zeros(self._off.shape, bool)
        whole[part.place] = region
        return Grown(patch=Patch(self.box, whole), leaks=bool(np.any(whole & self._inner)))


def _without_necks(
    like: npt.NDArray[np.bool_],
    at: tuple[int, int, int],
    spacing: npt.NDArray[np.float64],
    neck_mm: float,
    progress: Progress,
) -> npt.NDArray[np.bool_]:
    if neck_mm <= 0.0:
        return like
    # One empty layer around, or the ends of the box would count as thick. Distances run from voxel centre to
    # voxel centre: half a voxel less is the distance to the outline.
    padded = np.pad(like, 1)
    half = 0.5 * neck_mm + 0.5 * float(spacing.min())
    depth = ndimage.distance_transform_edt(padded, sampling=spacing)
    check_cancelled(progress)
    core = depth >= half
    labels, count = ndimage.label(core, _PIECES_EVERYWHERE)
    if count == 0:
        return like
    seed = tuple(a + 1 for a in at)
    mine = int(labels[seed])
    if mine == 0:
        # The click lies near the edge of the region: its piece is the one that grows back over it.
        away, nearest = ndimage.distance_transform_edt(~core, sampling=spacing, return_indices=True)
        if away[seed] > half:
            return like
        mine = int(labels[tuple(n[seed] for n in nearest)])
    check_cancelled(progress)
    back = ndimage.distance_transform_edt(labels != mine, sampling=spacing) < half
    region = (back & padded)[1:-1, 1:-1, 1:-1]
    pieces, _ = ndimage.label(region)
    return np.asarray(pieces == pieces[at]) if region[at] else region


def _filled(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    filled = ndimage.binary_fill_holes(region)
    for plane in filled:
        if plane.any():
            plane[...] = ndimage.binary_fill_holes(plane)
    return np.asarray(filled)


def _ball(
    at: tuple[int, int, int], shape: tuple[int, ...], spacing: npt.NDArray[np.float64], radius_mm: float
) -> npt.NDArray[np.bool_]:
    square: npt.NDArray[np.float64] = np.zeros((1, 1, 1))
    for axis in range(3):
        offset = (np.arange(shape[axis]) - at[axis]) * spacing[axis]
        square = square + np.expand_dims(offset**2, tuple(a for a in range(3) if a != axis))
    return np.asarray(square <= radius_mm**2)


def _open_faces(box: VoxelBox, image: Volume) -> npt.NDArray[np.bool_]:
    """Return the outermost voxels of a box on those sides where the image goes on."""
    faces = np.zeros(box.shape, bool)
    for axis in range(3):
        ends = ((0, box.first_ijk[axis] > 0), (-1, box.last_ijk[axis] < image.grid.size[axis] - 1))
        for end, goes_on in ends:
            if goes_on:
                place: list[slice | int] = [slice(None)] * 3
                place[2 - axis] = end
                faces[tuple(place)] = True
    return faces
