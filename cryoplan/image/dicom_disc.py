"""A disc with a DICOMDIR is its folder; the table of contents only tells which files should be there.

Every file is found and judged by itself, so a table that is old, damaged or made up cannot mislead.
"""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from pathlib import Path

from cryoplan.core.finding import Finding, Level

NAME = "DICOMDIR"
_MOST_NAMES = 3


def folder_of(path: Path) -> Path:
    """Return the folder of a disc for its table of contents, any other path as it is."""
    return path.parent if path.name.upper() == NAME and path.is_file() else path


def missing_from_disc(table: Path) -> tuple[dict[str, Finding], tuple[Finding, ...]]:
    """Return what a DICOMDIR names and its folder does not hold.

    Returns
    -------
    dict of str to Finding
        By the UID of the series: a warning that its volume may be short, naming the files.
    tuple of Finding
        What else is to be said: a table that cannot be read is no more than a note.
    """
    try:
        wanted = _named_files(table)
    except Exception:  # a damaged file makes pydicom raise nearly any class; each means the same here
        text = f"The table of contents {table.name} cannot be read; the files were looked through without it."
        return {}, (Finding(level=Level.OK, code="dicomdir-damaged", text=text, place=table.name),)
    there = _files_there(table.parent)
    findings = {}
    for uid, names in wanted.items():
        lost = [name for name in names if not {_plain(name), f"{_plain(name)}.dcm"} & there]
        if lost:
            shown = ", ".join(lost[:_MOST_NAMES]) + (" and more" if len(lost) > _MOST_NAMES else "")
            count = "1 file" if len(lost) == 1 else f"{len(lost)} files"
            text = f"The disc's table of contents names {count} of this series that are not there ({shown})."
            findings[uid] = Finding(
                level=Level.WARN, code="disc-files-missing", text=text, place=Path(lost[0]).name
            )
    return findings, ()


def _named_files(table: Path) -> dict[str, list[str]]:
    """Return the names of files, with ``/`` between folders, by the series that they stand under."""
    import pydicom  # slow to import

    names: dict[str, list[str]] = defaultdict(list)
    series = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for record in pydicom.dcmread(table).DirectoryRecordSequence:
            kind = str(record.get("DirectoryRecordType", "")).strip().upper()
            if kind in ("PATIENT", "STUDY"):
                series = ""
            elif kind == "SERIES":
                series = str(record.get("SeriesInstanceUID", "")).strip()
            parts = record.get("ReferencedFileID")
            if parts and series:
                pieces = [parts] if isinstance(parts, str) else list(parts)
                names[series].append("/".join(str(piece).strip() for piece in pieces))
    return names


def _files_there(folder: Path) -> set[str]:
    found: set[str] = set()
    for root, _, files in os.walk(folder):
        below = Path(root).relative_to(folder)
        found.update(_plain((below / name).as_posix()) for name in files)
    return found


def _plain(name: str) -> str:
    """Return a name as discs may write it: in any case, with or without a version or a last dot."""
    return name.lower().partition(";")[0].rstrip(".").removeprefix("./")
