"""Export dialog: what leaves the program, where to, and whose name is on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from cryoplan.app.settings import Settings
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.gui.dialogs.answers import add_answers
from cryoplan.gui.parts import Heading, Text
from cryoplan.gui.words import say
from cryoplan.workflow.export import DICOM_KINDS, KINDS, files_in_the_way

PART = "export"
PAPER = ("pdf", "sheet")
GROUPS = (
    ("To read", PAPER),
    ("Into the study of the scan (DICOM)", DICOM_KINDS),
    ("For other programs", tuple(name for name in KINDS if name not in (*PAPER, *DICOM_KINDS))),
)
NAMED = (
    "DICOM files bear the patient's name and number, copied from the scan, so that an archive takes them. "
    "All other files bear the code of the case only."
)
NO_STUDY = "Not possible: the scan was not read from DICOM files, so there is no study to put them in."
MOVED = "The DICOM files of the scan are not where they were."


@dataclass
class LastChoice:
    """The part of the settings: what was exported last time."""

    kinds: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user asked for."""

    folder: Path
    kinds: tuple[str, ...]
    replace: bool
    image: Path | None


class ExportDialog(QDialog):
    """Boxes for every kind, in groups; a folder; where the scan is, if that is not known any more."""

    def __init__(self, case: Case, settings: Settings | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings or Settings()
        self.setWindowTitle(say("Export files"))
        self.setMinimumWidth(640)
        self._image: Path | None = None
        self._buttons: dict[str, QPushButton] = {}
        self.replace = False
        self._has_study = case.scan.facts.kind == "dicom-series"
        self._is_moved = self._has_study and not Path(case.scan.facts.path).exists()
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(5)
        self.boxes: dict[str, QCheckBox] = {}
        self._add_boxes(column)
        self._add_all_or_none(column)
        column.addWidget(Heading("Folder"))
        self.folder = self._row(column, "Folder", self._choose_folder)
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        self.folder.setText(str(Path(documents) / f"{case.code} export"))
        self.folder.textChanged.connect(self._look)
        self.accept_button = add_answers(self, column, "Export")
        self._look()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are ticked and possible."""
        return tuple(name for name, box in self.boxes.items() if box.isChecked() and box.isEnabled())

    @property
    def wanted(self) -> Wanted:
        """What is asked for as the dialog stands."""
        return Wanted(
            folder=Path(self.folder.text().strip()),
            kinds=self.kinds,
            replace=self.replace,
            image=self._image,
        )

    def accept(self) -> None:
        """Ask about files that would be replaced, then close."""
        wanted = self.wanted
        there = files_in_the_way(wanted.folder, wanted.kinds)
        if there:
            names = ", ".join(there[:4]) + (f" and {len(there) - 4} more" if len(there) > 4 else "")
            question = f"{wanted.folder.name} holds {names} already. Replace?"
            if (
                QMessageBox.question(self, say("Replace files"), say(question))
                != QMessageBox.StandardButton.Yes
            ):
                return
        self.replace = bool(there)
        # What this scan cannot give is wanted again for the next one, perhaps.
        ticked = [name for name, box in self.boxes.items() if box.isChecked()]
        self._settings.write(PART, LastChoice(kinds=ticked))
        super().accept()

    def _add_boxes(self, column: QVBoxLayout) -> None:
        last = self._settings.read(PART, LastChoice).kinds
        for title, names in GROUPS:
            column.addWidget(Heading(title))
            # In two columns: the whole dialog has to fit a screen of 720 lines.
            grid = QGridLayout()
            grid.setVerticalSpacing(4)
            rows = (len(names) + 1) // 2
            for number, name in enumerate(names):
                box = QCheckBox(say(KINDS[name].title))
                box.setChecked(last is None or name in last)
                box.setAccessibleName(say(KINDS[name].title))
                box.toggled.connect(self._look)
                self.boxes[name] = box
                grid.addWidget(box, number % rows, number // rows)
            column.addLayout(grid)
            if names == DICOM_KINDS:
                self._add_study(column)

    def _add_all_or_none(self, column: QVBoxLayout) -> None:
        row = QHBoxLayout()
        for words, tick in (("Tick all", self._tick_all), ("Tick none", self._tick_none)):
            button = QPushButton(say(words))
            button.setAutoDefault(False)
            button.clicked.connect(tick)
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)

    @Slot()
    def _tick_all(self) -> None:
        for box in self.boxes.values():
            box.setChecked(True)

    @Slot()
    def _tick_none(self) -> None:
        for box in self.boxes.values():
            box.setChecked(False)

    def _add_study(self, column: QVBoxLayout) -> None:
        self.about_names = Text(NAMED if self._has_study else NO_STUDY, "muted", wrap=True, scale=0.93)
        column.addWidget(self.about_names)
        self.moved = Text(MOVED, "warn", wrap=True, scale=0.93)
        column.addWidget(self.moved)
        self.image = self._row(column, "Folder of the scan", self._choose_image)
        self.image.setReadOnly(True)
        self.image.setPlaceholderText(say("Where is the scan now?"))
        for part in (self.moved, self.image, self._buttons["Folder of the scan"]):
            part.setVisible(self._is_moved)

    def _row(self, column: QVBoxLayout, name: str, choose: Callable[[], None]) -> QLineEdit:
        line = QLineEdit()
        line.setAccessibleName(say(name))
        button = QPushButton(say("Choose..."))
        button.setAccessibleName(say(f"Choose: {name.lower()}"))
        button.setAutoDefault(False)
        button.clicked.connect(choose)
        row = QHBoxLayout()
        row.addWidget(line, 1)
        row.addWidget(button)
        column.addLayout(row)
        self._buttons[name] = button
        return line

    @Slot()
    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, say("Export to"), self.folder.text())
        if path:
            self.folder.setText(path)

    @Slot()
    def _choose_image(self) -> None:
        path = QFileDialog.getExistingDirectory(self, say("Folder of the scan"))
        if path:
            self._image = Path(path)
            self.image.setText(path)
            self._look()

    @Slot()
    def _look(self) -> None:
        """Let only what can be done be asked for."""
        can = self._has_study and (not self._is_moved or self._image is not None)
        for name in DICOM_KINDS:
            self.boxes[name].setEnabled(can)
        folder = self.folder.text().strip()
        self.accept_button.setEnabled(bool(self.kinds) and Path(folder).is_absolute())
        self.accept_button.setToolTip(say("" if self.kinds else "Nothing is ticked"))


def ask_export(workspace: Workspace, parent: QWidget | None = None) -> Wanted | None:
    """Ask what to export and where to; None when nothing is to be."""
    if workspace.case is None:
        return None
    dialog = ExportDialog(workspace.case, parent=parent)
    try:
        return dialog.wanted if dialog.exec() == QDialog.DialogCode.Accepted else None
    finally:
        dialog.deleteLater()
