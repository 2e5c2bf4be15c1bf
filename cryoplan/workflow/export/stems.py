"""Stems: file names that every system takes, that say what the file is, and that no two files share."""

from __future__ import annotations

import re

LONGEST_STEM = 80

_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
"""No file may be called so on Windows, whatever its ending."""


class Stems:
    """Gives out the names of the files of one folder."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, name: str, otherwise: str = "structure") -> str:
        """Return a name of ASCII letters, digits, ``-``, ``_`` and ``.`` that was not given out yet.

        Parameters
        ----------
        name : str
            What the thing is called, in any language.
        otherwise : str
            What to call it where none of its letters is left.
        """
        stem = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:LONGEST_STEM].rstrip("-.") or otherwise
        if stem.split(".")[0].casefold() in _DEVICES:
            stem = f"{otherwise}-{stem}"
        free, number = stem, 1
        # Some systems take two names that differ in their capitals for one.
        while free.casefold() in self._taken:
            number += 1
            free = f"{stem}-{number}"
        self._taken.add(free.casefold())
        return free


def isotherm_stem(threshold_degc: float) -> str:
    """Return what files of an isotherm are called, as `run` calls them: ``iceball_0``, ``isotherm_-40``."""
    return f"{'iceball' if threshold_degc == 0.0 else 'isotherm'}_{threshold_degc:g}"
