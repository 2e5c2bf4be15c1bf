"""CaseList: the cases to choose from, one in two lines, by mouse and keyboard."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from cryoplan.app.recent import Presence
from cryoplan.app.shelf import Shelf, Shelved
from cryoplan.gui.parts import palette, scaled_font, tone_colour
from cryoplan.gui.standing import STATUS_TONES, local_time
from cryoplan.gui.words import say

ROW = Qt.ItemDataRole.UserRole

DEEDS = (
    ("open", "&Open"),
    ("look", "Open &read-only"),
    ("", ""),
    ("rename", "Re&name..."),
    ("duplicate", "D&uplicate"),
    ("copy", "Save a &copy..."),
    ("deidentify", "Save a de-&identified copy..."),
    ("", ""),
    ("forget", "Remove from &list"),
    ("delete", "&Delete..."),
)
"""What can be done with a case of the list, in the order of its menu."""

LONGEST = 50
"""Letters of a name in a menu."""

LOWEST_ROW_PX = 40

UNNAMED = "not saved under a name yet"


def standing_of(row: Shelved) -> tuple[str, str]:
    """Return what stands at the right of a row, and its tone."""
    if row.presence is Presence.MISSING:
        return "missing", "warn"
    if row.presence is Presence.OUT_OF_REACH:
        return "out of reach", "warn"
    if row.doubt:
        return "cannot be read", "warn"
    return row.status.capitalize(), str(STATUS_TONES.get(row.status, "muted"))


def second_line(row: Shelved) -> str:
    """Return plan and time of a row, or why it cannot be read."""
    if row.doubt:
        return row.doubt
    words = [f"Plan {row.plan_name}"] if row.plan_name else []
    if row.at is not None:
        said = "changed" if row.presence is Presence.HERE else "last open"
        words.append(f"{said} {local_time(row.at.isoformat())}")
    if row.is_draft:
        words.append(UNNAMED)
    return "  ·  ".join(words)


def possible(row: Shelved) -> set[str]:
    """Return what can be done with a case."""
    if row.presence in (Presence.MISSING, Presence.OUT_OF_REACH):
        deeds = {"forget"} | ({"open", "look"} if row.presence is Presence.OUT_OF_REACH else set())
    elif row.doubt:
        deeds = {"open", "look", "forget", "delete"}
    else:
        deeds = {deed for deed, _ in DEEDS if deed}
    # A draft is on the list because it is there.
    return deeds - {"forget"} if row.is_draft and row.presence is not Presence.MISSING else deeds


class CaseList(QListWidget):
    """Shows cases.

    Signals
    -------
    asked : str, Path
        Something of `DEEDS` is to be done with a case.
    """

    asked = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("caseList")
        self.setAccessibleName(say("Cases"))
        self.setItemDelegate(_Lines(self))
        self.setUniformItemSizes(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setMinimumHeight(2 * LOWEST_ROW_PX)
        self._is_taken = False
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.itemDoubleClicked.connect(self._open)

    @property
    def chosen(self) -> Shelved | None:
        """The case in hand."""
        item = self.currentItem()
        return None if item is None else item.data(ROW)

    @property
    def rows(self) -> tuple[Shelved, ...]:
        """What is shown."""
        return tuple(self.item(n).data(ROW) for n in range(self.count()))

    def sizeHint(self) -> QSize:
        """Ask for as much room as all cases need; where there is less, the list scrolls."""
        high = max(1, self.count()) * max(LOWEST_ROW_PX, self.sizeHintForRow(0))
        return QSize(super().sizeHint().width(), high + 2 * self.frameWidth() + 2)

    def show_rows(self, rows: tuple[Shelved, ...]) -> None:
        """Show these cases; the one in hand stays in hand."""
        if rows == self.rows:
            return
        held = self.chosen
        self.blockSignals(True)
        for number, row in enumerate(rows):
            item = self.item(number)
            if item is None:
                item = QListWidgetItem(self)
            item.setData(ROW, row)
            words = f"{row.name}. {standing_of(row)[0]}. {second_line(row)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
        while self.count() > len(rows):
            self.takeItem(self.count() - 1)
        self.blockSignals(False)
        paths = [row.path for row in rows]
        if paths:
            # The newest is in hand until the user takes another one, in whatever order they come in.
            stays = self._is_taken and held is not None and held.path in paths
            self.setCurrentRow(paths.index(held.path) if stays and held is not None else 0)
        self.updateGeometry()
        self.viewport().update()
        self.currentRowChanged.emit(self.currentRow())

    def menu(self) -> QMenu | None:
        """Return what can be done with the case in hand."""
        row = self.chosen
        if row is None:
            return None
        can = possible(row)
        menu = QMenu(self)
        for deed, text in DEEDS:
            if not deed:
                menu.addSeparator()
                continue
            action = menu.addAction(say(text))
            action.setEnabled(deed in can)
            action.setData(deed)
        menu.triggered.connect(lambda action: self.ask(action.data()))
        return menu

    def ask(self, deed: str) -> None:
        """Ask for something with the case in hand, if it can be done."""
        row = self.chosen
        if row is not None and deed in possible(row):
            self.asked.emit(deed, row.path)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter, delete with Del."""
        self._is_taken = True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.ask("open")
        elif event.key() == Qt.Key.Key_Delete:
            self.ask("delete")
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a case in hand."""
        self._is_taken = True
        super().mousePressEvent(event)

    @Slot(QListWidgetItem)
    def _open(self, item: QListWidgetItem) -> None:
        del item
        self.ask("open")

    @Slot(QPoint)
    def _show_menu(self, place: QPoint) -> None:
        menu = self.menu()
        if menu is not None:
            item = self.itemAt(place)
            # From the keyboard the place may be beside the row.
            at = place if item is not None else self.visualItemRect(self.currentItem()).center()
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.viewport().mapToGlobal(at))


class RecentMenu(QMenu):
    """The last cases as a menu.

    Parameters
    ----------
    before : QAction
        What it stands above.

    Signals
    -------
    asked : str, Path
        See `CaseList.asked`.
    """

    asked = Signal(str, object)

    def __init__(self, shelf: Shelf, before: QAction, parent: QWidget) -> None:
        super().__init__("Open r&ecent", parent)
        self._shelf = shelf
        for menu in before.associatedObjects():
            if isinstance(menu, QMenu):
                menu.insertMenu(before, self)
        self.aboutToShow.connect(self.fill)

    @Slot()
    def fill(self) -> None:
        """List what is remembered and what was seen of it, without looking at any folder."""
        self.clear()
        self._shelf.refresh()
        for row in self._shelf.rows:
            if row.presence is Presence.MISSING:
                continue
            said = "" if row.presence is Presence.HERE else standing_of(row)[0]
            name = row.name if len(row.name) <= LONGEST else f"{row.name[: LONGEST - 1]}…"
            words = "  ·  ".join(w for w in (name, said, second_line(row)) if w)
            action = self.addAction(say(words.replace("&", "&&")))
            action.triggered.connect(partial(self.asked.emit, "open", row.path))
        if self.isEmpty():
            self.addAction(say("No cases")).setEnabled(False)


class _Lines(QStyledItemDelegate):
    """Draws a case: pseudonym and title above, plan and time below, how it stands at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return room for two lines."""
        del option, index
        high = QFontMetrics(scaled_font()).height() + QFontMetrics(scaled_font(0.9)).height()
        return QSize(200, high + 14)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one row."""
        row: Shelved = index.data(ROW)
        colours = palette()
        painter.save()
        box = QRect(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(colours.selected))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, QColor(colours.button))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(colours.accent))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.setPen(QColor(colours.border))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        box = box.adjusted(12, 6, -12, -6)
        words, tone = standing_of(row)
        painter.setFont(scaled_font(0.95, bold=tone == "warn"))
        wide = painter.fontMetrics().horizontalAdvance(say(words)) + 12
        painter.setPen(tone_colour(tone))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, say(words))
        box.setWidth(box.width() - wide)
        bold, plain, small = scaled_font(bold=True), scaled_font(), scaled_font(0.9)
        line = QRect(box)
        line.setHeight(QFontMetrics(bold).height())
        self._text(painter, line, row.code, bold, "text")
        line.setLeft(line.left() + QFontMetrics(bold).horizontalAdvance(row.code) + 12)
        if row.title and line.width() > 20:
            self._text(painter, line, row.title, plain, "text")
        low = QRect(box)
        low.setTop(box.bottom() - QFontMetrics(small).height())
        self._text(painter, low, second_line(row), small, "muted")
        painter.restore()

    def _text(self, painter: QPainter, box: QRect, text: str, font: QFont, tone: str) -> None:
        painter.setFont(font)
        painter.setPen(tone_colour(tone))
        shown = QFontMetrics(font).elidedText(say(text), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, say(shown))
