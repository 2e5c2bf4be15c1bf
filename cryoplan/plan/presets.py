"""Presets: protocols of ``resources/presets`` that a user may start from, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryoplan.core.errors import PlanError, StoreError
from cryoplan.core.resources import resource
from cryoplan.core.sourced import HOW
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode

DEFAULT_PRESET = "general-10-5-10"

_TEXTS = ("name", "note", "how", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named protocol.

    Attributes
    ----------
    id : str
        File name without ending.
    name, note : str
        What the window shows.
    source, how : str
        Where the times are from, and how they were obtained (`cryoplan.core.sourced.HOW`).
    protocol : Protocol
        The phases.
    """

    id: str
    name: str
    note: str
    source: str
    how: str
    protocol: Protocol


def load_presets() -> tuple[Preset, ...]:
    """Return the presets of this installation, the default first, then by id.

    Raises
    ------
    StoreError
        If a file cannot be read or breaks a rule; the message names file and key.
    """
    presets = [read_preset(path) for path in sorted(resource("presets").glob("*.toml"))]
    return tuple(sorted(presets, key=lambda p: (p.id != DEFAULT_PRESET, p.id)))


def read_preset(path: Path) -> Preset:
    """Read one preset file strictly.

    Raises
    ------
    StoreError
        If it is no TOML, has missing or unknown keys, no source, or a protocol that cannot be carried out.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _bad(path, f"cannot be read ({error})") from error
    wrong = set(table) ^ {"schema", "protocol", *_TEXTS}
    if wrong:
        raise _bad(path, f"has missing or unknown keys ({', '.join(sorted(wrong))})")
    if table["schema"] != 1:
        raise _bad(path, f"has the unknown schema {table['schema']!r}")
    for key in _TEXTS:
        if not isinstance(table[key], str) or not table[key].strip():
            raise _bad(path, f"has no text for {key}")
    if table["how"] not in HOW:
        raise _bad(path, f"has an unknown 'how' ({table['how']}); use one of: {', '.join(HOW)}")
    try:
        phases = tuple(_phase(row) for row in table["protocol"])
        protocol = Protocol(phases=phases)
    except (PlanError, ValueError, TypeError, KeyError) as error:
        raise _bad(path, f"has a protocol that cannot be carried out ({error})") from error
    return Preset(id=path.stem, protocol=protocol, **{key: table[key] for key in _TEXTS})


def _phase(row: dict[str, Any]) -> Phase:
    unknown = set(row) - {"phase", "duration_s", "mode"}
    duration_s = row["duration_s"]
    if unknown or isinstance(duration_s, bool) or not isinstance(duration_s, int | float):
        raise ValueError(f"phase {row}")
    mode = ThawMode(row.get("mode", ThawMode.PASSIVE))
    return Phase(kind=PhaseKind(row["phase"]), duration_s=float(duration_s), mode=mode)


def _bad(path: Path, what: str) -> StoreError:
    return StoreError(
        f"{path.name} {what}.",
        "Mend the file or install cryoplan again.",
        code="bad-resource",
        place=path.name,
    )
