"""Reviews: which structures of a case somebody has looked at and found right.

A review changes nothing that is computed, so it is no part of a case's digest. It is bound to what was looked
at (`Structure.as_drawn`): a stroke withdraws it, and undoing the stroke brings it back.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryoplan.case.case import Case


def reviews_of(case: Case) -> dict[str, str]:
    """Return what was reviewed of each structure that is reviewed, by name; see `Structure.reviewed`."""
    return {s.name: s.reviewed for s in case.structures if s.is_reviewed}


def with_reviews(case: Case, reviews: Mapping[str, str]) -> Case:
    """Return a case reviewed as `reviews_of` said of it elsewhere; what has changed since is not reviewed.

    The background process knows cases without their reviews, so what it returns gets them back here.
    """
    if reviews_of(case) == reviews:
        return case
    structures = tuple(
        s.with_review(bool(s.name in reviews and reviews[s.name] == s.as_drawn())) for s in case.structures
    )
    return case.changed(structures=structures)


def with_reviewed(case: Case, name: str, is_reviewed: bool) -> Case:
    """Return a case in which a structure is reviewed as it is now, or not reviewed.

    Raises
    ------
    StructureError
        If there is no structure of that name.
    """
    chosen = case.structure(name)
    if chosen.is_reviewed == is_reviewed:
        return case
    return case.changed(
        structures=tuple(s.with_review(is_reviewed) if s is chosen else s for s in case.structures)
    )
