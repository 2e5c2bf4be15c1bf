"""Case limits: what one case is judged by, the ordinary limits or its own, and how that changes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cryoplan.case.case import Case
from cryoplan.case.own_limits import Judged, Measure, OwnLimit
from cryoplan.core.errors import LimitError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.sourced import ENTERED, Sourced
from cryoplan.margins.limits import (
    CoverageLimit,
    Direction,
    Limit,
    Limits,
    MarginLimit,
    load_limits,
    show_value,
)
from cryoplan.margins.organs import START_DEGC

CHANGED_CODE = "limit-changed"

UNITS = {Measure.MARGIN: "mm", Measure.COVERAGE: "fraction", Measure.ORGAN: "degC"}

RANGES = {
    Measure.MARGIN: (-30.0, 30.0),
    Measure.COVERAGE: (0.0, 1.0),
    Measure.ORGAN: (-100.0, START_DEGC),
}
"""What a limit may be: anything beyond is a slip of the finger, or is missed before the first freeze."""

SOURCE = "set for this case"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLimit:
    """A limit of a case that differs from the ordinary one; None: there is no limit."""

    judged: Judged
    limit: Limit | None
    ordinary: Limit | None

    @property
    def is_laxer(self) -> bool:
        """True when something passes that would not pass as a rule."""
        return any(
            old is not None and (new is None or new < old)
            for new, old in zip(values(self.limit), values(self.ordinary), strict=True)
        )

    def words(self) -> str:
        """Return what is judged, and how: ``colon at least 0.0 °C, default at least 5.0 °C``."""
        return f"{name_of(self.judged)} {_words(self.limit)}, default {_words(self.ordinary)}"


def limits_of(case: Case | None) -> Limits:
    """Return what a case is judged by; without one, the limits of the installation.

    Raises
    ------
    StoreError
        If the limit files of the installation are missing or damaged.
    """
    limits = load_limits()
    for own in case.limits if case is not None else ():
        limits = _with(limits, own.judged, _limit(own, _ordinary(case, own.judged)))
    return limits


def limit_of(case: Case | None, judged: Judged) -> Limit | None:
    """Return the limit of one number in a case, None when it has none."""
    own, ordinary = _own(case, judged), _ordinary(case, judged)
    return ordinary if own is None else _limit(own, ordinary)


def changed_limits(case: Case | None) -> tuple[ChangedLimit, ...]:
    """Return the limits of a case that differ from the ordinary ones, of what is there to be judged."""
    return tuple(
        ChangedLimit(
            judged=own.judged, limit=limit_of(case, own.judged), ordinary=_ordinary(case, own.judged)
        )
        for own in (case.limits if case is not None else ())
        if is_there(case, own.judged) and (own.warn, own.fail) != values(_ordinary(case, own.judged))
    )


def is_there(case: Case | None, judged: Judged) -> bool:
    """Return whether there is something to judge; the limit of a structure that was removed waits."""
    if judged.measure is not Measure.ORGAN:
        return True
    return case is not None and judged.structure in {s.name for s in case.structures}


def is_own(case: Case | None, judged: Judged) -> bool:
    """Return whether a case has a limit of its own for a number."""
    return _own(case, judged) is not None


def with_limit(case: Case, judged: Judged, warn: float | None, fail: float | None) -> Case:
    """Return a case with another limit of one number; the ordinary one again if it is that.

    Parameters
    ----------
    warn, fail : float or None
        In mm, as a fraction, or in degC; None: there is no such limit.

    Raises
    ------
    LimitError
        If the value cannot be meant.
    """
    unit, (low, high) = UNITS[judged.measure], RANGES[judged.measure]
    name = name_of(judged)
    ordinary = _ordinary(case, judged)
    if ordinary is not None and ordinary.direction is not Direction.AT_LEAST:
        raise LimitError(
            f"The limit of {name} is one that must not be exceeded; such limits cannot be changed in a case.",
            "Change it in the limit files of this installation.",
            code="limit-not-changeable",
            place=name,
        )
    for value in (warn, fail):
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            shown = show_value(value, unit) if math.isfinite(value) else str(value)
            raise LimitError(
                f"{shown} cannot be the limit of {name}.",
                f"Give a value from {show_value(low, unit)} to {show_value(high, unit)}.",
                code="limit-out-of-range",
                place=name,
            )
    if warn is not None and fail is not None and fail > warn:
        raise LimitError(
            f"The limit of {name} cannot be: what is wanted ({show_value(warn, unit)}) lies below what must "
            f"never be missed ({show_value(fail, unit)}).",
            "Change the other value first.",
            code="limit-order",
            place=name,
        )
    others = [own for own in case.limits if own.judged != judged]
    if (warn, fail) != values(ordinary):
        others.append(OwnLimit(judged=judged, warn=warn, fail=fail))
    return case.changed(limits=tuple(others))


def without_limit(case: Case, judged: Judged) -> Case:
    """Return a case with the ordinary limit of one number."""
    return case.changed(limits=tuple(own for own in case.limits if own.judged != judged))


def describe_limit(before: Case, after: Case, judged: Judged) -> str:
    """Return the sentence of the history: ``Limit of gallbladder: 0 °C instead of 5 °C``."""
    unit = UNITS[judged.measure]
    old, new = values(limit_of(before, judged)), values(limit_of(after, judged))
    parts = [
        f"{prefix}{_value(now, unit)} instead of {_value(was, unit)}"
        for prefix, now, was in zip(("", "never below "), new, old, strict=True)
        if now != was
    ]
    back = "" if is_own(after, judged) else " (the default)"
    return f"Limit of {name_of(judged)}: {', '.join(parts) or 'kept'}{back}"


def limit_findings(case: Case) -> list[Finding]:
    """Say which limits of a case differ from the ordinary ones; a laxer one is a warning."""
    return [
        Finding(
            level=Level.WARN if changed.is_laxer else Level.OK,
            code=CHANGED_CODE,
            text=f"The limit of {name_of(changed.judged)} was changed for this case: "
            f"{_words(changed.limit)}; the default is {_words(changed.ordinary)}.",
            place=changed.judged.structure or case.target_name,
        )
        for changed in changed_limits(case)
    ]


def name_of(judged: Judged) -> str:
    """Return what a limit is about, in words."""
    if judged.measure is Measure.ORGAN:
        return judged.structure
    at = show_value(judged.threshold_degc, "degC")
    if judged.measure is Measure.MARGIN:
        return f"the ice edge margin ({at})" if judged.threshold_degc == 0.0 else f"the margin to {at}"
    rim = f" with a rim of {judged.rim_mm:g} mm" if judged.rim_mm else ""
    return f"the coverage{rim} at {at}"


def values(limit: Limit | None) -> tuple[float | None, float | None]:
    """Return from where on a value warns and fails."""
    if limit is None:
        return None, None
    return (
        None if limit.warn is None else limit.warn.value,
        None if limit.fail is None else limit.fail.value,
    )


def _own(case: Case | None, judged: Judged) -> OwnLimit | None:
    return next((own for own in (case.limits if case is not None else ()) if own.judged == judged), None)


def _ordinary(case: Case | None, judged: Judged) -> Limit | None:
    limits = load_limits()
    if judged.measure is Measure.MARGIN:
        return limits.margin(judged.threshold_degc)
    if judged.measure is Measure.COVERAGE:
        return limits.covered(judged.threshold_degc, judged.rim_mm)
    structures = case.structures if case is not None else ()
    return next((limits.organ(s.role.value) for s in structures if s.name == judged.structure), None)


def _limit(own: OwnLimit, ordinary: Limit | None) -> Limit | None:
    if own.warn is None and own.fail is None:
        return None
    if (own.warn, own.fail) == values(ordinary):  # the table has become what the case wants
        return ordinary
    unit = UNITS[own.judged.measure]

    def side(value: float | None, usual: Sourced | None) -> Sourced | None:
        if value is None or (usual is not None and usual.value == value):
            return usual if value is not None else None
        return Sourced(value=value, unit=unit, source=SOURCE, how=ENTERED)

    return Limit(
        direction=Direction.AT_LEAST,
        warn=side(own.warn, ordinary.warn if ordinary is not None else None),
        fail=side(own.fail, ordinary.fail if ordinary is not None else None),
        ordinary=_words(ordinary),
    )


def _with(limits: Limits, judged: Judged, limit: Limit | None) -> Limits:
    if judged.measure is Measure.ORGAN:
        return replace(limits, structures=(*limits.structures, (judged.structure, limit)))
    threshold = judged.threshold_degc
    if judged.measure is Measure.MARGIN:
        margins = tuple(m for m in limits.margins if m.threshold_degc != threshold)
        if limit is not None:
            margins = (*margins, MarginLimit(threshold_degc=threshold, limit=limit))
        return replace(limits, margins=tuple(sorted(margins, key=lambda m: -m.threshold_degc)))
    about = (threshold, judged.rim_mm)
    coverage = tuple(c for c in limits.coverage if (c.threshold_degc, c.rim_mm) != about)
    if limit is not None:
        coverage = (*coverage, CoverageLimit(threshold_degc=threshold, rim_mm=judged.rim_mm, limit=limit))
    return replace(limits, coverage=tuple(sorted(coverage, key=lambda c: (c.rim_mm, -c.threshold_degc))))


def _words(limit: Limit | None) -> str:
    return "no limit" if limit is None else limit.words()


def _value(value: float | None, unit: str) -> str:
    return "none" if value is None else show_value(value, unit)
