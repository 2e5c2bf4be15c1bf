"""Probe editor: name, model, places, power and times of the selected probe as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from cryoplan.core.sourced import Sourced
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Heading, Text
from cryoplan.plan.edits import (
    advance,
    move_entry,
    move_tip,
    rename_probe,
    set_intensity,
    set_model,
    set_times,
)
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.protocol import LONGEST_PROTOCOL_S
from cryoplan.plan.stock import load_stock, ordered
from cryoplan.report.wording import measured

if TYPE_CHECKING:
    from cryoplan.gui.panel import Panel

FAR_MM = 5000.0
"""Further than any patient is long; what is wrong within is for the rules to say."""

LPS_TIP = (
    "Patient axes in mm (LPS): x grows to the patient's left, y to the back, z to the head; "
    "zero is the origin of the scan."
)

END = "end"


class ProbeEditor(QWidget):
    """Fields of one probe; every entry is one undoable step."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._probe: Probe | None = None
        self._heading = Heading("Probe")
        self.name = QLineEdit()
        self.name.setMaxLength(20)
        self.name.setAccessibleName("Name of the probe")
        self.name.editingFinished.connect(self._rename)
        self.model = QComboBox()
        self.model.setAccessibleName("Probe model")
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(10)
        self._fill_models()
        panel.workspace.catalogue_changed.connect(self._fill_models)
        self.model.activated.connect(self._set_model)
        self.tip = [self._place("tip", axis) for axis in "xyz"]
        self.entry = [self._place("entry", axis) for axis in "xyz"]
        self.depth = NumberBox("Depth along the shaft", " mm", lowest=0.0, highest=FAR_MM)
        self.depth.setToolTip("From the entry to the metal tip; a change moves the tip along the shaft")
        self.depth.valueChanged.connect(self._set_depth)
        self.power = NumberBox("Intensity", " %", lowest=0.0, highest=200.0, step=5.0, digits=0)
        self.power.setToolTip("Power of the probe, above 0 to 100 %")
        self.power.valueChanged.connect(self._set_power)
        minutes = LONGEST_PROTOCOL_S / 60.0
        self.start = NumberBox("Gas on at minute", " min", lowest=0.0, highest=minutes, digits=1)
        self.stop = NumberBox("Gas off at minute", " min", lowest=0.0, highest=minutes, digits=1)
        self.stop.setSpecialValueText(END)
        self.stop.setToolTip(f"Protocol time at which the gas goes off; 0 means at the {END}")
        self.start.setToolTip("Protocol time at which the gas goes on")
        self.start.valueChanged.connect(self._set_times)
        self.stop.valueChanged.connect(self._set_times)
        self.note = Text("", "muted", wrap=True, scale=0.85)
        self._lay_out()

    @Slot()
    def _fill_models(self) -> None:
        """List the models, those in stock first; the chosen one stays."""
        chosen = self._probe.model if self._probe is not None else None
        self.model.clear()
        for number, (model, stocked) in enumerate(ordered(self._panel.workspace.catalogue, load_stock())):
            kind = f"{' (warmer)' if model.is_warmer else ''}{' *' if model.is_guess else ''}"
            self.model.addItem(f"{model.name}{kind}{'' if stocked else ', not in stock'}", model.id)
            self.model.setItemData(number, model_words(model), Qt.ItemDataRole.ToolTipRole)
        self.model.setCurrentIndex(self.model.findData(chosen))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(4)
        grid.addWidget(self._heading, 0, 0, 1, 4)
        grid.addWidget(Text("name", "muted", scale=0.93), 1, 0)
        grid.addWidget(self.name, 1, 1, 1, 3)
        grid.addWidget(Text("model", "muted", scale=0.93), 2, 0)
        grid.addWidget(self.model, 2, 1, 1, 3)
        for column, head in enumerate(("x mm", "y mm", "z mm"), start=1):
            title = Text(head, "muted", scale=0.85)
            title.setToolTip(LPS_TIP)
            title.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(title, 3, column)
            grid.setColumnStretch(column, 1)
        for row, (word, boxes) in enumerate((("tip", self.tip), ("entry", self.entry)), start=4):
            grid.addWidget(Text(word, "muted", scale=0.93), row, 0)
            for column, box in enumerate(boxes, start=1):
                grid.addWidget(box, row, column)
        pairs = QGridLayout()
        pairs.setHorizontalSpacing(5)
        pairs.setVerticalSpacing(4)
        for place, (word, box) in enumerate(
            (("depth", self.depth), ("power", self.power), ("gas on", self.start), ("off", self.stop))
        ):
            pairs.addWidget(Text(word, "muted", scale=0.93), place // 2, 2 * (place % 2))
            pairs.addWidget(box, place // 2, 2 * (place % 2) + 1)
        pairs.setColumnStretch(1, 1)
        pairs.setColumnStretch(3, 1)
        grid.addLayout(pairs, 6, 0, 1, 4)
        grid.addWidget(self.note, 7, 0, 1, 4)

    def show_probe(self, probe: Probe) -> None:
        """Show a probe; fields that are being typed in are left alone while it stays the same probe."""
        show = self._force if self._probe is None or self._probe.name != probe.name else self._show
        self._probe = probe
        self._heading.say(f"PROBE {probe.name.upper()}")
        if not (self.name.hasFocus() and self.name.isModified()):
            self.name.setText(probe.name)
        index = self.model.findData(probe.model)
        self.model.setCurrentIndex(index)
        catalogue = self._panel.workspace.catalogue
        model = catalogue.get(probe.model)
        self.model.setToolTip(model_words(model) if model is not None else f"Unknown model {probe.model}")
        for boxes, point in ((self.tip, probe.tip_mm), (self.entry, probe.entry_mm)):
            for box, value in zip(boxes, point, strict=True):
                show(box, value)
        show(self.depth, probe.depth_mm)
        self._panel.enable_edits(*self.tip, *self.entry, self.depth, when=not probe.locked)
        self._panel.enable_edits(self.name, self.model, self.power, self.start, self.stop)
        show(self.power, 100.0 * probe.intensity)
        show(self.start, probe.start_s / 60.0)
        show(self.stop, 0.0 if probe.stop_s is None else probe.stop_s / 60.0)
        guess = model is not None and model.is_guess
        text = "Locked: free it (L) to move it." if probe.locked else ""
        if guess:
            text = f"{text} * numbers of this model are partly assumed; hover for sources.".strip()
        self.note.say(text)
        self.note.setVisible(bool(text))

    def _place(self, end: str, axis: str) -> NumberBox:
        box = NumberBox(f"{end} {axis} in mm, LPS", "", lowest=-FAR_MM, highest=FAR_MM)
        box.setToolTip(f"{end.capitalize()}, {axis}. {LPS_TIP} Arrow keys: 1 mm.")
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setProperty("end", end)
        box.setProperty("axis", "xyz".index(axis))
        box.valueChanged.connect(self._set_place)
        return box

    @staticmethod
    def _show(box: NumberBox, value: float) -> None:
        box.show_value(value)

    @staticmethod
    def _force(box: NumberBox, value: float) -> None:
        box.force_value(value)

    def _edit(self, make) -> None:
        """Edit the plan; a refused entry turns back to what the plan says."""
        self._panel.try_edit(make)
        probe = self._panel.chosen
        if probe is not None:
            self._probe = None
            self.show_probe(probe)

    def _set_place(self, value: float) -> None:
        box, probe = self.sender(), self._probe
        if probe is None:
            return
        end = box.property("end")
        # The other two coordinates keep what the field does not show: more digits than one.
        point = list(probe.tip_mm if end == "tip" else probe.entry_mm)
        point[box.property("axis")] = value
        move = move_tip if end == "tip" else move_entry
        self._edit(lambda plan: move(plan, probe.name, point))

    def _set_depth(self, value: float) -> None:
        probe = self._probe
        if probe is not None:
            self._edit(lambda plan: advance(plan, probe.name, value - probe.depth_mm))

    def _set_power(self, value: float) -> None:
        probe = self._probe
        if probe is not None:
            self._edit(lambda plan: set_intensity(plan, probe.name, value / 100.0))

    def _set_times(self) -> None:
        probe, box = self._probe, self.sender()
        if probe is None:
            return
        start = 60.0 * self.start.value() if box is self.start else probe.start_s
        stop = probe.stop_s
        if box is self.stop:
            stop = 60.0 * self.stop.value() if self.stop.value() > 0.0 else None
        self._edit(lambda plan: set_times(plan, probe.name, start, stop))

    def _set_model(self, index: int) -> None:
        probe, model = self._probe, str(self.model.itemData(index))
        if probe is not None:
            self._edit(lambda plan: set_model(plan, probe.name, model))

    def _rename(self) -> None:
        probe, new = self._probe, self.name.text().strip()
        if probe is None or new == probe.name:
            return
        self.name.setModified(False)
        if self._panel.try_edit(lambda plan: rename_probe(plan, probe.name, new)):
            self._panel.view.selected_probe = new
        else:
            self.name.setText(probe.name)


def model_words(model: ProbeModel) -> str:
    """Return the numbers of a model with their sources, for a tooltip."""
    parts: list[tuple[str, Sourced, str]] = [
        ("Diameter", model.outer_diameter, "mm"),
        ("Active zone", model.active_length, "mm"),
        ("Begins behind the tip", model.tip_offset, "mm"),
        ("Shaft", model.shaft_length, "mm"),
        ("Heat exchange", model.exchange_coefficient, "W/(m²·K)"),
    ]
    lines = [f"{word} {measured(number, unit)}: {number.source}" for word, number, unit in parts]
    return "\n".join([model.name, *lines, *(text for text in (model.note, model.calibration) if text)])
