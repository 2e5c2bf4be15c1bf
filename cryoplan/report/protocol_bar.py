"""Protocol bar: the phases with their times, and below them when the gas of each probe flows.

Freezing is dark and thawing light, so that a copy shows both.
"""

from __future__ import annotations

from typing import Any

from reportlab.lib.colors import white
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer

from cryoplan.core.language import say
from cryoplan.core.units import show_clock
from cryoplan.report.fonts import REGULAR, draw_text, text_width
from cryoplan.report.layout import CELL, FREEZE, HEADING, INK, MUTED, NOTE, PAPER, text
from cryoplan.report.parts import Bar, Segment

_HEIGHT, _LINE = 7.0 * mm, 4.6 * mm
_WHOLE = 12
_WIDEST_NAMES = 0.3
"""Share of the width that the names of the probes may take; longer ones wrap."""


def protocol_bar(bar: Bar, width: float) -> list[Flowable]:
    """Return heading, phases and one line a probe; it may break between the lines."""
    wanted = max(
        [text_width(f"{say('probe')} {n}", REGULAR, CELL.fontSize) for n, _ in bar.probes], default=0.0
    )
    names = min(wanted + 2.0 * mm, _WIDEST_NAMES * width) if bar.probes else 0.0
    lines = [_ProbeLine(name, part, bar.total_s, width, names) for name, part in bar.probes]
    flow = [text(bar.title, HEADING), _Phases(bar, width, names), *lines, Spacer(0, 1.0 * mm)]
    # A heading must not stay alone at the foot of a page; a short bar stays whole.
    return [KeepTogether(flow)] if len(lines) <= _WHOLE else [KeepTogether(flow[:3]), *flow[3:]]


class _Phases(Flowable):  # type: ignore[misc]  # reportlab ships no types
    """The bar of the phases; numbers and a legend where the words do not fit."""

    def __init__(self, bar: Bar, width: float, names: float) -> None:
        super().__init__()
        self.bar, self.width, self.names = bar, width, names
        self.fits = all(
            text_width(s.label, REGULAR, 6.4) + 1.5 * mm <= self._x(s.end_s) - self._x(s.start_s)
            for s in bar.phases
        )
        words = "; ".join(
            f"{n} {s.label} {show_clock(s.end_s - s.start_s)}" for n, s in enumerate(bar.phases, 1)
        )
        self.legend = None if self.fits else text(words, NOTE)
        legend_height = 0.0 if self.legend is None else self.legend.wrap(width, 1000.0)[1] + mm
        self.height = _HEIGHT + 4.0 * mm + legend_height

    def _x(self, time_s: float) -> float:
        return self.names + (self.width - self.names) * time_s / self.bar.total_s

    def wrap(self, *_room: float) -> tuple[float, float]:
        """Return the size, which does not depend on the room."""
        return self.width, self.height

    def draw(self) -> None:
        canvas, top = self.canv, self.height
        canvas.setLineWidth(0.5)
        canvas.setStrokeColor(INK)
        end = show_clock(self.bar.total_s)
        # Times of very short phases would run into one another, and into the end.
        written = -1e9
        last = self.width - text_width(end, REGULAR, 6.2) - 2.0 * mm
        for number, part in enumerate(self.bar.phases, 1):
            left, right = self._x(part.start_s), self._x(part.end_s)
            canvas.setFillColor(FREEZE if part.freezes else white)
            canvas.rect(left, top - _HEIGHT, right - left, _HEIGHT, fill=1)
            canvas.setFillColor(white if part.freezes else INK)
            middle = (left + right) / 2.0
            if self.fits:
                draw_text(canvas, middle, top - 3.0 * mm, part.label, REGULAR, 6.4, align=0.5)
                canvas.setFont(REGULAR, 6.4)
                canvas.drawCentredString(middle, top - 5.8 * mm, show_clock(part.end_s - part.start_s))
            else:
                canvas.setFont(REGULAR, 6.4)
                canvas.drawCentredString(middle, top - _HEIGHT / 2.0 - 2.2, str(number))
            begin = show_clock(part.start_s)
            reach = left + text_width(begin, REGULAR, 6.2)
            if left - written > 2.0 * mm and reach < last:
                _write(canvas, left, top - _HEIGHT - 2.8 * mm, begin, MUTED)
                written = reach
        canvas.setFillColor(MUTED)
        canvas.setFont(REGULAR, 6.2)
        canvas.drawRightString(self.width, top - _HEIGHT - 2.8 * mm, end)
        if self.legend is not None:
            self.legend.drawOn(canvas, 0, 0)


class _ProbeLine(Flowable):  # type: ignore[misc]  # reportlab ships no types
    """Name of a probe, and its gas as a bar below the phases."""

    def __init__(self, name: str, part: Segment, total_s: float, width: float, names: float) -> None:
        super().__init__()
        self.part, self.total_s, self.width, self.names = part, total_s, width, names
        self.title = text(f"{say('probe')} {name}", CELL)
        self.title_height = self.title.wrap(names - mm, 1000.0)[1]
        self.height = max(_LINE, self.title_height + 0.8 * mm)

    def wrap(self, *_room: float) -> tuple[float, float]:
        """Return the size, which does not depend on the room."""
        return self.width, self.height

    def draw(self) -> None:
        canvas, wide = self.canv, self.width - self.names
        y = self.height - _LINE
        left, right = (self.names + wide * t / self.total_s for t in (self.part.start_s, self.part.end_s))
        self.title.drawOn(canvas, 0, self.height - self.title_height - 0.6 * mm)
        canvas.setFillColor(PAPER)
        canvas.rect(self.names, y + 0.4 * mm, wide, 3.6 * mm, fill=1, stroke=0)
        canvas.setFillColor(FREEZE)
        canvas.rect(left, y + 0.4 * mm, max(right - left, 0.3 * mm), 3.6 * mm, fill=1, stroke=0)
        room = text_width(self.part.label, REGULAR, 6.2) + 2 * mm
        inside = room <= right - left
        x = left + mm if inside else min(right + mm, self.width - room + mm)
        _write(canvas, x, y + 1.4 * mm, self.part.label, white if inside else INK)


def _write(canvas: Any, x: float, y: float, words: str, colour: Any) -> None:
    canvas.setFillColor(colour)
    draw_text(canvas, x, y, words, REGULAR, 6.2)
