"""Second files: the questions around a second image - which one, and whether what differs is agreed to.

The first image's dialogs are used: `Opening` finds the series and asks about what was noticed in it.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from cryoplan.app.second import Offer
from cryoplan.app.workspace import Workspace
from cryoplan.gui.files import IMAGES
from cryoplan.gui.opening import Opening, is_volume_file
from cryoplan.gui.words import say
from cryoplan.image.series import SeriesDescription

ADD = "Show it all the same"


class SecondFiles(QObject):
    """Asks for a second image and hands it to the workspace.

    Parameters
    ----------
    window : QWidget
        What dialogs stand before.
    opening : Opening
        Finds the series at a path.
    """

    def __init__(self, workspace: Workspace, window: QWidget, opening: Opening) -> None:
        super().__init__(window)
        self._workspace, self._window, self._opening = workspace, window, opening
        workspace.second.asked.connect(self._ask)

    def add(self) -> None:
        """Ask where the second image is: a folder with DICOM files, or a file."""
        if not self._workspace.need_case():
            return
        box = QMessageBox(self._window)
        box.setWindowTitle(say("Add second image"))
        box.setText(say("Where is the second image?"))
        box.setInformativeText(
            say(
                "It is shown over the first one. Both must lie in one frame of reference: nothing is "
                "registered."
            )
        )
        folder = box.addButton(say("DICOM folder..."), QMessageBox.ButtonRole.AcceptRole)
        file = box.addButton(say("Image file..."), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(folder)
        box.exec()
        pressed = box.clickedButton()
        box.deleteLater()
        path = ""
        if pressed is folder:
            path = QFileDialog.getExistingDirectory(self._window, say("Add second image"))
        elif pressed is file:
            path, _ = QFileDialog.getOpenFileName(self._window, say("Add second image"), "", say(IMAGES))
        if path:
            self.add_path(Path(path))

    def add_path(self, path: Path) -> None:
        """Show an image over the first one; asks which series and about warnings, as for the first image."""
        if is_volume_file(path):
            self._workspace.second.add(path.absolute())
        else:
            self._opening.choose(path.absolute(), self._take)

    def _take(self, _: SeriesDescription, path: Path, name: str | None, accept: tuple[str, ...]) -> None:
        self._workspace.second.add(path, name, accept)

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
        box.setWindowTitle(say("Add second image"))
        box.setText(say(f"Show {name} over the first image?"))
        box.setInformativeText(say(text))
        agree = box.addButton(ADD, QMessageBox.ButtonRole.AcceptRole)
        leave = box.addButton(say("Do not add"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(leave)
        box.setEscapeButton(leave)
        box.exec()
        said = box.clickedButton() is agree
        box.deleteLater()
        return said
