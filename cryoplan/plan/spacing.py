"""Spacing: which probes must freeze together, and what the distance of a pair means for their ice."""

from __future__ import annotations

from collections.abc import Sequence

from cryoplan.core.finding import Level
from cryoplan.core.units import show_mm
from cryoplan.plan.limits import PlacementLimits, placement_limits
from cryoplan.plan.placement import Pair
from cryoplan.plan.plan import Plan


def neighbours(pairs: Sequence[Pair]) -> frozenset[tuple[str, str]]:
    """Return the pairs of the minimum spanning tree (Prim): who must freeze together for one ice ball.

    In a square of four the diagonals are wide by nature; only a gap that nobody else closes is one.
    """
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.a, pair.b)))
    found: set[tuple[str, str]] = set()
    joined = set(names[:1])
    while len(joined) < len(names):
        edges = [p for p in pairs if (p.a in joined) != (p.b in joined)]
        best = min(edges, key=lambda p: p.widest_mm)
        joined |= {best.a, best.b}
        found.add((best.a, best.b))
    return frozenset(found)


def width_limits(plan: Plan, pair: Pair, limits: PlacementLimits) -> tuple[float, float]:
    """Return the widest good spacing and the widest at all, stricter where one runs at reduced power."""
    weakest = min(plan.probe(pair.a).intensity, plan.probe(pair.b).intensity)
    prefix = "reduced_" if weakest < limits["reduced_below"] else ""
    return limits[f"{prefix}wide_warn"], limits[f"{prefix}wide_fail"]


def judge_pair(plan: Plan, pair: Pair, *, are_neighbours: bool) -> tuple[Level | None, str]:
    """Return how a pair stands and one sentence on why; no level where another probe closes the gap."""
    limits = placement_limits()
    good, most = width_limits(plan, pair, limits)
    if pair.closest_mm < 0.0:
        return Level.FAIL, "They run into one another inside the body."
    if pair.narrowest_mm < limits["close_warn"]:
        return Level.WARN, (
            f"{show_mm(pair.narrowest_mm)} apart; from {show_mm(limits['close_warn'])} on each freezes "
            "tissue of its own."
        )
    wide = show_mm(pair.widest_mm)
    if pair.widest_mm <= good:
        return Level.OK, f"Good: {show_mm(limits['close_warn'])} to {show_mm(good)}."
    if not are_neighbours:
        return None, "No neighbours: probes between them close the gap."
    if pair.widest_mm <= most:
        return Level.WARN, f"{wide} apart at the widest; joint ice needs at most {show_mm(good)}."
    return Level.FAIL, f"{wide} apart at the widest; over {show_mm(most)} a warm core is likely."


def off_limits(plan: Plan, pair: Pair) -> float:
    """Return by which share of its limit a pair is too near or too far; 0 or less within the limits."""
    limits = placement_limits()
    good, _ = width_limits(plan, pair, limits)
    close = limits["close_warn"]
    return max((close - pair.narrowest_mm) / close, (pair.widest_mm - good) / good)
