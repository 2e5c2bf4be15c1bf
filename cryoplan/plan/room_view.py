"""Room view: each needle as the room sees it - slices, angles, depths, tilt, and room inside the bore.

Source of the angles: `cryoplan.plan.placement.angles`. Slices are told by their position along the patient
(z of LPS, DICOM Image Position 0020,0032), which is the same however the image is stored; vendors show it
with a sign of their own, so the letter for head or feet is shown with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.skin import body_mask
from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import FloatArray
from cryoplan.core.units import show_mm
from cryoplan.core.volume import Volume
from cryoplan.plan.clash import Needle
from cryoplan.plan.limits import PlacementLimits
from cryoplan.plan.path import overshoot_mm
from cryoplan.plan.placement import Angles, angles, room_down
from cryoplan.plan.room import POSITIONS, Room
from cryoplan.plan.shaft import Shaft

_MIDDLES: WeakKeyDictionary[Volume, FloatArray] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLine:
    """One needle for the room.

    Attributes
    ----------
    name : str
        Of the probe or tool.
    depth_mm : float
        Skin to tip along the shaft.
    angles : Angles
        For the treatment position.
    tilt_text : str
        The tilt of the gantry that would hold the path, or why there is none.
    entry_z_mm, tip_z_mm : float
        Slice of entry and tip, positive towards the head of the scan's origin.
    entry_from_target_mm, tip_from_target_mm : float or None
        The same from the middle of the target; None without one.
    overshoot_mm : float or None
        How far the tip lies beyond the target's far side; None when the axis misses it.
    outside_mm : float
        Length of the shaft between skin and hub.
    bore_mm : float or None
        Least room between hub and bore; None when nothing tells where the body is.
    """

    name: str
    depth_mm: float
    angles: Angles
    tilt_text: str
    entry_z_mm: float
    tip_z_mm: float
    entry_from_target_mm: float | None
    tip_from_target_mm: float | None
    overshoot_mm: float | None
    outside_mm: float
    bore_mm: float | None

    def to_json(self) -> dict[str, object]:
        """Return the line as keys and numbers."""
        return {
            "depth_mm": self.depth_mm,
            "in_plane_deg": self.angles.in_plane_deg,
            "in_plane_toward": self.angles.in_plane_toward,
            "cranio_caudal_deg": self.angles.cranio_caudal_deg,
            "gantry_tilt_deg": self.angles.gantry_tilt_deg,
            "gantry_tilt_text": self.tilt_text,
            "entry_z_mm": self.entry_z_mm,
            "tip_z_mm": self.tip_z_mm,
            "entry_from_target_mm": self.entry_from_target_mm,
            "tip_from_target_mm": self.tip_from_target_mm,
            "overshoot_mm": self.overshoot_mm,
            "outside_mm": self.outside_mm,
            "bore_mm": self.bore_mm,
        }


def treatment_position(case: Case, room: Room) -> str:
    """Return how the patient will lie: as the room says, else as in the scan; empty when nobody knows."""
    return room.position or case.scan.facts.patient_position.strip().upper()


def room_line(case: Case, needle: Needle, room: Room) -> RoomLine:
    """Return what the room has to know of one needle."""
    shaft = needle.shaft
    lie = angles(shaft, treatment_position(case, room), room.gantry_tilt_limit_deg)
    middle = target_middle_mm(case)
    from_target = [
        None if middle is None else float(p[2] - middle[2]) for p in (shaft.entry_mm, shaft.tip_mm)
    ]
    return RoomLine(
        name=shaft.name,
        depth_mm=shaft.depth_mm,
        angles=lie,
        tilt_text=tilt_text(shaft, lie, room),
        entry_z_mm=float(shaft.entry_mm[2]),
        tip_z_mm=float(shaft.tip_mm[2]),
        entry_from_target_mm=from_target[0],
        tip_from_target_mm=from_target[1],
        overshoot_mm=overshoot_mm(case, shaft),
        outside_mm=needle.length_mm - shaft.depth_mm,
        bore_mm=bore_room_mm(case, needle, room),
    )


def tilt_text(shaft: Shaft, lie: Angles, room: Room) -> str:
    """Return the tilt of the gantry that would hold the path, or why there is none, in words."""
    apart = abs(shaft.tip_mm[2] - shaft.entry_mm[2])
    if lie.gantry_tilt_deg is not None and abs(lie.gantry_tilt_deg) < 0.05:
        return "none needed: within one slice"
    if lie.gantry_tilt_deg is None:
        limit = room.gantry_tilt_limit_deg
        why = f"more than {limit:g}°" if limit else "this scanner does not tilt"
        return f"cannot ({why}): entry and tip {show_mm(apart)} apart head to feet"
    side = "head" if lie.gantry_tilt_deg > 0.0 else "feet"
    shift = 100.0 * float(np.tan(np.radians(abs(lie.gantry_tilt_deg))))
    return (
        f"{abs(lie.gantry_tilt_deg):.1f}°, lower edge to the {side}; {shift:.0f} mm of table shift for each "
        "10 cm above the axis (advice only)"
    )


def bore_room_mm(case: Case, needle: Needle, room: Room) -> float | None:
    """Return the least distance of the hub's surface to the bore, negative where it does not fit.

    Assumes that the middle of the body lies in the middle of the bore, `Room.lift_mm` above its axis: where
    it really lies is known only on the table. None where nothing tells where the body is.
    """
    body = body_mask(case)
    if body is None:
        return None
    up = -room_down(treatment_position(case, room))
    axis = _middle_mm(body) - room.lift_mm * up
    radius = 0.5 * room.bore_mm - 0.5 * needle.hub_diameter_mm
    ends = np.subtract((needle.hub_mm, needle.hub_end_mm), axis)
    return float(radius - np.linalg.norm(ends[:, :2], axis=1).max())


def room_findings(
    case: Case, needles: list[Needle], room: Room, limits: PlacementLimits
) -> Iterator[Finding]:
    """Yield what does not fit the room: another position than that of the scan, hubs at the bore."""
    scanned = case.scan.facts.patient_position.strip().upper()
    if needles and room.position and room.position != scanned:
        was = POSITIONS.get(scanned, "in an unknown position")
        yield Finding(
            level=Level.WARN,
            code="position-differs",
            text=f"Treatment {POSITIONS[room.position]}, but scanned {was}: organs shift when the patient "
            "turns. Re-plan after turning, on a scan in that position.",
            place="room",
        )
    tight: dict[str, float] = {}
    for one in needles:
        free = bore_room_mm(case, one, room)
        if free is not None and free < limits["bore_room_warn"]:
            tight[one.called] = free
    if tight:
        # One sentence for all: hubs of parallel probes lie side by side.
        worst = min(tight, key=lambda called: tight[called])
        free = tight[worst]
        how = f"has {show_mm(free)} of room" if free >= 0.0 else f"lacks {show_mm(-free)} of room"
        more = f", and {len(tight) - 1} more like it," if len(tight) > 1 else ""
        yield Finding(
            level=Level.WARN,
            code="bore-tight",
            text=f"The hub of {worst}{more} {how} in a bore of {room.bore_mm:.0f} mm, if the middle of the "
            "body lies in its middle (a guess).",
            place="room",
        )


def target_middle_mm(case: Case) -> FloatArray | None:
    """Return the middle of the target, None without one."""
    return None if case.target is None else _middle_mm(case.target.mask)


def _middle_mm(mask: Volume) -> FloatArray:
    """Return the centroid of a mask's voxels: the same place however the image is stored."""
    known = _MIDDLES.get(mask)
    if known is None:
        (i0, j0, k0), (i1, j1, k1) = voxel_box_ijk(mask)
        part = mask.values[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1]
        planes = [part.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in (2, 1, 0)]
        index = [float(np.average(np.arange(len(n)), weights=n)) for n in planes]
        known = _MIDDLES[mask] = np.asarray(mask.grid.index_to_mm(np.add(index, (i0, j0, k0))))
    return known


def slice_words(z_mm: float) -> str:
    """Return a slice position as scanners show it: ``H 12.3`` towards the head of the origin, else ``F``."""
    return f"{'H' if z_mm >= 0.0 else 'F'} {abs(z_mm):.1f}"
