"""Parts: the few small widgets of all panels; texts with a tone, names that elide, frames to press."""

from __future__ import annotations

import re
from functools import lru_cache

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLayout,
    QSizePolicy,
    QWidget,
)

from cryoplan.core.finding import Level
from cryoplan.gui.appearance import TEXT_PX
from cryoplan.gui.words import say
from cryoplan.scene.style import Palette, theme

SIGNS = {Level.OK: "✓", Level.WARN: "!", Level.FAIL: "✕"}
"""Level without colour; the same three signs everywhere in the window."""

DASH = "–"
"""Stands where there is no number yet."""

STALE = "stale"

OUT_OF_DATE = "OUT OF DATE"


def palette() -> Palette:
    """Return the colours in use, told by the window colour that the theme has set."""
    dark, light = theme().dark, theme().light
    window = QApplication.palette().color(QPalette.ColorRole.Window)
    return light if window.lightness() > 128 else dark


@lru_cache(maxsize=64)
def _tone_colour(tone: str, palette_name: str) -> QColor:
    colours = theme().dark if palette_name == "dark" else theme().light
    names = {"muted": "text_muted"}
    return QColor(getattr(colours, names.get(tone, tone)))


def tone_colour(tone: str) -> QColor:
    """Return the colour of a tone: ``text``, ``muted``, ``ok``, ``warn``, ``fail``, ``stale``, ``accent``."""
    return _tone_colour(tone, palette().name)


def indicator_style() -> str:
    """Return a style by which boxes on and off differ in a dim room; Fusion's are nearly black on black."""
    colours = palette()
    return (
        f"QCheckBox::indicator, QRadioButton::indicator {{ width: 12px; height: 12px; "
        f"border: 1px solid {colours.text_muted}; background: {colours.panel}; }}"
        "QCheckBox::indicator { border-radius: 3px; } QRadioButton::indicator { border-radius: 7px; }"
        f"QCheckBox::indicator:checked, QRadioButton::indicator:checked {{ "
        f"background: {colours.accent}; }}"
        f"QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {colours.accent}; }}"
    )


def scaled_font(scale: float = 1.0, *, bold: bool = False) -> QFont:
    """Return the program's font in another size; follows the size that the user has set."""
    base = QApplication.font()
    font = QFont()
    if scale != 1.0:
        if base.pixelSize() > 0:
            font.setPixelSize(max(8, round(base.pixelSize() * scale)))
        else:
            font.setPointSizeF(base.pointSizeF() * scale)
    if bold:
        font.setBold(True)
    return font


def text_scaled(px: int) -> int:
    """Return a width made for text of the usual size, for the size that the user has set."""
    return round(px * max(1.0, QFontInfo(QApplication.font()).pixelSize() / TEXT_PX))


class Text(QLabel):
    """A label with a tone; setting what it says already costs nothing."""

    def __init__(
        self,
        text: str = "",
        tone: str = "text",
        *,
        scale: float = 1.0,
        bold: bool = False,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._scale, self._bold = scale, bold
        self._look: tuple[object, ...] = ()
        self._tone = tone
        self.setTextFormat(Qt.TextFormat.PlainText)
        # Within a button the colour role would be that of buttons.
        self.setForegroundRole(QPalette.ColorRole.WindowText)
        self.setWordWrap(wrap)
        if wrap:
            # A wrapped label may become as narrow as its panel; its height follows.
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.say(text, tone)

    @property
    def tone(self) -> str:
        """The tone in use."""
        return self._tone

    def say(self, text: str, tone: str | None = None, tip: str | None = None) -> None:
        """Show a text, and if given its tone and its tooltip."""
        text = self._said(text)
        if text != self.text():
            self.setText(text)
        self._tone = tone or self._tone
        look = (self._tone, palette().name, QApplication.font().key())
        if look != self._look:
            self._look = look
            self.setFont(scaled_font(self._scale, bold=self._bold))
            colours = QPalette(self.palette())
            # For all groups: a row that cannot be pressed is not a row that does not count.
            colours.setColor(QPalette.ColorRole.WindowText, tone_colour(self._tone))
            self.setPalette(colours)
        if tip is not None:
            tip = say(tip)
            if tip != self.toolTip():
                self.setToolTip(tip)

    def _said(self, text: str) -> str:
        """Return the text in the language of the window."""
        return say(text)


class Name(Text):
    """A name that is elided in the middle where it does not fit; the tooltip has all of it."""

    def __init__(self, text: str = "", tone: str = "text", **more) -> None:
        self._elided = ""
        super().__init__(text, tone, **more)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, text: str, tone: str | None = None, tip: str | None = None) -> None:
        """Show a name; its tooltip is the name unless another one is given."""
        super().say(text, tone, tip or text)
        self.setAccessibleName(text)
        self.update()

    def _said(self, text: str) -> str:
        # What somebody named is said as it was written.
        return text

    def minimumSizeHint(self) -> QSize:
        """Leave room for a few letters only."""
        return QSize(30, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the name, its middle left out where it is too long."""
        del event
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        shown = QFontMetrics(self.font()).elidedText(
            self.text(), Qt.TextElideMode.ElideMiddle, self.contentsRect().width()
        )
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)


class Heading(Text):
    """Small capitals above a section."""

    def __init__(self, text: str) -> None:
        super().__init__(say(text).upper(), "muted", scale=0.85, bold=True, wrap=True)
        self.setContentsMargins(0, 8, 0, 1)


class Press(QAbstractButton):
    """A frame that can be pressed by mouse and keyboard; its parts are in a layout.

    Parameters
    ----------
    framed : bool
        A card with a border; otherwise a row that shows a hairline below.
    """

    def __init__(self, *, framed: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._framed = framed
        self._selected = False
        self._edge = ""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def add(self, layout: QLayout) -> None:
        """Put the parts in; presses on them are presses on the frame."""
        self.setLayout(layout)
        for child in self.findChildren(QLabel):
            if not child.toolTip():
                child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_selected(self, selected: bool) -> None:
        """Draw it as the chosen one."""
        if selected != self._selected:
            self._selected = selected
            self.update()

    @property
    def is_selected(self) -> bool:
        """True when drawn as the chosen one."""
        return self._selected

    def set_edge(self, tone: str) -> None:
        """Colour the border by a tone; empty for the usual one."""
        if tone != self._edge:
            self._edge = tone
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame."""
        del event
        colours = palette()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        active = self.isEnabled() and (self.underMouse() or self.hasFocus())
        if self._framed:
            border = colours.border_selected if self._selected or active else colours.border
            if self._edge and not active:
                border = tone_colour(self._edge).name()
            painter.setPen(QPen(QColor(border), 1.0))
            painter.setBrush(QColor(colours.selected if self._selected else colours.card))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            return
        if active:
            painter.fillRect(self.rect(), QColor(colours.card))
        pen = QColor(colours.accent if self.hasFocus() else colours.border)
        painter.setPen(QPen(pen, 1.0))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)


class Later(QObject):
    """Calls a function once for many requests.

    Parameters
    ----------
    delay_ms : int
        0: as soon as the event loop is free. More: that long after the last request.
    """

    def __init__(self, call, parent: QObject, delay_ms: int = 0) -> None:
        super().__init__(parent)
        self._delay_ms = delay_ms
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(delay_ms)
        self._timer.timeout.connect(call)

    def ask(self) -> None:
        """Ask for a call."""
        is_due = self._timer.isActive() and self._timer.interval() == self._delay_ms
        if self._delay_ms > 0 or not is_due:
            self._timer.start(self._delay_ms)

    def ask_within(self, milliseconds: int) -> None:
        """Ask for a call that may wait so long from the first such request on."""
        if not self._timer.isActive():
            self._timer.start(milliseconds)

    @property
    def is_waiting(self) -> bool:
        """True while a call is due."""
        return self._timer.isActive()


class Swatch(QWidget):
    """A small square of a colour, with an edge so that white on white is seen."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = colour
        self.setFixedSize(12, 12)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_colour(self, colour: str) -> None:
        """Show another colour."""
        if colour != self._colour:
            self._colour = colour
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the square."""
        del event
        painter = QPainter(self)
        painter.setPen(QPen(QColor(palette().text_muted), 1.0))
        painter.setBrush(QColor(self._colour))
        painter.drawRoundedRect(QRectF(0.5, 0.5, 11.0, 11.0), 2, 2)


class WidthLock(QObject):
    """Keeps the content of a scroll area as wide as its viewport, so that texts wrap and nothing is cut."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the viewport's width."""
        if isinstance(event, QResizeEvent) and isinstance(watched, QWidget):
            area = watched.parent()
            content = area.widget() if area is not None else None
            if content is not None:
                content.setMaximumWidth(event.size().width())
        return False


def short_name(name: str) -> str:
    """Return a structure's name up to its first comma or bracket, for lines in which many stand."""
    return re.split(r"\s*[,(;]", name, maxsplit=1)[0].strip() or name
