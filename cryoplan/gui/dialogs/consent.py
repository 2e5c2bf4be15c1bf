"""Consent: an image that is not as it should be is opened only after a yes to what was found."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from cryoplan.core.finding import Finding
from cryoplan.gui.parts import Heading, Text, WidthLock
from cryoplan.gui.words import say
from cryoplan.workflow import consent

RECORDED = (
    "Your yes is written into the history of the case, stands above the views and is printed in the report."
)


class ConsentDialog(QDialog):
    """What is wrong, what will be done about it, and what that means for a plan; no is the default.

    Parameters
    ----------
    findings : sequence of Finding
        What has to be agreed to.
    title : str
        Which image, in words without a name.
    """

    def __init__(self, findings: Sequence[Finding], title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Open this image in spite of a warning?"))
        self.resize(620, min(210 + 180 * len(findings), 620))
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(8)
        column.addWidget(Text(title, bold=True, scale=1.08, wrap=True))
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 8, 0)
        inside.setSpacing(4)
        for finding in findings:
            self._add(inside, finding)
        inside.addStretch(1)
        area = QScrollArea()
        area.setWidget(content)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().installEventFilter(WidthLock(area))
        column.addWidget(area, 1)
        column.addWidget(Text(RECORDED, "muted", wrap=True))
        buttons = QDialogButtonBox()
        self.yes = QPushButton(say("Agree and open"))
        self.no = QPushButton(say("Do not open"))
        buttons.addButton(self.yes, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.no, QDialogButtonBox.ButtonRole.RejectRole)
        self.yes.setAutoDefault(False)
        self.no.setDefault(True)
        self.yes.clicked.connect(self.accept)
        self.no.clicked.connect(self.reject)
        column.addWidget(buttons)
        self.no.setFocus()

    def _add(self, column: QVBoxLayout, finding: Finding) -> None:
        terms = consent.terms(finding.code)
        column.addWidget(Text(f"! {terms.title}", "warn", bold=True, wrap=True))
        for heading, words in (
            ("What is wrong", consent.what_is_wrong(finding)),
            ("What will be done", terms.does),
            ("What it means for a plan", terms.means),
        ):
            column.addWidget(Heading(heading))
            column.addWidget(Text(words, wrap=True))
        column.addSpacing(10)


def ask_consent(findings: Sequence[Finding], title: str, parent: QWidget | None = None) -> bool:
    """Ask whether an image is opened in spite of what was found; Esc and the default are no."""
    dialog = ConsentDialog(findings, title, parent)
    try:
        return dialog.exec() == QDialog.DialogCode.Accepted
    finally:
        dialog.deleteLater()
