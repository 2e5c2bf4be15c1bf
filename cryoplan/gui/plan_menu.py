"""Plan menu: which plan of the case is worked on, and the few things that can be done with plans."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QInputDialog, QMenu, QToolButton, QWidget

from cryoplan.app.plans import Plans
from cryoplan.app.workspace import Workspace
from cryoplan.gui.words import say

LONGEST_SHOWN = 18
"""Letters of a plan's name on the button; the tooltip has all of them."""


class PlanMenu(QToolButton):
    """A button with the plan's name; its menu takes up another plan, copies, renames and deletes."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("planMenu")
        self._workspace = workspace
        self._plans = Plans(workspace, self)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        # As the view area does: a key that is pressed after a look at the menu is meant for the views.
        for signal in (workspace.case_changed, workspace.plan_changed, workspace.file_changed):
            signal.connect(self._refresh)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        case, name = self._workspace.case, self._workspace.plan.name
        self.setVisible(case is not None)
        short = name if len(name) <= LONGEST_SHOWN else f"{name[: LONGEST_SHOWN - 1]}…"
        self.setText(f"{say('Plan')}  {short}".replace("&", "&&"))
        self.setAccessibleName(say(f"Plan {name}"))
        beside = len(case.other_plans) if case is not None else 0
        tip = "No other plan is kept beside it" if not beside else f"{beside} kept beside it"
        self.setToolTip(f"{say(f'Plan {name}')}. {say(tip)}.")

    @Slot()
    def _fill(self) -> None:
        menu, workspace = self._menu, self._workspace
        menu.clear()
        case, plan = workspace.case, workspace.plan
        if case is None:
            return
        may = workspace.keeper.may_edit
        for name in self._plans.names():
            # Names are shown as they are, with an ampersand too.
            action = menu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(name == plan.name)
            action.setEnabled(may or name == plan.name)
            if name != plan.name:
                action.triggered.connect(partial(self._plans.take_up, name))
        menu.addSeparator()
        copy = menu.addAction(say("Keep this plan and go on with a copy"), self._plans.copy)
        rename = menu.addAction(say("Rename plan..."), self._rename)
        for action in (copy, rename):
            action.setEnabled(may)
        if case.other_plans:
            delete = menu.addMenu(say("Delete a plan"))
            delete.setEnabled(may)
            for other in case.other_plans:
                gone = delete.addAction(other.name.replace("&", "&&"))
                gone.triggered.connect(partial(self._plans.delete, other.name))

    @Slot()
    def _rename(self) -> None:
        name, is_said = QInputDialog.getText(
            self.window(), say("Rename plan"), say("Name"), text=self._workspace.plan.name
        )
        if is_said:
            self._plans.rename(name)
