"""Chart: named curves or bars with axes, limits and a read-out; hidden by a click, copied as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from cryoplan import RESEARCH_USE
from cryoplan.gui.chart_axis import Axis
from cryoplan.gui.chart_legend import Legend
from cryoplan.gui.chart_plot import Plot
from cryoplan.gui.chart_series import Band, Content, Kind, Level, Series
from cryoplan.gui.parts import OUT_OF_DATE
from cryoplan.gui.words import say

__all__ = ["Axis", "Band", "Chart", "Kind", "Level", "Series"]


class Chart(QWidget):
    """Plot above, legend below.

    Parameters
    ----------
    name : str
        Accessible name, and the first line of the CSV.
    plot_px : int
        Least height of the plot.

    Signals
    -------
    pressed : float, str
        A place on the x axis was pressed; the name of the nearest series, empty when there is none.
    hidden_changed
        A series was hidden or shown by its legend entry.
    """

    pressed = Signal(float, str)
    hidden_changed = Signal()

    def __init__(self, name: str, *, plot_px: int = 170) -> None:
        super().__init__()
        self.name = name
        self.content = Content()
        self._hidden: set[str] = set()
        self.plot = Plot(plot_px)
        self.plot.pressed.connect(self.pressed)
        self.legend = Legend()
        self.legend.toggled.connect(self._toggle)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addWidget(self.legend)
        self.setAccessibleName(say(name))
        self.plot.setAccessibleName(say(f"{name}, chart"))

    def show_series(
        self,
        series: Sequence[Series],
        *,
        x: Axis,
        y: Axis,
        levels: Sequence[Level] = (),
        bands: Sequence[Band] = (),
        stale: bool = False,
        empty: str = "Nothing is solved yet.",
    ) -> None:
        """Show these series; what the user has hidden by name stays hidden.

        Parameters
        ----------
        stale : bool
            They belong to an earlier plan: everything is grey and says so.
        empty : str
            Said where there is no series.

        Raises
        ------
        ValueError
            If two series have one name.
        """
        names = [s.name for s in series]
        if len(set(names)) != len(names):
            raise ValueError("each series of a chart needs a name of its own")
        self.content = Content(
            series=tuple(series),
            x=x,
            y=y,
            levels=tuple(levels),
            bands=tuple(bands),
            stale=stale,
            empty=empty,
        )
        self._tell()

    def set_mark(self, x: float | None, label: str = "") -> None:
        """Draw an upright line at `x`, such as the minute on screen; None: no line."""
        self.plot.set_mark(x, label)

    @property
    def series(self) -> tuple[Series, ...]:
        """The series that are not hidden."""
        return tuple(s for s in self.content.series if s.name not in self._hidden)

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the series that the user has hidden."""
        return frozenset(self._hidden)

    def set_hidden(self, names: Sequence[str]) -> None:
        """Hide exactly these."""
        self._hidden = set(names)
        self._tell()

    @property
    def readout(self) -> str:
        """What stands above the plot while the cursor is in it; empty otherwise."""
        return self.plot.readout

    def to_csv(self) -> str:
        """Return the series that are shown: x and one column each; empty where a series has no such x.

        The first line holds the name, that it is for research only, and that it is out of date if it is.
        """
        shown, content = self.series, self.content
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\n").writerow
        write([f"# {self.name}", RESEARCH_USE, *([OUT_OF_DATE] if content.stale else [])])
        bars = any(s.kind is Kind.BARS for s in shown)
        first = [f"{content.x.label} from", f"{content.x.label} to"] if bars else [content.x.label]
        write([*first, *(f"{s.name}: {content.y.label}" for s in shown)])
        table: dict[tuple[float, ...], dict[str, float]] = {}
        for s in shown:
            keys = zip(s.x[:-1], s.x[1:], strict=True) if s.kind is Kind.BARS else ((v,) for v in s.x)
            for key, y in zip(keys, s.y, strict=True):
                table.setdefault(tuple(float(k) for k in key), {})[s.name] = float(y)
        for key in sorted(table):
            cells = [table[key].get(s.name, float("nan")) for s in shown]
            pad = [""] * (len(first) - len(key))
            write([*(f"{k:.6g}" for k in key), *pad, *("" if np.isnan(c) else f"{c:.6g}" for c in cells)])
        return out.getvalue()

    @Slot()
    def copy(self) -> None:
        """Put the CSV on the clipboard."""
        QGuiApplication.clipboard().setText(self.to_csv())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to copy, and to show what is hidden."""
        self.menu().exec(event.globalPos() if event.globalPos() else QPoint())

    def menu(self) -> QMenu:
        """Return the menu of the chart."""
        menu = QMenu(self)
        copy = menu.addAction(say("Copy as CSV"))
        copy.triggered.connect(self.copy)
        copy.setEnabled(bool(self.series))
        everything = menu.addAction(say("Show all"))
        everything.triggered.connect(self._show_all)
        everything.setEnabled(bool(self._hidden))
        return menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy with the usual key."""
        if event.matches(QKeySequence.StandardKey.Copy) and self.series:
            self.copy()
            return
        super().keyPressEvent(event)

    @Slot()
    def _show_all(self) -> None:
        self._hidden.clear()
        self._tell()
        self.hidden_changed.emit()

    @Slot(str)
    def _toggle(self, name: str) -> None:
        self._hidden ^= {name}
        self._tell()
        self.hidden_changed.emit()

    def _tell(self) -> None:
        self.legend.show_entries(self.content.series, self._hidden, stale=self.content.stale)
        self.plot.show_content(self.content, self.series)
        shown = ", ".join(s.name for s in self.series) or self.content.empty
        old = f"{OUT_OF_DATE}. " if self.content.stale else ""
        self.setAccessibleDescription(
            say(f"{old}{self.content.y.label} over {self.content.x.label}: {shown}")
        )
        self.plot.setAccessibleDescription(say(self.accessibleDescription()))
