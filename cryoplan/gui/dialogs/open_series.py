"""Open series: patients, examinations and series of a path, filling while it is read, to choose one of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cryoplan.app.jobs import Failure
from cryoplan.app.surveying import Surveying
from cryoplan.core.finding import Finding, Level
from cryoplan.gui.dialogs.consent import ask_consent
from cryoplan.gui.parts import SIGNS, Text, WidthLock, indicator_style, scaled_font, tone_colour
from cryoplan.gui.series_rows import NO_PATIENT, NO_STUDY, Row, details_of, row_of, row_of_sketch, title_of
from cryoplan.gui.words import say
from cryoplan.image.candidate import best_candidate
from cryoplan.image.series import PathDescription, SeriesDescription
from cryoplan.image.survey import Found, Sketches, Thumbnail
from cryoplan.image.thumbnail import LONGEST_SIDE
from cryoplan.workflow import consent

HEADS = ("Series", "Kind", "Slices", "Slice / step, mm", "Position", "Check")
ICON_PX = 52
KEY, NUMBER = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class _Tree(QTreeWidget):
    """A tree whose up and down keys step over patients and examinations, which cannot be chosen."""

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Return the next line that can be chosen."""
        steps = {
            QAbstractItemView.CursorAction.MoveDown: self.indexBelow,
            QAbstractItemView.CursorAction.MoveUp: self.indexAbove,
        }
        if action not in steps or not self.currentIndex().isValid():
            return super().moveCursor(action, modifiers)
        index = steps[action](self.currentIndex())
        while index.isValid() and not index.flags() & Qt.ItemFlag.ItemIsSelectable:
            index = steps[action](index)
        return index if index.isValid() else self.currentIndex()


class OpenSeriesDialog(QDialog):
    """A tree that fills while files are read; what cannot be opened says why.

    Signals
    -------
    described : PathDescription
        All headers are read; whoever knows what is meant may close the dialog.
    failed : Failure
        There is nothing to choose from.
    """

    described = Signal(object)
    failed = Signal(object)

    def __init__(self, surveying: Surveying, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Open an image"))
        self.resize(980, 600)
        self.found: PathDescription | None = None
        self.accepted_codes: tuple[str, ...] = ()
        self._surveying = surveying
        self._pictures: dict[int, QPixmap] = {}
        self._names: dict[str, str] = {}
        self._touched = False
        self._place()
        surveying.found.connect(self._take)
        surveying.named.connect(self._take_names)
        surveying.failed.connect(self._fail)
        surveying.start()

    # Places -----------------------------------------------------------------------------------------

    def _place(self) -> None:
        self.state = Text("Looking through the files ...", wrap=True)
        self.state.setAccessibleName(say("What was found"))
        self.tree = _Tree()
        self.tree.setAccessibleName(say("Patients, examinations and series"))
        self.tree.setHeaderLabels([say(head) for head in HEADS])
        self.tree.setIconSize(QSize(ICON_PX, ICON_PX))
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.tree.setUniformRowHeights(False)
        self.tree.setIndentation(14)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.headerItem().setToolTip(3, say("Thickness of a slice, and distance from one to the next"))
        header = self.tree.header()
        header.setStretchLastSection(True)
        for column, width in enumerate((296, 116, 54, 112, 174)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, width)
        self.tree.itemSelectionChanged.connect(self._moved)
        self.tree.itemDoubleClicked.connect(self._pressed)
        self.picture = QLabel()
        self.picture.setFixedSize(LONGEST_SIDE, LONGEST_SIDE)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName(say("Middle slice"))
        self.about = QWidget()
        self._lines = QVBoxLayout(self.about)
        self._lines.setContentsMargins(0, 0, 8, 0)
        self._lines.setSpacing(3)
        area = QScrollArea()
        area.setWidget(self.about)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().installEventFilter(WidthLock(area))
        area.setFixedHeight(LONGEST_SIDE)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.picture)
        below.addWidget(area, 1)
        self.names = QCheckBox(say("Show names of patients"))
        self.names.setStyleSheet(indicator_style())
        self.names.setEnabled(False)
        self.names.toggled.connect(self._ask_names)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self.open_button = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        self.open_button.setProperty("primary", True)
        self.open_button.setDefault(True)
        self.open_button.setEnabled(False)
        self.buttons.accepted.connect(self._choose)
        self.buttons.rejected.connect(self.reject)
        last = QHBoxLayout()
        last.addWidget(self.names)
        last.addStretch(1)
        last.addWidget(self.buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.addWidget(self.state)
        column.addWidget(self.tree, 1)
        column.addLayout(below)
        column.addLayout(last)
        self.tree.setFocus()

    # What comes ---------------------------------------------------------------------------------------

    @Slot(object)
    def _take(self, found: Found) -> None:
        if isinstance(found, Thumbnail):
            self._pictures[found.number] = _pixmap(found.pixels)
            item = self._item_of(found.number)
            if item is not None:
                item.setIcon(0, _icon(self._pictures[found.number]))
                if item is self._current():
                    self._show_picture(found.number)
        elif isinstance(found, Sketches):
            count = f"{found.files} file{'s' if found.files != 1 else ''}"
            self.state.say(f"Looking through the files ... {count}, {len(found.series)} series so far.")
            self._fill([(row_of_sketch(sketch), None) for sketch in found.series])
        else:
            self._describe(found)

    def _describe(self, found: PathDescription) -> None:
        self.found = found
        usable = sum(s.is_usable and not s.what for s in found.series)
        words = [f"{len(found.series)} series, {usable} of them can be opened for planning."]
        words += [f"{SIGNS[f.level]} {f.text}" for f in found.findings]
        self.state.say(
            "\n".join(words), "warn" if any(f.level is not Level.OK for f in found.findings) else "text"
        )
        self._fill([(row_of(series), number) for number, series in enumerate(found.series)])
        self.names.setEnabled(any(s.patient_code for s in found.series))
        if not self._touched or self._current() is None:
            self._touched = False
            self._select(best_candidate(found))
        self.described.emit(found)

    @Slot(object)
    def _fail(self, failure: Failure) -> None:
        if self.found is None:
            self.failed.emit(failure)
            self.reject()
        else:
            self.state.say(f"{failure.what} {failure.remedy}", "warn")

    # The tree -----------------------------------------------------------------------------------------

    def _fill(self, rows: Iterable[tuple[Row, int | None]]) -> None:
        """Show all rows anew; what the user has chosen stays chosen."""
        current = self._current()
        chosen = current.data(0, KEY) if current is not None and self._touched else None
        place = self.tree.verticalScrollBar().value()
        self.tree.blockSignals(True)
        self.tree.clear()
        patients: dict[str, QTreeWidgetItem] = {}
        studies: dict[tuple[str, str], QTreeWidgetItem] = {}
        known = list(rows)
        order = {patient: n for n, patient in enumerate(dict.fromkeys(row.patient for row, _ in known))}
        # The newest examination first; sorting keeps the order of what is equal.
        known.sort(key=lambda pair: pair[0].order)
        known.sort(key=lambda pair: "" if pair[0].study.startswith(NO_STUDY) else pair[0].study, reverse=True)
        known.sort(key=lambda pair: (not pair[0].patient, order[pair[0].patient]))
        for row, number in known:
            if row.patient not in patients:
                patients[row.patient] = self._branch(self.tree.invisibleRootItem(), NO_PATIENT, bold=True)
                patients[row.patient].setData(0, KEY, row.patient)
            above = patients[row.patient]
            if row.patient:
                under = (row.patient, row.study_uid)
                if under not in studies:
                    studies[under] = self._branch(above, row.study)
                above = studies[under]
            item = QTreeWidgetItem(above)
            self._write(item, row, number)
            if chosen is not None and item.data(0, KEY) == chosen:
                self.tree.setCurrentItem(item)
        self.tree.expandAll()
        self.tree.blockSignals(False)
        self.tree.verticalScrollBar().setValue(place)
        self._name_patients()
        self._selected()

    def _branch(self, above: QTreeWidgetItem, text: str, *, bold: bool = False) -> QTreeWidgetItem:
        item = QTreeWidgetItem(above)
        item.setText(0, say(text))
        item.setFirstColumnSpanned(True)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        item.setFont(0, scaled_font(bold=bold))
        item.setForeground(0, QBrush(tone_colour("text" if bold else "muted")))
        return item

    def _write(self, item: QTreeWidgetItem, row: Row, number: int | None) -> None:
        for column, text in enumerate(row.cells):
            item.setText(column, say(text))
            item.setToolTip(column, say(text))
            if row.tone in ("muted", "fail") or column == len(row.cells) - 1:
                tone = row.tone if column == len(row.cells) - 1 else "muted"
                item.setForeground(column, QBrush(tone_colour(tone)))
        item.setTextAlignment(2, Qt.AlignmentFlag.AlignCenter)
        item.setData(0, KEY, row.key)
        item.setData(0, NUMBER, number)
        if number is not None:
            item.setIcon(0, _icon(self._pictures.get(number)))
            words = ", ".join(text.replace("\n", ", ") for text in row.cells if text)
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, words)

    def _items(self) -> Iterable[QTreeWidgetItem]:
        waiting = [self.tree.invisibleRootItem()]
        while waiting:
            item = waiting.pop(0)
            waiting.extend(item.child(n) for n in range(item.childCount()))
            yield item

    def _item_of(self, number: int | None) -> QTreeWidgetItem | None:
        if number is None:
            return None
        return next((item for item in self._items() if item.data(0, NUMBER) == number), None)

    def _current(self) -> QTreeWidgetItem | None:
        selected = self.tree.selectedItems()
        return selected[0] if len(selected) == 1 else None

    def _select(self, number: int | None) -> None:
        item = self._item_of(number)
        if item is not None:
            self.tree.blockSignals(True)
            self.tree.setCurrentItem(item)
            self.tree.blockSignals(False)
            self.tree.scrollToItem(item, QAbstractItemView.ScrollHint.PositionAtCenter)
            self._selected()

    # What is chosen -----------------------------------------------------------------------------------

    @property
    def chosen(self) -> SeriesDescription | None:
        """The selected series if it can be opened, else None."""
        series = self._series()
        return series if series is not None and series.is_usable else None

    @property
    def path(self) -> Path:
        """What is looked through."""
        return self._surveying.path

    @property
    def is_touched(self) -> bool:
        """True once the user has chosen something."""
        return self._touched

    @property
    def number(self) -> int | None:
        """Number of the selected series in the description."""
        item = self._current()
        return None if item is None else item.data(0, NUMBER)

    def select(self, number: int) -> None:
        """Choose a series by its number, as a click does."""
        self._select(number)
        self._touched = True

    def to_agree(self) -> tuple[Finding, ...]:
        """Return what has to be agreed to before the chosen series is opened."""
        series = self.chosen
        if series is None or self.found is None:
            return ()
        of_folder = self.found.findings if series.kind == "dicom-series" else ()
        return consent.to_agree((*series.findings, *of_folder))

    def _series(self) -> SeriesDescription | None:
        number = self.number
        return None if number is None or self.found is None else self.found.series[number]

    @Slot()
    def _moved(self) -> None:
        """Leave the choice to the user from now on."""
        self._touched = True
        self._selected()

    def _selected(self) -> None:
        series, number = self._series(), self.number
        self.open_button.setEnabled(self.chosen is not None)
        self.open_button.setText(say("Open..." if self.to_agree() else "Open"))
        while (taken := self._lines.takeAt(0)) is not None:
            if taken.widget() is not None:
                taken.widget().deleteLater()
        if series is not None:
            self._lines.addWidget(Text(title_of(series), bold=True, wrap=True))
            for words, tone in details_of(series):
                self._lines.addWidget(Text(words, tone, wrap=True))
        self._lines.addStretch(1)
        self._show_picture(number)

    def _show_picture(self, number: int | None) -> None:
        picture = None if number is None else self._pictures.get(number)
        self.picture.setPixmap(picture or QPixmap())

    @Slot(QTreeWidgetItem, int)
    def _pressed(self, item: QTreeWidgetItem, _column: int) -> None:
        if item.data(0, NUMBER) is not None:
            self._choose()

    @Slot()
    def _choose(self) -> None:
        """Open what is chosen, after a yes where one is needed; a no leads back to the tree."""
        series = self.chosen
        if series is None:
            return
        asked = self.to_agree()
        if asked and not ask_consent(asked, title_of(series), self):
            return
        self.accepted_codes = consent.codes(asked)
        self.accept()

    def done(self, result: int) -> None:
        """Stop reading: whatever was chosen is known."""
        self._surveying.stop()
        super().done(result)

    # Names --------------------------------------------------------------------------------------------

    @Slot(bool)
    def _ask_names(self, wanted: bool) -> None:
        if not wanted:
            self._names = {}
            self._name_patients()
        elif self.found is not None:
            self._surveying.ask_names({s.patient_code for s in self.found.series if s.patient_code})

    @Slot(object)
    def _take_names(self, names: dict[str, str]) -> None:
        if self.names.isChecked():
            self._names = names
            self._name_patients()

    def _name_patients(self) -> None:
        root = self.tree.invisibleRootItem()
        for n in range(root.childCount()):
            code = root.child(n).data(0, KEY)
            name = self._names.get(code, "")
            root.child(n).setText(0, (f"{code}  ·  {name}" if name else code) or NO_PATIENT)


def _pixmap(grey: np.ndarray) -> QPixmap:
    rows, columns = grey.shape
    whole = np.ascontiguousarray(grey)
    image = QImage(whole.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())


def _icon(picture: QPixmap | None) -> QIcon:
    """Return a picture in a square, so that names stand below each other."""
    square = QPixmap(ICON_PX, ICON_PX)
    square.fill(Qt.GlobalColor.transparent)
    if picture is not None:
        small = picture.scaled(
            square.size(), Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        painter = QPainter(square)
        painter.drawPixmap((ICON_PX - small.width()) // 2, (ICON_PX - small.height()) // 2, small)
        painter.end()
    return QIcon(square)
