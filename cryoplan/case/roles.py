"""Roles: what a structure is to the plan, guessed from its name by the table ``resources/roles.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource

UNKNOWN_TISSUE = "soft-tissue"

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEVEL = re.compile(r"[ctls]\d+|s?\d+[a-z]?|[ivx]+")
"""Vertebral levels, numbers and Roman numerals: they count things, they do not name them."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    role: Role
    tissue: str
    weight: int


@dataclass(frozen=True, slots=True)
class _Table:
    phrases: tuple[_Phrase, ...]
    stops: frozenset[str]
    fillers: frozenset[str]


def guess(name: str) -> tuple[Role, str, bool]:
    """Return role, tissue and whether the name says so plainly.

    A name is plain when, apart from sides, numbers and the like, it is one known phrase
    (``kidney_left``); ``target_1 segment VI, near gallbladder`` is a tumour, but by guess. A name without
    any known phrase is *other*, soft tissue, by guess.

    Parameters
    ----------
    name : str
        Name of a structure as its file gives it.
    """
    table = _table()
    leading, whole = _leading_words(name, table)
    best: tuple[tuple[int, int, int], _Phrase, int] | None = None
    for start in range(len(leading)):
        for phrase in table.phrases:
            end = start + len(phrase.words)
            if tuple(leading[start:end]) == phrase.words:
                rank = (phrase.weight, -start, len(phrase.words))
                if best is None or rank > best[0]:
                    best = (rank, phrase, start)
    if best is None:
        return Role.OTHER, UNKNOWN_TISSUE, False
    _, phrase, start = best
    rest = leading[:start] + leading[start + len(phrase.words) :]
    plain = whole and all(word in table.fillers or _LEVEL.fullmatch(word) for word in rest)
    return phrase.role, phrase.tissue, plain


@lru_cache(maxsize=1)
def tissue_of_role() -> dict[Role, str]:
    """Return the tissue that a role has when a file states only the role."""
    result: dict[Role, str] = {}
    for phrase in _table().phrases:
        result.setdefault(phrase.role, phrase.tissue)
    # The first organ of the table is the liver; an organ that nobody named must not get its perfusion.
    result[Role.ORGAN] = result[Role.OTHER] = UNKNOWN_TISSUE
    return result


def _leading_words(name: str, table: _Table) -> tuple[list[str], bool]:
    """Return the words up to the first comma, bracket or stop word, and whether that was all of it."""
    head = re.split(r"[,;:()\[\]/]", name, maxsplit=1)[0]
    whole = head.strip() == name.strip()
    words = [_singular(w) for w in re.findall(r"[^\W_]+", _CAMEL.sub(" ", head).lower())]
    for position, word in enumerate(words):
        if word in table.stops and position > 0:
            return words[:position], False
    return words, whole


def _singular(word: str) -> str:
    # "vertebrae" stands in the table by itself; "pancreas" and "pelvis" are no plurals.
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "as", "os")):
        return word[:-1]
    return word


@lru_cache(maxsize=1)
def _table() -> _Table:
    path = resource("roles.toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        phrases = tuple(
            _Phrase(
                tuple(_singular(w) for w in text.split()),
                Role(row["role"]),
                row["tissue"],
                row.get("weight", 0),
            )
            for row in content["phrases"]
            for text in row["words"]
        )
        return _Table(phrases, frozenset(content["stops"]), frozenset(content["fillers"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The table of structure names (roles.toml) cannot be read ({error}).",
            "Install cryoplan again.",
            code="bad-resource",
            place="roles.toml",
        ) from error
