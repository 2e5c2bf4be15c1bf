"""Slice paint: draws one slice view with QPainter, from what it is told and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
)

from cryoplan.gui.grips import PlacedGrip
from cryoplan.gui.slice_camera import Camera
from cryoplan.gui.slice_layers import Picture, Stroke
from cryoplan.gui.words import say
from cryoplan.plan.edits import Grip
from cryoplan.scene.contours import ProbeMark, scale_bar_mm, strength_at
from cryoplan.scene.style import LineStyle, theme

EDGE_PX = 10.0
GRIP_PX = 6.0
OUTSIDE_MM = 20.0
END_ON_PX = 30.0
SHADES = 9


def colour(name: str, opacity: float = 1.0) -> QColor:
    """Return ``#rrggbb`` with an opacity."""
    made = QColor(name)
    made.setAlphaF(min(max(opacity, 0.0), 1.0))
    return made


class SlicePainter:
    """Draws into one view; remembers every text it wrote, for screen readers."""

    def __init__(self, painter: QPainter, camera: Camera, size: QSizeF, font: QFont) -> None:
        self.p = painter
        self.camera = camera
        self.size = size
        self.font = font
        self.bold = _font(font, 1.0, bold=True)
        self.small = _font(font, 0.92)
        self.letter = _font(font, 1.25, bold=True)
        self.look = theme()
        self.written: list[str] = []
        self._labels: list[QRectF] = []
        self._below_titles_px = 0.0
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing
            | QPainter.RenderHint.TextAntialiasing
            | QPainter.RenderHint.SmoothPixmapTransform
        )

    def at(self, uv: tuple[float, float]) -> QPointF:
        """Return where a plane point is on the widget."""
        return self.camera.to_px(uv[0], uv[1], self.size)

    # The slice ----------------------------------------------------------------------------------------

    def image(self, picture: Picture) -> None:
        """Draw the grey image."""
        rect = picture.rect_mm
        corners = self.at((rect.left(), rect.top())), self.at((rect.right(), rect.bottom()))
        self.p.drawImage(QRectF(*corners), picture.image)

    def strokes(self, strokes: Sequence[Stroke]) -> None:
        """Draw lines given in plane millimetres, in pens of screen width."""
        p = self.p
        p.save()
        p.setTransform(self.camera.transform(self.size), True)
        p.setBrush(Qt.BrushStyle.NoBrush)
        # Widths in millimetres: a cosmetic pen would be thinner on screens of more dots an inch.
        scale = self.camera.mm_per_px
        for stroke in strokes:
            if stroke.filled > 0.0:
                p.fillPath(stroke.path, colour(stroke.style.colour, stroke.filled))
            if stroke.haloed:
                # Darkens white bone under a bright line; solid, so that dashes stay one line.
                p.setPen(_plain_pen(colour("#000000", 0.35), (stroke.style.width_px + 2.0) * scale))
                p.drawPath(stroke.path)
        for stroke in strokes:
            p.setPen(_pen(stroke.style, stroke.opacity, scale))
            p.drawPath(stroke.path)
        p.restore()

    def crosshair(self, u_mm: float, v_mm: float) -> None:
        """Draw the thin lines through the cursor, open in the middle so that they hide nothing."""
        at = self.at((u_mm, v_mm))
        # On whole pixels a thin line is thin.
        x, y = np.floor(at.x()) + 0.5, np.floor(at.y()) + 0.5
        w, h, gap = self.size.width(), self.size.height(), 9.0
        self.p.setPen(QPen(colour(self.look.marks.crosshair, self.look.marks.crosshair_opacity), 1.0))
        for a, b in (
            ((0.0, y), (x - gap, y)),
            ((x + gap, y), (w, y)),
            ((x, 0.0), (x, y - gap)),
            ((x, y + gap), (x, h)),
        ):
            if a[0] <= b[0] and a[1] <= b[1]:
                self.p.drawLine(QPointF(*a), QPointF(*b))

    # Probes -------------------------------------------------------------------------------------------

    def probe(self, mark: ProbeMark, *, selected: bool, locked: bool, named: bool = True) -> None:
        """Draw a probe: shaft, lit active zone, tip beyond it, entry, number; fainter where off the slice."""
        style = self.look.probes
        tip, entry = self.at(mark.tip_uv), self.at(mark.entry_uv)
        ends = mark.entry_distance_mm, mark.tip_distance_mm
        ink = style.colour(mark.index)
        length = _length(tip - entry)
        end_on = length < END_ON_PX
        if length > 1.0:
            along = (tip - entry) / length
            # Foreshortened outside the skin as it is inside.
            depth = float(np.hypot(length * self.camera.mm_per_px, ends[1] - ends[0]))
            beyond = OUTSIDE_MM / depth
            outside = entry - (tip - entry) * beyond
            far = ends[0] - (ends[1] - ends[0]) * beyond
            front, back = (self.at(uv) for uv in mark.active_uv)
            shares = [_length(p - entry) / length for p in (back, front)]
            d_back, d_front = (ends[0] + s * (ends[1] - ends[0]) for s in shares)
            self._fading(outside, entry, far, ends[0], ink, 1.2)
            for wider, shade in ((2.2, style.halo), (0.0, ink)):
                self._fading(entry, tip, ends[0], ends[1], shade, style.shaft_px + wider)
            for wider, shade in ((2.2, style.halo), (0.0, style.active_3d)):
                self._fading(back, front, d_back, d_front, shade, style.active_px + wider)
            self._dot(tip, 3.2, ink, strength_at(ends[1]))
            self._square(entry, 2.8, ink, strength_at(ends[0]))
        else:
            along = QPointF(1.0, -0.35)
        if not named:
            return
        strength = 1.0 if selected else max(mark.strength, 0.65)
        if mark.crossing_uv is not None and (end_on or min(abs(ends[0]), abs(ends[1])) > 2.0):
            here = self.at(mark.crossing_uv)
            self._dot(here, 4.6 if end_on else 3.2, ink, 1.0)
            if end_on:
                self.number(here, QPointF(1.0, -0.35), mark.name, ink, selected=selected, locked=locked)
                return
        # Beyond the tip the number lies where one looks, and clear of the grips.
        toward = QPointF(1.0, -0.35) if end_on else along
        self.number(tip, toward, mark.name, ink, opacity=strength, selected=selected, locked=locked)

    def grips(self, grips: Sequence[PlacedGrip], *, under_mouse: Grip | None, fill: float) -> None:
        """Draw tip circle, entry square and whole diamond of the selected probe, filled so far with dark."""
        style = self.look.probes
        edges = {Grip.TIP: style.grip_tip, Grip.ENTRY: style.grip_entry, Grip.WHOLE: style.grip_whole}
        for grip in grips:
            hot = grip.kind is under_mouse
            r = GRIP_PX + (1.5 if hot else 0.0)
            shape = QPainterPath()
            if grip.kind is Grip.TIP:
                shape.addEllipse(grip.at, r, r)
            elif grip.kind is Grip.ENTRY:
                shape.addRect(QRectF(grip.at.x() - r, grip.at.y() - r, 2 * r, 2 * r))
            else:
                corners = ((0, -1), (1, 0), (0, 1), (-1, 0))
                shape.addPolygon(QPolygonF([grip.at + QPointF(*d) * (r * 1.25) for d in corners]))
                shape.closeSubpath()
            edge = edges[grip.kind]
            self.p.setPen(QPen(colour(style.halo, 0.8), 4.4))
            self.p.setBrush(colour(edge, 0.85) if hot else colour(style.halo, fill))
            self.p.drawPath(shape)
            self.p.setPen(QPen(QColor(edge), 2.2))
            self.p.drawPath(shape)
        self.p.setBrush(Qt.BrushStyle.NoBrush)

    def ring(self, at: QPointF, radius_px: float) -> None:
        """Draw the outline of a brush, to be seen on bone and on air."""
        self.p.setBrush(Qt.BrushStyle.NoBrush)
        for ink, width in ((colour("#000000", 0.6), 2.6), (colour(self.look.marks.text, 0.95), 1.1)):
            self.p.setPen(QPen(ink, width))
            self.p.drawEllipse(at, radius_px, radius_px)

    def lasso(self, line: Sequence[QPointF]) -> None:
        """Draw the line of a lasso, and how it will be closed."""
        if len(line) < 2:
            return
        self.p.setBrush(colour(self.look.dark.accent, 0.12))
        self.p.setPen(QPen(colour(self.look.dark.accent, 0.95), 1.6))
        self.p.drawPolygon(QPolygonF(line))
        self.p.setBrush(Qt.BrushStyle.NoBrush)

    def thermocouple(self, u_mm: float, v_mm: float, name: str, strength: float) -> None:
        """Draw a virtual thermometer: a small triangle with its name, as in the report."""
        at = self.at((u_mm, v_mm))
        ink = self.look.marks.thermocouple
        shape = QPolygonF([at + QPointF(0.0, -4.5), at + QPointF(4.5, 3.5), at + QPointF(-4.5, 3.5)])
        self.p.setPen(QPen(colour(ink, strength), 1.6))
        self.p.setBrush(colour(self.look.probes.halo, 0.6 * strength))
        self.p.drawPolygon(shape)
        self.p.setBrush(Qt.BrushStyle.NoBrush)
        self.number(at, QPointF(1.0, 0.0), name, ink, opacity=max(strength, 0.5))

    def rubber(
        self,
        tip_uv: tuple[float, float],
        mouse_uv: tuple[float, float] | None,
        entry_uv: tuple[float, float] | None,
        label: str,
    ) -> None:
        """Draw the probe that is being placed: tip, line to the mouse, entry where it snaps to the skin."""
        style = self.look.probes
        tip = self.at(tip_uv)
        if mouse_uv is not None:
            pen = QPen(colour(style.selected, 0.75), 1.4)
            pen.setDashPattern([5.0, 4.0])
            self.p.setPen(pen)
            self.p.drawLine(tip, self.at(mouse_uv))
        if entry_uv is not None:
            entry = self.at(entry_uv)
            self._line(tip, entry, QPen(colour(style.halo, 0.55), style.shaft_px + 2.2))
            self._line(tip, entry, QPen(colour(style.selected), style.shaft_px))
            self._square(entry, GRIP_PX, style.grip_entry, 1.0)
            if _length(entry - tip) < 2.0 * END_ON_PX:
                label = ""  # foreshortened here: it is told where the line is seen
            height = QFontMetricsF(self.bold).height()
            box = QRectF(entry.x() + 11.0, entry.y() - 9.0 - height, 90.0, height)
            # Never beyond the edge of the view.
            box.moveLeft(min(box.left(), self.size.width() - 70.0))
            box.moveTop(max(box.top(), 4.0))
            if label:
                self.write(box, label, style.selected, Qt.AlignmentFlag.AlignLeft, self.bold)
        self._dot(tip, GRIP_PX, style.grip_tip, 1.0)

    def _line(self, a: QPointF, b: QPointF, pen: QPen) -> None:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        self.p.setPen(pen)
        self.p.drawLine(a, b)

    def _fading(
        self, a: QPointF, b: QPointF, a_off_mm: float, b_off_mm: float, ink: str, width: float
    ) -> None:
        """Draw a line whose strength follows its distance from the slice."""
        strong = [strength_at(a_off_mm + n / (SHADES - 1) * (b_off_mm - a_off_mm)) for n in range(SHADES)]
        if max(strong) - min(strong) < 0.01:
            self._line(a, b, QPen(colour(ink, strong[0]), width))
            return
        gradient = QLinearGradient(a, b)
        for n, strength in enumerate(strong):
            gradient.setColorAt(n / (SHADES - 1), colour(ink, strength))
        self._line(a, b, QPen(QBrush(gradient), width))

    def _dot(self, at: QPointF, radius: float, ink: str, opacity: float) -> None:
        self.p.setPen(QPen(colour(ink, opacity), 1.8))
        self.p.setBrush(colour(self.look.probes.halo, opacity))
        self.p.drawEllipse(at, radius, radius)
        self.p.setBrush(Qt.BrushStyle.NoBrush)

    def _square(self, at: QPointF, half: float, ink: str, opacity: float) -> None:
        self.p.setPen(QPen(colour(ink, opacity), 1.8))
        self.p.setBrush(colour(self.look.probes.halo, opacity))
        self.p.drawRect(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half))
        self.p.setBrush(Qt.BrushStyle.NoBrush)

    def number(
        self,
        at: QPointF,
        toward: QPointF,
        text: str,
        ink: str,
        *,
        opacity: float = 1.0,
        selected: bool = False,
        locked: bool = False,
    ) -> None:
        """Write a name beside a place, further on where another name is already; with a lock if locked."""
        metrics = QFontMetricsF(self.bold)
        width, height = metrics.horizontalAdvance(say(text)), metrics.height()
        step = toward / _length(toward)
        box = QRectF()
        # Numbers of neighbours that would lie on one another move on along the probe.
        for far in (17.0, 32.0, 47.0, 62.0):
            centre = at + step * (far + width / 4.0)
            box = QRectF(centre.x() - width / 2.0, centre.y() - height / 2.0, width, height)
            if not any(box.intersects(other) for other in self._labels):
                break
        self._labels.append(box)
        shown = self.look.probes.selected if selected else ink
        self.write(box, text, shown, Qt.AlignmentFlag.AlignCenter, self.bold, opacity=opacity)
        if locked:
            self._lock(QPointF(box.right() + 8.0, box.center().y()), shown, opacity)

    def keep_clear(self, box: QRectF) -> None:
        """Let no words of probes be written over a place."""
        self._labels.append(box)

    def beside(self, at: QPointF, text: str, ink: str, *, locked: bool = False) -> None:
        """Write a few words close to a place, on a side where no other words are."""
        metrics = QFontMetricsF(self.bold)
        width, height = metrics.horizontalAdvance(say(text)), metrics.height()
        right, left = at.x() + 9.0, at.x() - 9.0 - width
        room = QRectF(QPointF(0.0, 0.0), self.size)
        box = QRectF(right, at.y() - height / 2.0, width, height)
        for x, y in ((right, 0.0), (left, 0.0), (right, 1.1), (left, 1.1), (right, -1.1), (left, -1.1)):
            tried = QRectF(x, at.y() - height / 2.0 + y * height, width, height)
            if room.contains(tried) and not any(tried.intersects(other) for other in self._labels):
                box = tried
                break
        self._labels.append(box)
        self.write(box, text, ink, Qt.AlignmentFlag.AlignCenter, self.bold)
        if locked:
            self._lock(QPointF(box.right() + 8.0, box.center().y()), ink, 1.0)

    def _lock(self, at: QPointF, ink: str, opacity: float) -> None:
        body = QRectF(at.x() - 4.0, at.y() - 1.5, 8.0, 6.5)
        bow = QPainterPath()
        bow.moveTo(at.x() - 2.6, at.y() - 1.5)
        bow.arcTo(QRectF(at.x() - 2.6, at.y() - 6.0, 5.2, 6.0), 180.0, -180.0)
        bow.lineTo(at.x() + 2.6, at.y() - 1.5)
        for width, shade in ((3.6, self.look.probes.halo), (1.6, ink)):
            self.p.setPen(QPen(colour(shade, opacity), width))
            self.p.drawPath(bow)
            self.p.drawRect(body)
        self.p.fillRect(body, colour(ink, opacity))
        self.written.append("locked")

    # Texts --------------------------------------------------------------------------------------------

    def write(
        self, box: QRectF, text: str, ink: str, flags: Qt.AlignmentFlag, font: QFont, *, opacity: float = 1.0
    ) -> None:
        """Write a text that can be read on white bone and on black air."""
        self.p.setFont(font)
        self.p.setPen(colour("#000000", 0.8 * opacity))
        for dx, dy in ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (1.0, 1.0), (-1.0, 1.0)):
            self._draw_text(box.translated(dx, dy), flags, text)
        self.p.setPen(colour(ink, opacity))
        self._draw_text(box, flags, text)
        self.written.append(text)

    def titles(self, title: str, place: str, short_place: str) -> None:
        """Write the name of the view and where its slice is."""
        room = QRectF(EDGE_PX, 7.0, self.size.width() - 2 * EDGE_PX, QFontMetricsF(self.bold).height())
        ink = self.look.marks.text
        self.write(room, title, ink, Qt.AlignmentFlag.AlignLeft, self.bold)
        # The letter in the middle of the top edge keeps its place.
        if QFontMetricsF(self.font).horizontalAdvance(say(place)) > room.width() / 2.0 - 18.0:
            place = short_place
        self.write(room, place, ink, Qt.AlignmentFlag.AlignRight, self.font)

    def subtitle(self, text: str) -> None:
        """Write below the name what makes this picture more than one slice; it must not be missed."""
        metrics = QFontMetricsF(self.bold)
        height = metrics.height()
        box = QRectF(EDGE_PX, 9.0 + height, self.size.width() - 2.0 * EDGE_PX, height)
        self._below_titles_px = height
        text = metrics.elidedText(say(text), Qt.TextElideMode.ElideMiddle, box.width())
        self.write(box, text, self.look.probes.selected, Qt.AlignmentFlag.AlignLeft, self.bold)

    def letters(self, letters: tuple[str, str, str, str]) -> None:
        """Write the patient letters of the left, right, top and bottom edge."""
        room = QRectF(0.0, 0.0, self.size.width(), self.size.height()).adjusted(10.0, 6.0, -10.0, -6.0)
        a = Qt.AlignmentFlag
        places = (
            a.AlignLeft | a.AlignVCenter,
            a.AlignRight | a.AlignVCenter,
            a.AlignHCenter | a.AlignTop,
            a.AlignHCenter | a.AlignBottom,
        )
        for letter, place in zip(letters, places, strict=True):
            self.write(room, letter, self.look.marks.letters, place, self.letter)

    def scale_bar(self) -> None:
        """Draw the scale bar at the lower left, its length beside it."""
        length, label = scale_bar_mm(self.size.width() * self.camera.mm_per_px)
        x, y = EDGE_PX + 1.5, np.floor(self.size.height() - 16.0) + 0.5
        end = x + length / self.camera.mm_per_px
        bar = QPainterPath(QPointF(x, y - 4.0))
        for point in ((x, y + 4.0), (x, y), (end, y), (end, y - 4.0), (end, y + 4.0)):
            bar.lineTo(*point)
        for ink, width in (("#000000", 3.4), (self.look.marks.scale_bar, 1.5)):
            self.p.setPen(QPen(colour(ink), width))
            self.p.drawPath(bar)
        box = QRectF(end + 7.0, y - 10.0, 90.0, 20.0)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self.write(box, label, self.look.marks.text, flags, self.small)

    def footnote(self, text: str) -> None:
        """Write a small line above the scale bar."""
        height = QFontMetricsF(self.small).height()
        box = QRectF(EDGE_PX, self.size.height() - 27.0 - height, self.size.width() / 2.0, height)
        self.write(box, text, self.look.marks.text, Qt.AlignmentFlag.AlignLeft, self.small, opacity=0.85)

    def legend(self, title: str, lines: Sequence[LineStyle]) -> None:
        """Draw the key of the lines at the lower right."""
        metrics = QFontMetricsF(self.small)
        row = metrics.height() + 2.0
        widths = [metrics.horizontalAdvance(say(s.label)) + 34.0 for s in lines]
        width = max([metrics.horizontalAdvance(say(title)), *widths]) + 16.0
        rows = len(lines) + (1 if title else 0)
        box = QRectF(0.0, 0.0, width, rows * row + 10.0)
        box.moveBottomRight(QPointF(self.size.width() - 8.0, self.size.height() - 8.0))
        self.chip(box)
        y = box.top() + 5.0
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if title:
            here = QRectF(box.left() + 8.0, y, width, row)
            self.plain(here, title, self.look.dark.text_muted, left, self.small)
            y += row
        for style in lines:
            middle = y + row / 2.0
            self.p.setPen(_pen(style))
            self.p.drawLine(QPointF(box.left() + 8.0, middle), QPointF(box.left() + 34.0, middle))
            here = QRectF(box.left() + 42.0, y, width, row)
            self.plain(here, style.label, self.look.marks.text, left, self.small)
            y += row

    def banner(self, text: str) -> None:
        """Say at the bottom what the next click does."""
        height = QFontMetricsF(self.letter).height() + QFontMetricsF(self.bold).height()
        middle = QPointF(self.size.width() / 2.0, self.size.height() - 16.0 - height)
        self._note(text, middle, self.look.probes.selected, self.bold)

    def note(self, text: str, *, is_preview: bool = False) -> None:
        """Say below the upper letter what must not be missed: lines that are not the answer to this plan."""
        top = 8.0 + 2.1 * QFontMetricsF(self.letter).height() + self._below_titles_px
        middle = QPointF(self.size.width() / 2.0, top)
        self._note(text, middle, self.look.dark.preview if is_preview else self.look.dark.warn, self.bold)

    def hint(self, text: str) -> None:
        """Write in the middle of an empty view."""
        room = QRectF(QPointF(0.0, 0.0), self.size)
        self.plain(room, text, self.look.dark.text_muted, Qt.AlignmentFlag.AlignCenter, self.font)

    def _note(self, text: str, middle: QPointF, ink: str, font: QFont) -> None:
        metrics = QFontMetricsF(font)
        box = QRectF(0.0, 0.0, metrics.horizontalAdvance(say(text)) + 26.0, metrics.height() + 10.0)
        box.moveCenter(middle)
        self.chip(box, edge=ink)
        self.plain(box, text, ink, Qt.AlignmentFlag.AlignCenter, font)

    def plain(self, box: QRectF, text: str, ink: str, flags: Qt.AlignmentFlag, font: QFont) -> None:
        """Write a text on a chip."""
        self.p.setFont(font)
        self.p.setPen(QColor(ink))
        self._draw_text(box, flags, text)
        self.written.append(text)

    def _draw_text(self, box: QRectF, flags: Qt.AlignmentFlag, text: str) -> None:
        self.p.drawText(box, flags.value | Qt.TextFlag.TextDontClip.value, say(text))

    def chip(self, box: QRectF, edge: str | None = None) -> None:
        """Fill a dark chip behind words."""
        self.p.setPen(QPen(colour(edge, 0.9), 1.2) if edge is not None else Qt.PenStyle.NoPen)
        self.p.setBrush(colour(self.look.marks.chip, self.look.marks.chip_opacity))
        self.p.drawRoundedRect(box, 6.0, 6.0)
        self.p.setBrush(Qt.BrushStyle.NoBrush)


def _pen(style: LineStyle, opacity: float = 1.0, scale: float = 1.0) -> QPen:
    pen = _plain_pen(colour(style.colour, opacity), style.width_px * scale)
    if style.dash:
        pen.setDashPattern(style.qt_dash)
    return pen


def _plain_pen(ink: QColor, width: float) -> QPen:
    pen = QPen(ink, width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _font(font: QFont, scale: float, *, bold: bool = False) -> QFont:
    """Return a font in proportion to the widget's, which follows the system and the user."""
    made = QFont(font)
    made.setBold(bold)
    if font.pointSizeF() > 0.0:
        made.setPointSizeF(font.pointSizeF() * scale)
    else:
        made.setPixelSize(round(font.pixelSize() * scale))
    return made


def _length(v: QPointF) -> float:
    return float(np.hypot(v.x(), v.y()))
