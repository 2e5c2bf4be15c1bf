"""Section: a part of a panel under a heading that opens and closes it, with its gist beside the heading."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLayout, QVBoxLayout, QWidget

from cryoplan.gui.parts import Name, Press, Text
from cryoplan.gui.words import say

OPEN, CLOSED = "\N{BLACK DOWN-POINTING SMALL TRIANGLE}", "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"


class Section(QWidget):
    """A heading that is pressed by mouse or space bar, and what is below it while it is open.

    Parameters
    ----------
    title : str
        Shown in small capitals.
    is_open : bool
        At first; afterwards the user decides.

    Signals
    -------
    toggled : bool
        It was opened or closed.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, *, is_open: bool = False) -> None:
        super().__init__()
        self._title = title
        self.head = Press(framed=False)
        self._sign = Text("", "muted")
        self._sign.setFixedWidth(14)
        self._name = Text(title.upper(), "muted", scale=0.85, bold=True)
        self._gist = Name("", "muted", scale=0.9)
        self._gist.setAlignment(Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout()
        row.setContentsMargins(0, 5, 0, 4)
        row.setSpacing(3)
        row.addWidget(self._sign)
        row.addWidget(self._name)
        row.addWidget(self._gist, 1)
        self.head.add(row)
        self.head.clicked.connect(self._toggle)
        self.body = QWidget()
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(0, 4, 0, 6)
        self.column.setSpacing(4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.head)
        whole.addWidget(self.body)
        self.set_open(is_open)

    def add(self, part: QWidget | QLayout) -> None:
        """Put a widget or a layout at the end of the body."""
        if isinstance(part, QWidget):
            self.column.addWidget(part)
        else:
            self.column.addLayout(part)

    @property
    def is_open(self) -> bool:
        """True while the body shows."""
        return not self.body.isHidden()

    @property
    def gist(self) -> str:
        """What stands beside the heading."""
        return self._gist.text()

    def set_open(self, is_open: bool) -> None:
        """Open or close it."""
        self.body.setVisible(is_open)
        self._sign.say(OPEN if is_open else CLOSED)
        self._tell()

    def say(self, gist: str, tone: str = "muted", title: str | None = None) -> None:
        """Show the gist, what one has to know without opening it; and another title if given."""
        self._gist.say(gist, tone)
        if title is not None:
            self._title = title
            self._name.say(title.upper())
        self._tell()

    @Slot()
    def _toggle(self) -> None:
        self.set_open(not self.is_open)
        self.toggled.emit(self.is_open)

    def _tell(self) -> None:
        state = "open" if self.is_open else "closed"
        self.head.setAccessibleName(say(", ".join(filter(None, (self._title, self.gist, state)))))
