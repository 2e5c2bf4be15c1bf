"""Compare: what a change of the plan did - every number of two assessments side by side.

Both are of one patient. What is better is said only where it is beyond doubt: larger margins and coverage of
the tumour, warmer organs at risk, less healthy tissue frozen. A difference that is smaller than what is shown
counts as none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cryoplan.case.structure import Role
from cryoplan.core.geometry import Point
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import Assessment


class Measured(StrEnum):
    """What a number is of."""

    MARGIN = "margin"
    COVERAGE = "coverage"
    ORGAN = "organ"
    VOLUME = "volume"
    HEALTHY = "healthy"


NOT_AT_RISK = frozenset(
    {
        Role.TUMOUR, Role.ORGAN, Role.VESSEL, Role.FAT, Role.MUSCLE, Role.BONE, Role.FLUID, Role.GAS,
        Role.BODY, Role.OTHER,
    }
)  # fmt: skip
"""That these freeze is neither good nor bad by itself; the others are meant to stay warm."""

LEAST = {
    Measured.MARGIN: 0.05,
    Measured.COVERAGE: 0.0005,
    Measured.ORGAN: 0.5,
    Measured.VOLUME: 0.05,
    Measured.HEALTHY: 0.05,
}
"""Half of the last digit that is shown, in the unit of the number: mm, share, degC, ml, ml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One number before and after.

    Attributes
    ----------
    measured : Measured
    name : str
        Of the structure; empty for volumes of ice.
    threshold_degc : float or None
        Isotherm of a margin, coverage or volume.
    before, after : float or None
        mm (worst margin), share of the tumour, degC (lowest), ml; None where it was not measured, for
        example an organ that was added. A margin to ice that does not exist is minus infinity.
    point_mm : Point or None
        Where it is now.
    is_judged : bool
        False where a difference is neither good nor bad: ice volumes, and tissue that nobody protects.
    """

    measured: Measured
    name: str
    threshold_degc: float | None
    before: float | None
    after: float | None
    point_mm: Point | None = None
    is_judged: bool = True

    @property
    def difference(self) -> float | None:
        """After less before; None where one of both is missing or both are without end."""
        if self.before is None or self.after is None:
            return None
        difference = self.after - self.before
        return None if math.isnan(difference) else difference

    @property
    def is_change(self) -> bool:
        """Whether the difference can be seen in the digits that are shown, or one of both is missing."""
        if (self.before is None) != (self.after is None):
            return True
        return self.difference is not None and abs(self.difference) >= LEAST[self.measured]

    @property
    def is_better(self) -> bool | None:
        """Whether it changed for the better; None where it did not change, or one cannot say."""
        if not self.is_change or self.difference is None or not self.is_judged:
            return None
        return (self.difference < 0.0) == (self.measured is Measured.HEALTHY)


def compare(before: Assessment, after: Assessment) -> tuple[Change, ...]:
    """Return every number of two assessments of one patient: margins, coverage, organs, volumes.

    Organs come in the order of their temperature after. Margins of another target are not compared: they
    stand alone, each with the other missing.
    """
    return (
        *_margins(before, after),
        *_coverage(before, after),
        *_organs(before, after),
        *_volumes(before, after),
    )


def _margins(before: Assessment, after: Assessment) -> Iterator[Change]:
    old = {(m.structure, m.threshold_degc): m for m in before.margins}
    new = {(m.structure, m.threshold_degc): m for m in after.margins}
    for key in dict.fromkeys((*new, *old)):
        a, b = old.get(key), new.get(key)
        yield Change(
            measured=Measured.MARGIN,
            name=key[0],
            threshold_degc=key[1],
            before=None if a is None else -math.inf if a.no_ice else a.minimum_mm,
            after=None if b is None else -math.inf if b.no_ice else b.minimum_mm,
            point_mm=None if b is None or b.no_ice else b.worst_point_mm,
        )


def _coverage(before: Assessment, after: Assessment) -> Iterator[Change]:
    old = {(c.structure, c.threshold_degc): c.fraction for c in before.coverage if c.rim_mm == 0.0}
    new = {(c.structure, c.threshold_degc): c.fraction for c in after.coverage if c.rim_mm == 0.0}
    for key in dict.fromkeys((*new, *old)):
        yield Change(
            measured=Measured.COVERAGE,
            name=key[0],
            threshold_degc=key[1],
            before=old.get(key),
            after=new.get(key),
        )


def _organs(before: Assessment, after: Assessment) -> Iterator[Change]:
    targets = {m.structure for m in (*before.margins, *after.margins)}
    old = {o.name: o for o in before.structures}
    new = {o.name: o for o in sorted(after.structures, key=lambda o: o.minimum_degc)}
    for name in dict.fromkeys((*new, *old)):
        a, b = old.get(name), new.get(name)
        known = b or a
        if name in targets or known is None or known.role == "body":
            continue
        yield Change(
            measured=Measured.ORGAN,
            name=name,
            threshold_degc=None,
            before=None if a is None else a.minimum_degc,
            after=None if b is None else b.minimum_degc,
            point_mm=None if b is None else b.at_mm,
            is_judged=Role(known.role) not in NOT_AT_RISK,
        )


def _volumes(before: Assessment, after: Assessment) -> Iterator[Change]:
    old, new = (
        {i.threshold_degc: i.volume_ml for i in judged.isotherms if i.when == "minimum"}
        for judged in (before, after)
    )
    for threshold in sorted({*old, *new}, reverse=True):
        yield Change(
            measured=Measured.VOLUME,
            name="",
            threshold_degc=threshold,
            before=old.get(threshold),
            after=new.get(threshold),
            is_judged=False,
        )
    if before.healthy_frozen_ml is not None or after.healthy_frozen_ml is not None:
        yield Change(
            measured=Measured.HEALTHY,
            name="",
            threshold_degc=0.0,
            before=before.healthy_frozen_ml,
            after=after.healthy_frozen_ml,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestDifference:
    """Where two temperature fields differ most: degC after less before, and LPS."""

    degc: float
    at_mm: Point


def largest_difference(before: Volume, after: Volume) -> LargestDifference | None:
    """Return where two fields of one patient differ most, over all that both grids have.

    Parameters
    ----------
    before, after : Volume
        float32, degC; grids of one spacing lie on one lattice, others are looked up at the nearest cell.

    Returns
    -------
    LargestDifference or None
        None where they share nothing.
    """
    grid = after.grid
    k, j, i = (np.arange(n, dtype=float) for n in grid.shape)
    # Planning grids are axis-aligned: each axis has its own row of indices.
    picks, inside = [], []
    for axis, steps in enumerate((i, j, k)):
        at = grid.origin_mm[axis] + steps * grid.spacing_mm[axis]
        index = np.rint((at - before.grid.origin_mm[axis]) / before.grid.spacing_mm[axis]).astype(int)
        good = np.flatnonzero((index >= 0) & (index < before.grid.size[axis]))
        picks.append(index[good])
        inside.append(good)
    if any(not len(p) for p in picks):
        return None
    old = before.values[np.ix_(picks[2], picks[1], picks[0])]
    new = after.values[np.ix_(inside[2], inside[1], inside[0])]
    difference = new - old
    at_kji = np.unravel_index(int(np.argmax(np.abs(difference))), difference.shape)
    place_ijk = [float(inside[axis][at_kji[2 - axis]]) for axis in range(3)]
    x, y, z = (float(v) for v in grid.index_to_mm(place_ijk))
    return LargestDifference(degc=float(difference[at_kji]), at_mm=(x, y, z))
