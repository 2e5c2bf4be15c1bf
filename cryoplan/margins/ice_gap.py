"""Ice gap: the least distance from the outline of a structure to the ice edge, and where.

Method: the voxels on the outline of the structure are put into blocks; only blocks that may hold the nearest
one are looked into. Around that voxel the outline is drawn below the size of the voxels, as that of the
tumour is (`cryoplan.margins.outline`), and measured to the triangles of the ice edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from cryoplan.case.planning import structure_mask
from cryoplan.case.structure import Structure
from cryoplan.core.box import VoxelBox
from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.distance import distance_to_surface_mm
from cryoplan.margins.outline import smooth_signed_distance
from cryoplan.margins.surface import Surface, level_surface

REACH_MM = 40.0
"""Nobody asks how far something is from the ice that is farther."""

BLOCK = 8
AROUND_VOXELS = 8
"""Outline that is drawn around the nearest voxel, to either side."""

CUT_VOXELS = 2
"""Next to where that piece is cut off nothing of it is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IceGap:
    """How near the ice came to a structure.

    Attributes
    ----------
    gap_mm : float
        From outline to ice edge; 0: ice is in it or touches it.
    point_mm : Point
        The place of the outline, LPS.
    """

    gap_mm: float
    point_mm: Point


class Ice:
    """An ice edge that structures are measured to.

    Parameters
    ----------
    surface : Surface
        Closed, around everything at or below 0 degC.
    frozen : ndarray
        bool, the voxels within, on `grid`.
    """

    def __init__(self, surface: Surface, frozen: npt.NDArray[np.bool_], grid: Grid) -> None:
        self._surface, self._frozen, self._grid = surface, frozen, grid
        self._tree = (
            None if surface.is_empty else cKDTree(surface.points_mm, leafsize=64, balanced_tree=False)
        )

    def gap(self, structure: Structure, *, below_mm: float = REACH_MM) -> IceGap | None:
        """Return the gap between a structure and the ice.

        None where it is not in the computed region, where there is no ice, and where it is farther than
        `below_mm`.
        """
        mask = structure_mask(structure, self._grid).values
        box = VoxelBox.drawn(mask)
        if box is None or self._tree is None:
            return None
        part = mask[box.place]
        touched = part & self._frozen[box.place]
        first = np.asarray(box.first_ijk)
        if touched.any():
            index = np.argwhere(touched)[:, ::-1].mean(axis=0)
            at = np.argwhere(touched)[:, ::-1]
            middle = at[np.argmin(((at - index) ** 2).sum(axis=1))]
            return IceGap(gap_mm=0.0, point_mm=as_point(self._grid.index_to_mm(middle + first)))
        rim = np.argwhere(part & ~binary_erosion(part))[:, ::-1] + first
        nearest = self._nearest(rim, below_mm)
        if nearest is None:
            return None
        found = self._exactly(mask, *nearest)
        return found if found.gap_mm <= below_mm else None

    def _nearest(
        self, rim_ijk: npt.NDArray[np.intp], below_mm: float
    ) -> tuple[npt.NDArray[np.intp], float] | None:
        """Return the voxel of the outline whose centre is nearest to the ice, and its distance."""
        assert self._tree is not None
        blocks, owner = np.unique(rim_ijk // BLOCK, axis=0, return_inverse=True)
        owner = owner.reshape(-1)
        centres = self._grid.index_to_mm(blocks * BLOCK + (BLOCK - 1) / 2.0)
        half_mm = float(np.linalg.norm(np.asarray(self._grid.spacing_mm) * BLOCK)) / 2.0
        away = np.asarray(self._tree.query(centres)[0])
        limit = min(float((away + half_mm).min()), below_mm + max(self._grid.spacing_mm))
        may = rim_ijk[(away - half_mm <= limit)[owner]]
        if len(may) == 0:
            return None
        distance = np.asarray(self._tree.query(self._grid.index_to_mm(may))[0])
        best = int(np.argmin(distance))
        return may[best], float(distance[best])

    def _exactly(
        self, mask: npt.NDArray[np.bool_], voxel_ijk: npt.NDArray[np.intp], about_mm: float
    ) -> IceGap:
        """Return the gap near a voxel of the outline, measured between the two surfaces."""
        size = np.asarray(self._grid.size)
        low = np.maximum(voxel_ijk - AROUND_VOXELS, 0)
        high = np.minimum(voxel_ijk + AROUND_VOXELS + 1, size)
        piece = mask[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
        origin = self._grid.index_to_mm(low)
        grid = Grid(
            size=tuple(int(n) for n in high - low),  # type: ignore[arg-type]  # three of them
            spacing_mm=self._grid.spacing_mm,
            origin_mm=as_point(origin),
            direction=self._grid.direction,
        )
        field = smooth_signed_distance(Volume(grid=grid, values=piece))
        outline = level_surface(field.values, grid, 0.0, outside=max(1.0, float(field.values.max())))
        points: FloatArray = outline.points_mm
        index = grid.mm_to_index(points)
        # A face where the piece was cut off is no outline; where the whole grid ends, it is.
        cut_low = np.where(low > 0, CUT_VOXELS, -1)
        cut_high = np.where(high < size, np.asarray(grid.size) - 1 - CUT_VOXELS, np.asarray(grid.size))
        points = points[np.all((index >= cut_low) & (index <= cut_high), axis=1)]
        near = self._near(voxel_ijk, about_mm)
        distance = distance_to_surface_mm(points, near)
        best = int(np.argmin(distance))
        return IceGap(gap_mm=float(distance[best]), point_mm=as_point(points[best]))

    def _near(self, voxel_ijk: npt.NDArray[np.intp], about_mm: float) -> Surface:
        """Return the triangles of the ice edge that the piece of the outline may be nearest to."""
        centre = self._grid.index_to_mm(voxel_ijk)
        reach = about_mm + (AROUND_VOXELS + 2) * max(self._grid.spacing_mm) * np.sqrt(3.0)
        corners = np.linalg.norm(self._surface.points_mm - centre, axis=1) <= reach
        triangles = self._surface.triangles[corners[self._surface.triangles].any(axis=1)]
        used, numbers = np.unique(triangles, return_inverse=True)
        return Surface(points_mm=self._surface.points_mm[used], triangles=numbers.reshape(-1, 3))
