"""Slice paint: how lines, probes, grips, letters and legend look on a slice; drawing only, no decisions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QTransform,
)

from cryoplan.gui.probe_gestures import GripSpot
from cryoplan.gui.slice_content import Mark
from cryoplan.plan.edits import Grip
from cryoplan.scene.contours import ProbeMark, strength_at
from cryoplan.scene.style import LineStyle, Theme

Pair = tuple[float, float]
ToPx = Callable[[Pair], Pair]

TEXT_PX, SMALL_PX, LETTER_PX = 13, 12, 17
GRIP_PX = 7.0
OUTSIDE_MM = 28.0  # shaft drawn outside the skin, as in 3D
_GRADIENT_STOPS = 9
_EDGE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """What stands around every picture.

    Attributes
    ----------
    title : str
        Name of the view.
    place : str
        Slice number and position.
    window : str
        Window and level.
    letters : tuple of str
        Patient letters of the left, right, top and bottom edge.
    scale : tuple of float and str
        Length of the scale bar in pixels and its label.
    key : sequence of LineStyle
        Lines that the legend explains.
    shown : str
        Which temperatures the isotherms show; empty without any.
    warning : str
        ``OUT OF DATE`` and the like; empty when all is well.
    focused : bool
        True when keys go to this view.
    """

    title: str
    place: str
    window: str
    letters: tuple[str, str, str, str]
    scale: tuple[float, str]
    key: Sequence[LineStyle]
    shown: str
    warning: str
    focused: bool


def picture(gray: QImage, first: Pair, last: Pair, size: Pair, ratio: float, look: Theme) -> QPixmap:
    """Return a grey picture laid between two screen points, at the resolution of the screen itself."""
    pixmap = QPixmap(math.ceil(size[0] * ratio), math.ceil(size[1] * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(look.dark.canvas))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(first[0], first[1], last[0] - first[0], last[1] - first[1]), gray)
    painter.end()
    return pixmap


def pen_of(style: LineStyle, *, opacity: float = 1.0) -> QPen:
    """Return the pen of a line style."""
    colour = QColor(style.colour)
    colour.setAlphaF(opacity)
    pen = QPen(colour, style.width_px)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if style.dash:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern(style.qt_dash)
    return pen


def draw_marks(painter: QPainter, marks: Iterable[Mark], to_screen: QTransform, *, opacity: float) -> None:
    """Draw outlines or isotherms."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for mark in marks:
        painter.setPen(pen_of(mark.style, opacity=opacity))
        painter.drawPath(to_screen.map(mark.path))


def draw_halo(painter: QPainter, marks: Iterable[Mark], to_screen: QTransform) -> None:
    """Darken what lies under lines, so that they can be read on bone as well."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for mark in marks:
        # The same dash, a little wider, or a dotted line would look solid.
        pen = pen_of(replace(mark.style, colour="#000000", width_px=mark.style.width_px + 2.0), opacity=0.5)
        painter.setPen(pen)
        painter.drawPath(to_screen.map(mark.path))


def draw_crosshair(painter: QPainter, at: Pair, size: Pair, look: Theme) -> None:
    """Draw two thin lines with a gap around the point itself."""
    colour = QColor(look.marks.crosshair)
    colour.setAlphaF(look.marks.crosshair_opacity)
    painter.setPen(QPen(colour, 1.0))
    gap = 9.0
    x, y = round(at[0]) + 0.5, round(at[1]) + 0.5
    painter.drawLine(QPointF(0, y), QPointF(x - gap, y))
    painter.drawLine(QPointF(x + gap, y), QPointF(size[0], y))
    painter.drawLine(QPointF(x, 0), QPointF(x, y - gap))
    painter.drawLine(QPointF(x, y + gap), QPointF(x, size[1]))


def draw_probe(
    painter: QPainter, mark: ProbeMark, to_px: ToPx, look: Theme, *, selected: bool, locked: bool
) -> None:
    """Draw a projected probe: strong where it is on the slice, fainter the further it is off it."""
    style = look.probes
    colour = QColor(style.colour(mark.index))
    tip, entry = QPointF(*to_px(mark.tip_uv)), QPointF(*to_px(mark.entry_uv))
    front, back = (QPointF(*to_px(uv)) for uv in mark.active_uv)
    d_tip, d_entry = mark.tip_distance_mm, mark.entry_distance_mm
    length = _length(tip, entry)
    if length > 1.0:
        share = [_length(entry, p) / length for p in (back, front)]
        d_back, d_front = (d_entry + s * (d_tip - d_entry) for s in share)
        wider = 1.2 if selected else 1.0
        _fading(painter, entry, tip, d_entry, d_tip, QColor(style.halo), style.shaft_px * wider + 2.2)
        _fading(painter, entry, tip, d_entry, d_tip, colour, style.shaft_px * wider)
        _fading(painter, back, front, d_back, d_front, QColor(style.halo), style.active_px * wider + 2.0)
        _fading(painter, back, front, d_back, d_front, colour, style.active_px * wider)
    painter.setOpacity(mark.strength)
    painter.setPen(QPen(QColor(style.halo), 1.0))
    painter.setBrush(colour)
    if mark.crossing_uv is not None:
        painter.drawEllipse(QPointF(*to_px(mark.crossing_uv)), 4.5, 4.5)
    painter.setOpacity(1.0)
    _draw_number(painter, mark, to_px, look, selected=selected, locked=locked)


def draw_outside(painter: QPainter, mark: ProbeMark, to_px: ToPx, px_per_mm: float, look: Theme) -> None:
    """Draw the thin begin of the shaft outside the skin, and the square at the entry."""
    tip, entry = QPointF(*to_px(mark.tip_uv)), QPointF(*to_px(mark.entry_uv))
    length = _length(tip, entry)
    colour = QColor(look.probes.colour(mark.index))
    if length > 1.0:
        # The part outside is foreshortened as the part inside is.
        true_mm = (length**2 / px_per_mm**2 + (mark.tip_distance_mm - mark.entry_distance_mm) ** 2) ** 0.5
        far = entry + (entry - tip) * (OUTSIDE_MM / true_mm)
        slope = (mark.entry_distance_mm - mark.tip_distance_mm) / true_mm
        d_far = mark.entry_distance_mm + OUTSIDE_MM * slope
        _fading(painter, far, entry, d_far, mark.entry_distance_mm, colour, 1.3)
    painter.setOpacity(strength_at(mark.entry_distance_mm))
    painter.setPen(QPen(QColor(look.probes.halo), 3.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    box = QRectF(entry.x() - 3.5, entry.y() - 3.5, 7.0, 7.0)
    painter.drawRect(box)
    painter.setPen(QPen(colour, 1.4))
    painter.drawRect(box)
    painter.setOpacity(1.0)


def draw_grips(painter: QPainter, spots: Sequence[GripSpot], look: Theme, hovered: Grip | None) -> None:
    """Draw what can be grabbed: a ring at the tip, a square at the entry, a diamond for the whole."""
    style = look.probes
    colours = {Grip.TIP: style.grip_tip, Grip.ENTRY: style.grip_entry, Grip.WHOLE: style.grip_whole}
    for spot in spots:
        x, y = spot.at_px
        path = QPainterPath()
        r = GRIP_PX + (1.5 if spot.kind is hovered else 0.0)
        if spot.kind is Grip.TIP:
            path.addEllipse(QPointF(x, y), r, r)
        elif spot.kind is Grip.ENTRY:
            path.addRect(QRectF(x - r, y - r, 2 * r, 2 * r))
        else:
            path.moveTo(x, y - 1.25 * r)
            path.lineTo(x + 1.25 * r, y)
            path.lineTo(x, y + 1.25 * r)
            path.lineTo(x - 1.25 * r, y)
            path.closeSubpath()
        colour = QColor(colours[spot.kind])
        fill = QColor(colour)
        fill.setAlphaF(0.55 if spot.kind is hovered else 0.18)
        painter.setPen(QPen(QColor(style.halo), 4.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setPen(QPen(colour, 2.0))
        painter.setBrush(fill)
        painter.drawPath(path)


def draw_placing(
    painter: QPainter, tip: Pair, entry: Pair | None, look: Theme, *, on_skin: bool, length_text: str
) -> None:
    """Draw the probe that is being placed: the tip, and the line to the skin that follows the mouse."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    colour = QColor(look.probes.selected)
    if entry is not None:
        for pen in (QPen(QColor(look.probes.halo), 4.0), QPen(colour, 2.0, Qt.PenStyle.DashLine)):
            painter.setPen(pen)
            painter.drawLine(QPointF(*tip), QPointF(*entry))
        if on_skin:
            painter.setPen(QPen(QColor(look.probes.grip_entry), 2.0))
            painter.drawRect(QRectF(entry[0] - 6, entry[1] - 6, 12, 12))
        write(painter, entry[0] + 12, entry[1] - 12, length_text, look, px=TEXT_PX, bold=True)
    painter.setPen(QPen(QColor(look.probes.halo), 4.0))
    painter.drawEllipse(QPointF(*tip), 6, 6)
    painter.setPen(QPen(QColor(look.probes.grip_tip), 2.0))
    painter.drawEllipse(QPointF(*tip), 6, 6)


def draw_thermocouple(painter: QPainter, at: Pair, name: str, strength: float, look: Theme) -> None:
    """Draw a virtual thermometer: a small plus and its name."""
    painter.setOpacity(strength)
    x, y = at
    for pen in (QPen(QColor("#000000"), 4.0), QPen(QColor(look.marks.thermocouple), 2.0)):
        painter.setPen(pen)
        painter.drawLine(QPointF(x - 5, y), QPointF(x + 5, y))
        painter.drawLine(QPointF(x, y - 5), QPointF(x, y + 5))
    write(painter, x + 7, y - 6, name, look, px=SMALL_PX, colour=look.marks.thermocouple)
    painter.setOpacity(1.0)


def draw_furniture(painter: QPainter, size: Pair, what: Furniture, look: Theme) -> None:
    """Draw title, position, letters, scale bar and legend around a picture."""
    wide, high = size
    left, right, top, bottom = what.letters
    letters = look.marks.letters
    write(painter, _EDGE, 20, what.title, look, px=TEXT_PX, bold=True)
    if wide > 300:
        write(painter, _EDGE, 37, what.window, look, px=SMALL_PX, colour=look.dark.text_muted)
    write(painter, wide - _EDGE, 20, what.place, look, px=TEXT_PX, align=1.0)
    write(painter, _EDGE, high / 2 + 6, left, look, px=LETTER_PX, bold=True, colour=letters)
    write(
        painter, wide - _EDGE, high / 2 + 6, right, look, px=LETTER_PX, bold=True, colour=letters, align=1.0
    )
    write(painter, wide / 2, 24, top, look, px=LETTER_PX, bold=True, colour=letters, align=0.5)
    write(painter, wide / 2, high - 10, bottom, look, px=LETTER_PX, bold=True, colour=letters, align=0.5)
    _draw_scale(painter, high, what.scale, look)
    if what.key:
        _draw_key(painter, size, what, look)
    if what.warning:
        _draw_warning(painter, wide, what.warning, look)
    if what.focused:
        painter.setPen(QPen(QColor(look.dark.accent), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(0.5, 0.5, wide - 1.0, high - 1.0))


def write(
    painter: QPainter,
    x: float,
    y: float,
    text: str,
    look: Theme,
    *,
    px: int,
    bold: bool = False,
    colour: str | None = None,
    align: float = 0.0,
) -> None:
    """Write at a baseline point, readable on white bone and on black air; `align` 0 left, 1 right of it."""
    font = _font(painter, px, bold=bold)
    painter.setFont(font)
    at = QPointF(x - align * QFontMetricsF(font).horizontalAdvance(text), y)
    painter.setPen(QColor(0, 0, 0, 200))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1)):
        painter.drawText(at + QPointF(dx, dy), text)
    painter.setPen(QColor(colour or look.marks.text))
    painter.drawText(at, text)


def _font(painter: QPainter, px: int, *, bold: bool) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(px)
    font.setBold(bold)
    return font


def _fading(
    painter: QPainter, a: QPointF, b: QPointF, d_a: float, d_b: float, colour: QColor, width: float
) -> None:
    """Draw a line whose strength follows its distance from the slice, `d_a` to `d_b` millimetres."""
    gradient = QLinearGradient(a, b)
    for n in range(_GRADIENT_STOPS):
        share = n / (_GRADIENT_STOPS - 1)
        stop = QColor(colour)
        stop.setAlphaF(colour.alphaF() * strength_at(d_a + share * (d_b - d_a)))
        gradient.setColorAt(share, stop)
    pen = QPen(QBrush(gradient), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawLine(a, b)


def _draw_number(
    painter: QPainter, mark: ProbeMark, to_px: ToPx, look: Theme, *, selected: bool, locked: bool
) -> None:
    """Write the probe's name beside its tip, away from the shaft, or beside where it crosses the slice."""
    tip, entry = to_px(mark.tip_uv), to_px(mark.entry_uv)
    along = (tip[0] - entry[0], tip[1] - entry[1])
    length = (along[0] ** 2 + along[1] ** 2) ** 0.5
    if length > 30.0:
        x, y = tip[0] + 16 * along[0] / length, tip[1] + 16 * along[1] / length
    else:
        x, y = to_px(mark.crossing_uv) if mark.crossing_uv is not None else tip
        x, y = x + 15, y - 9
    colour = look.probes.selected if selected else look.probes.colour(mark.index)
    painter.setOpacity(1.0 if selected else max(mark.strength, 0.5))
    write(painter, x, y + 5, mark.name, look, px=TEXT_PX + 1, bold=True, colour=colour, align=0.5)
    if locked:
        _draw_lock(painter, x + 12, y, colour)
    painter.setOpacity(1.0)


def _draw_lock(painter: QPainter, x: float, y: float, colour: str) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor("#000000"), 4.0), QPen(QColor(colour), 1.8)):
        painter.setPen(pen)
        painter.drawArc(QRectF(x, y - 6, 7, 9), 0, 180 * 16)
    painter.fillRect(QRectF(x - 2.5, y - 2, 12, 8.5), QColor("#000000"))
    painter.fillRect(QRectF(x - 1.5, y - 1, 10, 6.5), QColor(colour))


def _draw_scale(painter: QPainter, high: float, scale: tuple[float, str], look: Theme) -> None:
    length, label = scale
    x0, x1, y = _EDGE + 0.5, _EDGE + 0.5 + length, high - 14.5
    for pen in (QPen(QColor("#000000"), 4.0), QPen(QColor(look.marks.scale_bar), 1.5)):
        painter.setPen(pen)
        painter.drawLine(QPointF(x0, y), QPointF(x1, y))
        for x in (x0, x1):
            painter.drawLine(QPointF(x, y - 4), QPointF(x, y + 4))
    write(painter, x1 + 8, y + 4.5, label, look, px=SMALL_PX)


def _draw_key(painter: QPainter, size: Pair, what: Furniture, look: Theme) -> None:
    """Draw the key of the lines in the lower right corner; one column when the view is narrow."""
    font = _font(painter, SMALL_PX, bold=False)
    metrics = QFontMetricsF(font)
    sample, gap, row, pad = 24.0, 7.0, 18.0, 8.0
    width = max(
        [sample + gap + metrics.horizontalAdvance(s.label) for s in what.key]
        + [metrics.horizontalAdvance(what.shown)]
    )
    rows = len(what.key) + (1 if what.shown else 0)
    box = QRectF(0, 0, width + 2 * pad, rows * row + pad)
    box.moveBottomRight(QPointF(size[0] - _EDGE, size[1] - _EDGE))
    if box.height() > size[1] - 60 or box.width() > 0.6 * size[0]:
        return
    _chip(painter, box, look)
    y = box.top() + pad / 2 + row / 2
    if what.shown:
        painter.setFont(font)
        painter.setPen(QColor(look.marks.text))
        painter.drawText(QPointF(box.left() + pad, y + 4.5), what.shown)
        y += row
    for style in what.key:
        x = box.left() + pad
        painter.setPen(pen_of(style))
        painter.drawLine(QPointF(x, y), QPointF(x + sample, y))
        painter.setPen(QColor(look.marks.text))
        painter.setFont(font)
        painter.drawText(QPointF(x + sample + gap, y + 4.5), style.label)
        y += row


def _draw_warning(painter: QPainter, wide: float, text: str, look: Theme) -> None:
    font = _font(painter, TEXT_PX + 1, bold=True)
    width = QFontMetricsF(font).horizontalAdvance(text) + 22
    box = QRectF((wide - width) / 2, 36, width, 25)
    _chip(painter, box, look)
    painter.setPen(QPen(QColor(look.dark.warn), 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 5, 5)
    painter.setFont(font)
    painter.setPen(QColor(look.dark.warn))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _chip(painter: QPainter, box: QRectF, look: Theme) -> None:
    colour = QColor(look.marks.chip)
    colour.setAlphaF(look.marks.chip_opacity)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(box, 5, 5)


def _length(a: QPointF, b: QPointF) -> float:
    return float(((a.x() - b.x()) ** 2 + (a.y() - b.y()) ** 2) ** 0.5)
