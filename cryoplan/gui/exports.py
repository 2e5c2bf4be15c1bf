"""Exports: the questions before a plan leaves the program as paper or as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import CryoplanError, StaleError
from cryoplan.gui.files import Files


class Exports(QObject):
    """Asks where to, and has it written in the background; a stale result is refused before anybody is asked.

    Parameters
    ----------
    files : Files
        Asks for places.
    window : QWidget
        What dialogs stand before.
    """

    def __init__(self, workspace: Workspace, files: Files, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._files, self._window = workspace, files, window

    @Slot()
    def print_plan(self) -> None:
        """Ask where to, then print the plan PDF."""
        self._print("Export PDF", "", self._workspace.exporting.print_plan)

    @Slot()
    def print_sheet(self) -> None:
        """Ask where to, then print the sheet for the CT room."""
        case = self._workspace.case
        name = f"{case.code} room sheet" if case is not None else ""
        self._print("Print the sheet for the room", name, self._workspace.exporting.print_sheet)

    @Slot()
    def export_files(self) -> None:
        """Ask what and where to, then export."""
        if not self._may():
            return
        # Loaded when asked for: the window starts without it.
        from cryoplan.gui.dialogs.export import ask_export

        asked = ask_export(self._workspace, self._window)
        if asked is None:
            return
        self._try(
            lambda: self._workspace.exporting.export(
                asked.folder, asked.kinds, replace=asked.replace, image=asked.image
            )
        )

    def _print(self, title: str, name: str, write: Callable[[Path], None]) -> None:
        if not self._may():
            return
        path = self._files.ask_where(title, "PDF (*.pdf)", ".pdf", name)
        if path is not None:
            self._try(lambda: write(path))

    def _may(self) -> bool:
        if self._workspace.can_export:
            return True
        self._files.fail(
            StaleError("The result is not current.", "Solve first, then print.", code="stale-result")
        )
        return False

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except CryoplanError as error:  # an edit slipped in while the dialog was open
            self._files.fail(error)
