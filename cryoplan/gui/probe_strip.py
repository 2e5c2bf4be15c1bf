"""Probe strip: a line over the probe views with the probes to choose from, and the plane through several."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.probe_aims import called
from cryoplan.gui.probe_look import ProbeLook
from cryoplan.gui.words import say

HEIGHT_PX = 30


class ProbeStrip(QWidget):
    """Which probe the views look along, and whether one of them shows the plane through several.

    Parameters
    ----------
    workspace : Workspace
        Whose probes.
    view : ViewState
        Knows the selected one.
    look : ProbeLook
        What the probe views share.
    """

    def __init__(
        self, workspace: Workspace, view: ViewState, look: ProbeLook, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._view, self.look = workspace, view, look
        self._shown: list[tuple[str, str]] = []
        self.setObjectName("probeStrip")
        self.setFixedHeight(HEIGHT_PX)
        self.setAccessibleName(say("Probe views"))
        self.chips: dict[str, QToolButton] = {}
        self._chips = QHBoxLayout()
        self._chips.setSpacing(3)
        self.through = QToolButton()
        self.through.setText(say("Plane through all"))
        self.through.setCheckable(True)
        self.through.setToolTip(say("The upper right view holds the plane through several probes (Shift+V)"))
        self.through.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.menu = QMenu(self.through)
        self.through.setMenu(self.menu)
        self.through.clicked.connect(self._toggle)
        label = QLabel(say("Along"))
        label.setObjectName("muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(6)
        row.addWidget(label)
        row.addLayout(self._chips)
        row.addStretch(1)
        row.addWidget(self.through)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        workspace.plan_changed.connect(self._refresh)
        view.changed.connect(self._refresh)
        look.changed.connect(self._refresh)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        plan = self._workspace.plan
        names = [p.name for p in plan.probes]
        shown = [(s.name, called(s)) for s in plan.shafts]
        if shown != self._shown:
            self._shown = shown
            self._rebuild(shown, names)
        for name, chip in self.chips.items():
            chip.setChecked(name == self._view.selected_probe)
        through = [p.name for p in self.look.through]
        for action in self.menu.actions():
            action.blockSignals(True)
            action.setChecked(action.data() in through)
            action.blockSignals(False)
        everyone = len(through) == len(names)
        self.through.setText(say("Plane through all" if everyone else f"Plane through {', '.join(through)}"))
        self.through.setEnabled(len(names) >= 2)
        self.through.setChecked(self.look.is_through)

    def _rebuild(self, shown: list[tuple[str, str]], probes: list[str]) -> None:
        for chip in self.chips.values():
            self._chips.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = {}
        for name, words in shown:
            chip = QToolButton()
            chip.setText(name)
            chip.setCheckable(True)
            chip.setAccessibleName(say(f"Look along {words}"))
            chip.setToolTip(say(f"Look along {words}"))
            chip.clicked.connect(self._choose)
            self._chips.addWidget(chip)
            self.chips[name] = chip
        self.menu.clear()
        for name in probes:
            action = QAction(say(f"Probe {name}"), self.menu)
            action.setData(name)
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(self._leave_out)
            self.menu.addAction(action)

    @Slot()
    def _choose(self) -> None:
        sender = self.sender()
        for name, chip in self.chips.items():
            if chip is sender:
                self._view.selected_probe = name
                chip.setChecked(True)

    @Slot()
    def _toggle(self) -> None:
        self.look.is_through = self.through.isChecked()
        self._refresh()

    @Slot()
    def _leave_out(self) -> None:
        left_out = [a.data() for a in self.menu.actions() if not a.isChecked()]
        if len(left_out) < len(self.menu.actions()):
            self.look.leave_out(left_out)
        self._refresh()
