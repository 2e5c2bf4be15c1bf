"""Sheet: size of the paper, and what stands in the head and in the foot of each page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader

from cryoplan.core.errors import StoreError
from cryoplan.core.language import say
from cryoplan.report.fonts import BOLD, REGULAR, draw_text, printable, text_width
from cryoplan.report.layout import HAIR, INK, MUTED
from cryoplan.report.style import Paper, PrintStyle

SIDE, BOTTOM = 14.0 * mm, 18.0 * mm
_PLAIN_TOP, _LETTERHEAD = 16.0 * mm, 11.5 * mm
_LOGO_HIGH, _LOGO_WIDE = 9.0 * mm, 45.0 * mm
_SIZES = {Paper.A4: A4, Paper.LETTER: LETTER}
_SMALL = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One page: its size, points, and the department's line and logo.

    Raises
    ------
    StoreError
        If the logo is no picture.
    """

    style: PrintStyle

    def __post_init__(self) -> None:
        if self.style.logo:
            _logo(self.style.logo)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        width, height = _SIZES[self.style.paper]
        return float(width), float(height)

    @property
    def width(self) -> float:
        """Width between the margins."""
        return float(self.size[0] - 2.0 * SIDE)

    @property
    def top(self) -> float:
        """Height of the head."""
        return float(_PLAIN_TOP + (_LETTERHEAD if self.style.logo or self.style.department else 0.0))

    @property
    def height(self) -> float:
        """Height between head and foot."""
        return float(self.size[1] - self.top - BOTTOM)

    def furnish(
        self, canvas: Any, header: tuple[str, str], footer: tuple[str, str], page: int, total: int
    ) -> None:
        """Draw head and foot."""
        width, height = self.size
        canvas.saveState()
        self._letterhead(canvas, height - 6.0 * mm)
        line = height - self.top + 4.0 * mm
        canvas.setStrokeColor(HAIR)
        canvas.setLineWidth(0.5)
        canvas.line(SIDE, line, width - SIDE, line)
        canvas.line(SIDE, 14.5 * mm, width - SIDE, 14.5 * mm)
        left, right = header
        numbers = say(f"page {page} of {total}")
        room = self.width - text_width(right, BOLD, _SMALL) - 6.0 * mm
        _fitted(canvas, left, SIDE, line + 1.5 * mm, room, REGULAR, MUTED)
        canvas.setFillColor(INK)
        draw_text(canvas, width - SIDE, line + 1.5 * mm, right, BOLD, _SMALL, align=1.0)
        draw_text(canvas, width - SIDE, 10.8 * mm, numbers, BOLD, _SMALL, align=1.0)
        room = self.width - text_width(numbers, BOLD, _SMALL) - 6.0 * mm
        _fitted(canvas, footer[0], SIDE, 10.8 * mm, room, BOLD, INK)
        _fitted(canvas, footer[1], SIDE, 7.2 * mm, self.width, REGULAR, MUTED)
        canvas.restoreState()

    def _letterhead(self, canvas: Any, top: float) -> None:
        """Draw the logo on the left and the department beside it, in the middle of its height."""
        x = SIDE
        if self.style.logo:
            reader = _logo(self.style.logo)
            wide, high = reader.getSize()
            scale = min(_LOGO_WIDE / wide, _LOGO_HIGH / high)
            wide, high = wide * scale, high * scale
            y = top - _LOGO_HIGH + (_LOGO_HIGH - high) / 2.0
            canvas.drawImage(reader, x, y, wide, high, mask="auto")
            x += wide + 4.0 * mm
        if self.style.department:
            words, room = printable(self.style.department), self.size[0] - SIDE - x
            _fitted(canvas, words, x, top - _LOGO_HIGH / 2.0 - 1.1 * mm, room, BOLD, INK, size=9.0)


def _logo(data: bytes) -> ImageReader:
    try:
        reader = ImageReader(io.BytesIO(data))
        reader.getRGBData()
    except Exception as error:  # reportlab raises whatever its decoder does
        raise StoreError(
            "The logo of the department cannot be read.",
            "Choose another PNG or JPEG picture.",
            code="bad-picture",
        ) from error
    return reader


def _fitted(
    canvas: Any, line: str, x: float, y: float, room: float, font: str, colour: Any, *, size: float = _SMALL
) -> None:
    """Write one line, smaller where it would not fit: nothing is cut."""
    size = min(size, size * room / max(text_width(line, font, size), 1.0))
    canvas.setFillColor(colour)
    draw_text(canvas, x, y, line, font, size)
