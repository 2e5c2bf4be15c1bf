"""Banner: what is wrong, what to do, and how the case stands, above the views; it never stops the work."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cryoplan import __version__
from cryoplan.app.jobs import Failure
from cryoplan.app.workspace import Workspace
from cryoplan.gui.meaning import has_meaning, open_meaning
from cryoplan.gui.parts import Text, palette, tone_colour
from cryoplan.gui.standing import (
    OPEN_TO_WRITE,
    READ_AGAIN,
    REMOVE_SECOND,
    SAVE_COPY,
    SAVE_ELSEWHERE,
    SHOW_HISTORY,
    TRY_AGAIN,
    Notice,
    Standing,
)
from cryoplan.gui.words import say
from cryoplan.scene.style import Palette

CLOSE = "Close"

MEANT = "meant"
"""Property of a button: its text before it was said in the language of the window."""

NOTICE_SIGNS = {"approved": "✓"}


class Banner(QFrame):
    """Hidden until something goes wrong."""

    def __init__(self, palette: Palette, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._details = ""
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setAccessibleName(say("What went wrong"))
        sign = QLabel("✕")
        sign.setStyleSheet(f"color: {palette.fail}; font-weight: bold; font-size: 16px;")
        self.copy = copy = QPushButton(say("Copy details"))
        copy.setToolTip(say("Copies what happened and where in the program, without patient data"))
        copy.clicked.connect(self._copy)
        self.explain = QPushButton(say("Help..."))
        self.explain.setAccessibleName(say("What this message means"))
        self.explain.clicked.connect(self._explain)
        self._code = ""
        close = QPushButton(say("Close"))
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.addWidget(sign)
        row.addWidget(self._text, 1)
        row.addWidget(self.explain)
        row.addWidget(copy)
        row.addWidget(close)
        self.hide()

    @property
    def text(self) -> str:
        """What the banner says."""
        return self._text.text()

    @Slot(object)
    def show_failure(self, failure: Failure) -> None:
        """Show what happened and what to do."""
        place = f"{failure.place}: " if failure.place and failure.place not in failure.what else ""
        self._text.setText(say(f"{place}{failure.what} {failure.remedy}"))
        # File names may hold a patient's name, so the details name the kind of error only.
        self._code = failure.code
        self.explain.setToolTip(say(f"Opens the help at {failure.code}"))
        # "It was refused" has no help beyond its own sentence.
        self.explain.setVisible(failure.code != "refused" and has_meaning(failure.code))
        self._details = f"cryoplan {__version__}\ncode: {failure.code}\n{failure.details}".strip()
        self.show()

    @Slot()
    def _explain(self) -> None:
        open_meaning(self, self._code)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._details)


class NoticeRow(QFrame):
    """One notice with its buttons.

    Signals
    -------
    pressed : str
        Text of the button.
    closed : Notice
        The user has read it.
    """

    pressed = Signal(str)
    closed = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.notice: Notice | None = None
        self._sign = Text("", bold=True, scale=1.1)
        self._text = Text("", wrap=True)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(10, 4, 8, 4)
        self._row.setSpacing(8)
        self._row.addWidget(self._sign)
        self._row.addWidget(self._text, 1)
        self.buttons: list[QPushButton] = []

    @property
    def kind(self) -> str:
        """Kind of the notice shown."""
        return "" if self.notice is None else self.notice.kind

    def show_notice(self, notice: Notice) -> None:
        """Show another notice; one that says the same keeps its buttons and the focus on them."""
        if notice == self.notice:
            return
        old, self.notice = self.notice, notice
        self._sign.say(NOTICE_SIGNS.get(notice.kind, "!"), notice.tone)
        self._text.say(notice.text)
        self._text.setAccessibleName(say(notice.text))
        self._text.setToolTip(notice.details)
        self.update()
        if old is None or (old.buttons, bool(old.about)) != (notice.buttons, bool(notice.about)):
            self._make_buttons(notice)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground and an edge in the colour of the notice."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette().card))
        tone = self.notice.tone if self.notice is not None else "muted"
        painter.fillRect(0, 0, 3, self.height(), tone_colour(tone))

    def _make_buttons(self, notice: Notice) -> None:
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = []
        for text in (*notice.buttons, *((CLOSE,) if notice.about else ())):
            button = QPushButton(say(text))
            button.setAccessibleName(say(text.rstrip(".")))
            button.setProperty(MEANT, text)
            button.clicked.connect(self._press)
            self._row.addWidget(button)
            self.buttons.append(button)

    @Slot()
    def _press(self) -> None:
        button = self.sender()
        assert isinstance(button, QPushButton)
        if button.property(MEANT) == CLOSE:
            self.closed.emit(self.notice)
        else:
            self.pressed.emit(button.property(MEANT))


class Notices(QWidget):
    """How the case stands, one line for each thing to know; each goes when its reason is gone.

    Signals
    -------
    save_elsewhere_requested, history_requested
        A button was pressed.
    """

    save_elsewhere_requested = Signal()
    history_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notices")
        self.setAccessibleName(say("How the case stands"))
        self._keeper = workspace.keeper
        self._second = workspace.second
        self._read: set[tuple[str, str, str]] = set()
        self.rows: list[NoticeRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._workspace = workspace
        self._standing = Standing(workspace, self)
        self._standing.changed.connect(self._show)
        self._show()

    @property
    def texts(self) -> list[str]:
        """The sentences shown, the most urgent first."""
        return [row.notice.text for row in self.rows if row.notice is not None]

    @Slot()
    def _show(self) -> None:
        shown = [n for n in self._standing.notices if not n.about or self._mark(n) not in self._read]
        # A row stays with its kind of notice, so its buttons keep the focus when others come and go.
        old = {row.kind: row for row in self.rows}
        self.rows = []
        for place, notice in enumerate(shown):
            row = old.pop(notice.kind, None)
            if row is None:
                row = NoticeRow(self)
                row.pressed.connect(self._press)
                row.closed.connect(self._close)
            row.show_notice(notice)
            self._column.removeWidget(row)
            self._column.insertWidget(place, row)
            self.rows.append(row)
        for row in old.values():
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.setVisible(bool(shown))

    def _mark(self, notice: Notice) -> tuple[str, str, str]:
        return str(self._standing.kept.path), notice.kind, notice.about

    @Slot(object)
    def _close(self, notice: Notice) -> None:
        self._read.add(self._mark(notice))
        self._show()

    def _reopen(self) -> None:
        """Read the case anew, since the last writer may have changed it, and go on as its writer."""
        path = self._keeper.kept.path
        if path is not None:
            self._workspace.open_case_file(path)

    @Slot(str)
    def _press(self, text: str) -> None:
        if text == TRY_AGAIN:
            self._keeper.retry()
        elif text == OPEN_TO_WRITE:
            self._reopen()
        elif text in (SAVE_ELSEWHERE, SAVE_COPY):
            self.save_elsewhere_requested.emit()
        elif text == READ_AGAIN:
            self._second.try_again()
        elif text == REMOVE_SECOND:
            self._second.remove()
        elif text == SHOW_HISTORY:
            self.history_requested.emit()
