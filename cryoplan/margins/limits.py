"""Limits as data: a value and a limit become a finding with number, limit and unit in its sentence."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from cryoplan.core.digest import digest
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced

UNITS = ("mm", "degC", "fraction")


class Direction(StrEnum):
    """On which side of its limit a value is good."""

    AT_LEAST = "at-least"
    AT_MOST = "at-most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """From where on a value is a warning, and from where on a failure.

    Attributes
    ----------
    direction : Direction
        ``at-least``: values below `warn` warn and values below `fail` fail; ``at-most``: values above.
    warn, fail : Sourced or None
        The two limits, of one unit of `UNITS`; one of them may be missing.
    ordinary : str
        What is wanted as a rule, in words, when this is a case's own limit; empty for an ordinary one.

    Raises
    ------
    ValueError
        If both are missing, their units differ or are unknown, or the fail comes before the warn.
    """

    direction: Direction
    warn: Sourced | None = None
    fail: Sourced | None = None
    ordinary: str = ""

    def __post_init__(self) -> None:
        given = [s for s in (self.warn, self.fail) if s is not None]
        if not given:
            raise ValueError("a limit needs a warn or a fail value")
        if given[0].unit not in UNITS or given[0].unit != given[-1].unit:
            raise ValueError(f"the limits of one value share one unit of: {', '.join(UNITS)}")
        if len(given) == 2 and self.is_beyond(given[0].value, given[1].value):
            raise ValueError("the fail value must lie beyond the warn value")

    @property
    def unit(self) -> str:
        """Unit of the value: mm, degC or fraction."""
        return (self.warn or self.fail).unit  # type: ignore[union-attr]  # one of them is there

    def is_beyond(self, value: float, limit: float) -> bool:
        """Tell whether `value` is on the bad side of `limit`."""
        return value < limit if self.direction is Direction.AT_LEAST else value > limit

    def level(self, value: float) -> Level:
        """Return ok, warn or fail."""
        if self.fail is not None and self.is_beyond(value, self.fail.value):
            return Level.FAIL
        if self.warn is not None and self.is_beyond(value, self.warn.value):
            return Level.WARN
        return Level.OK

    def describe(self) -> str:
        """Return `words`, and whether they are a guess, or differ from what is wanted as a rule."""
        if self.ordinary:
            return f"{self.words()} (this case; default {self.ordinary})"
        guess = any(s.is_guess for s in (self.warn, self.fail) if s is not None)
        return self.words() + (" (assumed)" if guess else "")

    def words(self) -> str:
        """Return the limit in words, such as ``at least +5.0 mm, never below 0.0 mm``."""
        least = self.direction is Direction.AT_LEAST
        parts = []
        if self.warn is not None:
            parts.append(f"{'at least' if least else 'at most'} {_show(self.warn.value, self.unit)}")
        if self.fail is not None:
            parts.append(f"never {'below' if least else 'above'} {_show(self.fail.value, self.unit)}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginLimit:
    """Limit of the worst margin to one isotherm."""

    threshold_degc: float
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageLimit:
    """Limit of the coverage of the tumour, or of the tumour with a rim, by one isotherm."""

    threshold_degc: float
    rim_mm: float
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All limits of the margin review.

    Attributes
    ----------
    margins : tuple of MarginLimit
    coverage : tuple of CoverageLimit
    organs : tuple of (str, Limit)
        By role, on the lowest temperature.
    structures : tuple of (str, Limit or None)
        By name, on the lowest temperature, in place of that of the role; None: no limit.
    """

    margins: tuple[MarginLimit, ...]
    coverage: tuple[CoverageLimit, ...]
    organs: tuple[tuple[str, Limit], ...]
    structures: tuple[tuple[str, Limit | None], ...] = ()

    def margin(self, threshold_degc: float) -> Limit | None:
        """Return the limit of the margin to one isotherm, None when it has none."""
        return next((m.limit for m in self.margins if m.threshold_degc == threshold_degc), None)

    def covered(self, threshold_degc: float, rim_mm: float) -> Limit | None:
        """Return the limit of a coverage, None when it has none."""
        wanted = (threshold_degc, rim_mm)
        return next((c.limit for c in self.coverage if (c.threshold_degc, c.rim_mm) == wanted), None)

    def organ(self, role: str, name: str = "") -> Limit | None:
        """Return the limit of the lowest temperature of a structure, None when it has none."""
        by_name = dict(self.structures)
        return by_name[name] if name in by_name else dict(self.organs).get(role)

    def digest(self) -> str:
        """Return the SHA-256 of all limits with their sources."""
        return digest(self)


def judge(limit: Limit, value: float, *, what: str, code: str, place: str = "", detail: str = "") -> Finding:
    """Turn a value and its limit into a finding.

    Parameters
    ----------
    limit : Limit
        With its unit.
    value : float
        In the unit of the limit; minus infinity means that there is no ice.
    what : str
        What was measured; begins the sentence.
    code, place : str
        As in `Finding`.
    detail : str
        Where and when, said after the number.
    """
    level = limit.level(value)
    shown = show_apart(value, limit, level)
    return Finding(
        level=level,
        code=code,
        text=f"{what}: {shown}{detail}; wanted {limit.describe()}.",
        place=place,
    )


@lru_cache(maxsize=1)
def load_limits() -> Limits:
    """Return the limits of this installation (``resources/limits``).

    Raises
    ------
    StoreError
        If a file is missing or damaged; the message names the entry.
    """
    return read_limits(resource("limits", "margins.toml"), resource("limits", "organs.toml"))


def read_limits(margins: Path, organs: Path) -> Limits:
    """Read the two limit files, strictly.

    Raises
    ------
    StoreError
        If a file is missing or damaged, or an entry lacks its source or has an unknown key.
    """
    table = _read(margins)
    for key in table:
        if key not in ("margin", "coverage"):
            raise _bad(f"{margins.name}: {key}", "is not a kind of limit")
    margin_limits, coverage_limits = [], []
    for number, entry in enumerate(_entries(table, "margin", margins.name)):
        place = f"{margins.name}: margin[{number}]"
        threshold = _number(entry, "threshold_degc", place)
        limit = _limit(entry, place, more=("threshold_degc",))
        margin_limits.append(MarginLimit(threshold_degc=threshold, limit=limit))
    for number, entry in enumerate(_entries(table, "coverage", margins.name)):
        place = f"{margins.name}: coverage[{number}]"
        threshold, rim = _number(entry, "threshold_degc", place), _number(entry, "rim_mm", place)
        limit = _limit(entry, place, more=("threshold_degc", "rim_mm"))
        coverage_limits.append(CoverageLimit(threshold_degc=threshold, rim_mm=rim, limit=limit))
    organ_limits = []
    for role, organ in _read(organs).items():
        place = f"{organs.name}: {role}"
        if not isinstance(organ, Mapping):
            raise _bad(place, "is not a table")
        organ_limits.append((role, _limit(organ, place)))
    return Limits(margins=tuple(margin_limits), coverage=tuple(coverage_limits), organs=tuple(organ_limits))


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(path.name, f"cannot be read ({error})") from error


def _entries(table: Mapping[str, object], key: str, file: str) -> list[Mapping[str, object]]:
    entries = table.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries):
        raise _bad(f"{file}: {key}", "is not a list of tables")
    return entries


def _number(entry: Mapping[str, object], key: str, place: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"{place}.{key}", "is not a number")
    return float(value)


def _limit(entry: Mapping[str, object], place: str, *, more: tuple[str, ...] = ()) -> Limit:
    for key in entry:
        if key not in ("direction", "warn", "fail", *more):
            raise _bad(f"{place}.{key}", "is not a key of a limit")
    sides: dict[str, Sourced | None] = {}
    for key in ("warn", "fail"):
        side = entry.get(key)
        if side is not None and not isinstance(side, Mapping):
            raise _bad(f"{place}.{key}", "is not a table of value, unit, source and how")
        sides[key] = None if side is None else Sourced.from_toml(side, place=f"{place}.{key}")
    try:
        return Limit(direction=Direction(str(entry.get("direction"))), warn=sides["warn"], fail=sides["fail"])
    except ValueError as error:
        raise _bad(place, f"is no limit: {error}") from error


def _bad(place: str, what: str) -> StoreError:
    return StoreError(
        f"The limit file entry {place} {what}.",
        "Mend the file; the built-in one shows how.",
        code="bad-resource",
        place=place,
    )


def show_apart(value: float, limit: Limit, level: Level) -> str:
    """Return a value with its unit so that it never looks like the limit it misses: 4.97 mm is not 5.0 mm."""
    if not math.isfinite(value):
        return "not reached anywhere"
    side = {Level.OK: None, Level.WARN: limit.warn, Level.FAIL: limit.fail}[level]
    for digits in (1, 2, 3):
        text = _show(value, limit.unit, digits)
        if side is None or text != _show(side.value, limit.unit, digits):
            break
    return text


def show_value(value: float, unit: str) -> str:
    """Return a limit with as many digits as it has: ``+5 mm``, ``99.9 %``, ``−2.5 °C``."""
    shown = 100.0 * value if unit == "fraction" else value
    digits = next((d for d in (0, 1, 2) if math.isclose(round(shown, d), shown, abs_tol=1e-9)), 3)
    return _show(value, unit, digits)


def _show(value: float, unit: str, digits: int = 1) -> str:
    if unit == "fraction":
        number, name = f"{100.0 * value:.{digits}f}", "%"
    elif unit == "mm":
        number, name = f"{value:+.{digits}f}", "mm"
    else:
        number, name = f"{value:.{digits}f}", "°C"
    if float(number) == 0.0:
        number = number.lstrip("+-")
    return f"{number.replace('-', chr(0x2212))} {name}"
