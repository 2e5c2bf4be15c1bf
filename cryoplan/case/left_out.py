"""Left out: sides of the tumour that margins are not asked of - at the capsule, at bone, at the pleura.

No ice is wanted beyond the capsule of an organ, so an exophytic tumour would fail there whatever is planned.
Which sides those are is the user's decision for one case; it changes no temperature.

Source of the method and of the 5 mm: Sandu et al., Volumetric quantitative ablation margins for assessment of
ablation completeness in thermal ablation of liver tumors, Front Oncol 11, 2021, 623098, which leaves out what
lies within 5 mm of the surface of the liver.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryoplan.case.structure import Role

WITHIN_MM = 5.0
WIDEST_MM = 30.0

CAPSULES = frozenset({Role.ORGAN, Role.KIDNEY, Role.LUNG, Role.HEART, Role.BODY})
"""Roles of what tumours lie in: asked of them is the border; of all others the whole."""


class Side(StrEnum):
    """What of a structure the tumour's surface is near."""

    CAPSULE = "capsule"
    """Its border, seen from within; the tumour counts as a part of it."""

    BESIDE = "beside"
    """Anything of it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LeftOut:
    """A side of the tumour that is left out of the margins.

    Attributes
    ----------
    structure : str
        Name of what lies on that side.
    side : Side
        Whether its capsule or all of it counts.
    within_mm : float
        How near the tumour's surface has to be.

    Raises
    ------
    ValueError
        If the distance is not between 0 and 30 mm.
    """

    structure: str
    side: Side
    within_mm: float = WITHIN_MM

    def __post_init__(self) -> None:
        if not (math.isfinite(self.within_mm) and 0.0 < self.within_mm <= WIDEST_MM):
            raise ValueError(f"a side is left out within 0 to {WIDEST_MM:g} mm, not {self.within_mm:g}")

    def words(self) -> str:
        """Return what is left out, as it is said beside a margin."""
        what = f"capsule of {self.structure}" if self.side is Side.CAPSULE else self.structure
        return f"{what} within {self.within_mm:g} mm"


def usual_side(role: Role) -> Side:
    """Return which side of a structure is meant as a rule."""
    return Side.CAPSULE if role in CAPSULES else Side.BESIDE


def sides_in_order(sides: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    """Return sides in the one order that they are kept in.

    Raises
    ------
    ValueError
        If two are of the same structure.
    """
    if len({s.structure for s in sides}) < len(sides):
        raise ValueError("two sides that are left out are of the same structure")
    return tuple(sorted(sides))


def sides_to_json(sides: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Return the JSON value of sides that are left out."""
    return [{"structure": s.structure, "side": s.side.value, "within_mm": s.within_mm} for s in sides]


def sides_from_json(rows: object) -> tuple[LeftOut, ...]:
    """Return the sides of their JSON value.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is something else.
    """
    if not isinstance(rows, list):
        raise TypeError("the sides that are left out are no list")
    return sides_in_order(
        [
            LeftOut(structure=str(r["structure"]), side=Side(r["side"]), within_mm=float(r["within_mm"]))
            for r in rows
        ]
    )
