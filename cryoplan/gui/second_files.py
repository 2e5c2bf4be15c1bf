"""Second files: the questions around a second image - which one, and whether what differs is agreed to.

The first image's dialogs are used. `SecondFiles.add_path` is the one way in: whoever has a path, and the
series and the warnings that were agreed to, gives them there.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from cryoplan.app.second import Offer
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Level
from cryoplan.gui.dialogs.open_series import choose_series
from cryoplan.gui.files import IMAGES
from cryoplan.image.series import PathDescription, SeriesDescription

ADD = "Show it all the same"


class SecondFiles(QObject):
    """Asks for a second image and hands it to the workspace.

    Parameters
    ----------
    window : QWidget
        What dialogs stand before.
    """

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        workspace.second.listed.connect(self._choose)
        workspace.second.asked.connect(self._ask)

    def add(self) -> None:
        """Ask where the second image is: a folder with DICOM files, or a file."""
        if not self._workspace.need_case():
            return
        box = QMessageBox(self._window)
        box.setWindowTitle("Add second image")
        box.setText("Where is the second image?")
        box.setInformativeText(
            "It is shown over the first one. Both must lie in one frame of reference: nothing is registered."
        )
        folder = box.addButton("DICOM folder...", QMessageBox.ButtonRole.AcceptRole)
        file = box.addButton("Image file...", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(folder)
        box.exec()
        pressed = box.clickedButton()
        box.deleteLater()
        path = ""
        if pressed is folder:
            path = QFileDialog.getExistingDirectory(self._window, "Add second image")
        elif pressed is file:
            path, _ = QFileDialog.getOpenFileName(self._window, "Add second image", "", IMAGES)
        if path:
            self.add_path(Path(path))

    def add_path(
        self, path: Path, series_uid: str | None = None, accept: tuple[str, ...] | None = None
    ) -> None:
        """Show an image over the first one; asks which series and about warnings where these are left out.

        Parameters
        ----------
        accept : tuple of str or None
            Codes of the import's warnings that were agreed to already; None to look first and ask.
        """
        if accept is None:
            self._workspace.second.look_into(path.absolute())
        else:
            self._workspace.second.add(path.absolute(), series_uid, accept)

    @Slot(object, object)
    def _choose(self, path: Path, found: PathDescription) -> None:
        usable = [s for s in found.series if s.verdict != "refused"]
        if not usable:
            # Reading it says why in its own words.
            self._workspace.second.add(path)
            return
        uid = choose_series(found, self._window) if len(found.series) > 1 else usable[0].uid
        if uid is None:
            return
        series = next(s for s in usable if s.uid == uid)
        warned = tuple(f for f in (*found.findings, *series.findings) if f.level is Level.WARN)
        if warned and not self._may_show("\n\n".join(dict.fromkeys(f.text for f in warned)), _name(series)):
            return
        self._workspace.second.add(path, uid or None, tuple(dict.fromkeys(f.code for f in warned)))

    @Slot(object)
    def _ask(self, offer: Offer) -> None:
        reasons = "\n\n".join(f.text for f in offer.partner.differences)
        note = (
            "It would be shown at the place that its own header states. Compare landmarks in both images "
            "before you rely on it. Your yes is kept in the history and printed in the PDF."
        )
        if self._may_show(f"{reasons}\n\n{note}", offer.name):
            self._workspace.second.agree(offer)
        else:
            self._workspace.message.emit(f"{offer.name} was not added.")

    def _may_show(self, text: str, name: str) -> bool:
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Add second image")
        box.setText(f"Show {name} over the first image?")
        box.setInformativeText(text)
        agree = box.addButton(ADD, QMessageBox.ButtonRole.AcceptRole)
        leave = box.addButton("Do not add", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(leave)
        box.setEscapeButton(leave)
        box.exec()
        said = box.clickedButton() is agree
        box.deleteLater()
        return said


def _name(series: SeriesDescription) -> str:
    return series.description or series.modality or "it"
