"""Colour button: the colours of the theme to choose from, for one probe."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QAction, QColor, QIcon, QPixmap
from PySide6.QtWidgets import QMenu, QPushButton

from cryoplan.gui.words import say
from cryoplan.plan.probe import MOST_COLOURS
from cryoplan.scene.style import theme

WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
SIDE_PX = 14


class ColourButton(QPushButton):
    """Shows a probe's colour; a press offers the others.

    Signals
    -------
    chosen : int or None
        Number of a colour of the theme, or None for that of the probe's place in the plan.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setIconSize(QSize(SIDE_PX, SIDE_PX))
        self.setFixedWidth(40)
        menu = QMenu(self)
        for number in range(MOST_COLOURS):
            action = QAction(_swatch(number), say(f"The {WORDS[number]} colour"), menu)
            action.setData(number)
            menu.addAction(action)
        menu.addSeparator()
        self.by_place = QAction(say("By its place in the plan"), menu)
        menu.addAction(self.by_place)
        menu.triggered.connect(self._choose)
        self.setMenu(menu)

    def show_colour(self, number: int, *, is_own: bool) -> None:
        """Show the colour of a probe; `is_own` tells whether somebody chose it."""
        self.setIcon(_swatch(number))
        self.by_place.setEnabled(is_own)
        self.setAccessibleName(say(f"Colour of the probe, the {WORDS[number % MOST_COLOURS]}"))
        self.setToolTip(say("Colour of the probe" + ("" if is_own else ", by its place in the plan")))

    @Slot(QAction)
    def _choose(self, action: QAction) -> None:
        self.chosen.emit(action.data())


def _swatch(number: int) -> QIcon:
    pixmap = QPixmap(SIDE_PX, SIDE_PX)
    pixmap.fill(QColor(theme().probes.colour(number)))
    return QIcon(pixmap)
