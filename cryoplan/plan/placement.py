"""Placement: the angles, depths and spacings of placed probes, as a CT room speaks of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray, Point, angle_deg, segment_to_segment_mm, unit
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.room import USUAL_TILT_LIMIT_DEG
from cryoplan.plan.shaft import Shaft

# Room "down" in patient axes (LPS) by the last letters of DICOM's patient position (0018,5100): supine the
# back is down, lying on the left side ("decubitus left") the left side is.
_DOWN: dict[str, tuple[float, float, float]] = {
    "DL": (1.0, 0.0, 0.0),
    "DR": (-1.0, 0.0, 0.0),
    "P": (0.0, -1.0, 0.0),
    "S": (0.0, 1.0, 0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Angles:
    """How a probe lies in the room.

    Attributes
    ----------
    in_plane_deg : float
        0 to 90, from the room's vertical, within the axial plane.
    in_plane_toward : str
        Side that the tip leans to: ``left``, ``right``, ``anterior``, ``posterior`` of the patient, or empty
        when the path is vertical.
    cranio_caudal_deg : float
        -90 to 90, positive when the tip lies towards the head of the entry.
    gantry_tilt_deg : float or None
        Tilt of the slice that would hold the whole path; positive when the lower part of the slice moves
        towards the head. None when no tilt within the scanner's limit does.
    """

    in_plane_deg: float
    in_plane_toward: str
    cranio_caudal_deg: float
    gantry_tilt_deg: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two probes side by side.

    Attributes
    ----------
    a, b : str
        Names, in the plan's order.
    tip_mm, middle_mm, back_mm : float
        Distance of the axes at the metal tips, and at the middle and the back end of the active zones.
    angle_deg : float
        Between the two directions, 0 to 180.
    closest_mm : float
        Least distance of the shaft surfaces between skin and tip; negative when they run into one another.
    """

    a: str
    b: str
    tip_mm: float
    middle_mm: float
    back_mm: float
    angle_deg: float
    closest_mm: float

    @property
    def widest_mm(self) -> float:
        """Largest of the three spacings: where the ice is thinnest."""
        return max(self.tip_mm, self.middle_mm, self.back_mm)

    @property
    def narrowest_mm(self) -> float:
        """Smallest of the three spacings."""
        return min(self.tip_mm, self.middle_mm, self.back_mm)

    def to_json(self) -> dict[str, object]:
        """Return the contract's object."""
        return {
            "a": self.a,
            "b": self.b,
            "tip_mm": self.tip_mm,
            "middle_mm": self.middle_mm,
            "back_mm": self.back_mm,
            "angle_deg": self.angle_deg,
            "closest_mm": self.closest_mm,
        }


def angles(probe: Shaft, patient_position: str = "", tilt_limit_deg: float = USUAL_TILT_LIMIT_DEG) -> Angles:
    """Return the angles of a shaft for a patient position such as ``HFS``; unknown ones count as supine.

    Source of the formulas: plain trigonometry on d = tip - entry. The gantry turns the slice about the room's
    left-right axis, so the path lies in it when ``tan(tilt) = dz / d_down``; this equals
    ``tan(cranio_caudal) / cos(in_plane)`` and so exceeds the cranio-caudal angle on slanted paths.
    """
    down = room_down(patient_position)
    d = probe.direction
    vertical = float(d @ down)
    across = d - vertical * down
    across[2] = 0.0
    sideways = float(np.linalg.norm(across))
    in_plane = float(np.degrees(np.arctan2(sideways, abs(vertical))))
    flat = float(np.hypot(sideways, vertical))
    cranio_caudal = float(np.degrees(np.arctan2(d[2], flat)))
    return Angles(
        in_plane_deg=in_plane,
        in_plane_toward=_side(across) if in_plane >= 0.05 else "",
        cranio_caudal_deg=cranio_caudal,
        gantry_tilt_deg=_gantry_tilt(float(d[2]), vertical, tilt_limit_deg),
    )


def room_down(patient_position: str) -> FloatArray:
    """Return the direction of gravity in patient axes (LPS) for a DICOM patient position."""
    position = patient_position.upper().strip()
    for letters, down in _DOWN.items():
        if len(position) > len(letters) and position.endswith(letters):
            return np.array(down)
    return np.array(_DOWN["S"])


def depth_to_active_mm(probe: Probe, model: ProbeModel) -> tuple[float, float]:
    """Return the depths below the skin, along the shaft, where the active zone begins and ends.

    The first is negative when part of the active zone lies outside the skin.
    """
    end = probe.depth_mm - model.tip_offset.value
    return end - model.active_length.value, end


def clock_direction(direction: npt.ArrayLike, hours: float) -> FloatArray:
    """Return the unit vector across a probe that points to `hours` on a clock seen along the probe.

    The eye is at the hub and looks to the tip. 12 o'clock is the direction across the probe that is nearest
    to the patient's head; for a probe along the body axis, nearest to the front.
    """
    w = unit(direction)
    up = np.array([0.0, 0.0, 1.0]) - w[2] * w
    if np.linalg.norm(up) < 1e-3:
        up = np.array([0.0, -1.0, 0.0]) + w[1] * w
    up = unit(up)
    angle = 2.0 * np.pi * hours / 12.0
    return np.asarray(np.cos(angle) * up + np.sin(angle) * np.cross(w, up))


def pairs(plan: Plan, catalogue: Catalogue) -> tuple[Pair, ...]:
    """Return the table of all pairs of probes, in the plan's order.

    Raises
    ------
    PlanError
        If a probe names an unknown model.
    """
    return tuple(
        pair(a, b, catalogue.model(a.model), catalogue.model(b.model))
        for a, b in combinations(plan.probes, 2)
    )


def pair(a: Probe, b: Probe, model_a: ProbeModel, model_b: ProbeModel) -> Pair:
    """Return how two probes lie to one another."""
    zone_a, zone_b = a.active_zone_mm(model_a), b.active_zone_mm(model_b)
    shafts = segment_to_segment_mm(a.entry_mm, a.tip_mm, b.entry_mm, b.tip_mm)
    radii = 0.5 * (model_a.outer_diameter.value + model_b.outer_diameter.value)
    return Pair(
        a=a.name,
        b=b.name,
        tip_mm=_axis_spacing_mm(a, b, a.tip_mm, b.tip_mm),
        middle_mm=_axis_spacing_mm(a, b, _middle(zone_a), _middle(zone_b)),
        back_mm=_axis_spacing_mm(a, b, zone_a[1], zone_b[1]),
        angle_deg=angle_deg(a.direction, b.direction),
        closest_mm=shafts - radii,
    )


def _axis_spacing_mm(a: Probe, b: Probe, on_a_mm: Point, on_b_mm: Point) -> float:
    """Return the mean of the distances of a point on each axis to the other axis.

    Point to point would call two parallel probes further apart when one is pushed deeper.
    """
    gap = np.subtract(on_b_mm, on_a_mm)
    to_b = np.linalg.norm(np.cross(gap, b.direction))
    to_a = np.linalg.norm(np.cross(gap, a.direction))
    return float(0.5 * (to_a + to_b))


def _middle(zone_mm: tuple[Point, Point]) -> Point:
    front, back = zone_mm
    return (0.5 * (front[0] + back[0]), 0.5 * (front[1] + back[1]), 0.5 * (front[2] + back[2]))


def _gantry_tilt(head: float, vertical: float, limit_deg: float) -> float | None:
    if abs(head) < 1e-9:
        return 0.0
    tilt = float(np.degrees(np.arctan2(head, abs(vertical))))
    if abs(tilt) > limit_deg:
        return None
    return tilt if vertical > 0.0 else -tilt


def _side(across: FloatArray) -> str:
    axis = int(np.argmax(np.abs(across[:2])))
    return (("left", "right"), ("posterior", "anterior"))[axis][0 if across[axis] > 0.0 else 1]
