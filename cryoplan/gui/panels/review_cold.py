"""Review, tumour over time: the share that is cold by minute, when shares are reached, how long it stays."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QWidget

from cryoplan.app.timing import Timing
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_clock, show_degc
from cryoplan.gui.chart import Axis, Chart, Series
from cryoplan.gui.panels.protocol_axis import go_to_minute, phase_bands, time_axis
from cryoplan.gui.parts import DASH, STALE, Text
from cryoplan.gui.section import Section
from cryoplan.margins.exposure import Reach
from cryoplan.scene.style import theme

SHARES = (0.5, 0.95)
"""Shares of the tumour whose minute is told beside that of the last place."""


class ColdOverTime(Section):
    """Share of the tumour at or below -20 and -40 degC by minute, and how long it stays there."""

    def __init__(self, workspace: Workspace, view: ViewState, timing: Timing) -> None:
        super().__init__("Tumour over time", is_open=False)
        self._workspace, self._view, self._timing = workspace, view, timing
        self.none = Text("", "muted", wrap=True)
        self.chart = Chart("Share of the tumour that is cold", plot_px=150)
        self.chart.pressed.connect(self._go)
        self.table = QWidget()
        self._grid = QGridLayout(self.table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self.cells: list[list[Text]] = []
        self.note = Text(
            "So far: was cold at least once. Minutes between two kept ones are read straight; "
            "“stays” counts every step of the solver, both freezes together.",
            "muted",
            wrap=True,
            scale=0.88,
        )
        for part in (self.none, self.chart, self.table, self.note):
            self.add(part)

    @Slot(float, str)
    def _go(self, minute: float, _name: str) -> None:
        go_to_minute(self._workspace, self._view, minute)

    def refresh(self) -> None:
        """Show the times of the result on screen."""
        workspace = self._workspace
        stale = workspace.result is not None and not workspace.is_current
        if not self.is_open:
            self.say("out of date" if stale else "")
            return
        case = workspace.case
        times = self._timing.times()
        if workspace.result is None:
            why = "Nothing is solved yet."
        elif case is None or case.target is None:
            why = "No target is chosen."
        else:
            why = "Being worked out ..." if self._timing.is_busy else "There are no temperatures over time."
        for part in (self.chart, self.table, self.note):
            part.setVisible(times is not None)
        self.none.setVisible(times is None)
        self.none.say(why)
        if times is None:
            self.say("")
            return
        reaches = times.exposure.reaches
        series = []
        for reach in reaches:
            ink = theme().isotherm(reach.threshold_degc).colour
            minutes, name = reach.time_s / 60.0, show_degc(reach.threshold_degc)
            series.append(Series(name=f"{name} so far", x=minutes, y=100.0 * reach.so_far, colour=ink))
            series.append(
                Series(
                    name=f"{name} now",
                    x=minutes,
                    y=100.0 * reach.now,
                    colour=ink,
                    dash=(3.0, 2.5),
                    width_px=1.3,
                )
            )
        self.chart.show_series(
            series,
            x=time_axis(workspace, stale),
            y=Axis(title="share of the tumour", unit="%", low=0.0, high=100.0),
            bands=() if stale else phase_bands(workspace),
            stale=stale,
        )
        self._show_table(reaches, stale)
        if stale:
            self.say("out of date")
        else:
            coldest = reaches[-1]
            self.say(f"{show_degc(coldest.threshold_degc)}: {show_percent(coldest.reached)}")

    def _show_table(self, reaches: tuple[Reach, ...], stale: bool) -> None:
        rows = [("", *(show_degc(r.threshold_degc) for r in reaches))]
        rows += [
            (f"{100 * share:g} % reached at", *(_clock(r.when_s(share)) for r in reaches)) for share in SHARES
        ]
        rows.append(("reached in all", *(show_percent(r.reached) for r in reaches)))
        held = [dict(r.held_s) for r in reaches]
        rows.append(("stays, median", *(_clock(h.get(0.5)) for h in held)))
        rows.append(("stays, least 5 %", *(_clock(h.get(0.05)) for h in held)))
        while len(self.cells) < len(rows):
            line = [Text("", scale=0.95) for _ in rows[0]]
            for column, cell in enumerate(line):
                side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
                cell.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                self._grid.addWidget(cell, len(self.cells), column)
            self.cells.append(line)
        tips = (
            "",
            *(f"When {100 * s:g} % of the tumour has been that cold; – where it never is" for s in SHARES),
            "Share of the tumour that was ever that cold: the coverage",
            "Half of what gets that cold stays so at least this long, in minutes and seconds",
            "A twentieth of what gets that cold stays so no longer than this",
        )
        for row, line, tip in zip(rows, self.cells, tips, strict=True):
            for column, (text, cell) in enumerate(zip(row, line, strict=True)):
                tone = STALE if stale else "muted" if column == 0 or row is rows[0] else "text"
                cell.say(text, tone, tip)


def show_percent(share: float) -> str:
    """Return a share in whole per cent; what is not all is never shown as all."""
    if 0.99 < share < 1.0:
        return f"{int(1000.0 * share) / 10.0:g} %"
    return f"{100.0 * share:.0f} %" if share >= 0.01 or share == 0.0 else "under 1 %"


def _clock(time_s: float | None) -> str:
    return DASH if time_s is None else show_clock(time_s)
