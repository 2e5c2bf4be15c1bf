"""Welcome: what a new user sees in the place of the views; open a scan, or the built-in case."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from cryoplan import RESEARCH_USE, __version__
from cryoplan.app.workspace import Workspace


class Welcome(QWidget):
    """The page before a case is open; while one is being read it says so."""

    open_folder_requested = Signal()
    open_file_requested = Signal()
    demo_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._workspace = workspace
        title = QLabel("cryoplan")
        title.setObjectName("welcomeTitle")
        what = QLabel("A planning desk for percutaneous cryoablation")
        what.setObjectName("muted")
        self.demo = _button("Open the demonstration case", "A made abdomen with a tumour and a first plan")
        self.demo.setProperty("primary", True)
        self.folder = _button("Open a scan: DICOM folder...", "Ctrl+O")
        self.file = _button("Open a scan: image file...", "NIfTI, NRRD or MetaImage; Ctrl+Shift+O")
        self.demo.clicked.connect(self.demo_requested)
        self.folder.clicked.connect(self.open_folder_requested)
        self.file.clicked.connect(self.open_file_requested)
        self._hint = QLabel("or drop a folder, an image or a saved case anywhere in this window")
        self._hint.setObjectName("muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName("Progress of opening")
        small = QLabel(f"{RESEARCH_USE}  ·  version {__version__}")
        small.setObjectName("muted")

        column = QVBoxLayout()
        column.setSpacing(10)
        for widget in (title, what, self.demo, self.folder, self.file, self._hint, self._bar, small):
            if isinstance(widget, QLabel):
                widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(widget)
        column.insertSpacing(2, 14)
        column.insertSpacing(8, 10)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(column)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.addStretch(2)
        whole.addLayout(row)
        whole.addStretch(3)
        workspace.state_changed.connect(self._show_work)
        self._show_work()

    @property
    def hint(self) -> str:
        """The sentence below the buttons."""
        return self._hint.text()

    @Slot()
    def _show_work(self) -> None:
        busy = self._workspace.is_busy and self._workspace.case is None
        text = (
            f"{self._workspace.busy_text} ..."
            if busy
            else ("or drop a folder, an image or a saved case anywhere in this window")
        )
        if self._hint.text() != text:
            self._hint.setText(text)
        for button in (self.demo, self.folder, self.file):
            button.setEnabled(not busy)
        # Invisible rather than hidden, so that nothing moves when the work begins.
        fraction = self._workspace.progress.fraction if self._workspace.progress is not None else 0.0
        self._bar.setRange(0, 1000 if fraction > 0.0 or not busy else 0)
        self._bar.setValue(round(1000 * fraction) if busy else 0)
        self._bar.setProperty("idle", not busy)
        self._bar.style().unpolish(self._bar)
        self._bar.style().polish(self._bar)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(text.rstrip("."))
    button.setToolTip(tip)
    button.setMinimumWidth(340)
    return button
