"""Structures out: every structure of an image, read or found by itself, as a mask and in numbers.

What was found by itself is called a proposal there as well: nobody has accepted it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cryoplan import RESEARCH_USE
from cryoplan.case.case import Case
from cryoplan.case.diameters import measure_diameters
from cryoplan.case.planning import structure_mask, voxel_box_ijk
from cryoplan.case.structure import Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, PartProgress, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.write import write_volume
from cryoplan.workflow.folder import all_or_nothing, relative_files, write_json
from cryoplan.workflow.loading import load_case
from cryoplan.workflow.proposing import Proposal, parts_named, propose_structures

LIST_NAME = "structures.json"
LONGEST_STEM = 80
READ, FOUND, WRITTEN = 0.3, 0.7, 1.0
"""Shares of the progress that reading, finding and writing end at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuresWritten:
    """What was written: the object of ``structures.json``, its findings, and the names of the files."""

    record: dict[str, object]
    findings: tuple[Finding, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Entry:
    structure: Structure
    findings: tuple[Finding, ...]
    proposal: Proposal | None = None


def structures_out(
    *,
    image: Path,
    out: Path,
    structures: Sequence[Path] = (),
    auto: Sequence[str] = (),
    on_planning_grid: bool = False,
    series_uid: str | None = None,
    target: str | None = None,
    accept: Sequence[str] = (),
    mesh_axes: str = "",
    progress: Progress = SILENT,
) -> StructuresWritten:
    """Read structures, find others by themselves, and write them all (contract, ``structures``).

    Parameters
    ----------
    structures : sequence of Path
        Files of structures.
    auto : sequence of str
        What to find by itself: ``skin``, ``bone``, ``lung``, ``air``, ``fat``, ``vessel``.
    on_planning_grid : bool
        Write the masks on the planning grid instead of the image's.

    Raises
    ------
    CryoplanError
        If an input is refused, there is nothing to write, or the folder cannot be written; then `out` is as
        it was.
    Cancelled
        If `progress` says so; then `out` is as it was.
    """
    parts = parts_named(auto)
    if not structures and not parts:
        raise StructureError(
            "There is nothing to write: neither files of structures nor anything to be found was named.",
            "Name files with --structures, or parts with --auto, such as skin,bone,lung,air,vessel.",
            code="nothing-to-write",
            place="--structures",
        )
    case = load_case(
        image,
        series_uid=series_uid,
        structures=structures,
        target=target,
        accept=accept,
        mesh_axes=mesh_axes,
        apart=True,
        progress=PartProgress(progress, 0.0, READ),
    )
    found: tuple[Proposal, ...] = ()
    if parts:
        found = propose_structures(case, parts, PartProgress(progress, READ, FOUND))
    entries = [_read(case, s) for s in case.structures] + [_found(p) for p in found if p.volume_ml > 0.0]
    rest = [f for f in case.findings if not any(f in e.findings for e in entries)]
    rest += [note for p in found if p.volume_ml == 0.0 for note in p.notes]
    grid = case.planning_grid if on_planning_grid else case.scan.volume.grid
    with all_or_nothing(out) as folder:
        rows: list[dict[str, object]] = []
        said: list[Finding] = []
        for number, entry in enumerate(entries):
            check_cancelled(progress)
            share = FOUND + (WRITTEN - FOUND) * number / len(entries)
            progress.report(ProgressReport(fraction=share, text=f"Writing {entry.structure.name}"))
            row, findings = _write(entry, grid, folder, on_planning_grid=on_planning_grid)
            rows.append(row)
            said += findings
        record: dict[str, object] = {
            "research_use": RESEARCH_USE,
            "image": {"code": case.code, "sha256": case.scan.volume.digest()},
            "grid": _grid_record(grid, on_planning_grid=on_planning_grid),
            "structures": rows,
            "findings": [f.to_json() for f in rest],
        }
        write_json(folder / LIST_NAME, record)
        check_cancelled(progress)
        files = relative_files(folder)
    progress.report(ProgressReport(fraction=1.0, text="Written"))
    return StructuresWritten(record=record, findings=(*said, *rest), files=files)


_Row = tuple[dict[str, object], list[Finding]]


def _read(case: Case, structure: Structure) -> _Entry:
    return _Entry(structure=structure, findings=tuple(f for f in case.findings if f.place == structure.name))


def _found(proposal: Proposal) -> _Entry:
    structure = Structure(
        name=proposal.name,
        role=proposal.role,
        tissue=proposal.tissue,
        mask=proposal.mask,
        source=proposal.source,
    )
    notes = tuple(replace(n, place=proposal.name) for n in proposal.notes)
    return _Entry(structure=structure, findings=notes, proposal=proposal)


def _write(entry: _Entry, grid: Grid, folder: Path, *, on_planning_grid: bool) -> _Row:
    """Write the mask of a structure, of vessels their diameters too; return the row of the list."""
    structure, proposal = entry.structure, entry.proposal
    stem = _free_stem(structure.name, folder)
    mask = structure_mask(structure, grid)
    findings = list(entry.findings)
    if not mask.values.any():
        findings.append(
            Finding(
                level=Level.WARN,
                code="outside-written-grid",
                text=f"{structure.name} lies outside of the grid that was written; its mask is empty.",
                place=structure.name,
            )
        )
    write_volume(mask, folder / f"{stem}.nii.gz")
    size = measure_diameters(structure.mask)
    row: dict[str, object] = {
        "name": structure.name,
        "role": structure.role.value,
        "role_is_guess": structure.role_is_guess,
        "tissue": structure.tissue,
        "source": structure.source,
        "is_proposal": proposal is not None,
        "file": f"{stem}.nii.gz",
        "volume_ml": structure.volume_ml,
        "centroid_mm": _centroid_mm(structure.mask),
        "diameters_mm": [size.longest.mm, size.across.mm, size.cranio_caudal.mm],
    }
    if proposal is not None and proposal.widths_mm is not None:
        low, high = proposal.widths_mm
        row["heat_sink"] = {"local_diameter_mm": [low, high]}
        if proposal.diameter_mm is not None and not on_planning_grid:
            row["heat_sink"] = {"local_diameter_mm": [low, high], "file": f"{stem}_diameter_mm.nii.gz"}
            write_volume(proposal.diameter_mm, folder / f"{stem}_diameter_mm.nii.gz")
    row["findings"] = [f.to_json() for f in findings]
    return row, findings


def _centroid_mm(mask: Volume) -> list[float]:
    """Return the mean of the places of all set voxels, LPS mm."""
    first, last = voxel_box_ijk(mask)
    part = mask.values[tuple(slice(a, b + 1) for a, b in zip(first[::-1], last[::-1], strict=True))]
    counts = [part.sum(axis=tuple(a for a in range(3) if a != 2 - axis), dtype=np.int64) for axis in range(3)]
    middle = [
        start + float(count @ np.arange(len(count))) / float(count.sum())
        for start, count in zip(first, counts, strict=True)
    ]
    return [float(x) for x in mask.grid.index_to_mm(middle)]


def _free_stem(name: str, folder: Path) -> str:
    """Return a file name that every system takes and that is not used yet, in any case of letters."""
    stem = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:LONGEST_STEM].rstrip("-.") or "structure"
    used = {p.name.casefold() for p in folder.iterdir()}
    free, number = stem, 1
    while f"{free}.nii.gz".casefold() in used:
        number += 1
        free = f"{stem}-{number}"
    return free


def _grid_record(grid: Grid, *, on_planning_grid: bool) -> dict[str, object]:
    return {
        "which": "planning" if on_planning_grid else "image",
        "size": list(grid.size),
        "spacing_mm": list(grid.spacing_mm),
        "origin_mm": list(grid.origin_mm),
        "direction": list(grid.direction),
    }
