"""Contour planes -> mask: exact area where contours lie on slices, smooth between the planes elsewhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.box import VoxelBox
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.structures.contours import ContourPlanes
from cryoplan.image.structures.coverage import as_mask, edges_of, fill
from cryoplan.image.structures.found import note

FloatArray = npt.NDArray[np.float64]

ON_SLICE = 0.1
"""Share of the slice distance by which a contour may miss its slice: files round positions."""

LONGEST_GAP = 4.5
"""Planes this many usual distances apart are joined; further apart nothing is known of what lies between."""

_MANY_VOXELS = (
    2_000_000  # a litre and more: there two sample points along each axis of a voxel do, else three
)
_FINEST = 1500  # pixels along the longer side of a plane's raster, at most


def contour_mask(planes: ContourPlanes, grid: Grid, file: str) -> tuple[Volume, list[Finding]]:
    """Return the voxels inside contours.

    Where every contour lies on a slice of the grid, a voxel counts when half its area is inside. Otherwise a
    voxel counts when half of it is inside the nearest plane's contours; where planes are missing or lie
    further apart than slices, the signed distances in both neighbours are mixed by how near each is
    (shape-based interpolation, Raya and Udupa, IEEE Trans Med Imaging 9:32, 1990). The first and last plane
    reach half a plane distance further out, as contours of slices do.

    Parameters
    ----------
    planes : ContourPlanes
        What was drawn.
    grid : Grid
        Of the scan.
    file : str
        Name of the file, for findings.
    """
    slices = _slices_of(planes, grid)
    findings: list[Finding] = []
    if slices is not None:
        values = np.zeros(grid.shape, bool)
        for k, polygons in zip(slices, planes.polygons, strict=True):
            edges = [edges_of(grid.mm_to_index(points)[:, :2]) for points in polygons]
            # Slice by slice, so that a thin first slice is not lost to the one beside it.
            values[k] = as_mask(fill(np.concatenate(edges), grid.shape[1:]))
        return Volume(grid=grid, values=values), findings
    step_mm = _plane_step_mm(planes, grid)
    runs, filled, open_gaps = _runs(planes, step_mm)
    if filled:
        text = (
            f"{planes.name} of {file} has no contour on {filled} planes between outlined ones; its shape "
            "there was taken from its neighbours. Check these slices."
        )
        findings.append(note(Level.WARN, "contours-interpolated", text, planes.name))
    if open_gaps:
        text = (
            f"{planes.name} of {file} has gaps of up to {max(open_gaps):.0f} mm without a contour; they were "
            "left empty."
        )
        findings.append(note(Level.WARN, "contours-gap", text, planes.name))
    if abs(abs(float(planes.normal @ grid.axes[:, 2])) - 1.0) > 1e-5 or step_mm != grid.spacing_mm[2]:
        text = f"The contours of {planes.name} in {file} lie off the image's slices, {step_mm:.2f} mm apart."
        findings.append(note(Level.OK, "contours-off-slices", text, planes.name))
    values = np.zeros(grid.shape, bool)
    box = VoxelBox.around(grid, planes.points, 0.5 * step_mm + max(grid.spacing_mm))
    if box is None:
        return Volume(grid=grid, values=values), findings
    covered = np.zeros(box.shape, np.float32)
    for run in runs:
        _cover_run(planes, run, step_mm, box.grid(grid), covered)
    values[box.place] = as_mask(covered, whole_volume=True)
    return Volume(grid=grid, values=values), findings


def _slices_of(planes: ContourPlanes, grid: Grid) -> list[int] | None:
    """Return the slice of each plane when all lie on slices that follow each other; else None."""
    if abs(float(planes.normal @ grid.axes[:, 2])) < 1.0 - 1e-5:
        return None
    depth = [grid.mm_to_index(np.concatenate(plane))[:, 2] for plane in planes.polygons]
    slices = [int(np.rint(d.mean())) for d in depth]
    if any(float(np.abs(d - k).max()) > ON_SLICE for d, k in zip(depth, slices, strict=True)):
        return None
    if len(set(slices)) < len(slices) or min(slices) < 0 or max(slices) >= grid.size[2]:
        return None
    return slices if all(abs(b - a) == 1 for a, b in pairwise(slices)) else None


def _plane_step_mm(planes: ContourPlanes, grid: Grid) -> float:
    """Return the usual distance of planes: of the contours, or of the scan's voxels where too few say."""
    own = float(np.max(np.abs(planes.normal @ grid.axes) * np.asarray(grid.spacing_mm)))
    gaps = np.diff(planes.offsets_mm)
    if len(gaps) == 0:
        return own
    if len(gaps) < 3:
        return float(min(gaps.min(), LONGEST_GAP * own))
    usual = float(np.median(gaps))
    # On slices of this very scan: then its slice distance is what the contours meant.
    return own if abs(usual - own) < 0.02 * own else usual


def _runs(planes: ContourPlanes, step_mm: float) -> tuple[list[list[int]], int, list[float]]:
    """Return runs of plane numbers to be joined, how many planes lack between, and the gaps left open."""
    runs: list[list[int]] = [[0]]
    filled, open_gaps = 0, []
    for number, gap in enumerate(np.diff(planes.offsets_mm), start=1):
        if gap > LONGEST_GAP * step_mm:
            open_gaps.append(float(gap))
            runs.append([number])
        else:
            filled += max(round(float(gap) / step_mm) - 1, 0)
            runs[-1].append(number)
    return runs, filled, open_gaps


def _cover_run(
    planes: ContourPlanes, run: list[int], step_mm: float, grid: Grid, covered: npt.NDArray[np.float32]
) -> None:
    """Add what planes that are joined cover, voxel by voxel, to `covered`."""
    flat = {p: planes.flat(p) for p in run}
    corners = np.concatenate([points for polygons in flat.values() for points in polygons])
    low, high = corners.min(axis=0), corners.max(axis=0)
    pixel = max(0.5 * min(grid.spacing_mm), float((high - low).max()) / _FINEST)
    # Distances just outside an outline count too, as far as a neighbouring plane's outline may reach.
    low = low - 3.0 * pixel
    ni, nj = (np.ceil((high - low) / pixel).astype(int) + 4).tolist()
    field = np.stack([_signed_mm(flat[p], low, pixel, (nj, ni)) for p in run])
    places = planes.offsets_mm[run]
    first, last = places[0] - 0.5 * step_mm, places[-1] + 0.5 * step_mm
    # Where planes lie no further apart than slices, the nearest one is taken: mixing would eat thin walls.
    is_dense = step_mm <= 1.6 * max(grid.spacing_mm)
    is_near = np.append(np.diff(places) <= 1.5 * step_mm, True) & is_dense
    # Both ends reach out unchanged for half a step.
    box = VoxelBox.around(grid, _hull(planes, run, first, last), max(grid.spacing_mm))
    if box is None:
        return
    part = box.grid(grid)
    nk, nj_box, ni_box = part.shape
    each = 3 if covered.size < _MANY_VOXELS else 2
    between = (np.arange(each) + 0.5) / each - 0.5
    j, i = np.meshgrid(
        (np.arange(nj_box)[:, None] + between).ravel(),
        (np.arange(ni_box)[:, None] + between).ravel(),
        indexing="ij",
    )
    target = covered[box.place]
    for k in range(nk):
        share = np.zeros(part.shape[1:], np.float32)
        for dk in between:
            points = part.index_to_mm(np.stack([i, j, np.full_like(i, k + dk)], axis=-1))
            w = points @ planes.normal
            number = np.interp(w, places, np.arange(len(run), dtype=float))
            near = is_near[np.minimum(number.astype(int), len(run) - 1)]
            number = np.where(near, np.rint(number), number)
            where = np.stack(
                [number, (points @ planes.v - low[1]) / pixel, (points @ planes.u - low[0]) / pixel]
            )
            depth = ndimage.map_coordinates(field, where, order=1, mode="constant", cval=-1e3)
            inside = (depth > 0.0) & (w >= first) & (w < last)
            share += inside.reshape(nj_box, each, ni_box, each).mean(axis=(1, 3)).astype(np.float32)
        target[k] = np.minimum(target[k] + share / each, 1.0)


def _hull(planes: ContourPlanes, run: list[int], first: float, last: float) -> FloatArray:
    points = np.concatenate([p for number in run for p in planes.polygons[number]])
    w = points @ planes.normal
    return np.concatenate(
        [points, points + np.outer(first - w, planes.normal), points + np.outer(last - w, planes.normal)]
    )


def _signed_mm(
    polygons: list[FloatArray], low: FloatArray, pixel: float, shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Return how deep each pixel lies inside the polygons of a plane, millimetres, negative outside."""
    covered = fill(np.concatenate([edges_of((points - low) / pixel) for points in polygons]), shape)
    inside = as_mask(covered)
    # Beside an edge the share that is covered says where the edge lies, better than whole pixels do.
    within = ndimage.distance_transform_edt(inside, sampling=pixel)
    without = ndimage.distance_transform_edt(~inside, sampling=pixel)
    depth = np.where(inside, within - 0.5 * pixel, 0.5 * pixel - without)
    edge = (covered > 0.0) & (covered < 1.0)
    depth[edge] = (covered[edge] - 0.5) * pixel
    return np.asarray(depth, np.float32)
