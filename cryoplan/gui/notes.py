"""Notes: what the user writes about a case; every pause in writing is one step of the history."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QPlainTextEdit

from cryoplan.app.workspace import Workspace
from cryoplan.gui.words import say

PAUSE_MS = 1500
LINES = 4


class Notes(QPlainTextEdit):
    """A few lines of text that live in the case file.

    They are kept after a pause and when the field is left. While somebody writes, nothing that comes from the
    file replaces the words.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setPlaceholderText(say("Notes on this case; they stay in its file"))
        self.setAccessibleName(say("Notes on this case"))
        self.setTabChangesFocus(True)
        self.setFixedHeight(LINES * self.fontMetrics().lineSpacing() + 14)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.keep)
        self.textChanged.connect(self._pause.start)
        workspace.file_changed.connect(self.show_kept)
        self.show_kept()

    @Slot()
    def keep(self) -> None:
        """Write what stands here into the case file, if it is something else."""
        self._pause.stop()
        self._workspace.write_notes(self.toPlainText())

    @Slot()
    def show_kept(self) -> None:
        """Show the notes of the file, unless something is being written."""
        kept = self._workspace.keeper.kept
        self.setEnabled(kept.path is not None)
        self.setReadOnly(kept.read_only)
        if not self._pause.isActive() and not kept.waiting and kept.notes != self.toPlainText():
            self.blockSignals(True)
            self.setPlainText(kept.notes)
            self.blockSignals(False)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keep what was written as soon as the field is left."""
        super().focusOutEvent(event)
        if self._pause.isActive():
            self.keep()
