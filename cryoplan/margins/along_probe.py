"""Along a probe: the least margin of the tumour's surface at each millimetre of depth along a shaft.

What lies at one depth is the band of the tumour's surface between two planes across the shaft, half a
millimetre before and behind. Its margins are those of the margin map, distances to the nearest ice in any
direction, so that the least of the profile is the least margin of the review. Depth counts from the tip of
the probe towards the skin; beyond the tip it is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray, Point, as_point, direction_words
from cryoplan.margins.margin_map import MarginMap
from cryoplan.plan.probe import Probe


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeProfile:
    """Margins along one probe.

    Attributes
    ----------
    probe : str
    depth_mm : ndarray
        ``(k,)``, whole millimetres from the tip towards the skin, from end to end of the tumour.
    thresholds_degc : tuple of float
    least_mm : ndarray
        ``(thresholds, k)``, least margin around the shaft at each depth; not a number where margins are asked
        of nothing there, minus infinity where nothing is that cold.
    at_mm : ndarray
        ``(thresholds, k, 3)``, where that is, on the surface of the tumour.
    axis : ndarray
        ``(3,)``, unit vector from the tip to the entry.
    tip_mm : Point
    """

    probe: str
    depth_mm: FloatArray
    thresholds_degc: tuple[float, ...]
    least_mm: FloatArray
    at_mm: FloatArray
    axis: FloatArray
    tip_mm: Point

    def least(self, threshold_degc: float) -> FloatArray:
        """Return the least margins ``(k,)`` to one isotherm."""
        return np.asarray(self.least_mm[self.thresholds_degc.index(threshold_degc)])

    def place(self, threshold_degc: float, depth_mm: float) -> tuple[float, float, Point, str] | None:
        """Return depth, margin, place and side of the shaft next to a depth; None where there is none."""
        row = self.thresholds_degc.index(threshold_degc)
        known = np.flatnonzero(np.isfinite(self.least_mm[row]))
        if not known.size:
            return None
        n = known[np.argmin(np.abs(self.depth_mm[known] - depth_mm))]
        point = self.at_mm[row, n]
        out = point - np.asarray(self.tip_mm)
        out = out - (out @ self.axis) * self.axis
        return float(self.depth_mm[n]), float(self.least_mm[row, n]), as_point(point), direction_words(out)


def profile_along(margin_map: MarginMap, probe: Probe) -> ProbeProfile:
    """Return the margins along a probe.

    Method: margins are linear on each triangle, so over a band between two planes the least one is at a
    corner of the mesh or where an edge meets one of the planes; all of these are tried.
    """
    axis = -np.asarray(probe.direction)
    depth = (margin_map.surface.points_mm - np.asarray(probe.tip_mm)) @ axis
    first, last = int(np.floor(depth.min() + 0.5)), int(np.floor(depth.max() + 0.5))
    depths = np.arange(first, last + 1, dtype=float)
    band, points, signed = _tried(margin_map, depth, first, last)
    rows = len(margin_map.thresholds_degc)
    least = np.full((rows, len(depths)), np.nan)
    at = np.full((rows, len(depths), 3), np.nan)
    for row in range(rows):
        order = np.lexsort((-signed[row], band))  # the least margin of each band comes last
        bands = band[order]
        is_last = np.append(bands[1:] != bands[:-1], True) if len(bands) else np.zeros(0, bool)
        ends = order[is_last]
        least[row, band[ends]] = signed[row, ends]
        at[row, band[ends]] = points[ends]
    return ProbeProfile(
        probe=probe.name,
        depth_mm=depths,
        thresholds_degc=margin_map.thresholds_degc,
        least_mm=least,
        at_mm=at,
        axis=axis,
        tip_mm=probe.tip_mm,
    )


def _tried(
    margin_map: MarginMap, depth: FloatArray, first: int, last: int
) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
    """Return band number ``(t,)``, place ``(t, 3)`` and margins ``(thresholds, t)`` of all that is tried."""
    points, signed, counts = margin_map.surface.points_mm, margin_map.signed_mm, margin_map.counts
    corners = np.flatnonzero(counts)
    band = np.floor(depth[corners] + 0.5).astype(int) - first
    found = [(band, points[corners], signed[:, corners])]
    edges = margin_map.surface.edges()
    edges = edges[counts[edges].all(axis=1)]
    low = np.where(depth[edges[:, 0]] <= depth[edges[:, 1]], edges[:, 0], edges[:, 1])
    high = edges.sum(axis=1) - low
    for n in range(first, last):
        plane = n + 0.5
        cut = (depth[low] < plane) & (depth[high] > plane)
        a, b = low[cut], high[cut]
        share = (plane - depth[a]) / (depth[b] - depth[a])
        place = points[a] + share[:, None] * (points[b] - points[a])
        finite = np.isfinite(signed[:, a]) & np.isfinite(signed[:, b])
        with np.errstate(invalid="ignore"):
            value = np.where(finite, signed[:, a] + share * (signed[:, b] - signed[:, a]), -np.inf)
        # The plane is a border of the bands before and behind it.
        found += [(np.full(len(a), n + side - first), place, value) for side in (0, 1)]
    bands, places, values = zip(*found, strict=True)
    return np.concatenate(bands), np.concatenate(places), np.concatenate(values, axis=1)
