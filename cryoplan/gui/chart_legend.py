"""Chart legend: one entry for each series, in as many columns as fit; a press hides or shows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from cryoplan.gui.chart_series import Series
from cryoplan.gui.parts import Later, palette, scaled_font, tone_colour
from cryoplan.gui.words import say
from cryoplan.scene.style import theme

ENTRY_PX = 128
"""Least width of an entry: at 278 pixels two stand side by side."""

SAMPLE_PX = 20


class Entry(QAbstractButton):
    """One series: a piece of its line and its name."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.series: Series | None = None
        self._stale = False

    def show_series(self, series: Series, *, hidden: bool, stale: bool) -> None:
        """Show a series."""
        self.series, self._stale = series, stale
        self.setChecked(not hidden)
        self.setAccessibleName(say(f"{series.name}, {'hidden' if hidden else 'shown'}"))
        what = "Press to show it." if hidden else "Press to hide it."
        self.setToolTip(say("\n".join(filter(None, (series.name, series.tip, what)))))
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of a line of text."""
        return QSize(ENTRY_PX, QFontMetrics(scaled_font(0.9)).height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sample of the line and the name; a hidden one is struck out."""
        del event
        if self.series is None:
            return
        painter = QPainter(self)
        shown = self.isChecked()
        if self.underMouse() or self.hasFocus():
            painter.fillRect(self.rect(), QColor(palette().card))
            if self.hasFocus():
                painter.setPen(QPen(QColor(palette().accent), 1.0))
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        middle = self.height() / 2.0
        if shown:
            colour = theme().stale.line if self._stale else self.series.colour
            painter.setPen(series_pen(self.series, colour))
            painter.drawLine(QPointF(2.0, middle), QPointF(SAMPLE_PX - 2.0, middle))
        font = scaled_font(0.9)
        font.setStrikeOut(not shown)
        painter.setFont(font)
        tone = "stale" if self._stale else "text" if shown else "muted"
        painter.setPen(tone_colour(tone))
        room = QRect(SAMPLE_PX + 3, 0, self.width() - SAMPLE_PX - 5, self.height())
        name = QFontMetrics(font).elidedText(self.series.name, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), name)


def series_pen(series: Series, colour: str, *, wider: float = 0.0) -> QPen:
    """Return the pen of a series."""
    width = series.width_px + wider
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if series.dash:
        pen.setDashPattern([length / width for length in series.dash])
    return pen


class Legend(QWidget):
    """All entries.

    Signals
    -------
    toggled : str
        The entry of this name was pressed.
    """

    toggled = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._shown = 0
        # A layout that is at work does not hear of another height: it is told when it has finished.
        self._fit = Later(self._take_height, self)
        self._height = 0
        self.setAccessibleName(say("Legend"))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_entries(self, series: Sequence[Series], hidden: Collection[str], *, stale: bool) -> None:
        """Show these; entries are kept, so that the one in focus keeps it."""
        while len(self.entries) < len(series):
            entry = Entry(self)
            entry.clicked.connect(self._press)
            self.entries.append(entry)
        for entry, one in zip(self.entries, series, strict=False):
            entry.show_series(one, hidden=one.name in hidden, stale=stale)
            entry.show()
        for entry in self.entries[len(series) :]:
            entry.hide()
        self._shown = len(series)
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the entries their places."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        columns = max(1, min(self._shown, self.width() // ENTRY_PX))
        width = self.width() // columns
        height = 0
        for n, entry in enumerate(self.entries[: self._shown]):
            height = entry.sizeHint().height()
            entry.setGeometry((n % columns) * width, (n // columns) * height, width, height)
        rows = -(-self._shown // columns)
        if rows * height != self._height:
            self._height = rows * height
            self._fit.ask()

    @Slot()
    def _take_height(self) -> None:
        self.setFixedHeight(self._height)

    @Slot()
    def _press(self) -> None:
        entry = self.sender()
        if isinstance(entry, Entry) and entry.series is not None:
            self.toggled.emit(entry.series.name)
