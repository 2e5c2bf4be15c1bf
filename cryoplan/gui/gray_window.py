"""Grey window: what the number keys and a right drag make of window and level."""

from __future__ import annotations

import math

from cryoplan.app.view import Window
from cryoplan.case.case import Case
from cryoplan.scene.slices import WINDOW_PRESETS, auto_window

LEAST_WIDTH = 1.0


def preset(case: Case, number: int) -> tuple[Window | None, str]:
    """Return the window of a number key (0 is the first) and what to say about it.

    An image without Hounsfield values has one preset, its own; for the others there is None.
    """
    if case.scan.facts.has_hounsfield:
        chosen = WINDOW_PRESETS[number]
    elif number == 0:
        chosen = auto_window(case.scan.volume)
    else:
        return None, "This scan has no Hounsfield values: 1 sets its own window."
    return Window(width=chosen.width, level=chosen.level), f"Window {chosen.name}"


def pulled(start: Window, right_px: float, down_px: float) -> Window:
    """Return the window after a drag: to the right softer, up brighter; in proportion to the width."""
    width = max(start.width * math.exp(0.006 * right_px), LEAST_WIDTH)
    return Window(width=width, level=start.level + 0.004 * start.width * down_px)
