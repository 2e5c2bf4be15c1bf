"""PDF: a report's content becomes the bytes of a document; the same content and paper, the same bytes.

The decision is the first page; the probes begin the second, and the technique follows them. What does not
fit flows to further pages. Pictures shrink within limits first.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageBreak, PageTemplate, Spacer

from cryoplan.core.language import say, spoken
from cryoplan.report.content import ReportContent
from cryoplan.report.fonts import register
from cryoplan.report.layout import (
    BODY,
    GAP,
    HEADING,
    NOTE,
    SUBTITLE,
    TITLE,
    cards,
    facts,
    picture,
    row,
    statements,
    table,
    text,
)
from cryoplan.report.parts import Picture
from cryoplan.report.plot import plot
from cryoplan.report.protocol_bar import protocol_bar
from cryoplan.report.sheet import BOTTOM, SIDE, Sheet
from cryoplan.report.style import PrintStyle

IN_A_ROW = 4
"""Pictures that stand side by side."""

PICTURE_GAP = 2.5 * mm

SHARES = (1.0, 0.92, 0.84, 0.76, 0.68)
"""Sizes of the pictures that are tried until a part fits one page, 1 for the whole width of a row."""


def render_pdf(content: ReportContent, style: PrintStyle | None = None) -> bytes:
    """Return the report as PDF.

    Parameters
    ----------
    content : ReportContent
    style : PrintStyle, optional
        Paper, department and logo; A4 without a letterhead when left out. The content has its language.

    Raises
    ------
    StoreError
        If a picture or the logo cannot be read or the fonts are missing.
    """
    register()
    # Text that old mail programs could carry: slow without a compiler, and a fifth larger.
    rl_config.useA85 = 0
    sheet = Sheet(style=PrintStyle() if style is None else style)
    first = _largest_share(content, sheet, _decision)
    second = _largest_share(content, sheet, _probes) or SHARES[0]
    # What the first page cannot hold is no reason for a second one that is nearly empty.
    between = PageBreak() if first is not None else Spacer(0, 4.0 * mm)
    first = first or SHARES[0]

    def flow(drawn: bool) -> list[Flowable]:
        return [
            *_decision(content, sheet, first, drawn),
            between,
            *_probes(content, sheet, second, drawn),
            *_technique(content, sheet),
        ]

    total = _build(content, sheet, flow(False), total=0)[1]
    return _build(content, sheet, flow(True), total=total)[0]


def _largest_share(
    content: ReportContent,
    sheet: Sheet,
    part: Callable[[ReportContent, Sheet, float, bool], list[Flowable]],
) -> float | None:
    """Return the largest size of pictures with which a part fits one page; None when none does."""
    for size in SHARES:
        flow = part(content, sheet, size, False)
        if not flow or _build(content, sheet, flow, total=0)[1] == 1:
            return size
    return None


def _build(content: ReportContent, sheet: Sheet, flow: list[Flowable], *, total: int) -> tuple[bytes, int]:
    """Return the document and how many pages it has; `total` is printed as the number of pages."""
    target = io.BytesIO()
    frame = Frame(
        SIDE,
        BOTTOM,
        sheet.width,
        sheet.height,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )

    def furnish(canvas: Any, document: Any) -> None:
        sheet.furnish(canvas, content.header, content.footer, document.page, total)

    document = BaseDocTemplate(
        target,
        pagesize=sheet.size,
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


def _decision(content: ReportContent, sheet: Sheet, share: float, drawn: bool) -> list[Flowable]:
    width = sheet.width
    half = (width - GAP) / 2.0
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
        flow += [cards(content.cards, width), Spacer(0, 1.5 * mm), text(content.control_rates, BODY)]
        flow.append(Spacer(0, 3.0 * mm))
    flow += _pictures(content.pictures, width, share, drawn)
    # Before the tables: what is wrong has to be on the first page, however long they are.
    flow += [*statements(content.statements, content.statements_note, width), Spacer(0, 3.0 * mm)]
    for part in content.decision_tables:
        flow += [*table(part, width), Spacer(0, 3.0 * mm)]
    return flow[:-1] if content.decision_tables else flow


def _probes(content: ReportContent, sheet: Sheet, share: float, drawn: bool) -> list[Flowable]:
    """Return the table of the probes, their pictures, and the other tables."""
    flow: list[Flowable] = []
    pictures = _pictures(content.probe_pictures, sheet.width, share, drawn)
    for number, part in enumerate(content.probe_tables):
        flow += [*table(part, sheet.width), Spacer(0, 3.5 * mm)]
        if number == 0:
            flow += pictures
    return flow or pictures


def _technique(content: ReportContent, sheet: Sheet) -> list[Flowable]:
    flow: list[Flowable] = [*protocol_bar(content.bar, sheet.width), Spacer(0, 3.0 * mm)]
    if content.plot is not None:
        flow += [*plot(content.plot, sheet.width), Spacer(0, 3.5 * mm)]
    for part in content.technique_tables:
        flow += [*table(part, sheet.width), Spacer(0, 3.5 * mm)]
    flow += [text(say("Solver"), HEADING), *_two_columns(content, sheet.width), Spacer(0, 3.0 * mm)]
    notes = [[text(note, NOTE), Spacer(0, 0.8 * mm)] for note in content.notes]
    # A heading must not stay alone at the foot of a page.
    flow.append(KeepTogether([text(say("What it rests on"), HEADING), *(notes[0] if notes else [])]))
    return [*flow, *(part for note in notes[1:] for part in note)]


def _pictures(parts: Sequence[Picture], width: float, share: float, drawn: bool) -> list[Flowable]:
    """Return pictures in rows of four, all of one size."""
    room = (width - (IN_A_ROW - 1) * PICTURE_GAP) / IN_A_ROW
    flow: list[Flowable] = []
    for start in range(0, len(parts), IN_A_ROW):
        shown = parts[start : start + IN_A_ROW]
        cells: list[list[Flowable]] = []
        widths: list[float] = []
        for part in shown:
            if cells:
                cells.append([])
                widths.append(PICTURE_GAP)
            cells.append(picture(part, room * share, drawn=drawn))
            widths.append(room)
        flow += [row(cells, widths), Spacer(0, 3.0 * mm)]
    return flow


def _two_columns(content: ReportContent, width: float) -> list[Flowable]:
    half = (width - GAP) / 2.0
    middle = (len(content.solver) + 1) // 2
    left, right = content.solver[:middle], content.solver[middle:]
    return [row([[facts(left, half)], [], [facts(right, half)]], [half, GAP, half])]
