"""Curve: what a plot of the accuracy page shows, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a plot; `dots` draws points and no line between them."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    dots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One plot of a group of checks.

    Attributes
    ----------
    title, group : str
        `group` is that of the checks it belongs to.
    x_label, y_label : str
        With units.
    lines : tuple of Line
    logarithmic : bool
        Both axes.
    """

    title: str
    group: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    logarithmic: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the curve as plain values."""
        return asdict(self)


def curve_from_json(found: Mapping[str, Any]) -> Curve:
    """Return what `Curve.to_json` wrote."""
    lines = tuple(
        Line(label=a["label"], x=tuple(a["x"]), y=tuple(a["y"]), dots=bool(a["dots"])) for a in found["lines"]
    )
    return Curve(**{**found, "lines": lines})
