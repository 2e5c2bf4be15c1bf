"""Names that people type: what is allowed, and how they are cleaned."""

from __future__ import annotations

from cryoplan.core.errors import PlanError

LONGEST_NAME = 80


def checked_name(text: str, *, what: str, place: str = "name") -> str:
    """Return `text` unchanged when it is a name that can be shown, stored and printed.

    Raises
    ------
    PlanError
        If it is blank, longer than 80 characters, has blanks around it, or holds a character that cannot
        be seen (control characters, half surrogate pairs): those break files and prints.
    """
    if not text.strip():
        raise PlanError(f"{what} has no name.", "Give it one.", code="name-empty", place=place)
    if len(text) > LONGEST_NAME:
        raise PlanError(
            f"{what} has a name of {len(text)} characters.",
            f"Use at most {LONGEST_NAME}.",
            code="name-too-long",
            place=place,
        )
    if text != text.strip() or not text.isprintable():
        raise PlanError(
            f"{what} has the name {text!r}, with blanks around it or characters that cannot be seen.",
            "Use letters, digits, blanks and signs.",
            code="name-unprintable",
            place=place,
        )
    return text
