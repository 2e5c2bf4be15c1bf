"""Layout: how the parts of a report look; sizes, colours and the flowables that draw them.

Calm and printable in black and white: levels are symbols and words, colour only repeats them. Every text sits
in a paragraph that wraps, and every table may break between pages, so that nothing is cut.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import CondPageBreak, Flowable, Image, KeepTogether, Paragraph, Spacer
from reportlab.platypus import Table as Grid

from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Level
from cryoplan.core.language import say
from cryoplan.report.columns import column_widths
from cryoplan.report.fonts import BOLD, REGULAR, markup, text_width
from cryoplan.report.parts import Card, Fact, Picture, Statement, Table
from cryoplan.report.wording import SYMBOLS, WORDS

INK, MUTED, HAIR, PAPER = HexColor("#1c1c1c"), HexColor("#5c5c5c"), HexColor("#c9c9c6"), HexColor("#f4f4f1")
FREEZE = HexColor("#33506b")
LEVEL_COLOURS = {Level.OK: "#1d6437", Level.WARN: "#855200", Level.FAIL: "#a3201a"}

GAP = 4.0 * mm


def _style(size: float, *, bold: bool = False, colour: Color = INK, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        name=f"s{size}{bold}",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=more.pop("leading", size * 1.28),
        textColor=colour,
        splitLongWords=True,
        **more,
    )


TITLE = _style(14.0, bold=True)
SUBTITLE = _style(8.0, colour=MUTED)
HEADING = _style(8.6, bold=True, spaceAfter=1.2 * mm)
BODY = _style(7.6)
CELL = _style(7.0)
CELL_RIGHT = _style(7.0, alignment=TA_RIGHT)
HEAD = _style(6.4, colour=MUTED)
HEAD_RIGHT = _style(6.4, colour=MUTED, alignment=TA_RIGHT)
STATEMENT = _style(7.0)
NOTE = _style(6.4, colour=MUTED)
BIG = _style(19.0, bold=True, leading=22.0)
MIDDLE = _style(9.5, bold=True)


def text(value: str, style: ParagraphStyle) -> Paragraph:
    """Return a paragraph of plain text; a line end in it stays one."""
    return Paragraph(markup(value, style.fontName), style)


def level_text(level: Level, style: ParagraphStyle) -> Paragraph:
    """Return symbol and word of a level, bold and coloured."""
    mark = f"{SYMBOLS[level]} {say(WORDS[level])}"
    return Paragraph(f'<font name="{BOLD}" color="{LEVEL_COLOURS[level]}">{mark}</font>', style)


def facts(items: Sequence[Fact], width: float, label_share: float = 0.22) -> Grid:
    """Return labels and values in two columns."""
    rows = [[text(item.label, HEAD), text(item.value, CELL)] for item in items]
    return Grid(
        rows,
        colWidths=[width * label_share, width * (1.0 - label_share)],
        style=[*TIGHT, ("VALIGN", (0, 0), (-1, -1), "TOP")],
        hAlign="LEFT",
    )


def table(part: Table, width: float, *, in_cell: bool = False) -> list[Flowable]:
    """Return a table with its heading and note; it may break between rows and repeats its head.

    Set `in_cell` when it goes into a cell of another table, which cannot break anyway.
    """
    widths = column_widths([part.head, *part.rows], part.widths, width, CELL.fontSize)
    head = [
        text(cell, HEAD_RIGHT if column in part.numbers else HEAD) for column, cell in enumerate(part.head)
    ]
    rows = [
        [_cell(cell, CELL_RIGHT if column in part.numbers else CELL) for column, cell in enumerate(row)]
        for row in part.rows
    ]
    grid = Grid(
        [head, *rows],
        colWidths=widths,
        repeatRows=1,
        # A cell with the names of very many structures may be taller than a page.
        splitInRow=1,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("LEFTPADDING", (0, 0), (-1, -1), 1.2 * mm),
            ("RIGHTPADDING", (0, 0), (-1, -1), 1.2 * mm),
            ("TOPPADDING", (0, 0), (-1, -1), 0.35 * mm),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6 * mm),
            # Words that follow a column of numbers keep away from it.
            *(
                ("LEFTPADDING", (column, 0), (column, -1), 5.0 * mm)
                for column in range(1, len(part.head))
                if column - 1 in part.numbers and column not in part.numbers
            ),
            ("LINEBELOW", (0, 0), (-1, 0), 0.6, INK),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, HAIR),
        ],
        hAlign="LEFT",
    )
    flow: list[Flowable] = [text(part.title, HEADING), grid]
    if part.note:
        flow += [Spacer(0, 0.8 * mm), text(part.note, NOTE)]
    # A heading must not stay alone at the foot of a page; a short table stays whole.
    return [KeepTogether(flow)] if len(rows) <= 12 and not in_cell else flow


def _cell(value: str, style: ParagraphStyle) -> Paragraph:
    for level in Level:
        if value in (f"{SYMBOLS[level]} {WORDS[level]}", f"{SYMBOLS[level]} {say(WORDS[level])}"):
            return level_text(level, style)
    return text(value, style)


def cards(parts: Sequence[Card], width: float) -> Grid:
    """Return the margins side by side: the first two large, the others in a narrow third column."""
    gap = 3.0 * mm
    rest = parts[2:]
    narrow = 42.0 * mm if rest else 0.0
    each = (width - narrow - gap * (len(parts[:2]) - 1 + bool(rest))) / max(1, len(parts[:2]))
    cells: list[Any] = []
    widths: list[float] = []
    for part in parts[:2]:
        if cells:
            cells.append("")
            widths.append(gap)
        cells.append(_card(part, each - 6.0 * mm))
        widths.append(each)
    if rest:
        cells += ["", [flow for part in rest for flow in _small_card(part)]]
        widths += [gap, narrow]
    boxes = [column for column, size in enumerate(widths) if size != gap]
    return Grid(
        [cells],
        colWidths=widths,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 3.0 * mm),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3.0 * mm),
            ("TOPPADDING", (0, 0), (-1, -1), 2.2 * mm),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2 * mm),
            *((name, (c, 0), (c, 0), *more) for c in boxes for name, more in _BOX),
        ],
        hAlign="LEFT",
    )


def _card(part: Card, width: float) -> list[Flowable]:
    value: list[Any] = [text(part.value, BIG)]
    if part.level is not None:
        value.append(level_text(part.level, MIDDLE))
    line = Grid(
        [value],
        colWidths=[width * 0.64, width * 0.36][: len(value)],
        style=[*TIGHT, ("VALIGN", (0, 0), (-1, -1), "BOTTOM")],
        hAlign="LEFT",
    )
    return [
        text(f"{part.title}: {say('worst margin')}", _style(7.6, bold=True)),
        line,
        Spacer(0, 0.8 * mm),
        text(part.verdict, NOTE),
        Spacer(0, 1.0 * mm),
        facts(part.lines, width, 0.5),
    ]


def _small_card(part: Card) -> list[Flowable]:
    mark = "" if part.level is None else f"  {SYMBOLS[part.level]} {say(WORDS[part.level])}"
    return [
        text(part.title, _style(6.8, bold=True)),
        text(part.value + mark, MIDDLE),
        text(part.verdict, NOTE),
        Spacer(0, 1.6 * mm),
    ]


def statements(parts: Sequence[Statement], note: str, width: float) -> list[Flowable]:
    """Return what failed or warned, heaviest first, and the closing note."""
    # As wide as the longest word of a level in the language of the paper.
    words = max(
        text_width(f"{SYMBOLS[level]} {say(WORDS[level])}", BOLD, STATEMENT.fontSize) for level in Level
    )
    first = max(12.0 * mm, words + 3.0 * mm)
    flow: list[Flowable] = [CondPageBreak(22.0 * mm), text(say("Attention"), HEADING)]
    if parts:
        flow.append(
            Grid(
                [[level_text(part.level, STATEMENT), text(part.text, STATEMENT)] for part in parts],
                colWidths=[first, width - first],
                style=[
                    *TIGHT,
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LINEBELOW", (0, 0), (-1, -1), 0.25, HAIR),
                ],
                hAlign="LEFT",
            )
        )
    return [*flow, Spacer(0, 0.8 * mm), text(note, NOTE)]


def picture(part: Picture, edge: float, *, drawn: bool = True) -> list[Flowable]:
    """Return a picture within a square of `edge` and its caption; only its room when it is not drawn.

    Raises
    ------
    StoreError
        If the bytes are no picture.
    """
    wide, high = _size(part.png)
    scale = edge / max(wide, high)
    image = Image(io.BytesIO(part.png), width=wide * scale, height=high * scale)
    image.hAlign = "LEFT"
    room = image if drawn else Spacer(image.drawWidth, image.drawHeight)
    return [room, Spacer(0, 0.8 * mm), text(part.caption, NOTE)]


@lru_cache(maxsize=32)
def _size(png: bytes) -> tuple[int, int]:
    """Return the size of a picture that can be read; a report is laid out several times."""
    try:
        # Decoded here and now: reportlab would notice a broken picture only while it writes the page.
        reader = ImageReader(io.BytesIO(png))
        reader.getRGBData()
        wide, high = reader.getSize()
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        raise StoreError(
            "A picture of the report cannot be read.", "Draw the pictures again.", code="bad-picture"
        ) from error
    return int(wide), int(high)


def row(cells: Sequence[list[Flowable]], widths: Sequence[float]) -> Grid:
    """Return flowables side by side, top aligned."""
    return Grid(
        [list(cells)],
        colWidths=list(widths),
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ],
        hAlign="LEFT",
    )


TIGHT = (
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 1.0 * mm),
    ("TOPPADDING", (0, 0), (-1, -1), 0.35 * mm),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0.45 * mm),
)
_BOX = (("BACKGROUND", (PAPER,)), ("BOX", (0.5, HAIR)))
