"""Found: one part of the anatomy as it was found, and what is unsure about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cryoplan.core.finding import Finding
from cryoplan.core.volume import Volume


class Part(StrEnum):
    """What can be found by itself, in the order in which it is looked for."""

    BODY = "body"
    LUNG = "lung"
    GAS = "gas"
    BONE = "bone"
    FAT = "fat"
    VESSEL = "vessel"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """One part, on the grid of the scan.

    Attributes
    ----------
    part : Part
    mask : Volume
        bool voxels; none is set where nothing was found, and a note says so.
    notes : tuple of Finding
        What is unsure, and what was left out.
    diameter_mm : Volume or None
        Of vessels only: float32, local diameter within the mask, mm; 0 outside.
    """

    part: Part
    mask: Volume
    notes: tuple[Finding, ...] = ()
    diameter_mm: Volume | None = None
