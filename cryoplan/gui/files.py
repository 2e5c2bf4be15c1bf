"""Files: what the menus open, save and print, and the questions about it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Slot
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.dialogs.open_series import choose_series
from cryoplan.image.series import PathDescription

IMAGES = "Images (*.nii *.nii.gz *.nrrd *.mha *.mhd *.dcm);;All files (*)"
STRUCTURES = "Label maps and segmentations (*.nii *.nii.gz *.nrrd *.mha *.dcm);;All files (*)"


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
        self._opening: Path | None = None
        workspace.series_listed.connect(self._choose_series)

    def open_path(self, path: Path) -> None:
        """Open whatever a path is: a case, a plan, a folder or an image."""
        if path.suffix == ".cryoplan":
            self._workspace.open_case_file(path)
        elif path.suffix == ".json":
            self._workspace.open_plan(path)
        else:
            self._opening = path
            self._workspace.list_series(path)

    def open_folder(self) -> None:
        """Ask for a DICOM folder."""
        path = QFileDialog.getExistingDirectory(self._window, "Open DICOM folder")
        if path:
            self.open_path(Path(path))

    def open_file(self) -> None:
        """Ask for an image file."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open image file", "", IMAGES)
        if path:
            self.open_path(Path(path))

    def open_case(self) -> None:
        """Ask for a case file."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open case", "", "Cases (*.cryoplan)")
        if path:
            self._workspace.open_case_file(Path(path))

    def add_structures(self) -> None:
        """Ask for a label map or segmentation."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Add structures", "", STRUCTURES)
        if path:
            self._workspace.add_structures(Path(path))

    def open_plan(self) -> None:
        """Ask for a plan file."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open plan", "", "Plans (*.json)")
        if path:
            self._workspace.open_plan(Path(path))

    def save_case(self) -> None:
        """Ask where to, then save the case."""
        path = self._ask_where("Save case", "Cases (*.cryoplan)", ".cryoplan")
        if path is not None:
            self._workspace.save_case_file(path)

    def save_plan(self) -> None:
        """Ask where to, then save the plan."""
        path = self._ask_where("Save plan", "Plans (*.json)", ".json")
        if path is not None:
            self._workspace.save_plan(path)

    def export_pdf(self) -> None:
        """Ask where to, then print the PDF; a stale result is refused before anybody is asked."""
        if not self._workspace.can_export:
            self._workspace.failed.emit(
                Failure(
                    what="The result is not current.", remedy="Solve first, then print.", code="stale-result"
                )
            )
            return
        path = self._ask_where("Export PDF", "PDF (*.pdf)", ".pdf")
        if path is None:
            return
        try:
            self._workspace.export_pdf(path)
        except CryoplanError as error:  # an edit slipped in while the dialog was open
            self._workspace.failed.emit(Failure(what=error.what, remedy=error.remedy, code=error.code))

    def _ask_where(self, title: str, kind: str, ending: str) -> Path | None:
        case = self._workspace.case
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = f"{case.code if case else 'plan'}{ending}"
        path, _ = QFileDialog.getSaveFileName(self._window, title, str(Path(folder) / name), kind)
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
        answer = QMessageBox.question(self._window, "Replace file", question)
        return answer == QMessageBox.StandardButton.Yes

    @Slot(object)
    def _choose_series(self, found: PathDescription) -> None:
        path, self._opening = self._opening, None
        if path is None:
            return
        if found.kind == "dicom-seg" and self._workspace.case is not None:
            self._workspace.add_structures(path)
            return
        usable = [s for s in found.series if s.verdict != "refused"]
        if len(found.series) > 1 and usable:
            uid = choose_series(found, self._window) if len(usable) > 1 else usable[0].uid
            if uid is not None:
                self._workspace.open_image(path, uid or None)
            return
        # One series, or none that can be used: reading it says why in its own words.
        self._workspace.open_image(path)
