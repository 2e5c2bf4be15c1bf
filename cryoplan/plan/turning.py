"""Turning: a probe by the two angles that a CT room speaks of, about its tip."""

from __future__ import annotations

import numpy as np

from cryoplan.case.case import Case
from cryoplan.core.geometry import FloatArray, as_point
from cryoplan.plan.edits import Grip, move_entry, shaft, tilt
from cryoplan.plan.hold import is_on_skin
from cryoplan.plan.placement import room_down
from cryoplan.plan.plan import Plan
from cryoplan.plan.shaft import Shaft
from cryoplan.plan.skin_entries import entries_on_skin

STEEPEST_DEG = 89.0
"""Along the body axis there is no angle within the slice any more."""


def in_plane_signed_deg(held: Shaft, position: str = "") -> float:
    """Return the angle within the axial plane from the room's vertical, -90 to 90.

    Positive where the tip leans to the side of `positive_side`; 0 for a path along the body axis.
    """
    down = room_down(position)
    d = held.direction
    vertical = abs(float(d @ down))
    sideways = float(d @ _sideways(down))
    return float(np.degrees(np.arctan2(sideways, vertical))) if np.hypot(sideways, vertical) > 1e-9 else 0.0


def cranio_caudal_deg(held: Shaft) -> float:
    """Return the angle out of the axial plane, -90 to 90, positive when the tip lies headwards."""
    return float(np.degrees(np.arcsin(np.clip(held.direction[2], -1.0, 1.0))))


def positive_side(position: str = "") -> str:
    """Return the side of the patient that a positive in-plane angle leans to."""
    return "left" if abs(room_down(position)[1]) > 0.5 else "back"


def turn_to(
    plan: Plan,
    name: str,
    *,
    in_plane_deg: float,
    cranio_caudal_deg: float,
    position: str = "",
    case: Case | None = None,
) -> Plan:
    """Turn a probe or tool about its tip to two angles; its entry goes to the skin on the new line.

    Whether it runs down or up stays. Where no skin is found on the line, or the entry was put elsewhere on
    purpose, the depth stays.

    Parameters
    ----------
    plan : Plan
        The plan.
    name : str
        The probe or tool.
    in_plane_deg : float
        See `in_plane_signed_deg`.
    cranio_caudal_deg : float
        -89 to 89.
    position : str
        Patient position that tells where down is.
    case : Case, optional
        Tells where the skin is.

    Raises
    ------
    PlanError
        If it is locked or unknown.
    """
    held = shaft(plan, name)
    down = room_down(position)
    up_or_down = -1.0 if float(held.direction @ down) < -1e-9 else 1.0
    a = np.radians(in_plane_deg)
    c = np.radians(np.clip(cranio_caudal_deg, -STEEPEST_DEG, STEEPEST_DEG))
    flat = up_or_down * np.cos(a) * down + np.sin(a) * _sideways(down)
    direction = np.cos(c) * flat + np.sin(c) * np.array([0.0, 0.0, 1.0])
    turned = move_entry(plan, name, as_point(np.asarray(held.tip_mm) - held.depth_mm * direction))
    return entries_on_skin(case, turned, {name}) if is_on_skin(case, held) else turned


def turn_by(plan: Plan, name: str, axis: FloatArray, by_deg: float, case: Case | None) -> Plan:
    """Turn a probe or tool about a direction through its tip; an entry on the skin stays on it."""
    held = shaft(plan, name)
    turned = tilt(plan, name, axis, by_deg, about=Grip.TIP)
    return entries_on_skin(case, turned, {name}) if is_on_skin(case, held) else turned


def _sideways(down: FloatArray) -> FloatArray:
    """Return the direction across the vertical within the axial plane: to the left, or to the back."""
    return np.array([1.0, 0.0, 0.0]) if abs(down[1]) > 0.5 else np.array([0.0, 1.0, 0.0])
