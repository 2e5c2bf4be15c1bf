"""Wash: a field of the result as colours over a slice, in a few classes; which class is which colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cryoplan.core.volume import Volume
from cryoplan.margins.survival import SurvivalSeries
from cryoplan.scene.oblique import Plane
from cryoplan.scene.slices import SliceSampler

OPACITY = 0.55

COLOURS = ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154")
"""Viridis of matplotlib (van der Walt and Smith 2015) at six even places, light to dark: its lightness falls
evenly, so that the order is seen without colour vision too."""

Values = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wash:
    """What colours the slices.

    Attributes
    ----------
    title : str
        Above the key.
    volume : Volume
        What is cut.
    read : callable
        Turns what is cut into what is classed; not a number where nothing is drawn.
    edges : tuple of float
        Borders of the classes, rising, one more than colours.
    colours, labels, short : tuple of str
        One of each class; `short` stands where there is little room.
    unit : str
        Of the short labels.
    smooth : bool
        False where values of neighbours must not be mixed.
    """

    title: str
    volume: Volume
    read: Callable[[Values], Values]
    edges: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    short: tuple[str, ...]
    unit: str
    smooth: bool = True

    def __post_init__(self) -> None:
        if not len(self.edges) - 1 == len(self.colours) == len(self.labels) == len(self.short):
            raise ValueError("a wash needs one colour and one label for each class")

    def classes(self, values: Values) -> npt.NDArray[np.int64]:
        """Return the class of values, -1 where nothing is drawn."""
        read = self.read(np.asarray(values, float))
        found = np.searchsorted(self.edges, read, side="right") - 1
        inside = np.isfinite(read) & (found >= 0) & (found < len(self.colours))
        return np.where(inside, found, -1).astype(np.int64)

    def rgba(self, values: Values) -> npt.NDArray[np.uint8]:
        """Return the picture of values, premultiplied ``(rows, columns, 4)``, clear where nothing is."""
        table = np.zeros((len(self.colours) + 1, 4), np.uint8)
        for n, colour in enumerate(self.colours):
            rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
            table[n] = [*np.round(OPACITY * rgb), round(255 * OPACITY)]
        return table[self.classes(values)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WashPicture:
    """The colours of a slice and the plane coordinates of their outer edges."""

    rgba: npt.NDArray[np.uint8]
    left_mm: float
    right_mm: float
    top_mm: float
    bottom_mm: float


def cut_wash(wash: Wash, sampler: SliceSampler, plane: Plane) -> WashPicture | None:
    """Return the colours of a plane, None where it does not pass through the field."""
    if not sampler.covers(plane):
        return None
    image = sampler.extract(plane, interpolate=wash.smooth)
    return WashPicture(
        rgba=np.ascontiguousarray(wash.rgba(image.values)),
        left_mm=image.left_mm,
        right_mm=image.right_mm,
        top_mm=image.top_mm,
        bottom_mm=image.bottom_mm,
    )


REACHED_MIN = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 1e6)


def reached_wash(reached_at_s: Volume, threshold: str) -> Wash:
    """Return the wash of the minute at which a temperature is first reached."""
    ends = REACHED_MIN[1:-1]
    return Wash(
        title=f"first reaches {threshold}",
        volume=reached_at_s,
        read=lambda s: np.where(np.isfinite(s), s / 60.0, np.nan),
        edges=REACHED_MIN,
        colours=COLOURS,
        labels=(*(f"within {end:g} min" for end in ends), f"after {ends[-1]:g} min"),
        short=(*(f"{end:g}" for end in ends), "later"),
        unit="by minute",
        smooth=False,
    )


HELD_MIN = (0.0, 1.0, 2.0, 4.0, 8.0, 12.0, 1e6)


def held_wash(below_s: Volume, threshold: str) -> Wash:
    """Return the wash of the minutes below a temperature."""
    ends = HELD_MIN[1:-1]
    labels = (
        f"under {ends[0]:g}",
        *(f"{a:g} to {b:g}" for a, b in pairwise(ends)),
        f"over {ends[-1]:g}",
    )
    return Wash(
        title=f"in all below {threshold}",
        volume=below_s,
        read=lambda s: np.where(s > 0.0, s / 60.0, np.nan),
        edges=HELD_MIN,
        colours=COLOURS,
        labels=labels,
        short=(*(f"<{end:g}" for end in ends), f">{ends[-1]:g}"),
        unit="min",
    )


SURVIVAL = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0001)


def survival_wash(lowest_degc: Volume, series: SurvivalSeries) -> Wash:
    """Return the wash of cell survival; clear where it was warmer than the data of the model."""

    def read(degc: Values) -> Values:
        return np.where(degc <= series.warmest.value, series.survival(degc), np.nan)

    return Wash(
        title="cells alive at the end, RESEARCH",
        volume=lowest_degc,
        read=read,
        edges=SURVIVAL,
        colours=COLOURS[1:][::-1],
        labels=("under 10 %", "10 to 25 %", "25 to 50 %", "50 to 75 %", "over 75 %"),
        short=("<10", "<25", "<50", "<75", ">75"),
        unit="%",
    )
