"""Status line: what lies under the mouse, what was just done, and how far the background work is."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from cryoplan.app.ice import ice_of
from cryoplan.app.newest import Newest
from cryoplan.app.view import Display, ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.gui.words import say
from cryoplan.scene.readout import Readout

MESSAGE_MS = 8000


class StatusLine(QWidget):
    """One line at the bottom."""

    def __init__(self, workspace: Workspace, view: ViewState, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self._workspace, self._view = workspace, view
        self._readout: Readout | None = None
        # With each stroke on the target its surface is another one, and that takes a quarter of a second.
        self._newest = Newest("readout", self)
        self._newest.failed.connect(self._not_made)
        self._point: Point | None = None
        self._reading = QLabel()
        self._reading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._message = QLabel()
        self._work = QLabel()
        self.cancel = QToolButton()
        self.cancel.setText(say("Cancel"))
        self.cancel.setAccessibleName(say("Cancel the background work"))
        self.cancel.clicked.connect(workspace.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 3, 12, 3)
        row.setSpacing(14)
        row.addWidget(self._reading, 1)
        row.addWidget(self._message)
        row.addWidget(self._work)
        row.addWidget(self.cancel)
        self.setFixedHeight(34)
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.timeout.connect(self._message.clear)
        # Mouse moves come faster than anybody reads: the last one of 30 ms is enough.
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(30)
        self._pause.timeout.connect(self._read)
        workspace.case_changed.connect(self._new_case)
        workspace.second.changed.connect(self._new_second)
        workspace.state_changed.connect(self._show_work)
        workspace.message.connect(self.say)
        self._new_case()
        self._show_work()

    @property
    def shown_message(self) -> str:
        """The sentence that is shown for a while, empty when there is none."""
        return self._message.text()

    @Slot(str)
    def say(self, text: str) -> None:
        """Show a sentence for a while."""
        self._message.setText(say(text))
        self._fade.start(MESSAGE_MS)

    @Slot(object)
    def point_at(self, point_mm: Point | None) -> None:
        """Read the values at a point under the mouse, None outside the views."""
        self._point = point_mm
        if not self._pause.isActive():
            self._pause.start()

    @Slot()
    def _new_case(self) -> None:
        case = self._workspace.case
        self._readout = None
        self._reading.clear()
        if case is None:
            self._newest.cancel()
        else:
            self._newest.ask(lambda _progress: Readout(case), self._take, "Measuring the target")

    @Slot(object)
    def _take(self, readout: Readout) -> None:
        self._readout = readout
        self._new_second()
        self._read()

    @Slot(object)
    def _not_made(self, error: Exception) -> None:
        raise error

    @Slot()
    def _new_second(self) -> None:
        if self._readout is not None:
            self._readout.show_second(self._workspace.second.scan)

    @Slot()
    def _read(self) -> None:
        if self._readout is None or self._point is None:
            self._reading.clear()
            return
        result = self._workspace.result if self._workspace.is_current else None
        now = None
        if result is not None and self._view.display is Display.NOW:
            ice = ice_of(self._workspace, self._view)  # of the picture that is seen
            now = None if ice is None else ice.field_degc
        reading = self._readout.read(
            self._point,
            plan=self._workspace.plan,
            now_degc=now,
            lowest_degc=None if result is None else result.minimum_degc,
        )
        self._reading.setText("   |   ".join(say(text) for text in reading.texts()))

    @Slot()
    def _show_work(self) -> None:
        workspace = self._workspace
        self.cancel.setVisible(workspace.is_busy)
        text = workspace.busy_text
        if text and workspace.progress is not None:
            text = f"{text}  {100 * workspace.progress.fraction:.0f} %"
            left = workspace.progress.remaining_s
            if left is not None:
                text += f", {left:.0f} s left"
        elif not text and workspace.is_current and workspace.result is not None:
            result = workspace.result
            text = (
                f"solved in {result.wall_s:.1f} s · {result.settings.spacing_mm:g} mm grid · "
                f"energy {result.ledger.residual:.0e}"
            )
        self._work.setText(say(text))
