"""Appearance: look, text size and language that the user chose; read once, before the window is made."""

from __future__ import annotations

from dataclasses import dataclass

PART = "appearance"
"""Name of the part of the settings."""

DARK, LIGHT = "dark", "light"

AS_SYSTEM = ""

LANGUAGES = {AS_SYSTEM: "As the system", "en": "English", "de": "Deutsch"}
"""A language is called by its own name, so that those who need it can read it."""

TEXT_PX = 13
"""Usual size of text; readable from two metres on a 24-inch screen with the numbers in larger type."""

SIZES = (85, 100, 115, 130, 150)
"""Text sizes that can be chosen, in percent of the system's."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What the user chose.

    Attributes
    ----------
    look : str
        ``dark`` for a dim room, ``light`` for a bright one.
    text_percent : int
        Size of the text in percent of the system's.
    language : str
        ``en``, ``de``; empty as the system's.
    """

    look: str = DARK
    text_percent: int = 100
    language: str = AS_SYSTEM
