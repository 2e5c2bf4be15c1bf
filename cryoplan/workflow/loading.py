"""Load: files become a case and a plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cryoplan.case.build import build_case, only_tumour
from cryoplan.case.case import Case
from cryoplan.case.planning import planning_grid
from cryoplan.case.structure import Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.geometry import as_point, perpendicular, unit
from cryoplan.core.progress import SILENT, PartProgress, Progress, ProgressReport, check_cancelled
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan
from cryoplan.plan.catalogue import Catalogue, load_catalogue
from cryoplan.plan.file import read_plan, write_plan
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.workflow.foreign import read_apart

if TYPE_CHECKING:
    from cryoplan.image.series import PathDescription

TARGET_CODES = ("no-target", "several-targets")
"""Findings that a chosen target settles."""


def list_series(path: Path, *, apart: bool = False, progress: Progress = SILENT) -> PathDescription:
    """Tell what an image file, a folder or a zip is, from its headers only.

    Parameters
    ----------
    path : Path
        What to look at.
    apart : bool
        Read in a child process with limits (`read_apart`); the window's worker is one already.
    progress : Progress
        Asked between files whether to stop.

    Raises
    ------
    ImageError
        If the path does not exist or holds no image.
    """
    if apart:
        return read_apart(_describe, Path(path), name=Path(path).name, progress=progress)
    return _describe(path, progress=progress)


def _describe(path: Path, *, progress: Progress) -> PathDescription:
    from cryoplan.image.series import describe

    return describe(path, progress=progress)


def load_case(
    image: Path,
    *,
    series_uid: str | None = None,
    structures: Sequence[Path] = (),
    target: str | None = None,
    accept: Collection[str] = (),
    mesh_axes: str = "",
    apart: bool = False,
    progress: Progress = SILENT,
) -> Case:
    """Read an image and its structures and build the case.

    Parameters
    ----------
    image : Path
        Image file, DICOM folder, one file of a DICOM series, or a zip of such.
    series_uid : str, optional
        Which series of a folder; needed when it holds several.
    structures : sequence of Path
        Label maps, Slicer segmentations, DICOM SEG and RTSTRUCT files, meshes.
    target : str, optional
        Name of the tumour; when left out and there is exactly one tumour, that one.
    accept : collection of str
        Codes of warn-level import findings that the user agrees to.
    mesh_axes : str
        ``LPS`` or ``RAS``: the axes of meshes that do not state theirs.
    apart : bool
        Read the files in a child process with limits (`read_apart`); the window's worker is one already.
    progress : Progress
        Told what is being read; asked between files whether to stop.

    Raises
    ------
    ImageError, StructureError
        If a file cannot be read or does not fit; the message names it.
    Cancelled
        If `progress` says so.
    """
    words = (Path(image), series_uid, tuple(structures), tuple(accept), mesh_axes)
    if apart:
        name = Path(image).name if not structures else f"{Path(image).name} or its structures"
        scan, masks, noticed = read_apart(_read_files, *words, name=name, progress=progress)
    else:
        scan, masks, noticed = _read_files(*words, progress=progress)
    check_cancelled(progress)
    progress.report(ProgressReport(fraction=0.9, text="Building the case"))
    case = build_case(scan, masks, target=target, noticed=noticed)
    case.digest()  # here, in the background, so that nobody waits for it later
    progress.report(ProgressReport(fraction=1.0, text="Case loaded"))
    return case


def _read_files(
    image: Path,
    series_uid: str | None,
    structures: Sequence[Path],
    accept: Collection[str],
    mesh_axes: str,
    *,
    progress: Progress,
) -> tuple[Scan, list[NamedMask], list[Finding]]:
    from cryoplan.image.read import read_scan

    progress.report(ProgressReport(fraction=0.0, text="Reading the image"))
    scan = read_scan(image, series_uid=series_uid, accept=accept, progress=PartProgress(progress, 0.0, 0.6))
    masks: list[NamedMask] = []
    noticed: list[Finding] = []
    for number, path in enumerate(structures):
        check_cancelled(progress)
        share = 0.6 + 0.3 * number / len(structures)
        progress.report(
            ProgressReport(fraction=share, text=f"Reading structures, file {number + 1} of {len(structures)}")
        )
        read, said = _read_structures(Path(path), scan, mesh_axes)
        masks.extend(read)
        noticed.extend(said)
    return scan, masks, noticed


def _read_structures(path: Path, scan: Scan, mesh_axes: str) -> tuple[list[NamedMask], list[Finding]]:
    """Return the masks of a file and what was noticed, both without the patient's name."""
    from cryoplan.image.deidentify import nameless, without_identity
    from cryoplan.image.labels import read_structures

    found = read_structures(path, scan, mesh_axes=mesh_axes)
    words = _telling_words(scan)
    noticed = []
    for finding in nameless(found.findings, {path.name}):
        place = without_identity(finding.place, words)
        noticed.append(
            replace(finding, place=place, text=finding.text.replace(finding.place or place, place))
        )
    return _private(found.masks, scan), noticed


def _telling_words(scan: Scan) -> frozenset[str] | None:
    """Return the words that name the patient of a scan; None where nobody can tell them."""
    from cryoplan.image.deidentify import identifying_words

    facts = scan.facts
    # A copy without identity has forgotten its path: its case has no header whose words could be looked for.
    is_named = facts.kind == "dicom-series" and bool(facts.path)
    return identifying_words(Path(facts.path)) if is_named else frozenset()


def _private(masks: Sequence[NamedMask], scan: Scan) -> list[NamedMask]:
    """Return masks whose names do not hold the patient's name, as files of masks often do."""
    from cryoplan.image.deidentify import without_identity

    words = _telling_words(scan)
    clean = [without_identity(mask.name, words) for mask in masks]
    # Two names that differed by the patient's alone must not become one.
    taken = {mask.name for mask, name in zip(masks, clean, strict=True) if name == mask.name}
    named: list[NamedMask] = []
    for mask, stem in zip(masks, clean, strict=True):
        name, number = stem, 1
        while stem != mask.name and name in taken:
            number += 1
            name = f"{stem} {number}"
        taken.add(name)
        named.append(replace(mask, name=name))
    return named


def add_structures(case: Case, path: Path, *, mesh_axes: str = "") -> Case:
    """Return `case` with the structures of one more file; `mesh_axes` as in `load_case`.

    Raises
    ------
    StructureError
        If a mask does not fit the scan or a name is taken already.
    """
    masks, noticed = _read_structures(Path(path), case.scan, mesh_axes)
    new = build_case(case.scan, masks, noticed=noticed)
    return with_structures(case, new.structures, new.findings)


def with_structures(case: Case, new: Sequence[Structure], noticed: Sequence[Finding]) -> Case:
    """Return `case` with more structures of the same image behind its own, and what was noticed about them.

    Raises
    ------
    StructureError
        If a name is taken already.
    """
    taken = {s.name for s in case.structures}
    for structure in new:
        if structure.name in taken:
            raise StructureError(
                f"The case already has a structure called {structure.name}.",
                "Rename it in the file's names, or remove the old one first.",
                code="structure-name-twice",
                place=structure.name,
            )
    # What was said about having no target is settled anew by the structures that have come.
    structures = (*case.structures, *new)
    known = tuple(f for f in case.findings if f.code not in TARGET_CODES)
    told = tuple(f for f in noticed if f not in known and f.code not in TARGET_CODES)
    merged = case.changed(structures=structures, findings=known + told)
    if case.target_name:
        return merged
    target, unsettled = only_tumour(structures)
    if target is not None:
        return choose_target(merged, target.name)
    return merged.changed(findings=merged.findings + tuple(unsettled))


def choose_target(case: Case, name: str) -> Case:
    """Return `case` with another target; the planning grid moves with it.

    Raises
    ------
    StructureError
        If there is no such structure.
    """
    target = case.structure(name)
    grid = planning_grid(case.scan, target, case.planning_grid.spacing_mm[0])
    findings = tuple(f for f in case.findings if f.code not in TARGET_CODES)
    return case.changed(target_name=name, planning_grid=grid, findings=findings)


def load_plan(path: Path, catalogue: Catalogue) -> Plan:
    """Read a plan file (contract, ``plan.json``).

    Raises
    ------
    PlanError
        If anything in it is wrong; the message names the path of the bad value.
    """
    return read_plan(path, catalogue)


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan file; the old one is replaced only once the new one is whole.

    Raises
    ------
    StoreError
        If the place cannot be written.
    """
    write_plan(plan, path)


def built_in_case() -> Case:
    """Make the synthetic abdomen; the same on every machine and every time."""
    from cryoplan.image.phantom import make_phantom

    phantom = make_phantom()
    case = build_case(phantom.scan, phantom.masks)
    case.digest()
    return case


BUILT_IN_SPACING_MM = 14.0
"""Between the 10 and 20 mm that give joint ice at 70-100 % power (Shah 2016, PMC4850244)."""

BUILT_IN_WAY_IN = (0.5, -0.8660, 0.0)
"""From the right flank behind, within one axial slice: the way between two ribs that meets nothing else."""

BUILT_IN_TURN_DEG = 30.0
"""Turn of the triangle about the way in that keeps all three shafts off the ribs."""


def built_in_plan(case: Case) -> Plan:
    """Make a first plan for the built-in case: three parallel generic probes around the tumour's middle.

    The active zones end at the far side of the tumour.

    Raises
    ------
    StructureError
        If the case has no target or its skin cannot be found.
    """
    from cryoplan.case.skin import skin_entry

    target = case.target
    if target is None:
        raise StructureError("The case has no target.", "Choose the tumour first.", code="no-target")
    points = target.mask.grid.index_to_mm(np.argwhere(target.mask.values)[:, ::-1])
    centre = points.mean(axis=0)
    inward = unit(BUILT_IN_WAY_IN)
    u, v = perpendicular(inward)
    model = load_catalogue().model("generic-15g")
    depth = float(((points - centre) @ inward).max()) + model.tip_offset.value
    radius = BUILT_IN_SPACING_MM / np.sqrt(3.0)  # circumradius of an equilateral triangle of that side
    probes = []
    for number in range(3):
        angle = np.radians(BUILT_IN_TURN_DEG + 120.0 * number)
        axis = centre + radius * (np.cos(angle) * u + np.sin(angle) * v)
        tip = axis + depth * inward
        entry = skin_entry(case, tip, axis - 10.0 * inward)
        if entry is None:
            raise StructureError(
                "The skin of the case could not be found.", "Load the built-in case again.", code="no-skin"
            )
        probes.append(Probe(name=str(number + 1), model=model.id, tip_mm=as_point(tip), entry_mm=entry))
    return Plan(name="Three parallel", probes=tuple(probes))
