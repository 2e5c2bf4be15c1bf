"""Print choice: paper, language, department and logo, as the user chose them once for all cases."""

from __future__ import annotations

from dataclasses import dataclass
from cryoplan.app.settings import Settings
from cryoplan.report.style import LANGUAGES, Paper, PrintStyle
from cryoplan.workflow.logo import PICTURES

PART = "print"

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
        logo=choice.logo if choice.logo.startswith(PICTURES) else b"",
    )


def keep_style(style: PrintStyle, settings: Settings | None = None) -> bool:
    """Keep a choice; False where the settings cannot be written."""
    choice = Choice(
        paper=style.paper.value, language=style.language, department=style.department, logo=style.logo
    )
    return (settings or Settings()).write(PART, choice)
