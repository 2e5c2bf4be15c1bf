"""Parts: the few small widgets of all panels; texts with a tone, rows of numbers, cards, findings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from cryoplan.core.finding import Finding, Level
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
        if tip is not None and tip != self.toolTip():
            self.setToolTip(tip)


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
        super().__init__(text.upper(), "muted", scale=0.85, bold=True, wrap=True)
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


class NumberRow(Press):
    """Sign, name, value and limit in columns that align from row to row; a press goes to the place."""

    def __init__(self, *, value_px: int = 96, limit_px: int = 62) -> None:
        super().__init__(framed=False)
        self.point = None
        self._sign = Text("", bold=True)
        self._sign.setFixedWidth(14)
        self._name = Name(scale=0.95)
        self._value = Text("", bold=True)
        self._value.setMinimumWidth(value_px)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._limit = Text("", "muted")
        self._limit.setMinimumWidth(limit_px)
        self._limit.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout()
        row.setContentsMargins(0, 3, 0, 4)
        row.setSpacing(3)
        row.addWidget(self._sign)
        row.addWidget(self._name, 1)
        row.addWidget(self._value)
        row.addWidget(self._limit)
        self._limit.setVisible(limit_px > 0)
        self.add(row)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """Sign, name, value and limit as shown."""
        return (self._sign.text(), self._name.text(), self._value.text(), self._limit.text())

    @property
    def tone(self) -> str:
        """Tone of the value."""
        return self._value.tone

    def show_numbers(
        self,
        name: str,
        value: str,
        limit: str = "",
        *,
        level: Level | None = None,
        stale: bool = False,
        tip: str = "",
        point=None,
    ) -> None:
        """Show one number; `level` None means that it has no limit.

        Parameters
        ----------
        point : Point, optional
            Where a press goes to.
        """
        tone = STALE if stale else level.value if level is not None else "text"
        self._sign.say("" if level is None else SIGNS[level], tone)
        self._name.say(name, tone if level not in (None, Level.OK) or stale else "text")
        self._value.say(value, tone)
        self._limit.say(limit, STALE if stale else "muted")
        self.point = point
        self.setEnabled(point is not None)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if point is not None else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if point is not None else Qt.CursorShape.ArrowCursor)
        words = f", {level.value}" if level is not None else ""
        self.setAccessibleName(
            f"{name}: {value}, limit {limit}{words}" if limit else f"{name}: {value}{words}"
        )
        goes = "Press to go there." if point is not None else ""
        self.setToolTip("\n".join(part for part in (name, tip, goes) if part))


class FindingRow(Press):
    """Sign and sentence of one finding, wrapped."""

    def __init__(self) -> None:
        super().__init__(framed=False)
        self._sign = Text("", bold=True)
        self._sign.setFixedWidth(14)
        self._text = Text("", wrap=True, scale=0.93)
        row = QHBoxLayout()
        row.setContentsMargins(0, 3, 0, 5)
        row.setSpacing(4)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self.add(row)
        self.finding: Finding | None = None

    def show_finding(self, finding: Finding, *, stale: bool = False, goes: bool = False) -> None:
        """Show a finding; `goes` tells whether a press leads somewhere."""
        self.finding = finding
        self._sign.say(SIGNS[finding.level], STALE if stale else finding.level.value)
        self._text.say(finding.text, STALE if stale else "text")
        self.setAccessibleName(f"{finding.level.value}: {finding.text}")
        self.setEnabled(goes)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if goes else Qt.FocusPolicy.NoFocus)


class Findings(QWidget):
    """A list of findings, heaviest first, that keeps its rows when it changes.

    Parameters
    ----------
    empty : str
        What is said when there is none.
    folds_ok : bool
        Put those that are ok behind a button that counts them.
    """

    def __init__(self, empty: str = "", *, folds_ok: bool = False) -> None:
        super().__init__()
        self.rows: list[FindingRow] = []
        self._on_press = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._empty = Text(empty, "muted", wrap=True, scale=0.93)
        self._column.addWidget(self._empty)
        self._folds_ok = folds_ok
        self.passed = QPushButton()
        self.passed.setCheckable(True)
        self.passed.toggled.connect(self._fold)
        self.passed.hide()

    def on_press(self, call) -> None:
        """Call this with the finding whose row is pressed; findings without a place do not react."""
        self._on_press = call

    def show_findings(
        self, findings: Iterable[Finding], *, empty: str | None = None, stale: bool = False
    ) -> None:
        """Show these findings, or the sentence `empty`."""
        shown = sorted(findings, key=lambda f: -f.level.rank)
        while len(self.rows) < len(shown):
            row = FindingRow()
            row.clicked.connect(self._pressed)
            self._column.addWidget(row)
            self.rows.append(row)
        for row, finding in zip(self.rows, shown, strict=False):
            row.show_finding(finding, stale=stale, goes=self._on_press is not None and bool(finding.place))
        self._count = len(shown)
        self._fold()
        if empty is not None:
            self._empty.say(empty)
        self._empty.setVisible(not shown and bool(self._empty.text()))

    _count = 0

    def _fold(self) -> None:
        passed = 0
        for number, row in enumerate(self.rows):
            used = number < self._count and row.finding is not None
            ok = used and row.finding.level is Level.OK
            passed += ok
            row.setVisible(used and not (ok and self._folds_ok and not self.passed.isChecked()))
        if self._folds_ok:
            if self._column.indexOf(self.passed) < 0:
                self._column.addSpacing(4)
                self._column.addWidget(self.passed)
            self.passed.setVisible(passed > 0)
            verb = "Hide" if self.passed.isChecked() else "Show"
            self.passed.setText(f"{verb} {passed} that passed")
            self.passed.setAccessibleName(self.passed.text())

    def texts(self) -> list[str]:
        """Return the sentences shown."""
        return [row.finding.text for row in self.rows if not row.isHidden() and row.finding is not None]

    def _pressed(self) -> None:
        row = self.sender()
        if self._on_press is not None and isinstance(row, FindingRow) and row.finding is not None:
            self._on_press(row.finding)


class MarginBox(Press):
    """One margin, large: what it is measured to, its worst value, its limit."""

    def __init__(self) -> None:
        super().__init__()
        self.point = None
        self._title = Text("", "muted", scale=0.93)
        self._value = Text("", scale=1.5, bold=True)
        self._limit = Text("", "muted", scale=0.93)
        column = QVBoxLayout()
        column.setContentsMargins(8, 7, 4, 7)
        column.setSpacing(2)
        for part in (self._title, self._value, self._limit):
            column.addWidget(part)
        self.add(column)

    @property
    def texts(self) -> tuple[str, str, str]:
        """Title, value and limit as shown."""
        return (self._title.text(), self._value.text(), self._limit.text())

    @property
    def tone(self) -> str:
        """Tone of the value."""
        return self._value.tone

    def show_margin(
        self, title: str, value: str, limit: str, *, level: Level | None, stale: bool, tip: str, point
    ) -> None:
        """Show a margin; None as `level` means that there is none yet, or no limit."""
        tone = STALE if stale else level.value if level is not None else "text"
        sign = "" if level is None else f"{SIGNS[level]} "
        self._title.say(title, STALE if stale else "muted")
        self._value.say(value, tone)
        self._limit.say(
            f"{sign}limit {limit}" if limit else "", tone if level not in (None, Level.OK) else "muted"
        )
        self.set_edge("" if stale or level in (None, Level.OK) else tone)
        self.point = point
        self.setEnabled(point is not None)
        self.setAccessibleName(f"{title}: {value}, {limit}" + (f", {level.value}" if level else ""))
        self.setToolTip(tip)


class Rows(QWidget):
    """A column of `NumberRow`s that grows and shrinks without being built anew."""

    def __init__(self, *, value_px: int = 96, limit_px: int = 62, on_press=None) -> None:
        super().__init__()
        self._sizes = {"value_px": value_px, "limit_px": limit_px}
        self._on_press = on_press
        self.rows: list[NumberRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def set_count(self, count: int) -> list[NumberRow]:
        """Return exactly `count` rows to be filled."""
        while len(self.rows) < count:
            row = NumberRow(**self._sizes)
            row.clicked.connect(self._pressed)
            self._column.addWidget(row)
            self.rows.append(row)
        while len(self.rows) > count:
            row = self.rows.pop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        return self.rows

    def _pressed(self) -> None:
        row = self.sender()
        if self._on_press is not None and isinstance(row, NumberRow) and row.point is not None:
            self._on_press(row.point)


class Later(QObject):
    """Calls a function once for many requests.

    Parameters
    ----------
    delay_ms : int
        0: as soon as the event loop is free. More: that long after the last request.
    """

    def __init__(self, call, parent: QObject, delay_ms: int = 0) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(delay_ms)
        self._timer.timeout.connect(call)

    def ask(self) -> None:
        """Ask for a call."""
        if self._timer.interval() > 0 or not self._timer.isActive():
            self._timer.start()

    @property
    def is_waiting(self) -> bool:
        """True while a call is due."""
        return self._timer.isActive()


def swatch(colour: str, size: int = 12) -> QWidget:
    """Return a small square of a colour."""
    square = QWidget()
    square.setFixedSize(size, size)
    square.setAutoFillBackground(True)
    colours = QPalette()
    colours.setColor(QPalette.ColorRole.Window, QColor(colour))
    square.setPalette(colours)
    return square


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
