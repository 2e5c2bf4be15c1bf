"""Margin map: the margins of one tumour, point by point of its surface, and the numbers that sum them up.

Numbers are weighted by the area of the surface; sides that the user left out (`cryoplan.case.left_out`) count
in none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray, as_point, direction_words
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import Margin
from cryoplan.margins.distance import sample, signed_distances_mm
from cryoplan.margins.outline import Outline
from cryoplan.margins.surface import Surface


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarginMap:
    """Margins of each point of a tumour's surface.

    Attributes
    ----------
    structure : str
        Name of the tumour.
    surface : Surface
        Its closed mesh, points ``(n, 3)``, LPS millimetres.
    area_mm2 : ndarray
        ``(n,)``, area that belongs to each point.
    centre_mm : ndarray
        ``(3,)``, centroid of the tumour.
    thresholds_degc : tuple of float
        The isotherms, warmest first.
    signed_mm : ndarray
        float64, ``(thresholds, n)``, positive where the isotherm lies outside the tumour; minus infinity
        where nothing is that cold.
    lowest_degc : ndarray
        float32, ``(n,)``, lowest temperature of the protocol.
    left_out : ndarray
        bool, ``(n,)``, sides that margins are not asked of.
    """

    structure: str
    surface: Surface
    area_mm2: FloatArray
    centre_mm: FloatArray
    thresholds_degc: tuple[float, ...]
    signed_mm: FloatArray
    lowest_degc: npt.NDArray[np.float32]
    left_out: npt.NDArray[np.bool_]

    def signed(self, threshold_degc: float) -> FloatArray:
        """Return the margins ``(n,)`` to one isotherm, those of left-out points too.

        Raises
        ------
        ValueError
            If that isotherm was not measured.
        """
        return np.asarray(self.signed_mm[self.thresholds_degc.index(threshold_degc)])

    @property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Which points ``(n,)`` margins are asked of."""
        return ~self.left_out

    def share(self, chosen: npt.NDArray[np.bool_]) -> float:
        """Return the share of the surface, 0 to 1, that some points ``(n,)`` stand for."""
        return float(self.area_mm2[chosen].sum() / self.area_mm2.sum())

    def without(self, left_out: npt.NDArray[np.bool_]) -> MarginMap:
        """Return the same map with other points left out.

        Raises
        ------
        ValueError
            If none would be left to measure.
        """
        if left_out.all():
            raise ValueError("a margin map leaves out some points, not all of them")
        return replace(self, left_out=left_out)

    def margin(self, threshold_degc: float) -> Margin:
        """Return the numbers of one isotherm.

        Where there is no ice at all, the warmest point of the surface is the worst one.
        """
        signed = self.signed(threshold_degc)
        counts = np.flatnonzero(self.counts)
        area = self.area_mm2[counts]
        mine = signed[counts]
        no_ice = not bool(np.isfinite(signed).any())
        if no_ice:
            worst = int(counts[np.argmax(self.lowest_degc[counts])])
            p05 = median = -np.inf
        else:
            worst = int(counts[np.argmin(mine)])
            p05, median = (_weighted_percentile(mine, area, share) for share in (0.05, 0.5))
        total = float(area.sum())
        below = float(area[mine < 0.0].sum()) / total
        up = float(area[mine >= 5.0].sum()) / total
        point = self.surface.points_mm[worst]
        return Margin(
            structure=self.structure,
            threshold_degc=threshold_degc,
            minimum_mm=float(signed[worst]),
            p05_mm=p05,
            median_mm=median,
            worst_point_mm=as_point(point),
            worst_direction=direction_words(point - self.centre_mm),
            fraction_below_0=below,
            fraction_0_to_5=max(0.0, 1.0 - below - up),
            fraction_5_up=up,
            fraction_left_out=1.0 - self.share(self.counts),
            no_ice=no_ice,
        )

    def margins(self) -> tuple[Margin, ...]:
        """Return the numbers of all isotherms."""
        return tuple(self.margin(t) for t in self.thresholds_degc)


def map_margins(
    tumour: Outline, temperature_degc: Volume, thresholds_degc: Sequence[float], *, outside_degc: float
) -> MarginMap:
    """Return the margins of a tumour to isotherms of the lowest temperature; nothing is left out yet.

    Parameters
    ----------
    tumour : Outline
    temperature_degc : Volume
        Lowest temperature of the protocol.
    thresholds_degc : sequence of float
        Warmest first.
    outside_degc : float
        Temperature of tissue beyond the grid.
    """
    points = tumour.surface.points_mm
    signed = [
        signed_distances_mm(tumour, temperature_degc, t, outside_degc=outside_degc) for t in thresholds_degc
    ]
    return MarginMap(
        structure=tumour.name,
        surface=tumour.surface,
        area_mm2=tumour.area_mm2,
        centre_mm=tumour.centre_mm,
        thresholds_degc=tuple(thresholds_degc),
        signed_mm=np.stack(signed),
        lowest_degc=sample(temperature_degc, points, outside=outside_degc).astype(np.float32),
        left_out=np.zeros(len(points), dtype=bool),
    )


def _weighted_percentile(values: FloatArray, weights: FloatArray, share: float) -> float:
    """Return the smallest value below or at which `share` of the weight lies."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1])])
