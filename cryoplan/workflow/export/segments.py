"""Segments: structures and isotherms of a case on the grid of its image, as every format gets them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.source_words import is_automatic, source_words
from cryoplan.case.structure import Structure
from cryoplan.case.structure_code import code_of
from cryoplan.core.units import show_degc
from cryoplan.core.volume import Volume
from cryoplan.image.resample import volume_to_grid
from cryoplan.image.segment import ISOTHERM, Segment
from cryoplan.scene.style import rgb, theme
from cryoplan.simulation.result import ThermalResult
from cryoplan.workflow.export.subject import Subject

THRESHOLDS_DEGC = (0.0, -20.0, -40.0)
"""Isotherms of the lowest temperature of the whole protocol that are exported."""

_WARM_DEGC = 37.0


def segments_of(subject: Subject, thresholds_degc: Sequence[float] = THRESHOLDS_DEGC) -> tuple[Segment, ...]:
    """Return all structures in their order, then the isotherms, on the image's own grid.

    An isotherm that encloses no voxel of the image is left out.
    """
    return (*structure_segments(subject.case), *isotherm_segments(subject, thresholds_degc))


def structure_segments(case: Case) -> tuple[Segment, ...]:
    """Return the structures of a case; a voxel is inside by its centre."""
    return tuple(_structure(s, case) for s in case.structures)


def isotherm_segments(subject: Subject, thresholds_degc: Sequence[float]) -> tuple[Segment, ...]:
    """Return what became as cold as each threshold, temperatures linear between the solver's cells."""
    lowest = lowest_on_image(subject.case, subject.result)
    found = []
    for threshold in thresholds_degc:
        inside = lowest.values <= threshold
        if not inside.any():
            continue
        found.append(
            Segment(
                name=isotherm_label(threshold),
                kind=ISOTHERM,
                mask=Volume(grid=lowest.grid, values=inside),
                colour=_bytes(theme().isotherm(threshold).colour),
                source=f"computed: lowest temperature of the protocol at most {show_degc(threshold)}",
                is_automatic=True,
                threshold_degc=threshold,
            )
        )
    return tuple(found)


def lowest_on_image(case: Case, result: ThermalResult) -> Volume:
    """Return the lowest temperature at each voxel of the image, float32 degC; 37 where nothing was solved."""
    return volume_to_grid(result.minimum_degc, case.scan.volume.grid, outside=_WARM_DEGC)


def isotherm_label(threshold_degc: float) -> str:
    """Return what an isotherm is called in files: ``Ice 0 °C``, ``Isotherm -40 °C``.

    With the minus of ASCII: readers that drop what they do not know (pynrrd does) would drop the sign.
    """
    degc = show_degc(threshold_degc).replace("\N{MINUS SIGN}", "-")
    return f"{'Ice' if threshold_degc == 0.0 else 'Isotherm'} {degc}"


def _structure(structure: Structure, case: Case) -> Segment:
    return Segment(
        name=structure.name,
        kind=structure.role.value,
        mask=structure_mask(structure, case.scan.volume.grid),
        colour=_bytes(theme().outline(structure.role).colour),
        source=source_words(structure.source),
        is_automatic=is_automatic(structure.source) and not structure.is_reviewed,
        code=code_of(structure),
    )


def _bytes(colour: str) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in rgb(colour))
    return red, green, blue


def has_shape(segment: Segment) -> bool:
    """Tell whether anything of a segment lies in the image."""
    return bool(np.any(segment.mask.values))
