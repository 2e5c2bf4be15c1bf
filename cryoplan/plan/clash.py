"""Clash: shafts and hubs of probes and tools that run into one another, inside the body and above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import Point, segment_to_segment_mm
from cryoplan.core.units import show_mm
from cryoplan.plan.limits import PlacementLimits
from cryoplan.plan.shaft import Shaft


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A shaft with what it takes up.

    Attributes
    ----------
    shaft : Shaft
        A probe or a tool.
    called : str
        Such as ``probe 1``.
    diameter_mm, length_mm : float
        Of the shaft, from tip to hub.
    hub_mm, hub_end_mm : Point
        Where the hub begins and where it ends, LPS.
    hub_diameter_mm : float
        Of the hub.
    """

    shaft: Shaft
    called: str
    diameter_mm: float
    length_mm: float
    hub_mm: Point
    hub_end_mm: Point
    hub_diameter_mm: float


def needle(shaft: Shaft, kind: str, diameter_mm: float, length_mm: float, limits: PlacementLimits) -> Needle:
    """Return a shaft with its hub; one that is too short for its depth has its hub at the skin."""
    outside = max(length_mm, shaft.depth_mm)
    return Needle(
        shaft=shaft,
        called=f"{kind} {shaft.name}",
        diameter_mm=diameter_mm,
        length_mm=length_mm,
        hub_mm=shaft.point_behind_tip_mm(outside),
        hub_end_mm=shaft.point_behind_tip_mm(outside + limits["hub_length"]),
        hub_diameter_mm=limits["hub_diameter"],
    )


def clash_findings(needles: Sequence[Needle]) -> Iterator[Finding]:
    """Yield what runs into what: each pair once, with the worst that is true of it."""
    for a, b in combinations(needles, 2):
        both = f"{a.called} and {b.called}"
        both = both[:1].upper() + both[1:]
        place = f"probes {a.shaft.name} and {b.shaft.name}"
        radii = 0.5 * (a.diameter_mm + b.diameter_mm)
        if _inside_mm(a, b) < radii:
            text = f"{both} run into one another inside the body."
            yield Finding(level=Level.FAIL, code="shafts-collide", text=text, place=place)
        elif _outside_mm(a, b) < radii:
            text = f"{both} run into one another above the skin."
            yield Finding(level=Level.WARN, code="shafts-collide-outside", text=text, place=place)
        elif (gap := _hubs_gap_mm(a, b)) < 0.0:
            text = (
                f"The hubs of {a.called} and {b.called} need {show_mm(-gap)} more room (hubs of "
                f"{a.hub_diameter_mm:g} mm assumed). Bend or stagger them."
            )
            yield Finding(level=Level.WARN, code="hubs-collide", text=text, place=place)


def _inside_mm(a: Needle, b: Needle) -> float:
    return segment_to_segment_mm(a.shaft.entry_mm, a.shaft.tip_mm, b.shaft.entry_mm, b.shaft.tip_mm)


def _outside_mm(a: Needle, b: Needle) -> float:
    return segment_to_segment_mm(a.hub_mm, a.shaft.tip_mm, b.hub_mm, b.shaft.tip_mm)


def _hubs_gap_mm(a: Needle, b: Needle) -> float:
    """Return the least gap of a hub to the other's hub or shaft; negative when there is none."""
    hubs = segment_to_segment_mm(a.hub_mm, a.hub_end_mm, b.hub_mm, b.hub_end_mm)
    gaps = [hubs - 0.5 * (a.hub_diameter_mm + b.hub_diameter_mm)]
    for one, other in ((a, b), (b, a)):
        apart = segment_to_segment_mm(one.hub_mm, one.hub_end_mm, other.shaft.tip_mm, other.hub_mm)
        gaps.append(apart - 0.5 * (one.hub_diameter_mm + other.diameter_mm))
    return min(gaps)
