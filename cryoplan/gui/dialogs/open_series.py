"""Open series: a folder holds several; which one? Those that cannot be used say why."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cryoplan.core.finding import Level
from cryoplan.gui.parts import SIGNS, Later, Text, tone_colour
from cryoplan.image.series import PathDescription, SeriesDescription
from cryoplan.image.verdict import REFUSED

HEADS = ("", "Series", "Modality", "Voxels", "Spacing, mm", "Position", "Verdict")

_LEVELS = {"ok": Level.OK, "warn": Level.WARN}


def choose_series(found: PathDescription, parent: QWidget | None = None) -> str | None:
    """Ask which series to open.

    Returns
    -------
    str or None
        The series' UID (empty for an image file that has none); None when given up.
    """
    dialog = OpenSeriesDialog(found, parent)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    chosen = dialog.chosen
    dialog.deleteLater()
    return chosen.uid if accepted and chosen is not None else None


class OpenSeriesDialog(QDialog):
    """A table of series; refused ones cannot be chosen."""

    def __init__(self, found: PathDescription, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open series")
        self.resize(900, 420)
        self._series = found.series
        self.table = QTableWidget(len(found.series), len(HEADS))
        self.table.setAccessibleName("Series in the folder")
        self.table.setHorizontalHeaderLabels(HEADS)
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setWordWrap(True)
        self.table.setTabKeyNavigation(False)
        for row, series in enumerate(found.series):
            self._fill(row, series)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
        self.table.setColumnWidth(1, 200)
        # Reasons wrap in the width there is, which is known only once the columns have their places.
        self._heights = Later(self.table.resizeRowsToContents, self)
        header.sectionResized.connect(self._heights.ask)
        header.setSectionResizeMode(len(HEADS) - 1, QHeaderView.ResizeMode.Stretch)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.table.itemSelectionChanged.connect(self._selected)
        self.table.cellDoubleClicked.connect(self._choose)
        column = QVBoxLayout(self)
        usable = sum(s.verdict != REFUSED for s in found.series)
        column.addWidget(Text(f"{len(found.series)} series, {usable} of them can be opened.", wrap=True))
        column.addWidget(self.table, 1)
        for finding in found.findings:
            column.addWidget(Text(f"{SIGNS[finding.level]} {finding.text}", finding.level.value, wrap=True))
        column.addWidget(self.buttons)
        first = next((n for n, s in enumerate(found.series) if s.verdict != REFUSED), None)
        if first is not None:
            self.table.selectRow(first)
        self._selected()

    @property
    def chosen(self) -> SeriesDescription | None:
        """The selected series, None when none or a refused one is selected."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        if len(rows) != 1:
            return None
        series = self._series[rows.pop()]
        return None if series.verdict == REFUSED else series

    def _fill(self, row: int, series: SeriesDescription) -> None:
        level = _LEVELS.get(series.verdict, Level.FAIL)
        reasons = [f.text for f in series.findings if f.level is not Level.OK]
        grid = series.grid
        texts = (
            SIGNS[level],
            series.description or series.uid or series.kind,
            series.modality or series.kind,
            "–" if grid is None else " × ".join(str(n) for n in grid.size),
            "–" if grid is None else " × ".join(f"{s:.3g}" for s in grid.spacing_mm),
            series.patient_position or "–",
            " ".join([f"{series.verdict}.", *reasons]) if reasons else series.verdict,
        )
        refused = series.verdict == REFUSED
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip("\n".join([series.description or series.uid, *reasons]).strip())
            if column in (0, len(texts) - 1):
                item.setForeground(tone_colour(level.value))
            elif refused:
                item.setForeground(tone_colour("muted"))
            if refused:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{text}, cannot be opened")
            self.table.setItem(row, column, item)

    @Slot()
    def _selected(self) -> None:
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(self.chosen is not None)

    @Slot(int, int)
    def _choose(self, row: int, _column: int) -> None:
        if self._series[row].verdict != REFUSED:
            self.table.selectRow(row)
            self.accept()
