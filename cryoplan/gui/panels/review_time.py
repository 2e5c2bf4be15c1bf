"""Review, time: when the tumour is cold and how long, curves of thermocouples, colours of the slices."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from cryoplan.app.timing import Timing
from cryoplan.app.view import Display, ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.panels.review_cold import ColdOverTime
from cryoplan.gui.panels.review_colours import Colours
from cryoplan.gui.panels.review_curves import Curves
from cryoplan.gui.sensors import Sensors


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
