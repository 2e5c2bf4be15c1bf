"""Source words: where an outline came from, said without the name of its file, which may name the patient."""

from __future__ import annotations

import re

_OWN = re.compile(
    r"(drawn in this case|synthetic|outlined|found by cryoplan [\w.+]+: .*|Inflated with [\d.]+ ml of .*"
    r"|TotalSegmentator [\w.]+, .*)"
)
"""The sources that this program writes itself: no file is named in them."""

_NUMBERED = re.compile(r".*, ((?:label|segment|structure) \d+)")
_CORRECTED = ", corrected by hand"


def source_words(source: str) -> str:
    """Return where an outline came from: ``label 2``, ``drawn in this case``, ``a file``."""
    made = source.removesuffix(_CORRECTED)
    tail = source[len(made) :]
    if _OWN.fullmatch(made):
        return source
    found = _NUMBERED.fullmatch(made)
    return (found[1] if found else "a file") + tail


def is_automatic(source: str) -> bool:
    """Tell whether a program made the outline and no hand has changed it."""
    return source.startswith(("found by cryoplan ", "TotalSegmentator ")) and not source.endswith(_CORRECTED)
