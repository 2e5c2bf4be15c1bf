"""Tour: walks a new user through the desk on the built-in case, one card at a time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan.core.help_pages import Stop, tour_stops
from cryoplan.gui.parts import Text, palette, text_scaled
from cryoplan.gui.words import language, say

CARD_WIDTH = 330
GAP_PX = 10
RING_PX = 3


class Ring(QWidget):
    """A frame around what is spoken of; the mouse goes through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame."""
        del event
        painter = QPainter(self)
        painter.setPen(QPen(QColor(palette().accent), RING_PX))
        painter.drawRect(self.rect().adjusted(1, 1, -2, -2))


class Card(QFrame):
    """What is said at a stop, with the buttons to go on, back and away."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("tourCard")
        colours = palette()
        self.setStyleSheet(
            f"#tourCard {{ background: {colours.card}; border: 2px solid {colours.accent};"
            " border-radius: 8px; }"
        )
        self.setFixedWidth(text_scaled(CARD_WIDTH))
        self.count = Text("", "muted", scale=0.9)
        self.title = Text("", bold=True, scale=1.15, wrap=True)
        self.text = Text("", wrap=True)
        self.back = QPushButton(say("Back"))
        self.end = QPushButton(say("End tour"))
        self.on = QPushButton(say("Next"))
        self.on.setProperty("primary", True)
        row = QHBoxLayout()
        row.addWidget(self.end)
        row.addStretch(1)
        row.addWidget(self.back)
        row.addWidget(self.on)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(6)
        for part in (self.count, self.title, self.text):
            column.addWidget(part)
        column.addLayout(row)

    def say(self, stop: Stop, number: int, of: int) -> None:
        """Show a stop."""
        self.count.say(f"{number + 1} of {of}")
        # Already in the user's language: the tour is written in each.
        self.title.say(stop.title)
        self.text.say(stop.text)
        self.setAccessibleName(f"{stop.title}. {stop.text}")
        self.back.setEnabled(number > 0)
        self.on.setText(say("Next" if number < of - 1 else "Done"))
        self.layout().activate()
        self.resize(self.width(), self.layout().totalHeightForWidth(self.width()))


class Tour(QObject):
    """The tour of one window.

    Parameters
    ----------
    window : QWidget
        What the cards are drawn on.
    places : dict of str to callable
        What a stop may point at, by name: returns the widget.
    show_step : callable
        Shows a panel of the rail.
    """

    def __init__(
        self, window: QWidget, places: dict[str, Callable[[], QWidget]], show_step: Callable[[int], None]
    ) -> None:
        super().__init__(window)
        self._window, self._places, self._show_step = window, places, show_step
        self.stops = tour_stops(language())
        self.number = 0
        self.is_over = False
        self.ring = Ring(window)
        self.card = Card(window)
        self.card.on.clicked.connect(self.go_on)
        self.card.back.clicked.connect(self.go_back)
        self.card.end.clicked.connect(self.end)
        window.installEventFilter(self)
        self.card.installEventFilter(self)
        self._show()

    @Slot()
    def go_on(self) -> None:
        """Go to the next stop; after the last one the tour ends."""
        if self.number + 1 == len(self.stops):
            self.end()
        else:
            self.number += 1
            self._show()

    @Slot()
    def go_back(self) -> None:
        """Go to the stop before."""
        self.number = max(self.number - 1, 0)
        self._show()

    @Slot()
    def end(self) -> None:
        """End the tour; the desk stays as it is."""
        self.is_over = True
        self._window.removeEventFilter(self)
        for part in (self.card, self.ring):
            part.hide()
            part.deleteLater()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the window; Esc on the card ends the tour, Return presses its button."""
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._place()
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if watched is self.card and pressed:
            if event.key() == Qt.Key.Key_Escape:
                self.end()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                button = self._window.focusWidget()
                (button if button in (self.card.back, self.card.end) else self.card.on).click()
                return True
        return False

    def _show(self) -> None:
        stop = self.stops[self.number]
        if stop.step is not None:
            self._show_step(stop.step)
        self.card.say(stop, self.number, len(self.stops))
        self._place()
        for part in (self.ring, self.card):
            part.show()
            part.raise_()
        self.card.on.setFocus()

    def _place(self) -> None:
        """Put the ring around the widget and the card beside it, inside the window and off the widget."""
        widget = self._places[self.stops[self.number].at]()
        around = QRect(widget.mapTo(self._window, QPoint(0, 0)), widget.size())
        self.ring.setGeometry(around)
        room, card = self._window.rect().adjusted(8, 8, -8, -8), self.card.rect()
        beside = [
            QPoint(around.right() + GAP_PX, around.top()),
            QPoint(around.left() - GAP_PX - card.width(), around.top()),
            QPoint(around.left(), around.bottom() + GAP_PX),
            QPoint(around.left(), around.top() - GAP_PX - card.height()),
        ]
        for corner in beside:
            wanted = QRect(corner, card.size())
            wanted.moveTopLeft(
                QPoint(
                    max(room.left(), min(wanted.left(), room.right() - wanted.width())),
                    max(room.top(), min(wanted.top(), room.bottom() - wanted.height())),
                )
            )
            if room.contains(wanted) and not wanted.intersects(around):
                self.card.move(wanted.topLeft())
                return
        # It fills the window: then within it, below its middle.
        self.card.move(around.center() - card.center() + QPoint(0, around.height() // 4))
