"""Lay out: copies, rings, lines, all parallel, all level; shown as ghosts in the views before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QPushButton

from cryoplan.core.errors import CryoplanError
from cryoplan.gui.chosen import PARALLEL_MM
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.plan.idioms import Ask, Idiom, best_side, clash_words, lay_out, moved_probes, words_of
from cryoplan.plan.plan import Plan
from cryoplan.plan.spread import MOST

if TYPE_CHECKING:
    from cryoplan.gui.panel import Panel

AROUND = ("the target", "the probe")
CENTRED = ("centred on it", "starting at it")

CLOCK_TIP = (
    "As on a clock seen along the probe from its hub: 12 is towards the head, 3 to the right of one who "
    "looks so."
)


class IdiomSection(Section):
    """One choice, a few numbers, and one button; nothing is changed before it is pressed."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("Lay out together")
        self._panel = panel
        self._chosen = ""
        self._set_side = True
        self.idiom = QComboBox()
        self.idiom.setAccessibleName(say("Way of laying out"))
        for idiom in Idiom:
            self.idiom.addItem(say(idiom.value), idiom.value)
        self.count = NumberBox("Number of probes", "", lowest=2, highest=MOST, digits=0)
        self.count.setValue(3)
        self.spacing = NumberBox("Spacing, axis to axis", " mm", lowest=5.0, highest=40.0, digits=0)
        self.spacing.setValue(PARALLEL_MM)
        self.spacing.setToolTip(say("10 to 20 mm freeze together (Shah 2016, PMC4850244)"))
        self.hours = QComboBox()
        self.hours.setAccessibleName(say("Side, as on a clock"))
        self.hours.setToolTip(say(CLOCK_TIP))
        for hour in (12, *range(1, 12)):
            self.hours.addItem(say(f"{hour} o'clock"), float(hour))
        self.around = QComboBox()
        self.around.setAccessibleName(say("Around what"))
        for word in AROUND:
            self.around.addItem(say(word))
        self.words = Text("", "muted", wrap=True, scale=0.93)
        self.go = QPushButton(say("Lay them out"))
        self.go.setAccessibleName(say("Lay the probes out as shown"))
        self.go.clicked.connect(self._lay_out)
        self._labels = [Text(word, "muted", scale=0.93) for word in ("how many", "spacing", "side", "around")]
        grid = QGridLayout()
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.idiom, 0, 0, 1, 4)
        boxes = (self.count, self.spacing, self.hours, self.around)
        # Words are longer than numbers: side and middle have a line of their own.
        for (row, column, span), label, box in zip(
            ((1, 0, 1), (1, 2, 1), (2, 0, 3), (3, 0, 3)), self._labels, boxes, strict=True
        ):
            grid.addWidget(label, row, column)
            grid.addWidget(box, row, column + 1, 1, span)
        for column in (1, 3):
            grid.setColumnStretch(column, 1)
        self.add(grid)
        self.add(self.words)
        self.add(self.go)
        self.idiom.activated.connect(self._choose)
        self.hours.activated.connect(self._choose_side)
        self.around.activated.connect(self.refresh)
        self.count.valueChanged.connect(self.refresh)
        self.spacing.valueChanged.connect(self.refresh)
        self.toggled.connect(self.refresh)

    @property
    def ask(self) -> Ask | None:
        """What is asked for now, None without a chosen probe."""
        probe = self._panel.chosen
        if probe is None:
            return None
        return Ask(
            idiom=Idiom(self.idiom.currentData()),
            name=probe.name,
            count=round(self.count.value()),
            spacing_mm=self.spacing.value(),
            hours=self.hours.currentData(),
            around_target=self.around.currentIndex() == 0,
        )

    @Slot()
    def refresh(self) -> None:
        """Show what would be laid out, in the views too; it follows the plan."""
        panel = self._panel
        self._show_fields()
        ask = self.ask
        self.say("" if ask is None else f"from probe {ask.name}")
        ghosts = ()
        can = False
        if ask is None:
            self.words.say("Choose a probe first.", "muted")
        elif self.is_open:
            self._offer_side(ask)
            plan = panel.workspace.plan
            try:
                new = lay_out(panel.workspace.case, plan, panel.workspace.catalogue, self.ask)
            except CryoplanError as error:
                self.words.say(f"! {error}", "warn")
            else:
                ghosts = moved_probes(plan, new)
                can = bool(ghosts)
                clash = clash_words(plan, new, panel.workspace.catalogue)
                words = f"{words_of(plan, new, ask)}."
                self.words.say(f"{words} ! {clash}." if clash else words, "warn" if clash else "muted")
        panel.enable_edits(self.idiom, self.count, self.spacing, self.hours, self.around)
        panel.enable_edits(self.go, when=can)
        panel.show_ghosts(self, ghosts if self.is_open else ())

    def _show_fields(self) -> None:
        idiom = Idiom(self.idiom.currentData())
        shown = (idiom.is_spread, idiom.adds, idiom.adds, idiom.is_spread)
        boxes = (self.count, self.spacing, self.hours, self.around)
        for label, box, is_shown in zip(self._labels, boxes, shown, strict=True):
            label.setVisible(is_shown)
            box.setVisible(is_shown)
        for index, word in enumerate(CENTRED if idiom is Idiom.LINE else AROUND):
            self.around.setItemText(index, say(word))

    def _offer_side(self, ask: Ask) -> None:
        """Offer a side until the user has said another one for this probe."""
        if ask.name != self._chosen:
            self._chosen, self._set_side = ask.name, True
        if self._set_side:
            workspace = self._panel.workspace
            hours = best_side(workspace.case, workspace.plan, workspace.catalogue, ask)
            self.hours.setCurrentIndex(self.hours.findData(hours))

    @Slot()
    def _choose(self) -> None:
        self._set_side = True
        self.refresh()

    @Slot()
    def _choose_side(self) -> None:
        self._set_side = False
        self.refresh()

    @Slot()
    def _lay_out(self) -> None:
        ask, panel = self.ask, self._panel
        if ask is None:
            return
        workspace = panel.workspace
        old = workspace.plan

        def change(plan: Plan) -> Plan:
            return lay_out(workspace.case, plan, workspace.catalogue, ask)

        if panel.try_edit(change):
            self._set_side = True
            workspace.message.emit(f"{words_of(old, workspace.plan, ask)}. Ctrl+Z takes it back.")
            if ask.idiom is Idiom.COPY:
                panel.view.selected_probe = workspace.plan.probes[-1].name
            else:
                self.set_open(False)
                self.refresh()
