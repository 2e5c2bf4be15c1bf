"""Proposing: structures found by themselves become part of a case only when somebody accepts them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cryoplan import __version__
from cryoplan.case.case import Case
from cryoplan.case.outlined import with_structure
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.progress import SILENT, Progress
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.find import find_anatomy, parts_of
from cryoplan.image.anatomy.found import Found, Part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """A structure that was found by itself and that nobody has accepted yet.

    Attributes
    ----------
    part : Part
        What was looked for.
    name : str
        Name that it would have; no structure of the case has it.
    role : Role
    tissue : str
        Key of the tissue table.
    mask : Volume
        bool voxels on the scan's grid; none is set where nothing was found.
    source : str
        How it was found, for the structure's card and the report.
    notes : tuple of Finding
        What is unsure about it; to be shown before it is accepted.
    diameter_mm : Volume or None
        Of vessels: local diameter, mm.
    widths_mm : (float, float) or None
        Of vessels: the range of that, without the two per cent at each end. They are heat sinks.
    volume_ml : float
        Volume of the voxels; 0 where nothing was found.
    """

    part: Part
    name: str
    role: Role
    tissue: str
    mask: Volume
    source: str
    notes: tuple[Finding, ...] = ()
    diameter_mm: Volume | None = None
    widths_mm: tuple[float, float] | None = None
    volume_ml: float = 0.0


_KINDS: dict[Part, tuple[str, Role, str, str]] = {
    Part.BODY: ("body", Role.BODY, "soft-tissue", "above -300 HU, without table and arms"),
    Part.LUNG: ("lung", Role.LUNG, "lung-inflated", "-950 to -400 HU"),
    Part.GAS: ("gas", Role.GAS, "gas", "below -480 HU within the body, without lung"),
    Part.BONE: ("bone", Role.BONE, "bone-cancellous", "above 130 HU with cortex, and what it encloses"),
    Part.FAT: ("fat", Role.FAT, "fat", "-190 to -30 HU"),
    Part.VESSEL: (
        "contrast vessels",
        Role.VESSEL,
        "blood",
        "brighter than their surroundings, 3 mm and more",
    ),
}


def can_propose(case: Case) -> tuple[Part, ...]:
    """Return what can be found in the image of a case: all in a CT, the body alone in an MR."""
    return parts_of(has_hounsfield=case.scan.facts.has_hounsfield)


def propose_structures(
    case: Case, which: Collection[Part | str] = (), progress: Progress = SILENT
) -> tuple[Proposal, ...]:
    """Find structures in the image of a case; the case stays as it is.

    Parameters
    ----------
    case : Case
    which : collection of Part or str
        What to look for (``body``, ``lung``, ``gas``, ``bone``, ``fat``, ``vessel``); all that `can_propose`
        names when empty.
    progress : Progress
        Told what is being looked for; asked between parts whether to go on.

    Returns
    -------
    tuple of Proposal
        One for each part, empty where nothing was found.

    Raises
    ------
    StructureError
        If `which` names something that is never looked for (``auto-unknown``).
    ImageError
        If the image cannot give a part that was asked for: an MR gives the body alone.
    Cancelled
        If `progress` says so.
    """
    parts = parts_named(which) or can_propose(case)
    is_ct = case.scan.facts.has_hounsfield
    found = find_anatomy(case.scan.volume, parts, has_hounsfield=is_ct, progress=progress)
    taken = _names(case)
    return tuple(_proposal(part, taken, is_ct) for part in found)


def accept_proposals(case: Case, proposals: Sequence[Proposal]) -> Case:
    """Return a case with the proposals as structures, behind those that it has.

    What they share with other structures is reported as with any that is read or drawn.

    Raises
    ------
    StructureError
        If a proposal is empty, its name is taken, it was found in another image, or it is a second body.
    """
    for proposal in proposals:
        if proposal.mask.grid != case.scan.volume.grid:
            raise StructureError(
                f"The proposal {proposal.name} was found in another image.",
                "Look for it again in this one.",
                code="auto-other-image",
                place=proposal.name,
            )
        if proposal.name.casefold() in _names(case):
            raise StructureError(
                f"The case already has a structure called {proposal.name}.",
                "Remove that one first, or look again: the proposal then gets another name.",
                code="structure-name-twice",
                place=proposal.name,
            )
        bodies = [s.name for s in case.structures if s.role is Role.BODY]
        if proposal.role is Role.BODY and bodies:
            raise StructureError(
                f"The case already has a body ({bodies[0]}).",
                "Remove that one first, or discard the proposal.",
                code="auto-second-body",
                place=proposal.name,
            )
        structure = Structure(
            name=proposal.name,
            role=proposal.role,
            tissue=proposal.tissue,
            mask=proposal.mask,
            source=proposal.source,
        )
        case = with_structure(case, structure)
    return case


def with_free_names(case: Case, proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Return proposals by names that no structure of the case has by now."""
    taken = _names(case)
    return tuple(replace(p, name=_free(p.name.split(" (")[0], taken)) for p in proposals)


def _names(case: Case) -> set[str]:
    return {s.name.casefold() for s in case.structures}


def _free(stem: str, taken: set[str]) -> str:
    """Return ``stem`` or ``stem (2)`` and so on, and note that it is taken."""
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number})"
    taken.add(name.casefold())
    return name


def parts_named(words: Collection[Part | str]) -> tuple[Part, ...]:
    """Return what is meant by words such as ``skin`` and ``air``, each once.

    Raises
    ------
    StructureError
        If a word names nothing that is ever looked for (``auto-unknown``).
    """
    return tuple(dict.fromkeys(_part(word) for word in words))


def _part(word: Part | str) -> Part:
    # The contract calls the body skin, and gas air.
    known = {"skin": Part.BODY, "air": Part.GAS, "vessels": Part.VESSEL}
    try:
        return known.get(str(word)) or Part(str(word))
    except ValueError:
        raise StructureError(
            f"{word!r} is nothing that is found by itself.",
            "Choose from: skin, lung, air, bone, fat, vessel.",
            code="auto-unknown",
            place=str(word),
        ) from None


def _proposal(found: Found, taken: set[str], is_ct: bool) -> Proposal:
    stem, role, tissue, how = _KINDS[found.part]
    if not is_ct:
        how = "by the signal, without table and arms"
    mask, width = found.mask, found.diameter_mm
    widths = None
    if width is not None and mask.values.any():
        low, high = np.percentile(width.values[mask.values], [2.0, 98.0])
        widths = (float(low), float(high))
    return Proposal(
        part=found.part,
        name=_free(stem, taken),
        role=role,
        tissue=tissue,
        mask=mask,
        source=f"found by cryoplan {__version__}: {how}",
        notes=found.notes,
        diameter_mm=width,
        widths_mm=widths,
        volume_ml=float(np.count_nonzero(mask.values)) * mask.grid.voxel_volume_ml,
    )
