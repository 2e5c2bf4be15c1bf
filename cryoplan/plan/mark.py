"""Mark: a point on the skin that the room can find again, and how it says where an entry lies from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, as_point, distance_mm


class MarkKind(StrEnum):
    """What a mark is."""

    MIDLINE = "midline"
    GRID_LINE = "grid-line"
    LANDMARK = "landmark"


MARK_WORDS = {
    MarkKind.MIDLINE: "mid-line mark",
    MarkKind.GRID_LINE: "grid line",
    MarkKind.LANDMARK: "landmark",
}

_AT_IT_MM = 0.5
"""Nearer than this, nobody measures a distance on skin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point on the skin that the user has set: nothing else in an image says where the mid-line is.

    Attributes
    ----------
    name : str
        Such as ``mid-line``, ``grid 3`` or ``xiphoid``.
    kind : MarkKind
    position_mm : tuple of float
        LPS.

    Raises
    ------
    PlanError
        If it has no name, or its position is not three finite numbers.
    """

    name: str
    kind: MarkKind
    position_mm: Point

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError("A skin mark has no name.", "Give it one.", code="mark-name", place="name")
        try:
            object.__setattr__(self, "position_mm", as_point(self.position_mm))
        except (TypeError, ValueError) as error:
            raise PlanError(
                f"Skin mark {self.name}: the position is not three finite numbers.",
                "Give x, y and z in LPS millimetres.",
                code="mark-position",
                place="position_mm",
            ) from error

    @property
    def called(self) -> str:
        """Kind and name in words, the kind alone where the name says no more."""
        words = MARK_WORDS[self.kind]
        same = self.name.casefold().replace("-", "").replace(" ", "")
        return words if same in ("midline", "midlinemark") else f"{words} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FromMark:
    """Where a point lies from a mark, in words.

    Attributes
    ----------
    mark : Mark
    across, along, to_front : str
        ``23 mm to the patient's left``, ``12 mm towards the head``, ``8 mm towards the front``; ``level with
        it`` where no distance could be measured.
    """

    mark: Mark
    across: str
    along: str
    to_front: str

    @property
    def sentence(self) -> str:
        """Both in one: ``23 mm to the patient's left of the mid-line mark, 12 mm towards the head of it``."""
        called = self.mark.called
        across = (
            f"{self.across} of the {called}" if self.across else f"level with the {called}, left to right"
        )
        along = f"{self.along} of it" if self.along else "level with it, head to feet"
        return f"{across}, {along}"


def from_mark(point_mm: npt.ArrayLike, mark: Mark) -> FromMark:
    """Return where a point lies from a mark, along the patient's axes."""
    x, y, z = (float(v) for v in np.subtract(point_mm, mark.position_mm))
    return FromMark(
        mark=mark,
        across=_words(x, "to the patient's left", "to the patient's right"),
        along=_words(z, "towards the head", "towards the feet"),
        to_front=_words(-y, "towards the front", "towards the back"),
    )


def marks_for(point_mm: npt.ArrayLike, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return the marks that tell an entry: the nearest mid-line mark, then the nearest of the others.

    A mid-line mark tells left from right; a grid line or landmark nearby is measured from with less error.
    """
    at = as_point(point_mm)

    def nearest(among: Sequence[Mark]) -> tuple[Mark, ...]:
        return (min(among, key=lambda m: (distance_mm(m.position_mm, at), m.name)),) if among else ()

    midline = [m for m in marks if m.kind is MarkKind.MIDLINE]
    return nearest(midline) + nearest([m for m in marks if m.kind is not MarkKind.MIDLINE])


def entry_words(point_mm: npt.ArrayLike, marks: Sequence[Mark]) -> str:
    """Return where an entry lies from the marks that tell it, in words; empty without a mark.

    With a mid-line mark and a landmark, left and right are told from the one, head and feet from the other.
    """
    told = [from_mark(point_mm, mark) for mark in marks_for(point_mm, marks)]
    if len(told) < 2:
        return told[0].sentence if told else ""
    midline, other = told
    across = f"{midline.across} of" if midline.across else "level with"
    if other.mark.kind is MarkKind.LANDMARK:
        along = f"{other.along} of" if other.along else "level with"
        return f"{across} the {midline.mark.called}, {along} the {other.mark.called}"
    return f"{across} the {midline.mark.called}; {other.sentence}"


def _words(by_mm: float, onward: str, back: str) -> str:
    if abs(by_mm) < _AT_IT_MM:
        return ""
    return f"{abs(by_mm):.0f} mm {onward if by_mm > 0.0 else back}"
