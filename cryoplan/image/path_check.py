"""Paths that no reader can be given: names that are no text, places that may not be looked at."""

from __future__ import annotations

import errno
import unicodedata
from pathlib import Path

from cryoplan.core.errors import ImageError

_ABSENT = (errno.ENOENT, errno.ENOTDIR)

UNREADABLE_NAME = "unreadable-name"


def shown_name(path: Path) -> str:
    """Return the name of a file in one line that can be printed."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in path.name)


def name_trouble(path: Path) -> str:
    """Say why a path cannot be handed to a reader, empty when it can.

    ITK takes UTF-8 only; any other name, as old discs have them, makes it throw beyond what can be caught and
    ends the process. A line break in a name would break every message and list that shows it.
    """
    if all(unicodedata.category(c) not in ("Cc", "Cs") for c in str(path)):
        return ""
    return f"The path of {shown_name(path)} holds signs that are no text."


def check_path(path: Path) -> None:
    """Refuse a path that cannot be handed to a reader or may not be looked at; an absent one passes.

    Raises
    ------
    ImageError
        Which names the file or folder.
    """
    if trouble := name_trouble(path):
        raise ImageError(
            trouble, "Rename the file or its folder.", code=UNREADABLE_NAME, place=shown_name(path)
        )
    try:
        path.stat()
    except OSError as error:
        if error.errno in _ABSENT:
            return
        raise ImageError(
            f"{path.name[:100]} cannot be opened ({error.strerror}).",
            "Check that it is a file or folder that you may read.",
            code="not-readable",
            place=path.name[:100],
        ) from error
