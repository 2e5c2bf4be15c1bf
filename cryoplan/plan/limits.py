"""Placement limits: the numbers of ``resources/limits/placement.toml``, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced

_SPACING = {
    "wide_warn": "mm",
    "wide_fail": "mm",
    "close_warn": "mm",
    "reduced_below": "fraction",
    "reduced_wide_warn": "mm",
    "reduced_wide_fail": "mm",
}
_PLACEMENT = {
    "target_gap_warn": "mm",
    "entry_off_skin_warn": "mm",
    "hub_reserve_warn": "mm",
    "active_to_skin_warn": "mm",
    "near_organ_warn": "mm",
    "hub_diameter": "mm",
    "hub_length": "mm",
    "bore_room_warn": "mm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementLimits:
    """All limits of placement.

    Attributes
    ----------
    numbers : dict of str to Sourced
        The numbers of the sections ``spacing`` and ``placement`` by key.
    forbidden, doubtful : frozenset of Role
        What a shaft must not pass, and what it may only pass on purpose.
    path_source : str
        Where the two lists are from.
    """

    numbers: dict[str, Sourced]
    forbidden: frozenset[Role]
    doubtful: frozenset[Role]
    path_source: str

    def __getitem__(self, key: str) -> float:
        return self.numbers[key].value


@lru_cache(maxsize=1)
def placement_limits() -> PlacementLimits:
    """Return the limits of this installation.

    Raises
    ------
    StoreError
        If the file is missing or breaks a rule; the message names the key.
    """
    return read_limits(resource("limits", "placement.toml"))


def read_limits(path: Path) -> PlacementLimits:
    """Read a file of placement limits strictly.

    Raises
    ------
    StoreError
        If it cannot be read, or a key is missing, unknown, without source or of another unit.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _bad(path, "file", f"cannot be read ({error})") from error
    _same_keys(path, "file", table, {"schema", "spacing", "placement", "path"})
    numbers: dict[str, Sourced] = {}
    for section, units in (("spacing", _SPACING), ("placement", _PLACEMENT)):
        _same_keys(path, section, table[section], set(units))
        for key, unit in units.items():
            place = f"{path.name}: {section}.{key}"
            row = table[section][key]
            if not isinstance(row, dict):
                raise _bad(path, f"{section}.{key}", "is not a table of value, unit, source and how")
            numbers[key] = Sourced.from_toml(row, place=place)
            if numbers[key].unit != unit or not numbers[key].value >= 0.0:
                raise _bad(path, f"{section}.{key}", f"is not a number of 0 or more in {unit}")
    rules = table["path"]
    _same_keys(path, "path", rules, {"source", "how", "fail", "warn"})
    return PlacementLimits(
        numbers=numbers,
        forbidden=_roles(path, "path.fail", rules["fail"]),
        doubtful=_roles(path, "path.warn", rules["warn"]),
        path_source=f"{rules['source']} ({rules['how']})",
    )


def _roles(path: Path, key: str, words: object) -> frozenset[Role]:
    try:
        return frozenset(Role(word) for word in words)  # type: ignore[attr-defined]  # caught below
    except (TypeError, ValueError) as error:
        raise _bad(path, key, f"is not a list of roles ({error})") from error


def _same_keys(path: Path, section: str, table: object, expected: set[str]) -> None:
    if not isinstance(table, dict) or set(table) != expected:
        wrong = sorted(set(table) ^ expected) if isinstance(table, dict) else sorted(expected)
        raise _bad(path, section, f"has missing or unknown keys ({', '.join(wrong)})")


def _bad(path: Path, key: str, what: str) -> StoreError:
    return StoreError(
        f"{path.name}: {key} {what}.",
        "Mend the file or install cryoplan again.",
        code="bad-resource",
        place=f"{path.name}: {key}",
    )
