"""Review, thermocouples: their curves, and a line to name, move and remove each."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.chart import Axis, Chart, Level, Series
from cryoplan.gui.panels.protocol_axis import go_to_minute, phase_bands, time_axis
from cryoplan.gui.parts import DASH, STALE, Text
from cryoplan.gui.section import Section
from cryoplan.gui.sensors import Sensors
from cryoplan.gui.words import say
from cryoplan.plan.plan import Thermocouple
from cryoplan.report.wording import plain
from cryoplan.scene.style import theme

INKS = ("#ff9f43", "#54a0ff", "#1dd1a1", "#f368e0", "#feca57", "#c8d6e5")
"""Of thermocouples; told apart by their dash from the seventh on."""


class Curves(Section):
    """Virtual thermocouples: their curves, and a line to name, move and remove each."""

    def __init__(self, workspace: Workspace, view: ViewState, sensors: Sensors) -> None:
        super().__init__("Thermocouples", is_open=False)
        self._workspace, self._view, self._sensors = workspace, view, sensors
        self.drop = QPushButton(say("Drop at the crosshair"))
        self.drop.setToolTip(
            say("A virtual thermocouple where the crosshair is (Shift+T); it changes no ice")
        )
        self.drop.clicked.connect(sensors.drop)
        self.save = QPushButton(say("CSV..."))
        self.save.setToolTip(say("Write the curves of all thermocouples to a file"))
        self.save.setAccessibleName(say("Write the curves as CSV"))
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
        self.name.setAccessibleName(say(f"Name of thermocouple {sensor.name}"))
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
            button.setAccessibleName(say(f"{words} {sensor.name}"))

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


def _tool(text: str, tip: str, call) -> QToolButton:
    button = QToolButton()
    button.setText(say(text))
    button.setToolTip(say(tip))
    button.setFixedWidth(24)
    button.setStyleSheet("QToolButton { padding: 2px 0px; }")
    button.clicked.connect(call)
    return button
