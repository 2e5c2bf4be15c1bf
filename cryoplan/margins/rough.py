"""Rough margins: the least distance of the tumour's surface to each isotherm, quickly, for a preview.

The numbers of `cryoplan.margins.distance` measure every point of the tumour's surface to triangles. Here some
hundreds of them are measured to the corners of the triangles, and only the points around the worst of these
to the triangles: the least margin is the same within some tenths of a millimetre at a tenth of the time.
Percentiles and shares of the surface are not measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.core.volume import Volume
from cryoplan.margins.distance import distance_to_surface_mm, sample
from cryoplan.margins.organs import START_DEGC
from cryoplan.margins.outline import Outline
from cryoplan.margins.surface import Surface
from cryoplan.simulation.isotherm import scale_of

LOOKED_AT = 500
"""About so many points of the tumour's surface are measured to corners."""

WORST, AROUND_MM, TRIED = 8, 3.0, 80
"""Around so many of them, within so many millimetres, at most so many points are measured to triangles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoughMargin:
    """Least signed distance from the tumour's surface to one isotherm, positive where that lies outside.

    Attributes
    ----------
    threshold_degc : float
    minimum_mm : float
        Minus infinity where nothing is as cold as that.
    worst_point_mm : Point or None
        Where it is; None without ice.
    """

    threshold_degc: float
    minimum_mm: float
    worst_point_mm: Point | None

    @property
    def no_ice(self) -> bool:
        """True when nothing is as cold as the threshold."""
        return self.worst_point_mm is None


def rough_margins(
    tumour: Outline,
    field_degc: Volume,
    isotherms: Iterable[tuple[float, Surface]],
    counts: npt.NDArray[np.bool_] | None = None,
) -> tuple[RoughMargin, ...]:
    """Return the margins of a tumour to isotherms.

    Parameters
    ----------
    tumour : Outline
    field_degc : Volume
        Temperatures.
    isotherms : iterable of (threshold degC, Surface)
        Their surfaces in that field, as fine as its grid.
    counts : ndarray, optional
        bool, which points of the tumour's surface margins are asked of; all when left out.
    """
    points = tumour.surface.points_mm if counts is None else tumour.surface.points_mm[counts]
    scale = scale_of(field_degc)
    here = sample(scale.volume(field_degc), points, outside=scale.level(START_DEGC))
    found = []
    for threshold, isotherm in isotherms:
        if isotherm.is_empty:
            found.append(RoughMargin(threshold_degc=threshold, minimum_mm=-np.inf, worst_point_mm=None))
            continue
        cold = here <= scale.level(threshold)
        some = np.arange(0, len(points), max(1, len(points) // LOOKED_AT))
        # The leaves of this tree: see `cryoplan.margins.distance`.
        tree = cKDTree(isotherm.points_mm, leafsize=64, balanced_tree=False, compact_nodes=False)
        away = np.asarray(tree.query(points[some])[0], float)
        order = np.argsort(np.where(cold[some], away, -away), kind="stable")[:WORST]
        gap = points[:, None, :] - points[some[order]][None, :, :]
        near = np.flatnonzero(((gap * gap).sum(axis=2) <= AROUND_MM**2).any(axis=1))
        tried = np.union1d(near[:: max(1, len(near) // TRIED)], some[order])
        exact = distance_to_surface_mm(points[tried], isotherm)
        signed: FloatArray = np.where(cold[tried], exact, 0.0 - exact)
        worst = int(np.argmin(signed))
        found.append(
            RoughMargin(
                threshold_degc=threshold,
                minimum_mm=float(signed[worst]),
                worst_point_mm=as_point(points[tried[worst]]),
            )
        )
    return tuple(found)
