"""Outlined: a case with one structure drawn or drawn anew, and what follows from that for the whole case."""

from __future__ import annotations

from cryoplan.case.build import shared_with, target_findings
from cryoplan.case.case import Case
from cryoplan.case.planning import planning_grid
from cryoplan.case.structure import Role, Structure

_ABOUT_VOXELS = ("structures-identical", "structures-overlap")
_ABOUT_TARGET = ("target-not-tumour", "target-at-image-edge")
_NO_TARGET = ("no-target", "several-targets")


def with_structure(case: Case, structure: Structure) -> Case:
    """Return a case in which a structure takes the place of the one of its name, or is one more.

    A tumour that is drawn in a case without a target becomes the target. The planning grid moves with the
    target, and what was noticed about the voxels of the old structure is looked at again.

    Raises
    ------
    StructureError
        If it is the target and lies outside the image.
    """
    there = [s.name for s in case.structures]
    if structure.name in there:
        structures = tuple(structure if s.name == structure.name else s for s in case.structures)
    else:
        structures = (*case.structures, structure)
    becomes = not case.target_name and structure.role is Role.TUMOUR
    target_name = structure.name if becomes else case.target_name
    is_target = structure.name == target_name
    findings = [
        f
        for f in case.findings
        if not (
            (f.code in _ABOUT_VOXELS and _is_about(f.place, f.text, structure.name))
            or (is_target and f.code in _ABOUT_TARGET)
            or (becomes and f.code in _NO_TARGET)
        )
    ]
    findings += shared_with(structure, structures)
    grid = case.planning_grid
    if is_target:
        findings += target_findings(structure, case.scan)
        grid = planning_grid(case.scan, structure, grid.spacing_mm[0])
    return case.changed(
        structures=structures, target_name=target_name, planning_grid=grid, findings=tuple(findings)
    )


def free_name(case: Case, stem: str) -> str:
    """Return ``stem 1`` or the first number after it that no structure has."""
    taken = {s.name.casefold() for s in case.structures}
    number = 1
    while f"{stem} {number}".casefold() in taken:
        number += 1
    return f"{stem} {number}"


def _is_about(place: str, text: str, name: str) -> bool:
    # The place is the second of the two; the first one begins the sentence.
    return place == name or text.startswith(f"{name} and ")
