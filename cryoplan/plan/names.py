"""Names that people type: what is allowed, and how they are cleaned."""

from __future__ import annotations

from cryoplan.core.errors import PlanError

LONGEST_NAME = 80
LONGEST_NOTE = 300
LONGEST_CHANNEL = 20


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


def checked_line(text: str, *, what: str, longest: int, place: str) -> str:
    """Return `text` unchanged when it is one line that can be shown, stored and printed; it may be empty.

    Raises
    ------
    PlanError
        If it is longer than `longest` characters, or holds one that cannot be seen.
    """
    if len(text) > longest:
        raise PlanError(
            f"{what} has {len(text)} characters.",
            f"Use at most {longest}.",
            code="text-too-long",
            place=place,
        )
    if not text.isprintable():
        raise PlanError(
            f"{what} holds characters that cannot be seen.",
            "Use letters, digits, blanks and signs on one line.",
            code="text-unprintable",
            place=place,
        )
    return text
