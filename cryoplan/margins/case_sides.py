"""Case sides: the sides of the target that a case leaves out of the margins, changed and told."""

from __future__ import annotations

from cryoplan.case.case import Case
from cryoplan.case.left_out import WIDEST_MM, LeftOut, usual_side
from cryoplan.core.errors import LimitError
from cryoplan.core.units import show_mm


def with_side(case: Case, structure: str, within_mm: float | None) -> Case:
    """Return a case that leaves out the side of a structure within a distance, or not any more (None).

    Raises
    ------
    StructureError
        If there is no such structure.
    LimitError
        If the distance is not between 0 and 30 mm.
    """
    role = case.structure(structure).role
    others = tuple(s for s in case.left_out if s.structure != structure)
    if within_mm is None:
        return case.changed(left_out=others)
    if not 0.0 < within_mm <= WIDEST_MM:
        raise LimitError(
            f"{structure} cannot be left out of the margins within {show_mm(within_mm)}.",
            f"Give a distance above 0 and up to {WIDEST_MM:g} mm.",
            code="left-out-distance",
            place=structure,
        )
    side = LeftOut(structure=structure, side=usual_side(role), within_mm=within_mm)
    return case.changed(left_out=(*others, side))


def describe_sides(before: Case, after: Case) -> str:
    """Return the sentence of the history: ``Left out of the margins: capsule of liver within 5 mm``."""
    new = [s.words() for s in after.left_out if s not in before.left_out]
    if new:
        return f"Left out of the margins: {', '.join(new)}"
    gone = [s for s in before.left_out if s not in after.left_out]
    return f"Counts in the margins again: {', '.join(s.structure for s in gone) or 'everything'}"
