"""Plot: curves drawn as lines of the page, told apart by dashes and thickness, with a table as their key."""

from __future__ import annotations

from typing import Any

from reportlab.lib.colors import white
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer
from reportlab.platypus import Table as Grid

from cryoplan.report.fonts import REGULAR, draw_text, text_width
from cryoplan.report.layout import (
    CELL,
    CELL_RIGHT,
    GAP,
    HAIR,
    HEAD,
    HEAD_RIGHT,
    HEADING,
    INK,
    MUTED,
    NOTE,
    row,
    text,
)
from cryoplan.report.parts import Plot
from cryoplan.report.wording import plain

LINES = (
    (1.8, ()),
    (1.0, (5.0, 2.0)),
    (1.0, (1.2, 1.6)),
    (1.0, (7.0, 1.8, 1.2, 1.8)),
    (0.6, ()),
    (1.8, (2.4, 2.4)),
)
"""Width and dashes of the curves, in points: all black, so that a copy keeps them apart."""

_HEIGHT, _SHARE = 58.0 * mm, 0.5
_HIGHEST_KEY = 1.4 * _HEIGHT
_LEFT, _BOTTOM, _TOP, _RIGHT = 11.0 * mm, 9.0 * mm, 2.0 * mm, 2.0 * mm
_SIZE = 6.2


def plot(part: Plot, width: float) -> list[Flowable]:
    """Return heading, the drawing with its table beside it, and the note.

    A table that is much higher than the drawing, for long names, stands below it and may break.
    """
    wide = (width - GAP) * _SHARE
    beside = width - GAP - wide
    key = _key(part, beside)
    note = [Spacer(0, 0.8 * mm), text(part.note, NOTE)]
    if key.wrap(beside, 1000.0)[1] <= _HIGHEST_KEY:
        drawn = row([[_Drawing(part, wide)], [], [key]], [wide, GAP, beside])
        return [KeepTogether([text(part.title, HEADING), drawn, *note])]
    drawn = KeepTogether([text(part.title, HEADING), _Drawing(part, wide)])
    return [drawn, Spacer(0, 1.5 * mm), _key(part, width), *note]


def _key(part: Plot, width: float) -> Grid:
    head = [text("", HEAD), text(part.head[0], HEAD), *(text(cell, HEAD_RIGHT) for cell in part.head[1:])]
    rows = [
        [_Sample(number), text(curve.name, CELL), *(text(cell, CELL_RIGHT) for cell in curve.cells)]
        for number, curve in enumerate(part.curves)
    ]
    sample, each = 11.0 * mm, 13.5 * mm
    names = width - sample - each * (len(part.head) - 1)
    return Grid(
        [head, *rows],
        colWidths=[sample, names, *(each for _ in part.head[1:])],
        repeatRows=1,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0.6 * mm),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0.6 * mm),
            ("TOPPADDING", (0, 0), (-1, -1), 0.4 * mm),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.7 * mm),
            ("LINEBELOW", (0, 0), (-1, 0), 0.6, INK),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, HAIR),
        ],
        hAlign="LEFT",
    )


def _pen(canvas: Any, number: int) -> None:
    wide, dashes = LINES[number % len(LINES)]
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(wide)
    canvas.setDash(*((list(dashes), 0) if dashes else ((),)))


class _Sample(Flowable):  # type: ignore[misc]  # reportlab ships no types
    """A piece of a curve's line."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def wrap(self, *_room: float) -> tuple[float, float]:
        """Return the size, which does not depend on the room."""
        return 9.0 * mm, CELL.leading

    def draw(self) -> None:
        _pen(self.canv, self.number)
        self.canv.line(0, CELL.leading * 0.45, 9.0 * mm, CELL.leading * 0.45)


class _Drawing(Flowable):  # type: ignore[misc]  # reportlab ships no types
    """Axes, marks and curves."""

    def __init__(self, part: Plot, width: float) -> None:
        super().__init__()
        self.part, self.width, self.height = part, width, _HEIGHT

    def wrap(self, *_room: float) -> tuple[float, float]:
        """Return the size, which does not depend on the room."""
        return self.width, self.height

    def _x(self, value: float) -> float:
        first, last = self.part.x_ticks[0], self.part.x_ticks[-1]
        return float(_LEFT + (self.width - _LEFT - _RIGHT) * (value - first) / (last - first))

    def _y(self, value: float) -> float:
        first, last = self.part.y_ticks[0], self.part.y_ticks[-1]
        return float(_BOTTOM + (self.height - _BOTTOM - _TOP) * (value - first) / (last - first))

    def draw(self) -> None:
        canvas, part = self.canv, self.part
        left, right = self._x(part.x_ticks[0]), self._x(part.x_ticks[-1])
        low, high = self._y(part.y_ticks[0]), self._y(part.y_ticks[-1])
        canvas.setFont(REGULAR, _SIZE)
        canvas.setLineWidth(0.25)
        canvas.setStrokeColor(HAIR)
        canvas.setFillColor(MUTED)
        for value in part.y_ticks:
            canvas.line(left, self._y(value), right, self._y(value))
            canvas.drawRightString(left - mm, self._y(value) - 2.2, plain(value, 0))
        for value in part.x_ticks:
            canvas.line(self._x(value), low, self._x(value), low - mm)
            words = plain(value, 0)
            # The last number would stand beyond the edge.
            x = min(self._x(value), self.width - text_width(words, REGULAR, _SIZE) / 2.0)
            canvas.drawCentredString(x, low - 3.6 * mm, words)
        draw_text(canvas, (left + right) / 2.0, 1.2 * mm, part.x_label, REGULAR, _SIZE, align=0.5)
        canvas.saveState()
        canvas.translate(2.2 * mm, (low + high) / 2.0)
        canvas.rotate(90)
        draw_text(canvas, 0, 0, part.y_label, REGULAR, _SIZE, align=0.5)
        canvas.restoreState()
        canvas.setStrokeColor(MUTED)
        canvas.setLineWidth(0.4)
        for value in part.marks:
            canvas.line(self._x(value), low, self._x(value), high)
        # From the last to the first: the target lies on top.
        for number in reversed(range(len(part.curves))):
            curve = part.curves[number]
            path = canvas.beginPath()
            for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True)):
                (path.lineTo if place else path.moveTo)(self._x(x), self._y(y))
            _halo(canvas, path)
            _pen(canvas, number)
            canvas.drawPath(path)
        canvas.setDash()
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.5)
        canvas.line(left, low, right, low)
        canvas.line(left, low, left, high)


def _halo(canvas: Any, path: Any) -> None:
    """Keep a thin white rim around a line, so that crossing ones stay apart."""
    canvas.setDash()
    canvas.setStrokeColor(white)
    canvas.setLineWidth(2.4)
    canvas.drawPath(path)
