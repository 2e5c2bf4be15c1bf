"""Approach: the shortest straight way to a target within one axial slice that passes nothing it should not.

A way within one axial image is the easiest to place (doctorlib.org/medical/procedures/4); so only directions
within the axial plane through the target's middle are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.skin import sample_mask, skin_entry
from cryoplan.case.structure import Structure
from cryoplan.core.geometry import FloatArray, Point, direction_words, distance_mm, perpendicular
from cryoplan.core.units import show_mm
from cryoplan.plan.limits import placement_limits

DIRECTIONS = 72
_STEP_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """A way in.

    Attributes
    ----------
    entry_mm : Point
        Where it passes the skin, LPS.
    text : str
        What was looked for and found, for the user.
    crossed : tuple of str
        Structures in the way that a shaft should not pass; empty when it is free.
    """

    entry_mm: Point
    text: str
    crossed: tuple[str, ...]


def shortest_approach(case: Case, target_mm: Point) -> Approach | None:
    """Return the shortest way in, None where nothing tells where the skin is.

    Forbidden structures count more than doubtful ones, and both more than any length; room of the rule
    ``near_organ_warn`` around the shaft must be free of them.
    """
    limits = placement_limits()
    forbidden = [s for s in case.structures if s.role in limits.forbidden and s.name != case.target_name]
    doubtful = [s for s in case.structures if s.role in limits.doubtful and s.name != case.target_name]
    best: tuple[tuple[int, int, float], Point, tuple[str, ...]] | None = None
    for angle in np.arange(DIRECTIONS) * 2.0 * np.pi / DIRECTIONS:
        toward = np.asarray(target_mm) + 100.0 * np.array([np.sin(angle), -np.cos(angle), 0.0])
        entry = skin_entry(case, target_mm, toward)
        if entry is None:
            continue
        tube = _tube(target_mm, entry, limits["near_organ_warn"])
        bad = tuple(s.name for s in forbidden if _touches(s, tube))
        odd = tuple(s.name for s in doubtful if _touches(s, tube))
        worth = (len(bad), len(odd), distance_mm(target_mm, entry))
        if best is None or worth < best[0]:
            best = (worth, entry, bad + odd)
    if best is None:
        return None
    (_, _, depth_mm), entry, crossed = best
    side = direction_words(np.subtract(entry, target_mm))
    text = f"shortest way in the axial slice, {show_mm(depth_mm)} from {side}"
    if crossed:
        text += f"; it comes near {', '.join(crossed)}, and no way in this slice is free"
    return Approach(entry_mm=entry, text=text, crossed=crossed)


def _tube(tip_mm: Point, entry_mm: Point, room_mm: float) -> FloatArray:
    """Return points on the axis and on four lines beside it."""
    tip, entry = np.asarray(tip_mm), np.asarray(entry_mm)
    count = max(int(distance_mm(tip_mm, entry_mm) / _STEP_MM), 2)
    axis = tip + np.linspace(0.0, 1.0, count)[:, None] * (entry - tip)
    u, v = perpendicular(entry - tip)
    return np.concatenate(
        [axis + by for by in (0.0 * u, room_mm * u, -room_mm * u, room_mm * v, -room_mm * v)]
    )


def _touches(structure: Structure, points_mm: FloatArray) -> bool:
    return bool(sample_mask(structure.mask, points_mm).any())
