"""Room: how the patient will lie on the day, and what the scanner there allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cryoplan.core.errors import PlanError

POSITIONS = {
    "HFS": "supine, head first",
    "HFP": "prone, head first",
    "HFDL": "on the left side, head first",
    "HFDR": "on the right side, head first",
    "FFS": "supine, feet first",
    "FFP": "prone, feet first",
    "FFDL": "on the left side, feet first",
    "FFDR": "on the right side, feet first",
}
"""Patient positions of DICOM (0018,5100) in words. "DL" is *decubitus left*: the left side is down."""

USUAL_TILT_LIMIT_DEG = 30.0
"""What scanners that tilt can do, as a rule (assumed; each scanner has its own limit)."""

LARGEST_TILT_DEG = 45.0
WIDEST_BORE_MM = 2000.0
FURTHEST_LIFT_MM = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What of the room changes angles and reach, but never the ice.

    Attributes
    ----------
    position : str
        Treatment position, a key of `POSITIONS`; empty means as the patient lay in the scan.
    gantry_tilt_limit_deg : float
        What the scanner can tilt to either side; 0 when it cannot. 30 is common (assumed, each has its own).
    bore_mm : float
        Diameter of the bore; 700 is common (assumed).
    lift_mm : float
        How far the middle of the body lies above the axis of the bore; negative below.

    Raises
    ------
    PlanError
        If a value is not one of these or out of range.
    """

    position: str = ""
    gantry_tilt_limit_deg: float = USUAL_TILT_LIMIT_DEG
    bore_mm: float = 700.0
    lift_mm: float = 0.0

    def __post_init__(self) -> None:
        if self.position and self.position not in POSITIONS:
            raise PlanError(
                f"{self.position!r} is not a patient position.",
                f"Use one of {', '.join(POSITIONS)}, or none for that of the scan.",
                code="room-position",
                place="position",
            )
        for field, low, high, unit in (
            ("gantry_tilt_limit_deg", 0.0, LARGEST_TILT_DEG, "degrees"),
            ("bore_mm", 300.0, WIDEST_BORE_MM, "mm"),
            ("lift_mm", -FURTHEST_LIFT_MM, FURTHEST_LIFT_MM, "mm"),
        ):
            value = getattr(self, field)
            if not (np.isfinite(value) and low <= value <= high):
                raise PlanError(
                    f"{field} = {value:g} is not a number of the room.",
                    f"Use {low:g} to {high:g} {unit}.",
                    code="room-number",
                    place=field,
                )
