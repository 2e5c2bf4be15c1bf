"""Meanings: what the code of a finding or an error means and what to do, from ``resources/help/codes.toml``.

The sentence that a user meets names the file, the probe or the number; a meaning is the page of the help
behind it. Window and command line read it here, and a test holds the table against every code that the
program says.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource

FAMILY = "*"
"""At the end of a code: it stands for every code that begins so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The help on one code.

    Attributes
    ----------
    code : str
        Kebab-case; ends in `FAMILY` when it stands for several.
    stage : str
        Where in the work it belongs, as a heading.
    means, remedy : str
        Whole sentences.
    """

    code: str
    stage: str
    means: str
    remedy: str

    def covers(self, code: str) -> bool:
        """Tell whether this is the help on a code."""
        if self.code.endswith(FAMILY):
            head = self.code.removesuffix(FAMILY)
            return code.startswith(head) and code != head
        return code == self.code

    def to_text(self) -> str:
        """Return code, stage and sentences as plain text."""
        return f"{self.code} ({self.stage})\n{self.means}\n{self.remedy}"

    def to_json(self) -> dict[str, str]:
        """Return the same as an object."""
        return {"code": self.code, "stage": self.stage, "means": self.means, "remedy": self.remedy}


@lru_cache(maxsize=1)
def load_meanings() -> tuple[Meaning, ...]:
    """Return the help on every code, by stage in the order of the work, then by code.

    Raises
    ------
    StoreError
        If the table is missing or damaged; the message names the entry.
    """
    return read_meanings(resource("help", "codes.toml"))


def read_meanings(path: Path) -> tuple[Meaning, ...]:
    """Read one table strictly.

    Raises
    ------
    StoreError
        If it cannot be read, an entry is not a pair of sentences, or a code stands there twice.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _bad(path, f"cannot be read ({error})") from error
    stages = tables.pop("stages", {})
    if not isinstance(stages, dict) or list(stages) != list(tables):
        raise _bad(path, "does not have the same stages in its list and as its tables")
    found: dict[str, Meaning] = {}
    for stage, entries in tables.items():
        if not isinstance(entries, dict):
            raise _bad(path, f"has no table {stage}")
        for code, pair in sorted(entries.items()):
            if not (
                isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) and p for p in pair)
            ):
                raise _bad(path, f"does not give {code} a meaning and a remedy")
            if code in found:
                raise _bad(path, f"has the code {code} twice")
            found[code] = Meaning(code=code, stage=str(stages[stage]), means=pair[0], remedy=pair[1])
    return tuple(found.values())


def meaning_of(code: str) -> Meaning | None:
    """Return the help on a code, None when there is none; a code of its own goes before a family."""
    fitting = [m for m in load_meanings() if m.covers(code)]
    return max(fitting, key=lambda m: (m.code == code, len(m.code)), default=None)


def find_meanings(words: str) -> tuple[Meaning, ...]:
    """Return the help that a code or some words lead to, all of it when nothing is asked.

    A known code gives its own help only. Otherwise every word must occur, whole or in part, in code, stage
    or sentences.
    """
    wanted = words.casefold().split()
    if len(wanted) == 1 and (known := meaning_of(wanted[0])) is not None:
        return (known,)
    return tuple(m for m in load_meanings() if all(word in m.to_text().casefold() for word in wanted))


def _bad(path: Path, what: str) -> StoreError:
    return StoreError(
        f"The help on messages ({path.name}) {what}.",
        "Install cryoplan again.",
        code="bad-resource",
        place=path.name,
    )
