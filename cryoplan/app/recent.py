"""Recent cases: where the last ones lie, shown by pseudonym, status and time; switched off, nothing is kept.

A path is needed to open a case again and may hold the patient's name, so it stays in the settings file of
this user on this machine, is never written to the log, and does not show in the text of a record.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cryoplan.app.settings import Settings

MOST = 20
PART = "recent"
LONGEST_TEXT = 200


class Presence(StrEnum):
    """Whether a case can be opened."""

    HERE = "here"
    MISSING = "missing"
    OUT_OF_REACH = "out of reach"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentCase:
    """One line of the list.

    Attributes
    ----------
    path : Path
        The case file; not part of the record's text.
    code : str
        Pseudonym: what is shown.
    status : str
        Draft, ready, approved or treated, as the case said when it was last open.
    opened_at : datetime
        When it was last open, UTC.
    """

    path: Path = field(repr=False)
    code: str
    status: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A line of the list as the file holds it."""

    path: str
    code: str = ""
    status: str = ""
    opened_at: datetime

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("a recent case has no path")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The list and its switch as the file holds them."""

    remember: bool = True
    cases: tuple[_Row, ...] = ()


class RecentCases:
    """The list in the user's settings, newest first.

    Parameters
    ----------
    settings : Settings
        Where it is kept.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def remembers(self) -> bool:
        """Whether cases are remembered at all."""
        return self._read().remember

    def remember(self, yes: bool) -> None:
        """Switch remembering on or off; off forgets every case at once."""
        self._write(_Part(remember=yes, cases=self._read().cases if yes else ()))

    def entries(self) -> tuple[RecentCase, ...]:
        """Return the cases, those whose file is missing too, without looking at their folders."""
        return tuple(
            RecentCase(path=Path(row.path), code=row.code, status=row.status, opened_at=row.opened_at)
            for row in self._read().cases[:MOST]
        )

    def note(self, path: Path, code: str, status: str, now: datetime | None = None) -> None:
        """Put a case first, in the place of an older line of the same file; at most `MOST` stay."""
        part = self._read()
        if not part.remember:
            return
        place = _place(path)
        row = _Row(
            path=place,
            code=code[:LONGEST_TEXT],
            status=status[:LONGEST_TEXT],
            opened_at=now or datetime.now(UTC),
        )
        others = (r for r in part.cases if _same(r.path) != _same(place))
        self._write(_Part(remember=True, cases=(row, *others)[:MOST]))

    def forget(self, path: Path) -> None:
        """Take one case off the list; its file is not touched."""
        part = self._read()
        place = _same(_place(path))
        kept = tuple(row for row in part.cases if _same(row.path) != place)
        self._write(_Part(remember=part.remember, cases=kept))

    def clear(self) -> None:
        """Forget every case."""
        self._write(_Part(remember=self._read().remember))

    def _read(self) -> _Part:
        return self._settings.read(PART, _Part)

    def _write(self, part: _Part) -> None:
        self._settings.write(PART, part)


def presence_of(path: Path) -> Presence:
    """Look whether a file is there; a network folder may take its time, so not while painting."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Presence.MISSING
    except (OSError, ValueError):
        return Presence.OUT_OF_REACH
    return Presence.HERE


def _place(path: Path) -> str:
    # Links are kept as they were chosen: what they lead to may be a place that is not always there.
    return os.path.abspath(path)  # noqa: PTH100 - resolve would follow links


def _same(place: str) -> str:
    """Return what is equal for the same file on systems whose file names have no case."""
    return os.path.normcase(place)
