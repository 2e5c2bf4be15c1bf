"""Rows of a plan file: keys and types of ``plan.json``, and the records that they become and come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

import msgspec

from cryoplan.core.errors import PlanError
from cryoplan.plan.file_checks import Triple, Where
from cryoplan.plan.mark import Mark, MarkKind
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Thermocouple
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.protocol import Phase, PhaseKind, ThawMode
from cryoplan.plan.room import Room
from cryoplan.plan.tool import Tool, ToolKind
from cryoplan.plan.warmer import USUAL_RADIUS_MM, Flow, Warmer, WarmerKind

_Made = TypeVar("_Made")


class ProbeRow(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``probes``."""

    name: str
    model: str
    tip_mm: Triple
    entry_mm: Triple
    intensity: float = 1.0
    start_s: float = 0.0
    stop_s: float | None = None
    locked: bool = False
    channel: str = ""
    order: int | None = None
    colour: int | None = None
    note: str = ""


class PhaseRow(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``protocol``."""

    phase: Literal["freeze", "thaw"]
    duration_s: float
    mode: Literal["passive", "helium", "electric"] = "passive"


class ThermocoupleRow(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``thermocouples``."""

    name: str
    position_mm: Triple


class ToolRow(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``tools``."""

    name: str
    kind: Literal["thermocouple", "hydrodissection", "introducer", "biopsy"]
    tip_mm: Triple
    entry_mm: Triple
    diameter_mm: float
    length_mm: float
    locked: bool = False
    note: str = ""


class WarmerRow(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``warmers``."""

    name: str
    kind: Literal["urethral", "pyeloperfusion", "balloon", "skin-bag"]
    temperature_degc: float
    coefficient: float
    structure: str = ""
    centre_mm: Triple | None = None
    radius_mm: float = USUAL_RADIUS_MM
    is_on: bool = True


class FlowRow(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``flows``."""

    structure: str
    speed_m_s: float


class MarkRow(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``marks``."""

    name: str
    kind: Literal["midline", "grid-line", "landmark"]
    position_mm: Triple


class RoomRow(msgspec.Struct, forbid_unknown_fields=True):
    """The ``room``."""

    position: str = ""
    gantry_tilt_limit_deg: float = 30.0
    bore_mm: float = 700.0
    lift_mm: float = 0.0


class PlanRow(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    schema: int
    probes: list[ProbeRow]
    protocol: list[PhaseRow]
    name: str = "A"
    thermocouples: list[ThermocoupleRow] = msgspec.field(default_factory=list)
    tools: list[ToolRow] = msgspec.field(default_factory=list)
    room: RoomRow = msgspec.field(default_factory=RoomRow)
    warmers: list[WarmerRow] = msgspec.field(default_factory=list)
    flows: list[FlowRow] = msgspec.field(default_factory=list)
    marks: list[MarkRow] = msgspec.field(default_factory=list)


# From rows -------------------------------------------------------------------------------------------


def probe_of(where: Where, index: int, row: ProbeRow, catalogue: Mapping[str, ProbeModel]) -> Probe:
    """Return the probe of a row; a refusal names the path of its value."""
    path = f"probes[{index}]"
    if row.model not in catalogue:
        where.refuse(
            f"{path}.model",
            row.model,
            "is not a probe model of this installation",
            f"Use one of: {', '.join(catalogue)}; or import its file (Probe catalogue, or cryoplan probes "
            "import FILE) and open it again.",
            "model-unknown",
        )
    return _placed(
        where,
        path,
        lambda: Probe(
            name=checked_name(row.name, what=f"Probe {index + 1} of the list"),
            model=row.model,
            tip_mm=where.point(f"{path}.tip_mm", row.tip_mm),
            entry_mm=where.point(f"{path}.entry_mm", row.entry_mm),
            intensity=row.intensity,
            start_s=row.start_s,
            stop_s=row.stop_s,
            locked=row.locked,
            channel=row.channel,
            order=row.order,
            colour=row.colour,
            note=row.note,
        ),
    )


def phase_of(where: Where, index: int, row: PhaseRow) -> Phase:
    """Return the phase of a row."""
    return _placed(
        where,
        f"protocol[{index}]",
        lambda: Phase(kind=PhaseKind(row.phase), duration_s=row.duration_s, mode=ThawMode(row.mode)),
    )


def thermocouple_of(where: Where, index: int, row: ThermocoupleRow) -> Thermocouple:
    """Return the thermocouple of a row."""
    path = f"thermocouples[{index}]"
    return _placed(
        where,
        path,
        lambda: Thermocouple(
            name=checked_name(row.name, what=f"Thermocouple {index + 1} of the list"),
            position_mm=where.point(f"{path}.position_mm", row.position_mm),
        ),
    )


def tool_of(where: Where, index: int, row: ToolRow) -> Tool:
    """Return the tool of a row."""
    path = f"tools[{index}]"
    return _placed(
        where,
        path,
        lambda: Tool(
            name=checked_name(row.name, what=f"Tool {index + 1} of the list"),
            kind=ToolKind(row.kind),
            tip_mm=where.point(f"{path}.tip_mm", row.tip_mm),
            entry_mm=where.point(f"{path}.entry_mm", row.entry_mm),
            diameter_mm=row.diameter_mm,
            length_mm=row.length_mm,
            locked=row.locked,
            note=row.note,
        ),
    )


def warmer_of(where: Where, index: int, row: WarmerRow) -> Warmer:
    """Return the warmer of a row."""
    path = f"warmers[{index}]"
    return _placed(
        where,
        path,
        lambda: Warmer(
            name=checked_name(row.name, what=f"Warmer {index + 1} of the list"),
            kind=WarmerKind(row.kind),
            temperature_degc=row.temperature_degc,
            coefficient=row.coefficient,
            structure=row.structure,
            centre_mm=None if row.centre_mm is None else where.point(f"{path}.centre_mm", row.centre_mm),
            radius_mm=row.radius_mm,
            is_on=row.is_on,
        ),
    )


def flow_of(where: Where, index: int, row: FlowRow) -> Flow:
    """Return the flow of a row."""
    return _placed(where, f"flows[{index}]", lambda: Flow(structure=row.structure, speed_m_s=row.speed_m_s))


def mark_of(where: Where, index: int, row: MarkRow) -> Mark:
    """Return the skin mark of a row."""
    path = f"marks[{index}]"
    return _placed(
        where,
        path,
        lambda: Mark(
            name=checked_name(row.name, what=f"Mark {index + 1} of the list"),
            kind=MarkKind(row.kind),
            position_mm=where.point(f"{path}.position_mm", row.position_mm),
        ),
    )


def room_of(where: Where, row: RoomRow) -> Room:
    """Return the room of a row."""
    return _placed(
        where,
        "room",
        lambda: Room(
            position=row.position,
            gantry_tilt_limit_deg=row.gantry_tilt_limit_deg,
            bore_mm=row.bore_mm,
            lift_mm=row.lift_mm,
        ),
    )


def _placed(where: Where, path: str, make: Callable[[], _Made]) -> _Made:
    """Make a record; what it refuses is said with the path of its row."""
    try:
        return make()
    except PlanError as error:
        if error.place.startswith(path):
            raise
        raise where.moved(error, path, error.place) from error


# To rows: what is as usual is left out, so that plans stay short and older programs read them --------


def probe_row(probe: Probe) -> dict[str, object]:
    """Return the row of a probe."""
    row: dict[str, object] = {
        "name": probe.name,
        "model": probe.model,
        "tip_mm": list(probe.tip_mm),
        "entry_mm": list(probe.entry_mm),
        "intensity": probe.intensity,
        "start_s": probe.start_s,
        "stop_s": probe.stop_s,
    }
    if probe.locked:
        row["locked"] = True
    if probe.channel:
        row["channel"] = probe.channel
    if probe.order is not None:
        row["order"] = probe.order
    if probe.colour is not None:
        row["colour"] = probe.colour
    if probe.note:
        row["note"] = probe.note
    return row


def phase_row(phase: Phase) -> dict[str, object]:
    """Return the row of a phase."""
    row: dict[str, object] = {"phase": phase.kind.value, "duration_s": phase.duration_s}
    if phase.kind is PhaseKind.THAW:
        row["mode"] = phase.mode.value
    return row


def thermocouple_row(thermocouple: Thermocouple) -> dict[str, object]:
    """Return the row of a thermocouple."""
    return {"name": thermocouple.name, "position_mm": list(thermocouple.position_mm)}


def tool_row(tool: Tool) -> dict[str, object]:
    """Return the row of a tool."""
    row: dict[str, object] = {
        "name": tool.name,
        "kind": tool.kind.value,
        "tip_mm": list(tool.tip_mm),
        "entry_mm": list(tool.entry_mm),
        "diameter_mm": tool.diameter_mm,
        "length_mm": tool.length_mm,
    }
    if tool.locked:
        row["locked"] = True
    if tool.note:
        row["note"] = tool.note
    return row


def warmer_row(warmer: Warmer) -> dict[str, object]:
    """Return the row of a warmer."""
    row: dict[str, object] = {
        "name": warmer.name,
        "kind": warmer.kind.value,
        "temperature_degc": warmer.temperature_degc,
        "coefficient": warmer.coefficient,
    }
    if warmer.centre_mm is not None:
        row["centre_mm"] = list(warmer.centre_mm)
    else:
        row["structure"] = warmer.structure
    if warmer.centre_mm is not None or warmer.radius_mm != USUAL_RADIUS_MM:
        row["radius_mm"] = warmer.radius_mm
    if not warmer.is_on:
        row["is_on"] = False
    return row


def flow_row(flow: Flow) -> dict[str, object]:
    """Return the row of a flow."""
    return {"structure": flow.structure, "speed_m_s": flow.speed_m_s}


def mark_row(mark: Mark) -> dict[str, object]:
    """Return the row of a skin mark."""
    return {"name": mark.name, "kind": mark.kind.value, "position_mm": list(mark.position_mm)}


def room_row(room: Room) -> dict[str, object]:
    """Return the row of a room, empty when everything is as usual."""
    usual = Room()
    values = {name: getattr(room, name) for name in RoomRow.__struct_fields__}
    return {name: value for name, value in values.items() if value != getattr(usual, name)}
