"""Catalogue: the probe models of ``resources/probes`` and of the user's folder, read strictly."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryoplan.core.digest import digest
from cryoplan.core.errors import PlanError, StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced
from cryoplan.plan.probe import ProbeModel

LARGEST_FILE_BYTES = 100_000

TEXTS = ("name", "vendor", "gauge", "coolant", "note", "calibration")

# Unit and allowed range of each number: a file with inches, or with a minus forgotten, must not pass.
_NUMBERS: dict[str, tuple[str, float, float]] = {
    "outer_diameter": ("mm", 0.5, 12.0),
    "active_length": ("mm", 1.0, 120.0),
    "tip_offset": ("mm", 0.0, 30.0),
    "shaft_length": ("mm", 20.0, 1000.0),
    "taper": ("mm", 0.0, 50.0),
    "coolant_temperature": ("degC", -210.0, 0.0),
    "cooling_time_constant": ("s", 0.1, 600.0),
    "exchange_coefficient": ("W/(m2 K)", 10.0, 100_000.0),
    "active_thaw_temperature": ("degC", 0.0, 100.0),
    "active_thaw_coefficient": ("W/(m2 K)", 10.0, 100_000.0),
    "electric_thaw_temperature": ("degC", 0.0, 100.0),
    "thaw_time_constant": ("s", 0.1, 600.0),
}
_WARM = (25.0, 60.0)
"""degC of a warmer's fluid: below it does not warm, above it burns."""

KINDS = ("cryoprobe", "warmer")
OPTIONAL = (
    "active_thaw_temperature",
    "active_thaw_coefficient",
    "electric_thaw_temperature",
    "thaw_time_constant",
)
"""Numbers that a probe need not have."""

_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")
LONGEST_ID, LONGEST_TEXT = 60, 2000
_NO_FILE = frozenset({"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))})
"""Names that Windows keeps for devices."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue(Mapping[str, ProbeModel]):
    """Probe models by id, in the order of their ids.

    Attributes
    ----------
    models : tuple of ProbeModel
        All readable models.
    findings : tuple of Finding
        Files of the user's folder that were left out, and why.
    own : frozenset of str
        Ids of the user's models.
    """

    models: tuple[ProbeModel, ...]
    findings: tuple[Finding, ...] = ()
    own: frozenset[str] = frozenset()

    def __getitem__(self, key: str) -> ProbeModel:
        for model in self.models:
            if model.id == key:
                return model
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (model.id for model in self.models)

    def __len__(self) -> int:
        return len(self.models)

    def model(self, name: str) -> ProbeModel:
        """Return the model of that id.

        Raises
        ------
        PlanError
            If there is none; the message lists those that exist.
        """
        try:
            return self[name]
        except KeyError:
            raise PlanError(
                f"There is no probe model {name!r}.",
                f"Use one of: {', '.join(self)}.",
                code="model-unknown",
                place="model",
            ) from None

    def digest(self) -> str:
        """Return the SHA-256 of all numbers and texts of all models."""
        return digest(self.models)


def load_catalogue(user_folder: Path | None = None) -> Catalogue:
    """Read the built-in models and, where given, those of the user's folder.

    A built-in file that cannot be read is an error: the installation is broken. A user's file that cannot
    be read, or whose id is taken, is left out and becomes a finding.

    Raises
    ------
    StoreError
        If a built-in file is missing, damaged, or breaks a rule; the message names file and key.
    """
    models = [read_model(path) for path in sorted(resource("probes").glob("*.toml"))]
    findings: list[Finding] = []
    built_in = {model.id for model in models}
    paths = sorted(user_folder.glob("*.toml")) if user_folder is not None and user_folder.is_dir() else []
    for path in paths:
        try:
            model = read_model(path)
        except StoreError as error:
            findings.append(
                Finding(level=Level.WARN, code="probe-file-left-out", text=str(error), place=path.name)
            )
            continue
        if any(model.id == other.id for other in models):
            findings.append(
                Finding(
                    level=Level.WARN,
                    code="probe-id-taken",
                    text=f"{path.name} was left out: a built-in probe has that name. Rename the file.",
                    place=path.name,
                )
            )
            continue
        models.append(model)
    return Catalogue(
        models=tuple(sorted(models, key=lambda m: m.id)),
        findings=tuple(findings),
        own=frozenset(m.id for m in models) - built_in,
    )


def is_model_id(name: str) -> bool:
    """Tell whether a name can be the id of a model, which is a file name on every system."""
    return bool(_ID.fullmatch(name)) and len(name) <= LONGEST_ID and name.split(".")[0] not in _NO_FILE


def number_rules(kind: str) -> dict[str, tuple[str, float, float]]:
    """Return unit, lowest and highest value of every number of a kind of probe, in the order of the form."""
    rules = dict(_NUMBERS)
    if kind == "warmer":
        rules["coolant_temperature"] = ("degC", *_WARM)
        for key in OPTIONAL:
            del rules[key]
    return rules


def read_model(path: Path) -> ProbeModel:
    """Read one probe file; its id is the file name without ``.toml``.

    Raises
    ------
    StoreError
        If the file cannot be read, has unknown or missing keys, a number without source, a wrong unit, a
        number out of range, or parts that do not fit on the shaft. ``place`` is ``file: key``.
    """
    table = _table(path)
    if not is_model_id(path.stem):
        raise _bad(path, "file name", "is not a model id", "Use small letters, digits, dots and hyphens.")
    return model_of(table, path)


def model_of(table: Mapping[str, object], path: Path) -> ProbeModel:
    """Return the model of what stands in a probe file; see `read_model`. The file need not be there."""
    for error in faults(table, path):
        raise error
    texts = {key: str(table.get(key, "")) for key in TEXTS}
    kind = str(table.get("kind", KINDS[0]))
    rules = number_rules(kind)
    numbers = {key: _number(path, key, table[key], rules[key]) for key in rules if key in table}
    return ProbeModel(id=path.stem, kind=kind, **texts, **numbers)  # type: ignore[arg-type]  # keys are those of the record


def faults(table: Mapping[str, object], path: Path) -> Iterator[StoreError]:
    """Yield everything that is wrong with what stands in a probe file, each with ``place`` ``file: key``."""
    known = {"schema", "kind", *TEXTS, *_NUMBERS}
    required = known - set(OPTIONAL) - {"calibration", "kind"}
    for key in table:
        if key not in known:
            yield _bad(path, key, "is not a key of a probe file", "Remove it or mend its spelling.")
    for key in sorted(required):
        if key not in table:
            yield _bad(path, key, "is missing", "Add it; the built-in files show how.")
    schema = table.get("schema", 1)
    if schema != 1 or isinstance(schema, bool):
        yield _bad(path, "schema", f"is {schema!r}", "This program reads schema 1.")
    for key in TEXTS:
        text = table.get(key, "")
        if not isinstance(text, str):
            yield _bad(path, key, "is not a text", "Write it between quotation marks.")
        elif key == "name" and key in table and not text.strip():
            yield _bad(path, key, "is not a text that says anything", "Write what the list shall show.")
        elif len(text) > LONGEST_TEXT:
            yield _bad(path, key, "is too long", f"Use at most {LONGEST_TEXT} letters.")
    kind = table.get("kind", KINDS[0])
    if kind not in KINDS:
        yield _bad(path, "kind", f"is {kind!r}", f"Use one of: {', '.join(KINDS)}.")
        kind = KINDS[0]
    rules = number_rules(str(kind))
    numbers: dict[str, Sourced] = {}
    for key in _NUMBERS:
        if key not in table:
            continue
        if key not in rules:
            yield _bad(path, key, "has no meaning for a warmer, which is on in every phase", "Remove it.")
            continue
        try:
            numbers[key] = _number(path, key, table[key], rules[key])
        except StoreError as error:
            yield error
    if ("active_thaw_temperature" in table) != ("active_thaw_coefficient" in table):
        yield _bad(
            path, "active_thaw_temperature", "and active_thaw_coefficient belong together", "Give both."
        )
    parts = ("tip_offset", "active_length", "taper")
    if {*parts, "shaft_length"} <= set(numbers):
        front = sum(numbers[key].value for key in parts)
        if front > numbers["shaft_length"].value:
            yield _bad(
                path,
                "shaft_length",
                f"is shorter than tip offset, active zone and taper together ({front:g} mm)",
                "Mend the lengths.",
            )


def _table(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise _bad(path, "file", "is larger than 100 kB", "A probe file has a few lines.")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _bad(path, "file", f"cannot be read ({reason})", "Check the file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(path, "file", f"is not TOML ({error})", "Mend the place it names.") from error


def _number(path: Path, key: str, value: object, allowed: tuple[str, float, float]) -> Sourced:
    unit, lowest, highest = allowed
    if not isinstance(value, dict):
        raise _bad(path, key, "is not a table", "Write { value, unit, source, how }.")
    number = Sourced.from_toml(value, place=f"{path.name}: {key}")
    if number.unit != unit:
        raise _bad(path, key, f"has the unit {number.unit!r}", f"Give it in {unit}.")
    for part in (number.value, number.low, number.high):
        if part is not None and not (math.isfinite(part) and lowest <= part <= highest):
            raise _bad(path, key, f"is {part:g} {unit}", f"Use {lowest:g} to {highest:g} {unit}.")
    low = number.value if number.low is None else number.low
    high = number.value if number.high is None else number.high
    if not low <= number.value <= high:
        raise _bad(path, key, f"is {number.value:g}, outside its own range", "Mend low, value or high.")
    return number


def _bad(path: Path, key: str, what: str, remedy: str) -> StoreError:
    return StoreError(f"{path.name}: {key} {what}.", remedy, code="bad-resource", place=f"{path.name}: {key}")
