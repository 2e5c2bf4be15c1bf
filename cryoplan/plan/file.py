"""Plan file: ``plan.json`` of the contract, read strictly and written whole.

msgspec checks types and unknown keys but takes the last of two equal keys in silence; so the text is parsed
with the standard library first, which hands over every pair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cryoplan.core.atomic import write_atomic
from cryoplan.core.errors import PlanError
from cryoplan.plan.file_checks import Where, is_whole
from cryoplan.plan.file_rows import (
    PlanRow,
    flow_of,
    flow_row,
    mark_of,
    mark_row,
    phase_of,
    phase_row,
    probe_of,
    probe_row,
    room_of,
    room_row,
    thermocouple_of,
    thermocouple_row,
    tool_of,
    tool_row,
    warmer_of,
    warmer_row,
)
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel
from cryoplan.plan.protocol import Protocol

SCHEMA = 1
LARGEST_FILE_BYTES = 1_000_000
MOST_PROBES = 100
MOST_PHASES = 100
MOST_THERMOCOUPLES = 1000
MOST_TOOLS = 100
MOST_WARMERS = 100
MOST_FLOWS = 1000
MOST_MARKS = 100


def read_plan(path: Path, catalogue: Mapping[str, ProbeModel]) -> Plan:
    """Read a plan file.

    Parameters
    ----------
    path : Path
        A UTF-8 JSON file of at most 1 MB; a byte-order mark is tolerated.
    catalogue : mapping of str to ProbeModel
        The models that probes may name.

    Raises
    ------
    PlanError
        If the file cannot be read or anything in it is wrong. ``place`` is the path of the bad value, for
        example ``probes[1].tip_mm``, or the file's name when it is about the file.
    """
    name = path.name
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PlanError(
            f"{name} cannot be read ({reason}).", "Choose a plan file.", code="plan-unreadable", place=name
        ) from error
    if len(data) > LARGEST_FILE_BYTES:
        raise PlanError(
            f"{name} is larger than 1 MB, so it is no plan.",
            "Choose a plan file.",
            code="plan-too-large",
            place=name,
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanError(
            f"{name} is not a text in UTF-8 (byte {error.start}).",
            "Save it as UTF-8 or choose a plan file.",
            code="plan-not-json",
            place=name,
        ) from error
    return plan_from_json(text, catalogue, name)


def plan_from_json(text: str, catalogue: Mapping[str, ProbeModel], place: str) -> Plan:
    """Return the plan that a JSON text describes.

    Parameters
    ----------
    text : str
        The JSON.
    catalogue : mapping of str to ProbeModel
        The models that probes may name.
    place : str
        What messages call the text, normally the name of its file.

    Raises
    ------
    PlanError
        As `read_plan`.
    """
    where = Where(place)
    tree = where.parse(text)
    if isinstance(tree, dict) and tree.get("schema") != SCHEMA and is_whole(tree.get("schema")):
        where.refuse("schema", tree["schema"], f"is not a schema that this program reads ({SCHEMA})",
                     "Get a newer version of the program.", "plan-schema")  # fmt: skip
    try:
        row = msgspec.convert(tree, PlanRow)
    except msgspec.ValidationError as error:
        where.refuse_invalid(str(error), tree)
    where.limit("probes", row.probes, MOST_PROBES)
    where.limit("protocol", row.protocol, MOST_PHASES)
    where.limit("thermocouples", row.thermocouples, MOST_THERMOCOUPLES)
    where.limit("tools", row.tools, MOST_TOOLS)
    where.limit("warmers", row.warmers, MOST_WARMERS)
    where.limit("flows", row.flows, MOST_FLOWS)
    where.limit("marks", row.marks, MOST_MARKS)

    probes = tuple(probe_of(where, n, p, catalogue) for n, p in enumerate(row.probes))
    phases = tuple(phase_of(where, n, p) for n, p in enumerate(row.protocol))
    thermocouples = tuple(thermocouple_of(where, n, t) for n, t in enumerate(row.thermocouples))
    tools = tuple(tool_of(where, n, t) for n, t in enumerate(row.tools))
    warmers = tuple(warmer_of(where, n, w) for n, w in enumerate(row.warmers))
    flows = tuple(flow_of(where, n, f) for n, f in enumerate(row.flows))
    marks = tuple(mark_of(where, n, m) for n, m in enumerate(row.marks))
    room = room_of(where, row.room)
    try:
        return Plan(
            name=checked_name(row.name, what="The plan"),
            probes=probes,
            protocol=Protocol(phases=phases),
            thermocouples=thermocouples,
            tools=tools,
            room=room,
            warmers=warmers,
            flows=flows,
            marks=marks,
        )
    except PlanError as error:
        raise where.moved(error, "", error.place) from error


def plan_to_json(plan: Plan) -> str:
    """Return the contract's JSON of a plan; `plan_from_json` makes the same plan of it again."""
    head = f'{{"schema": {SCHEMA}, "name": {json.dumps(plan.name)},'
    parts = [
        _rows("probes", [probe_row(p) for p in plan.probes]),
        _rows("protocol", [phase_row(p) for p in plan.protocol.phases]),
        _rows("thermocouples", [thermocouple_row(t) for t in plan.thermocouples]),
    ]
    # Left out when there are none: then older programs read the file as well.
    if plan.tools:
        parts.append(_rows("tools", [tool_row(t) for t in plan.tools]))
    if plan.warmers:
        parts.append(_rows("warmers", [warmer_row(w) for w in plan.warmers]))
    if plan.flows:
        parts.append(_rows("flows", [flow_row(f) for f in plan.flows]))
    if plan.marks:
        parts.append(_rows("marks", [mark_row(m) for m in plan.marks]))
    if room := room_row(plan.room):
        parts.append(f' "room": {json.dumps(room, allow_nan=False)}')
    return head + "\n" + ",\n".join(parts) + "}\n"


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan file; the old one is replaced only once the new one is whole.

    Raises
    ------
    StoreError
        If the place cannot be written.
    """
    write_atomic(path, plan_to_json(plan).encode("utf-8"))


def _rows(key: str, rows: list[dict[str, object]]) -> str:
    # One line a probe: people read and compare these files.
    lines = ",\n".join(f"  {json.dumps(row, allow_nan=False)}" for row in rows)
    return f' "{key}": [\n{lines}\n ]' if rows else f' "{key}": []'
