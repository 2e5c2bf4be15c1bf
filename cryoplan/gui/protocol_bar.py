"""Protocol bar: the phases as a bar that is also the time slider; lowest so far, or at this minute."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QRectF, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from cryoplan.app.view import Display, ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_clock
from cryoplan.gui.words import say
from cryoplan.plan.protocol import PhaseKind
from cryoplan.scene.style import Palette

PLAY_EVERY_MS = 40
"""Between two steps of the clock; the views draw as many of them as they can."""

PLAY_SECONDS = 12.0
"""A whole protocol plays in this time, however many pictures a second there are."""

LONGEST_STEP_S = 0.5
"""Of playing time: a computer that hangs for a moment does not jump over a phase."""


CLOCK_PX = 190
ROOMY_PX = 760


class _Bar(QWidget):
    """The phases in proportion, and the hand of the clock."""

    def __init__(self, workspace: Workspace, view: ViewState, palette: Palette) -> None:
        super().__init__()
        self._workspace, self._view, self._palette = workspace, view, palette
        self.setFixedHeight(30)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(say("Protocol time"))
        self.setToolTip(say("Drag to see the temperatures at that minute; arrow keys step by one frame"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        protocol = self._workspace.plan.protocol
        scale = (self.width() - 2) / protocol.duration_s
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        stale = not self._workspace.is_current
        for start, end, phase in protocol.spans():
            box = QRectF(1 + start * scale, 3, (end - start) * scale, 24)
            freeze = phase.kind is PhaseKind.FREEZE
            painter.setOpacity(0.45 if stale else 1.0)
            painter.fillRect(box, QColor(self._palette.freeze if freeze else self._palette.thaw))
            painter.setOpacity(1.0)
            painter.setPen(QColor("#ffffff"))
            name = "freeze" if freeze else f"{phase.mode.value} thaw"
            text = f"{name} {phase.duration_s / 60:g}"
            if painter.fontMetrics().horizontalAdvance(say(text)) > box.width() - 6:
                text = f"{phase.duration_s / 60:g}"
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, say(text))
        if self._workspace.result is not None and self._view.display is Display.NOW:
            x = 1 + min(self._view.time_s, protocol.duration_s) * scale
            painter.setPen(QPen(QColor("#000000"), 5))
            painter.drawLine(round(x), 1, round(x), 29)
            painter.setPen(QPen(QColor("#ffffff"), 2.5))
            painter.drawLine(round(x), 0, round(x), 30)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._palette.accent), 1))
            painter.drawRect(0, 0, self.width() - 1, self.height() - 1)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        result = self._workspace.result
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or result is None:
            super().keyPressEvent(event)
            return
        times = [f.time_s for f in result.frames]
        near = min(range(len(times)), key=lambda n: abs(times[n] - self._view.time_s))
        self._view.display = Display.NOW
        self._view.time_s = times[min(max(near + step, 0), len(times) - 1)]

    def _go(self, x: float) -> None:
        if self._workspace.result is None:
            return
        duration = self._workspace.plan.protocol.duration_s
        self._view.playing = False
        self._view.display = Display.NOW
        time_s = min(max((x - 1) / (self.width() - 2), 0.0), 1.0) * duration
        # The hand stands where the picture is from, not between two frames.
        self._view.time_s = self._workspace.result.frame_near(time_s).time_s


class ProtocolBar(QWidget):
    """Bar, play button, clock, and the choice of what is shown."""

    def __init__(self, workspace: Workspace, view: ViewState, palette: Palette, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("protocolBar")  # it stands on the ground of the views, which is dark in every look
        self._workspace, self._view = workspace, view
        self.bar = _Bar(workspace, view, palette)
        self.play = QToolButton()
        self.play.setAccessibleName(say("Play or pause"))
        self.play.clicked.connect(self._toggle)
        self._clock = QLabel()
        self._clock.setMinimumWidth(CLOCK_PX)
        self._choice = QComboBox()
        self._choice.addItem(say("lowest so far"), Display.LOWEST)
        self._choice.addItem(say("at this minute"), Display.NOW)
        self._choice.setAccessibleName(say("Which temperature is shown"))
        self._choice.activated.connect(self._choose)
        self._why = QLabel()
        self._why.setObjectName("muted")
        self._row = row = QHBoxLayout()
        row.addWidget(self.play)
        row.addWidget(self._clock)
        row.addStretch(1)
        row.addWidget(self._why)
        row.addWidget(QLabel(say("showing")))
        row.addWidget(self._choice)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(3)
        column.addWidget(self.bar)
        column.addLayout(row)
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_EVERY_MS)
        self._timer.timeout.connect(self._tick)
        self._since = QElapsedTimer()
        for signal in (workspace.plan_changed, workspace.result_changed, workspace.case_changed):
            signal.connect(self._refresh)
        view.changed.connect(self._refresh)
        self._refresh()

    def add(self, control: QWidget) -> None:
        """Put one more control into the line below the bar, left of what is shown."""
        self._row.insertWidget(self._row.indexOf(self._why), control)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out why the slider rests where the line is too short for it; the choice says it on hover."""
        super().resizeEvent(event)
        self._why.setVisible(self.width() >= ROOMY_PX)

    @property
    def why(self) -> str:
        """Why the time slider rests, empty when it does not."""
        return self._why.text()

    @Slot()
    def _toggle(self) -> None:
        self._view.playing = not self._view.playing
        if self._view.playing:
            self._view.display = Display.NOW
            if self._view.time_s >= self._workspace.plan.protocol.duration_s:
                self._view.time_s = 0.0
        else:
            self._rest()

    def _rest(self) -> None:
        """Put the hand where the picture that stands still is from."""
        result = self._workspace.result
        if result is not None and result.frames:
            self._view.time_s = result.frame_near(self._view.time_s).time_s

    @Slot(int)
    def _choose(self, index: int) -> None:
        self._view.playing = False
        self._view.display = Display(self._choice.itemData(index))

    @Slot()
    def _tick(self) -> None:
        duration = self._workspace.plan.protocol.duration_s
        played_s = min(self._since.restart() / 1000.0, LONGEST_STEP_S)
        time_s = self._view.time_s + duration * played_s / PLAY_SECONDS
        self._view.time_s = min(time_s, duration)
        if time_s >= duration:
            self._view.playing = False
            self._rest()

    @Slot()
    def _refresh(self) -> None:
        solved = self._workspace.result is not None
        duration = self._workspace.plan.protocol.duration_s
        self.play.setEnabled(solved)
        self._choice.setEnabled(solved)
        self.play.setText(say("❚❚" if self._view.playing else "▶"))
        self._why.setText(say("" if solved else "solve to see temperatures  ·"))
        self._choice.setToolTip(say("" if solved else "Solve to see temperatures"))
        if not solved:
            self._clock.setText(say(f"protocol {self._workspace.plan.protocol.describe()}"))
        elif self._view.display is Display.LOWEST:
            self._clock.setText(say(f"whole protocol, {show_clock(duration)}"))
        else:
            phase = self._workspace.plan.protocol.phase_at(self._view.time_s)
            self._clock.setText(
                say(f"{show_clock(self._view.time_s)} of {show_clock(duration)} · {phase.kind.value}")
            )
        self._choice.setCurrentIndex(self._choice.findData(self._view.display))
        if self._view.playing and solved and not self._timer.isActive():
            self._since.start()
            self._timer.start()
        elif not self._view.playing:
            self._timer.stop()
        self.bar.update()
