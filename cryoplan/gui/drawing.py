"""Drawing: the actions that take a tool in hand from anywhere, and the questions that drawing asks."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QInputDialog, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.outline_tools import Tool
from cryoplan.app.outlining import Outlining
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.outlined import free_name
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.actions import SEPARATOR, Entry, Needs
from cryoplan.gui.dialogs.diameters import ask_diameters
from cryoplan.gui.panels.draw import TOOLS
from cryoplan.gui.words import say

MENU = "&Draw"

MANNERS = (
    ("Shift + wheel, [ and ]", "size of the brush"),
    ("Shift while drawing", "the brush erases, the eraser paints, the lasso takes away"),
    ("Ctrl + left click", "move the crosshair while a tool is in hand"),
    ("Enter", "add what growing or marks have found"),
    ("Esc", "give up a stroke or what was found; then put the tool down"),
)


class Drawing(QObject):
    """What menus, keys and the structures panel ask for.

    Parameters
    ----------
    show_panel : callable
        Brings the structures panel to the front.
    """

    def __init__(self, workspace: Workspace, view: ViewState, show_panel, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._view, self._window = workspace, view, window
        self._show_panel = show_panel
        self.outlining = Outlining.of(workspace)

    def entries(self) -> tuple[Entry, ...]:
        """Return the rows of the menu."""
        takes = {
            Tool.GROW: self.grow, Tool.BRUSH: self.brush, Tool.ERASER: self.eraser,
            Tool.LASSO: self.lasso, Tool.BOX: self.box, Tool.INSIDE: self.inside,
            Tool.OUTSIDE: self.outside,
        }  # fmt: skip
        return (
            Entry("new-tumour", MENU, "&New tumour...", "Ctrl+T", Needs.MAY_EDIT, self.new),
            Entry("ellipsoid", MENU, "&Ellipsoid from diameters...", "", Needs.MAY_EDIT, self.ellipsoid),
            Entry(SEPARATOR, MENU, "", "", Needs.NOTHING, self.new),
            *(
                Entry(f"draw-{tool.value}", MENU, word, key, Needs.MAY_EDIT, takes[tool])
                for tool, word, key, _ in TOOLS
            ),
        )

    @Slot()
    def new(self) -> None:
        """Ask for a name and outline a new tumour, by growing from a click."""
        case = self._workspace.case
        if case is None or not self._workspace.may_edit():
            return
        name, is_said = QInputDialog.getText(
            self._window, say("New tumour"), say("Name"), text=free_name(case, "tumour")
        )
        if is_said and self._begin_new(name):
            self.outlining.take(Tool.GROW)
            self._show_panel()

    @Slot()
    def ellipsoid(self) -> None:
        """Ask for three diameters and add an ellipsoid at the crosshair."""
        if not self._ready():
            return
        subject = self.outlining.subject
        assert subject is not None
        diameters = ask_diameters(subject.name, self._window)
        if diameters is not None:
            self.outlining.ellipsoid(self._view.cursor_mm, diameters)

    @Slot()
    def grow(self) -> None:
        """Take it in hand."""
        self._take(Tool.GROW)

    @Slot()
    def brush(self) -> None:
        """Take it in hand."""
        self._take(Tool.BRUSH)

    @Slot()
    def eraser(self) -> None:
        """Take it in hand."""
        self._take(Tool.ERASER)

    @Slot()
    def lasso(self) -> None:
        """Take it in hand."""
        self._take(Tool.LASSO)

    @Slot()
    def box(self) -> None:
        """Take it in hand."""
        self._take(Tool.BOX)

    @Slot()
    def inside(self) -> None:
        """Take it in hand."""
        self._take(Tool.INSIDE)

    @Slot()
    def outside(self) -> None:
        """Take it in hand."""
        self._take(Tool.OUTSIDE)

    def _take(self, tool: Tool) -> None:
        if self._ready():
            self.outlining.take(tool)

    def _ready(self) -> bool:
        """Have something to draw on: what is outlined now, else the target, else a new tumour."""
        case = self._workspace.case
        if case is None or not self._workspace.may_edit():
            return False
        self._view.placing = False
        self._show_panel()
        if self.outlining.subject is not None:
            return True
        return self.outlining.begin(case.target_name) if case.target_name else self._begin_new("")

    def _begin_new(self, name: str) -> bool:
        try:
            return self.outlining.begin_new(name)
        except CryoplanError as error:
            self._workspace.failed.emit(
                Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place)
            )
            return False
