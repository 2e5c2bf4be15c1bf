"""Summary: what a list of cases shows of a file, without its lock and without its voxels."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryoplan.case.history import Status
from cryoplan.case.store_file import checked_version, connect, content_sentences, disk_sentences, reading
from cryoplan.case.store_upgrade import summary_1


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """One case of a list.

    Attributes
    ----------
    path : Path
        The file.
    code, title : str
        Pseudonym, and what the user calls it.
    status : str
        See `cryoplan.case.history.Status`.
    plan_name : str
        Empty when there is no plan.
    at : str
        Time of the last entry, UTC, ISO 8601; empty in files of version 1.
    entries : int
        Length of the history; 0 in files of version 1.
    """

    path: Path
    code: str
    title: str
    status: str
    plan_name: str
    at: str
    entries: int


def summary(path: Path) -> CaseSummary:
    """Return what a list shows of a case file; whether it is damaged further down is not looked at.

    Raises
    ------
    StoreError
        If it is missing, not a case file, of a newer version, or these parts of it are damaged.
    """
    version = checked_version(path)
    with (
        disk_sentences(path),
        closing(connect(path, read_only=True)) as connection,
        content_sentences(path),
        reading(connection),
    ):
        if version < 2:
            code, plan_name = summary_1(connection)
            return CaseSummary(
                path=path,
                code=code,
                title="",
                status=Status.DRAFT.value,
                plan_name=plan_name,
                at="",
                entries=0,
            )
        row = connection.execute('SELECT document, entries FROM "case"').fetchone()
        last = connection.execute("SELECT at, status FROM history ORDER BY number DESC LIMIT 1").fetchone()
        document = json.loads(row[0])
        return CaseSummary(
            path=path,
            code=document["case"]["code"],
            title=document["case"]["title"],
            status=last[1],
            plan_name=str((document["plan"] or {}).get("name", "")),
            at=last[0],
            entries=row[1],
        )
