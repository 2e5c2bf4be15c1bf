"""Margin bars: how much of the tumour's surface has which margin, by area, sorted by the user's classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cryoplan.core.geometry import FloatArray
from cryoplan.margins.classes import MarginClasses
from cryoplan.margins.margin_map import MarginMap

WIDTHS_MM = (0.5, 1.0, 2.0, 5.0, 10.0)
MOST_BARS = 40
"""More would be thinner than a panel can show."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarginBars:
    """Histogram of the margin of one isotherm over the surface that margins are asked of.

    Attributes
    ----------
    edges_mm : ndarray
        ``(bars + 1,)``, edges at multiples of one width; empty when there is no ice.
    fraction : ndarray
        ``(bars, classes)``, share of that surface; sums to 1 when there is ice.
    class_fraction : ndarray
        ``(classes,)``, share of each class; where there is no ice all of it is in the first.
    left_out : float
        Share of the whole surface that margins are not asked of.
    """

    edges_mm: FloatArray
    fraction: FloatArray
    class_fraction: FloatArray
    left_out: float

    @property
    def no_ice(self) -> bool:
        """True when nothing is as cold as the isotherm."""
        return len(self.edges_mm) == 0

    def to_csv(self, classes: MarginClasses) -> str:
        """Return the bars as comma-separated values, one row for each."""
        names = [f'"{name} (fraction of surface)"' for name in classes.names]
        rows = [",".join(["from_mm", "to_mm", *names])]
        for low, high, row in zip(self.edges_mm[:-1], self.edges_mm[1:], self.fraction, strict=True):
            rows.append(",".join([f"{low:g}", f"{high:g}", *(f"{v:.6f}" for v in row)]))
        return "\n".join(rows) + "\n"


def margin_bars(margin_map: MarginMap, threshold_degc: float, classes: MarginClasses) -> MarginBars:
    """Return the histogram of the margins to one isotherm.

    Each point of the surface counts with its area. Bars are as wide as it takes to have at most `MOST_BARS`
    of them; one through which a step of the classes goes is divided there, so classes are exact.
    """
    counts = margin_map.counts
    signed = margin_map.signed(threshold_degc)[counts]
    area = margin_map.area_mm2[counts]
    left_out = 1.0 - margin_map.share(counts)
    of = classes.of(signed)
    share = area / area.sum()
    by_class = np.asarray(np.bincount(of, share, len(classes)), float)
    if not np.isfinite(signed).all():
        return MarginBars(
            edges_mm=np.zeros(0), fraction=np.zeros((0, len(classes))), class_fraction=by_class,
            left_out=left_out,
        )  # fmt: skip
    low, high = float(signed.min()), float(signed.max())
    width = next((w for w in WIDTHS_MM if (high - low) / w < MOST_BARS - 1), WIDTHS_MM[-1])
    first, last = int(np.floor(low / width)), int(np.floor(high / width))
    bar = np.clip(np.floor(signed / width).astype(int) - first, 0, last - first)
    bars = last - first + 1
    of_bar = np.bincount(bar * len(classes) + of, share, bars * len(classes))
    fraction = np.asarray(of_bar, float).reshape(bars, -1)
    edges = np.asarray((first + np.arange(bars + 1)) * width, float)
    return MarginBars(edges_mm=edges, fraction=fraction, class_fraction=by_class, left_out=left_out)
