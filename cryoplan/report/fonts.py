"""Fonts of paper: which font prints which letter, in which order, and what stands where none has it.

DejaVu Sans (Latin, Greek, Cyrillic, Hebrew) prints whatever it can. Chinese and Japanese letters come from
Droid Sans Fallback, which is read only when a text has some. Short runs of Hebrew are turned into the order
in which they are read; whatever needs joined letters, such as Arabic, stays a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from cryoplan.core.reading_order import HEBREW, RUN, in_reading_order
from cryoplan.core.resources import resource

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
WIDE = "DroidSansFallbackFull"

REPLACED_NOTE = (
    "Letters that the font of this report cannot print are given by their Unicode number, such as {D55C}."
)

LONGEST_TURNED = 24
"""Letters of a Hebrew run that is turned: it must not be broken between lines, or its words change places."""

_BLANKS = ("Cc", "Cf", "Zl", "Zp")


@lru_cache(maxsize=1)
def register() -> frozenset[int]:
    """Make the fonts known to reportlab; return the code points that both weights can print.

    Raises
    ------
    StoreError
        If the program was installed without its data.
    """
    from reportlab.pdfbase import pdfmetrics

    known = [_load(name) for name in (REGULAR, BOLD)]
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return known[0] & known[1]


@lru_cache(maxsize=1)
def _wide() -> frozenset[int]:
    """Make the font of wide letters known; return its code points."""
    from reportlab.pdfbase import pdfmetrics

    known = _load(WIDE)
    pdfmetrics.registerFontFamily(WIDE, normal=WIDE, bold=WIDE, italic=WIDE, boldItalic=WIDE)
    return known


def _load(name: str) -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    font = TTFont(name, str(resource("fonts", f"{name}.ttf")))
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)


def has_replacements(text: str) -> bool:
    """Tell whether `printable` has to write a letter as its number."""
    return any(number for _, number in _letters(text))


def is_printable(char: str) -> bool:
    """Tell whether a font has a letter and it is printed in the right order."""
    if ord(char) in register():
        kind = unicodedata.bidirectional(char)
        return kind not in ("R", "AL", "AN") or re.match(f"[{HEBREW}]", char) is not None
    return _is_wide(char)


def _is_wide(char: str) -> bool:
    # Asked in this order, so that the large font is read only for a letter of its kind.
    return (
        unicodedata.east_asian_width(char) in ("W", "F", "H")
        and ord(char) not in register()
        and ord(char) in _wide()
    )


def printable(text: str) -> str:
    """Return `text` with what cannot be printed written as its Unicode number in braces.

    The order stays that of speech; `in_reading_order` turns Hebrew when it is drawn. A Hebrew run that is too
    long to keep on one line, and every letter of a script that joins its letters, counts as not printable: a
    wrong name is worse than a number. Control characters and line breaks become spaces.
    """
    written = "".join(f"{{{ord(char):04X}}}" if number else char for char, number in _letters(text))
    # Spaces that may not be broken are wanted: they keep a letter and its number together.
    return " ".join(word for word in written.split(" ") if word)


def _letters(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each letter and whether its number has to stand for it."""
    text = unicodedata.normalize("NFC", text)
    too_long = [m.span() for m in RUN.finditer(text) if sum(1 for _ in m[0]) > LONGEST_TURNED]
    for at, char in enumerate(text):
        if unicodedata.category(char) in _BLANKS:
            yield " ", False
        elif re.match(f"[{HEBREW}]", char) and any(a <= at < b for a, b in too_long):
            yield char, True
        else:
            yield char, not is_printable(char)


def runs(text: str, font: str) -> tuple[tuple[str, str], ...]:
    """Return (font, letters) from left to right; one pair for a text that `font` prints alone."""
    found: list[tuple[str, str]] = []
    for char in in_reading_order(text):
        one = WIDE if _is_wide(char) else font
        if found and (found[-1][0] == one or char == " "):
            found[-1] = (found[-1][0], found[-1][1] + char)
        else:
            found.append((one, char))
    return tuple(found)


def markup(text: str, font: str) -> str:
    """Return `text` for a reportlab paragraph in `font`: escaped, with the font of each run."""
    lines = (
        "".join(
            escape(letters) if one == font else f'<font name="{one}">{escape(letters)}</font>'
            for one, letters in runs(line, font)
        )
        for line in text.split("\n")
    )
    return "<br/>".join(lines)


def text_width(text: str, font: str, size: float) -> float:
    """Return how wide `text` is printed, in points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(sum(stringWidth(letters, one, size) for one, letters in runs(text, font)))


def draw_text(
    canvas: Any, x: float, y: float, text: str, font: str, size: float, *, align: float = 0.0
) -> None:
    """Write one line on a reportlab canvas, with the font of each run.

    Parameters
    ----------
    canvas
        Its fill colour is used.
    x, y : float
        Where the line stands, in points.
    align : float
        0.0 where `x` is its left end, 0.5 its middle, 1.0 its right end.
    """
    x -= align * text_width(text, font, size)
    line = canvas.beginText(x, y)
    for one, letters in runs(text, font):
        line.setFont(one, size)
        line.textOut(letters)
    canvas.drawText(line)
