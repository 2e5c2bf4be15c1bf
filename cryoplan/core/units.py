"""The one place for units: conversions and how a value is shown.

Records use clinic units and say so in their names (``_mm``, ``_s``, ``_degc``, ``_ml``); SI exists only
inside `cryoplan.simulation`.
"""

from __future__ import annotations

MM_PER_M = 1000.0
MM3_PER_ML = 1000.0
ZERO_CELSIUS_K = 273.15
SECONDS_PER_MINUTE = 60.0


def mm_to_m(value_mm: float) -> float:
    """Convert millimetres to metres."""
    return value_mm / MM_PER_M


def degc_to_k(value_degc: float) -> float:
    """Convert degrees Celsius to kelvin."""
    return value_degc + ZERO_CELSIUS_K


def show_mm(value_mm: float, *, signed: bool = False) -> str:
    """Return a length such as ``6.1 mm``, or ``+6.1 mm`` when `signed`."""
    return f"{_number(value_mm, 1, signed)} mm"


def show_degc(value_degc: float) -> str:
    """Return a temperature such as ``-40 °C`` with a true minus sign; whole degrees."""
    return f"{_number(value_degc, 0, False)} °C"


def show_ml(value_ml: float) -> str:
    """Return a volume such as ``48.3 ml``."""
    return f"{_number(value_ml, 1, False)} ml"


def show_percent(fraction: float) -> str:
    """Return a fraction as percent, never rounded up to a false ``100 %``."""
    percent = 100.0 * fraction
    if 99.95 <= percent < 100.0:
        percent = 99.9
    return f"{_number(percent, 1, False)} %"


def show_clock(seconds: float) -> str:
    """Return a protocol time such as ``14:20`` (minutes and seconds)."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _number(value: float, digits: int, signed: bool) -> str:
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("+-")
    return text.replace("-", "\N{MINUS SIGN}")
