"""PDF: a report's content becomes the bytes of an A4 document; the same content, the same bytes.

Two pages for the usual plan: the decision on the first, the technique on the second. What does not fit flows
to further pages. Pictures shrink within limits first.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Spacer

from cryoplan.core.language import say, spoken
from cryoplan.report.content import ReportContent
from cryoplan.report.fonts import BOLD, REGULAR, draw_text, register, text_width
from cryoplan.report.layout import (
    BODY,
    GAP,
    HAIR,
    HEADING,
    INK,
    MUTED,
    NOTE,
    SUBTITLE,
    TITLE,
    ProtocolBar,
    cards,
    facts,
    picture,
    row,
    statements,
    table,
    text,
)
from cryoplan.report.parts import Table

SIDE, TOP, BOTTOM = 14.0 * mm, 17.0 * mm, 19.0 * mm
WIDTH = A4[0] - 2.0 * SIDE

FIRST_EDGES_MM = (58.5, 54.0, 50.0, 46.0, 42.0)
"""Edges of the three pictures of the decision that are tried until it fits one page."""

LATER_EDGES_MM = (74.0, 66.0, 58.0, 50.0)
"""Edges of the pictures of the technique, likewise."""

BESIDE_ROWS = 7
BESIDE_BAR = 90.0 * mm
"""A table of at most this many rows stands beside a picture, a longer one gets the whole width."""


def render_pdf(content: ReportContent) -> bytes:
    """Return the report as PDF.

    Raises
    ------
    StoreError
        If a picture cannot be read or the fonts are missing.
    """
    register()
    first = _largest_edge(content, _decision, FIRST_EDGES_MM)
    later = _largest_edge(content, _technique, LATER_EDGES_MM)

    def flow(drawn: bool) -> list[Flowable]:
        return [
            *_decision(content, first * mm, drawn),
            PageBreak(),
            *_technique(content, later * mm, drawn),
        ]

    total = _build(content, flow(False), total=0)[1]
    return _build(content, flow(True), total=total)[0]


def _largest_edge(
    content: ReportContent,
    part: Callable[[ReportContent, float, bool], list[Flowable]],
    edges_mm: Sequence[float],
) -> float:
    """Return the largest edge with which a part fits one page, or the smallest when none does."""
    for edge in edges_mm:
        if _build(content, part(content, edge * mm, False), total=0)[1] == 1:
            return edge
    return edges_mm[-1]


def _build(content: ReportContent, flow: list[Flowable], *, total: int) -> tuple[bytes, int]:
    """Return the document and how many pages it has; `total` is printed as the number of pages."""
    target = io.BytesIO()
    frame = Frame(
        SIDE,
        BOTTOM,
        WIDTH,
        A4[1] - TOP - BOTTOM,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )

    def furnish(canvas: Any, document: Any) -> None:
        _header_and_footer(canvas, content, document.page, total)

    document = BaseDocTemplate(
        target,
        pagesize=A4,
        pageTemplates=[PageTemplate(id="page", frames=[frame], onPage=furnish)],
        title=content.title,
        author="cryoplan",
        subject=content.header[1],
        creator="cryoplan",
        # Without the time of writing, so that the same content gives the same bytes.
        invariant=1,
        lang=spoken().language,
    )
    document.build(flow)
    return target.getvalue(), document.page


def _decision(content: ReportContent, edge: float, drawn: bool) -> list[Flowable]:
    half = (WIDTH - GAP) / 2.0
    flow: list[Flowable] = [
        text(content.title, TITLE),
        text(content.subtitle, SUBTITLE),
        Spacer(0, 2.5 * mm),
        row(
            [[facts(content.facts, half)], [], [facts(content.target, half)]],
            [half, GAP, half],
        ),
        Spacer(0, 3.0 * mm),
    ]
    if content.cards:
        flow += [cards(content.cards, WIDTH), Spacer(0, 1.5 * mm), text(content.control_rates, BODY)]
        flow.append(Spacer(0, 3.0 * mm))
    first = content.pictures[:3]
    if first:
        gap = (WIDTH - 3 * edge) / 2.0
        cells: list[list[Flowable]] = []
        widths: list[float] = []
        for shown in first:
            if cells:
                cells.append([])
                widths.append(gap)
            cells.append(picture(shown, edge, drawn=drawn))
            widths.append(edge)
        flow += [row(cells, widths), Spacer(0, 3.0 * mm)]
    for part in content.decision_tables:
        flow += [*table(part, WIDTH), Spacer(0, 3.0 * mm)]
    return [*flow, *statements(content.statements, content.statements_note, WIDTH)]


def _technique(content: ReportContent, edge: float, drawn: bool) -> list[Flowable]:
    probes = [part for part in content.technique_tables if part.title == say("Probes")]
    others = [part for part in content.technique_tables if part.title != say("Probes")]
    flow: list[Flowable] = []
    for part in probes:
        flow += [*table(part, WIDTH), Spacer(0, 3.5 * mm)]
    flow += _beside_pictures(content, others, edge, drawn)
    flow += [text(say("Solver"), HEADING), *_two_columns(content), Spacer(0, 3.0 * mm)]
    flow.append(text(say("What it rests on"), HEADING))
    for note in content.notes:
        flow += [text(note, NOTE), Spacer(0, 0.8 * mm)]
    return flow


def _beside_pictures(content: ReportContent, tables: list[Table], edge: float, drawn: bool) -> list[Flowable]:
    """Return protocol and short tables beside the remaining pictures, and the long tables below."""
    later = content.pictures[3:]
    if not later:
        flow: list[Flowable] = [text(content.bar.title, HEADING), ProtocolBar(content.bar, WIDTH)]
        flow.append(Spacer(0, 3.5 * mm))
        for part in tables:
            flow += [*table(part, WIDTH), Spacer(0, 3.5 * mm)]
        return flow
    wide = WIDTH - edge - GAP
    bar = ProtocolBar(content.bar, wide)
    # What stands beside a picture cannot flow to the next page.
    short = [part for part in tables if len(part.rows) <= BESIDE_ROWS and len(part.head) * 15 * mm <= wide]
    beside = short[:1] if bar.height <= BESIDE_BAR else []
    right: list[Flowable] = [text(content.bar.title, HEADING), bar]
    for part in beside:
        right += [Spacer(0, 3.5 * mm), *table(part, wide, in_cell=True)]
    flow = [row([picture(later[0], edge, drawn=drawn), [], right], [edge, GAP, wide]), Spacer(0, 3.5 * mm)]
    for more in later[1:]:
        flow += [*picture(more, edge, drawn=drawn), Spacer(0, 3.5 * mm)]
    for part in tables:
        if part not in beside:
            flow += [*table(part, WIDTH), Spacer(0, 3.5 * mm)]
    return flow


def _two_columns(content: ReportContent) -> list[Flowable]:
    half = (WIDTH - GAP) / 2.0
    middle = (len(content.solver) + 1) // 2
    left, right = content.solver[:middle], content.solver[middle:]
    return [row([[facts(left, half)], [], [facts(right, half)]], [half, GAP, half])]


def _header_and_footer(canvas: Any, content: ReportContent, page: int, total: int) -> None:
    width, height = A4
    canvas.saveState()
    canvas.setStrokeColor(HAIR)
    canvas.setLineWidth(0.5)
    canvas.line(SIDE, height - 12.5 * mm, width - SIDE, height - 12.5 * mm)
    canvas.line(SIDE, 14.5 * mm, width - SIDE, 14.5 * mm)
    left, right = content.header
    numbers = say(f"page {page} of {total}")
    room = WIDTH - text_width(right, BOLD, 7.0) - 6.0 * mm
    _fitted(canvas, left, SIDE, height - 11.0 * mm, room, REGULAR, MUTED)
    canvas.setFillColor(INK)
    draw_text(canvas, width - SIDE, height - 11.0 * mm, right, BOLD, 7.0, align=1.0)
    draw_text(canvas, width - SIDE, 10.8 * mm, numbers, BOLD, 7.0, align=1.0)
    room = WIDTH - text_width(numbers, BOLD, 7.0) - 6.0 * mm
    _fitted(canvas, content.footer[0], SIDE, 10.8 * mm, room, BOLD, INK)
    _fitted(canvas, content.footer[1], SIDE, 7.2 * mm, WIDTH, REGULAR, MUTED)
    canvas.restoreState()


def _fitted(canvas: Any, line: str, x: float, y: float, room: float, font: str, colour: Any) -> None:
    """Write one line, smaller where it would not fit: nothing is cut."""
    size = min(7.0, 7.0 * room / max(text_width(line, font, 7.0), 1.0))
    canvas.setFillColor(colour)
    draw_text(canvas, x, y, line, font, size)
