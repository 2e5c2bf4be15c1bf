"""Structures: what is outlined, what it is to the plan, what is shown, and which one is the target."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cryoplan.app.carding import Carding
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.case.structure import Role, Structure
from cryoplan.core.units import show_ml
from cryoplan.gui.numbers import outlined_ml
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.asked_roles import RolesSection
from cryoplan.gui.panels.card import CardSection
from cryoplan.gui.panels.draw import DrawSection
from cryoplan.gui.panels.find import FindSection
from cryoplan.gui.panels.structure_menu import StructureMenu
from cryoplan.gui.parts import Heading, Name, Swatch, Text, indicator_style
from cryoplan.gui.rows import Findings
from cryoplan.gui.words import say
from cryoplan.scene.style import theme

OPEN, CLOSED = "▾", "▸"
_KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Delete)


class StructuresPanel(Panel):
    """The list of structures."""

    add_structures_requested = Signal()
    outline_requested = Signal()

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Structures")
        head = QHBoxLayout()
        head.addWidget(Text("Structures", bold=True, scale=1.08))
        self._count = Text("", "muted")
        head.addWidget(self._count, 1)
        self.add(head)
        self.add_button = QPushButton(say("Add structures..."))
        self.add_button.setAccessibleName(say("Add structures"))
        self.add_button.setToolTip(
            say("Read a label map (NIfTI, NRRD, MetaImage) or a DICOM segmentation (Ctrl+L)")
        )
        self.add_button.clicked.connect(self.add_structures_requested)
        self.add(self.add_button)
        self.find = FindSection(workspace, view)
        self.add(self.find)
        self.outline_button = QPushButton(say("Outline with TotalSegmentator..."))
        self.outline_button.setAccessibleName(say("Outline with TotalSegmentator"))
        self.outline_button.setToolTip(
            say("Organs, vessels, bones and muscles by a program of its own, where it is installed")
        )
        self.outline_button.clicked.connect(self.outline_requested)
        self.add(self.outline_button)
        self.asked = RolesSection(workspace)
        self.add(self.asked)
        self.draw = DrawSection(workspace, view)
        self.add(self.draw)
        self._none = Text("", "muted", wrap=True)
        self.add(self._none)
        legend = QHBoxLayout()
        legend.setContentsMargins(0, 6, 0, 0)
        legend.addWidget(Text("shown", "muted", scale=0.85))
        legend.addStretch(1)
        legend.addWidget(Text("target", "muted", scale=0.85))
        self._legend = QWidget()
        self._legend.setLayout(legend)
        self.add(self._legend)
        self._list = QWidget()
        self._style = ""
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        self.add(self._list)
        self.carding = Carding(workspace, self)
        self.card = CardSection(workspace, view, self.carding)
        # Within the list from the start: shown by itself it would be a window.
        self.card.setParent(self._list)
        self.card.hide()
        self.carding.changed.connect(self._card_changed)
        self.menu = StructureMenu(workspace, self)
        self.card.menu_requested.connect(self.menu.show)
        workspace.reviews_changed.connect(self._soon.ask)
        self.rows: dict[str, StructureRow] = {}
        self._group = QButtonGroup(self)
        self._shown: Case | None = None
        self._heading = Heading("What was noticed")
        self.add(self._heading)
        self.findings = Findings("✓ Nothing unusual.")
        self.add(self.findings)

    def refresh(self) -> None:
        """Show the structures of the case."""
        case = self.workspace.case
        self._show_style()
        self.enable_edits(self.add_button, when=case is not None)
        self.find.refresh()
        self.draw.refresh()
        self.asked.refresh()
        has = case is not None and bool(case.structures)
        for part in (self._legend, self._list):
            part.setVisible(has)
        for part in (self._heading, self.findings):
            part.setVisible(case is not None)
        self._none.setVisible(not has)
        self._none.say("Open a scan first." if case is None else "Nothing is outlined yet.")
        self._count.say(f"{len(case.structures)} outlined" if case is not None and has else "")
        if case is not self._shown:
            self._rebuild(case)
        if case is None:
            return
        for name, row in self.rows.items():
            row.set_target(name == case.target_name)
            self.enable_edits(row.target)
            row.show_chosen(name == self.carding.name)
        self.card.refresh()
        self.findings.show_findings(case.findings)
        self.layers_changed()

    def _show_style(self) -> None:
        """Draw the indicators in the colours in use."""
        style = indicator_style()
        if style != self._style:
            self._style = style
            self._list.setStyleSheet(style)

    def layers_changed(self) -> None:
        """Follow what is shown."""
        self.find.layers_changed()
        for name, row in self.rows.items():
            row.set_shown(self.view.is_checked(f"structure:{name}"))

    def _rebuild(self, case: Case | None) -> None:
        self._shown = case
        # It outlives the rows: what is being read in it stays where it is.
        self._column.removeWidget(self.card)
        for row in self.rows.values():
            self._group.removeButton(row.target)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = {}
        for structure in sorted(case.structures, key=_importance) if case is not None else ():
            row = StructureRow(structure)
            row.shown.toggled.connect(self._show)
            row.target.clicked.connect(self._choose)
            row.opened.connect(self._open)
            row.menu_requested.connect(self.menu.show)
            row.rename_requested.connect(self.menu.rename)
            row.delete_requested.connect(self.menu.delete)
            self._group.addButton(row.target)
            self._column.addWidget(row)
            self.rows[structure.name] = row
        self._place_card()

    def _place_card(self) -> None:
        """Put the card below the row of its structure."""
        row = self.rows.get(self.carding.name)
        if row is None:
            self._column.removeWidget(self.card)
            self.card.hide()
        elif self._column.indexOf(self.card) != self._column.indexOf(row) + 1:
            self._column.removeWidget(self.card)
            self._column.insertWidget(self._column.indexOf(row) + 1, self.card)

    @Slot(str)
    def _open(self, name: str) -> None:
        """Show the card of a structure, or close it again."""
        self.carding.choose("" if name == self.carding.name else name)

    @Slot()
    def _card_changed(self) -> None:
        for name, row in self.rows.items():
            row.show_chosen(name == self.carding.name)
        if self.carding.name in ("", *self.rows):
            self._place_card()
            self.card.refresh()

    def _show(self, visible: bool) -> None:
        box = self.sender()
        self.view.set_layer(f"structure:{box.property('structure')}", visible)

    def _choose(self) -> None:
        name = str(self.sender().property("structure"))
        self.workspace.set_target(name)
        # The old target stays marked until the case has changed: margins are still its.
        self._soon.ask()


class StructureRow(QWidget):
    """Eye, colour, name, role and volume, target, and what opens its card.

    Signals
    -------
    opened : str
        The name was pressed: its card is to be shown, or closed.
    menu_requested : str, QPoint
        What can be done to it is to be shown, at a place of the screen.
    rename_requested, delete_requested : str
        Its key was pressed while the row has the focus.
    """

    opened = Signal(str)
    menu_requested = Signal(str, QPoint)
    rename_requested = Signal(str)
    delete_requested = Signal(str)

    def __init__(self, structure: Structure) -> None:
        super().__init__()
        name, role = structure.name, structure.role
        self._structure = name
        self.opener = QToolButton()
        self.opener.setAutoRaise(True)
        self.opener.setText(say(CLOSED))
        self.opener.setStyleSheet("border: none; background: transparent; padding: 0px;")
        self.opener.setFixedWidth(18)
        self.opener.setAccessibleName(say(f"Measurements of {name}"))
        self.opener.setToolTip(say("Size, depth, neighbours, and whether it is reviewed"))
        self.opener.clicked.connect(self._open)
        self.shown = QCheckBox()
        self.shown.setChecked(True)
        self.shown.setAccessibleName(say(f"Show {name}"))
        self.shown.setToolTip(say(f"Show {name} in the views"))
        self.shown.setProperty("structure", name)
        self.target = QRadioButton()
        self.target.setAccessibleName(say(f"{name} is the target"))
        self.target.setToolTip(say(f"Measure margins on {name}"))
        self.target.setProperty("structure", name)
        # Only a mass can be treated; the body, a bone or a vessel as target is a slip of the mouse.
        may = role in (Role.TUMOUR, Role.OTHER, Role.ORGAN, Role.KIDNEY)
        self.target.setVisible(may)
        self.name = Name(name, bold=role is Role.TUMOUR)
        guess = " ?" if structure.role_is_guess else ""
        seen = " · ✓" if structure.is_reviewed else ""
        self.words = Text(
            f"{role.value}{guess} · {show_ml(outlined_ml(structure))}{seen}", "muted", scale=0.93
        )
        why = "Role and tissue were guessed from the name.\n" if structure.role_is_guess else ""
        why = f"Reviewed.\n{why}" if seen else why
        self.words.setToolTip(say(f"{why}Computed as {structure.tissue}.\nFrom {structure.source}."))
        self.words.setAccessibleName(
            say(
                f"{name}: {role.value}{', guessed' if guess else ''}, {show_ml(outlined_ml(structure))}"
                f"{', reviewed' if seen else ''}"
            )
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 2)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        middle = Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(self.shown, 0, 0, 2, 1, middle)
        grid.addWidget(Swatch(theme().outline(role).colour), 0, 1, 2, 1, middle)
        grid.addWidget(self.name, 0, 2)
        grid.addWidget(self.words, 1, 2)
        grid.addWidget(self.target, 0, 3, 2, 1, middle)
        grid.addWidget(self.opener, 0, 4, 2, 1, middle)
        grid.setColumnStretch(2, 1)

    def show_chosen(self, is_chosen: bool) -> None:
        """Show whether its card is open."""
        self.opener.setText(say(OPEN if is_chosen else CLOSED))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the card by a press on name or colour too."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._open()
            event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show what can be done to the structure."""
        self.menu_requested.emit(self._structure, event.globalPos())
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the row from the shortcuts of the window: Delete there deletes a probe."""
        is_key = event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Rename with F2, delete with Delete."""
        if event.key() == Qt.Key.Key_F2:
            self.rename_requested.emit(self._structure)
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_requested.emit(self._structure)
        else:
            super().keyPressEvent(event)

    @Slot()
    def _open(self) -> None:
        self.opened.emit(self._structure)

    def set_target(self, is_target: bool) -> None:
        """Mark it as the target."""
        if self.target.isChecked() == is_target:
            return
        group = self.target.group()
        if group is not None:
            group.setExclusive(False)
        self.target.setChecked(is_target)
        if group is not None:
            group.setExclusive(True)

    def set_shown(self, shown: bool) -> None:
        """Follow the view without telling it."""
        blocked = self.shown.blockSignals(True)
        self.shown.setChecked(shown)
        self.shown.blockSignals(blocked)


def _importance(structure: Structure) -> tuple[bool, bool, str]:
    return structure.role is not Role.TUMOUR, structure.role is Role.BODY, structure.name.lower()
