"""Histogram: the temperature-volume histogram in a window of its own, beside the images."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from cryoplan import RESEARCH_USE
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.histogram_section import HistogramSection
from cryoplan.gui.parts import OUT_OF_DATE, Later, Text
from cryoplan.gui.words import say


class HistogramDialog(QDialog):
    """Follows the result on screen until it is closed.

    Parameters
    ----------
    workspace, view
        Whose result is shown.
    hidden : sequence of str
        Curves that are hidden at first.
    """

    def __init__(
        self, workspace: Workspace, view: ViewState, parent: QWidget | None = None, *, hidden=()
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Temperature-volume histogram"))
        self.resize(760, 560)
        self._workspace = workspace
        self.stale = Text("", "warn", bold=True)
        self.section = HistogramSection(workspace, view, plot_px=340, is_alone=True)
        self.section.chart.set_hidden(hidden)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        # The next opening makes a new one, and a closed one need not follow the work.
        self.finished.connect(self.deleteLater)
        column = QVBoxLayout(self)
        column.addWidget(self.stale)
        column.addWidget(self.section, 1)
        column.addWidget(Text(f"{RESEARCH_USE}.", "muted"))
        column.addWidget(buttons)
        self._soon = Later(self.refresh, self)
        for signal in (
            workspace.case_changed, workspace.plan_changed, workspace.result_changed, workspace.state_changed,
        ):  # fmt: skip
            signal.connect(self._changed)
        self.refresh()

    @Slot()
    def _changed(self) -> None:
        self._soon.ask()

    @Slot()
    def refresh(self) -> None:
        """Show the histograms of the result on screen."""
        workspace = self._workspace
        old = workspace.assessment is not None and not workspace.is_current
        self.stale.setVisible(old)
        self.stale.say(f"! {OUT_OF_DATE}: the plan has changed since this was solved.", "warn")
        self.section.refresh()
