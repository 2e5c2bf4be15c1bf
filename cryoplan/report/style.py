"""Print style: what a department chooses about its paper; none of it changes a number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Paper(StrEnum):
    """Sizes of paper."""

    A4 = "A4"
    LETTER = "Letter"


LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintStyle:
    """How a plan is printed.

    Attributes
    ----------
    paper : Paper
    language : str
        One of `LANGUAGES`.
    department : str
        One line in the head of each page; empty for none.
    logo : bytes
        A PNG or JPEG picture beside it; empty for none.
    """

    paper: Paper = Paper.A4
    language: str = "en"
    department: str = ""
    logo: bytes = b""
