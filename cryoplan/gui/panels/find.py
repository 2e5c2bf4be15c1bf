"""Find: structures that the program looks for by itself, and what becomes of each that it proposes."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan import workflow
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.core.units import show_ml
from cryoplan.gui.parts import Heading, Name, Swatch, Text, indicator_style
from cryoplan.gui.proposed_layer import layer_of, style_of
from cryoplan.gui.rows import Findings
from cryoplan.gui.words import say
from cryoplan.image.anatomy.found import Part

PARTS = (
    (Part.BODY, "Skin", "The body's outline, without table, arms that lie apart, and the air around"),
    (Part.BONE, "Bone", "Bone with its marrow"),
    (Part.LUNG, "Lung", "Lung, without windpipe"),
    (Part.GAS, "Air", "Gas outside of lung: in bowel, stomach and windpipe, or free"),
    (Part.FAT, "Fat", "All that has the values of fat"),
    (Part.VESSEL, "Vessels", "Vessels of 3 mm and more that hold contrast; they are heat sinks"),
)
"""Part, word and what it is, in the order of the boxes."""

AT_FIRST = frozenset(Part) - {Part.FAT}
"""Fat is seldom worth an outline: it counts wherever nothing else does."""


class FindSection(QWidget):
    """The part of the structures panel that finds by itself."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self._proposed = workspace.proposed
        self._style = ""
        self.rows: dict[Part, ProposalRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(5)
        self.open_button = QPushButton(say("Find automatically..."))
        self.open_button.setCheckable(True)
        self.open_button.setToolTip(say("Skin, bone, lung, air, fat and vessels, as proposals"))
        self.open_button.setAccessibleName(say("Find automatically"))
        self.open_button.toggled.connect(self.refresh)
        self._column.addWidget(self.open_button)
        self._place_choice()
        self._place_answers()
        self._proposed.changed.connect(self.refresh)
        self.refresh()

    def _place_choice(self) -> None:
        self.choice = QWidget()
        column = QVBoxLayout(self.choice)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        grid = QGridLayout()
        grid.setSpacing(4)
        self.boxes: dict[Part, QCheckBox] = {}
        for number, (part, word, what) in enumerate(PARTS):
            box = QCheckBox(say(word))
            box.setChecked(part in AT_FIRST)
            box.setToolTip(say(what))
            box.toggled.connect(self.refresh)
            grid.addWidget(box, number // 3, number % 3)
            self.boxes[part] = box
        column.addLayout(grid)
        self.why_not = Text("", "muted", wrap=True, scale=0.93)
        column.addWidget(self.why_not)
        self.find_button = QPushButton(say("Find"))
        self.find_button.setToolTip(say("Look for them beside the window; nothing is added to the case yet"))
        self.find_button.clicked.connect(self._find)
        column.addWidget(self.find_button)
        self._column.addWidget(self.choice)
        self._busy = QWidget()
        row = QHBoxLayout(self._busy)
        row.setContentsMargins(0, 0, 0, 0)
        self.busy_text = Text("", "muted", wrap=True)
        self.cancel_button = QPushButton(say("Cancel"))
        self.cancel_button.setAccessibleName(say("Stop looking"))
        self.cancel_button.clicked.connect(self._proposed.cancel)
        row.addWidget(self.busy_text, 1)
        row.addWidget(self.cancel_button)
        self._column.addWidget(self._busy)

    def _place_answers(self) -> None:
        self.answers = QWidget()
        column = QVBoxLayout(self.answers)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        self._heading = Heading("Proposed, not part of the case")
        column.addWidget(self._heading)
        self.nothing = Findings()
        column.addWidget(self.nothing)
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        column.addLayout(self._list)
        both = QHBoxLayout()
        self.accept_all = QPushButton(say("Accept all"))
        self.accept_all.setToolTip(say("Make structures of all, in one step that Undo takes back"))
        self.accept_all.clicked.connect(self._accept_all)
        self.discard_all = QPushButton(say("Discard all"))
        self.discard_all.setToolTip(say("Forget all; the case stays as it is"))
        self.discard_all.clicked.connect(self._discard_all)
        both.addWidget(self.accept_all)
        both.addWidget(self.discard_all)
        column.addLayout(both)
        self._column.addWidget(self.answers)

    # Showing ----------------------------------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """Show what can be looked for, how far it is, and what was found."""
        proposed, case = self._proposed, self._workspace.case
        style = indicator_style()
        if style != self._style:
            self._style = style
            self.setStyleSheet(style)
        self.setVisible(case is not None)
        if case is None:
            return
        may = self._workspace.keeper.may_edit
        can = self._can()
        self.open_button.setEnabled(may)
        self.choice.setVisible(self.open_button.isChecked() and not proposed.is_looking)
        for part, _, what in PARTS:
            self.boxes[part].setEnabled(part in can)
            self.boxes[part].setToolTip(say(can.get(part) or self._why_not(part) or what))
        reasons = dict.fromkeys(filter(None, (self._why_not(p) for p in self.boxes)))
        self.why_not.say(" ".join(reasons))
        self.why_not.setVisible(bool(reasons))
        self.find_button.setEnabled(may and bool(self._wanted()))
        busy = proposed.busy_text
        self._busy.setVisible(bool(busy))
        self.busy_text.say(f"{busy} ..." if proposed.is_accepting else busy)
        self.cancel_button.setVisible(proposed.is_looking)
        self._show_rows(may and not proposed.is_accepting)

    def _show_rows(self, may: bool) -> None:
        proposals = self._proposed.proposals
        shown = {row.proposal for row in self.rows.values()}
        if shown != set(proposals):
            for row in self.rows.values():
                self._list.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = {}
            for proposal in proposals:
                row = ProposalRow(proposal)
                row.shown.toggled.connect(self._show)
                row.accept.clicked.connect(self._accept)
                row.discard.clicked.connect(self._discard)
                self._list.addWidget(row)
                self.rows[proposal.part] = row
        case = self._workspace.case
        has_body = case is not None and any(s.role is Role.BODY for s in case.structures)
        for row in self.rows.values():
            row.accept.setEnabled(may and not (has_body and row.proposal.role is Role.BODY))
            row.discard.setEnabled(may)
        self.nothing.show_findings(self._proposed.nothing)
        self.nothing.setVisible(bool(self._proposed.nothing))
        self._heading.setVisible(bool(proposals))
        self.answers.setVisible(bool(proposals) or bool(self._proposed.nothing))
        self.accept_all.setVisible(len(proposals) > 1)
        self.discard_all.setVisible(len(proposals) > 1 or (not proposals and bool(self._proposed.nothing)))
        self.discard_all.setText(say("Discard all" if proposals else "Understood"))
        acceptable = [r for r in self.rows.values() if r.accept.isEnabled()]
        self.accept_all.setEnabled(len(acceptable) == len(self.rows))
        self.discard_all.setEnabled(may)
        self.layers_changed()

    def layers_changed(self) -> None:
        """Follow what is shown."""
        for row in self.rows.values():
            with QSignalBlocker(row.shown):
                row.shown.setChecked(self._view.is_checked(layer_of(row.proposal)))

    def _can(self) -> dict[Part, str]:
        """Return what may be looked for, with what the box says of it."""
        able = self._proposed.can_look_for()
        return {part: what for part, _, what in PARTS if part in able and not self._why_not(part)}

    def _why_not(self, part: Part) -> str:
        case = self._workspace.case
        if part not in self._proposed.can_look_for():
            return "Only a CT tells tissues apart by their values; of an MR the skin alone can be found."
        body = next((s.name for s in case.structures if s.role is Role.BODY), "") if case is not None else ""
        return f"The skin is known: the case has a body ({body})." if part is Part.BODY and body else ""

    def _wanted(self) -> list[Part]:
        can = self._can()
        return [part for part, box in self.boxes.items() if box.isChecked() and part in can]

    # Doing ------------------------------------------------------------------------------------------

    @Slot()
    def _find(self) -> None:
        self._proposed.look_for(self._wanted())

    @Slot(bool)
    def _show(self, visible: bool) -> None:
        row = self.sender().parent()
        self._view.set_layer(layer_of(row.proposal), visible)

    @Slot()
    def _accept(self) -> None:
        self._proposed.accept([self.sender().parent().proposal])

    @Slot()
    def _discard(self) -> None:
        self._proposed.discard([self.sender().parent().proposal])

    @Slot()
    def _accept_all(self) -> None:
        self._proposed.accept(self._proposed.proposals)

    @Slot()
    def _discard_all(self) -> None:
        self._proposed.discard(self._proposed.proposals)


class ProposalRow(QWidget):
    """Eye, colour, name, size, what is unsure about it, and the two answers."""

    def __init__(self, proposal: workflow.Proposal) -> None:
        super().__init__()
        self.proposal = proposal
        name = proposal.name
        self.shown = QCheckBox()
        self.shown.setAccessibleName(say(f"Show the proposal {name}"))
        self.shown.setToolTip(say("Show its dashed outline in the slice views"))
        self.name = Name(name)
        role = proposal.role.value
        words = [*([] if role == name else [role]), show_ml(proposal.volume_ml)]
        if proposal.widths_mm is not None:
            low, high = proposal.widths_mm
            words.append(f"heat sink, {low:.0f} to {high:.0f} mm wide")
        self.words = Text(" \N{MIDDLE DOT} ".join(words), "muted", scale=0.93, wrap=True)
        self.words.setToolTip(say(f"Computed as {proposal.tissue}.\n{proposal.source}."))
        self.accept = QPushButton(say("Accept"))
        self.accept.setAccessibleName(say(f"Accept {name}"))
        self.accept.setToolTip(say("Make it a structure of the case; Undo takes that back"))
        self.discard = QPushButton(say("Discard"))
        self.discard.setAccessibleName(say(f"Discard {name}"))
        self.discard.setToolTip(say("Forget it; the case stays as it is"))
        self.notes = Findings()
        # What is merely told stands in the tooltip; what may be wrong stands where it is read.
        self.notes.show_findings([n for n in proposal.notes if n.level is not Level.OK])
        told = [n.text for n in proposal.notes if n.level is Level.OK]
        self.name.setToolTip(say("\n".join([name, *told])))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 2)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(1)
        middle = Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(self.shown, 0, 0, 2, 1, middle)
        grid.addWidget(Swatch(style_of(proposal).colour), 0, 1, 2, 1, middle)
        grid.addWidget(self.name, 0, 2)
        grid.addWidget(self.words, 1, 2)
        grid.addWidget(self.notes, 2, 0, 1, 3)
        answers = QHBoxLayout()
        answers.addWidget(self.accept)
        answers.addWidget(self.discard)
        grid.addLayout(answers, 3, 0, 1, 3)
        grid.setColumnStretch(2, 1)
