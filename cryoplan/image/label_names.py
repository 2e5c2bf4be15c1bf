"""Names of the labels of a label map, from the ``.json`` file beside it.

Three shapes of file are understood::

    {"1": "liver", "2": "tumour"}
    {"labels": {"1": {"name": "liver", "role": "organ", "tissue": "liver"}, "2": {"name": "tumour"}}}
    {"labels": {"background": 0, "liver": 1}}

Keys that are no label numbers (volumes, remarks) are left alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cryoplan.core.errors import StructureError


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelName:
    """Name of one label, and role and tissue where the file states them."""

    name: str
    role: str = ""
    tissue: str = ""


def stem_of(path: Path) -> str:
    """Return the file name without its image ending: ``liver.nii.gz`` gives ``liver``."""
    name = path.name
    for ending in (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def find_names(path: Path, labels: set[int]) -> dict[int, LabelName]:
    """Return the names for the labels of a label map file, as far as a file beside it states them.

    ``<stem>.json`` belongs to its image. ``labels.json`` belongs to the folder: it is used when it names
    every label of this file and the file is not a single mask with a name of its own.
    """
    own = path.with_name(f"{stem_of(path)}.json")
    if own.is_file():
        return read_names(own)
    shared = path.with_name("labels.json")
    if labels != {1} and shared.is_file():
        names = read_names(shared)
        if labels <= names.keys():
            return names
    return {}


def read_names(path: Path) -> dict[int, LabelName]:
    """Read a names file.

    Raises
    ------
    StructureError
        If it is not JSON, or a label has no name.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _bad(path, "is not a readable JSON file") from error
    if not isinstance(content, dict):
        raise _bad(path, "does not map label numbers to names")
    table = content.get("labels", content)
    if not isinstance(table, dict):
        raise _bad(path, "does not map label numbers to names")
    names: dict[int, LabelName] = {}
    for key, value in table.items():
        if _is_number(key):
            names[int(key)] = _label_name(path, key, value)
        elif table is not content and isinstance(value, int) and not isinstance(value, bool):
            names[value] = LabelName(name=key.strip() or f"label {value}")
    names.pop(0, None)
    return names


def _is_number(key: str) -> bool:
    return key.strip().isascii() and key.strip().isdigit() and len(key.strip()) <= 9


def _label_name(path: Path, key: str, value: object) -> LabelName:
    if isinstance(value, str) and value.strip():
        return LabelName(name=value.strip())
    if isinstance(value, dict):
        parts = {part: value.get(part, "") for part in ("name", "role", "tissue")}
        if all(isinstance(text, str) for text in parts.values()) and parts["name"].strip():
            return LabelName(**{part: text.strip() for part, text in parts.items()})
    raise _bad(path, f"gives label {key} no name")


def _bad(path: Path, what: str) -> StructureError:
    return StructureError(
        f"The names file {path.name} {what}.",
        'Write it as {"1": "liver", "2": "tumour"}.',
        code="bad-label-names",
        place=path.name,
    )
