"""Probe editor: name, model, depth, angles, power and the rest of the selected probe as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from cryoplan.core.sourced import Sourced
from cryoplan.core.units import show_mm
from cryoplan.gui.panels.colour_button import ColourButton
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.plan.edits import (
    advance,
    move_entry,
    move_tip,
    rename_probe,
    set_channel,
    set_colour,
    set_intensity,
    set_model,
    set_note,
    set_order,
    set_times,
)
from cryoplan.plan.hold import longest_depth_mm, require_reach
from cryoplan.plan.names import LONGEST_CHANNEL, LONGEST_NOTE
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import MOST_ORDER, Probe, ProbeModel
from cryoplan.plan.protocol import LONGEST_PROTOCOL_S
from cryoplan.plan.stock import load_stock, ordered
from cryoplan.plan.turning import cranio_caudal_deg, in_plane_signed_deg, positive_side, turn_to
from cryoplan.report.wording import measured

if TYPE_CHECKING:
    from cryoplan.gui.panels.probes import ProbesPanel as Panel

FAR_MM = 5000.0
"""Further than any patient is long; what is wrong within is for the rules to say."""

LPS_TIP = (
    "Patient axes in mm (LPS): x grows to the patient's left, y to the back, z to the head; "
    "zero is the origin of the scan."
)

END = "end"
OPEN_ORDER = "open"

TURNS = "A change turns the probe about its tip; the entry goes to the skin on the new line."


class ProbeEditor(Section):
    """Fields of one probe; every entry is one undoable step. What is rarely typed is behind a heading."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("Probe", is_open=True)
        self._panel = panel
        self._probe: Probe | None = None
        self.name = _line("Name of the probe", 20, self._rename)
        self.colour = ColourButton()
        self.colour.chosen.connect(self._set_colour)
        self.model = QComboBox()
        self.model.setAccessibleName(say("Probe model"))
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(10)
        self._fill_models()
        panel.workspace.catalogue_changed.connect(self._fill_models)
        self.model.activated.connect(self._set_model)
        self.depth = NumberBox("Depth along the shaft", " mm", lowest=0.0, highest=FAR_MM)
        self.depth.setToolTip(say("From the entry to the metal tip; a change moves the tip along the shaft"))
        self.depth.valueChanged.connect(self._set_depth)
        self.power = NumberBox("Intensity", " %", lowest=0.0, highest=200.0, step=5.0, digits=0)
        self.power.setToolTip(say("Power of the probe, above 0 to 100 %"))
        self.power.valueChanged.connect(self._set_power)
        self.in_plane = NumberBox("In-plane angle", "°", lowest=-90.0, highest=90.0)
        self.cranio = NumberBox("Cranio-caudal angle", "°", lowest=-89.0, highest=89.0)
        self.cranio.setToolTip(say(f"Out of the axial plane; positive when the tip lies headwards. {TURNS}"))
        for box in (self.in_plane, self.cranio):
            box.valueChanged.connect(self._set_angles)
        self.tip = [self._place("tip", axis) for axis in "xyz"]
        self.entry = [self._place("entry", axis) for axis in "xyz"]
        minutes = LONGEST_PROTOCOL_S / 60.0
        self.start = NumberBox("Gas on at minute", " min", lowest=0.0, highest=minutes, digits=1)
        self.stop = NumberBox("Gas off at minute", " min", lowest=0.0, highest=minutes, digits=1)
        self.stop.setSpecialValueText(say(END))
        self.stop.setToolTip(say(f"Protocol time at which the gas goes off; 0 means at the {END}"))
        self.start.setToolTip(say("Protocol time at which the gas goes on"))
        self.start.valueChanged.connect(self._set_times)
        self.stop.valueChanged.connect(self._set_times)
        self.channel = _line("Console channel", LONGEST_CHANNEL, self._set_channel)
        self.channel.setToolTip(say("Port of the console on which this probe hangs"))
        self.order = NumberBox("Insertion order", "", lowest=0, highest=MOST_ORDER, digits=0)
        self.order.setSpecialValueText(say(OPEN_ORDER))
        self.order.setToolTip(say("Which probe goes in first, second, ...; 0 leaves it open"))
        self.order.valueChanged.connect(self._set_order)
        self.remark = _line("Note on the probe", LONGEST_NOTE, self._set_note)
        self.note = Text("", "muted", wrap=True, scale=0.85)
        self.more = Section("Coordinates, times, console")
        self._lay_out()

    @Slot()
    def _fill_models(self) -> None:
        """List the models, those in stock first; the chosen one stays."""
        chosen = self._probe.model if self._probe is not None else None
        self.model.clear()
        for number, (model, stocked) in enumerate(ordered(self._panel.workspace.catalogue, load_stock())):
            kind = f"{' (warmer)' if model.is_warmer else ''}{' *' if model.is_guess else ''}"
            self.model.addItem(say(f"{model.name}{kind}{'' if stocked else ', not in stock'}"), model.id)
            self.model.setItemData(number, say(model_words(model)), Qt.ItemDataRole.ToolTipRole)
        self.model.setCurrentIndex(self.model.findData(chosen))

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(5)
        first.addWidget(self.colour)
        first.addWidget(self.name, 2)
        first.addWidget(self.model, 5)
        self.add(first)
        self.add(
            _pairs(
                ("depth", self.depth),
                ("power", self.power),
                ("in-plane", self.in_plane),
                ("to head", self.cranio),
            )
        )
        self.add(self.note)
        places = QGridLayout()
        places.setHorizontalSpacing(5)
        places.setVerticalSpacing(4)
        for column, head in enumerate(("x mm", "y mm", "z mm"), start=1):
            title = Text(head, "muted", scale=0.85)
            title.setToolTip(say(LPS_TIP))
            title.setAlignment(Qt.AlignmentFlag.AlignRight)
            places.addWidget(title, 0, column)
            places.setColumnStretch(column, 1)
        for row, (word, boxes) in enumerate((("tip", self.tip), ("entry", self.entry)), start=1):
            places.addWidget(Text(word, "muted", scale=0.93), row, 0)
            for column, box in enumerate(boxes, start=1):
                places.addWidget(box, row, column)
        self.more.add(places)
        self.more.add(
            _pairs(
                ("gas on", self.start), ("off", self.stop), ("channel", self.channel), ("goes in", self.order)
            )
        )
        last = QHBoxLayout()
        last.setSpacing(5)
        last.addWidget(Text("note", "muted", scale=0.93))
        last.addWidget(self.remark, 1)
        self.more.add(last)
        self.add(self.more)

    def show_probe(self, probe: Probe) -> None:
        """Show a probe; fields that are being typed in are left alone while it stays the same probe."""
        same = self._probe is not None and self._probe.name == probe.name
        self._probe = probe
        workspace = self._panel.workspace
        position = self._panel.treatment_position
        model = workspace.catalogue.get(probe.model)
        self.say("", title=f"Probe {probe.name}")
        for line, text in ((self.name, probe.name), (self.channel, probe.channel), (self.remark, probe.note)):
            if not (same and line.hasFocus() and line.isModified()):
                line.setText(say(text))
        self.colour.show_colour(workspace.plan.colour_number(probe), is_own=probe.colour is not None)
        self.model.setCurrentIndex(self.model.findData(probe.model))
        self.model.setToolTip(
            say(model_words(model) if model is not None else f"Unknown model {probe.model}")
        )
        side = positive_side(position)
        self.in_plane.setToolTip(
            say(
                f"From the room's vertical, within the slice; positive when the tip leans to the "
                f"{side}. {TURNS}"
            )
        )
        values = {
            self.depth: probe.depth_mm,
            self.power: 100.0 * probe.intensity,
            self.in_plane: in_plane_signed_deg(probe, position),
            self.cranio: cranio_caudal_deg(probe),
            self.start: probe.start_s / 60.0,
            self.stop: 0.0 if probe.stop_s is None else probe.stop_s / 60.0,
            self.order: probe.order or 0,
            **dict(zip(self.tip, probe.tip_mm, strict=True)),
            **dict(zip(self.entry, probe.entry_mm, strict=True)),
        }
        for box, value in values.items():
            (box.show_value if same else box.force_value)(value)
        enable = self._panel.enable_edits
        enable(*self.tip, *self.entry, self.depth, self.in_plane, self.cranio, when=not probe.locked)
        enable(self.name, self.model, self.power, self.start, self.stop)
        enable(self.colour, self.channel, self.order, self.remark)
        self.more.say(_gist(probe))
        guess = model is not None and model.is_guess
        text = "Locked: free it (L) to move it." if probe.locked else ""
        if guess:
            text = f"{text} * partly assumed; hover over the model.".strip()
        self.note.say(text)
        self.note.setVisible(bool(text))

    def _place(self, end: str, axis: str) -> NumberBox:
        box = NumberBox(f"{end} {axis} in mm, LPS", "", lowest=-FAR_MM, highest=FAR_MM)
        box.setToolTip(say(f"{end.capitalize()}, {axis}. {LPS_TIP} Arrow keys: 1 mm."))
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setProperty("end", end)
        box.setProperty("axis", "xyz".index(axis))
        box.valueChanged.connect(self._set_place)
        return box

    def _edit(self, make) -> None:
        """Edit the plan; a refused entry turns back to what the plan says."""
        catalogue = self._panel.workspace.catalogue

        def checked(plan: Plan) -> Plan:
            new = make(plan)
            require_reach(plan, new, catalogue)
            return new

        self._panel.try_edit(checked)
        probe = self._panel.chosen
        if probe is not None:
            self._probe = None
            self.show_probe(probe)

    @Slot(float)
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

    @Slot(float)
    def _set_depth(self, value: float) -> None:
        probe = self._probe
        if probe is not None:
            self._edit(lambda plan: advance(plan, probe.name, value - probe.depth_mm))

    @Slot()
    def _set_angles(self) -> None:
        probe, box = self._probe, self.sender()
        if probe is None:
            return
        position, case = self._panel.treatment_position, self._panel.workspace.case
        # The other angle keeps what its field does not show.
        flat = self.in_plane.value() if box is self.in_plane else in_plane_signed_deg(probe, position)
        up = self.cranio.value() if box is self.cranio else cranio_caudal_deg(probe)
        self._edit(
            lambda plan: turn_to(
                plan, probe.name, in_plane_deg=flat, cranio_caudal_deg=up, position=position, case=case
            )
        )

    @Slot(float)
    def _set_power(self, value: float) -> None:
        probe = self._probe
        if probe is not None:
            self._edit(lambda plan: set_intensity(plan, probe.name, value / 100.0))

    @Slot()
    def _set_times(self) -> None:
        probe, box = self._probe, self.sender()
        if probe is None:
            return
        start = 60.0 * self.start.value() if box is self.start else probe.start_s
        stop = probe.stop_s
        if box is self.stop:
            stop = 60.0 * self.stop.value() if self.stop.value() > 0.0 else None
        self._edit(lambda plan: set_times(plan, probe.name, start, stop))

    @Slot(int)
    def _set_model(self, index: int) -> None:
        probe, model = self._probe, str(self.model.itemData(index))
        if probe is None:
            return
        self._edit(lambda plan: set_model(plan, probe.name, model))
        now, catalogue = self._panel.chosen, self._panel.workspace.catalogue
        longest = longest_depth_mm(now, catalogue)
        if now.depth_mm > longest:
            self._panel.workspace.message.emit(
                f"{catalogue[model].name} reaches {show_mm(longest)}; probe {now.name} lies "
                f"{show_mm(now.depth_mm)} deep. Choose a nearer entry or a longer model."
            )

    @Slot(object)
    def _set_colour(self, colour: int | None) -> None:
        probe = self._probe
        if probe is not None:
            self._edit(lambda plan: set_colour(plan, probe.name, colour))

    @Slot(float)
    def _set_order(self, value: float) -> None:
        probe = self._probe
        if probe is not None:
            self._edit(lambda plan: set_order(plan, probe.name, round(value) or None))

    @Slot()
    def _set_channel(self) -> None:
        probe, text = self._probe, self.channel.text().strip()
        if probe is not None and text != probe.channel:
            self.channel.setModified(False)
            self._edit(lambda plan: set_channel(plan, probe.name, text))

    @Slot()
    def _set_note(self) -> None:
        probe, text = self._probe, self.remark.text().strip()
        if probe is not None and text != probe.note:
            self.remark.setModified(False)
            self._edit(lambda plan: set_note(plan, probe.name, text))

    @Slot()
    def _rename(self) -> None:
        probe, new = self._probe, self.name.text().strip()
        if probe is None or new == probe.name:
            return
        self.name.setModified(False)
        if self._panel.try_edit(lambda plan: rename_probe(plan, probe.name, new)):
            self._panel.view.selected_probe = new
        else:
            self.name.setText(probe.name)


def _line(name: str, longest: int, call) -> QLineEdit:
    made = QLineEdit()
    made.setMaxLength(longest)
    made.setAccessibleName(say(name))
    made.editingFinished.connect(call)
    return made


def _pairs(*fields: tuple[str, QWidget]) -> QGridLayout:
    """Return labels and fields, two a row."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(5)
    grid.setVerticalSpacing(4)
    for place, (word, box) in enumerate(fields):
        grid.addWidget(Text(word, "muted", scale=0.93), place // 2, 2 * (place % 2))
        grid.addWidget(box, place // 2, 2 * (place % 2) + 1)
    for column in (1, 3):
        grid.setColumnStretch(column, 1)
    return grid


def _gist(probe: Probe) -> str:
    """Return what of the closed part differs from the usual."""
    parts = []
    if probe.channel:
        parts.append(f"port {probe.channel}")
    if probe.order is not None:
        parts.append(f"no. {probe.order}")
    if probe.start_s > 0.0 or probe.stop_s is not None:
        parts.append("own times")
    if probe.note:
        parts.append("note")
    return ", ".join(parts)


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
