"""Histogram plot: which temperature-volume histograms the report draws, and what its table says of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cryoplan.core.finding import Level
from cryoplan.core.units import show_degc
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.histogram import TemperatureHistogram
from cryoplan.margins.limits import Limits
from cryoplan.report.decision import WARM_DEGC
from cryoplan.report.parts import Curve, Plot
from cryoplan.report.wording import plain, share

MOST = 6
"""Curves that can be told apart by their dashes alone."""

READ_DEGC = (0.0, -20.0, -40.0)
_LEAST_DEGC, _WARMEST_DEGC, _TICK_K = -60, 40, 20
_T95 = 0.95


def histogram_plot(assessment: Assessment, limits: Limits) -> Plot | None:
    """Return the target first, then what comes nearest to or goes beyond its limit, then the coldest."""
    lowest = {organ.name: organ for organ in assessment.structures}

    def rank(one: TemperatureHistogram) -> tuple[bool, int, float]:
        organ = lowest.get(one.structure)
        if organ is None:
            return not one.is_target, 0, 0.0
        limit = limits.organ(organ.role, organ.name)
        level = Level.OK if limit is None else limit.level(organ.minimum_degc)
        return not one.is_target, -level.rank, organ.minimum_degc

    cooled = [h for h in assessment.histograms if h.is_target or h.fraction_below(WARM_DEGC) > 0.0]
    if not any(h.below_ml.any() for h in cooled):
        return None
    drawn = sorted(cooled, key=rank)[:MOST]
    first = _first_tick(drawn)
    left = len(assessment.histograms) - len(drawn)
    more = f" Not drawn: {left} more." if left else ""
    return Plot(
        title="Temperatures by volume",
        x_label="lowest temperature of the protocol, °C",
        y_label="share of the structure at or below it, %",
        x_ticks=tuple(float(t) for t in range(first, _WARMEST_DEGC + 1, _TICK_K)),
        y_ticks=(0.0, 25.0, 50.0, 75.0, 100.0),
        marks=READ_DEGC,
        head=("Structure", *(f"≤ {show_degc(t)}" for t in READ_DEGC), "T95"),
        curves=tuple(_curve(h, first) for h in drawn),
        note="T95: the temperature that 95 % of the structure reached at least. Structures are counted "
        f"without the target; what lies beyond the computed region counts as warm.{more}",
    )


def _first_tick(drawn: Sequence[TemperatureHistogram]) -> int:
    """Return the tick below the coldest of them: colder ones would be an empty part of the plot."""
    coldest = min(float(h.edges_degc[np.flatnonzero(h.below_ml > 0.0)[0]]) for h in drawn if h.below_ml.any())
    return min(_LEAST_DEGC, int(np.floor(coldest / _TICK_K)) * _TICK_K)


def _curve(one: TemperatureHistogram, first: int) -> Curve:
    seen = (one.edges_degc >= first) & (one.edges_degc <= _WARMEST_DEGC)
    percent = 100.0 * np.asarray(one.below_fraction)[seen]
    return Curve(
        name=one.structure,
        x=tuple(float(t) for t in one.edges_degc[seen]),
        y=tuple(float(p) for p in percent),
        cells=(
            *(share(one.fraction_below(t)) for t in READ_DEGC),
            f"{plain(one.coldest_reached_degc(_T95))} °C",
        ),
    )
