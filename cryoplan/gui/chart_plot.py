"""Chart plot: the drawn part of a chart, and the cursor that names the nearest series."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from cryoplan.gui.chart_axis import round_ticks, show_number
from cryoplan.gui.chart_legend import series_pen
from cryoplan.gui.chart_series import Content, FloatArray, Kind, Series
from cryoplan.gui.parts import OUT_OF_DATE, palette, scaled_font, tone_colour
from cryoplan.gui.words import say
from cryoplan.scene.style import theme

TICK_PX, TICK_HIGH_PX = 44, 30
"""Least room between ticks along x and y."""

KEY_STEPS = 100
"""Steps of an arrow key from one end of the x axis to the other."""


class Plot(QWidget):
    """Axes, bands, levels, series and the read-out of one chart.

    Signals
    -------
    pressed : float, str
        A place on the x axis, and the name of the nearest series.
    """

    pressed = Signal(float, str)

    def __init__(self, least_px: int) -> None:
        super().__init__()
        self._content = Content()
        self._shown: tuple[Series, ...] = ()
        self._least_px = least_px
        self._cursor: QPointF | None = None
        self._chosen = ""
        self._mark: tuple[float, str] | None = None
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)
        self._room = QRectF(0.0, 0.0, 1.0, 1.0)
        self.readout = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(least_px)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Return the size in a narrow panel."""
        return QSize(278, self._least_px)

    def show_content(self, content: Content, shown: tuple[Series, ...]) -> None:
        """Show these series of a content."""
        self._content, self._shown = content, shown
        self._measure()
        self._read()
        self.update()

    def set_mark(self, x: float | None, label: str) -> None:
        """Draw an upright line at `x`."""
        mark = None if x is None else (x, label)
        if mark != self._mark:
            self._mark = mark
            self.update()

    # places

    def _measure(self) -> None:
        content, shown = self._content, self._shown
        x = np.concatenate([s.x for s in shown]) if shown else np.zeros(0)
        y = np.concatenate([s.corners()[1] for s in shown]) if shown else np.zeros(0)
        heights = [*y.tolist(), *(v.at for v in content.levels if not v.upright and shown)]
        places = [*x.tolist(), *(v for b in content.bands for v in (b.first, b.last))]
        metrics = QFontMetrics(scaled_font(0.85))
        line = metrics.height()
        top, bottom = line + 7.0, 2.0 * line + 6.0
        high = max(1.0, self.height() - top - bottom)
        self._x = content.x.span(places, max(1, int(self.width() / TICK_PX)))
        self._y = content.y.span(heights, max(1, int(high / TICK_HIGH_PX)))
        ticks, step = round_ticks(*self._y, max(1, int(high / TICK_HIGH_PX)))
        left = max((metrics.horizontalAdvance(say(show_number(t, step))) for t in ticks), default=10) + 8.0
        self._room = QRectF(left, top, max(1.0, self.width() - left - 8.0), high)

    def to_px(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return pixels of points in data units."""
        content, room = self._content, self._room
        across = (np.asarray(x, float) - self._x[0]) / (self._x[1] - self._x[0])
        up = (np.asarray(y, float) - self._y[0]) / (self._y[1] - self._y[0])
        across = 1.0 - across if content.x.reverse else across
        up = 1.0 - up if content.y.reverse else up
        return room.left() + across * room.width(), room.bottom() - up * room.height()

    def x_at(self, px: float) -> float:
        """Return the place on the x axis of a pixel, within the axis."""
        share = min(max((px - self._room.left()) / self._room.width(), 0.0), 1.0)
        share = 1.0 - share if self._content.x.reverse else share
        return self._x[0] + share * (self._x[1] - self._x[0])

    def nearest(self, at: QPointF) -> Series | None:
        """Return the series that is drawn nearest to a place, None when there is none."""
        found, least = None, float("inf")
        for series in self._shown:
            px, py = self.to_px(*series.corners())
            if len(px) == 0:
                continue
            x0, y0 = px[:-1], py[:-1]
            dx, dy = np.diff(px), np.diff(py)
            long = np.maximum(dx * dx + dy * dy, 1e-12)
            along = np.clip(((at.x() - x0) * dx + (at.y() - y0) * dy) / long, 0.0, 1.0)
            gaps = np.hypot(at.x() - x0 - along * dx, at.y() - y0 - along * dy)
            gaps = gaps[np.isfinite(gaps)]
            gap = float(gaps.min()) if len(gaps) else float(np.hypot(at.x() - px[0], at.y() - py[0]))
            if gap < least:
                found, least = series, gap
        return found

    def point_at(self, x: float, series: Series) -> QPointF:
        """Return where a series is drawn at `x`."""
        px, py = self.to_px(np.array([x]), np.array([series.at(x)]))
        return QPointF(float(px[0]), float(py[0]))

    # the cursor

    def _read(self) -> None:
        """Say what is under the cursor."""
        content = self._content
        self.readout, series = "", self._named()
        if self._cursor is not None and series is not None:
            x = self.x_at(self._cursor.x())
            y = series.at(x)
            step_x = (self._x[1] - self._x[0]) / 200.0
            place = content.x.show(x, step_x)
            value = (
                content.y.show(y, (self._y[1] - self._y[0]) / 1000.0) if np.isfinite(y) else "no value here"
            )
            old = f"{OUT_OF_DATE.lower()}: " if content.stale else ""
            self.readout = f"{old}{series.name}: {value} at {place}"
        self.setToolTip("")
        if self._cursor is not None and self.hasFocus():
            self.setAccessibleDescription(say(self.readout))

    def _named(self) -> Series | None:
        if self._cursor is None:
            return None
        if self._chosen:
            return next((s for s in self._shown if s.name == self._chosen), None)
        return self.nearest(self._cursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse with the read-out."""
        self._chosen = ""
        self._cursor = event.position()
        self._read()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Take the read-out away."""
        super().leaveEvent(event)
        self._cursor = None
        self._read()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell where it was pressed."""
        if event.button() != Qt.MouseButton.LeftButton or not self._shown:
            super().mousePressEvent(event)
            return
        near = self.nearest(event.position())
        self.pressed.emit(self.x_at(event.position().x()), "" if near is None else near.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move the cursor, up and down choose the series, Return presses, Escape ends."""
        key = Qt.Key(event.key())
        shown = self._shown
        across = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key, 0)
        along = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(key, 0)
        if not shown or not (across or along or key in (Qt.Key.Key_Return, Qt.Key.Key_Escape)):
            super().keyPressEvent(event)
            return
        room = self._room
        if key == Qt.Key.Key_Escape:
            if self._cursor is None:
                super().keyPressEvent(event)
                return
            self._cursor = None
        elif self._cursor is None:
            self._cursor, self._chosen = room.center(), shown[0].name
        elif key == Qt.Key.Key_Return:
            self.pressed.emit(self.x_at(self._cursor.x()), getattr(self._named(), "name", ""))
        else:
            names = [s.name for s in shown]
            old = self._named()
            place = names.index(old.name) if old is not None else 0
            self._chosen = names[(place + along) % len(names)]
            x = self._cursor.x() + across * room.width() / KEY_STEPS
            self._cursor = QPointF(min(max(x, room.left()), room.right()), self._cursor.y())
        self._read()
        self.update()

    # drawing

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Measure anew."""
        super().resizeEvent(event)
        self._measure()

    def changeEvent(self, event: QEvent) -> None:
        """Follow another look or text size."""
        super().changeEvent(event)
        if hasattr(self, "_room"):
            self._measure()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw everything."""
        del event
        content = self._content
        painter = QPainter(self)
        painter.setFont(scaled_font(0.85))
        if not self._shown:
            painter.setPen(tone_colour("muted"))
            said = "All are hidden." if content.series else content.empty
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(8, 8, -8, -8), int(flags), say(said))
            self._frame(painter)
            return
        for band in content.bands:
            self._band(painter, band.first, band.last, band.colour, band.label)
        self._ticks(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.setClipRect(self._room.adjusted(-1.0, -2.0, 1.0, 2.0))
        named = self._named()
        for series in self._shown:
            self._series(painter, series, wider=1.0 if named is series else 0.0)
        painter.restore()
        for level in content.levels:
            self._level(painter, level.at, level.label, level.upright, level.colour, level.dash)
        if self._mark is not None:
            self._level(painter, self._mark[0], self._mark[1], True, palette().text, ())
        self._head(painter)
        if named is not None and self._cursor is not None:
            self._spot(painter, named, self._cursor)
        if self.hasFocus():
            painter.setPen(QPen(QColor(palette().accent), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _frame(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(palette().border), 1.0))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _band(self, painter: QPainter, first: float, last: float, colour: str, label: str) -> None:
        ends, _ = self.to_px(np.array([first, last]), np.array([0.0, 0.0]))
        ground = QColor(theme().stale.line if self._content.stale else colour)
        ground.setAlphaF(0.16)
        left, right = float(ends.min()), float(ends.max())
        box = QRectF(left, self._room.top(), right - left, self._room.height()).intersected(self._room)
        painter.fillRect(box, ground)
        if label and QFontMetrics(painter.font()).horizontalAdvance(say(label)) < box.width() - 4.0:
            painter.setPen(tone_colour("muted"))
            painter.drawText(
                box.adjusted(3, 1, -2, -2),
                int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft),
                say(label),
            )

    def _ticks(self, painter: QPainter) -> None:
        room, metrics = self._room, QFontMetrics(painter.font())
        line = metrics.height()
        grid, text = QPen(QColor(palette().border), 1.0), tone_colour("muted")
        ticks, step = round_ticks(*self._y, max(1, int(room.height() / TICK_HIGH_PX)))
        for tick in ticks:
            _, py = self.to_px(np.zeros(1), np.array([tick]))
            y = round(float(py[0]))
            painter.setPen(grid)
            painter.drawLine(round(room.left()), y, round(room.right()), y)
            painter.setPen(text)
            box = QRectF(0.0, y - line / 2.0, room.left() - 4.0, line)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, int(flags), say(show_number(tick, step)))
        ticks, step = round_ticks(*self._x, max(1, int(room.width() / TICK_PX)))
        for tick in ticks:
            px, _ = self.to_px(np.array([tick]), np.zeros(1))
            x = round(float(px[0]))
            painter.setPen(grid)
            painter.drawLine(x, round(room.bottom()), x, round(room.bottom()) + 3)
            word = show_number(tick, step)
            wide = metrics.horizontalAdvance(say(word))
            # The outermost numbers stay in the picture.
            left = min(max(x - wide / 2.0, 0.0), self.width() - wide)
            painter.setPen(text)
            painter.drawText(QPointF(left, room.bottom() + 3.0 + metrics.ascent()), say(word))
        painter.setPen(text)
        title = metrics.elidedText(
            say(self._content.x.label), Qt.TextElideMode.ElideRight, round(room.width())
        )
        painter.drawText(
            QRectF(room.left(), room.bottom() + 3.0 + line, room.width(), line),
            int(Qt.AlignmentFlag.AlignHCenter),
            say(title),
        )
        painter.setPen(grid)
        painter.drawRect(room.toRect())

    def _series(self, painter: QPainter, series: Series, *, wider: float) -> None:
        stale = self._content.stale
        colour = theme().stale.line if stale else series.colour
        px, py = self.to_px(*series.corners())
        painter.setPen(series_pen(series, colour, wider=wider))
        for first, last in _runs(np.isfinite(px) & np.isfinite(py)):
            shape = QPolygonF([QPointF(x, y) for x, y in zip(px[first:last], py[first:last], strict=True)])
            if series.kind is Kind.BARS:
                ground = QColor(colour)
                ground.setAlphaF(0.45)
                painter.setBrush(ground)
                painter.drawPolygon(shape)
                painter.setBrush(Qt.BrushStyle.NoBrush)
            elif last - first == 1:
                painter.drawEllipse(shape[0], 1.5, 1.5)
            else:
                painter.drawPolyline(shape)

    def _level(
        self, painter: QPainter, at: float, label: str, upright: bool, colour: str, dash: tuple[float, ...]
    ) -> None:
        room = self._room
        low, high = self._x if upright else self._y
        if not low <= at <= high:
            return
        pen = QPen(QColor(theme().stale.line if self._content.stale else colour or palette().text_muted), 1.2)
        if dash:
            pen.setDashPattern([length / 1.2 for length in dash])
        painter.setPen(pen)
        px, py = self.to_px(np.array([at]), np.array([at]))
        metrics = QFontMetrics(painter.font())
        wide = metrics.horizontalAdvance(say(label))
        # On whole pixels and sharp: a limit is one line, not two faint ones.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if upright:
            x = float(round(px[0]))
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
            left = x + 3.0 if x + 3.0 + wide <= room.right() else x - 3.0 - wide
            place = QPointF(left, room.bottom() - metrics.descent() - 2.0)  # names of bands stand above
        else:
            y = float(round(py[0]))
            painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
            above = y - 3.0 if y - metrics.height() > room.top() else y + metrics.ascent() + 1.0
            place = QPointF(room.right() - wide - 3.0, above)
        painter.drawText(place, say(label))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _head(self, painter: QPainter) -> None:
        """Write the read-out, or what the y axis measures, above the plot."""
        content = self._content
        metrics = QFontMetrics(painter.font())
        box = QRectF(2.0, 0.0, self.width() - 4.0, self._room.top() - 3.0)
        left, right = int(Qt.AlignmentFlag.AlignLeft), int(Qt.AlignmentFlag.AlignRight)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        if self.readout:
            painter.setPen(tone_colour("stale" if content.stale else "text"))
            said = metrics.elidedText(say(self.readout), Qt.TextElideMode.ElideMiddle, round(box.width()))
            painter.drawText(box, left | middle, say(said))
            return
        painter.setPen(tone_colour("muted"))
        painter.drawText(box, left | middle, say(content.y.label))
        if content.stale:
            painter.setPen(tone_colour("warn"))
            painter.drawText(box, right | middle, say(OUT_OF_DATE))

    def _spot(self, painter: QPainter, series: Series, cursor: QPointF) -> None:
        x = self.x_at(cursor.x())
        spot = self.point_at(x, series)
        painter.setPen(QPen(QColor(palette().text_muted), 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(spot.x(), self._room.top()), QPointF(spot.x(), self._room.bottom()))
        if np.isfinite(spot.y()) and self._room.adjusted(-1, -2, 1, 2).contains(spot):
            painter.setPen(QPen(QColor(palette().text), 1.2))
            painter.setBrush(QColor(theme().stale.line if self._content.stale else series.colour))
            painter.drawEllipse(spot, 3.5, 3.5)


def _runs(good: FloatArray) -> list[tuple[int, int]]:
    """Return the first and last places of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
