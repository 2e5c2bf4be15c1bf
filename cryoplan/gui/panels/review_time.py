"""Review, time: when the tumour is cold and how long, curves of thermocouples, colours of the slices."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cryoplan.app.timing import Timing
from cryoplan.app.view import Display, ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_clock, show_degc
from cryoplan.gui.chart import Axis, Band, Chart, Level, Series
from cryoplan.gui.parts import DASH, STALE, Text, palette
from cryoplan.gui.section import Section
from cryoplan.gui.sensors import Sensors
from cryoplan.gui.wash_layer import SURVIVAL, choices
from cryoplan.margins.exposure import Reach
from cryoplan.margins.survival import survival_model
from cryoplan.plan.plan import Thermocouple
from cryoplan.plan.protocol import PhaseKind
from cryoplan.report.wording import plain
from cryoplan.scene.style import theme

SHARES = (0.5, 0.95)
"""Shares of the tumour whose minute is told beside that of the last place."""

INKS = ("#ff9f43", "#54a0ff", "#1dd1a1", "#f368e0", "#feca57", "#c8d6e5")
"""Of thermocouples; told apart by their dash from the sixth on."""


class TimeReview(QWidget):
    """Three foldable parts: cold over time, thermocouples, colours on the slices."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self._timing = Timing.of(workspace)
        self.sensors = Sensors(workspace, view, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.cold = ColdOverTime(workspace, view, self._timing)
        self.curves = Curves(workspace, view, self.sensors)
        self.colours = Colours(workspace, view, self._timing)
        for part in (self.cold, self.curves, self.colours):
            column.addWidget(part)
            part.toggled.connect(self.refresh)
        self._timing.ready.connect(self.refresh)
        view.changed.connect(self._mark)

    @Slot()
    def refresh(self) -> None:
        """Show what there is, grey unless it is of the plan on screen."""
        for part in (self.cold, self.curves, self.colours):
            part.refresh()
        self._mark()

    @Slot()
    def _mark(self) -> None:
        """Let the line of the charts follow the clock."""
        if not self.isVisible():
            return
        shown = self._workspace.result is not None and self._view.display is Display.NOW
        at = self._view.time_s / 60.0 if shown else None
        self.cold.chart.set_mark(at)
        self.curves.chart.set_mark(at)


def phase_bands(workspace: Workspace) -> tuple[Band, ...]:
    """Return the phases of the protocol as grounds of a chart, in minutes."""
    colours = palette()
    return tuple(
        Band(
            first=start / 60.0,
            last=end / 60.0,
            colour=colours.freeze if phase.kind is PhaseKind.FREEZE else colours.thaw,
            label=phase.kind.value,
        )
        for start, end, phase in workspace.plan.protocol.spans()
    )


def time_axis(workspace: Workspace, stale: bool) -> Axis:
    """Return the axis of the protocol; of an earlier plan as long as its numbers are."""
    high = None if stale else workspace.plan.protocol.duration_s / 60.0
    return Axis(title="time", unit="min", low=0.0, high=high)


def go_to_minute(workspace: Workspace, view: ViewState, minute: float) -> None:
    """Show the temperatures of the kept field next to a minute of a chart."""
    result = workspace.result
    if result is None or not result.frames:
        return
    view.playing = False
    view.display = Display.NOW
    view.time_s = result.frame_near(60.0 * minute).time_s


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
            self.say(", ".join(f"{show_degc(r.threshold_degc)}: {_percent(r.reached)}" for r in reaches))

    def _show_table(self, reaches: tuple[Reach, ...], stale: bool) -> None:
        rows = [("", *(show_degc(r.threshold_degc) for r in reaches))]
        rows += [
            (f"{100 * share:g} % reached at", *(_clock(r.when_s(share)) for r in reaches)) for share in SHARES
        ]
        rows.append(("reached in all", *(_percent(r.reached) for r in reaches)))
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


class Curves(Section):
    """Virtual thermocouples: their curves, and a line to name, move and remove each."""

    def __init__(self, workspace: Workspace, view: ViewState, sensors: Sensors) -> None:
        super().__init__("Thermocouples", is_open=False)
        self._workspace, self._view, self._sensors = workspace, view, sensors
        self.drop = QPushButton("Drop at the crosshair")
        self.drop.setToolTip("A virtual thermocouple where the crosshair is (Shift+T); it changes no ice")
        self.drop.clicked.connect(sensors.drop)
        self.save = QPushButton("CSV...")
        self.save.setToolTip("Write the curves of all thermocouples to a file")
        self.save.setAccessibleName("Write the curves as CSV")
        self.save.clicked.connect(sensors.ask_csv)
        row = QHBoxLayout()
        row.addWidget(self.drop, 1)
        row.addWidget(self.save)
        self.chart = Chart("Temperatures of the thermocouples", plot_px=160)
        self.chart.pressed.connect(self._go)
        self.rows = QWidget()
        self._column = QVBoxLayout(self.rows)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.lines: list[SensorLine] = []
        self.note = Text("", "muted", wrap=True, scale=0.88)
        self.add(row)
        for part in (self.chart, self.rows, self.note):
            self.add(part)

    @Slot(float, str)
    def _go(self, minute: float, name: str) -> None:
        go_to_minute(self._workspace, self._view, minute)
        for sensor in self._workspace.plan.sensors:
            if sensor.name == name:
                self._view.cursor_mm = sensor.position_mm

    def refresh(self) -> None:
        """Show the thermocouples of the plan and the curves that there are."""
        workspace = self._workspace
        assessment, plan = workspace.assessment, workspace.plan
        stale = assessment is not None and not workspace.is_current
        count = len(plan.sensors)
        self.say("out of date" if stale and count else str(count or ""))
        if not self.is_open:
            return
        may = workspace.case is not None and workspace.keeper.may_edit
        self.drop.setEnabled(may)
        curves = assessment.thermocouples if assessment is not None else ()
        self.save.setEnabled(bool(curves) and workspace.can_export)
        inks = {s.name: INKS[n % len(INKS)] for n, s in enumerate(plan.sensors)}
        series = [
            Series(
                name=curve.name,
                x=[t / 60.0 for t in curve.time_s],
                y=curve.temperature_degc,
                colour=inks.get(curve.name, INKS[0]),
                dash=() if n < len(INKS) else (5.0, 2.0),
            )
            for n, curve in enumerate(curves)
        ]
        self.chart.setVisible(bool(series))
        if series:
            self.chart.show_series(
                series,
                x=time_axis(workspace, stale),
                y=Axis(title="temperature", unit="°C"),
                levels=[Level(at=t, colour=theme().isotherm(t).colour) for t in (0.0, -20.0, -40.0)],
                bands=() if stale else phase_bands(workspace),
                stale=stale,
            )
        lowest = {c.name: (min(c.temperature_degc), c.each_minute) for c in curves}
        while len(self.lines) < len(plan.thermocouples):
            line = SensorLine(self._sensors, self._view)
            self._column.addWidget(line)
            self.lines.append(line)
        for n, line in enumerate(self.lines):
            line.setVisible(n < len(plan.thermocouples))
            if n < len(plan.thermocouples):
                sensor = plan.thermocouples[n]
                line.show_sensor(sensor, lowest.get(sensor.name), may=may, stale=stale, ink=inks[sensor.name])
        if not plan.sensors:
            self.note.say("None yet. Click a place in a slice, then press Shift+T.")
        elif assessment is None:
            self.note.say("Solve to see their curves.")
        elif any(c.each_minute for c in curves):
            self.note.say(
                "* came after the solve: read once a minute and at the end of each phase. "
                "Solve again to read every step."
            )
        else:
            self.note.say("")
        self.note.setVisible(bool(self.note.text()))


class SensorLine(QWidget):
    """One thermocouple: colour, name to type in, lowest temperature, go there, move it here, remove."""

    def __init__(self, sensors: Sensors, view: ViewState) -> None:
        super().__init__()
        self._sensors, self._view = sensors, view
        self._sensor: Thermocouple | None = None
        self.name = QLineEdit()
        self.name.setMaxLength(24)
        self.name.setMinimumWidth(56)
        self.name.editingFinished.connect(self._rename)
        self.mark = Text("●", scale=1.0)
        self.lowest = Text("", scale=0.93)
        self.lowest.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.go = _tool("◎", "Move the crosshair to it", self._go)
        self.here = _tool("⇥", "Move it to the crosshair", self._move)
        self.gone = _tool("✕", "Remove it", self._remove)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.mark)
        row.addWidget(self.name, 1)
        row.addWidget(self.lowest)
        for button in (self.go, self.here, self.gone):
            row.addWidget(button)

    def show_sensor(
        self,
        sensor: Thermocouple,
        lowest: tuple[float, bool] | None,
        *,
        may: bool,
        stale: bool,
        ink: str,
    ) -> None:
        """Show a thermocouple; what is being typed is left alone."""
        self._sensor = sensor
        if not self.name.isModified() and self.name.text() != sensor.name:
            self.name.setText(sensor.name)
        self.name.setAccessibleName(f"Name of thermocouple {sensor.name}")
        self.mark.setStyleSheet(f"color: {ink};")
        if lowest is None:
            self.lowest.say(DASH, "muted", "Nothing is computed there")
        else:
            star = "*" if lowest[1] else ""
            self.lowest.say(f"{plain(lowest[0])} °C{star}", STALE if stale else "text", "Lowest temperature")
        self.name.setEnabled(may)
        self.here.setEnabled(may)
        self.gone.setEnabled(may)
        for button, words in ((self.go, "Go to"), (self.here, "Move here"), (self.gone, "Remove")):
            button.setAccessibleName(f"{words} {sensor.name}")

    @Slot()
    def _rename(self) -> None:
        if self._sensor is None or not self.name.isModified():
            return
        self.name.setModified(False)
        if not self._sensors.rename(self._sensor.name, self.name.text().strip()):
            self.name.setText(self._sensor.name)

    @Slot()
    def _go(self) -> None:
        if self._sensor is not None:
            self._view.cursor_mm = self._sensor.position_mm

    @Slot()
    def _move(self) -> None:
        if self._sensor is not None:
            self._sensors.move_here(self._sensor.name)

    @Slot()
    def _remove(self) -> None:
        if self._sensor is not None:
            self._sensors.remove(self._sensor.name)


class Colours(Section):
    """What colours the slices: minutes, or cell survival by a published model for research."""

    def __init__(self, workspace: Workspace, view: ViewState, timing: Timing) -> None:
        super().__init__("Colours on the slices", is_open=False)
        self._workspace, self._view, self._timing = workspace, view, timing
        self.choice = QComboBox()
        self.choice.setAccessibleName("What colours the slices")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(12)
        for id_, words in choices():
            self.choice.addItem(words, id_)
            self.choice.setItemData(self.choice.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        self.choice.activated.connect(self._choose)
        self.warning = Text("", "warn", wrap=True, bold=True)
        self.told = Text("", wrap=True)
        self.source = Text("", "muted", wrap=True, scale=0.88)
        for part in (self.choice, self.warning, self.told, self.source):
            self.add(part)

    @Slot(int)
    def _choose(self, index: int) -> None:
        self._view.wash = str(self.choice.itemData(index))
        self.refresh()

    def refresh(self) -> None:
        """Show what is chosen, and for a model what it says and where it is from."""
        chosen = self._view.wash
        index = max(self.choice.findData(chosen), 0)
        self.choice.setCurrentIndex(index)
        self.choice.setToolTip(self.choice.currentText())
        is_model = chosen.startswith(SURVIVAL)
        stale = self._workspace.result is not None and not self._workspace.is_current
        self.say("research model" if is_model else "on" if chosen else "off", "warn" if is_model else "muted")
        if not self.is_open:
            return
        for part in (self.warning, self.told, self.source):
            part.setVisible(is_model)
        if stale and chosen:
            self.told.setVisible(True)
            self.told.say("Out of date: nothing is coloured until the plan is solved.", "warn")
            self.warning.hide()
        elif is_model:
            self._tell_model(chosen.split(" ", 1)[1])

    def _tell_model(self, id_: str) -> None:
        model = survival_model()
        series = model.of(id_)
        self.warning.say("Research model. Not for a decision on this patient.")
        lines = []
        times = self._timing.times()
        found = None if times is None else times.survival(series)
        if found is not None:
            lines.append(
                f"Cells alive in the tumour: {_percent(found.mean)} on average "
                f"({_percent(found.low)} to {_percent(found.high)} by the interval of the fit). "
                f"More than half alive in {_percent(found.half_alive)} of it."
            )
            lines.append(f"The curve leaves {100.0 - series.plateau.value:.0f} % alive at any cold.")
            if found.beyond_data > 0.005:
                lines.append(f"{_percent(found.beyond_data)} of the tumour lies outside the data of the fit.")
        elif self._timing.is_busy:
            lines.append("Being worked out ...")
        fitting = model.for_protocol(self._workspace.plan.protocol)
        freezes = len(self._workspace.plan.protocol.freeze_ends_s())
        if freezes != series.freezes:
            word = "freeze" if freezes == 1 else "freezes"
            lines.append(
                f"This plan has {freezes} {word}; the curve is of {series.freezes}."
                + (
                    f" Nearer: {fitting.name}."
                    if fitting is not series and fitting.freezes <= freezes
                    else ""
                )
            )
        self.told.say("\n".join(lines), "text")
        mid = series.midpoint
        self.source.say(
            f"{model.name}: dead = {series.plateau.value:g} % / (1 + exp({series.steepness_per_k:.3f} "
            f"(T + {-mid.value:g}))), T lowest temperature in °C; half of that at {plain(mid.value)} °C "
            f"({plain(mid.low or 0.0)} to {plain(mid.high or 0.0)}). Data from {series.coldest.value:.0f} to "
            f"{series.warmest.value:.0f} °C. Holds for {model.holds_for}. {model.source}".replace(" -", " −"),
            tip=model.source,
        )


def _tool(text: str, tip: str, call) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setFixedWidth(24)
    button.setStyleSheet("QToolButton { padding: 2px 0px; }")
    button.clicked.connect(call)
    return button


def _percent(share: float) -> str:
    """Return a share in whole per cent; what is not all is never shown as all."""
    if 0.99 < share < 1.0:
        return f"{int(1000.0 * share) / 10.0:g} %"
    return f"{100.0 * share:.0f} %" if share >= 0.01 or share == 0.0 else "under 1 %"


def _clock(time_s: float | None) -> str:
    return DASH if time_s is None else show_clock(time_s)
