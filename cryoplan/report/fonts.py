"""Fonts of the report: DejaVu Sans, embedded, and what to print where it has no letter."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from cryoplan.core.resources import resource

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"

REPLACED_NOTE = (
    "Letters that the font of this report cannot print are given by their Unicode number, such as {809D}."
)

_BLANKS = ("Cc", "Cf", "Zl", "Zp")


@lru_cache(maxsize=1)
def register() -> frozenset[int]:
    """Make the fonts known to reportlab; return the code points that both of them can print.

    Raises
    ------
    StoreError
        If the program was installed without its data.
    """
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    known: list[frozenset[int]] = []
    for name in (REGULAR, BOLD):
        font = TTFont(name, str(resource("fonts", f"{name}.ttf")))
        pdfmetrics.registerFont(font)
        known.append(frozenset(font.face.charToGlyph))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return known[0] & known[1]


def has_replacements(text: str) -> bool:
    """Tell whether `printable` has to write a letter as its number."""
    return any(
        unicodedata.category(c) not in _BLANKS and not is_printable(c)
        for c in unicodedata.normalize("NFC", text)
    )


def is_printable(char: str) -> bool:
    """Tell whether the font has a letter and prints it in the right order."""
    return ord(char) in register() and unicodedata.bidirectional(char) not in ("R", "AL", "AN")


def printable(text: str) -> str:
    """Return `text` with what cannot be printed written as its Unicode number in braces.

    Scripts written from right to left count as not printable: without shaping they would come out reversed,
    and a wrong name is worse than a number. Control characters and line breaks become spaces.
    """
    result = []
    for char in unicodedata.normalize("NFC", text):
        if unicodedata.category(char) in _BLANKS:
            result.append(" ")
        elif is_printable(char):
            result.append(char)
        else:
            result.append(f"{{{ord(char):04X}}}")
    # Spaces that may not be broken are wanted: they keep a letter and its number together.
    return " ".join(word for word in "".join(result).split(" ") if word)
