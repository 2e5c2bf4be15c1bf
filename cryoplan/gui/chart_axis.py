"""Chart axis: a range in data units with round ticks, and how its numbers are written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis measures, and from where to where.

    Attributes
    ----------
    title : str
        Such as ``time``.
    unit : str
        Such as ``min``; empty for a pure number.
    low, high : float or None
        Ends in data units; None: what the data need, rounded outwards to a tick.
    reverse : bool
        Larger numbers on the left (or below).
    """

    title: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    reverse: bool = False

    @property
    def label(self) -> str:
        """Title with its unit, such as ``time [min]``."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title

    def show(self, value: float, step: float = 0.0) -> str:
        """Return a number with its unit and as many digits as tell values a `step` apart."""
        text = show_number(value, step or abs(value) / 100.0)
        return f"{text}{_space(self.unit)}{self.unit}" if self.unit else text

    def span(self, values: Iterable[float], most_ticks: int = 6) -> tuple[float, float]:
        """Return the ends: those given, else the data's, rounded outwards."""
        finite = [v for v in values if math.isfinite(v)]
        low = self.low if self.low is not None else min(finite, default=0.0)
        high = self.high if self.high is not None else max(finite, default=1.0)
        if not high > low:
            pad = max(abs(low) * 0.1, 0.5)
            low, high = low - pad * (self.low is None), high + pad
        step = round_step(high - low, most_ticks)
        if self.low is None:
            low = math.floor(low / step + 1e-9) * step
        if self.high is None:
            high = math.ceil(high / step - 1e-9) * step
        return low, high


def round_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that cuts `span` into `most` parts at most."""
    raw = span / max(most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1.0, 2.0, 5.0, 10.0):
        if factor * power >= raw * (1.0 - 1e-9):
            return factor * power
    return 10.0 * power


def round_ticks(low: float, high: float, most: int) -> tuple[tuple[float, ...], float]:
    """Return the round numbers between two ends, at most ``most + 1``, and their step."""
    step = round_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(v) for v in np.arange(first, last + 1) * step), step


def show_number(value: float, step: float) -> str:
    """Return a number with the digits that a `step` needs and a real minus sign; never ``-0``."""
    digits = 0 if step >= 1.0 or step <= 0.0 else min(6, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def _space(unit: str) -> str:
    return "" if unit == "°" else "\N{NO-BREAK SPACE}"
