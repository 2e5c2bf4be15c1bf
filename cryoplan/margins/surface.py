"""Surface: the place where a sampled field equals a level, as triangles with sub-voxel corners.

Method: marching tetrahedra. Each cube of eight voxel centres is cut into the six tetrahedra that share its
main diagonal (Kuhn; neighbouring cubes agree on their common face), the field is linear in each of them, and
the level then is one or two plane triangles. Unlike marching cubes there is no ambiguous case, so the surface
is closed and consistently oriented, and the volume follows from the divergence theorem.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import SimulationError
from cryoplan.core.geometry import FloatArray
from cryoplan.core.grid import Grid
from cryoplan.core.units import MM3_PER_ML

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """A closed, oriented triangle mesh.

    Attributes
    ----------
    points_mm : numpy.ndarray
        Corners, float64, ``(n, 3)``, LPS millimetres.
    triangles : numpy.ndarray
        Corner numbers, int64, ``(m, 3)``; normals point from values at or below the level to values above.
    """

    points_mm: FloatArray
    triangles: IntArray

    def __post_init__(self) -> None:
        for array in (self.points_mm, self.triangles):
            array.flags.writeable = False

    @property
    def is_empty(self) -> bool:
        """True when the field is nowhere at or below the level."""
        return len(self.triangles) == 0

    def corners_mm(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the three corners of all triangles, each ``(m, 3)``."""
        a, b, c = (self.points_mm[self.triangles[:, n]] for n in range(3))
        return a, b, c

    def edges(self) -> IntArray:
        """Return the two corners of every edge, ``(e, 2)``, each edge once.

        A closed, oriented mesh goes along every edge once in each direction; the rising one is taken.
        """
        t = self.triangles
        along = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
        return np.asarray(along[along[:, 0] < along[:, 1]])

    def point_areas_mm2(self) -> FloatArray:
        """Return the area that belongs to each point ``(n,)``: a third of each triangle that meets there."""
        a, b, c = self.corners_mm()
        thirds = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6.0
        weights = np.repeat(thirds, 3)
        return np.asarray(np.bincount(self.triangles.ravel(), weights, len(self.points_mm)), float)

    def volume_ml(self) -> float:
        """Return the enclosed volume (divergence theorem), millilitres."""
        if self.is_empty:
            return 0.0
        # Seen from a near point, so that large coordinates do not eat the digits.
        middle = self.points_mm.mean(axis=0)
        a, b, c = (corner - middle for corner in self.corners_mm())
        return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6.0 / MM3_PER_ML

    def section_area_mm2(self, point_mm: npt.ArrayLike, normal: npt.ArrayLike) -> float:
        """Return the area of the plane section through `point_mm` across the unit vector `normal`, mm2.

        Method: each triangle leaves one directed segment in the plane; the segments of a closed oriented
        surface form closed loops, so half the sum of their cross products is the area (Green's theorem).
        """
        normal = np.asarray(normal, float)
        height = (self.points_mm - np.asarray(point_mm, float)) @ normal
        side = height[self.triangles] >= 0.0
        count = side.sum(axis=1)
        cut = (count == 1) | (count == 2)
        triangles, side = self.triangles[cut], side[cut]
        lone_is_above = side.sum(axis=1) == 1
        lone = np.argmax(side == lone_is_above[:, None], axis=1)
        rows = np.arange(len(triangles))
        apex = triangles[rows, lone]
        ends = [self._crossing_mm(height, apex, triangles[rows, (lone + n) % 3]) for n in (1, 2)]
        middle = self.points_mm.mean(axis=0) if len(self.points_mm) else np.zeros(3)
        swept = np.cross(ends[0] - middle, ends[1] - middle) @ normal
        # Below the plane the apex sees the segment from the other side.
        return float(abs(np.where(lone_is_above, swept, -swept).sum())) / 2.0

    def _crossing_mm(self, height: FloatArray, a: IntArray, b: IntArray) -> FloatArray:
        share = (height[a] / (height[a] - height[b]))[:, None]
        return np.asarray(self.points_mm[a] + share * (self.points_mm[b] - self.points_mm[a]))


def level_surface(values: npt.NDArray[np.floating], grid: Grid, level: float, *, outside: float) -> Surface:
    """Return the surface around all voxels at or below `level`.

    Parameters
    ----------
    values : numpy.ndarray
        Field, any float type, ``(nk, nj, ni)``.
    grid : Grid
        Where its voxel centres are; any direction and spacing.
    level : float
        In the unit of `values`.
    outside : float
        Value that is taken one voxel beyond the border, so that a region which touches the border is closed
        there and not open. Must be above `level`.

    Raises
    ------
    ValueError
        If `outside` is not above `level`.
    SimulationError
        If the field holds values that are not numbers.
    """
    if not outside > level:
        raise ValueError(f"the value outside ({outside:g}) must be above the level ({level:g})")
    if not np.isfinite(np.sum(values, dtype=float)):
        raise SimulationError(
            "The temperatures hold values that are not numbers.",
            "Solve again; if it happens again, report it.",
            code="temperature-not-finite",
        )
    low = values <= level
    if not low.any():
        return Surface(points_mm=np.zeros((0, 3)), triangles=np.zeros((0, 3), np.int64))
    block, first_ijk = _block_around(values, low, outside)
    base, code = _cut_cells(block, level)
    cell, tet = np.nonzero(_TRIANGLE_COUNT[np.arange(6), code])
    edges, counts = _EDGES[tet, code[cell, tet]], _TRIANGLE_COUNT[tet, code[cell, tet]]
    _, nj, ni = block.shape
    step = np.array([i + ni * (j + nj * k) for i, j, k in _CORNERS])
    keys = (base[cell][:, None, None] + step[edges // 8]) * 8 + edges % 8
    keys = np.concatenate([keys[:, 0], keys[counts == 2, 1]])
    # Marking a table is faster than sorting: each edge of the lattice has its place in it.
    seen = np.zeros(block.size * 8, bool)
    seen[keys] = True
    used = np.flatnonzero(seen)
    triangles = np.searchsorted(used, keys)
    lower, kind = used // 8, used % 8
    flat = block.ravel()
    below, above = flat[lower], flat[lower + step[kind]]
    share = (level - below) / (above - below)
    lower_ijk = np.stack([lower % ni, (lower // ni) % nj, lower // (ni * nj)], axis=1)
    points_ijk = first_ijk + lower_ijk + share[:, None] * _CORNERS[kind]
    if np.linalg.det(grid.axes) < 0.0:
        triangles = triangles[:, ::-1].copy()
    return Surface(points_mm=grid.index_to_mm(points_ijk), triangles=triangles)


def _block_around(
    values: npt.NDArray[np.floating], low: npt.NDArray[np.bool_], outside: float
) -> tuple[FloatArray, IntArray]:
    """Cut out the low voxels and one layer around them; return the block and the index of its corner."""
    spans = []
    for axis in range(3):
        hit = np.flatnonzero(low.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append((int(hit[0]) - 1, int(hit[-1]) + 2))
    inner = tuple(slice(max(a, 0), min(b, n)) for (a, b), n in zip(spans, values.shape, strict=True))
    pad = [(max(-a, 0), max(b - n, 0)) for (a, b), n in zip(spans, values.shape, strict=True)]
    block = np.pad(values[inner].astype(float), pad, constant_values=outside)
    return block, np.array([spans[2][0], spans[1][0], spans[0][0]], np.int64)


def _cut_cells(block: FloatArray, level: float) -> tuple[IntArray, npt.NDArray[np.intp]]:
    """Return lower corner ``(c,)`` and cases of the tetrahedra ``(c, 6)`` of the cells at the level."""
    low = block <= level
    nk, nj, ni = block.shape
    corner = [low[k : nk - 1 + k, j : nj - 1 + j, i : ni - 1 + i] for i, j, k in _CORNERS]
    any_low, all_low = corner[0].copy(), corner[0].copy()
    for array in corner[1:]:
        any_low |= array
        all_low &= array
    cells = np.nonzero(any_low & ~all_low)
    bits = np.stack([array[cells] for array in corner], axis=1)
    code = (bits[:, _TETRAHEDRA] * np.array([1, 2, 4, 8])).sum(axis=2)
    k, j, i = cells
    return np.asarray(i + ni * (j + nj * k), np.int64), code


# Corner n of a cell has the offsets i = bit 0, j = bit 1, k = bit 2 of n.
_CORNERS = np.array([[n & 1, (n >> 1) & 1, (n >> 2) & 1] for n in range(8)])
# From corner 0 to corner 7 along one axis after the other, in the six possible orders.
_TETRAHEDRA = np.array([[0, 1 << a, (1 << a) | (1 << b), 7] for a, b, _ in permutations(range(3))])


def _make_tables() -> tuple[IntArray, IntArray]:
    """Return triangles per (tetrahedron, case) and their edges ``(6, 16, 2, 3)``.

    A case is the sum of 1, 2, 4, 8 over the low corners of the tetrahedron. An edge is
    ``8 * lower corner + direction``, where the direction is the exclusive or of its two corners.
    """
    counts = np.zeros((6, 16), np.int64)
    edges = np.zeros((6, 16, 2, 3), np.int64)
    for tet, corners in enumerate(_TETRAHEDRA.tolist()):
        for case in range(1, 15):
            low = [c for n, c in enumerate(corners) if case >> n & 1]
            high = [c for c in corners if c not in low]
            if len(low) == 1:
                loops = [[(low[0], h) for h in high]]
            elif len(high) == 1:
                loops = [[(c, high[0]) for c in low]]
            else:
                (a, b), (c, d) = low, high
                loops = [[(a, c), (a, d), (b, d)], [(a, c), (b, d), (b, c)]]
            uphill = _CORNERS[high].mean(axis=0) - _CORNERS[low].mean(axis=0)
            counts[tet, case] = len(loops)
            for n, loop in enumerate(loops):
                p, q, r = ((_CORNERS[u] + _CORNERS[v]) / 2.0 for u, v in loop)
                if np.cross(q - p, r - p) @ uphill < 0.0:
                    loop.reverse()
                edges[tet, case, n] = [8 * min(u, v) + (u ^ v) for u, v in loop]
    return counts, edges


_TRIANGLE_COUNT, _EDGES = _make_tables()
