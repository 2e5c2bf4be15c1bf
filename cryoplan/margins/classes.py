"""Classes: margins sorted by the steps that the user reads them in - below 0, 0 to 5, 5 mm and more.

The ordinary steps are those of the shares in `cryoplan.margins.assessment.Margin`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import LimitError

MOST_STEPS = 4
"""Five classes are as many colours as can be told apart at a glance."""

WIDEST_MM = 50.0


@dataclass(frozen=True, slots=True)
class MarginClasses:
    """Steps between classes of the margin, millimetres.

    A margin equal to a step belongs to the class above it.

    Attributes
    ----------
    steps_mm : tuple of float
        Rising; the first is 0, so that what is not covered never shares a class with what is.

    Raises
    ------
    LimitError
        If they are not so.
    """

    steps_mm: tuple[float, ...] = (0.0, 5.0)

    def __post_init__(self) -> None:
        steps = self.steps_mm
        ok = 1 <= len(steps) <= MOST_STEPS and steps[0] == 0.0 and all(math.isfinite(s) for s in steps)
        if not ok or steps[-1] > WIDEST_MM or any(b <= a for a, b in pairwise(steps)):
            raise LimitError(
                f"The steps of the margin cannot be {', '.join(f'{s:g}' for s in steps) or 'none'} mm.",
                f"Give one to {MOST_STEPS - 1} rising numbers above 0 and up to {WIDEST_MM:g} mm, "
                "such as 5, or 3 and 5.",
                code="margin-steps",
                place="margin steps",
            )

    def __len__(self) -> int:
        return len(self.steps_mm) + 1

    def of(self, signed_mm: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the class of each margin, 0 for those below 0 mm; same shape."""
        return np.asarray(np.digitize(np.asarray(signed_mm, float), self.steps_mm))

    @property
    def names(self) -> tuple[str, ...]:
        """What each class is called, such as ``< 0 mm``, ``0–5 mm``, ``≥ 5 mm``."""
        between = [f"{a:g}\N{EN DASH}{b:g} mm" for a, b in pairwise(self.steps_mm)]
        return ("< 0 mm", *between, f"\N{GREATER-THAN OR EQUAL TO} {self.steps_mm[-1]:g} mm")

    @property
    def text(self) -> str:
        """The steps as the user types them."""
        return ", ".join(f"{s:g}" for s in self.steps_mm)


def read_steps(text: str) -> MarginClasses:
    """Return the classes of steps as typed, such as ``0, 3, 5`` or ``3 5``; the 0 may be left out.

    Raises
    ------
    LimitError
        If there is anything but rising numbers.
    """
    words = re.split(r"[\s,;/]+", text.lower().replace("mm", " ").strip(" ,;/"))
    try:
        numbers = [float(word) for word in words if word]
    except ValueError:
        raise LimitError(
            f"'{text.strip()[:40]}' is not a list of margins in millimetres.",
            "Give rising numbers such as 5, or 3 and 5, with commas between them.",
            code="margin-steps",
            place="margin steps",
        ) from None
    return MarginClasses((0.0, *(n for n in numbers if n != 0.0)))
