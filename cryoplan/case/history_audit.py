"""Audit: the history of a case as CSV and JSON, for people and for other programs."""

from __future__ import annotations

import csv
import io
import json

from cryoplan import RESEARCH_USE
from cryoplan.case.differences import Difference, Key, canonical
from cryoplan.case.history import UNSEALED, History

COLUMNS = (
    "number", "at", "kind", "text", "person", "status", "before", "after", "parent", "changes", "document",
    "previous", "hash",
)  # fmt: skip


def audit_json(history: History) -> str:
    """Return all entries with their differences and hashes as a JSON text.

    ``chain`` says whether the hashes fit; the hash of an entry is the SHA-256 of the canonical JSON (sorted
    keys, no blanks, ASCII) of all its other fields.
    """
    broken = history.verify_chain()
    rows = []
    previous = UNSEALED
    for entry in history.entries:
        rows.append(
            {
                "number": entry.number,
                "at": entry.at,
                "kind": str(entry.kind),
                "text": entry.text,
                "person": entry.person,
                "status": str(entry.status),
                "before": entry.before,
                "after": entry.after,
                "parent": entry.parent,
                "changes": [list(map(list, change)) for change in entry.changes],
                "document": entry.document.hex(),
                "previous": previous.hex(),
                "hash": entry.hash.hex(),
            }
        )
        previous = entry.hash
    chain = {"whole": broken is None, "broken_at": broken}
    return json.dumps({"note": RESEARCH_USE, "chain": chain, "entries": rows}, ensure_ascii=False, indent=1)


def audit_csv(history: History) -> str:
    """Return all entries as CSV (RFC 4180), one line each below a line of column names.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    previous = UNSEALED
    for entry in history.entries:
        writer.writerow(
            [
                entry.number,
                entry.at,
                plain_cell(str(entry.kind)),
                plain_cell(entry.text),
                plain_cell(entry.person),
                plain_cell(str(entry.status)),
                entry.before,
                entry.after,
                entry.parent,
                plain_cell("; ".join(map(_change_text, entry.changes))),
                entry.document.hex(),
                previous.hex(),
                entry.hash.hex(),
            ]
        )
        previous = entry.hash
    return out.getvalue()


def plain_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    # Blanks and line ends in front do not stop some programs from calculating.
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r") else text


def _change_text(change: Difference) -> str:
    return f"{_path_text(change.path)}: {_values_text(change.before)} -> {_values_text(change.after)}"


def _path_text(path: tuple[Key, ...]) -> str:
    return ".".join(map(str, path))


def _values_text(values: tuple[object, ...]) -> str:
    return ", ".join(map(canonical, values)) or "nothing"
