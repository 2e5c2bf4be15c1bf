"""Hold: where a probe goes that a hand drags; the entry stays on the skin, the hub outside it.

A drag stops at what cannot be: a shaft that is shorter than the way in, or no shaft left. What is typed is
refused instead (`require_reach`), because a number that silently becomes another one is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.skin import body_mask, sample_mask, skin_entry
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, as_point, distance_mm
from cryoplan.core.units import show_mm
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.edits import Grip, Placed, changed_shaft, require_free, shaft
from cryoplan.plan.limits import placement_limits
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.shaft import Shaft
from cryoplan.plan.skin_entries import entries_on_skin
from cryoplan.plan.tool import Tool

LEAST_DEPTH_MM = 10.0
"""A drag leaves at least this much between skin and tip (assumed; nothing is planned nearer to the skin)."""

ON_SKIN_MM = 2.0
"""An entry this near to the skin lies on it: about a voxel (assumed)."""

_HALVINGS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Where a drag got to.

    Attributes
    ----------
    plan : Plan
        The plan with the thing moved.
    stop : str
        A sentence when the hand went further than the thing may; empty otherwise.
    """

    plan: Plan
    stop: str = ""


def longest_depth_mm(held: Probe | Tool, catalogue: Catalogue) -> float:
    """Return how deep a probe or tool can lie: its shaft less what must stay outside to hold on to.

    Unknown models have no limit; the rules speak of them.
    """
    length = _length_mm(held, catalogue)
    return np.inf if length is None else length - placement_limits()["hub_reserve_warn"]


def require_reach(old: Plan, new: Plan, catalogue: Catalogue) -> None:
    """Refuse a change that puts a probe or tool deeper than its shaft is long.

    One that lies too deep already may stay, or come out a little.

    Raises
    ------
    PlanError
        With the depth asked for and the deepest that can be.
    """
    before = {s.name: s for s in old.shafts}
    for held in new.shafts:
        known = before.get(held.name)
        longest = longest_depth_mm(held, catalogue)
        if held.depth_mm <= longest + 1e-6 or (known is not None and held.depth_mm <= known.depth_mm + 1e-6):
            continue
        if known is not None and (known.tip_mm, known.entry_mm) == (held.tip_mm, held.entry_mm):
            continue  # another model or size: the rules say what that means
        raise PlanError(
            f"{_called(held)} would lie {show_mm(held.depth_mm)} deep, {_why(held, catalogue)}.",
            f"Use a depth of at most {show_mm(longest)}, a nearer entry or a longer one.",
            code="probe-too-deep",
            place=held.name,
        )


def drag(
    plan: Plan, name: str, grip: Grip, by_mm: npt.ArrayLike, case: Case | None, catalogue: Catalogue
) -> Hold:
    """Return the plan with a probe or tool dragged by a vector at one of its grips.

    Held at the tip, the entry stays. Held at the entry, the tip stays and the entry slides on the skin where
    the line from the tip towards the hand leaves the body. Held as a whole, it moves parallel to itself, and
    an entry that lay on the skin stays on it.

    Parameters
    ----------
    plan : Plan
        As it was when the drag began: rounding cannot add up, and coming back leaves no step.
    by_mm : array_like
        From where the grip was to where the hand is, LPS.
    case : Case or None
        Tells where the skin is. Where nothing does, entries move freely.

    Raises
    ------
    PlanError
        If it is locked or unknown.
    """
    require_free(plan, name)
    held = shaft(plan, name)
    by = np.asarray(by_mm, float)
    if not by.any():
        return Hold(plan=plan)
    longest = max(longest_depth_mm(held, catalogue), held.depth_mm)
    least = min(LEAST_DEPTH_MM, held.depth_mm)
    if grip is Grip.TIP:
        return _drag_tip(plan, held, by, (least, longest), catalogue)
    sliding = skin_is_known(case, held.tip_mm) if grip is Grip.ENTRY else is_on_skin(case, held)

    def ends(share: float) -> tuple[Point, Point] | None:
        tip, entry = np.asarray(held.tip_mm), np.asarray(held.entry_mm) + share * by
        if grip is Grip.WHOLE:
            tip = tip + share * by
        if not sliding:
            return as_point(tip), as_point(entry)
        assert case is not None
        found = skin_entry(case, tip, entry) if distance_mm(as_point(tip), as_point(entry)) > 0.0 else None
        if found is None and grip is Grip.WHOLE:
            return as_point(tip), as_point(entry)  # the tip has left the body: as it is
        return None if found is None else (as_point(tip), found)

    return _as_far_as_possible(plan, held, ends, (least, longest), catalogue)


def _drag_tip(
    plan: Plan, held: Probe | Tool, by: npt.NDArray[np.float64], depths: tuple[float, float], cat: Catalogue
) -> Hold:
    entry = np.asarray(held.entry_mm)
    way = np.asarray(held.tip_mm) + by - entry
    asked = float(np.linalg.norm(way))
    depth = float(np.clip(asked, *depths))
    along = way / asked if asked > 1e-6 else held.direction
    # Where nothing stops it the tip is exactly under the hand.
    tip = as_point(entry + way) if depth == asked else as_point(entry + depth * along)
    return Hold(plan=_put(plan, held.name, tip, held.entry_mm), stop=_stop(held, asked, depths, cat))


def _as_far_as_possible(
    plan: Plan,
    held: Probe | Tool,
    ends: Callable[[float], tuple[Point, Point] | None],
    depths: tuple[float, float],
    catalogue: Catalogue,
) -> Hold:
    """Go to the hand, or to the last place on the way there that can be."""

    def possible(found: tuple[Point, Point] | None) -> bool:
        return found is not None and depths[0] - 1e-6 <= distance_mm(*found) <= depths[1] + 1e-6

    found = ends(1.0)
    if possible(found):
        assert found is not None
        return Hold(plan=_put(plan, held.name, *found))
    asked = None if found is None else distance_mm(*found)
    low, high, best = 0.0, 1.0, (held.tip_mm, held.entry_mm)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        tried = ends(middle)
        if possible(tried):
            assert tried is not None
            low, best = middle, tried
        else:
            high = middle
    stop = f"{_called(held)} stops here: there is no skin on that line."
    return Hold(
        plan=_put(plan, held.name, *best),
        stop=stop if asked is None else _stop(held, asked, depths, catalogue),
    )


def keep_on_skin(old: Plan, new: Plan, name: str, case: Case | None) -> Plan:
    """Return `new` with an entry back on the skin that lay on it in `old`, and no change otherwise.

    For nudges and turns: ten steps along a round body would leave the entry in the air.
    """
    return entries_on_skin(case, new, {name}) if is_on_skin(case, shaft(old, name)) else new


def skin_is_known(case: Case | None, inside_mm: Point) -> bool:
    """Tell whether there is a skin that a line from this point could leave the body through."""
    body = body_mask(case) if case is not None else None
    return body is not None and bool(sample_mask(body, np.asarray(inside_mm, float)[None, :])[0])


def is_on_skin(case: Case | None, held: Shaft) -> bool:
    """Tell whether an entry lies on the skin."""
    if case is None:
        return False
    skin = skin_entry(case, held.tip_mm, held.entry_mm)
    return skin is not None and distance_mm(skin, held.entry_mm) <= ON_SKIN_MM


def _put(plan: Plan, name: str, tip_mm: Point, entry_mm: Point) -> Plan:
    def moved(thing: Placed) -> Placed:
        return replace(thing, tip_mm=tip_mm, entry_mm=entry_mm)

    return changed_shaft(plan, name, moved)


def _stop(held: Probe | Tool, asked: float, depths: tuple[float, float], catalogue: Catalogue) -> str:
    if asked > depths[1] + 1e-6:
        return f"{_called(held)} stops at {show_mm(depths[1])}: {_why(held, catalogue)}."
    if asked < depths[0] - 1e-6:
        return f"{_called(held)} stops at {show_mm(depths[0])}: a probe keeps its length."
    return ""


def _why(held: Probe | Tool, catalogue: Catalogue) -> str:
    length = _length_mm(held, catalogue)
    name = catalogue[held.model].name if isinstance(held, Probe) and held.model in catalogue else held.name
    reserve = show_mm(placement_limits()["hub_reserve_warn"])
    return f"the shaft of {name} is {show_mm(length or 0.0)} and {reserve} of it must stay outside the skin"


def _length_mm(held: Probe | Tool, catalogue: Catalogue) -> float | None:
    if isinstance(held, Tool):
        return held.length_mm
    return catalogue[held.model].shaft_length.value if held.model in catalogue else None


def _called(held: Probe | Tool) -> str:
    return f"{'Probe' if isinstance(held, Probe) else 'Tool'} {held.name}"
