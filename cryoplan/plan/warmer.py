"""Warmer and flow: what is planned to keep tissue warm, and how fast the blood of a vessel flows.

A warmer is on from before the first freeze to the end of the protocol. It is either warm fluid that is moved
through a structure (urethra, renal pelvis, balloon), or a warm bag on a round patch of skin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, as_point

COLDEST_DEGC, WARMEST_DEGC = 30.0, 45.0
"""Of a warmer: what is colder cools, and what is warmer harms."""
LEAST_COEFFICIENT, LARGEST_COEFFICIENT = 1.0, 10_000.0
LEAST_RADIUS_MM, LARGEST_RADIUS_MM = 5.0, 300.0
USUAL_RADIUS_MM = 60.0
"""Of a bag on the skin; assumed: a litre bag covers about 12 by 12 cm."""
FASTEST_M_S = 2.0


class WarmerKind(StrEnum):
    """What a warmer is; a new one gets its numbers from ``resources/warmers``."""

    URETHRAL = "urethral"
    PYELOPERFUSION = "pyeloperfusion"
    BALLOON = "balloon"
    SKIN_BAG = "skin-bag"

    @property
    def is_on_skin(self) -> bool:
        """Whether it lies on the skin, not in a structure."""
        return self is WarmerKind.SKIN_BAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmer:
    """Something warm.

    Attributes
    ----------
    name : str
        Unique among the warmers of its plan.
    kind : WarmerKind
    temperature_degc : float
        Of the fluid.
    coefficient : float
        W/(m2 K), from the fluid to the wall of the structure, or to the skin.
    structure : str
        Name of the structure that is filled with the fluid; empty for a bag on the skin.
    centre_mm : Point or None
        LPS; for a bag on the skin, its middle.
    radius_mm : float
        For a bag on the skin: it warms all skin this near to its middle.
    is_on : bool
        False for one that is kept in the plan but not used.

    Raises
    ------
    PlanError
        If a number is out of range, or the place does not belong to the kind.
    """

    name: str
    kind: WarmerKind
    temperature_degc: float
    coefficient: float
    structure: str = ""
    centre_mm: Point | None = None
    radius_mm: float = USUAL_RADIUS_MM
    is_on: bool = True

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError("A warmer has no name.", "Give it one.", code="warmer-name", place="name")
        if self.kind.is_on_skin:
            self._need_place("centre_mm", not self.structure)
            self._need("radius_mm", self.radius_mm, LEAST_RADIUS_MM, LARGEST_RADIUS_MM, "mm")
            try:
                centre = None if self.centre_mm is None else as_point(self.centre_mm)
            except (TypeError, ValueError):
                centre = None
            self._need_place("centre_mm", centre is not None)
            object.__setattr__(self, "centre_mm", centre)
        else:
            self._need_place("structure", bool(self.structure.strip()) and self.centre_mm is None)
        self._need("temperature_degc", self.temperature_degc, COLDEST_DEGC, WARMEST_DEGC, "°C")
        self._need("coefficient", self.coefficient, LEAST_COEFFICIENT, LARGEST_COEFFICIENT, "W/(m² K)")

    def _need(self, field: str, value: float, low: float, high: float, unit: str) -> None:
        if not (math.isfinite(value) and low <= value <= high):
            raise PlanError(
                f"Warmer {self.name}: {field} = {value:g} is out of range.",
                f"Use {low:g} to {high:g} {unit}.",
                code="warmer-range",
                place=field,
            )

    def _need_place(self, field: str, is_there: bool) -> None:
        if not is_there:
            where = "a point of the skin" if self.kind.is_on_skin else "a structure"
            raise PlanError(
                f"Warmer {self.name} of the kind {self.kind.value} has no place, or one of another kind.",
                f"Give it {where}, and nothing else.",
                code="warmer-place",
                place=field,
            )

    @property
    def physics(self) -> tuple[object, ...]:
        """What changes the answer."""
        place = (self.structure,) if not self.kind.is_on_skin else (self.centre_mm, self.radius_mm)
        return (self.kind.is_on_skin, *place, self.temperature_degc, self.coefficient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How fast the blood of one vessel flows, where it is not what its name says.

    Attributes
    ----------
    structure : str
        Name of the vessel.
    speed_m_s : float
        Mean over heart beat and cross-section; 0 for one that is clamped or closed by a balloon.

    Raises
    ------
    PlanError
        If there is no name or the speed is out of range.
    """

    structure: str
    speed_m_s: float

    def __post_init__(self) -> None:
        if not self.structure.strip():
            raise PlanError(
                "A flow belongs to no vessel.", "Name one.", code="flow-vessel", place="structure"
            )
        if not (math.isfinite(self.speed_m_s) and 0.0 <= self.speed_m_s <= FASTEST_M_S):
            raise PlanError(
                f"Blood in {self.structure} cannot flow at {self.speed_m_s:g} m/s.",
                f"Use 0 to {FASTEST_M_S:g} m/s.",
                code="flow-range",
                place="speed_m_s",
            )
