"""Probe paint: a probe to scale along its length or across it, the clock around it, and what to read off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPen, QPolygonF

from cryoplan.gui.slice_paint import SlicePainter, colour
from cryoplan.gui.words import say
from cryoplan.scene.contours import ProbeMark

LEAST_PX = 3.0
"""A shaft is never drawn thinner, however far away."""

LIT = 1.35
"""The active zone is a little thicker than the shaft, so that it is seen on a lit screen."""

LETTER_PX = 36.0
"""Room that two letters of an edge take."""

OUTSIDE_MM = 20.0
SHARP_MM = 3.0
"""Length of the point of the tip."""

RINGS_MM = (10.0, 20.0)
"""Distances that neighbours of a probe should keep."""


def along(
    drawing: SlicePainter, mark: ProbeMark, diameter_mm: float, *, selected: bool, locked: bool
) -> None:
    """Draw a probe that lies in the plane: shaft, lit zone and the tip beyond it, all to scale."""
    style = drawing.look.probes
    ink = style.colour(mark.index)
    tip, entry = (drawing.at(uv) for uv in (mark.tip_uv, mark.entry_uv))
    front, back = (drawing.at(uv) for uv in mark.active_uv)
    length = _length(tip - entry)
    if length < 2.0:
        drawing.probe(mark, selected=selected, locked=locked)
        return
    way = (tip - entry) / length
    scale = 1.0 / drawing.camera.mm_per_px
    half = max(diameter_mm * scale, LEAST_PX) / 2.0
    halo = colour(style.halo, 0.75)
    _bar(drawing, entry - way * (OUTSIDE_MM * scale), entry, half, colour(ink, 0.55), halo)
    _bar(drawing, entry, back, half, colour(ink), halo)
    # Beyond the zone that freezes there is only metal: another colour, and a point where it ends.
    sharp = min(SHARP_MM * scale, 0.8 * _length(tip - front))
    _bar(drawing, front, tip, half, colour(style.shaft_3d), halo, sharp=sharp)
    _bar(drawing, back, front, half * LIT, colour(style.active_3d), halo)
    drawing.number(tip, way, mark.name, ink, selected=selected, locked=locked)


def across(
    drawing: SlicePainter,
    mark: ProbeMark,
    diameter_mm: float,
    away_uv: tuple[float, float] | None,
    *,
    locked: bool,
) -> None:
    """Draw a probe that the plane cuts: its section to scale, and how far it is from the one looked along.

    Parameters
    ----------
    drawing : SlicePainter
        Where to.
    mark : ProbeMark
        The probe, with its crossing.
    diameter_mm : float
        Of its shaft.
    away_uv : tuple of float or None
        Way from the selected probe to it in this plane; None for the selected one itself.
    locked : bool
        True draws a lock.
    """
    if mark.crossing_uv is None:
        return
    here = drawing.at(mark.crossing_uv)
    style = drawing.look.probes
    selected = away_uv is None
    ink = style.selected if selected else style.colour(mark.index)
    radius = max(diameter_mm / drawing.camera.mm_per_px, LEAST_PX + 2.0) / 2.0
    p = drawing.p
    p.setPen(QPen(colour(style.halo, 0.9), 3.4))
    p.setBrush(colour(ink))
    p.drawEllipse(here, radius, radius)
    p.setPen(QPen(colour(ink), 1.4))
    p.drawEllipse(here, radius + 2.2, radius + 2.2)
    p.setBrush(Qt.BrushStyle.NoBrush)
    if away_uv is None:
        drawing.number(here, QPointF(1.0, -0.35), mark.name, ink, selected=True, locked=locked)
    else:
        drawing.beside(here, f"{mark.name} · {np.hypot(*away_uv):.1f} mm", ink, locked=locked)


def axis(drawing: SlicePainter, at_uv: tuple[float, float]) -> None:
    """Mark where the line of the shaft goes on beyond its tip or outside the skin: nothing is there."""
    at = drawing.at(at_uv)
    for shade, width in ((colour("#000000", 0.6), 3.0), (colour(drawing.look.probes.selected), 1.4)):
        drawing.p.setPen(QPen(shade, width))
        drawing.p.drawLine(at + QPointF(-5.0, -5.0), at + QPointF(5.0, 5.0))
        drawing.p.drawLine(at + QPointF(-5.0, 5.0), at + QPointF(5.0, -5.0))


def clock(drawing: SlicePainter, middle_uv: tuple[float, float]) -> None:
    """Draw rings of 10 and 20 mm around a shaft, and the hours of the clock on the outer one."""
    p, at = drawing.p, drawing.at(middle_uv)
    ink = drawing.look.marks.text
    for mm in RINGS_MM:
        radius = mm / drawing.camera.mm_per_px
        p.setPen(QPen(colour(ink, 0.3), 1.0))
        p.drawEllipse(at, radius, radius)
        corner = at + QPointF(radius, -radius) * float(np.sqrt(0.5))
        box = QRectF(corner.x() - 1.0, corner.y() - 14.0, 60.0, 16.0)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        drawing.write(box, f"{mm / 10.0:g} cm", ink, left, drawing.small, opacity=0.55)
    outer = RINGS_MM[-1] / drawing.camera.mm_per_px
    height = QFontMetricsF(drawing.small).height()
    for hour in range(1, 13):
        angle = 2.0 * np.pi * hour / 12.0
        out = QPointF(float(np.sin(angle)), -float(np.cos(angle)))
        main = hour % 3 == 0
        p.setPen(QPen(colour(ink, 0.7 if main else 0.45), 1.4 if main else 1.0))
        p.drawLine(at + out * (outer - (5.0 if main else 3.0)), at + out * outer)
        if main:
            middle = at + out * (outer + 9.0)
            box = QRectF(middle.x() - 12.0, middle.y() - height / 2.0, 24.0, height)
            drawing.write(box, str(hour), ink, Qt.AlignmentFlag.AlignCenter, drawing.small, opacity=0.8)
            drawing.keep_clear(box)
    # The letters of the left and right edge.
    width, middle = drawing.size.width(), drawing.size.height() / 2.0
    for left in (0.0, width - LETTER_PX):
        drawing.keep_clear(QRectF(left, middle - LETTER_PX / 2.0, LETTER_PX, LETTER_PX))


def table(drawing: SlicePainter, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Write a small table at the lower right: names to the left, numbers to the right."""
    metrics = QFontMetricsF(drawing.small)
    high = metrics.height() + 2.0
    names = max((metrics.horizontalAdvance(name) for name, _ in rows), default=0.0)
    numbers = max((metrics.horizontalAdvance(say(text)) for _, text in rows), default=0.0)
    width = max(metrics.horizontalAdvance(say(title)), names + numbers + 18.0) + 16.0
    box = QRectF(0.0, 0.0, width, (len(rows) + 1) * high + 10.0)
    box.moveBottomRight(QPointF(drawing.size.width() - 8.0, drawing.size.height() - 8.0))
    drawing.chip(box)
    look, middle = drawing.look, Qt.AlignmentFlag.AlignVCenter
    line = QRectF(box.left() + 8.0, box.top() + 5.0, width - 16.0, high)
    drawing.plain(line, title, look.dark.text_muted, Qt.AlignmentFlag.AlignLeft | middle, drawing.small)
    for name, text in rows:
        line.translate(0.0, high)
        drawing.plain(line, name, look.marks.text, Qt.AlignmentFlag.AlignLeft | middle, drawing.small)
        drawing.plain(line, text, look.marks.text, Qt.AlignmentFlag.AlignRight | middle, drawing.small)


def _bar(
    drawing: SlicePainter,
    a: QPointF,
    b: QPointF,
    half: float,
    ink: QColor,
    halo: QColor,
    *,
    sharp: float = 0.0,
) -> None:
    """Fill a bar of some half width from `a` to `b`; with `sharp` it ends in a point at `b`."""
    length = _length(b - a)
    if length < 0.2:
        return
    way = (b - a) / length
    side = QPointF(-way.y(), way.x()) * half
    neck = b - way * sharp
    end = [neck + side, b, neck - side] if sharp else [b + side, b - side]
    shape = QPolygonF([a + side, *end, a - side])
    drawing.p.setPen(QPen(halo, 2.2))
    drawing.p.setBrush(Qt.BrushStyle.NoBrush)
    drawing.p.drawPolygon(shape)
    drawing.p.setPen(Qt.PenStyle.NoPen)
    drawing.p.setBrush(ink)
    drawing.p.drawPolygon(shape)
    drawing.p.setBrush(Qt.BrushStyle.NoBrush)


def _length(v: QPointF) -> float:
    return float(np.hypot(v.x(), v.y()))
