"""Welcome: what one sees before a case is open; cases to go on with, a scan to open, the built-in case."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from cryoplan import RESEARCH_USE, __version__
from cryoplan.app.shelf import Shelf
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Finding
from cryoplan.gui.case_list import CaseList, possible
from cryoplan.gui.parts import Text, indicator_style
from cryoplan.gui.words import say

HINT = "or drop a folder, an image or a saved case anywhere in this window"

BUTTON_WIDTH = 340

FORGETS = "cryoplan forgets which cases you had open. Their files stay where they are."


class Welcome(QWidget):
    """The page before a case is open; while one is being read it says so.

    Signals
    -------
    case_asked : str, Path
        See `cryoplan.gui.case_list.CaseList.asked`.
    """

    open_folder_requested = Signal()
    open_file_requested = Signal()
    open_case_requested = Signal()
    demo_requested = Signal()
    case_asked = Signal(str, object)

    def __init__(self, workspace: Workspace, shelf: Shelf, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._workspace, self._shelf = workspace, shelf
        title = QLabel(say("cryoplan"))
        title.setObjectName("welcomeTitle")
        what = QLabel(say("A planning desk for percutaneous cryoablation"))
        what.setObjectName("muted")
        small = QLabel(say(f"{RESEARCH_USE}  ·  version {__version__}"))
        small.setObjectName("muted")
        self._hint = QLabel(say(HINT))
        self._hint.setObjectName("muted")
        for label in (title, what, self._hint, small):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName(say("Progress of opening"))
        self.notice = Text("", "warn", wrap=True)
        self._cases = self._make_cases()
        scans = self._make_scans()

        column = self._column = QVBoxLayout()
        column.setSpacing(8)
        for widget in (title, what, self.notice, self._cases, scans, self._hint, self._bar, small):
            column.addWidget(widget)
        column.insertSpacing(2, 6)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(column, 10)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.addStretch(2)
        whole.addLayout(row)
        whole.addStretch(3)
        workspace.state_changed.connect(self._show_work)
        shelf.changed.connect(self._show_cases)
        self._show_cases()
        self._show_work()

    def _make_scans(self) -> QWidget:
        self.demo = _button("Open the demonstration case", "A made abdomen with a tumour and a first plan")
        self.folder = _button("Open a scan: DICOM folder...", "Ctrl+O")
        self.file = _button("Open a scan: image file...", "NIfTI, NRRD or MetaImage; Ctrl+Shift+O")
        self.demo.clicked.connect(self.demo_requested)
        self.folder.clicked.connect(self.open_folder_requested)
        self.file.clicked.connect(self.open_file_requested)
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(8)
        for button in (self.demo, self.folder, self.file):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        return box

    def _make_cases(self) -> QWidget:
        self.list = CaseList()
        self.list.asked.connect(self.case_asked)
        self.list.currentRowChanged.connect(self._show_possible)
        self.open = _button("Open", "Enter or double click", wide=0)
        self.open.clicked.connect(lambda: self.list.ask("open"))
        self.more = _button("More", "Rename, duplicate, copy, delete; also with a right click", wide=0)
        self.more.setAccessibleName(say("More to do with this case"))
        self.more.clicked.connect(self._show_more)
        self.other = _button("Open another case...", "A case file that is not in the list", wide=0)
        self.other.clicked.connect(self.open_case_requested)
        self.remember = QCheckBox(say("Remember cases"))
        self.remember.setStyleSheet(indicator_style())
        self.remember.setChecked(self._shelf.recent.remembers)
        self.remember.setToolTip(say(f"Switched off, {FORGETS}"))
        self.remember.setAccessibleDescription(say(FORGETS))
        self.remember.clicked.connect(self._remember)
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (self.open, self.more, self.other):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.remember)
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        return box

    @property
    def hint(self) -> str:
        """The sentence below the buttons."""
        return self._hint.text()

    def show_notice(self, finding: Finding | None) -> None:
        """Say what is wrong with the user's settings."""
        self.notice.say("" if finding is None else finding.text)
        self.notice.setVisible(finding is not None)

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the cases anew."""
        super().showEvent(event)
        self._shelf.refresh()
        self.list.setFocus()

    @Slot()
    def _show_cases(self) -> None:
        rows = self._shelf.rows
        self.list.show_rows(rows)
        if self.list.isHidden() == bool(rows):
            for widget in (self.list, self.open, self.more):
                widget.setVisible(bool(rows))
            # Without a list its row is as narrow as the buttons below, not torn to both ends.
            middle = Qt.AlignmentFlag(0) if rows else Qt.AlignmentFlag.AlignHCenter
            self._column.setAlignment(self._cases, middle)
            self._cases.setMinimumWidth(0 if rows else BUTTON_WIDTH)
            if rows and self.isVisible():
                self.list.setFocus()
        # Before there is a case, the built-in one is the way in.
        if bool(self.demo.property("primary")) == bool(rows):
            for button, primary in ((self.demo, not rows), (self.open, bool(rows))):
                button.setProperty("primary", primary)
                button.style().unpolish(button)
                button.style().polish(button)
        self._show_possible()

    @Slot()
    def _show_possible(self) -> None:
        row = self.list.chosen
        busy = self._is_busy
        self.open.setEnabled(row is not None and "open" in possible(row) and not busy)
        self.more.setEnabled(row is not None and not busy)

    @Slot()
    def _show_more(self) -> None:
        menu = self.list.menu()
        if menu is not None:
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    @Slot(bool)
    def _remember(self, yes: bool) -> None:
        self._shelf.recent.remember(yes)
        self._shelf.refresh()

    @property
    def _is_busy(self) -> bool:
        return self._workspace.is_busy and self._workspace.case is None

    @Slot()
    def _show_work(self) -> None:
        busy = self._is_busy
        text = f"{self._workspace.busy_text} ..." if busy else HINT
        if self._hint.text() != text:
            self._hint.setText(say(text))
        for widget in (self.demo, self.folder, self.file, self.other, self.list):
            widget.setEnabled(not busy)
        self._show_possible()
        # Invisible rather than hidden, so that nothing moves when the work begins.
        fraction = self._workspace.progress.fraction if self._workspace.progress is not None else 0.0
        self._bar.setRange(0, 1000 if fraction > 0.0 or not busy else 0)
        self._bar.setValue(round(1000 * fraction) if busy else 0)
        self._bar.setProperty("idle", not busy)
        self._bar.style().unpolish(self._bar)
        self._bar.style().polish(self._bar)


def _button(text: str, tip: str, wide: int = BUTTON_WIDTH) -> QPushButton:
    button = QPushButton(say(text))
    button.setAccessibleName(say(text.rstrip(".")))
    button.setToolTip(say(tip))
    button.setMinimumWidth(wide)
    return button
