"""Card section: what is known of the chosen structure, and whether somebody has reviewed it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan.app.carding import Carding
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.gui.card_rows import findings_of, origin, short_rows, whole_rows
from cryoplan.gui.parts import STALE, Text
from cryoplan.gui.rows import Findings, Rows
from cryoplan.gui.words import say

MEASURING = "measuring ..."


class CardSection(QWidget):
    """A few lines about the chosen structure; a button shows all of them.

    Parameters
    ----------
    carding : Carding
        Which structure is chosen, and its card.

    Signals
    -------
    menu_requested : str, QPoint
        What can be done to the structure is to be shown, at a place of the screen.
    """

    menu_requested = Signal(str, QPoint)

    def __init__(self, workspace: Workspace, view: ViewState, carding: Carding) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self.carding = carding
        self.reviewed = QCheckBox(say("Reviewed"))
        self.reviewed.setToolTip(
            say("You have looked at this outline and it is right. Changing it takes the mark away.")
        )
        self.reviewed.toggled.connect(self._review)
        self.state = Text("", "muted", wrap=True, scale=0.93)
        self.rows = Rows(value_px=70, limit_px=0, on_press=self._go_to)
        self.findings = Findings()
        self.origin = Text("", "muted", wrap=True, scale=0.93)
        self.opener = QPushButton(say("All measurements"))
        self.opener.setCheckable(True)
        self.opener.toggled.connect(self.refresh)
        self.changer = QPushButton(say("Change..."))
        self.changer.setToolTip(say("Rename it, give it another role, or delete it"))
        self.changer.clicked.connect(self._show_menu)
        foot = QHBoxLayout()
        foot.setSpacing(4)
        foot.addWidget(self.opener, 1)
        foot.addWidget(self.changer, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 0, 0, 8)
        column.setSpacing(3)
        for part in (self.state, self.rows, self.findings, self.origin, self.reviewed):
            column.addWidget(part)
        column.addLayout(foot)

    @Slot()
    def refresh(self) -> None:
        """Show the card that there is, grey while the structure has changed since."""
        case, name = self._workspace.case, self.carding.name
        self.setVisible(case is not None and bool(name))
        if case is None or not name:
            return
        carded, current = self.carding.shown, self.carding.is_current
        is_whole = self.opener.isChecked()
        self.opener.setText(say("Fewer" if is_whole else "All measurements"))
        self.opener.setAccessibleName(say(f"{self.opener.text()} of {name}"))
        self.opener.setVisible(carded is not None)
        self.state.setVisible(not current)
        self.state.say(f"! {self.carding.trouble}" if self.carding.trouble else MEASURING, STALE)
        for part in (self.rows, self.findings):
            part.setVisible(carded is not None)
        self.origin.setVisible(carded is not None and is_whole)
        if carded is not None:
            card = carded.card
            self.rows.show_all(whole_rows(card) if is_whole else short_rows(card), stale=not current)
            self.findings.show_findings(findings_of(card), stale=not current)
            self.origin.say(origin(carded), "muted" if current else STALE)
        structure = case.structure(name)
        self.reviewed.setAccessibleName(say(f"{name} is reviewed"))
        self.changer.setAccessibleName(say(f"Rename {name}, give it another role, or delete it"))
        self.reviewed.setEnabled(self._workspace.keeper.may_edit)
        with QSignalBlocker(self.reviewed):
            self.reviewed.setChecked(structure.is_reviewed)

    @Slot()
    def _show_menu(self) -> None:
        below = self.changer.mapToGlobal(self.changer.rect().bottomLeft())
        self.menu_requested.emit(self.carding.name, below)

    @Slot(bool)
    def _review(self, is_reviewed: bool) -> None:
        if not self._workspace.set_reviewed(self.carding.name, is_reviewed):
            self.refresh()

    def _go_to(self, point: Point) -> None:
        self._view.cursor_mm = point
