"""Accuracy: how right the solver is, by the run that comes with the program and by one made here."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtSvgWidgets import QSvgWidget
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from cryoplan import RESEARCH_USE
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.parts import Text
from cryoplan.gui.words import say
from cryoplan.report.verification_page import check_table, group_plots
from cryoplan.simulation.verification.suite import Verification
from cryoplan.workflow.verifying import shipped_verification


class AccuracyDialog(QDialog):
    """One group of checks at a time: its table with links to the sources, its plots below.

    Parameters
    ----------
    workspace : Workspace
        Runs the quick checks in the background.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Accuracy of the solver"))
        self.resize(920, 720)
        self._workspace = workspace
        self._found: Verification | None = None
        self.summary = Text("", wrap=True)
        self.groups = QComboBox()
        self.groups.setAccessibleName(say("Group of checks"))
        self.table = QTextBrowser()
        self.table.setAccessibleName(say("Errors beside their bounds"))
        self.table.setOpenExternalLinks(True)
        self.plots = QScrollArea()
        self.plots.setAccessibleName(say("Plots of the checks"))
        self.plots.setFrameShape(QFrame.Shape.NoFrame)
        self.plots.setWidgetResizable(True)
        self.run = QPushButton(say("Run the quick checks"))
        self.run.setToolTip(say("In the background, about a minute; nothing of the case is touched"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        # The next opening makes a new one, and a closed one need not follow the work.
        self.finished.connect(self.deleteLater)
        top = QHBoxLayout()
        top.addWidget(self.groups, 1)
        top.addWidget(self.run)
        column = QVBoxLayout(self)
        column.addWidget(self.summary)
        column.addLayout(top)
        column.addWidget(self.table, 3)
        column.addWidget(self.plots, 2)
        column.addWidget(Text(f"{RESEARCH_USE}.", "muted"))
        column.addWidget(buttons)
        self.groups.currentTextChanged.connect(self._show_group)
        self.run.clicked.connect(self._run)
        workspace.verified.connect(self.show_run)
        workspace.state_changed.connect(self._refresh)
        try:
            self._show(shipped_verification(), "Whole run that comes with this version: ")
        except CryoplanError as error:
            self.summary.say(str(error), "warn")
        self._refresh()

    @Slot()
    def _run(self) -> None:
        self._workspace.request_verification()

    @Slot(object)
    def show_run(self, found: Verification) -> None:
        """Show a run that was made on this computer."""
        self._show(found, "Quick run on this computer: ")

    def _show(self, found: Verification, prefix: str) -> None:
        self._found = found
        self.summary.say(prefix + found.summary(), "text" if found.passed else "warn")
        self.groups.clear()
        self.groups.addItems(found.groups())

    @Slot()
    def _refresh(self) -> None:
        running = self._workspace.is_verifying
        self.run.setEnabled(not running)
        self.run.setText(say("Running in the background" if running else "Run the quick checks"))

    @Slot(str)
    def _show_group(self, group: str) -> None:
        if self._found is None or not group:
            return
        self.table.setHtml(check_table(tuple(c for c in self._found.checks if c.group == group)))
        content = QWidget()
        row = QVBoxLayout(content)
        for svg in group_plots(self._found, group):
            plot = QSvgWidget()
            plot.load(QByteArray(svg.encode()))
            plot.setFixedSize(plot.sizeHint())
            row.addWidget(plot, 0, Qt.AlignmentFlag.AlignLeft)
        row.addStretch(1)
        self.plots.setWidget(content)
