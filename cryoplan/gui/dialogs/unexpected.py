"""Unexpected: one plain dialog for errors that nobody expected; more of them are counted, not piled up."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from cryoplan.app.crash import SAFE, WHAT, Unexpected
from cryoplan.gui.parts import Text
from cryoplan.gui.words import say

KEPT = 10
"""Different errors whose details are kept while the dialog is open."""


class UnexpectedDialog(QDialog):
    """Says that something went wrong and that the case is safe; does not stop the work in the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Something unexpected happened"))
        self.setModal(False)
        self.setMinimumWidth(460)
        self._found: dict[str, Unexpected] = {}
        self._times = 0
        self.message = Text("", wrap=True)
        self.message.setAccessibleName(say("What happened"))
        self.shown = QPlainTextEdit()
        self.shown.setReadOnly(True)
        self.shown.setAccessibleName(say("Details without patient data"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton(say("Copy details"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setToolTip(
            say("Copies versions and where in the program it happened, without patient data")
        )
        self.copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.addWidget(Text(WHAT, bold=True, scale=1.2))
        column.addWidget(self.message)
        column.addWidget(self.shown, 1)
        column.addWidget(buttons)

    @property
    def times(self) -> int:
        """How many errors have come since the dialog was opened."""
        return self._times

    @property
    def details(self) -> str:
        """What "Copy details" copies."""
        return "\n\n".join(
            one.details if one.times == 1 else f"{one.times} times:\n{one.details}"
            for one in self._found.values()
        )

    def add(self, found: Unexpected) -> None:
        """Show one more error in this dialog, or count it if its like is shown already."""
        if not self.isVisible():
            self._found.clear()
            self._times = 0
        self._times += 1
        if found.details in self._found or len(self._found) < KEPT:
            self._found[found.details] = found
        often = "" if self._times == 1 else f" It has happened {self._times} times."
        self.message.setText(
            say(
                f"{SAFE} You can go on; if it comes back, save a copy and start the program again, and "
                f"report it with the details. They hold no patient data.{often}"
            )
        )
        self.shown.setPlainText(self.details)
        self.show()

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.details)


class Teller(QObject):
    """Brings errors of any thread to the dialog on the window's thread.

    Parameters
    ----------
    parent : QWidget
        The window that the dialog belongs to; both must live on the application's thread.
    """

    _met = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self.dialog: UnexpectedDialog | None = None
        # Queued from every thread, the window's too: an error in the middle of painting must not open a
        # dialog there and then.
        self._met.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def tell(self, found: Unexpected) -> None:
        """Take an error from whatever thread met it."""
        self._met.emit(found)

    @Slot(object)
    def _show(self, found: Unexpected) -> None:
        if self.dialog is None:
            self.dialog = UnexpectedDialog(self._window)
        self.dialog.add(found)
