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

_TEXTS = ("name", "vendor", "gauge", "coolant", "note", "calibration")

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

_KINDS = ("cryoprobe", "warmer")
_OPTIONAL = (
    "active_thaw_temperature",
    "active_thaw_coefficient",
    "electric_thaw_temperature",
    "thaw_time_constant",
)
_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue(Mapping[str, ProbeModel]):
    """Probe models by id, in the order of their ids.

    Attributes
    ----------
    models : tuple of ProbeModel
        All readable models.
    findings : tuple of Finding
        Files of the user's folder that were left out, and why.
    """

    models: tuple[ProbeModel, ...]
    findings: tuple[Finding, ...] = ()

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
    return Catalogue(models=tuple(sorted(models, key=lambda m: m.id)), findings=tuple(findings))


def read_model(path: Path) -> ProbeModel:
    """Read one probe file; its id is the file name without ``.toml``.

    Raises
    ------
    StoreError
        If the file cannot be read, has unknown or missing keys, a number without source, a wrong unit, a
        number out of range, or parts that do not fit on the shaft. ``place`` is ``file: key``.
    """
    table = _table(path)
    known = {"schema", "kind", *_TEXTS, *_NUMBERS}
    required = known - set(_OPTIONAL) - {"calibration", "kind"}
    for key in table:
        if key not in known:
            raise _bad(path, key, "is not a key of a probe file", "Remove it or mend its spelling.")
    for key in sorted(required):
        if key not in table:
            raise _bad(path, key, "is missing", "Add it; the built-in files show how.")
    if table["schema"] != 1 or isinstance(table["schema"], bool):
        raise _bad(path, "schema", f"is {table['schema']!r}", "This program reads schema 1.")
    if not _ID.fullmatch(path.stem):
        raise _bad(path, "file name", "is not a model id", "Use small letters, digits, dots and hyphens.")
    texts: dict[str, str] = {}
    for key in _TEXTS:
        text = table.get(key, "")
        if not isinstance(text, str) or (key == "name" and not text.strip()):
            raise _bad(path, key, "is not a text", "Write it between quotation marks.")
        texts[key] = text
    kind = table.get("kind", _KINDS[0])
    if kind not in _KINDS:
        raise _bad(path, "kind", f"is {kind!r}", f"Use one of: {', '.join(_KINDS)}.")
    units = dict(_NUMBERS)
    if kind == "warmer":
        units["coolant_temperature"] = ("degC", *_WARM)
        for key in _OPTIONAL:
            if key in table:
                raise _bad(path, key, "has no meaning for a warmer, which is on in every phase", "Remove it.")
    numbers = {key: _number(path, key, table[key], units[key]) for key in _NUMBERS if key in table}
    if ("active_thaw_temperature" in numbers) != ("active_thaw_coefficient" in numbers):
        raise _bad(
            path, "active_thaw_temperature", "and active_thaw_coefficient belong together", "Give both."
        )
    front = sum(numbers[key].value for key in ("tip_offset", "active_length", "taper"))
    if front > numbers["shaft_length"].value:
        raise _bad(
            path,
            "shaft_length",
            f"is shorter than tip offset, active zone and taper together ({front:g} mm)",
            "Mend the lengths.",
        )
    return ProbeModel(id=path.stem, kind=str(kind), **texts, **numbers)  # type: ignore[arg-type]  # keys are those of the record


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
