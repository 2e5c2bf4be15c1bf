"""Structure menu: what can be done to one structure of the list beside drawing it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.outlining import Outlining
from cryoplan.app.workspace import Workspace
from cryoplan.case.structure import Role
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.panels.asked_roles import WORDS
from cryoplan.gui.words import say


class StructureMenu:
    """Rename, role and delete, each one step of the history; what cannot be done is said in a sentence.

    Parameters
    ----------
    parent : QWidget
        What menu and dialog stand before.
    """

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        self._workspace, self._parent = workspace, parent

    def show(self, name: str, at: QPoint) -> None:
        """Show the menu of a structure at a place of the screen."""
        self.menu(name).exec(at)

    def menu(self, name: str) -> QMenu:
        """Return the menu of a structure; nothing in it is on where the case may not be changed."""
        case = self._workspace.case
        menu = QMenu(self._parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        may = case is not None and self._workspace.keeper.may_edit
        menu.addAction(say("Rename...\tF2"), partial(self.rename, name)).setEnabled(may)
        roles = menu.addMenu(say("Role"))
        roles.setEnabled(may)
        now = case.structure(name).role if case is not None else None
        for role in Role:
            action = roles.addAction(say(WORDS[role]), partial(self.set_role, name, role))
            action.setCheckable(True)
            action.setChecked(role is now)
        menu.addSeparator()
        menu.addAction(say("Delete\tDel"), partial(self.delete, name)).setEnabled(may)
        return menu

    def rename(self, name: str) -> None:
        """Ask for another name and give it."""
        if not self._workspace.may_edit():
            return
        new, is_said = QInputDialog.getText(self._parent, say("Rename structure"), say("Name"), text=name)
        if is_said:
            self._do(name, partial(self._workspace.rename_structure, name, new))

    def set_role(self, name: str, role: Role) -> None:
        """Take the user's word for what it is."""
        self._do("", partial(self._workspace.set_roles, {name: role}))

    def delete(self, name: str) -> None:
        """Take it out of the case; it can be undone, so nothing is asked."""
        if self._workspace.may_edit():
            self._do(name, partial(self._workspace.delete_structure, name))

    def _do(self, ends: str, step) -> None:
        """Do a step; one that takes a name away ends the drawing on it, or a stroke would bring it back."""
        outlining = Outlining.of(self._workspace)
        outlining.finish()
        try:
            is_done = step()
        except CryoplanError as error:
            self._workspace.failed.emit(
                Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place)
            )
            return
        if is_done and ends and outlining.subject is not None and outlining.subject.name == ends:
            outlining.stop()
