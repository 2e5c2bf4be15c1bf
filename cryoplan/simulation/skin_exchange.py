"""Skin: which cells lie outside the body, and the true area of skin that each cell beside them has.

A slanted surface is a staircase on the lattice, up to 1.7 times too large. A face that looks along an axis
therefore counts with the part of the surface normal that points along this axis: for a plane of any
orientation, and so for any smooth surface, the faces then add up to the true area. Between the centre of the
cell and the skin lies tissue, which conducts; the exchange is that of both in series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.resample import signed_distance_to_grid
from cryoplan.simulation.conditions import SkinContact
from cryoplan.simulation.partial_volume import grown

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

SMOOTHING_MM = 2.5
"""Width over which the direction of the skin is taken; the voxels of a body found in a CT are about 2 mm."""

DEPTH_RANGE = (0.1, 1.5)
"""Least and largest distance of a cell's centre from the skin, in edges."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skin:
    """Where the body ends, on one grid.

    Attributes
    ----------
    depth_mm : float32 ``[k, j, i]``
        Distance from the skin, positive inside the body; cut at a few cells.
    void : bool ``[k, j, i]``
        Cells whose centre lies outside the body.
    cells : int64 (n,)
        Flat indices of the cells of the body that have a face towards `void`.
    area : float32 (n,)
        Skin of each, in faces of a cell.
    distance : float32 (n,)
        From the centre of each to the skin, in edges.
    """

    depth_mm: Float32Array
    void: BoolArray
    cells: IntArray
    area: Float32Array
    distance: Float32Array


def find_skin(body: Volume, grid: Grid) -> Skin:
    """Return the skin of a body on an axis-aligned cubic grid.

    Where `grid` goes further than the image, the body goes on as it is at the image's edge. A cell's answer
    does not depend on which part of the lattice `grid` is.
    """
    edge = grid.spacing_mm[0]
    voxel = max(body.grid.spacing_mm)
    sigma = SMOOTHING_MM / edge
    frame = int(np.ceil(4.0 * sigma)) + 2
    framed = grown(grid, frame)
    reach = 4.0 * edge + 2.0 * SMOOTHING_MM + voxel
    field = signed_distance_to_grid(_extended(body, framed, reach), framed, reach).values
    smooth = gaussian_filter(field, sigma, truncate=4.0, mode="nearest")
    inner = tuple(slice(frame, -frame) for _ in range(3))
    void_framed = field <= 0.0
    void = void_framed[inner]
    area = np.zeros(grid.shape, np.float32)
    # One layer more than asked for: a face has the direction between those of the cells on both its sides.
    wide = _window(frame - 1, (0, 0, 0))
    slopes = [
        np.abs(smooth[_window(frame - 1, step)] - smooth[_window(frame - 1, tuple(-d for d in step))])
        for step in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]
    length = np.maximum(np.sqrt(slopes[0] ** 2 + slopes[1] ** 2 + slopes[2] ** 2), np.float32(1e-6))
    outside = void_framed[wide]
    middle = _window(1, (0, 0, 0))
    for axis, slope in enumerate(slopes):
        part = slope / length
        for way in (-1, 1):
            step = tuple(way if a == axis else 0 for a in range(3))
            beside = _window(1, step)
            area += outside[beside] * np.float32(0.5) * (part[middle] + part[beside])
    length = length[middle]
    area[void] = 0.0
    cells = np.flatnonzero(area > 1e-3)
    # The double slope of the field at the outline does not survive the smoothing: divide by what is left.
    distance = smooth[inner].ravel()[cells] / np.maximum(0.5 * length.ravel()[cells], 1e-6)
    return Skin(
        depth_mm=np.ascontiguousarray(field[inner]),
        void=np.ascontiguousarray(void),
        cells=cells,
        area=area.ravel()[cells],
        distance=np.clip(distance, *DEPTH_RANGE).astype(np.float32),
    )


def _window(frame: int, step: tuple[int, ...]) -> tuple[slice, slice, slice]:
    """Return the window that leaves `frame` layers out, moved by `step` cells."""
    k, j, i = (slice(frame + d, d - frame if d != frame else None) for d in step)
    return k, j, i


def exchange_rate(
    area: npt.ArrayLike,
    distance: npt.ArrayLike,
    conductivity: npt.ArrayLike,
    contact: SkinContact,
    edge_m: float,
) -> FloatArray:
    """Return the exchange of skin cells per volume of the cell, W/(m3 K).

    Parameters
    ----------
    area, distance : array_like (n,)
        Of `Skin`, in faces and edges of a cell.
    conductivity : array_like (n,)
        Of the unfrozen tissue of each cell, W/(m K).
    contact : SkinContact
        What lies on the skin.
    edge_m : float
        Edge of the cells, m.
    """
    depth_m = np.asarray(distance, float) * edge_m
    through = 1.0 / (1.0 / contact.coefficient.value + depth_m / np.asarray(conductivity, float))
    return np.asarray(np.asarray(area, float) * through / edge_m)


def _extended(body: Volume, grid: Grid, reach_mm: float) -> Volume:
    """Return the body with its border voxels repeated outwards as far as `grid` and `reach_mm` ask for."""
    upper = np.asarray(grid.size, float) - 0.5
    corners = np.array(
        [[x, y, z] for x in (-0.5, upper[0]) for y in (-0.5, upper[1]) for z in (-0.5, upper[2])]
    )
    wanted = body.grid.mm_to_index(grid.index_to_mm(corners))
    spare = np.ceil(reach_mm / np.asarray(body.grid.spacing_mm)) + 4.0
    before = np.maximum(np.ceil(spare - wanted.min(axis=0)), 0.0).astype(int)
    after = np.maximum(np.ceil(wanted.max(axis=0) + spare - np.asarray(body.grid.size) + 1.0), 0.0).astype(
        int
    )
    if not before.any() and not after.any():
        return body
    widths = [(int(a), int(b)) for a, b in zip(before[::-1], after[::-1], strict=True)]
    size = np.asarray(body.grid.size) + before + after
    where = Grid(
        size=(int(size[0]), int(size[1]), int(size[2])),
        spacing_mm=body.grid.spacing_mm,
        origin_mm=tuple(body.grid.index_to_mm(-before.astype(float))),
        direction=body.grid.direction,
    )
    return Volume(grid=where, values=np.pad(body.values, widths, mode="edge"))
