"""Outline tools: what can be in the hand while a structure is outlined, and how it is set."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cryoplan.case.structure import Role
from cryoplan.image.scan import Scan

LEAST_RADIUS_MM, LARGEST_RADIUS_MM = 0.5, 40.0
RADIUS_STEP = 1.2
"""One notch of the wheel; brushes are chosen by feel, so steps are in proportion."""


class Tool(StrEnum):
    """What the left button does in a slice."""

    GROW = "grow"
    BRUSH = "brush"
    ERASER = "eraser"
    LASSO = "lasso"
    BOX = "box"
    INSIDE = "inside"
    OUTSIDE = "outside"

    @property
    def is_round(self) -> bool:
        """True for tools with a radius."""
        return self in (Tool.BRUSH, Tool.ERASER, Tool.INSIDE, Tool.OUTSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSettings:
    """How the tools are set.

    Attributes
    ----------
    radius_mm : float
        Of brush, eraser and marks.
    is_ball : bool
        They reach into the neighbouring slices.
    tolerance : float
        How far from the click a grown voxel may be, in the image's unit.
    low, high : float or None
        Brush, eraser and lasso leave voxels below and above as they are.
    least, most : float
        Which voxels of a box are found, in the image's unit.
    """

    radius_mm: float = 6.0
    is_ball: bool = False
    tolerance: float = 25.0
    low: float | None = None
    high: float | None = None
    least: float = -20.0
    most: float = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is outlined: an existing structure, or one to be.

    Attributes
    ----------
    name, role, tissue, source, role_is_guess
        See `cryoplan.case.structure.Structure`.
    """

    name: str
    role: Role
    tissue: str
    source: str
    role_is_guess: bool = False


def unit_of(scan: Scan) -> str:
    """Return the unit of the voxels, with its space: `` HU`` for a CT, nothing for anything else."""
    return " HU" if scan.facts.modality == "CT" else ""
