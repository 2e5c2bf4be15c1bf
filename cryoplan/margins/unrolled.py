"""Unrolled map: the whole surface of the tumour on one oval, seen from its middle; equal areas of the sphere.

Each direction from the middle of the tumour is a place of the map: the front of the patient (A) in the
middle, his right (R) on the left as in a slice, head (H) above, feet (F) below, his back (P) at both rims.
Where several parts of the surface lie in one direction, the one with the least margin is shown.

Projection: Mollweide (Snyder, Map Projections: A Working Manual, USGS Professional Paper 1395, 1987, p. 249),
which keeps the areas of the sphere of directions. It does not keep those of the tumour unless that is a ball;
shares of the surface are those of `cryoplan.margins.margin_bars`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.margins.margin_map import MarginMap

ROWS = 96
"""About two degrees a cell: half a millimetre on a tumour of 3 cm."""

FILL_DEG = 5.0
"""A cell that no sample fell in takes the nearest within this angle; beyond it there is no surface."""

BEHIND_MM = 3.0
"""A part of the surface that far from what its cell shows is not seen in the map."""

_FINEST = 24

LETTERS = (("A", 0.0, -1.0, 0.0), ("P", 0.0, 1.0, 0.0), ("R", -1.0, 0.0, 0.0), ("L", 1.0, 0.0, 0.0),
           ("H", 0.0, 0.0, 1.0), ("F", 0.0, 0.0, -1.0))  # fmt: skip
"""Letters of the patient's sides with their LPS directions."""

# 2 t + sin 2 t = pi sin(latitude) has no closed form for t; a table is exact to a thousandth of a cell.
_THETA = np.linspace(-np.pi / 2.0, np.pi / 2.0, 8193)
_SINE = (2.0 * _THETA + np.sin(2.0 * _THETA)) / np.pi


def to_map(direction: npt.ArrayLike) -> FloatArray:
    """Return places ``(..., 2)`` of LPS directions ``(..., 3)``: right and up, from -1 to 1 each."""
    d = np.asarray(direction, float)
    d = d / np.linalg.norm(d, axis=-1, keepdims=True)
    longitude = np.arctan2(d[..., 0], -d[..., 1])
    theta = np.interp(d[..., 2], _SINE, _THETA)
    return np.stack([longitude / np.pi * np.cos(theta), np.sin(theta)], axis=-1)


def from_map(place: npt.ArrayLike) -> FloatArray:
    """Return the LPS directions ``(..., 3)`` of places ``(..., 2)``; not numbers outside the oval."""
    p = np.asarray(place, float)
    inside = (p**2).sum(axis=-1) <= 1.0
    y = np.clip(p[..., 1], -1.0, 1.0)
    theta = np.arcsin(y)
    sine = np.clip((2.0 * theta + np.sin(2.0 * theta)) / np.pi, -1.0, 1.0)
    wide = np.cos(theta)
    longitude = np.pi * np.clip(p[..., 0] / np.where(wide > 0.0, wide, 1.0), -1.0, 1.0)
    flat = np.sqrt(1.0 - sine**2)
    found = np.stack([flat * np.sin(longitude), -flat * np.cos(longitude), sine], axis=-1)
    return np.where(inside[..., None], found, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnrolledMap:
    """The margins to one isotherm on the oval, row 0 at the top, twice as wide as high.

    Attributes
    ----------
    signed_mm : ndarray
        ``(rows, 2 * rows)``, margin of what each cell shows; not a number outside the oval, and where the
        tumour has no surface in that direction.
    left_out : ndarray
        bool, which cells show a side that margins are not asked of.
    point_mm : ndarray
        ``(rows, 2 * rows, 3)``, the point of the surface that each cell shows.
    centre_mm : ndarray
        ``(3,)``, from where it is seen.
    behind : float
        Share of the surface, 0 to 1, that lies behind another part and is not shown.
    """

    signed_mm: FloatArray
    left_out: npt.NDArray[np.bool_]
    point_mm: FloatArray
    centre_mm: FloatArray
    behind: float

    def place_of(self, point_mm: npt.ArrayLike) -> tuple[float, float]:
        """Return where a point lies: right and down, 0 to 1 each; the middle for the tumour's own middle."""
        direction = np.asarray(point_mm, float) - self.centre_mm
        if not direction.any():
            return 0.5, 0.5
        x, y = to_map(direction)
        return float(x + 1.0) / 2.0, float(1.0 - y) / 2.0

    def point_at(self, right: float, down: float) -> Point | None:
        """Return the point of the surface at a place, 0 to 1 each; None where nothing is shown."""
        cell = self._cell(right, down)
        return None if cell is None else as_point(self.point_mm[cell])

    def margin_at(self, right: float, down: float) -> float | None:
        """Return the margin at a place, 0 to 1 each; None where nothing is shown."""
        cell = self._cell(right, down)
        return None if cell is None else float(self.signed_mm[cell])

    def left_out_at(self, right: float, down: float) -> bool:
        """Tell whether a side that is left out is shown at a place, 0 to 1 each."""
        cell = self._cell(right, down)
        return cell is not None and bool(self.left_out[cell])

    def _cell(self, right: float, down: float) -> tuple[int, int] | None:
        if not (0.0 <= right <= 1.0 and 0.0 <= down <= 1.0):
            return None
        rows, columns = self.signed_mm.shape
        cell = min(int(down * rows), rows - 1), min(int(right * columns), columns - 1)
        return None if np.isnan(self.signed_mm[cell]) else cell


def unroll(margin_map: MarginMap, threshold_degc: float, *, rows: int = ROWS) -> UnrolledMap:
    """Return the unrolled map of the margins to one isotherm.

    Method: the triangles are sampled more finely than the cells (margins linear between their corners, which
    are samples themselves, so that the least margin is in the map exactly); each cell shows its sample with
    the least margin. Sides that are left out only show where nothing else does.
    """
    points, signed, left_out = _samples(margin_map, threshold_degc, rows)
    directions = points - margin_map.centre_mm
    length = np.linalg.norm(directions, axis=1)
    some = length > 1e-6
    points, signed, left_out = points[some], signed[some], left_out[some]
    directions = directions[some] / length[some, None]
    cell = _cell_of(directions, rows)
    # The last one that is written to a cell stays: from good to bad, what is left out before all others.
    order = np.lexsort((-signed, ~left_out))
    shown = np.full(rows * rows * 2, -1)
    shown[cell[order]] = order
    seen = from_map(_cell_places(rows))
    empty = np.flatnonzero((shown < 0) & np.isfinite(seen[:, 0]))
    if empty.size:
        known = np.flatnonzero(shown >= 0)
        tree = cKDTree(directions[shown[known]])
        gap, near = tree.query(seen[empty])
        close = gap <= 2.0 * np.sin(np.radians(FILL_DEG) / 2.0)
        shown[empty[close]] = shown[known[near[close]]]
    is_shown = shown >= 0
    values = np.where(is_shown, signed[shown], np.nan)
    found = np.where(is_shown[:, None], points[shown], np.nan)
    shape = (rows, 2 * rows)
    return UnrolledMap(
        signed_mm=values.reshape(shape),
        left_out=(is_shown & left_out[shown]).reshape(shape),
        point_mm=found.reshape(*shape, 3),
        centre_mm=margin_map.centre_mm,
        behind=_behind(margin_map, found, rows),
    )


def _cell_places(rows: int) -> FloatArray:
    """Return the middles of all cells ``(2 * rows**2, 2)``, row by row from the top."""
    down = 1.0 - (np.arange(rows) + 0.5) * 2.0 / rows
    right = (np.arange(2 * rows) + 0.5) / rows - 1.0
    x, y = np.meshgrid(right, down)
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def _cell_of(directions: FloatArray, rows: int) -> npt.NDArray[np.intp]:
    place = to_map(directions)
    column = np.clip(((place[:, 0] + 1.0) * rows).astype(int), 0, 2 * rows - 1)
    row = np.clip(((1.0 - place[:, 1]) / 2.0 * rows).astype(int), 0, rows - 1)
    return np.asarray(row * 2 * rows + column)


def _samples(
    margin_map: MarginMap, threshold_degc: float, rows: int
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Return points ``(s, 3)`` closer than the cells, their margins, and which are left out."""
    surface, signed = margin_map.surface, margin_map.signed(threshold_degc)
    directions = surface.points_mm - margin_map.centre_mm
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = directions / np.maximum(length, 1e-6)
    corners = directions[surface.triangles]
    widest = np.max([np.linalg.norm(corners[:, n] - corners[:, n - 1], axis=1) for n in range(3)], axis=0)
    parts = np.clip(np.ceil(1.5 * widest * rows / np.pi), 1, _FINEST).astype(int)
    left_out = ~margin_map.counts
    found = [(surface.points_mm, signed, left_out)]
    no_ice = not np.isfinite(signed).all()
    for part in np.unique(parts[parts > 1]):
        chosen = surface.triangles[parts == part]
        weights = _inner_weights(int(part))
        points = np.einsum("wc,tcx->twx", weights, surface.points_mm[chosen]).reshape(-1, 3)
        values = np.full(len(points), -np.inf) if no_ice else (signed[chosen] @ weights.T).ravel()
        # What is next to a side that is left out takes the nearer corner's part.
        out = left_out[chosen][:, np.argmax(weights, axis=1)].ravel()
        found.append((points, values, out))
    points, values, out = (np.concatenate(column) for column in zip(*found, strict=True))
    return points, values, out


def _inner_weights(part: int) -> FloatArray:
    """Return barycentric weights ``(w, 3)`` of a triangle divided into `part` along each side, no corners."""
    a, b = np.meshgrid(np.arange(part + 1), np.arange(part + 1), indexing="ij")
    keep = (a + b <= part) & (a < part) & (b < part) & (a + b > 0)
    a, b = a[keep], b[keep]
    return np.stack([a, b, part - a - b], axis=1) / part


def _behind(margin_map: MarginMap, shown_mm: FloatArray, rows: int) -> float:
    directions = margin_map.surface.points_mm - margin_map.centre_mm
    length = np.linalg.norm(directions, axis=1)
    there = shown_mm[_cell_of(directions / np.maximum(length, 1e-6)[:, None], rows)]
    far = np.linalg.norm(there - margin_map.centre_mm, axis=1)
    return margin_map.share(np.abs(far - length) > BEHIND_MM)
