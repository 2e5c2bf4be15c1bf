"""Print choice: paper, language, department and logo, as the user chose them once for all cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryoplan.app.settings import Settings
from cryoplan.core.errors import StoreError
from cryoplan.report.style import LANGUAGES, Paper, PrintStyle

PART = "print"
LARGEST_LOGO_BYTES = 300_000
"""A logo is a few centimetres wide on paper; the file of settings holds it."""

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


@dataclass
class Choice:
    """The part of the settings."""

    paper: str = Paper.A4.value
    language: str = "en"
    department: str = ""
    logo: bytes = b""


def print_style(settings: Settings | None = None) -> PrintStyle:
    """Return what the user chose; the ordinary style where the settings say something else."""
    choice = (settings or Settings()).read(PART, Choice)
    return PrintStyle(
        paper=Paper(choice.paper) if choice.paper in set(Paper) else Paper.A4,
        language=choice.language if choice.language in LANGUAGES else "en",
        department=choice.department,
        logo=choice.logo if choice.logo.startswith(_PICTURES) else b"",
    )


def keep_style(style: PrintStyle, settings: Settings | None = None) -> bool:
    """Keep a choice; False where the settings cannot be written."""
    choice = Choice(
        paper=style.paper.value, language=style.language, department=style.department, logo=style.logo
    )
    return (settings or Settings()).write(PART, choice)


def read_logo(path: Path) -> bytes:
    """Return the bytes of a logo.

    Raises
    ------
    StoreError
        If it cannot be read, is no PNG or JPEG, or is too large.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_LOGO_BYTES + 1)
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be read ({error.strerror or type(error).__name__}).",
            "Choose a picture that you may read.",
            code="logo-unreadable",
            place=path.name,
        ) from error
    if not data.startswith(_PICTURES):
        raise StoreError(
            f"{path.name} is neither a PNG nor a JPEG picture.",
            "Save the logo as PNG and choose that.",
            code="logo-kind",
            place=path.name,
        )
    if len(data) > LARGEST_LOGO_BYTES:
        raise StoreError(
            f"{path.name} is larger than {LARGEST_LOGO_BYTES // 1000} kB.",
            "Save the logo smaller; on paper it is 12 mm high.",
            code="logo-size",
            place=path.name,
        )
    return data
