"""Finding: what every check returns, so that nothing has to be said through exceptions or prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs; the words are those of the contract."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """0 for ok, 1 for warn, 2 for fail."""
        return ("ok", "warn", "fail").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result of one check.

    Attributes
    ----------
    level : Level
        ok, warn or fail.
    code : str
        Stable, kebab-case, listed in the help.
    text : str
        One sentence in the user's words, with numbers and units.
    place : str
        File name, slice, probe or structure; empty when the finding is about everything.
    """

    level: Level
    code: str
    text: str
    place: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the contract's object."""
        return {
            "level": self.level.value,
            "code": self.code,
            "text": self.text,
            "place": self.place,
        }


def worst(findings: Iterable[Finding]) -> Level:
    """Return the heaviest level among `findings`, ok when there are none."""
    return max((f.level for f in findings), key=lambda level: level.rank, default=Level.OK)
