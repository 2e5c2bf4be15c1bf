"""Card: all that is measured of one structure - size, depth, neighbours, and what is odd about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cryoplan.case.build import shared_with
from cryoplan.case.case import Case
from cryoplan.case.diameters import Diameters, measure_diameters
from cryoplan.case.pieces import Pieces, find_pieces
from cryoplan.case.planning import mask_box_mm, voxel_box_ijk
from cryoplan.case.structure import Role, Structure
from cryoplan.case.surface import Drawn
from cryoplan.case.surroundings import Gap, depth_under_capsule, depth_under_skin, holder_of, neighbours
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.core.units import show_ml

LEAST_VOXELS = 3
"""Along an axis of the grid: half a voxel at either end is then a third of the size."""

_COMPACT = (
    Role.TUMOUR, Role.ORGAN, Role.KIDNEY, Role.GALLBLADDER, Role.BLADDER, Role.HEART, Role.STOMACH, Role.BODY,
)  # fmt: skip
"""What is one piece without holes in every patient; others may well not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureCard:
    """What is measured of one structure of a case.

    Attributes
    ----------
    name : str
    volume_ml : float
        Of the drawn voxels.
    voxels : int
        How many there are.
    diameters : Diameters
    skin : Gap or None
        Least distance from the skin; None when nothing tells where the skin is.
    capsule : Gap or None
        Least distance from the surface of the organ that holds it, `Gap.name`; None when none does.
    neighbours : tuple of Gap
        Other structures within `surroundings.REACH_MM`, the nearest first.
    pieces : Pieces
        Islands and holes.
    findings : tuple of Finding
        What is odd about it, in words.
    """

    name: str
    volume_ml: float
    voxels: int
    diameters: Diameters
    skin: Gap | None
    capsule: Gap | None
    neighbours: tuple[Gap, ...]
    pieces: Pieces
    findings: tuple[Finding, ...]


def make_card(case: Case, name: str, *, progress: Progress = SILENT) -> StructureCard:
    """Measure a structure; of a liver it takes a second, so call it in the background.

    Raises
    ------
    StructureError
        If there is no structure of that name.
    Cancelled
        When `progress` says so.
    """
    structure = case.structure(name)
    mask = structure.mask

    def step(fraction: float, text: str) -> None:
        check_cancelled(progress)
        progress.report(ProgressReport(fraction=fraction, text=text))

    step(0.0, f"Measuring {name}")
    diameters = measure_diameters(mask)
    step(0.2, f"Islands and holes of {name}")
    pieces = find_pieces(mask, [s.mask for s in case.structures if s is not structure])
    step(0.4, f"Depth of {name}")
    outline = Drawn(mask)
    skin = None if structure.role in (Role.BODY, Role.SKIN) else depth_under_skin(case, mask, outline)
    step(0.6, f"Depth of {name}")
    holder = holder_of(case, structure)
    capsule = None if holder is None else depth_under_capsule(case, structure, holder, outline)
    near = []
    for gap in neighbours(case, structure, holder, outline):
        step(0.8, f"Neighbours of {name}")
        near.append(gap)
    return StructureCard(
        name=name,
        volume_ml=structure.volume_ml,
        voxels=int(np.count_nonzero(mask.values)),
        diameters=diameters,
        skin=skin,
        capsule=capsule,
        neighbours=tuple(sorted(near, key=lambda gap: (gap.length.mm, gap.name))),
        pieces=pieces,
        findings=_findings(case, structure, pieces),
    )


def _findings(case: Case, structure: Structure, pieces: Pieces) -> tuple[Finding, ...]:
    name, mask = structure.name, structure.mask
    compact = Level.WARN if structure.role in _COMPACT else Level.OK
    found = []

    def say(level: Level, code: str, text: str) -> None:
        found.append(Finding(level=level, code=code, text=text, place=name))

    if pieces.islands > 1:
        rest = f"the smaller {'ones hold' if pieces.islands > 2 else 'one holds'} {_ml(pieces.smaller_ml)}"
        say(compact, "structure-islands", f"{name} is in {pieces.islands} pieces; {rest}.")
    if pieces.holes:
        holes = "a hole" if pieces.holes == 1 else f"{pieces.holes} holes"
        say(compact, "structure-holes", f"{name} has {holes} of {_ml(pieces.holes_ml)} that nothing fills.")
    if _leaves_image(case, structure):
        level = Level.WARN if structure.role is Role.TUMOUR else Level.OK
        text = f"{name} reaches the edge of the image and may go on beyond it."
        say(level, "structure-at-image-edge", text)
    first, last = voxel_box_ijk(mask)
    fewest = min(b - a + 1 for a, b in zip(first, last, strict=True))
    if fewest < LEAST_VOXELS and structure.role is Role.TUMOUR:
        text = f"{name} is only {fewest} voxel{'s' if fewest > 1 else ''} thick; its size is rough."
        say(Level.WARN, "structure-few-voxels", text)
    return (*found, *shared_with(structure, case.structures))


def _leaves_image(case: Case, structure: Structure) -> bool:
    lower, upper = mask_box_mm(structure.mask)
    scan_lower, scan_upper = case.scan.volume.grid.bounds_mm()
    return bool(np.any(lower <= scan_lower + 1e-6) or np.any(upper >= scan_upper - 1e-6))


def _ml(volume_ml: float) -> str:
    return show_ml(volume_ml) if volume_ml >= 0.1 else f"{volume_ml:.2g} ml"
