"""Figures: what the benchmark tells, its limits, and one row of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that is measured.

    Attributes
    ----------
    case : str
        Its name, in kebab-case.
    title, unit : str
        For the table.
    must, aim : float or None
        Limits, in `unit`; None where none is set.
    more_is_better : bool
        True where the limits are least values.
    full : bool
        Measured only when the long ones are asked for.
    """

    case: str
    title: str
    unit: str
    must: float | None = None
    aim: float | None = None
    more_is_better: bool = False
    full: bool = False


FIGURES = (
    Figure(case="cycle-1mm", title="Two freezes and a thaw, 1 mm", unit="s", must=6.0, aim=2.5),
    Figure(case="freeze-1mm", title="One freeze, 1 mm", unit="s", must=1.5, aim=0.6),
    Figure(case="preview", title="One freeze, 2 mm, 6 probes, plan to ice", unit="ms", must=200.0, aim=80.0),
    Figure(case="preview-latency", title="Mouse move to redrawn ice, 4 probes", unit="ms", must=300.0,
           aim=150.0),
    Figure(case="preview-latency-95", title="The same, 95th percentile", unit="ms"),
    Figure(case="preview-stall", title="Longest stall of the window while dragging", unit="ms", must=50.0,
           aim=20.0),
    Figure(case="preview-distance", title="0 °C surface of preview to final, mean", unit="mm", must=2.5,
           aim=0.5),
    Figure(case="preview-distance-95", title="The same, 95th percentile", unit="mm"),
    Figure(case="paths", title="Way in of 6 probes, 30 structures, a step of a drag", unit="ms", must=50.0),
    Figure(case="paths-95", title="The same, 95th percentile", unit="ms"),
    Figure(case="review", title="All numbers of the review after a solve", unit="s", must=2.0),
    Figure(case="print", title="Plan PDF with its pictures", unit="s", must=5.0),
    Figure(case="export", title="Every file that is no DICOM", unit="s", must=20.0),
    Figure(case="cycle-2mm", title="Two freezes and a thaw, 2 mm", unit="s", must=0.6, aim=0.25),
    Figure(case="cycle-0.5mm", title="Two freezes and a thaw, 0.5 mm", unit="s", must=60.0, aim=20.0,
           full=True),
    Figure(case="build-1mm", title="Tissues and grid from the plan, 1 mm", unit="s"),
    Figure(case="stage-bandwidth", title="Bytes moved by the stages", unit="GB/s"),
    Figure(case="memory-120", title="Peak memory, 120 cells a side", unit="GB", must=1.0, aim=0.5),
    Figure(case="memory-240", title="Peak memory, 240 cells a side", unit="GB", must=4.0, aim=2.0, full=True),
    Figure(case="first-result-cold", title="First result, kernels to be compiled", unit="s", must=6.0,
           aim=4.0),
    Figure(case="first-result-warm", title="First result, compiled kernels on disk", unit="s", must=1.0,
           aim=0.5),
    Figure(case="cancel", title="Cancel, worst while solving", unit="ms", must=100.0, aim=20.0),
    Figure(case="cancel-building", title="Cancel, worst while building", unit="ms", must=100.0, aim=20.0),
    Figure(case="stall", title="Longest stall beside the solver", unit="ms", must=50.0, aim=20.0),
    Figure(case="beside", title="Speed beside a busy window", unit="1", must=0.8, aim=0.95,
           more_is_better=True),
    Figure(case="stall-thread", title="The same, solver in a thread", unit="ms"),
    Figure(case="beside-thread", title="The same, solver in a thread", unit="1", more_is_better=True),
    Figure(case="freeze-64", title="One freeze, 64 cells a side", unit="s"),
    Figure(case="textbook-loops", title="The same, textbook loops", unit="s"),
    Figure(case="textbook-numpy", title="The same, textbook numpy", unit="s"),
    Figure(case="copy-memory", title="Copying arrays beyond the caches", unit="GB/s", more_is_better=True),
    Figure(case="copy-memory-all", title="The same on every core", unit="GB/s", more_is_better=True),
    Figure(case="copy-cache", title="Copying arrays within the caches", unit="GB/s", more_is_better=True),
    Figure(case="case-open", title="Opening a case of 15 structures, 2,000 steps", unit="s", must=2.0),
    Figure(case="case-edit", title="One more edit, on the disk", unit="ms", must=50.0),
    Figure(case="case-size", title="The file against its structures, as bits", unit="1", must=3.0),
    Figure(case="brush", title="A point of a stroke, shown in its slice", unit="ms", must=16.0),
    Figure(case="brush-95", title="The same, 95th percentile", unit="ms"),
    Figure(case="grow", title="Growing from a click", unit="s", must=2.0),
    Figure(case="grow-marks", title="Growing from marks", unit="s", must=2.0),
    Figure(case="stroke-file", title="What a stroke adds to the case file", unit="kB", must=8.0),
    Figure(case="stroke-memory", title="What a stroke adds to memory while it waits", unit="MB", must=1.0),
    Figure(case="load", title="Reading an image with structures", unit="s"),
    Figure(case="series", title="Loading a CT from DICOM files", unit="s"),
    Figure(case="series-bare", title="A bare read of the same files", unit="s"),
    Figure(case="series-ratio", title="Loading against the bare read", unit="1", must=1.5),
    Figure(case="auto-structures", title="Body, lung, gas, bone, fat and vessels by themselves", unit="s",
           must=15.0, aim=8.0),
    Figure(case="surfaces", title="Surfaces of all structures", unit="s"),
    Figure(case="picture-3d", title="3D picture in its own process", unit="s"),
    Figure(case="slice", title="A slice with outlines and isotherms", unit="ms"),
)  # fmt: skip
"""Everything that is measured, in the order of the table."""

RATIO_LIMITS = {"textbook-loops": 20.0}
"""Least values of ratios."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure.

    Attributes
    ----------
    figure : Figure
    value : float or None
        In the figure's unit; None where this machine cannot tell, and then the note says why.
    repeats : int
        How many runs the value is the median (or, where the note says so, the worst) of.
    note : str
        What exactly was measured.
    """

    figure: Figure
    value: float | None
    repeats: int
    note: str = ""

    def within(self, limit: float | None) -> bool | None:
        """Tell whether the value keeps a limit; None without value or limit."""
        if limit is None or self.value is None:
            return None
        return self.value >= limit if self.figure.more_is_better else self.value <= limit

    def to_json(self) -> dict[str, object]:
        """Return the row as plain values."""
        figure = self.figure
        return {
            "case": figure.case,
            "value": self.value,
            "unit": figure.unit,
            "must": figure.must,
            "aim": figure.aim,
            "better": "more" if figure.more_is_better else "less",
            "repeats": self.repeats,
            "note": self.note,
        }


def row(case: str, value: float | None, repeats: int, note: str = "") -> Row:
    """Return a row of the figure called `case`."""
    return Row(figure=figure_of(case), value=value, repeats=repeats, note=note)


def figure_of(case: str) -> Figure:
    """Return the figure called `case`."""
    return next(f for f in FIGURES if f.case == case)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Rows and what they say about one another; the machine is named by its cores alone."""

    rows: tuple[Row, ...]
    cores: int

    @property
    def ratios(self) -> dict[str, float]:
        """Return the ratios whose parts were measured.

        ``textbook-loops`` and ``textbook-numpy`` say how many times faster than these the solver is,
        ``copy-memory``, ``copy-memory-all`` and ``copy-cache`` the share of each copy bandwidth that its
        stages reach, ``beside`` and ``beside-thread`` its speed beside a busy window against that alone,
        ``series-ratio`` how many times as long loading takes as a bare read of the same files.
        """
        value = {r.figure.case: r.value for r in self.rows if r.value is not None}
        found: dict[str, float] = {}
        for name in ("textbook-loops", "textbook-numpy"):
            if name in value and "freeze-64" in value:
                found[name] = value[name] / value["freeze-64"]
        for name in ("copy-memory", "copy-memory-all", "copy-cache"):
            if name in value and "stage-bandwidth" in value:
                found[name] = value["stage-bandwidth"] / value[name]
        return found | {
            name: value[name] for name in ("beside", "beside-thread", "series-ratio") if name in value
        }

    def to_json(self) -> dict[str, object]:
        """Return everything as plain values."""
        return {
            "rows": [r.to_json() for r in self.rows],
            "ratios": self.ratios,
            "machine": {"cores": self.cores},
        }

    def to_text(self) -> str:
        """Return the table of the command line."""
        lines = [("", "value", "must", "aim", "runs", "")]
        for r in self.rows:
            f = r.figure
            value = "-" if r.value is None else f"{r.value:.3g} {f.unit}".removesuffix(" 1")
            late = "  over" if r.within(f.must) is False else ""
            lines.append((f.case, value + late, _limit(f.must), _limit(f.aim), str(r.repeats), f.title))
        text = _columns(lines)
        notes = [f"{r.figure.case}: {r.note}" for r in self.rows if r.note]
        ratios = [
            f"{name}: {ratio:.3g}" + (f" (must {RATIO_LIMITS[name]:g})" if name in RATIO_LIMITS else "")
            for name, ratio in self.ratios.items()
        ]
        parts = [text, *(["Notes"] + [f"  {n}" for n in notes] if notes else [])]
        parts += ["Ratios"] + [f"  {r}" for r in ratios] if ratios else []
        return "\n".join([*parts, f"Machine: {self.cores} cores."])


def _limit(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g}"


def _columns(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    padded = [[f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)
