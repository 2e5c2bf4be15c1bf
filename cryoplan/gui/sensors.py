"""Sensors: what menus, keys and the review do with virtual thermocouples; each one undoable step."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from cryoplan import workflow
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.actions import Entry, Needs
from cryoplan.gui.gesture import attempt
from cryoplan.gui.words import say
from cryoplan.plan import edits


class Sensors(QObject):
    """Drops, moves, renames and removes thermocouples, and writes their curves.

    Parameters
    ----------
    window : QWidget
        What dialogs stand before.
    """

    def __init__(self, workspace: Workspace, view: ViewState, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._view, self._window = workspace, view, window

    def entries(self) -> tuple[Entry, ...]:
        """Return the rows of the menu."""
        return (
            Entry(
                "thermocouple",
                "&Probe",
                "Drop a &thermocouple at the crosshair",
                "Shift+T",
                Needs.MAY_EDIT,
                self.drop,
            ),
        )

    @Slot()
    def drop(self) -> bool:
        """Put a new thermocouple at the crosshair."""
        at = self._view.cursor_mm
        before = {t.name for t in self._workspace.plan.thermocouples}
        done = attempt(self._workspace, lambda plan: edits.add_thermocouple(plan, at))
        new = [t.name for t in self._workspace.plan.thermocouples if t.name not in before]
        if done and new:
            self._workspace.message.emit(f"Thermocouple {new[0]} dropped; its curve is in the review")
        return done

    def move_here(self, name: str) -> bool:
        """Put a thermocouple at the crosshair."""
        at = self._view.cursor_mm
        return attempt(self._workspace, lambda plan: edits.move_thermocouple(plan, name, at))

    def rename(self, name: str, new_name: str) -> bool:
        """Give a thermocouple another name."""
        return attempt(self._workspace, lambda plan: edits.rename_thermocouple(plan, name, new_name))

    def remove(self, name: str) -> bool:
        """Remove a thermocouple."""
        return attempt(self._workspace, lambda plan: edits.remove_thermocouple(plan, name))

    def ask_csv(self) -> None:
        """Ask for a place and write the curves there."""
        name, _ = QFileDialog.getSaveFileName(
            self._window, say("Curves of the thermocouples"), say("thermocouples.csv"), say("CSV (*.csv)")
        )
        if name:
            self.write_csv(Path(name))

    def write_csv(self, path: Path) -> bool:
        """Write the curves of all thermocouples; those of a plan that has changed stay in the program."""
        workspace = self._workspace
        assessment = workspace.assessment
        if assessment is None or not workspace.can_export:
            workspace.message.emit("The result is out of date. Solve first, then write the curves")
            return False
        try:
            workflow.write_curves(workspace.plan, assessment, path)
        except CryoplanError as error:
            workspace.message.emit(str(error))
            return False
        workspace.message.emit(f"Wrote {path.name}")
        return True
