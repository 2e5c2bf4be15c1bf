"""Probes: a line for each probe, and sections on the chosen one, on all of them, and on laying them out."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.gui.chosen import (
    PARALLEL_MM,
    copy_selected,
    delete_selected,
    select,
    selected,
    selected_shaft,
    toggle_lock,
)
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.idioms import IdiomSection
from cryoplan.gui.panels.marks import MarkSection
from cryoplan.gui.panels.pair_table import PairTable
from cryoplan.gui.panels.probe_card import ProbeCard
from cryoplan.gui.panels.probe_editor import ProbeEditor
from cryoplan.gui.panels.room import RoomSection
from cryoplan.gui.panels.suggesting import SuggestSection
from cryoplan.gui.panels.tools import ToolButton, ToolSection
from cryoplan.gui.panels.way_in import WayIn
from cryoplan.gui.parts import Name, Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.plan.placement import angles
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.tool import Tool

LIVE_MS = 40.0
"""The way in follows a drag where working it out takes no longer; else it comes after the last move."""

LIVE_SHARE = 0.25
"""Of the time of a drag, working it out takes at most this: the hand comes first."""

HOW_TO_PLACE = (
    "No probe yet. Press P, click the target in any view, then click the skin; or let it suggest some."
)


class ProbesPanel(Panel):
    """Cards and buttons on top; below, sections that open and close."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Probes")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(Text("Probes", bold=True, scale=1.08))
        self._models = Name("", "muted")
        head.addWidget(self._models, 1)
        self.add(head)
        self._none = Text("", "muted", wrap=True)
        self.add(self._none)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(3)
        self.add(self._cards)
        self.cards: list[ProbeCard] = []
        self._ghosts_of: object = None
        self._shown_way_of: str | None = None
        self._way_ms = math.inf
        self._way_at_s = 0.0
        self._add_buttons()
        self.tools = ToolSection(self)
        self.suggesting = SuggestSection(self)
        self.editor = ProbeEditor(self)
        self.room = RoomSection(self)
        self.marks = MarkSection(self)
        self.way_in = WayIn(self.go_to)
        self.pairs = PairTable(self._go_to_pair, self._show_pairs)
        self.idioms = IdiomSection(self)
        for section in (
            self.tools,
            self.suggesting,
            self.editor,
            self.pairs,
            self.way_in,
            self.idioms,
            self.room,
            self.marks,
        ):
            self.add(section)
        self.suggest.clicked.connect(self._suggest)

    def _add_buttons(self) -> None:
        self.place = QPushButton(say("+ Probe"))
        self.needle = ToolButton(self)
        self.suggest = QPushButton(say("Suggest..."))
        self.parallel = QPushButton(say("Parallel"))
        self.lock = QPushButton(say("Lock"))
        self.delete = QPushButton(say("Delete"))
        grid = QGridLayout()
        grid.setSpacing(5)
        for number, (button, name, tip, call) in enumerate(
            (
                (self.place, "Place a probe", "P: click the target, then the skin", self.start_placing),
                (self.needle, "", "", None),
                (self.suggest, "Suggest a layout", "Number and layout for the target, with the rules", None),
                (
                    self.parallel,
                    "Copy parallel",
                    f"D: a copy of the chosen probe, {PARALLEL_MM:g} mm beside it on its free side",
                    self.copy_probe,
                ),
                (self.lock, "Lock or free", "L: nothing moves what is locked", self.toggle_lock),
                (self.delete, "Delete", "Del: remove what is chosen; can be undone", self.delete_probe),
            )
        ):
            if name:
                button.setAccessibleName(say(name))
                button.setToolTip(say(tip))
            if call is not None:
                button.clicked.connect(call)
            grid.addWidget(button, number // 3, number % 3)
            grid.setColumnStretch(number % 3, 1)
        self.add(grid)

    # Showing ----------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Probe | None:
        """The selected probe."""
        return selected(self.workspace, self.view)

    @property
    def treatment_position(self) -> str:
        """The patient position that angles hold for."""
        return self.room.treatment_position

    def refresh(self) -> None:
        """Show what needs no look at masks."""
        case, plan, catalogue = self.workspace.case, self.workspace.plan, self.workspace.catalogue
        names = list(dict.fromkeys(p.model for p in plan.probes))
        words = ", ".join(catalogue[n].name if n in catalogue else n for n in names)
        self._models.say(f"{len(plan.probes)} × {words}" if plan.probes else "", "muted")
        self._none.setVisible(not plan.probes)
        self._none.say("Open a scan first." if case is None else HOW_TO_PLACE)
        self._show_cards(plan)
        chosen, held = self.chosen, selected_shaft(self.workspace, self.view)
        self.enable_edits(self.parallel, when=chosen is not None)
        self.enable_edits(self.lock, when=held is not None)
        self.enable_edits(self.place, self.needle, when=case is not None)
        self.enable_edits(self.delete, when=held is not None and not held.locked)
        self.suggest.setEnabled(case is not None)
        self.lock.setText(say("Free" if held is not None and held.locked else "Lock"))
        self.tools.show_tools(plan.tools)
        self.editor.setVisible(chosen is not None)
        if chosen is not None:
            self.editor.show_probe(chosen)
        self.room.show_room(held)
        self.marks.show_marks(plan.marks, chosen, has_case=case is not None)
        self._show_pairs()
        self.idioms.setVisible(bool(plan.probes))
        self.idioms.refresh()
        self.suggesting.refresh()
        if self._way_ms <= LIVE_MS:
            if 1000.0 * (time.perf_counter() - self._way_at_s) >= self._way_ms / LIVE_SHARE:
                self._show_way_in()
        elif self.is_slow_part_old:
            self.way_in.set_old()

    def _show_cards(self, plan: Plan) -> None:
        catalogue = self.workspace.catalogue
        while len(self.cards) < len(plan.probes):
            card = ProbeCard()
            card.clicked.connect(self._select)
            self._cards.addWidget(card)
            self.cards.append(card)
        while len(self.cards) > len(plan.probes):
            card = self.cards.pop()
            self._cards.removeWidget(card)
            card.hide()
            card.deleteLater()
        for card, probe in zip(self.cards, plan.probes, strict=True):
            model = catalogue[probe.model].name if probe.model in catalogue else probe.model
            is_chosen = probe.name == self.view.selected_probe
            lie = angles(probe, self.treatment_position, plan.room.gantry_tilt_limit_deg)
            card.show_probe(probe, plan.colour_number(probe), model, lie, chosen=is_chosen)
            card.set_old(self.is_slow_part_old)

    def refresh_slow(self) -> None:
        """Show what the rules say, and the way in."""
        plan, rules = self.workspace.plan, self.workspace.rules
        if len(self.cards) != len(plan.probes):
            self.refresh()
        for card, probe in zip(self.cards, plan.probes, strict=True):
            card.show_findings([f for f in rules if f.place == f"probe {probe.name}"])
        self.tools.show_findings(rules)
        self._show_way_in()

    def _show_way_in(self) -> None:
        held, catalogue = selected_shaft(self.workspace, self.view), self.workspace.catalogue
        width = None
        if isinstance(held, Tool):
            width = held.diameter_mm
        elif held is not None and held.model in catalogue:
            width = catalogue[held.model].outer_diameter.value
        begun = time.perf_counter()
        self.way_in.show_way(self.workspace.case, held, width)
        self._way_at_s = time.perf_counter()
        if held is not None:
            self._way_ms = 1000.0 * (self._way_at_s - begun)

    @Slot()
    def _show_pairs(self) -> None:
        plan, catalogue = self.workspace.plan, self.workspace.catalogue
        known = all(p.model in catalogue for p in plan.probes)
        self.pairs.show_pairs(plan if known else Plan(), catalogue, self.view.selected_probe)

    def show_ghosts(self, section: Section, ghosts: tuple[Probe, ...]) -> None:
        """Show what a section proposes in the views; the last section that was opened has them."""
        if ghosts:
            self._ghosts_of = section
        if self._ghosts_of is section:
            self.view.ghosts = ghosts if self.isVisible() else ()

    def layers_changed(self) -> None:
        """The way in is that of the chosen probe."""
        if self.view.selected_probe != self._shown_way_of:
            self._shown_way_of = self.view.selected_probe
            self._show_way_in()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave no ghosts behind."""
        super().hideEvent(event)
        self.view.ghosts = ()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc gives a placing up that a button began, while the focus is still here."""
        if event.key() == Qt.Key.Key_Escape and self.view.placing:
            self.view.placing = False
        else:
            super().keyPressEvent(event)

    # Doing ------------------------------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Select a probe or tool and go to where it works."""
        select(self.workspace, self.view, name)

    @Slot()
    def start_placing(self) -> None:
        """Let the next clicks place a probe."""
        self.view.placing = False
        self.view.placing = True

    @Slot()
    def copy_probe(self) -> None:
        """Copy the chosen probe parallel and choose the copy, as the key does."""
        copy_selected(self.workspace, self.view)

    @Slot()
    def delete_probe(self) -> None:
        """Remove what is chosen, as the key does."""
        delete_selected(self.workspace, self.view)

    @Slot()
    def toggle_lock(self) -> None:
        """Lock or free what is chosen, as the key does."""
        toggle_lock(self.workspace, self.view)

    @Slot()
    def _suggest(self) -> None:
        self.suggesting.work_out()
        self.area.ensureWidgetVisible(self.suggesting)

    @Slot()
    def _select(self) -> None:
        card = self.sender()
        if isinstance(card, ProbeCard):
            self.choose(card.name)

    def _go_to_pair(self, place: Point, a: str, b: str) -> None:
        """Go between two probes; one of them is chosen."""
        if self.view.selected_probe not in (a, b):
            self.view.selected_probe = a
        self.go_to(place)
