"""Build: an image and the masks of its files become a case; what looks odd becomes a finding."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.coded_roles import role_of_code
from cryoplan.case.layers import counts_over
from cryoplan.case.planning import mask_box_mm, planning_grid, voxel_box_ijk
from cryoplan.case.roles import guess, tissue_of_role
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan

LONGEST_NAME = 120

SMALLEST_OVERLAP_ML = 0.1
"""Overlaps below this are borders drawn twice."""

# What may hold other structures: a tumour in the liver or a vein in the kidney is no mistake.
_CONTAINERS = {
    Role.BODY,
    Role.ORGAN,
    Role.KIDNEY,
    Role.LUNG,
    Role.FAT,
    Role.MUSCLE,
    Role.SKIN,
    Role.BONE,
    Role.OTHER,
}


def build_case(
    scan: Scan,
    masks: Sequence[NamedMask],
    *,
    target: str | None = None,
    code: str = "",
    noticed: Sequence[Finding] = (),
) -> Case:
    """Make a case of a scan and the masks read for it.

    Parameters
    ----------
    scan : Scan
        The image.
    masks : sequence of NamedMask
        In drawing order. Roles and tissues that a file does not state are guessed from names.
    target : str, optional
        Name of the tumour: exact, or differing only in case, or a beginning that only one name has. When
        left out and there is exactly one tumour, that one.
    code : str
        Pseudonym; that of the scan when empty.
    noticed : sequence of Finding
        What the files of the masks gave rise to, such as structures that were left out.

    Returns
    -------
    Case
        Its findings hold those of the scan and one each for guessed roles, empty, doubled and overlapping
        masks, and a missing or ambiguous target.

    Raises
    ------
    StructureError
        If a mask lies outside the image, or `target` names no structure or several.
    """
    findings: list[Finding] = [*scan.facts.findings, *noticed]
    structures: list[Structure] = []
    names_in_files: dict[str, str] = {}
    for mask in masks:
        structure = _structure(mask, {s.name for s in structures}, findings)
        if structure is None:
            continue
        _require_inside(structure, scan)
        names_in_files.setdefault(mask.name, structure.name)
        structures.append(structure)
    findings += _shared_voxels(structures)
    chosen = _choose_target(structures, names_in_files, target, findings)
    if chosen is not None:
        findings += target_findings(chosen, scan)
    return Case(
        code=code or scan.facts.code,
        scan=scan,
        structures=tuple(structures),
        target_name=chosen.name if chosen else "",
        planning_grid=planning_grid(scan, chosen),
        findings=tuple(findings),
    )


def clean_name(name: str) -> str:
    """Return a name without invisible characters and double blanks, at most 120 characters long."""
    visible = "".join(c if c.isprintable() else " " for c in name)
    text = " ".join(visible.split())
    return (
        text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    )


def find_by_name(names: Sequence[str], wanted: str) -> str:
    """Return the one of `names` that `wanted` means: exact, else in any case, else by its beginning.

    Raises
    ------
    StructureError
        If it means none or several; the message lists them.
    """
    if wanted in names:
        return wanted
    low = wanted.strip().casefold()
    same = [name for name in names if name.casefold() == low]
    begin = [name for name in names if low and name.casefold().startswith(low)]
    matches = same or begin
    if len(matches) == 1:
        return matches[0]
    what = f"There is no structure called {wanted!r}."
    if matches:
        what = f"{wanted!r} can mean several structures."
    raise StructureError(
        what,
        f"Choose one of: {', '.join(matches or names) or 'none are loaded'}.",
        code="structure-ambiguous" if matches else "structure-unknown",
        place=wanted,
    )


def _structure(mask: NamedMask, taken: set[str], findings: list[Finding]) -> Structure | None:
    name = clean_name(mask.name) or "unnamed"
    if not mask.mask.values.any():
        findings.append(
            Finding(
                level=Level.WARN,
                code="structure-empty",
                text=f"{name} has no voxel and was left out.",
                place=name,
            )
        )
        return None
    if name in taken:
        number = 2
        while f"{name} ({number})" in taken:
            number += 1
        findings.append(
            Finding(
                level=Level.WARN,
                code="structure-renamed",
                text=f"Two structures are called {name}; the later one is now {name} ({number}).",
                place=f"{name} ({number})",
            )
        )
        name = f"{name} ({number})"
    role, tissue, certain = _role(mask, name, findings)
    if not certain:
        findings.append(
            Finding(
                level=Level.OK,
                code="role-guessed",
                text=f"{name} was taken for {role.value} made of {tissue}, judging by its name. Check it.",
                place=name,
            )
        )
    return Structure(
        name=name,
        role=role,
        tissue=tissue,
        mask=mask.mask,
        source=mask.source,
        role_is_guess=not certain,
    )


def _role(mask: NamedMask, name: str, findings: list[Finding]) -> tuple[Role, str, bool]:
    guessed_role, guessed_tissue, certain = _by_code_and_name(mask.code, name)
    if not mask.role:
        return guessed_role, mask.tissue or guessed_tissue, certain
    try:
        role = Role(mask.role)
    except ValueError:
        findings.append(
            Finding(
                level=Level.WARN,
                code="role-unknown",
                text=f"{name}: the file gives it the role {mask.role!r}, which is none; its name was used.",
                place=name,
            )
        )
        return guessed_role, mask.tissue or guessed_tissue, False
    if mask.tissue:
        return role, mask.tissue, True
    return role, guessed_tissue if role is guessed_role else tissue_of_role()[role], True


def _by_code_and_name(code: str, name: str) -> tuple[Role, str, bool]:
    """Return role, tissue, and whether that is sure: the file's code counts, the name may contradict it."""
    by_name = guess(name)
    coded = role_of_code(code) if code else None
    if coded is None:
        return by_name
    role, tissue = coded
    if by_name[0] is role:
        # "renal mass" says more of the tissue than the code of a mass does.
        return role, by_name[1] if by_name[2] else tissue, True
    if by_name[0] is Role.TUMOUR:
        return (*by_name[:2], False)  # a tumour coded by the organ that it lies in
    return role, tissue, not by_name[2]


def _require_inside(structure: Structure, scan: Scan) -> None:
    lower, upper = mask_box_mm(structure.mask)
    scan_lower, scan_upper = scan.volume.grid.bounds_mm()
    if np.any(upper <= scan_lower) or np.any(lower >= scan_upper):
        raise StructureError(
            f"The structure {structure.name} lies outside the image.",
            "Load the image that it was drawn on, or another mask.",
            code="structure-outside-image",
            place=structure.name,
        )


def _boxes(structures: Sequence[Structure]) -> dict[str, tuple[slice, ...]]:
    """Return for each name the array slices ``[k, j, i]`` around its voxels; each mask is searched once."""
    boxes: dict[str, tuple[slice, ...]] = {}
    for structure in structures:
        (i0, j0, k0), (i1, j1, k1) = voxel_box_ijk(structure.mask)
        boxes[structure.name] = (slice(k0, k1 + 1), slice(j0, j1 + 1), slice(i0, i1 + 1))
    return boxes


def _shared_voxels(structures: Sequence[Structure]) -> list[Finding]:
    """Report structures with the very same voxels (one file read twice) and unexpected overlaps."""
    findings: list[Finding] = []
    boxes = _boxes(structures)
    by_grid: dict[Grid, list[Structure]] = {}
    for structure in structures:
        by_grid.setdefault(structure.mask.grid, []).append(structure)
    for grid, group in by_grid.items():
        # One sum tells for most label maps that nothing overlaps, before any pair is looked at.
        count = np.zeros(grid.shape, np.uint16)
        for structure in group:
            count[boxes[structure.name]] += structure.mask.values[boxes[structure.name]]
        if count.max() <= 1:
            continue
        for a, b in combinations(group, 2):
            finding = _shared_by(a, b, boxes[a.name], boxes[b.name])
            if finding is not None:
                findings.append(finding)
    return findings


def shared_with(structure: Structure, structures: Sequence[Structure]) -> list[Finding]:
    """Report which of `structures` have the very same voxels as one of them, or overlap it unexpectedly."""
    same_grid = [s for s in structures if s.mask.grid == structure.mask.grid]
    boxes = _boxes(same_grid)
    own = same_grid.index(structure)
    found = [
        _shared_by(a, b, boxes[a.name], boxes[b.name])
        for a, b in [(s, structure) for s in same_grid[:own]] + [(structure, s) for s in same_grid[own + 1 :]]
    ]
    return [finding for finding in found if finding is not None]


def _shared_by(
    a: Structure, b: Structure, box_a: tuple[slice, ...], box_b: tuple[slice, ...]
) -> Finding | None:
    if box_a == box_b and np.array_equal(a.mask.values[box_a], b.mask.values[box_b]):
        return Finding(
            level=Level.WARN,
            code="structures-identical",
            text=f"{a.name} and {b.name} have the same voxels. Remove one of them.",
            place=b.name,
        )
    if (a.role in _CONTAINERS) != (b.role in _CONTAINERS) or Role.BODY in (a.role, b.role):
        return None
    both = tuple(slice(max(p.start, q.start), min(p.stop, q.stop)) for p, q in zip(box_a, box_b, strict=True))
    shared = int(np.count_nonzero(a.mask.values[both] & b.mask.values[both]))
    shared_ml = shared * a.mask.grid.voxel_volume_ml
    if shared_ml <= SMALLEST_OVERLAP_ML:
        return None
    return Finding(
        level=Level.WARN,
        code="structures-overlap",
        text=f"{a.name} and {b.name} share {shared_ml:.1f} ml; there the tissue of "
        f"{(b if counts_over(b, a) else a).name} counts.",
        place=b.name,
    )


def _choose_target(
    structures: Sequence[Structure],
    names_in_files: dict[str, str],
    wanted: str | None,
    findings: list[Finding],
) -> Structure | None:
    by_name = {s.name: s for s in structures}
    if wanted is not None:
        if wanted in names_in_files:
            return by_name[names_in_files[wanted]]
        return by_name[find_by_name(list(by_name), wanted)]
    tumour, unsettled = only_tumour(structures)
    findings += unsettled
    return tumour


def only_tumour(structures: Sequence[Structure]) -> tuple[Structure | None, list[Finding]]:
    """Return the tumour if there is exactly one, else None and a finding that says which it is not."""
    tumours = [s for s in structures if s.role is Role.TUMOUR]
    if len(tumours) == 1:
        return tumours[0], []
    if not tumours:
        return None, [
            Finding(
                level=Level.WARN,
                code="no-target",
                text="No structure is a tumour. Outline one, or choose a structure as the target.",
            )
        ]
    listed = "; ".join(s.name for s in tumours)
    return None, [
        Finding(
            level=Level.WARN,
            code="several-targets",
            text=f"There are {len(tumours)} tumours ({listed}). Choose the one to plan for.",
        )
    ]


def target_findings(target: Structure, scan: Scan) -> list[Finding]:
    """Return what is odd about a structure as the target of a plan."""
    findings = []
    if target.role is not Role.TUMOUR:
        findings.append(
            Finding(
                level=Level.WARN,
                code="target-not-tumour",
                text=f"The target {target.name} has the role {target.role.value}, not tumour.",
                place=target.name,
            )
        )
    lower, upper = mask_box_mm(target.mask)
    scan_lower, scan_upper = scan.volume.grid.bounds_mm()
    if np.any(lower <= scan_lower + 1e-6) or np.any(upper >= scan_upper - 1e-6):
        findings.append(
            Finding(
                level=Level.WARN,
                code="target-at-image-edge",
                text=f"The target {target.name} reaches the edge of the image and may go on beyond it.",
                place=target.name,
            )
        )
    return findings
