"""Rows of a case file: the schema, and image, entries and results as rows and back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass, field

from cryoplan.case.differences import Json, from_json, to_json
from cryoplan.case.history import Entry
from cryoplan.case.store_document import findings_from
from cryoplan.case.voxel_bytes import (
    grid_from_json,
    grid_to_json,
    pack_image,
    unpack_image,
)
from cryoplan.core.errors import StoreError
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts

SCHEMA = (
    """CREATE TABLE "case" (
        id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL, entries INTEGER NOT NULL) STRICT""",
    """CREATE TABLE image (
        id INTEGER PRIMARY KEY CHECK (id = 1), facts TEXT NOT NULL, grid TEXT NOT NULL,
        sha256 TEXT NOT NULL, kind TEXT NOT NULL, voxels BLOB, link TEXT,
        CHECK ((voxels IS NULL) <> (link IS NULL))) STRICT""",
    """CREATE TABLE mask (
        sha256 TEXT PRIMARY KEY, grid TEXT NOT NULL, box TEXT NOT NULL, voxels BLOB NOT NULL,
        base TEXT) STRICT""",
    """CREATE TABLE history (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
        person TEXT NOT NULL, status TEXT NOT NULL, state_before INTEGER NOT NULL,
        state_after INTEGER NOT NULL, parent INTEGER NOT NULL, changes TEXT NOT NULL,
        document BLOB NOT NULL, hash BLOB NOT NULL) STRICT""",
    """CREATE TABLE result (
        position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, header TEXT NOT NULL, what TEXT NOT NULL,
        data BLOB NOT NULL) STRICT""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A result as the store sees it.

    Attributes
    ----------
    key : str
        What it is the answer to, as one digest.
    header : str
        Readable text.
    data : bytes
        Packed arrays.
    what : dict of str to str
        The same question in parts (image, structures, plan, tables, settings, version, ...), each a digest or
        a word, so that a later program can say which of them differs.
    """

    key: str
    header: str
    data: bytes
    what: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLink:
    """Where an image that is not in the case file can be read again.

    Attributes
    ----------
    path : str
        File or folder.
    from_case : str
        The same, relative to the folder of the case file; empty on another drive.
    series_uid : str
        Which series of a folder; empty for other files.
    accept : tuple of str
        Codes of the warnings that were agreed to.
    """

    path: str
    from_case: str = ""
    series_uid: str = ""
    accept: tuple[str, ...] = ()


def insert_image(connection: sqlite3.Connection, scan: Scan, link: ImageLink | None) -> None:
    """Write the image, or where to find it; the caller owns the transaction.

    Raises
    ------
    StoreError
        If the image holds voxels of a type that case files do not keep.
    """
    voxels = None
    try:
        kind, voxels = pack_image(scan.volume) if link is None else (scan.volume.values.dtype.str, None)
    except ValueError as error:
        raise StoreError(
            f"The image cannot be kept in a case file: {error}.",
            "Load the image again.",
            code="case-image-type",
            place="image",
        ) from error
    facts = asdict(scan.facts) | {"findings": [f.to_json() for f in scan.facts.findings]}
    connection.execute(
        "INSERT INTO image VALUES (1, ?, ?, ?, ?, ?, ?)",
        (
            json.dumps(facts),
            grid_to_json(scan.volume.grid),
            scan.volume.digest(),
            kind,
            voxels,
            None if link is None else json.dumps(asdict(link)),
        ),
    )


def select_image(connection: sqlite3.Connection) -> tuple[ScanFacts, str, Volume | None, ImageLink | None]:
    """Return facts and digest of the image, and its voxels or where to find them.

    Raises
    ------
    ValueError, KeyError, TypeError, zlib.error
        If the row does not fit together, the voxels and their SHA-256 for example.
    """
    row = connection.execute("SELECT facts, grid, sha256, kind, voxels, link FROM image").fetchone()
    if row is None:
        raise ValueError("the image is missing")
    facts, grid, sha256, kind, voxels, link = row
    if link is not None:
        fields = json.loads(link)
        where = ImageLink(**fields | {"accept": tuple(fields["accept"])})
        return facts_from(facts), sha256, None, where
    image = unpack_image(grid_from_json(grid), kind, voxels)
    if image.digest() != sha256:
        raise ValueError("the voxels of the image are not those that were saved")
    return facts_from(facts), sha256, image, None


def facts_from(text: str) -> ScanFacts:
    """Return the header facts of their JSON text."""
    fields: dict[str, Json] = json.loads(text)
    # JSON knows lists alone; a file from before version 6 says nothing of how the scanner showed its slices.
    shown = {key: tuple(fields.get(key, ())) for key in ("slice_locations_mm", "slice_numbers")}
    return ScanFacts(**fields | shown | {"findings": findings_from(fields["findings"])})


def insert_entry(connection: sqlite3.Connection, entry: Entry) -> None:
    """Append one entry to the history."""
    connection.execute(
        "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.number,
            entry.at,
            str(entry.kind),
            entry.text,
            entry.person,
            str(entry.status),
            entry.before,
            entry.after,
            entry.parent,
            to_json(entry.changes) if entry.changes else "",
            entry.document,
            entry.hash,
        ),
    )


def select_entries(connection: sqlite3.Connection) -> list[Entry]:
    """Return all entries; one whose differences cannot be read has none, and so does not fit its hash."""
    entries = []
    for (
        number,
        at,
        kind,
        text,
        person,
        status,
        before,
        after,
        parent,
        changes,
        document,
        seal,
    ) in connection.execute("SELECT * FROM history ORDER BY number"):
        try:
            read = from_json(changes) if changes else ()
        except (ValueError, TypeError):
            read = ()
        entries.append(
            Entry(
                number=number,
                at=at,
                kind=kind,
                text=text,
                person=person,
                status=status,
                before=before,
                after=after,
                parent=parent,
                changes=read,
                document=document,
                hash=seal,
            )
        )
    return entries


def insert_result(connection: sqlite3.Connection, result: StoredResult) -> None:
    """Write one result; the caller owns the transaction."""
    connection.execute(
        "INSERT INTO result (key, header, what, data) VALUES (?, ?, ?, ?)",
        (result.key, result.header, json.dumps(result.what), result.data),
    )


def result_from(row: tuple[str, str, str, bytes]) -> StoredResult:
    """Return the result of a row ``key, header, what, data``.

    Raises
    ------
    ValueError, TypeError
        If it does not fit together.
    """
    key, header, what, data = row
    return StoredResult(
        key=key, header=header, data=data, what={str(k): str(v) for k, v in json.loads(what).items()}
    )
