"""Language: sentences of the program said in another language; what users named stays as they wrote it.

The English sentence is the key. A table of ``resources/translations`` gives it in another language, with
holes in braces: ``{name}``, ``{name2}`` hold what somebody named and ``{source}`` a text of somebody else,
which are never touched; every other hole, such as ``{a}``, holds a number or a smaller sentence, translated
in turn. A sentence that is not in the table stays English as a whole: half a translation would be worse.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache

from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource, resource_root

ENGLISH = "en"

NAMES = "names"
"""Group of a table that is used only where a name is expected, such as ``{name} (assumed)``."""

HOLE = re.compile(r"\{([a-z]+[0-9]*)\}")
_NUMBER = re.compile(r"(?<![\w.,/:-])(\d+)\.(\d+)(?![\w/-]|[.,]\d)")
COMMA = r"\1,\2"
_WORD = re.compile(r"[^\W\d_²³]{2,}")
_UNITS = frozenset(
    ("mm", "ml", "cm", "kg", "kJ", "min", "mmHg", "HU", "MJ", "kW", "SD", "CT", "MR", "HFS", "HFP", "FFS",
     "FFP", "HFDL", "HFDR", "FFDL", "FFDR", "UTC", "cryoplan", "MPa")
)  # fmt: skip
MOST_KNOWN = 20_000
"""Sentences kept; a window that shows the figures under the mouse would gather them without end."""

_JOINTS = ("\n", " · ", "; ", ", ")


class Name(str):
    """What a user named: translated by nobody."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One line of a table.

    Attributes
    ----------
    pattern : re.Pattern
        What the English sentence looks like.
    said : str
        The other language, with the same holes.
    pieces : tuple of str
        What an English sentence must contain; looked at first.
    """

    pattern: re.Pattern[str]
    said: str
    pieces: tuple[str, ...]


@lru_cache
def table(language: str) -> dict[str, str]:
    """Return the sentences of a language, keyed by the English ones.

    Raises
    ------
    StoreError
        If there is no such language.
    """
    if language not in languages():
        raise StoreError(
            f"There is no language {language!r}.",
            f"Choose one of {', '.join(languages())}.",
            code="unknown-language",
        )
    if language == ENGLISH:
        return {}
    groups = _groups(language)
    return {english: said for group in groups for english, said in groups[group].items() if group != NAMES}


@lru_cache
def _groups(language: str) -> dict[str, dict[str, str]]:
    """Return the groups of a language's tables; what two tables have in common must be said alike."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(resource("translations", language).glob("*.toml")):
        for group, sentences in tomllib.loads(path.read_text("utf-8")).items():
            found.setdefault(group if group == NAMES else f"{path.stem}.{group}", {}).update(sentences)
    return found


@lru_cache
def _around(language: str) -> tuple[_Sentence, ...]:
    """Return what may stand around a name where a name is expected."""
    return _patterns(_groups(language).get(NAMES, {}), most=True)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the languages that window and paper can speak, English first."""
    found = (path.name for path in (resource_root() / "translations").iterdir() if path.is_dir())
    return (ENGLISH, *sorted(found))


@lru_cache
def _sentences(language: str) -> tuple[_Sentence, ...]:
    return _patterns(table(language))


@lru_cache
def _longest(language: str) -> tuple[_Sentence, ...]:
    # Where a name has the comma of the sentence in it: each hole takes as much as it can.
    return tuple(s for s in _patterns(table(language), most=True) if "name" in s.pattern.groupindex)


def _patterns(known: dict[str, str], *, most: bool = False) -> tuple[_Sentence, ...]:
    """Return the sentences with holes, those that fix most letters first."""
    found = []
    for english, said in known.items():
        if not HOLE.search(english):
            continue
        pieces = HOLE.split(english)
        pattern = "".join(
            _hole(piece, most) if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)
        )
        found.append(_Sentence(re.compile(pattern, re.DOTALL), said, tuple(p for p in pieces[::2] if p)))
    return tuple(sorted(found, key=lambda s: -sum(map(len, s.pieces))))


def _hole(name: str, most: bool) -> str:
    """Return the pattern of a hole; a name does not reach into the next sentence."""
    letter = r"(?:(?!\. [A-Z]).)" if name.startswith("name") else "."
    return f"(?P<{name}>{letter}+{'' if most else '?'})"


@dataclass(frozen=True, slots=True)
class Translator:
    """Says English sentences in one language.

    Attributes
    ----------
    language : str
    names : collection of str
        What users named; each stands in the translation as often as in the original, or nothing is.
    """

    language: str
    names: Collection[str] = ()
    _known: dict[str, str | None] = field(default_factory=dict)

    def with_names(self, names: Collection[str]) -> Translator:
        """Return a translator that keeps other names."""
        return self if names == self.names else Translator(self.language, names)

    def say(self, text: str) -> str:
        """Return `text` in the language, or as it is where it is a name or not in the table."""
        if self.language == ENGLISH or isinstance(text, Name) or text in self.names or not text.strip():
            return text
        said = self._whole(text)
        return text if said is None or not self._keeps_names(text, said) else said

    def say_own(self, text: str) -> str:
        """Return the program's own words in the language, whatever users named: headings, labels."""
        said = None if self.language == ENGLISH else self._whole(text)
        return text if said is None else said

    def knows(self, text: str) -> bool:
        """Tell whether nothing of `text` would stay English."""
        return self.language == ENGLISH or self._whole(text) is not None

    def say_around(self, text: str) -> str:
        """Return `text` where it may be a name alone: only sentences that hold a name are translated."""
        if self.language == ENGLISH or text in self.names or isinstance(text, Name):
            return text
        for sentence in _around(self.language):
            said = self._filled(sentence, text)
            if said is not None and self._keeps_names(text, said):
                return said
        return text

    def _keeps_names(self, text: str, said: str) -> bool:
        # Short numbers are names of probes as well as figures; whether they changed is not to be told.
        return all(_times(n, text) <= _times(n, said) for n in self.names if _WORD.search(n) and n in text)

    def _whole(self, text: str) -> str | None:
        """Return the translation, or None where a part is not known."""
        if text not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[text] = None  # a sentence within itself is not known
            self._known[text] = self._looked_up(text)
        return self._known[text]

    def _looked_up(self, text: str) -> str | None:
        exact = table(self.language).get(text)
        if exact is not None and not HOLE.search(text):
            return exact
        if is_numeric(text):
            return _NUMBER.sub(COMMA, text)
        measured = re.fullmatch(r"(.+) ([\d.,]+(?: mm)?)", text, re.DOTALL)
        if measured and measured[1] in self.names:
            return f"{measured[1]} {_NUMBER.sub(COMMA, measured[2])}"
        # Sentences and lists first: a hole would swallow what else stands there.
        said = self._joined(re.split(r"(?<=[.:)]) (?=[A-Z])", text), " ")
        if said is not None:
            return said
        for joint in _JOINTS:
            said = self._joined(text.split(joint), joint)
            if said is not None:
                return said
        for sentence in (*_sentences(self.language), *_longest(self.language)):
            said = self._filled(sentence, text)
            if said is not None:
                return said
        return None

    def _joined(self, parts: list[str], joint: str) -> str | None:
        """Return parts that are known, with what stood between them; the first is as short as can be."""
        for cut in range(1, len(parts)):
            first = self._whole(joint.join(parts[:cut]))
            if first is not None:
                rest = self._whole(joint.join(parts[cut:]))
                if rest is not None:
                    return f"{first}{joint}{rest}"
        return None

    def _filled(self, sentence: _Sentence, text: str) -> str | None:
        if not all(piece in text for piece in sentence.pieces):
            return None
        match = sentence.pattern.fullmatch(text)
        if match is None:
            return None
        filled: dict[str, str] = {}
        for hole, inside in match.groupdict().items():
            said = inside if hole.startswith(("name", "source")) else self._whole(inside)
            if said is None:
                return None
            filled[hole] = said
        return HOLE.sub(lambda m: filled[m[1]], sentence.said)


def _times(name: str, text: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", text))


def is_numeric(text: str) -> bool:
    """Tell whether a text has figures, signs and units only, and so means the same in every language."""
    return all(word in _UNITS for word in _WORD.findall(text))


_SPOKEN: ContextVar[Translator | None] = ContextVar("spoken", default=None)


@contextmanager
def speaking(language: str, names: Collection[str] = ()) -> Iterator[Translator]:
    """Let `say` speak a language within the block.

    Raises
    ------
    StoreError
        If there is no such language.
    """
    table(language)
    translator = Translator(language, frozenset(n for n in names if n))
    before = _SPOKEN.set(translator)
    try:
        yield translator
    finally:
        _SPOKEN.reset(before)


def spoken() -> Translator:
    """Return the translator of the block that this runs in; English outside of any."""
    return _SPOKEN.get() or Translator(ENGLISH)


def say(text: str) -> str:
    """Return the program's own words in the language spoken here, for what a page or picture writes."""
    return spoken().say_own(text)
