"""Shaft: what a probe and a tool have in common, a straight line from the skin to a tip."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import FloatArray, Point, as_point, distance_mm, unit

SHORTEST_MM = 1.0
"""Entry and tip that are nearer than this are the same place: they have no direction."""


class Shaft(Protocol):
    """Anything with a straight shaft, in LPS millimetres."""

    @property
    def name(self) -> str:
        """Unique in its plan."""

    @property
    def tip_mm(self) -> Point:
        """Position of the tip."""

    @property
    def entry_mm(self) -> Point:
        """Where the shaft passes the skin."""

    @property
    def locked(self) -> bool:
        """True when gestures may not move it."""

    @property
    def direction(self) -> FloatArray:
        """Unit vector from entry to tip."""

    @property
    def depth_mm(self) -> float:
        """Length from skin to tip."""

    def point_behind_tip_mm(self, distance: float) -> Point:
        """Return the point on the axis `distance` millimetres behind the tip."""


def behind_tip_mm(tip_mm: Point, entry_mm: Point, distance: float) -> Point:
    """Return the point on the axis `distance` millimetres behind the tip."""
    direction = unit(np.asarray(tip_mm) - np.asarray(entry_mm))
    return as_point(np.asarray(tip_mm) - distance * direction)


def checked_ends(called: str, tip_mm: Point, entry_mm: Point) -> tuple[Point, Point]:
    """Return tip and entry as points.

    Raises
    ------
    PlanError
        If one of them is not three finite numbers, or both are the same place.
    """
    ends = []
    for field, value in (("tip_mm", tip_mm), ("entry_mm", entry_mm)):
        try:
            ends.append(as_point(value))
        except (TypeError, ValueError) as error:
            raise PlanError(
                f"{called}: {field} is not three finite numbers.",
                "Give x, y and z in LPS millimetres.",
                code="probe-position",
                place=field,
            ) from error
    tip, entry = ends
    if distance_mm(tip, entry) < SHORTEST_MM:
        raise PlanError(
            f"{called} enters where its tip is.",
            f"Move entry or tip by at least {SHORTEST_MM:g} mm.",
            code="probe-without-length",
            place="entry_mm",
        )
    return tip, entry
