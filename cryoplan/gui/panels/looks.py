"""Looks: grey window and thick slab of the views as controls, for those who do not know the keys."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from cryoplan.app.view import ViewState, Window
from cryoplan.app.workspace import Workspace
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Text
from cryoplan.gui.words import say
from cryoplan.image.scan import Scan
from cryoplan.scene.slab import THICKEST_MM, SlabKind
from cryoplan.scene.window import presets_of, show_window

OWN = "set by hand"


class Looks(QWidget):
    """Window preset with its numbers, and slab with its millimetres; follows the view state."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self._scan: Scan | None = None
        self._presets: tuple[Window, ...] = ()
        self.preset = make_combo("Window preset", "Grey window of the views; keys 1 to 8 in a slice view")
        self.numbers = Text("", "muted")
        self.slab = make_combo("Thick slab", "What becomes of the tissue in the slab; key T in a slice view")
        self.slab.addItems([say(k.value) for k in SlabKind])
        self.thickness = NumberBox("Thickness of the slab", " mm", lowest=0.5, highest=THICKEST_MM)
        self.thickness.setToolTip(say("Half of it on either side of the slice; keys , and . in a slice view"))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, control, more) in enumerate(
            (("Window", self.preset, self.numbers), ("Slab", self.slab, self.thickness))
        ):
            grid.addWidget(Text(name, "muted"), row, 0)
            grid.addWidget(control, row, 1)
            grid.addWidget(more, row, 2)
        self.preset.activated.connect(self._choose_preset)
        self.slab.activated.connect(self._choose_kind)
        self.thickness.valueChanged.connect(self._choose_thickness)

    def refresh(self) -> None:
        """Follow the scan and the view state."""
        case = self._workspace.case
        scan = case.scan if case is not None else None
        if scan is not self._scan:
            self._scan = scan
            found = presets_of(scan) if scan is not None else ()
            self._presets = tuple(Window(width=w.width, level=w.level) for w in found)
            self.preset.clear()
            self.preset.addItems([*(say(w.name) for w in found), say(OWN)])
        window, slab = self._view.window, self._view.slab
        known = window in self._presets
        self.preset.setCurrentIndex(self._presets.index(window) if known else len(self._presets))
        self.numbers.say(show_window(window.width, window.level))
        self.slab.setCurrentIndex(list(SlabKind).index(slab.kind))
        self.thickness.show_value(slab.thickness_mm)
        self.thickness.setEnabled(slab.is_on)

    @Slot(int)
    def _choose_preset(self, index: int) -> None:
        if index < len(self._presets):
            self._view.window = self._presets[index]
        else:
            self.refresh()  # by hand is what a right drag does, not a window of its own

    @Slot(int)
    def _choose_kind(self, index: int) -> None:
        self._view.slab = replace(self._view.slab, kind=list(SlabKind)[index])

    @Slot(float)
    def _choose_thickness(self, thickness_mm: float) -> None:
        self._view.slab = replace(self._view.slab, thickness_mm=thickness_mm)


def make_combo(name: str, tip: str) -> QComboBox:
    """Return a combo box that a narrow panel can hold."""
    box = QComboBox()
    box.setAccessibleName(say(name))
    box.setToolTip(say(tip))
    box.setMinimumContentsLength(9)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box
