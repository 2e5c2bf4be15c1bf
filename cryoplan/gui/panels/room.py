"""Room: what is dialled and measured beside the table, in large type, for the position of the day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QVBoxLayout

from cryoplan.core.units import show_mm
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import DASH, Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.plan.edit_tools import set_room
from cryoplan.plan.placement import angles, depth_to_active_mm
from cryoplan.plan.probe import Probe
from cryoplan.plan.room import LARGEST_TILT_DEG, POSITIONS, Room
from cryoplan.plan.room_view import bore_room_mm, slice_words, tilt_text
from cryoplan.plan.rules import needles_of
from cryoplan.plan.tool import Tool
from cryoplan.report.wording import SINGLE_SLICE_DEG

if TYPE_CHECKING:
    from cryoplan.gui.panel import Panel

LARGE = 1.45
"""Read from two metres."""

AS_SCANNED = "as in the scan"


class RoomSection(Section):
    """Five large numbers of the chosen probe or tool, and the room that they hold for."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("Room", is_open=True)
        self._panel = panel
        self.numbers = {
            word: Text(DASH, bold=True, scale=LARGE)
            for word in ("depth", "in-plane", "head-feet", "gantry tilt", "entry to tip")
        }
        self.more = Text("", "muted", wrap=True, scale=0.93)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for place, (word, number) in enumerate(self.numbers.items()):
            cell = QVBoxLayout()
            cell.setSpacing(0)
            cell.addWidget(Text(word, "muted", scale=0.85))
            cell.addWidget(number)
            row, column = divmod(place, 2)
            span = 2 if word == "entry to tip" else 1
            grid.addLayout(cell, row, column, 1, span)
            grid.setColumnStretch(column, 1)
        self.add(grid)
        self.add(self.more)
        self.position = QComboBox()
        self.position.setAccessibleName(say("Position of the patient on the day"))
        self.position.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.position.addItem(say(AS_SCANNED), "")
        for key, words in POSITIONS.items():
            self.position.addItem(say(words), key)
            self.position.setItemData(self.position.count() - 1, say(key), Qt.ItemDataRole.ToolTipRole)
        self.position.activated.connect(self._set_position)
        self.tilt = NumberBox(
            "Tilt that the scanner can do", "°", lowest=0.0, highest=LARGEST_TILT_DEG, digits=0
        )
        self.tilt.setToolTip(say("To either side; 0 for a scanner that cannot tilt"))
        self.tilt.valueChanged.connect(self._set_numbers)
        self.bore = NumberBox(
            "Diameter of the bore", " mm", lowest=300.0, highest=2000.0, step=10.0, digits=0
        )
        self.bore.setToolTip(say("Usual are 700 and 800 mm; the shafts outside the skin have to pass"))
        self.bore.valueChanged.connect(self._set_numbers)
        fields = QGridLayout()
        fields.setHorizontalSpacing(5)
        fields.setVerticalSpacing(4)
        fields.addWidget(Text("patient", "muted", scale=0.93), 0, 0)
        fields.addWidget(self.position, 0, 1, 1, 3)
        for column, (word, box) in enumerate((("tilts to", self.tilt), ("bore", self.bore))):
            fields.addWidget(Text(word, "muted", scale=0.93), 1, 2 * column)
            fields.addWidget(box, 1, 2 * column + 1)
            fields.setColumnStretch(2 * column + 1, 1)
        self.setting = Section("Patient and scanner")
        self.setting.add(fields)
        self.add(self.setting)

    @property
    def treatment_position(self) -> str:
        """The position that the angles hold for."""
        workspace = self._panel.workspace
        scanned = workspace.case.scan.facts.patient_position if workspace.case is not None else ""
        return workspace.plan.room.position or scanned

    def show_room(self, held: Probe | Tool | None) -> None:
        """Show the numbers of the chosen probe or tool, and the room."""
        self.setVisible(held is not None)
        workspace = self._panel.workspace
        room = workspace.plan.room
        scanned = workspace.case.scan.facts.patient_position if workspace.case is not None else ""
        words = POSITIONS.get(scanned, scanned)
        self.position.setItemText(0, say(f"{AS_SCANNED}: {words}" if words else AS_SCANNED))
        self.position.setCurrentIndex(max(self.position.findData(room.position), 0))
        lying = POSITIONS.get(self.treatment_position, "as scanned")
        self.setting.say(f"{lying} · {room.gantry_tilt_limit_deg:.0f}°")
        self.tilt.show_value(room.gantry_tilt_limit_deg)
        self.bore.show_value(room.bore_mm)
        self._panel.enable_edits(self.position, self.tilt, self.bore, when=workspace.case is not None)
        if held is not None:
            self._show_numbers(held, room)

    def _show_numbers(self, held: Probe | Tool, room: Room) -> None:
        lie = angles(held, self.treatment_position, room.gantry_tilt_limit_deg)
        side = f" {lie.in_plane_toward}" if lie.in_plane_toward else ""
        up = abs(lie.cranio_caudal_deg) >= SINGLE_SLICE_DEG
        end = (" head" if lie.cranio_caudal_deg > 0.0 else " feet") if up else ""
        tilt = lie.gantry_tilt_deg
        self.numbers["depth"].say(f"{held.depth_mm:.0f} mm")
        self.numbers["in-plane"].say(f"{lie.in_plane_deg:.0f}°{side}")
        self.numbers["head-feet"].say(f"{abs(lie.cranio_caudal_deg):.0f}°{end}")
        self.numbers["gantry tilt"].say(
            "cannot" if tilt is None else signed(tilt), "warn" if tilt is None else "text"
        )
        self.numbers["gantry tilt"].setToolTip(say(tilt_text(held, lie, room)))
        entry, tip = (slice_words(point[2]) for point in (held.entry_mm, held.tip_mm))
        self.numbers["entry to tip"].say(f"{entry} → {tip} mm")
        self.more.say("\n".join(self._more_words(held, room)))
        self.say(f"{held.depth_mm:.0f} mm · {lie.in_plane_deg:.0f}°{side}")

    def _more_words(self, held: Probe | Tool, room: Room) -> list[str]:
        """Return where the active zone is, and what of the shaft is outside and how near to the bore."""
        workspace = self._panel.workspace
        case, catalogue = workspace.case, workspace.catalogue
        words = []
        if isinstance(held, Probe) and held.model in catalogue:
            begin, stop = depth_to_active_mm(held, catalogue[held.model])
            words.append(f"Active zone {begin:.0f} to {stop:.0f} mm below the skin")
        needle = next((n for n in needles_of(workspace.plan, catalogue) if n.shaft is held), None)
        if case is not None and needle is not None:
            free = bore_room_mm(case, needle, room)
            bore = "" if free is None else f"; hub to bore {show_mm(free)} (body in its middle)"
            words.append(f"{needle.length_mm - held.depth_mm:.0f} mm of shaft outside{bore}")
        return words

    @Slot(int)
    def _set_position(self, index: int) -> None:
        position = self.position.itemData(index)
        self._panel.try_edit(lambda plan: set_room(plan, replace(plan.room, position=position)))

    @Slot()
    def _set_numbers(self) -> None:
        tilt, bore = self.tilt.value(), self.bore.value()
        self._panel.try_edit(
            lambda plan: set_room(plan, replace(plan.room, gantry_tilt_limit_deg=tilt, bore_mm=bore))
        )


def signed(value: float) -> str:
    """Return a number with its sign, and none for zero."""
    text = f"{value:+.0f}°"
    return text.lstrip("+-") if round(value) == 0 else text.replace("-", "\N{MINUS SIGN}")
