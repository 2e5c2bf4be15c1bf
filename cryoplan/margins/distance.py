"""Margin: signed distance from the surface of the tumour to an isotherm of the lowest temperature.

Method, in words. The tumour surface is that of `cryoplan.margins.outline`. The isotherm is the level surface
of the temperature, linear between voxel centres on the scale of `cryoplan.simulation.isotherm`. Each point of
the tumour surface gets the distance to the nearest point of the isotherm's triangles; its sign is **positive
where the point itself is at or below the threshold** (the isotherm lies outside the tumour there) and
negative where it is warmer. `cryoplan.margins.margin_map` sums them up. A warm place in the middle of the
tumour that the surface does not see is the business of `cryoplan.margins.coverage`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from cryoplan.core.geometry import FloatArray
from cryoplan.core.volume import Volume
from cryoplan.margins.iceball import isotherm_surface
from cryoplan.margins.outline import Outline
from cryoplan.margins.surface import Surface
from cryoplan.simulation.isotherm import scale_of

NEAR_EDGES = 3.0
"""Points nearer than this many longest edges are measured to triangles, others to corners. The corners lie at
most half an edge from any point of the surface, so the error there is below edge / 24: under 0.1 voxels."""

NEAREST_TRIANGLES = 12
"""Triangles tried for each near point, by their centroids."""

CHUNK_POINTS = 20_000
"""Points measured at once, so that a large tumour does not take hundreds of megabytes."""


def sample(volume: Volume, points_mm: npt.ArrayLike, *, outside: float) -> FloatArray:
    """Return values ``(n,)`` at LPS points ``(n, 3)``, linear between voxel centres.

    Points outside the voxels get `outside`; within the outer half voxel the border value holds.
    """
    points = np.asarray(points_mm, float)
    index = volume.grid.mm_to_index(points)
    values = map_coordinates(volume.values, index[:, ::-1].T, order=1, mode="nearest", output=np.float64)
    return np.where(volume.grid.contains_mm(points), values, outside)


def _read_at(temperature_degc: Volume, points_mm: FloatArray, outside_degc: float) -> FloatArray:
    scale = scale_of(temperature_degc)
    return sample(scale.volume(temperature_degc), points_mm, outside=scale.level(outside_degc))


def distance_to_surface_mm(points_mm: FloatArray, surface: Surface) -> FloatArray:
    """Return the distances ``(n,)`` of points ``(n, 3)`` to the nearest triangle, millimetres.

    Raises
    ------
    ValueError
        If the surface is empty: there is no distance to nothing.
    """
    if surface.is_empty:
        raise ValueError("an empty surface has no distance")
    a, b, c = surface.corners_mm()
    edge_mm = float(np.sqrt(max(_dot(u - v, u - v).max() for u, v in ((a, b), (b, c), (c, a)))))
    result = np.asarray(_tree(surface.points_mm).query(points_mm)[0], float)
    close = np.flatnonzero(result < NEAR_EDGES * edge_mm)
    tree = _tree((a + b + c) / 3.0)
    tried = min(NEAREST_TRIANGLES, len(a))
    for start in range(0, len(close), CHUNK_POINTS):
        part = close[start : start + CHUNK_POINTS]
        points = points_mm[part]
        near = tree.query(points, k=tried)[1].reshape(len(part), tried)
        squared = _squared_distance(points[:, None, :], a[near], b[near], c[near])
        result[part] = np.minimum(result[part], np.sqrt(squared.min(axis=1)))
    return result


def _tree(points_mm: FloatArray) -> cKDTree:
    # Ice around a tumour is nearly as far everywhere, the worst case of a search tree: large leaves without
    # balancing were measured to be fourteen times faster there than the defaults, and never slower.
    tree: cKDTree = cKDTree(points_mm, leafsize=64, balanced_tree=False, compact_nodes=False)
    return tree


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("...i,...i->...", a, b))


def _squared_distance(p: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Return squared distances of points to triangles; arrays ``(..., 3)`` that broadcast."""
    nearest = np.minimum(_to_edge(p, a, b), np.minimum(_to_edge(p, b, c), _to_edge(p, c, a)))
    normal = np.cross(b - a, c - a)
    size2 = _dot(normal, normal)
    # The foot of the point lies in the triangle when it is on the inner side of all three edges. A triangle
    # without area (a corner of the lattice exactly at the level) has edges only.
    flat = size2 > 1e-18
    for start, end in ((a, b), (b, c), (c, a)):
        side = _dot(np.cross(end - start, p - start), normal)
        flat = flat & (side >= 0.0)
    height = _dot(p - a, normal)
    squared = height * height / np.where(size2 > 1e-18, size2, 1.0)
    return np.where(flat, np.minimum(squared, nearest), nearest)


def _to_edge(p: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    along, offset = b - a, p - a
    length2 = _dot(along, along)
    share = _dot(offset, along) / np.where(length2 > 0.0, length2, 1.0)
    rest = offset - np.clip(share, 0.0, 1.0)[..., None] * along
    return _dot(rest, rest)


def signed_distances_mm(
    tumour: Outline, temperature_degc: Volume, threshold_degc: float, *, outside_degc: float
) -> FloatArray:
    """Return the margin of each point of the tumour surface ``(n,)``, millimetres; the margin map.

    Minus infinity everywhere when nothing is at or below the threshold.

    Parameters
    ----------
    tumour : Outline
    temperature_degc : Volume
        Lowest temperature of the protocol.
    threshold_degc : float
    outside_degc : float
        Temperature of tissue beyond the grid.
    """
    isotherm = isotherm_surface(temperature_degc, threshold_degc)
    points = tumour.surface.points_mm
    if isotherm.is_empty:
        return np.full(len(points), -np.inf)
    distance = distance_to_surface_mm(points, isotherm)
    level = scale_of(temperature_degc).level(threshold_degc)
    cold = _read_at(temperature_degc, points, outside_degc) <= level
    return np.where(cold, distance, 0.0 - distance)
