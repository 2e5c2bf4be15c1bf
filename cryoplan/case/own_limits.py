"""Own limits: what one case has in place of ordinary limits; they change no ice and no margin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Measure(StrEnum):
    """What is measured."""

    MARGIN = "margin"
    COVERAGE = "coverage"
    ORGAN = "organ"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Judged:
    """The one number that a limit is about.

    Attributes
    ----------
    measure : Measure
        Worst margin, coverage of the tumour (with a rim), or lowest temperature of a structure.
    threshold_degc : float
        The isotherm, of a margin or a coverage.
    rim_mm : float
        Of a coverage.
    structure : str
        Its name, of a lowest temperature.
    """

    measure: Measure
    threshold_degc: float = 0.0
    rim_mm: float = 0.0
    structure: str = ""

    @classmethod
    def margin(cls, threshold_degc: float) -> Judged:
        """Return the worst margin to an isotherm."""
        return cls(measure=Measure.MARGIN, threshold_degc=threshold_degc)

    @classmethod
    def coverage(cls, threshold_degc: float, rim_mm: float) -> Judged:
        """Return the coverage of the tumour and a rim by an isotherm."""
        return cls(measure=Measure.COVERAGE, threshold_degc=threshold_degc, rim_mm=rim_mm)

    @classmethod
    def organ(cls, structure: str) -> Judged:
        """Return the lowest temperature of a structure."""
        return cls(measure=Measure.ORGAN, structure=structure)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimit:
    """A limit of one case; values below it are bad.

    Attributes
    ----------
    judged : Judged
        What it is about.
    warn, fail : float or None
        In mm, as a fraction, or in degC; values below `warn` warn, values below `fail` fail. Both None: this
        case has no such limit, although the ordinary one may be there.

    Raises
    ------
    ValueError
        If a value is no finite number, or `fail` lies above `warn`.
    """

    judged: Judged
    warn: float | None
    fail: float | None

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (self.warn, self.fail) if v is not None):
            raise ValueError("a limit is a finite number")
        if self.warn is not None and self.fail is not None and self.fail > self.warn:
            raise ValueError("the fail value must lie beyond the warn value")


def put_in_order(limits: Sequence[OwnLimit]) -> tuple[OwnLimit, ...]:
    """Return limits in the one order that they are kept in.

    Raises
    ------
    ValueError
        If two are about the same number.
    """
    if len({own.judged for own in limits}) < len(limits):
        raise ValueError("two limits are about the same number")
    return tuple(sorted(limits, key=lambda own: own.judged))


def limits_to_json(limits: Sequence[OwnLimit]) -> list[dict[str, Any]] | None:
    """Return the JSON value of own limits, None when there are none."""
    return [_row(own) for own in limits] or None


def limits_from_json(rows: object) -> tuple[OwnLimit, ...]:
    """Return the own limits of their JSON value.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is something else.
    """
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise TypeError("the limits are no list")
    return put_in_order([_own_limit(row) for row in rows])


def _row(own: OwnLimit) -> dict[str, Any]:
    judged = own.judged
    about: dict[str, Any] = {"structure": judged.structure}
    if judged.measure is not Measure.ORGAN:
        about = {"threshold_degc": judged.threshold_degc}
    if judged.measure is Measure.COVERAGE:
        about["rim_mm"] = judged.rim_mm
    return {"of": judged.measure.value, **about, "warn": own.warn, "fail": own.fail}


def _own_limit(row: Any) -> OwnLimit:
    measure = Measure(row["of"])
    if measure is Measure.ORGAN:
        judged = Judged.organ(str(row["structure"]))
    elif measure is Measure.MARGIN:
        judged = Judged.margin(float(row["threshold_degc"]))
    else:
        judged = Judged.coverage(float(row["threshold_degc"]), float(row["rim_mm"]))
    warn, fail = (None if row[side] is None else float(row[side]) for side in ("warn", "fail"))
    return OwnLimit(judged=judged, warn=warn, fail=fail)
