"""Opening: from a path to the scan of a case - look through it, choose, agree, ask about another patient."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QDialog, QMessageBox, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.surveying import Surveying
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.core.finding import Finding
from cryoplan.gui.dialogs.consent import ask_consent
from cryoplan.gui.dialogs.open_series import OpenSeriesDialog
from cryoplan.gui.words import say
from cryoplan.image.candidate import opens_without_question
from cryoplan.image.series import PathDescription, SeriesDescription
from cryoplan.workflow import consent

VOLUME_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Files that hold one image: there is nothing to choose."""

Take = Callable[[SeriesDescription, Path, str | None, tuple[str, ...]], None]


def is_volume_file(path: Path) -> bool:
    """Tell whether a path is a file that holds one image by its name."""
    return path.name.lower().endswith(VOLUME_ENDINGS) and not path.is_dir()


class Opening(QObject):
    """One image at a time is on its way into the window; the case that is open stays until it is there.

    Parameters
    ----------
    window : QWidget
        What dialogs stand before.
    """

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self.dialog: OpenSeriesDialog | None = None
        self.make_surveying: Callable[[Path], Surveying] = Surveying
        # They live until their threads have ended, so that nothing is told by an object that is gone.
        self._surveyings: list[Surveying] = []
        self._agreed_code = ""
        self._then: Take = self._open
        workspace.consent_needed.connect(self._ask_consent)
        workspace.may_replace = self.may_replace

    def open(self, path: Path) -> None:
        """Open an image file at once; of anything else show what it holds while it is read."""
        self._agreed_code = ""
        if is_volume_file(path):
            if self.dialog is not None:
                self.dialog.reject()
            self._workspace.open_image(path)
        else:
            self.choose(path, self._open)

    def choose(self, path: Path, then: Take) -> None:
        """Show what a path holds while it is read, and hand on the series that is chosen.

        Parameters
        ----------
        then : callable
            ``(series, path to read, which series of it, codes that were agreed to)``.
        """
        if self.dialog is not None:
            self.dialog.reject()
        self._then = then
        surveying = self.make_surveying(path)
        self._surveyings = [s for s in self._surveyings if s.is_running] + [surveying]
        self.dialog = dialog = OpenSeriesDialog(surveying, self._window)
        dialog.described.connect(self._described)
        dialog.failed.connect(self._failed)
        dialog.finished.connect(self._closed)
        dialog.open()

    def close(self) -> None:
        """Give up what is being looked through."""
        if self.dialog is not None:
            self.dialog.reject()
        for surveying in self._surveyings:
            surveying.stop()
            surveying.wait(WAIT_S)

    def may_replace(self, case: Case) -> bool:
        """Tell whether a scan that was read may take the place of the case; asks where work is at stake."""
        return self._may_replace(case.code, case.scan.facts.kind == "dicom-series")

    def _may_replace(self, code: str, is_dicom: bool) -> bool:
        present, steps = self._workspace.case, self._workspace.keeper.undo_count
        if present is None or not steps or present.code == code or self._agreed_code == code:
            return True
        known = is_dicom and present.scan.facts.kind == "dicom-series"
        if not ask_another_patient(code, present.code, steps, known=known, parent=self._window):
            return False
        self._agreed_code = code
        return True

    @Slot(object)
    def _described(self, found: PathDescription) -> None:
        """Close the dialog where there is nothing to choose."""
        dialog = self.dialog
        if dialog is None:
            return
        is_drawn = found.kind in ("dicom-seg", "rtstruct")
        if is_drawn and self._workspace.case is not None and self._then == self._open:
            path = dialog.path
            dialog.reject()
            self._workspace.add_structures(path)
        elif not dialog.is_touched and opens_without_question(found):
            dialog.accept()

    @Slot(int)
    def _closed(self, result: int) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is None:
            return
        dialog.deleteLater()
        series = dialog.chosen
        if result == QDialog.DialogCode.Accepted and series is not None and dialog.found is not None:
            path, name = place_of(series, dialog.found, dialog.path)
            self._then(series, path, name, dialog.accepted_codes)

    def _open(self, series: SeriesDescription, path: Path, name: str | None, accept: tuple[str, ...]) -> None:
        is_dicom = series.kind == "dicom-series"
        # A file that names no patient is compared once it is read: its pseudonym is made of its bytes.
        if is_dicom and not self._may_replace(series.patient_code, is_dicom):
            self._workspace.message.emit("The image was not opened; the case is as it was")
            return
        self._workspace.open_image(path, name, accept=accept)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._workspace.failed.emit(failure)

    @Slot(object, object)
    def _ask_consent(self, asked: dict[str, Any], findings: tuple[Finding, ...]) -> None:
        """Ask about what showed only while the image was read; a no leaves everything as it was."""
        title = Path(asked["path"]).name if not Path(asked["path"]).is_dir() else "The image"
        if not ask_consent(findings, title, self._window):
            self._workspace.message.emit("The image was not opened; the case is as it was")
            return
        codes = tuple(dict.fromkeys((*asked["accept"], *consent.codes(findings))))
        if "structures" in asked:
            self._workspace.open_image(asked["path"], asked["series_uid"], asked["structures"], accept=codes)
        else:
            self._workspace.second.add(asked["path"], asked["series_uid"], codes)


WAIT_S = 2.0


def place_of(series: SeriesDescription, found: PathDescription, path: Path) -> tuple[Path, str | None]:
    """Return what to read for a series that was chosen at a path, and which series of it.

    The narrowest folder is read, so that nobody waits for the headers of other patients once more; but where
    anything was found that speaks of more than this series, all of it is read and found again.
    """
    if series.kind != "dicom-series":
        if path.is_file() and series.path != str(path):
            return path, Path(series.path).relative_to(path).as_posix()  # a file in a zip
        return Path(series.path), None
    is_clean = series.verdict == "ok" and not consent.to_agree(found.findings)
    narrow = Path(series.folder) if is_clean and series.folder and path.is_dir() else path
    return narrow, series.uid or None


def ask_another_patient(
    code: str, present: str, steps: int, *, known: bool, parent: QWidget | None = None
) -> bool:
    """Ask whether an image of another patient takes the place of a case with work in it.

    Parameters
    ----------
    code, present : str
        Pseudonyms of the image and of the case that is open.
    steps : int
        Of the history of the case.
    known : bool
        False when one of the two names no patient, so that nobody can tell.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(say("Another patient"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(
        say(
            f"This is an image of another patient ({code}); the open case is {present}."
            if known
            else f"Nothing tells that this image ({code}) is of the patient of the open case ({present})."
        )
    )
    work = "1 step" if steps == 1 else f"{steps} steps"
    box.setInformativeText(
        say(
            f"Opened, it becomes a case of its own with an empty plan. Case {present} closes: its work "
            f"({work}) stays in its file, and it stays in the list of cases."
        )
    )
    yes = box.addButton(say("Open as a new case"), QMessageBox.ButtonRole.AcceptRole)
    no = box.addButton(say(f"Stay with {present}"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.exec()
    answer = box.clickedButton() is yes
    box.deleteLater()
    return answer
