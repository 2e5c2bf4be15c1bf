"""Rows of a case file: the schema, and the `Case` record as rows and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.structure import Role, Structure
from cryoplan.case.voxel_bytes import (
    grid_from_json,
    grid_to_json,
    pack_image,
    pack_mask,
    unpack_image,
    unpack_mask,
)
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.image.scan import Scan, ScanFacts

SCHEMA = (
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


def insert_case(connection: sqlite3.Connection, case: Case) -> None:
    """Write a case into the empty tables of `connection`; the caller owns the transaction.

    Raises
    ------
    StoreError
        If the image holds voxels of a type that case files do not keep.
    """
    image = case.scan.volume
    try:
        kind, voxels = pack_image(image)
    except ValueError as error:
        raise StoreError(
            f"The image cannot be kept in a case file: {error}.",
            "Load the image again.",
            code="case-image-type",
            place="image",
        ) from error
    facts = asdict(case.scan.facts) | {"findings": [f.to_json() for f in case.scan.facts.findings]}
    connection.execute(
        'INSERT INTO "case" VALUES (1, ?, ?, ?, ?)',
        (
            case.code,
            case.target_name,
            grid_to_json(case.planning_grid),
            json.dumps([f.to_json() for f in case.findings]),
        ),
    )
    connection.execute(
        "INSERT INTO image VALUES (1, ?, ?, ?, ?, ?)",
        (json.dumps(facts), grid_to_json(image.grid), image.digest(), kind, voxels),
    )
    for position, structure in enumerate(case.structures):
        box = voxel_box_ijk(structure.mask)
        connection.execute(
            "INSERT INTO structure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                position,
                structure.name,
                structure.role.value,
                structure.tissue,
                structure.source,
                int(structure.role_is_guess),
                grid_to_json(structure.mask.grid),
                json.dumps(box),
                structure.mask.digest(),
                pack_mask(structure.mask, box),
            ),
        )


def select_case(connection: sqlite3.Connection) -> Case:
    """Return the case in the tables of `connection`.

    Raises
    ------
    ValueError, KeyError, TypeError, zlib.error, CryoplanError
        If the rows do not fit together, the voxels and their SHA-256 for example.
    """
    head = connection.execute('SELECT code, target_name, planning_grid, findings FROM "case"').fetchone()
    row = connection.execute("SELECT facts, grid, sha256, kind, voxels FROM image").fetchone()
    if head is None or row is None:
        raise ValueError("the case or its image is missing")
    code, target_name, planning_grid, findings = head
    facts, grid, sha256, kind, voxels = row
    image = unpack_image(grid_from_json(grid), kind, voxels)
    if image.digest() != sha256:
        raise ValueError("the voxels of the image are not those that were saved")
    fields = json.loads(facts)
    structures = []
    for name, role, tissue, source, guessed, grid, box, sha256, voxels in connection.execute(
        "SELECT name, role, tissue, source, role_is_guess, grid, box, sha256, voxels FROM structure"
        " ORDER BY position"
    ):
        first, last = json.loads(box)
        mask = unpack_mask(grid_from_json(grid), (tuple(first), tuple(last)), voxels)
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
    return Case(
        code=code,
        scan=Scan(volume=image, facts=ScanFacts(**fields | {"findings": _findings_from(fields["findings"])})),
        structures=tuple(structures),
        target_name=target_name,
        planning_grid=grid_from_json(planning_grid),
        findings=_findings_from(json.loads(findings)),
    )


def _findings_from(rows: Sequence[dict[str, str]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(level=Level(r["level"]), code=r["code"], text=r["text"], place=r["place"]) for r in rows
    )
