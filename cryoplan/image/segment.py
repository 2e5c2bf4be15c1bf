"""Segment: one thing with a shape on its way out, with all that another program shows of it."""

from __future__ import annotations

from dataclasses import dataclass

from cryoplan.core.volume import Volume

ISOTHERM = "isotherm"
"""Kind of a segment that was computed, not outlined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One entry of a terminology: value, coding scheme designator as DICOM writes it, meaning."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """One structure or isotherm, to be written in any format.

    Attributes
    ----------
    name : str
        The structure's name, or ``Ice 0 °C``, ``Isotherm -40 °C``.
    kind : str
        The structure's role, or `ISOTHERM`.
    mask : Volume
        bool voxels on the grid of the image.
    colour : tuple of int
        sRGB, 0 to 255, as the window draws it.
    source : str
        Where it came from in words; never the name of a file.
    is_automatic : bool
        True when a program made it and nobody said that it is right.
    code : Code or None
        What it is in SNOMED CT; None where that is not known.
    threshold_degc : float or None
        Of an isotherm.
    """

    name: str
    kind: str
    mask: Volume
    colour: tuple[int, int, int]
    source: str
    is_automatic: bool = False
    code: Code | None = None
    threshold_degc: float | None = None
