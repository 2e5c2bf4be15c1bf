"""Upgrade of older case files: read one, write the present version of it somewhere else.

The old file is only read. A version that was ever released stays readable for good; ``tests/fixtures`` holds
a file of each.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from cryoplan.case.case import Case
from cryoplan.case.differences import Json
from cryoplan.case.history import Kind
from cryoplan.case.history_write import first_entry
from cryoplan.case.store_document import empty_document, findings_from, plan_json, with_case
from cryoplan.case.store_file import (
    check_content,
    connect_new,
    content_sentences,
    disk_sentences,
    mark,
    reading,
    transaction,
)
from cryoplan.case.store_rows import SCHEMA, facts_from, insert_entry
from cryoplan.case.structure import Role, Structure
from cryoplan.case.voxel_bytes import box_from_json, grid_from_json, unpack_image, unpack_mask
from cryoplan.core.atomic import replace_when_written
from cryoplan.image.scan import Scan

SCHEMA_1 = (
    """CREATE TABLE "case" (
        id INTEGER PRIMARY KEY CHECK (id = 1), code TEXT NOT NULL, target_name TEXT NOT NULL,
        planning_grid TEXT NOT NULL, findings TEXT NOT NULL) STRICT""",
    """CREATE TABLE image (
        id INTEGER PRIMARY KEY CHECK (id = 1), facts TEXT NOT NULL, grid TEXT NOT NULL,
        sha256 TEXT NOT NULL, kind TEXT NOT NULL, voxels BLOB NOT NULL) STRICT""",
    """CREATE TABLE structure (
        position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, tissue TEXT NOT NULL,
        source TEXT NOT NULL, role_is_guess INTEGER NOT NULL, grid TEXT NOT NULL, box TEXT NOT NULL,
        sha256 TEXT NOT NULL, voxels BLOB NOT NULL) STRICT""",
    """CREATE TABLE plan (
        position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT""",
    """CREATE TABLE result (
        position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, header TEXT NOT NULL,
        data BLOB NOT NULL) STRICT""",
)
"""Version 1: one state, overwritten by each save; a name and a text for each plan; no history."""

SCHEMA_2 = (
    """CREATE TABLE "case" (
        id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL, entries INTEGER NOT NULL) STRICT""",
    """CREATE TABLE image (
        id INTEGER PRIMARY KEY CHECK (id = 1), facts TEXT NOT NULL, grid TEXT NOT NULL,
        sha256 TEXT NOT NULL, kind TEXT NOT NULL, voxels BLOB, link TEXT,
        CHECK ((voxels IS NULL) <> (link IS NULL))) STRICT""",
    """CREATE TABLE mask (
        sha256 TEXT PRIMARY KEY, grid TEXT NOT NULL, box TEXT NOT NULL, voxels BLOB NOT NULL) STRICT""",
    """CREATE TABLE history (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
        person TEXT NOT NULL, status TEXT NOT NULL, state_before INTEGER NOT NULL,
        state_after INTEGER NOT NULL, parent INTEGER NOT NULL, changes TEXT NOT NULL,
        document BLOB NOT NULL, hash BLOB NOT NULL) STRICT""",
    """CREATE TABLE result (
        position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, header TEXT NOT NULL, what TEXT NOT NULL,
        data BLOB NOT NULL) STRICT""",
)
"""Version 2: document and history; every mask with all voxels of its box."""

SCHEMA_3 = SCHEMA
"""Version 3: the present tables; its programs know no tools, no room and no notes in a plan."""

SCHEMA_4 = SCHEMA
"""Version 4: the present tables; its programs know no warmers in a plan, and no sides left out of margins."""

SCHEMA_5 = SCHEMA
"""Version 5: the present tables; its programs know no skin marks, and no slices as the scanner showed."""


def upgrade_file(path: Path, version: int) -> None:
    """Put the present version of an older case file in its place, once it is written and whole.

    The caller holds the writer's lock.

    Raises
    ------
    StoreError
        If the old file is damaged or open elsewhere, or the new one cannot be written; the old one is then
        as it was.
    """
    place = path.resolve()
    with disk_sentences(path), replace_when_written(place) as temporary:
        with closing(_open_old(path, version)) as old, closing(connect_new(temporary)) as new:
            # Against an older program, which knows nothing of our lock.
            old.execute("PRAGMA query_only = OFF")
            old.execute("BEGIN EXCLUSIVE")
            _UPGRADES[version][1](path, old, new)
        shutil.copymode(place, temporary)


def upgraded_in_memory(path: Path, version: int) -> sqlite3.Connection:
    """Return the present version of an older case file as a database in memory; the file stays as it is.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    new = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        with disk_sentences(path), closing(_open_old(path, version)) as old, reading(old):
            mark(new)
            _UPGRADES[version][1](path, old, new)
        new.execute("PRAGMA query_only = ON")
    except BaseException:
        new.close()
        raise
    return new


def summary_1(connection: sqlite3.Connection) -> tuple[str, str]:
    """Return pseudonym and plan name of a file of version 1."""
    (code,) = connection.execute('SELECT code FROM "case"').fetchone()
    plan = connection.execute("SELECT name FROM plan ORDER BY position LIMIT 1").fetchone()
    return code, plan[0] if plan else ""


def _open_old(path: Path, version: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=1.0
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        check_content(path, connection, _UPGRADES[version][0])
    except BaseException:
        connection.close()
        raise
    return connection


def _from_1(path: Path, old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    with content_sentences(path):
        case = _select_case(old)
        plans = old.execute("SELECT name, json FROM plan ORDER BY position").fetchall()
        document = with_case(empty_document(), case)
        if plans:
            document |= {
                "plan": plan_json(plans[0][1]),
                "other_plans": [{"name": name, "plan": plan_json(text)} for name, text in plans[1:]],
            }
    with transaction(new):
        for statement in SCHEMA:
            new.execute(statement)
        _copy_blobs(old, new)
        entry = first_entry(document, "Taken over from a case file of version 1", kind=Kind.START)
        insert_entry(new, entry)
        new.execute('INSERT INTO "case" VALUES (1, ?, 1)', (json.dumps(document, allow_nan=False),))


def _from_2(path: Path, old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Take everything over as it is: entries keep their hashes, and no mask stands upon another."""
    del path
    _copy_tables(old, new, mask_places=4)


def _from_3_to_5(path: Path, old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Take everything over as it is: what a plan of these versions says means the same."""
    del path
    _copy_tables(old, new, mask_places=5)


def _copy_tables(old: sqlite3.Connection, new: sqlite3.Connection, *, mask_places: int) -> None:
    sizes = {'"case"': 3, "image": 7, "mask": mask_places, "history": 12, "result": 5}
    with transaction(new):
        for statement in SCHEMA:
            new.execute(statement)
        for table, places in sizes.items():
            holes = ", ".join("?" * places) + (", NULL" if table == "mask" and places == 4 else "")
            for row in old.execute(f"SELECT * FROM {table}"):
                new.execute(f"INSERT INTO {table} VALUES ({holes})", row)


def _copy_blobs(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Take voxels and results over as they are; `_select_case` has read all voxels already."""
    image = old.execute("SELECT facts, grid, sha256, kind, voxels FROM image").fetchone()
    new.execute("INSERT INTO image VALUES (1, ?, ?, ?, ?, ?, NULL)", image)
    for row in old.execute("SELECT sha256, grid, box, voxels FROM structure ORDER BY position"):
        new.execute("INSERT OR IGNORE INTO mask VALUES (?, ?, ?, ?, NULL)", row)
    for row in old.execute("SELECT key, header, data FROM result ORDER BY position"):
        new.execute("INSERT INTO result (key, header, what, data) VALUES (?, ?, '{}', ?)", row)


def _select_case(connection: sqlite3.Connection) -> Case:
    head = connection.execute('SELECT code, target_name, planning_grid, findings FROM "case"').fetchone()
    row = connection.execute("SELECT facts, grid, sha256, kind, voxels FROM image").fetchone()
    if head is None or row is None:
        raise ValueError("the case or its image is missing")
    code, target_name, planning_grid, findings = head
    facts, grid, sha256, kind, voxels = row
    image = unpack_image(grid_from_json(grid), kind, voxels)
    if image.digest() != sha256:
        raise ValueError("the voxels of the image are not those that were saved")
    structures = []
    for name, role, tissue, source, guessed, grid, box, sha256, voxels in connection.execute(
        "SELECT name, role, tissue, source, role_is_guess, grid, box, sha256, voxels FROM structure"
        " ORDER BY position"
    ):
        mask = unpack_mask(grid_from_json(grid), box_from_json(box), voxels)
        if mask.digest() != sha256:
            raise ValueError(f"the voxels of {name} are not those that were saved")
        structures.append(
            Structure(
                name=name,
                role=Role(role),
                tissue=tissue,
                mask=mask,
                source=source,
                role_is_guess=bool(guessed),
            )
        )
    rows: list[dict[str, Json]] = json.loads(findings)
    return Case(
        code=code,
        scan=Scan(volume=image, facts=facts_from(facts)),
        structures=tuple(structures),
        target_name=target_name,
        planning_grid=grid_from_json(planning_grid),
        findings=findings_from(rows),
    )


_UPGRADES = {
    1: (SCHEMA_1, _from_1),
    2: (SCHEMA_2, _from_2),
    3: (SCHEMA_3, _from_3_to_5),
    4: (SCHEMA_4, _from_3_to_5),
    5: (SCHEMA_5, _from_3_to_5),
}
"""Tables of each older version, and what makes the present version of them."""
