"""Beside: on which side of a probe a parallel copy is of most use."""

from __future__ import annotations

from cryoplan.case.case import Case
from cryoplan.case.middle import target_centre_mm
from cryoplan.core.geometry import point_to_segment_mm
from cryoplan.plan.edits import copy_parallel
from cryoplan.plan.plan import Plan


def free_side(plan: Plan, name: str, distance: float, case: Case | None) -> float:
    """Return the hour of the clock (see `copy_parallel`) on which a parallel copy is of most use.

    Of the hours at which it keeps its distance from every other probe, the one nearest to the middle of the
    target; when there is no such hour or no target, the one farthest from the other probes.
    """
    others = [p for p in plan.probes if p.name != name]
    target = target_centre_mm(case) if case is not None else None
    best: tuple[tuple[bool, float], float] | None = None
    for hours in (3.0, 9.0, 6.0, 12.0, 2.0, 4.0, 8.0, 10.0, 1.0, 5.0, 7.0, 11.0):
        copy = copy_parallel(plan, name, distance_mm=distance, clock_hours=hours).probes[-1]
        gap = min(
            (float(point_to_segment_mm(copy.tip_mm, p.entry_mm, p.tip_mm)) for p in others),
            default=float("inf"),
        )
        free = gap >= 0.9 * distance
        if free and target is not None:
            # In half millimetres: equal sides stay in the order above, which starts at the sides.
            worth = -round(2.0 * float(point_to_segment_mm(target, copy.entry_mm, copy.tip_mm))) / 2.0
        else:
            worth = min(gap, 1e6)
        if best is None or (free, worth) > best[0]:
            best = ((free, worth), hours)
    assert best is not None
    return best[1]
