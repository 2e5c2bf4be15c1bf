"""Chart series: the records of what a chart shows; named numbers, levels across, bands behind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from cryoplan.gui.chart_axis import Axis

FloatArray = npt.NDArray[np.float64]


class Kind(Enum):
    """How a series is drawn."""

    LINE = "line"
    BARS = "bars"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Named numbers in data units.

    Attributes
    ----------
    name : str
        In legend, read-out and CSV; one series of a chart each.
    x : numpy.ndarray
        Rising; one per `y` for a line, the edges of the bars (one more) for bars.
    y : numpy.ndarray
        Not a number where there is none: the line has a gap there.
    colour : str
        ``#rrggbb``.
    dash : tuple of float
        On, off, ... in screen pixels; empty for a solid line.
    tip : str
        Said on hover of its legend entry.

    Raises
    ------
    ValueError
        If the lengths do not fit or `x` does not rise.
    """

    name: str
    x: npt.ArrayLike
    y: npt.ArrayLike
    colour: str
    dash: tuple[float, ...] = ()
    width_px: float = 1.8
    kind: Kind = Kind.LINE
    tip: str = ""

    def __post_init__(self) -> None:
        x, y = np.asarray(self.x, float), np.asarray(self.y, float)
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)
        if x.ndim != 1 or y.ndim != 1 or len(x) != len(y) + (self.kind is Kind.BARS):
            raise ValueError(f"{self.name}: {len(x)} x do not fit {len(y)} y")
        if not np.all(np.diff(x) >= 0.0):
            raise ValueError(f"{self.name}: x must rise")

    def at(self, x: float) -> float:
        """Return y at `x`, linear between points; not a number outside."""
        if len(self.y) == 0 or not self.x[0] <= x <= self.x[-1]:
            return float("nan")
        if self.kind is Kind.BARS:
            place = int(np.searchsorted(self.x, x, side="right")) - 1
            return float(self.y[min(max(place, 0), len(self.y) - 1)])
        return float(np.interp(x, self.x, self.y))

    def corners(self) -> tuple[FloatArray, FloatArray]:
        """Return the points of its line; for bars those of their outline from and to zero."""
        if self.kind is Kind.LINE or len(self.y) == 0:
            return self.x, self.y
        x = np.repeat(self.x, 2)
        return x, np.concatenate([[0.0], np.repeat(self.y, 2), [0.0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A straight line across the chart: a limit, or where something is.

    Attributes
    ----------
    at : float
        In units of its axis.
    label : str
        Written beside it; may be empty.
    upright : bool
        A place on the x axis; otherwise a height on the y axis.
    colour : str
        Empty for the muted text colour.
    """

    at: float
    label: str = ""
    upright: bool = False
    colour: str = ""
    dash: tuple[float, ...] = (4.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A part of the x axis with a coloured ground, such as a phase of the protocol."""

    first: float
    last: float
    colour: str
    label: str = ""


_NONE = Axis(title="")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """All that a chart shows."""

    series: tuple[Series, ...] = ()
    x: Axis = _NONE
    y: Axis = _NONE
    levels: tuple[Level, ...] = ()
    bands: tuple[Band, ...] = ()
    stale: bool = False
    empty: str = "Nothing is solved yet."
