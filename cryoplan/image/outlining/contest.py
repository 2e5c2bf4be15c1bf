"""Contest: strokes inside and outside race over the image; each voxel goes to the one that comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 - the name everybody uses
from scipy import ndimage

from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import StructureError
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.strokes import Patch

MARGIN_MM = 10.0
"""How far beyond the strokes the race goes on."""

LARGEST_VOXELS = 600_000
"""Larger regions are raced on a coarser grid: a second and a half on one core."""

_EDGE_WEIGHT = 4.0
_LEAST_LIKENESS = 0.02
_LEAST_SPEED = 0.005
"""A front that is slower still gains nothing, and single precision loses count of when it arrived."""


def contest(
    image: Volume, inside: Sequence[Patch], outside: Sequence[Patch], *, progress: Progress = SILENT
) -> Patch:
    """Return the voxels that belong rather to the strokes inside than to those outside.

    Parameters
    ----------
    image : Volume
        The scan.
    inside, outside : sequence of Patch
        Voxels that surely belong to the thing, and that surely do not.

    Returns
    -------
    Patch
        Around all strokes, `MARGIN_MM` further on every side.

    Raises
    ------
    StructureError
        If one of the two has no stroke.
    Cancelled
        If the user stops it.

    Notes
    -----
    A geodesic form of grow-cut (Vezhnevets and Konouchine, GraphiCon 2005; Criminisi et al., ECCV 2008): two
    fronts start from the strokes and run by fast marching. Each is fast where the voxels look like those
    under its own strokes (normal distributions of the two) and slow across edges.
    """
    if not inside or not outside:
        missing = "inside" if not inside else "outside"
        raise StructureError(
            f"There is no stroke {missing} the structure.",
            "Draw at least one stroke inside and one outside.",
            code="stroke-missing",
        )
    box = inside[0].box
    for patch in (*inside, *outside):
        box = box.with_box(patch.box)
    box = box.grown(image.grid, MARGIN_MM)
    raw = image.values[box.place].astype(np.float32)
    marks = [_marks(box, patches) for patches in (inside, outside)]
    step = _coarsening(raw.shape, np.asarray(image.grid.spacing_mm[::-1]))
    if max(step) > 1:
        raw = ndimage.uniform_filter(raw, step)
    small = raw[:: step[0], :: step[1], :: step[2]]
    small_marks = [_coarse(mark, step) for mark in marks]
    spacing = np.asarray(image.grid.spacing_mm[::-1]) * step
    progress.report(ProgressReport(fraction=0.1, text="Comparing with the strokes"))
    likeness = _likeness(small, *small_marks)
    speed = 1.0 / (1.0 + _EDGE_WEIGHT * _edges(small, spacing))
    arrivals = []
    for number, (mark, like) in enumerate(zip(small_marks, (likeness, 1.0 - likeness), strict=True)):
        check_cancelled(progress)
        progress.report(ProgressReport(fraction=0.2 + 0.4 * number, text="Racing from the strokes"))
        arrivals.append(_arrival(mark, speed * np.maximum(like, _LEAST_LIKENESS), spacing))
    check_cancelled(progress)
    ahead = _finer(arrivals[1] - arrivals[0], step, box.shape)
    mine = (ahead > 0.0) | marks[0]
    mine &= ~marks[1]
    labels, _ = ndimage.label(mine)
    wanted = np.unique(labels[marks[0]])
    return Patch(box, np.isin(labels, wanted[wanted > 0]))


def _marks(box: VoxelBox, patches: Sequence[Patch]) -> npt.NDArray[np.bool_]:
    marks = np.zeros(box.shape, bool)
    for patch in patches:
        place = tuple(
            slice(own.start - all_.start, own.stop - all_.start)
            for own, all_ in zip(patch.box.place, box.place, strict=True)
        )
        marks[place] |= patch.voxels
    return marks


def _coarsening(shape: tuple[int, ...], spacing: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    """Return every how many voxels are raced, the finest axes thinned out first."""
    step = np.ones(3, int)
    while np.prod(np.ceil(np.asarray(shape) / step)) > LARGEST_VOXELS:
        step[int(np.argmin(spacing * step))] += 1
    return int(step[0]), int(step[1]), int(step[2])


def _coarse(mark: npt.NDArray[np.bool_], step: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Return the marks on the coarse grid: a coarse voxel is marked when one of its voxels is."""
    if max(step) == 1:
        return mark
    full = [(-n) % s for n, s in zip(mark.shape, step, strict=True)]
    padded = np.pad(mark, [(0, f) for f in full])
    nk, nj, ni = (n // s for n, s in zip(padded.shape, step, strict=True))
    return np.asarray(padded.reshape(nk, step[0], nj, step[1], ni, step[2]).any(axis=(1, 3, 5)))


def _finer(
    field: npt.NDArray[np.float64], step: tuple[int, int, int], shape: tuple[int, int, int]
) -> npt.NDArray[np.float64]:
    if max(step) == 1:
        return field
    return np.asarray(
        ndimage.affine_transform(field, 1.0 / np.asarray(step), output_shape=shape, order=1, mode="nearest")
    )


def _likeness(
    values: npt.NDArray[np.float32], inside: npt.NDArray[np.bool_], outside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return how likely each voxel is one of the inside, from its value alone."""
    densities = []
    spread_of_all = max(float(np.std(values)) * 0.05, 1e-6)
    for mark in (inside, outside):
        own = values[mark]
        middle = float(np.median(own))
        spread = max(1.4826 * float(np.median(np.abs(own - middle))), spread_of_all)
        densities.append(np.exp(-0.5 * np.minimum(((values - middle) / spread) ** 2, 50.0)) / spread)
    return np.asarray((densities[0] + 1e-12) / (densities[0] + densities[1] + 2e-12), float)


def _edges(values: npt.NDArray[np.float32], spacing: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the gradient in units of its own usual size, which is that of the noise."""
    sigmas = [1.0 / s if s <= 2.0 else 0.0 for s in spacing]
    smooth = ndimage.gaussian_filter(values, sigmas)
    squares = sum(
        np.gradient(smooth, s, axis=axis) ** 2 if values.shape[axis] > 1 else np.zeros_like(smooth)
        for axis, s in enumerate(spacing)
    )
    size = np.sqrt(squares)
    return np.asarray(size / max(float(np.percentile(size, 75)), 1e-6), float)


def _arrival(
    mark: npt.NDArray[np.bool_], speed: npt.NDArray[np.float64], spacing: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    image: Any = sitk.GetImageFromArray(np.maximum(speed, _LEAST_SPEED))
    image.SetSpacing([float(s) for s in spacing[::-1]])
    march: Any = sitk.FastMarchingImageFilter()  # type: ignore[no-untyped-call]
    # Only the rim of a stroke can send anything out; inside it the front would wait on itself.
    rim = mark & ~ndimage.binary_erosion(mark)
    march.SetTrialPoints([[int(n) for n in point[::-1]] for point in np.argwhere(rim)])
    arrival = sitk.GetArrayFromImage(march.Execute(image)).astype(float)
    arrival[mark] = 0.0
    return np.asarray(arrival)
