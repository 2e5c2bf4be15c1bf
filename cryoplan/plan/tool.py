"""Tool: a needle that does not freeze - thermocouple, hydrodissection needle, introducer, biopsy needle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import FloatArray, Point, distance_mm, unit
from cryoplan.plan.names import LONGEST_NOTE, checked_line
from cryoplan.plan.shaft import behind_tip_mm, checked_ends

THINNEST_MM, THICKEST_MM = 0.3, 12.0
SHORTEST_MM, LONGEST_MM = 20.0, 500.0


class ToolKind(StrEnum):
    """What a tool is for."""

    THERMOCOUPLE = "thermocouple"
    HYDRODISSECTION = "hydrodissection"
    INTRODUCER = "introducer"
    BIOPSY = "biopsy"


WORDS = {
    ToolKind.THERMOCOUPLE: "thermocouple needle",
    ToolKind.HYDRODISSECTION: "hydrodissection needle",
    ToolKind.INTRODUCER: "introducer",
    ToolKind.BIOPSY: "biopsy needle",
}

USUAL_MM = {
    ToolKind.THERMOCOUPLE: (1.3, 150.0),
    ToolKind.HYDRODISSECTION: (0.7, 150.0),
    ToolKind.INTRODUCER: (1.8, 100.0),
    ToolKind.BIOPSY: (1.3, 160.0),
}
"""Outer diameter and length that a new tool gets: 18, 22, 15 and 18 gauge. Assumed; the label decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool placed in the patient; it takes room and has a path, but makes no ice.

    Attributes
    ----------
    name : str
        Unique among probes, tools and thermocouples of its plan.
    kind : ToolKind
        What it is for. One of kind *thermocouple* also measures at its tip.
    tip_mm, entry_mm : Point
        LPS positions of the tip, and of where the shaft passes the skin.
    diameter_mm, length_mm : float
        Outer diameter, and length from tip to hub.
    locked : bool
        True when gestures may not move it.
    note : str
        What the room should know.

    Raises
    ------
    PlanError
        If entry and tip are the same place or a number is out of range.
    """

    name: str
    kind: ToolKind
    tip_mm: Point
    entry_mm: Point
    diameter_mm: float
    length_mm: float
    locked: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        called = f"Tool {self.name}"
        if not self.name.strip():
            raise PlanError("A tool has no name.", "Give it one.", code="tool-name", place="name")
        tip, entry = checked_ends(called, self.tip_mm, self.entry_mm)
        object.__setattr__(self, "tip_mm", tip)
        object.__setattr__(self, "entry_mm", entry)
        for field, low, high in (
            ("diameter_mm", THINNEST_MM, THICKEST_MM),
            ("length_mm", SHORTEST_MM, LONGEST_MM),
        ):
            value = getattr(self, field)
            if not (np.isfinite(value) and low <= value <= high):
                raise PlanError(
                    f"{called}: {field} = {value:g} is not a size of a needle.",
                    f"Use {low:g} to {high:g} mm.",
                    code="tool-size",
                    place=field,
                )
        checked_line(self.note, what=f"The note of tool {self.name}", longest=LONGEST_NOTE, place="note")

    @property
    def direction(self) -> FloatArray:
        """Unit vector from entry to tip."""
        return unit(np.asarray(self.tip_mm) - np.asarray(self.entry_mm))

    @property
    def depth_mm(self) -> float:
        """Length from skin to tip."""
        return distance_mm(self.entry_mm, self.tip_mm)

    def point_behind_tip_mm(self, distance: float) -> Point:
        """Return the point on the axis `distance` millimetres behind the tip."""
        return behind_tip_mm(self.tip_mm, self.entry_mm, distance)
