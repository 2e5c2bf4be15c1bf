"""Places: where the margin is worst, then next worst, and so on; each with its direction and nearest probe.

A place is a point of the tumour's surface with the least margin for `LOCAL_MM` around it, and at least
`APART_MM` from every worse one. Sides that are left out have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from cryoplan.core.geometry import FloatArray, Point, as_point, direction_words, point_to_segment_mm
from cryoplan.margins.margin_map import MarginMap
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan

APART_MM = 10.0
LOCAL_MM = 5.0
MOST_PLACES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of the worst places of a margin.

    Attributes
    ----------
    threshold_degc : float
    margin_mm : float
        Minus infinity when nothing is that cold.
    lowest_degc : float
        Lowest temperature of the protocol there.
    point_mm : Point
        On the surface of the tumour.
    direction : str
        From the middle of the tumour, such as ``cranial-posterior``.
    """

    threshold_degc: float
    margin_mm: float
    lowest_degc: float
    point_mm: Point
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NearProbe:
    """The freezing probe whose active zone is nearest to a point, and how far that is."""

    name: str
    gap_mm: float


def worst_places(margin_map: MarginMap, threshold_degc: float) -> tuple[Place, ...]:
    """Return the worst places of the margin to one isotherm, the worst first; at most `MOST_PLACES`.

    The first is the place of the least margin. Where there is no ice at all, the warmest places are worst.
    """
    signed = margin_map.signed(threshold_degc)
    # Without ice all margins are alike; the warmest place is then farthest from any.
    value = signed if np.isfinite(signed).any() else -margin_map.lowest_degc.astype(float)
    points, lowest = margin_map.surface.points_mm, margin_map.lowest_degc
    candidates = _lowest_around(margin_map, value)
    chosen: list[int] = []
    for n in candidates[np.argsort(value[candidates], kind="stable")]:
        far = np.linalg.norm(points[chosen] - points[n], axis=1) if chosen else np.array([np.inf])
        if far.min() >= APART_MM:
            chosen.append(int(n))
        if len(chosen) == MOST_PLACES:
            break
    return tuple(
        Place(
            threshold_degc=threshold_degc,
            margin_mm=float(signed[n]),
            lowest_degc=float(lowest[n]),
            point_mm=as_point(points[n]),
            direction=direction_words(points[n] - margin_map.centre_mm),
        )
        for n in chosen
    )


def nearest_probe(point_mm: npt.ArrayLike, plan: Plan, catalogue: Catalogue) -> NearProbe | None:
    """Return the probe whose active zone is nearest to a point, None without any; warmers are none."""
    gaps = [
        (float(point_to_segment_mm(point_mm, *p.active_zone_mm(catalogue[p.model]))), p.name)
        for p in plan.probes
        if p.model in catalogue and not catalogue[p.model].is_warmer
    ]
    if not gaps:
        return None
    gap, name = min(gaps)
    return NearProbe(name=name, gap_mm=gap)


def _lowest_around(margin_map: MarginMap, value: FloatArray) -> npt.NDArray[np.intp]:
    """Return the points that no counted point within `LOCAL_MM` undercuts."""
    counts = margin_map.counts
    a, b = margin_map.surface.edges().T
    both = counts[a] & counts[b]
    a, b = a[both], b[both]
    around = np.full(len(value), np.inf)
    np.minimum.at(around, a, value[b])
    np.minimum.at(around, b, value[a])
    # Few points are lowest among their neighbours in the mesh; only those are worth a look further out.
    rough = np.flatnonzero(counts & (value <= around))
    known = np.flatnonzero(counts)
    near = cKDTree(margin_map.surface.points_mm[known]).query_ball_point(
        margin_map.surface.points_mm[rough], LOCAL_MM
    )
    is_low = [value[n] <= value[known[list(others)]].min() for n, others in zip(rough, near, strict=True)]
    return np.asarray(rough[np.asarray(is_low, bool)])
