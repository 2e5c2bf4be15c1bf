"""Plan file: ``plan.json`` of the contract, read strictly and written whole.

msgspec checks types and unknown keys but takes the last of two equal keys in silence; so the text is parsed
with the standard library first, which hands over every pair.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec

from cryoplan.core.atomic import write_atomic
from cryoplan.core.errors import PlanError
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode

SCHEMA = 1
LARGEST_FILE_BYTES = 1_000_000
MOST_PROBES = 100
MOST_PHASES = 100
MOST_THERMOCOUPLES = 1000

FURTHEST_MM = 10_000.0
"""No scanner room is larger; a number beyond it is a mistake of units."""

_Triple = tuple[float, float, float]
_WORD = re.compile(r"[A-Za-z0-9_]+")


class _ProbeRow(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    model: str
    tip_mm: _Triple
    entry_mm: _Triple
    intensity: float = 1.0
    start_s: float = 0.0
    stop_s: float | None = None
    locked: bool = False


class _PhaseRow(msgspec.Struct, forbid_unknown_fields=True):
    phase: Literal["freeze", "thaw"]
    duration_s: float
    mode: Literal["passive", "helium", "electric"] = "passive"


class _ThermocoupleRow(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    position_mm: _Triple


class _PlanRow(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    probes: list[_ProbeRow]
    protocol: list[_PhaseRow]
    name: str = "A"
    thermocouples: list[_ThermocoupleRow] = msgspec.field(default_factory=list)


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
    where = _Where(place)
    tree = where.parse(text)
    if isinstance(tree, dict) and tree.get("schema") != SCHEMA and _is_whole(tree.get("schema")):
        where.refuse("schema", tree["schema"], f"is not a schema that this program reads ({SCHEMA})",
                     "Get a newer version of the program.", "plan-schema")  # fmt: skip
    try:
        row = msgspec.convert(tree, _PlanRow)
    except msgspec.ValidationError as error:
        where.refuse_invalid(str(error), tree)
    where.limit("probes", row.probes, MOST_PROBES)
    where.limit("protocol", row.protocol, MOST_PHASES)
    where.limit("thermocouples", row.thermocouples, MOST_THERMOCOUPLES)

    probes = tuple(where.probe(n, p, catalogue) for n, p in enumerate(row.probes))
    phases = tuple(where.phase(n, p) for n, p in enumerate(row.protocol))
    thermocouples = tuple(where.thermocouple(n, t) for n, t in enumerate(row.thermocouples))
    try:
        name = checked_name(row.name, what="The plan")
        protocol = Protocol(phases=phases)
        return Plan(name=name, probes=probes, protocol=protocol, thermocouples=thermocouples)
    except PlanError as error:
        raise where.moved(error, "", error.place) from error


def plan_to_json(plan: Plan) -> str:
    """Return the contract's JSON of a plan; `plan_from_json` makes the same plan of it again."""
    head = f'{{"schema": {SCHEMA}, "name": {json.dumps(plan.name)},'
    probes = _rows("probes", [_probe_row(p) for p in plan.probes])
    protocol = _rows("protocol", [_phase_row(p) for p in plan.protocol.phases])
    thermocouples = _rows(
        "thermocouples", [{"name": t.name, "position_mm": list(t.position_mm)} for t in plan.thermocouples]
    )
    return f"{head}\n{probes},\n{protocol},\n{thermocouples}}}\n"


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan file; the old one is replaced only once the new one is whole.

    Raises
    ------
    StoreError
        If the place cannot be written.
    """
    write_atomic(path, plan_to_json(plan).encode("utf-8"))


def _probe_row(probe: Probe) -> dict[str, object]:
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
    return row


def _phase_row(phase: Phase) -> dict[str, object]:
    row: dict[str, object] = {"phase": phase.kind.value, "duration_s": phase.duration_s}
    if phase.kind is PhaseKind.THAW:
        row["mode"] = phase.mode.value
    return row


def _rows(key: str, rows: list[dict[str, object]]) -> str:
    # One line a probe: people read and compare these files.
    lines = ",\n".join(f"  {json.dumps(row, allow_nan=False)}" for row in rows)
    return f' "{key}": [\n{lines}\n ]' if rows else f' "{key}": []'


class _Pairs(list[tuple[str, object]]):
    """A JSON object as parsed, equal keys and all."""


@dataclass(frozen=True, slots=True)
class _Where:
    """Messages about one text: names the file, the path of the value, the value, and what to do."""

    file: str

    def refuse(self, path: str, value: object, what: str, remedy: str, code: str) -> NoReturn:
        where = f"{path} = " if path else ""
        raise PlanError(
            f"{self.file}: {where}{_show(value)} {what}.", remedy, code=code, place=path or self.file
        )

    def moved(self, error: PlanError, prefix: str, inner: str) -> PlanError:
        """Return `error` of a record, with the path that its value has in the file."""
        path = f"{prefix}.{inner}" if prefix and inner else prefix or inner
        return PlanError(f"{self.file}: {path}: {error.what}", error.remedy, code=error.code, place=path)

    def parse(self, text: str) -> object:
        try:
            raw: object = json.loads(
                text, object_pairs_hook=_Pairs, parse_constant=_Constant, parse_int=_whole_number
            )
            return self.plain(raw, "")
        except json.JSONDecodeError as error:
            raise PlanError(
                f"{self.file} is not JSON (line {error.lineno}, column {error.colno}: {error.msg}).",
                "Mend that place or choose a plan file.",
                code="plan-not-json",
                place=self.file,
            ) from error
        except RecursionError as error:
            raise PlanError(
                f"{self.file} is nested too deeply to be a plan.",
                "Choose a plan file.",
                code="plan-not-json",
                place=self.file,
            ) from error

    def plain(self, node: object, path: str) -> object:
        """Return dicts and lists; refuse equal keys and numbers that are none."""
        if isinstance(node, _Pairs):
            result: dict[str, object] = {}
            for key, value in node:
                # All keys of a plan are plain words; others would also make paths that cannot be read.
                word = key if _WORD.fullmatch(key) else json.dumps(key)
                inner = f"{path}.{word}" if path else word
                if word != key:
                    self.refuse(
                        inner, _bare(value), "is not a key of a plan", "Remove it.", "plan-key-unknown"
                    )
                if key in result:
                    self.refuse(inner, _bare(value), "is there twice", "Keep one of them.", "plan-key-twice")
                result[key] = self.plain(value, inner)
            return result
        if isinstance(node, list):
            return [self.plain(value, f"{path}[{n}]") for n, value in enumerate(node)]
        if isinstance(node, _Constant) or (isinstance(node, float) and not math.isfinite(node)):
            # The path of a coordinate is that of its point, as for every other fault of a point.
            self.refuse(_of_point(path), node, "is not a finite number", "Write a number.", "plan-number")
        return node

    def refuse_invalid(self, message: str, tree: object) -> NoReturn:
        """Turn msgspec's message into ours: same path notation, the value, and a remedy."""
        text, _, tail = message.partition(" - at `$")
        path = tail.rstrip("`").lstrip(".")
        key = re.search(r"(unknown|required) field `(.*)`", text)
        if key:
            full = f"{path}.{key[2]}" if path else key[2]
            if key[1] == "unknown":
                self.refuse(full, _look_up(tree, full), "is not a key of a plan",
                            "Remove it or mend its spelling.", "plan-key-unknown")  # fmt: skip
            raise PlanError(
                f"{self.file}: {full} is missing.", "Add it.", code="plan-key-missing", place=full
            )
        value = _look_up(tree, path)
        path = _of_point(path)
        if not path:
            raise PlanError(
                f"{self.file} holds no plan ({_lower(text)}).",
                "Choose a plan file.",
                code="plan-not-json",
                place=self.file,
            )
        if path.endswith("_mm"):
            self.refuse(path, _look_up(tree, path), "is not three finite numbers",
                        "Give x, y and z in LPS millimetres.", "plan-value")  # fmt: skip
        self.refuse(path, value, f"does not fit ({_lower(text)})", "Mend the value.", "plan-value")

    def limit(self, key: str, rows: list[object] | list[_ProbeRow] | list[_PhaseRow] | list[_ThermocoupleRow],
              most: int) -> None:  # fmt: skip
        if len(rows) > most:
            raise PlanError(
                f"{self.file}: {key} has {len(rows)} entries.",
                f"Use at most {most}.",
                code="plan-too-many",
                place=key,
            )

    def point(self, path: str, value: _Triple) -> _Triple:
        if max(abs(x) for x in value) > FURTHEST_MM:
            self.refuse(path, list(value), "is further than 10 m away",
                        "Give LPS millimetres.", "plan-position-far")  # fmt: skip
        return value

    def probe(self, index: int, row: _ProbeRow, catalogue: Mapping[str, ProbeModel]) -> Probe:
        path = f"probes[{index}]"
        if row.model not in catalogue:
            self.refuse(f"{path}.model", row.model, "is not a probe model",
                        f"Use one of: {', '.join(catalogue)}.", "model-unknown")  # fmt: skip
        try:
            return Probe(
                name=checked_name(row.name, what=f"Probe {index + 1} of the list"),
                model=row.model,
                tip_mm=self.point(f"{path}.tip_mm", row.tip_mm),
                entry_mm=self.point(f"{path}.entry_mm", row.entry_mm),
                intensity=row.intensity,
                start_s=row.start_s,
                stop_s=row.stop_s,
                locked=row.locked,
            )
        except PlanError as error:
            if error.place.startswith(path):
                raise
            raise self.moved(error, path, error.place) from error

    def phase(self, index: int, row: _PhaseRow) -> Phase:
        try:
            return Phase(kind=PhaseKind(row.phase), duration_s=row.duration_s, mode=ThawMode(row.mode))
        except PlanError as error:
            raise self.moved(error, f"protocol[{index}]", error.place) from error

    def thermocouple(self, index: int, row: _ThermocoupleRow) -> Thermocouple:
        path = f"thermocouples[{index}]"
        position = self.point(f"{path}.position_mm", row.position_mm)
        try:
            name = checked_name(row.name, what=f"Thermocouple {index + 1} of the list")
        except PlanError as error:
            raise self.moved(error, path, error.place) from error
        return Thermocouple(name=name, position_mm=position)


class _Constant(str):
    """``NaN`` or ``Infinity`` in the text: Python reads them although JSON has no such words."""

    __slots__ = ()


def _whole_number(digits: str) -> int | float:
    # int() refuses thousands of digits with a ValueError; float() turns them into inf, refused by name later.
    return int(digits) if len(digits) < 400 else float(digits)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _of_point(path: str) -> str:
    return re.sub(r"(_mm)\[\d+\]$", r"\1", path)


def _look_up(tree: Any, path: str) -> object:
    """Return the value at a path that msgspec has just walked."""
    node = tree
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        node = node[int(index)] if index else node[key]
    return node


def _bare(value: object) -> object:
    return dict(value) if isinstance(value, _Pairs) else value


def _show(value: object) -> str:
    if isinstance(value, _Constant):
        return str.__str__(value)
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
