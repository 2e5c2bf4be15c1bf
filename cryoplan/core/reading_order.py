"""Reading order: short runs of Hebrew turned for drawing that only knows left to right.

Hebrew letters stand by themselves, so turning a run is enough; scripts that join their letters, such as
Arabic, need shaping and are not turned here.
"""

from __future__ import annotations

import re

HEBREW = "\u05be\u05c0\u05c3\u05c6\u05d0-\u05ea\u05ef-\u05f4"
"""Letters and signs, for a class of a regular expression."""

RUN = re.compile(rf"[{HEBREW}](?:[^A-Za-z\u00c0-\u058f\u0600-\uffff(){{}},;·]*[{HEBREW}])?")
"""From the first to the last Hebrew letter, with the blanks, digits and signs between them."""

_DIGITS = re.compile(r"[0-9][0-9.,:/+-]*")


def in_reading_order(text: str) -> str:
    """Return `text` from left to right as it is read: runs of Hebrew turned, and kept on one line."""
    return RUN.sub(_turned, text)


def _turned(run: re.Match[str]) -> str:
    turned = run[0][::-1]
    # Numbers are read from left to right among letters that are not.
    return _DIGITS.sub(lambda m: m[0][::-1], turned).replace(" ", "\N{NO-BREAK SPACE}")
