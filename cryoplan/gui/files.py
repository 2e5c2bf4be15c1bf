"""Files: what the menus open, save and print, and the questions about it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QProgressDialog, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.gui.dialogs.cases import Leaving, ask_leaving
from cryoplan.gui.opening import Opening
from cryoplan.gui.words import say
from cryoplan.image.structures.mesh_file import ENDINGS as MESHES

IMAGES = "Images, zips and discs (*.nii *.nii.gz *.nrrd *.mha *.mhd *.dcm *.zip DICOMDIR);;All files (*)"
STRUCTURES = (
    "Structures (*.nii *.nii.gz *.nrrd *.mha *.mhd *.dcm *.stl *.obj *.ply);;"
    "Meshes (*.stl *.obj *.ply);;All files (*)"
)


CASES = "Cases (*.cryoplan)"

SETTLING_S = 1.0
"""How long leaving a case waits for a disk before it asks."""

SAVING_S = 2.0
"""How long Ctrl+S waits for a disk before it asks for another place."""


class Files(QObject):
    """Asks for places and hands them to the workspace.

    Parameters
    ----------
    window : QWidget
        What dialogs stand before.
    """

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self.opening = Opening(workspace, window)
        self._mesh: tuple[Path, Case | None] | None = None
        self._is_asking = False
        workspace.may_leave = self.may_leave

    def open_path(self, path: Path) -> None:
        """Open whatever a path is: a case, a plan, a folder or an image."""
        path = path.absolute()  # the background process and the list of cases may stand elsewhere
        if path.suffix.lower() == ".cryoplan":
            if path == self._workspace.keeper.kept.path:
                self._workspace.message.emit("This case is open already")
                return
            self._workspace.open_case_file(path)
        elif path.suffix == ".json":
            self._workspace.open_plan(path)
        elif path.suffix.lower() in MESHES:
            self.add_path(path)
        else:
            self.opening.open(path)

    def look_at(self, path: Path) -> None:
        """Open a case for reading only, so that others may go on writing it."""
        self._workspace.open_case_file(path, read_only=True)

    def close_case(self) -> None:
        """Leave the case and show the list of cases."""
        if self.may_leave():
            self._workspace.new_case()

    def may_leave(self) -> bool:
        """Tell whether the case may be left; asks when not all of it is on the disk, and only then.

        Whoever leaves without the steps that wait has let go of the case file when this returns.
        """
        keeper = self._workspace.keeper
        if self._is_asking:
            return False
        self._is_asking = True
        try:
            while not keeper.settle(SETTLING_S):
                kept = keeper.kept
                reason = kept.trouble.what if kept.trouble is not None else "its place does not answer."
                answer = ask_leaving(len(kept.waiting), reason, self._window)
                if answer is Leaving.STAY:
                    return False
                if answer is Leaving.WITHOUT:
                    keeper.leave_without()
                    return True
                if answer is Leaving.TRY_AGAIN:
                    keeper.settle(SETTLING_S, again=True)
                else:
                    self._save_and_wait()
            return True
        finally:
            self._is_asking = False

    def _save_and_wait(self) -> None:
        """Save elsewhere; a place that does not answer can be given up."""
        place = self._ask_new_place()
        if place is None:
            return
        workspace, loop = self._workspace, QEventLoop(self)
        waiting = QProgressDialog(say(f"Saving {place.name} ..."), say("Give up"), 0, 0, self._window)
        waiting.setWindowModality(Qt.WindowModality.WindowModal)
        waiting.canceled.connect(loop.quit)
        workspace.saver.saved.connect(loop.quit)
        workspace.saver.failed.connect(loop.quit)
        try:
            workspace.save_case_file(place)
            loop.exec()
        finally:
            workspace.saver.saved.disconnect(loop.quit)
            workspace.saver.failed.disconnect(loop.quit)
            waiting.canceled.disconnect(loop.quit)
            waiting.close()
            waiting.deleteLater()

    def fail(self, error: CryoplanError) -> None:
        """Show what did not work."""
        self._workspace.failed.emit(
            Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place)
        )

    def open_folder(self) -> None:
        """Ask for a DICOM folder."""
        path = QFileDialog.getExistingDirectory(self._window, say("Open DICOM folder"))
        if path:
            self.open_path(Path(path))

    def open_file(self) -> None:
        """Ask for an image file."""
        path, _ = QFileDialog.getOpenFileName(self._window, say("Open image file"), "", say(IMAGES))
        if path:
            self.open_path(Path(path))

    def open_case(self) -> None:
        """Ask for a case file."""
        path, _ = QFileDialog.getOpenFileName(self._window, say("Open case"), "", say(CASES))
        if path:
            self.open_path(Path(path))

    def add_structures(self) -> None:
        """Ask for a file of structures."""
        path, _ = QFileDialog.getOpenFileName(self._window, say("Add structures"), "", say(STRUCTURES))
        if path:
            self.add_path(Path(path))

    def add_path(self, path: Path) -> None:
        """Add the structures of a file to the case."""
        if path.suffix.lower() in MESHES:
            self._mesh = path, self._workspace.case
        self._workspace.add_structures(path)

    def choose_axes(self, what: str) -> None:
        """Ask for the axes of the mesh that did not state them; nothing is chosen beforehand."""
        (path, case), self._mesh = self._mesh or (None, None), None
        if path is None or case is not self._workspace.case:
            return
        box = QMessageBox(self._window)
        box.setWindowTitle(say("Axes of the mesh"))
        box.setText(say(what))
        box.setInformativeText(
            say(
                "Which way do its x and y point? The program that wrote the mesh says so. With the "
                "wrong axes it lies on the other side of the patient."
            )
        )
        names = {
            box.addButton(say("LPS: to the left and the back"), QMessageBox.ButtonRole.ActionRole): "LPS",
            box.addButton(say("RAS: to the right and the front"), QMessageBox.ButtonRole.ActionRole): "RAS",
        }
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        axes = next((name for button, name in names.items() if button is box.clickedButton()), "")
        if axes:
            self._workspace.add_structures(path, axes)

    def open_plan(self) -> None:
        """Ask for a plan file."""
        path, _ = QFileDialog.getOpenFileName(self._window, say("Open plan"), "", say("Plans (*.json)"))
        if path:
            self._workspace.open_plan(Path(path))

    def save_case(self) -> None:
        """Give a draft its place; of a case that has one, say that all is saved, or ask where else to."""
        keeper = self._workspace.keeper
        kept = keeper.kept
        if keeper.is_named and not kept.read_only and keeper.settle(SAVING_S) and kept.path is not None:
            self._workspace.saver.store_now()
            self._workspace.message.emit(
                f"All steps are saved already: {kept.path.name} in {kept.path.parent}"
            )
            return
        self.save_elsewhere()

    def save_elsewhere(self) -> None:
        """Ask where to, and go on with the case there."""
        place = self._ask_new_place()
        if place is not None:
            self._workspace.save_case_file(place)

    def save_plan(self) -> None:
        """Ask where to, then save the plan."""
        path = self.ask_where("Save plan", "Plans (*.json)", ".json")
        if path is not None:
            self._workspace.save_plan(path)

    def ask_place(self, title: str, name: str) -> Path | None:
        """Ask where a copy of a case is written to."""
        return self.ask_where(title, CASES, ".cryoplan", name)

    def _ask_new_place(self) -> Path | None:
        place = self.ask_where("Save case", CASES, ".cryoplan")
        path = self._workspace.keeper.kept.path
        if place is not None and path is not None and place == path and not self._workspace.keeper.may_edit:
            # A case that somebody else has open cannot be written over.
            self.fail(
                StoreError(
                    f"{place.name} is the case that is open for reading only.",
                    "Choose another name.",
                    code="same-file",
                    place=place.name,
                )
            )
            return None
        return place

    def ask_where(self, title: str, kind: str, ending: str, name: str = "") -> Path | None:
        """Ask for a file to write, with the ending it must have; an old one is replaced after a yes only."""
        case = self._workspace.case
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = f"{name or (case.code if case else 'plan')}{ending}"
        path, _ = QFileDialog.getSaveFileName(self._window, say(title), str(Path(folder) / name), say(kind))
        if not path:
            return None
        if path.endswith(ending):
            return Path(path)
        # The dialog asked about the name as it was typed; the file that will be written has another one.
        whole = Path(path + ending)
        if whole.exists() and not self._may_replace(whole):
            return None
        return whole

    def _may_replace(self, path: Path) -> bool:
        question = f"{path.name} exists already. Replace it?"
        answer = QMessageBox.question(self._window, say("Replace file"), say(question))
        return answer == QMessageBox.StandardButton.Yes
