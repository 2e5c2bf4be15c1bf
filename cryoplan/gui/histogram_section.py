"""Histogram section: how much of each structure was how cold, as curves to hide, read and copy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_degc, show_ml, show_percent
from cryoplan.gui.chart import Axis, Chart, Level, Series
from cryoplan.gui.chart_axis import show_number
from cryoplan.gui.parts import STALE, Text, short_name
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.margins.histogram import TemperatureHistogram
from cryoplan.scene.style import theme

COOLED_DEGC = 30.0
"""Structures that never fell below this are counted in one line."""

MOST_CURVES = 10
BIN_K = 5
DASHES: tuple[tuple[float, ...], ...] = ((), (7.0, 3.0), (2.0, 2.5), (8.0, 3.0, 2.0, 3.0))
SHARE = 0.95
SHARES = (0.99, 0.95, 0.9, 0.5)
GIST_DEGC = -20.0

CUMULATIVE, DIFFERENTIAL = "cumulative", "differential"
PERCENT, MILLILITRES = "%", "ml"


class HistogramSection(Section):
    """The chart, its two choices, and the line below it.

    Parameters
    ----------
    plot_px : int
        Least height of the plot.
    is_alone : bool
        It has a window of its own: always open, and not made larger again.

    Signals
    -------
    larger
        The user wants it in a window of its own.
    """

    larger = Signal()

    def __init__(
        self, workspace: Workspace, view: ViewState, *, plot_px: int = 190, is_alone: bool = False
    ) -> None:
        super().__init__("Histogram", is_open=is_alone)
        self._workspace, self._view = workspace, view
        self._shown: tuple[object, ...] = ()
        self.kind, self.unit = QComboBox(), QComboBox()
        self.kind.addItem(say("cumulative"), CUMULATIVE)
        self.kind.addItem(say(f"per {BIN_K} °C"), DIFFERENTIAL)
        self.kind.setAccessibleName(say("Cumulative or differential"))
        self.kind.setToolTip(
            say("Cumulative: all that was at least as cold. Differential: what was in each step.")
        )
        self.unit.addItem("%", PERCENT)
        self.unit.addItem(say("ml"), MILLILITRES)
        self.unit.setAccessibleName(say("Percent of the structure or millilitres"))
        self.copy = QPushButton(say("Copy"))
        self.copy.setAccessibleName(say("Copy the curves that are shown as CSV"))
        self.copy.setToolTip(say("Copy the curves that are shown as CSV"))
        row = QHBoxLayout()
        row.setSpacing(5)
        row.addWidget(self.kind, 1)
        row.addWidget(self.unit)
        buttons = QHBoxLayout()
        buttons.setSpacing(5)
        buttons.addStretch(1)
        buttons.addWidget(self.copy)
        self.enlarge = QPushButton(say("Larger"))
        self.enlarge.setAccessibleName(say("Show the histogram in a window of its own"))
        self.enlarge.setToolTip(say("Show it in a window of its own, beside the images"))
        self.enlarge.clicked.connect(self.larger)
        buttons.addWidget(self.enlarge)
        self.enlarge.setVisible(not is_alone)
        self.head.setVisible(not is_alone)
        self.add(row)
        self.chart = Chart("Temperature-volume histogram", plot_px=plot_px)
        self.add(self.chart)
        self.reached = Text("", wrap=True, scale=0.93)
        self.add(self.reached)
        self.note = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.note)
        self.add(buttons)
        self.kind.currentIndexChanged.connect(self.refresh)
        self.unit.currentIndexChanged.connect(self.refresh)
        self.copy.clicked.connect(self.chart.copy)
        self.toggled.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Show the histograms of the result on screen; drawn only while open."""
        assessment = self._workspace.assessment
        stale = assessment is not None and not self._workspace.is_current
        histograms = () if assessment is None else assessment.histograms
        self._say_gist(histograms, stale)
        if not self.is_open:
            return
        key = (histograms, stale, self.kind.currentData(), self.unit.currentData())
        if key == self._shown:
            return
        self._shown = key
        curves = chosen(histograms)
        kind, unit = self.kind.currentData(), self.unit.currentData()
        marks = (0.0, -20.0, -40.0) if curves else ()
        # What was hardly cooled is most of an organ: one bin of it would flatten all others.
        warmest = 40.0 if kind == CUMULATIVE else COOLED_DEGC
        whole = 100.0 if (kind, unit) == (CUMULATIVE, PERCENT) else None
        self.chart.show_series(
            series_of(curves, kind, unit),
            x=Axis(title="lowest temperature", unit="°C", low=_coldest(curves), high=warmest, reverse=True),
            y=Axis(title=_title(kind), unit=unit, low=0.0, high=whole),
            levels=[Level(at=t, label=show_number(t, 1.0), upright=True) for t in marks],
            stale=stale,
            empty="Nothing is solved yet." if assessment is None else "No structure was cooled.",
        )
        self.copy.setEnabled(bool(curves))
        target = next((h for h in curves if h.is_target), None)
        self.reached.setVisible(target is not None)
        if target is not None:
            self.reached.say(reached_words(target), STALE if stale else "text")
        self._say_rest(histograms, curves, stale)

    def _say_gist(self, histograms: Sequence[TemperatureHistogram], stale: bool) -> None:
        target = next((h for h in histograms if h.is_target), None)
        if target is None:
            self.say("")
            return
        said = f"{100.0 * SHARE:g} % of target ≤ {show_degc(target.coldest_reached_degc(SHARE))}"
        self.say(said, STALE if stale else "muted")

    def _say_rest(
        self,
        histograms: Sequence[TemperatureHistogram],
        curves: Sequence[TemperatureHistogram],
        stale: bool,
    ) -> None:
        lines = []
        rest = [h for h in histograms if h not in curves]
        if rest:
            lines.append(f"{len(rest)} more not drawn: warmer, or never below {show_degc(COOLED_DEGC)}.")
        if any(not h.is_target for h in curves):
            lines.append("Organs without the target in them; what was not computed counts as not cooled.")
        self.note.say(
            " ".join(lines), STALE if stale else "muted", "\n".join(h.structure for h in rest) or None
        )
        self.note.setVisible(bool(lines))


def chosen(histograms: Sequence[TemperatureHistogram]) -> tuple[TemperatureHistogram, ...]:
    """Return the histograms that are drawn: the target, then those that were cooled, the coldest first."""
    target = [h for h in histograms if h.is_target]
    others = [h for h in histograms if not h.is_target and h.volume_below_ml(COOLED_DEGC) > 0.0]
    others.sort(key=lambda h: -h.volume_below_ml(0.0) - 1e-6 * h.volume_below_ml(COOLED_DEGC))
    return (*target, *others[: MOST_CURVES - len(target)])


def series_of(histograms: Sequence[TemperatureHistogram], kind: str, unit: str) -> list[Series]:
    """Return the curves of some histograms."""
    made, names = [], set()
    colours = theme().probes.colours
    for number, h in enumerate(histograms):
        x = np.asarray(h.edges_degc)
        if kind == CUMULATIVE:
            y = h.below_fraction * 100.0 if unit == PERCENT else h.below_ml
        else:
            step = h.below_ml[::BIN_K]
            x = (x[::BIN_K][:-1] + x[::BIN_K][1:]) / 2.0
            cooled = x <= COOLED_DEGC
            x = x[cooled]
            y = np.diff(step)[cooled] * (100.0 / h.whole_ml if unit == PERCENT else 1.0)
        name = short_name(h.structure)
        if name in names:
            name = h.structure
        names.add(name)
        computed = "" if h.computed >= 1.0 else f"\n{show_percent(h.computed)} of it was computed."
        made.append(
            Series(
                name=name,
                x=x,
                y=y,
                colour=theme().tumour.colour if h.is_target else colours[(number - 1) % len(colours)],
                dash=() if h.is_target else DASHES[number % len(DASHES)],
                width_px=2.6 if h.is_target else 1.8,
                tip=f"{h.structure}\n{show_ml(h.whole_ml)}; {show_ml(h.volume_below_ml(0.0))} at or below "
                f"{show_degc(0.0)}, {show_ml(h.volume_below_ml(GIST_DEGC))} at or below "
                f"{show_degc(GIST_DEGC)}.{computed}",
            )
        )
    return made


def reached_words(target: TemperatureHistogram) -> str:
    """Return what shares of the target reached at least."""
    parts = [f"{100.0 * s:g} % ≤ {show_degc(target.coldest_reached_degc(s))}" for s in SHARES]
    # A number and its sign stay on one line.
    unbroken = (part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
    return f"Target: {' · '.join(unbroken)}."


def _title(kind: str) -> str:
    return "volume at least this cold" if kind == CUMULATIVE else f"volume in each {BIN_K} °C"


def _coldest(histograms: Sequence[TemperatureHistogram]) -> float:
    """Return a round temperature below which next to nothing is; the corner at the probes is left out."""
    coldest = [h.coldest_reached_degc(0.005) for h in histograms] or [-60.0]
    return float(min(-60.0, np.floor(min(coldest) / 20.0) * 20.0))
