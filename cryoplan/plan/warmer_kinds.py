"""Kinds of warmers: title, temperature and exchange that a new one begins with, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced
from cryoplan.plan.warmer import WarmerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualWarmer:
    """What a kind of warmer usually is: degC, and W/(m2 K) to the wall or the skin."""

    kind: WarmerKind
    title: str
    temperature: Sourced
    coefficient: Sourced


def read_warmers(path: Path) -> dict[WarmerKind, UsualWarmer]:
    """Read a table of warmers.

    Raises
    ------
    StoreError
        If the file cannot be read, or a kind, number, unit or source is missing.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        found = {kind: _usual(kind, table[kind.value]) for kind in WarmerKind}
        unknown = set(table) - {"schema", *(k.value for k in WarmerKind)}
        if unknown:
            raise ValueError(f"unknown kinds {sorted(unknown)}")
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"The table of warmers {path.name} cannot be read ({error}).",
            "Restore the file.",
            code="bad-resource",
            place=path.name,
        ) from error
    return found


def _usual(kind: WarmerKind, entry: dict[str, object]) -> UsualWarmer:
    numbers = {}
    for key, unit in (("temperature", "degC"), ("coefficient", "W/(m2 K)")):
        value = entry[key]
        if not isinstance(value, dict):
            raise TypeError(f"{kind.value}.{key} has no unit and source")
        numbers[key] = Sourced.from_toml(value, place=f"{kind.value}.{key}")
        if numbers[key].unit != unit:
            raise ValueError(f"{kind.value}.{key} is not in {unit}")
    if entry["where"] != ("skin" if kind.is_on_skin else "structure"):
        raise ValueError(f"{kind.value} lies elsewhere")
    return UsualWarmer(kind=kind, title=str(entry["title"]), **numbers)


@lru_cache(maxsize=1)
def load_warmers() -> dict[WarmerKind, UsualWarmer]:
    """Return the table that comes with the program, ``resources/warmers/default.toml``."""
    return read_warmers(resource("warmers", "default.toml"))
