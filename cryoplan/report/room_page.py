"""Room page: a room sheet becomes the bytes of a PDF that is read at arm's length, black on white.

Four probes to a page at most, each number at least 14 points high. Where long names need more room, the small
print shrinks first, then fewer probes stand on a page; nothing is cut.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor, black, white
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from cryoplan.core.language import say
from cryoplan.report.fonts import BOLD, REGULAR, draw_text, markup, printable, register, text_width
from cryoplan.report.room_sheet import MOST_ON_A_PAGE, Cell, ProbeBlock, RoomSheet
from cryoplan.report.style import Paper, PrintStyle

NUMBER_PT = 14.0
FITS = ((8.6, 0.82), (8.0, 0.82), (8.0, 0.7), (7.4, 0.7), (7.4, 0.6), (6.8, 0.55))
"""Size of the words beside the numbers, and the picture's share of the height; tried until all fits."""

_SIDE, _EDGE = 10.0 * mm, 8.0 * mm
_BADGE, _GAP = 19.0 * mm, 3.0 * mm
_LARGEST_PICTURE, _SMALLEST_PICTURE = 62.0 * mm, 34.0 * mm
_ROOM = 27.0 * mm
_COLUMNS = 3
_LEADING = NUMBER_PT * 1.06
_Fit = tuple[float, float]
_UNIT = re.compile(r"(?<=\d) (?=mm\b)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?\s?(?:mm|°)")


def render_room_sheet(sheet: RoomSheet, style: PrintStyle | None = None) -> bytes:
    """Return the sheet as PDF; the same sheet gives the same bytes.

    Raises
    ------
    StoreError
        If the fonts are missing.
    """
    register()
    style = PrintStyle() if style is None else style
    size = A4 if style.paper is Paper.A4 else LETTER
    page = _Page(sheet, size, style.department)
    fit, each = page.best_fit()
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=size, invariant=1, lang=style.language)
    canvas.setTitle(printable(sheet.title))
    canvas.setAuthor("cryoplan")
    canvas.setCreator("cryoplan")
    groups = [sheet.probes[n : n + each] for n in range(0, len(sheet.probes), each)] or [()]
    for number, group in enumerate(groups, 1):
        page.draw(canvas, group, fit, number=number, of=len(groups), places=each)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


class _Page:
    """What all pages of a sheet share."""

    def __init__(self, sheet: RoomSheet, size: tuple[float, float], department: str) -> None:
        self._sheet, self._department = sheet, department
        self._width, self._height = size[0] - 2.0 * _SIDE, size[1]

    def best_fit(self) -> tuple[_Fit, int]:
        """Return the sizes, and how many probes stand on a page."""
        most = min(MOST_ON_A_PAGE, max(len(self._sheet.probes), 1))
        for each in range(most, 0, -1):
            room = self._room(each) / each
            for fit in FITS:
                if all(self._needs(block, fit, room) <= room for block in self._sheet.probes):
                    return fit, each
        return FITS[-1], 1

    def draw(
        self,
        canvas: Any,
        blocks: Sequence[ProbeBlock],
        fit: _Fit,
        *,
        number: int,
        of: int,
        places: int,
    ) -> None:
        """Draw one page."""
        part = ""
        if of > 1:
            names = ", ".join(b.name for b in blocks)
            part = say(f"Sheet {number} of {of}: probes {names}")
        top = self._head(canvas, part, places)
        height = self._room(places) / places
        for block in blocks:
            self._block(canvas, block, fit, top, height)
            top -= height
        canvas.setStrokeColor(black)
        canvas.setLineWidth(0.8)
        canvas.line(_SIDE, top, _SIDE + self._width, top)
        foot = _paragraph(f"{self._sheet.footer} · {say(f'sheet {number} of {of}')}", 7.0)
        foot.wrap(self._width, 100.0)
        foot.drawOn(canvas, _SIDE, _EDGE - 4.0 * mm)

    # The head ------------------------------------------------------------------------------------------

    def _head_parts(self, part: str) -> list[Paragraph]:
        sheet = self._sheet
        lines = [
            _paragraph(sheet.title, 12.0, bold=True),
            _paragraph(f"{sheet.warning}", 12.0, bold=True),
            _paragraph(sheet.lies, 12.0),
        ]
        if part:
            lines.append(_paragraph(part, 12.0, bold=True))
        rest = " · ".join(filter(None, [self._department, sheet.subtitle, *sheet.notes]))
        lines.append(_paragraph(rest, 8.0))
        return lines

    def _head_height(self, each: int) -> float:
        # With the longest part that any page may have, so that all pages are laid out alike.
        split = len(self._sheet.probes) > each
        names = ", ".join(b.name for b in self._sheet.probes)
        parts = self._head_parts(say(f"Sheet 1 of 2: probes {names}") if split else "")
        high = sum(p.wrap(self._head_width(), 1000.0)[1] for p in parts)
        return float(max(high, _ROOM if self._sheet.sides else 0.0) + 2.5 * mm)

    def _head_width(self) -> float:
        return float(self._width - (_ROOM + 26.0 * mm if self._sheet.sides else 0.0))

    def _room(self, each: int) -> float:
        """Return the height that is left for so many probes."""
        return float(self._height - 2.0 * _EDGE - self._head_height(each) - 2.0 * mm)

    def _head(self, canvas: Any, part: str, each: int) -> float:
        y = self._height - _EDGE
        for line in self._head_parts(part):
            y -= line.wrap(self._head_width(), 1000.0)[1]
            line.drawOn(canvas, _SIDE, y)
        if self._sheet.sides:
            self._draw_room(canvas, self._sheet.sides)
        return float(self._height - _EDGE - self._head_height(each))

    def _draw_room(self, canvas: Any, sides: tuple[str, str, str, str]) -> None:
        """Draw the body across, as it lies on the table, seen from the feet, with every shaft."""
        up, down, left, right = sides
        x = _SIDE + self._width - 13.0 * mm - 0.5 * _ROOM
        y = self._height - _EDGE - 0.5 * _ROOM
        canvas.setStrokeColor(black)
        canvas.setFillColor(black)
        canvas.setLineWidth(1.2)
        # On the side a body is higher than wide.
        half = (7.5, 8.5) if up in (say("left side"), say("right side")) else (9.5, 6.5)
        w, h = half[0] * mm, half[1] * mm
        canvas.ellipse(x - w, y - h, x + w, y + h)
        canvas.line(x - 13.0 * mm, y - h, x + 13.0 * mm, y - h)
        for block in self._sheet.probes:
            across, rise = block.leans
            canvas.setLineWidth(1.6)
            canvas.line(x - across * 12.0 * mm, y - rise * 10.5 * mm, x, y)
        canvas.setFont(REGULAR, 7.0)
        canvas.drawCentredString(x, y + h + 1.4 * mm, up)
        canvas.drawCentredString(x, y - h - 3.2 * mm, f"{down} {say('on the table')}")
        canvas.drawRightString(x - w - 1.5 * mm, y - 1.0 * mm, left)
        canvas.drawString(x + w + 1.5 * mm, y - 1.0 * mm, right)
        canvas.drawCentredString(x, y - h - 6.2 * mm, say("seen from the feet"))

    # One probe -----------------------------------------------------------------------------------------

    def _picture_edge(self, room: float, share: float) -> float:
        return float(min(max(share * room, _SMALLEST_PICTURE), _LARGEST_PICTURE))

    def _text_width(self, room: float, share: float) -> float:
        return float(self._width - _BADGE - self._picture_edge(room, share) - 2.0 * _GAP)

    def _needs(self, block: ProbeBlock, fit: _Fit, room: float) -> float:
        small, share = fit
        width = self._text_width(room, share)
        badge = _badge(block, small).wrap(_BADGE - 1.0 * mm, 1000.0)[1] + 15.0 * mm
        text = _top(block, small).wrap(width, 1000.0)[1]
        each = width / _COLUMNS
        for start in range(0, len(block.cells), _COLUMNS):
            text += max(_cell_height(c, small, each) for c in block.cells[start : start + _COLUMNS])
        said = sum(_spoken(s, small).wrap(width + _BADGE + _GAP, 1000.0)[1] for s in block.sentences)
        return float(max(badge, text) + said + 4.0 * mm)

    def _block(self, canvas: Any, block: ProbeBlock, fit: _Fit, top: float, height: float) -> None:
        small, share = fit
        canvas.setStrokeColor(black)
        canvas.setLineWidth(0.8)
        canvas.line(_SIDE, top, _SIDE + self._width, top)
        y = top - 2.0 * mm
        canvas.setFillColor(HexColor(block.colour))
        canvas.setLineWidth(1.2)
        canvas.rect(_SIDE, y - 14.0 * mm, 14.0 * mm, 14.0 * mm, fill=1)
        name = printable(block.name)
        size = min(26.0, 26.0 * 12.5 * mm / max(text_width(name, BOLD, 26.0), 1.0))
        if size >= NUMBER_PT:
            # On its own white ground: black on a dark colour could not be read on a grey print.
            wide = text_width(name, BOLD, size)
            canvas.setFillColor(white)
            canvas.rect(
                _SIDE + 7.0 * mm - 0.5 * wide - 1.0, y - 11.8 * mm, wide + 2.0, 9.6 * mm, stroke=0, fill=1
            )
            canvas.setFillColor(black)
            draw_text(canvas, _SIDE + 7.0 * mm, y - 7.0 * mm - 0.36 * size, name, BOLD, size, align=0.5)
        badge = _badge(block, small, with_name=size < NUMBER_PT)
        high = badge.wrap(_BADGE - 1.0 * mm, 1000.0)[1]
        badge.drawOn(canvas, _SIDE, y - 15.0 * mm - high)
        left, width = _SIDE + _BADGE + _GAP, self._text_width(height, share)
        top_line = _top(block, small)
        y -= top_line.wrap(width, 1000.0)[1]
        top_line.drawOn(canvas, left, y)
        each = width / _COLUMNS
        for start in range(0, len(block.cells), _COLUMNS):
            cells = block.cells[start : start + _COLUMNS]
            for column, cell in enumerate(cells):
                _draw_cell(canvas, cell, small, left + column * each, y, each)
            y -= max(_cell_height(c, small, each) for c in cells)
        # Below the badge there is room for whole sentences.
        y = min(y, top - 17.0 * mm - high)
        for said in block.sentences:
            part = _spoken(said, small)
            y -= part.wrap(width + _BADGE + _GAP, 1000.0)[1]
            part.drawOn(canvas, _SIDE, y)
        edge = self._picture_edge(height, share)
        x = _SIDE + self._width - edge
        if block.picture:
            image = ImageReader(io.BytesIO(block.picture))
            across, up = image.getSize()
            scale = min(edge / across, (height - 4.0 * mm) / up)
            place = (x + edge - across * scale, top - 2.0 * mm - up * scale)
            canvas.drawImage(image, *place, across * scale, up * scale)


def _cell_parts(cell: Cell, small: float) -> list[Paragraph]:
    style = _style(small, False, leading=_LEADING)
    value = f"{markup(printable(cell.label), REGULAR)} {_large(_kept(cell.value))}"
    parts = [Paragraph(value, style)]
    return [*parts, _paragraph(cell.note, small)] if cell.note else parts


def _cell_height(cell: Cell, small: float, width: float) -> float:
    return float(sum(p.wrap(width - 2.0 * mm, 1000.0)[1] for p in _cell_parts(cell, small)) + 1.2 * mm)


def _draw_cell(canvas: Any, cell: Cell, small: float, x: float, y: float, width: float) -> None:
    y -= 0.6 * mm
    for part in _cell_parts(cell, small):
        y -= part.wrap(width - 2.0 * mm, 1000.0)[1]
        part.drawOn(canvas, x, y)


def _top(block: ProbeBlock, small: float) -> Paragraph:
    """Return order and port, large, and behind them what is put in."""
    kit = _NUMBER.sub(lambda m: _large(m.group()), markup(_kept(block.kit), REGULAR))
    return Paragraph(f"{_large(_kept(block.order))} · {kit}", _style(small, False, leading=_LEADING))


def _kept(value: str) -> str:
    """Return printable text in which no line ends between a number and its unit."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", printable(value))


def _large(value: str) -> str:
    return f'<font name="{BOLD}" size="{NUMBER_PT:g}">{markup(value, BOLD)}</font>'


def _badge(block: ProbeBlock, small: float, *, with_name: bool = True) -> Paragraph:
    return _paragraph(f"{block.name}, {block.colour_word}" if with_name else block.colour_word, small)


def _style(size: float, bold: bool, *, leading: float = 0.0) -> ParagraphStyle:
    return ParagraphStyle(
        name=f"room{size}{bold}",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=leading or size * 1.16,
        textColor=black,
        splitLongWords=True,
    )


def _paragraph(value: str, size: float, *, bold: bool = False) -> Paragraph:
    style = _style(size, bold)
    return Paragraph(markup(_kept(value), style.fontName), style)


def _spoken(value: str, small: float) -> Paragraph:
    """Return a sentence whose numbers are as large as those of the cells."""
    shown = markup(_kept(value), REGULAR)
    large = _NUMBER.sub(lambda m: _large(m.group()), shown)
    return Paragraph(large, _style(small, False, leading=_LEADING if large != shown else 0.0))
