"""Banner: an error says what happened and what to do, above the views; it never stops the work."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from cryoplan import __version__
from cryoplan.app.jobs import Failure
from cryoplan.scene.style import Palette


class Banner(QFrame):
    """Hidden until something goes wrong."""

    def __init__(self, palette: Palette, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._details = ""
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setAccessibleName("What went wrong")
        sign = QLabel("✕")
        sign.setStyleSheet(f"color: {palette.fail}; font-weight: bold; font-size: 16px;")
        self.copy = copy = QPushButton("Copy details")
        copy.setToolTip("Copies what happened and where in the program, without patient data")
        copy.clicked.connect(self._copy)
        close = QPushButton("Close")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.addWidget(sign)
        row.addWidget(self._text, 1)
        row.addWidget(copy)
        row.addWidget(close)
        self.hide()

    @property
    def text(self) -> str:
        """What the banner says."""
        return self._text.text()

    @Slot(object)
    def show_failure(self, failure: Failure) -> None:
        """Show what happened and what to do."""
        place = f"{failure.place}: " if failure.place and failure.place not in failure.what else ""
        self._text.setText(f"{place}{failure.what} {failure.remedy}")
        # File names may hold a patient's name, so the details name the kind of error only.
        self._details = f"cryoplan {__version__}\ncode: {failure.code}\n{failure.details}".strip()
        self.show()

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
