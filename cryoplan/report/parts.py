"""Parts: the few records that a report is made of; no layout, no font."""

from __future__ import annotations

from dataclasses import dataclass

from cryoplan.core.finding import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of label and value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One margin.

    Attributes
    ----------
    title : str
        What it is measured to, with its threshold.
    value : str
        The worst margin, with unit.
    level : Level or None
        None when the margin has no limit.
    verdict : str
        The limit in words.
    lines : tuple of Fact
        Where, percentiles, shares.
    """

    title: str
    value: str
    level: Level | None
    verdict: str
    lines: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its title.

    Attributes
    ----------
    title : str
    head : tuple of str
    rows : tuple of tuple of str
        Each as long as `head`.
    widths : tuple of float
        Relative widths of the columns.
    numbers : tuple of int
        Columns that hold numbers and are set flush right.
    note : str
        One small line below.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    numbers: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One finding that asks for attention."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture and what is seen."""

    caption: str
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One phase of the protocol, or one span of gas of a probe; seconds."""

    start_s: float
    end_s: float
    label: str
    freezes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The protocol as a bar, and below it the probes.

    Attributes
    ----------
    title : str
    total_s : float
    phases : tuple of Segment
    probes : tuple of (str, Segment)
        Name of each probe and when its gas flows.
    """

    title: str
    total_s: float
    phases: tuple[Segment, ...]
    probes: tuple[tuple[str, Segment], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One curve of a plot and its row of the table beside it.

    Attributes
    ----------
    name : str
    x, y : tuple of float
        Points, in the units of the plot.
    cells : tuple of str
        What the table says of it.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot with a table that is its key.

    Attributes
    ----------
    title, x_label, y_label : str
    x_ticks, y_ticks : tuple of float
        The first and the last are the ends of the axes.
    marks : tuple of float
        Where upright lines stand.
    head : tuple of str
        Of the cells of the curves.
    curves : tuple of Curve
    note : str
        One small line below.
    """

    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[float, ...]
    y_ticks: tuple[float, ...]
    marks: tuple[float, ...]
    head: tuple[str, ...]
    curves: tuple[Curve, ...]
    note: str = ""
