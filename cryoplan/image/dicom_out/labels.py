"""Labels: names of segments in the 64 letters that DICOM has, and still one for each."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 64
"""Characters of the value representation LO (PS3.5 6.2)."""


def labels_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return a label for each name, in their order; names that agree in their first letters are numbered.

    A backslash would part one value into two, so it becomes a slash.
    """
    found: list[str] = []
    for name in names:
        plain = " ".join(name.replace("\\", "/").split())
        label, number = plain[:LONGEST], 1
        while label in found:
            number += 1
            tail = f" ({number})"
            label = plain[: LONGEST - len(tail)] + tail
        found.append(label)
    return tuple(found)
