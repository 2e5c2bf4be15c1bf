"""Source words: where an outline came from, said without the name of its file, which may name the patient."""

from __future__ import annotations

import re

_OWN = ("drawn", "found by cryoplan", "Inflated with", "TotalSegmentator", "synthetic", "outlined")
"""How the sources that this program writes itself begin; no file is named in them."""

_NUMBERED = re.compile(r".*, ((?:label|segment|structure) \d+)(, corrected)?")


def source_words(source: str) -> str:
    """Return where an outline came from: ``label 2``, ``drawn by hand``, ``a file``."""
    if source.startswith(_OWN):
        return source
    found = _NUMBERED.fullmatch(source)
    return found[1] + (found[2] or "") if found else "a file"


def is_automatic(source: str) -> bool:
    """Tell whether a program made the outline and no hand has changed it."""
    return source.startswith(("found by cryoplan", "TotalSegmentator")) and "corrected" not in source
