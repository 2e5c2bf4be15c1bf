"""Wording: how places, angles, levels and times are said on paper; words instead of signs."""

from __future__ import annotations

from collections.abc import Sequence

from cryoplan.core.finding import Level
from cryoplan.core.geometry import Point
from cryoplan.core.sourced import Sourced
from cryoplan.core.units import show_clock
from cryoplan.plan.placement import Angles
from cryoplan.plan.probe import Probe

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"

SINGLE_SLICE_DEG = 0.5
"""Cranio-caudal angle below which a path is said to lie in one slice: 1 mm over 115 mm of depth."""

SYMBOLS = {Level.OK: "✓", Level.WARN: "▲", Level.FAIL: "✗"}
WORDS = {Level.OK: "ok", Level.WARN: "warn", Level.FAIL: "fail"}

_POSITIONS = {
    "HF": "head first",
    "FF": "feet first",
    "S": "supine",
    "P": "prone",
    "DL": "on the left side",
    "DR": "on the right side",
}


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign, a true minus, and no sign on zero."""
    text = f"{value:+.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def plain(value: float, digits: int = 1) -> str:
    """Return a number with a true minus and no minus on zero."""
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def share(fraction: float) -> str:
    """Return a fraction in whole percent that says 0 and 100 only when they are true."""
    percent = 100.0 * fraction
    if 0.0 < percent < 0.5:
        return "< 1 %"
    if 99.5 <= percent < 100.0:
        return "> 99 %"
    return f"{percent:.0f} %"


def millilitres(value_ml: float) -> str:
    """Return a volume that says 0.0 ml only when there is none."""
    return "< 0.1 ml" if 1e-4 < value_ml < 0.05 else f"{value_ml:.1f} ml"


def place(point_mm: Point) -> str:
    """Return an LPS point in letters: ``L 12.3 · P 4.5 · H 120.0``, mm from the origin of the scan."""
    letters = (("L", "R"), ("P", "A"), ("H", "F"))
    parts = []
    for value, (plus, minus) in zip(point_mm, letters, strict=True):
        rounded = round(value, 1)
        parts.append(f"{plus if rounded >= 0.0 else minus}{NO_BREAK}{abs(rounded):.1f}")
    return f"{NO_BREAK}·{NO_BREAK}".join(parts)


def position(code: str) -> str:
    """Return a DICOM patient position in words: ``HFS (head first, supine)``."""
    code = code.strip().upper()
    if not code:
        return "unknown position"
    words = [_POSITIONS.get(code[:2], ""), _POSITIONS.get(code[2:], "")]
    return f"{code} ({', '.join(words)})" if all(words) else code


def in_plane(angles: Angles) -> str:
    """Return the angle within the axial plane, from the room's vertical."""
    if not angles.in_plane_toward:
        return "0°, vertical"
    return f"{angles.in_plane_deg:.1f}°, tip to the {angles.in_plane_toward}"


def cranio_caudal(angles: Angles) -> str:
    """Return the angle out of the axial plane, towards head or feet."""
    degrees = angles.cranio_caudal_deg
    if abs(degrees) < SINGLE_SLICE_DEG:
        return "0°, within one slice"
    return f"{abs(degrees):.1f}° towards the {'head' if degrees > 0.0 else 'feet'}"


def gantry(angles: Angles) -> str:
    """Return the tilt of the gantry that would hold the path in one slice."""
    if abs(angles.cranio_caudal_deg) < SINGLE_SLICE_DEG:
        return "none needed"
    if angles.gantry_tilt_deg is None:
        return "out of reach"
    side = "head" if angles.gantry_tilt_deg > 0.0 else "feet"
    return f"{abs(angles.gantry_tilt_deg):.1f}°, lower edge to the {side}"


def gas_times(probe: Probe) -> str:
    """Return power and times of a probe: ``100 %, whole protocol``."""
    power = f"{100.0 * probe.intensity:.0f} %"
    if probe.start_s == 0.0 and probe.stop_s is None:
        return f"{power}, whole protocol"
    stop = "end" if probe.stop_s is None else show_clock(probe.stop_s)
    return f"{power}, {show_clock(probe.start_s)} to {stop}"


def sourced(number: Sourced) -> str:
    """Return a number and, where it was guessed, the word for it: ``20 recalled``."""
    return f"{number.value:g}".replace("-", MINUS) + (f" {number.how}" if number.is_guess else "")


def measured(number: Sourced, unit: str) -> str:
    """Return a number with its unit and, where it was guessed, the word for it: ``30 mm (assumed)``."""
    text = f"{number.value:g} {unit}".replace("-", MINUS)
    return f"{text} ({number.how})" if number.is_guess else text


def counted(levels: Sequence[Level]) -> str:
    """Return how many of each level there are: ``1 fail, 2 warn, 9 ok``."""
    return ", ".join(f"{sum(1 for f in levels if f is level)} {WORDS[level]}" for level in reversed(Level))
