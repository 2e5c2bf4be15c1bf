"""Margin bars view: the histogram of the margin in the colours of the tumour, with the limit as a line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from cryoplan.app.margin_shown import MarginShown
from cryoplan.core.units import show_percent
from cryoplan.gui.margin_legend import class_colours
from cryoplan.gui.parts import palette, scaled_font
from cryoplan.gui.words import say

LEFT, RIGHT, TOP, BELOW = 30.0, 8.0, 8.0, 30.0
HEIGHT = 116
TICKS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
LEAST_PX = 24.0
"""Between two ticks."""


class MarginBarsView(QWidget):
    """Bars over the margin in millimetres; the height is the share of the surface.

    The worst bars are on the left; everything left of the line at 0 is not covered.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: MarginShown | None = None
        self._limit_mm: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(say("Histogram of the margin"))

    def show_margin(self, shown: MarginShown | None, limit_mm: float | None) -> None:
        """Show the histogram of margins, or nothing, and the least margin that is wanted."""
        same = shown is not None and shown.is_drawn_like(self._shown) and limit_mm == self._limit_mm
        self._shown, self._limit_mm = shown, limit_mm
        if not same:
            words = [] if shown is None else zip(shown.classes.names, shown.bars.class_fraction, strict=True)
            self.setAccessibleDescription(
                say(", ".join(f"{name}: {show_percent(share)}" for name, share in words))
            )
            self.update()

    def sizeHint(self) -> QSize:
        """Fit a panel."""
        return QSize(278, HEIGHT)

    def words_at(self, x: float) -> str:
        """Return what the bar at a pixel means, empty beside the bars."""
        shown = self._shown
        if shown is None or shown.bars.no_ice:
            return ""
        edges, fraction = shown.bars.edges_mm, shown.bars.fraction.sum(axis=1)
        for n, share in enumerate(fraction):
            if self._x(edges[n]) <= x < self._x(edges[n + 1]):
                span = f"{edges[n]:g} to {edges[n + 1]:g} mm".replace("-", "\N{MINUS SIGN}")
                return f"{span}: {show_percent(float(share))} of the surface"
        return ""

    def event(self, event: QEvent) -> bool:
        """Say what the bar under the mouse means."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_at(float(event.pos().x())), self)
            return True
        return super().event(event)

    def _span(self) -> tuple[float, float]:
        """Return the margins at both ends; zero and the limit are always among them."""
        assert self._shown is not None
        edges = self._shown.bars.edges_mm
        marks = [0.0, *([] if self._limit_mm is None else [self._limit_mm])]
        low, high = min(edges[0], *marks), max(edges[-1], *marks)
        room = 0.02 * (high - low)
        return low - room, high + room

    def _x(self, margin_mm: float) -> float:
        low, high = self._span()
        return LEFT + (margin_mm - low) / (high - low) * (self.width() - LEFT - RIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw bars, axes and lines."""
        shown = self._shown
        if shown is None or shown.bars.no_ice:
            return
        painter = QPainter(self)
        colours, bars = palette(), shown.bars
        painter.setFont(scaled_font(0.85))
        floor = self.height() - BELOW
        most = float(bars.fraction.sum(axis=1).max())
        for n, row in enumerate(bars.fraction):
            x, right, y = self._x(bars.edges_mm[n]), self._x(bars.edges_mm[n + 1]), floor
            for share, colour in zip(row, class_colours(shown), strict=True):
                high = float(share) / most * (floor - TOP)
                box = QRectF(x, y - high, max(1.0, right - x - 1.0), high)
                painter.fillRect(box, QColor(colour))
                if share > 0.0 and colours.name == "light":  # pale bars are lost there without their rim
                    painter.setPen(QPen(QColor(colours.text_muted), 0.7))
                    painter.drawRect(box)
                y -= high
        text = QColor(colours.text_muted if shown.is_current else colours.stale)
        painter.setPen(QPen(text, 1.0))
        painter.drawLine(QPointF(LEFT, floor), QPointF(self.width() - RIGHT, floor))
        painter.drawText(
            QRectF(0.0, TOP - 6.0, LEFT - 4.0, 14.0),
            Qt.AlignmentFlag.AlignRight,
            say(f"{100.0 * most:.0f} %"),
        )
        self._draw_ticks(painter, floor)
        zero = QColor(colours.text if shown.is_current else colours.stale)
        self._draw_line(painter, 0.0, floor, zero, Qt.PenStyle.SolidLine)
        if self._limit_mm is not None and self._limit_mm != 0.0:
            tone = QColor(colours.warn if shown.is_current else colours.stale)
            self._draw_line(painter, self._limit_mm, floor, tone, Qt.PenStyle.DashLine)
        painter.end()

    def _draw_ticks(self, painter: QPainter, floor: float) -> None:
        low, high = self._span()
        px_per_mm = (self.width() - LEFT - RIGHT) / (high - low)
        step = next((s for s in TICKS if s * px_per_mm >= LEAST_PX), TICKS[-1])
        for n in range(int(low // step) + 1, int(high // step) + 1):
            x = self._x(n * step)
            painter.drawLine(QPointF(x, floor), QPointF(x, floor + 3.0))
            label = f"{n * step:g}".replace("-", "\N{MINUS SIGN}")
            painter.drawText(
                QRectF(x - 20.0, floor + 3.0, 40.0, 13.0), Qt.AlignmentFlag.AlignHCenter, say(label)
            )
        painter.drawText(
            QRectF(LEFT, floor + 15.0, self.width() - LEFT - RIGHT, 14.0),
            Qt.AlignmentFlag.AlignHCenter,
            say("margin, mm · height: share of the surface"),
        )

    def _draw_line(self, painter: QPainter, at_mm: float, floor: float, colour: QColor, dash) -> None:
        painter.setPen(QPen(colour, 1.4, dash))
        x = self._x(at_mm)
        painter.drawLine(QPointF(x, TOP - 4.0), QPointF(x, floor))
