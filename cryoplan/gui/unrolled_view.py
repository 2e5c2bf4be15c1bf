"""Unrolled view: the tumour's surface on an oval in the colours of its margin; a press goes there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from cryoplan.app.margin_shown import MarginShown
from cryoplan.core.geometry import Point, direction_words, distance_mm
from cryoplan.core.units import show_mm
from cryoplan.gui.margin_legend import class_colours, left_out_colour
from cryoplan.gui.parts import OUT_OF_DATE, palette, scaled_font
from cryoplan.gui.words import say
from cryoplan.margins.unrolled import LETTERS, to_map

EDGE_PX = 17
"""Room for the letters around the oval."""

STEP = 0.02
"""So far, of the height of the oval, an arrow key goes."""

MOST_MARKS = 5
"""Worst places that are marked, with the one at hand."""

MARK_PX = 7.5

NEAR_MM = 4.0
"""So near the surface the crosshair is drawn on the map; elsewhere it would seem to be where it is not."""


class UnrolledView(QWidget):
    """The map as a picture with letters and marks.

    Signals
    -------
    chosen : Point
        The place of the surface that was pressed or gone to with the arrow keys.
    """

    chosen = Signal(tuple)

    def __init__(self) -> None:
        super().__init__()
        self._shown: MarginShown | None = None
        self._image: QImage | None = None
        self._cursor_mm: Point | None = None
        self._place: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(say("Unrolled surface of the tumour"))

    def show_margin(self, shown: MarginShown | None) -> None:
        """Show margins, or none."""
        if shown is None or not shown.is_drawn_like(self._shown):
            self._shown = shown
            self._image = None if shown is None else _image_of(shown)
            self.setAccessibleDescription(say("" if shown is None else self._describe(shown)))
            self.update()

    def show_marks(self, cursor_mm: Point | None, place: int | None) -> None:
        """Show where the crosshair is, and which of the worst places is at hand."""
        if (cursor_mm, place) != (self._cursor_mm, self._place):
            self._cursor_mm, self._place = cursor_mm, place
            self.update()

    @property
    def image(self) -> QImage | None:
        """The cells as they are coloured, one pixel each; None without margins."""
        return self._image

    # Places -----------------------------------------------------------------------------------------

    def _oval(self) -> QRectF:
        width = min(self.width() - 2.0 * EDGE_PX, 2.0 * (self.height() - 2.0 * EDGE_PX))
        middle = QRectF(self.rect()).center()
        return QRectF(middle.x() - width / 2.0, middle.y() - width / 4.0, width, width / 2.0)

    def pixel_of(self, point_mm: Point) -> QPointF:
        """Return where a point of the patient is drawn."""
        assert self._shown is not None
        right, down = self._shown.unrolled.place_of(point_mm)
        oval = self._oval()
        return QPointF(oval.left() + right * oval.width(), oval.top() + down * oval.height())

    def _place_at(self, at: QPointF) -> tuple[float, float]:
        oval = self._oval()
        return (at.x() - oval.left()) / oval.width(), (at.y() - oval.top()) / oval.height()

    def words_at(self, at: QPointF) -> str:
        """Return margin and direction at a pixel, empty where nothing is shown."""
        if self._shown is None:
            return ""
        found, place = self._shown.unrolled, self._place_at(at)
        margin, point = found.margin_at(*place), found.point_at(*place)
        if margin is None or point is None:
            return ""
        words = direction_words(np.subtract(point, found.centre_mm))
        value = "no ice" if margin == -np.inf else show_mm(margin, signed=True)
        if found.left_out_at(*place):
            value = f"left out ({value})"
        stale = "" if self._shown.is_current else f"{OUT_OF_DATE}: "
        return f"{stale}{value}, {words}"

    # Events -----------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the place under the mouse."""
        self._go(*self._place_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow a drag, and show where a press would lead."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(*self._place_at(event.position()))
        hits = bool(self.words_at(event.position()))
        self.setCursor(Qt.CursorShape.PointingHandCursor if hits else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk over the surface with the arrow keys."""
        step = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
        }.get(Qt.Key(event.key()))  # fmt: skip
        if step is None or self._shown is None or event.modifiers():
            super().keyPressEvent(event)
            return
        start = self._cursor_mm or self._shown.places[0].point_mm
        right, down = self._shown.unrolled.place_of(start)
        self._go(right + step[0] * STEP / 2.0, down + step[1] * STEP)

    def event(self, event: QEvent) -> bool:
        """Say the margin under the mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.words_at(QPointF(event.pos()))
            if words:
                QToolTip.showText(event.globalPos(), say(f"{words}. A press goes there."), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _go(self, right: float, down: float) -> None:
        point = self._shown.unrolled.point_at(right, down) if self._shown is not None else None
        if point is not None:
            self.chosen.emit(point)

    # Looks ------------------------------------------------------------------------------------------

    def hasHeightForWidth(self) -> bool:
        """The oval is twice as wide as high."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height that the oval and its letters take."""
        return (width - 2 * EDGE_PX) // 2 + 2 * EDGE_PX

    def sizeHint(self) -> QSize:
        """Fit a panel."""
        return QSize(278, self.heightForWidth(278))

    def minimumSizeHint(self) -> QSize:
        """Stay readable."""
        return QSize(180, self.heightForWidth(180))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw cells, rim, letters and marks."""
        shown, image = self._shown, self._image
        if shown is None or image is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, oval = palette(), self._oval()
        path = QPainterPath()
        path.addEllipse(oval)
        painter.fillPath(path, QColor(colours.canvas))
        painter.save()
        painter.setClipPath(path)
        painter.drawImage(oval, image)
        self._draw_lines(painter, oval)
        painter.restore()
        painter.setPen(QPen(QColor(colours.accent if self.hasFocus() else colours.text_muted), 1.0))
        painter.drawEllipse(oval)
        self._draw_letters(painter, oval, QColor(colours.text if shown.is_current else colours.stale))
        self._draw_marks(painter, shown)
        painter.end()

    def _draw_lines(self, painter: QPainter, oval: QRectF) -> None:
        """Draw the equator and the meridians of the four sides, thin, so that letters have their lines."""
        painter.setPen(QPen(QColor(0, 0, 0, 70), 1.0))
        middle = oval.center()
        painter.drawLine(QPointF(oval.left(), middle.y()), QPointF(oval.right(), middle.y()))
        painter.drawLine(QPointF(middle.x(), oval.top()), QPointF(middle.x(), oval.bottom()))
        half = QRectF(middle.x() - oval.width() / 4.0, oval.top(), oval.width() / 2.0, oval.height())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(half)

    def _draw_letters(self, painter: QPainter, oval: QRectF, colour: QColor) -> None:
        font = QFont(scaled_font(0.9, bold=True))
        painter.setFont(font)
        for letter, *direction in LETTERS:
            x, y = to_map(direction)
            at = QPointF(
                oval.center().x() + x * oval.width() / 2.0, oval.center().y() - y * oval.height() / 2.0
            )
            places = [at]
            if letter in "HF":
                places = [at + QPointF(0.0, -EDGE_PX / 2.0 if letter == "H" else EDGE_PX / 2.0)]
            elif letter == "P":  # the back is at both rims
                places = [
                    QPointF(oval.left() - EDGE_PX / 2.0, oval.center().y()),
                    QPointF(oval.right() + EDGE_PX / 2.0, oval.center().y()),
                ]
            for place in places:
                box = QRectF(place.x() - 8.0, place.y() - 8.0, 16.0, 16.0)
                if letter in "ARL":
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(QColor(0, 0, 0, 120))
                    painter.drawEllipse(box.adjusted(1.0, 1.0, -1.0, -1.0))
                    painter.setPen(QColor("#ffffff"))
                else:
                    painter.setPen(colour)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, say(letter))

    def _draw_marks(self, painter: QPainter, shown: MarginShown) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setFont(scaled_font(0.8, bold=True))
        marked = {*range(MOST_MARKS), *([] if self._place is None else [self._place])}
        for number, place in reversed(list(enumerate(shown.places))):
            if number not in marked:
                continue
            at, is_here = self.pixel_of(place.point_mm), number == self._place
            painter.setBrush(QColor("#ffffff" if is_here else "#000000"))
            painter.setPen(QPen(QColor("#000000" if is_here else "#ffffff"), 1.6))
            painter.drawEllipse(at, MARK_PX, MARK_PX)
            box = QRectF(at.x() - 10.0, at.y() - 10.0, 20.0, 20.0)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, say(str(number + 1)))
        is_at_place = self._place is not None and self._cursor_mm == shown.places[self._place].point_mm
        if self._cursor_mm is not None and not is_at_place and self._is_on_surface(self._cursor_mm):
            at = self.pixel_of(self._cursor_mm)
            for colour, width in (("#000000", 3.0), ("#ffffff", 1.2)):
                painter.setPen(QPen(QColor(colour), width))
                for dx, dy in ((6.0, 0.0), (0.0, 6.0)):
                    painter.drawLine(at - QPointF(dx, dy), at + QPointF(dx, dy))

    def _is_on_surface(self, point_mm: Point) -> bool:
        assert self._shown is not None
        found = self._shown.unrolled
        there = found.point_at(*found.place_of(point_mm))
        return there is not None and distance_mm(there, point_mm) < NEAR_MM

    def _describe(self, shown: MarginShown) -> str:
        if not shown.places:
            return ""
        worst = shown.places[0]
        value = "no ice" if worst.margin_mm == -np.inf else show_mm(worst.margin_mm, signed=True)
        return f"Worst place {value}, {worst.direction}. Arrow keys walk over the surface."


def _image_of(shown: MarginShown) -> QImage:
    """Return one pixel for each cell; clear where nothing is shown."""
    found = shown.unrolled
    table = [QColor(c).getRgb()[:3] for c in (*class_colours(shown), left_out_colour(shown))]
    seen = ~np.isnan(found.signed_mm)
    of = shown.classes.of(np.where(seen, found.signed_mm, 0.0))
    of = np.where(found.left_out, len(shown.classes), of)
    pixels = np.zeros((*of.shape, 4), np.uint8)
    pixels[..., :3] = np.asarray(table, np.uint8)[of]
    pixels[..., 3] = np.where(seen, 255, 0)
    rows, columns = of.shape
    data = np.ascontiguousarray(pixels)
    # The image is copied: the array does not outlive this function.
    return QImage(data.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()
