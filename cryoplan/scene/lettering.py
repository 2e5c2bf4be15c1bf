"""Lettering: fonts of what is written into pictures, so that names in any letters can be read there."""

from __future__ import annotations

import unicodedata
from functools import cache

from cryoplan.core.reading_order import in_reading_order
from cryoplan.core.resources import resource

USUAL = "DejaVu Sans"
"""Comes with matplotlib; has Latin, Greek, Cyrillic and Hebrew."""

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for a letter that no font has: something is missing here, and it is seen."""

_JOINED = ("AL", "AN")
_FALLBACK = "fonts/DroidSansFallbackFull.ttf"


def families(text: str) -> list[str]:
    """Return the font families for a text, of which the first that has a letter draws it.

    The large font of Chinese and Japanese is opened only where one of its letters is written.
    """
    return [USUAL] if _is_usual(text) else [USUAL, _fallback()[0]]


def legible(text: str) -> str:
    """Return a text as it is drawn from left to right: Hebrew turned, `UNKNOWN` where it would be wrong.

    That are letters that no font of `families` has, and those of scripts that join them, such as Arabic.
    """
    if text.isascii():
        return text
    known = _usual() if _is_usual(text) else _usual() | _fallback()[1]
    return "".join(
        letter if ord(letter) in known and unicodedata.bidirectional(letter) not in _JOINED else UNKNOWN
        for letter in in_reading_order(text)
    )


def _is_usual(text: str) -> bool:
    return text.isascii() or all(ord(letter) in _usual() for letter in text)


@cache
def _usual() -> frozenset[int]:
    from matplotlib import font_manager

    return frozenset(font_manager.get_font(font_manager.findfont(USUAL)).get_charmap())


@cache
def _fallback() -> tuple[str, frozenset[int]]:
    """Return name and letters of the font for what the usual one lacks."""
    from matplotlib import font_manager

    path = str(resource(_FALLBACK))
    font_manager.fontManager.addfont(path)
    font = font_manager.get_font(path)
    return font.family_name, frozenset(font.get_charmap())
