"""Margin steps: the classes of the margin that the user reads in, kept among the settings."""

from __future__ import annotations

from dataclasses import dataclass

from cryoplan.app.settings import Settings
from cryoplan.core.errors import LimitError
from cryoplan.margins.classes import MarginClasses

PART = "margin_steps"


@dataclass(frozen=True, slots=True)
class MarginSteps:
    """How the steps stand in the settings file."""

    steps_mm: tuple[float, ...] = MarginClasses().steps_mm


def kept_classes(settings: Settings) -> MarginClasses:
    """Return the classes that the user chose last; the ordinary ones where those are none."""
    try:
        return MarginClasses(settings.read(PART, MarginSteps).steps_mm)
    except LimitError:
        return MarginClasses()


def keep_classes(settings: Settings, classes: MarginClasses) -> bool:
    """Keep classes for the next time; False where they cannot be kept, which `settings.notice` says."""
    return settings.write(PART, MarginSteps(classes.steps_mm))
