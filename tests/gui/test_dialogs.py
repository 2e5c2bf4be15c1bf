"""The dialogs that show and choose: which series to open, what this program is, and its keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox

from cryoplan import RESEARCH_USE, __version__
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.gui.dialogs.about import AboutDialog
from cryoplan.gui.dialogs.open_series import OpenSeriesDialog
from cryoplan.gui.dialogs.shortcuts import ShortcutsDialog
from cryoplan.gui.parts import Text
from cryoplan.image.series import PathDescription, SeriesDescription


def found_series() -> PathDescription:
    grid = Grid(size=(512, 512, 60), spacing_mm=(0.7, 0.7, 5.0), origin_mm=(0.0, 0.0, 0.0))
    why = Finding(level=Level.FAIL, code="missing-slice", text="Slice 17 is missing.", place="B")
    tilt = Finding(level=Level.WARN, code="thick", text="The slices are 5 mm apart.", place="C")
    return PathDescription(
        path="folder",
        kind="dicom-series",
        series=(
            SeriesDescription(
                kind="dicom-series",
                path="b",
                uid="1.2.1",
                modality="CT",
                description="broken",
                findings=(why,),
            ),
            SeriesDescription(
                kind="dicom-series",
                path="c",
                uid="1.2.2",
                modality="CT",
                description="portal",
                grid=grid,
                patient_position="FFS",
                findings=(tilt,),
            ),
        ),
    )


@pytest.fixture
def series(qtbot):
    dialog = OpenSeriesDialog(found_series())
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_the_first_usable_series_is_chosen_and_a_refused_one_cannot_be(series):
    assert series.chosen.uid == "1.2.2"
    refused = [series.table.item(0, column) for column in range(series.table.columnCount())]
    assert not any(item.flags() & Qt.ItemFlag.ItemIsSelectable for item in refused)
    assert "Slice 17 is missing." in refused[-1].text()


def test_a_series_shows_its_size_spacing_position_and_verdict(series):
    texts = [series.table.item(1, column).text() for column in range(series.table.columnCount())]
    assert texts[1:6] == ["portal", "CT", "512 × 512 × 60", "0.7 × 0.7 × 5", "FFS"]
    assert texts[6] == "warn. The slices are 5 mm apart."


def test_a_double_click_opens_a_usable_series_and_does_nothing_on_a_refused_one(series, qtbot):
    series.table.cellDoubleClicked.emit(0, 1)
    assert series.isVisible()
    with qtbot.waitSignal(series.accepted):
        series.table.cellDoubleClicked.emit(1, 1)
    assert series.chosen.uid == "1.2.2"


def test_nothing_can_be_opened_while_nothing_is_chosen(series):
    series.table.clearSelection()
    assert series.chosen is None
    assert not series.buttons.button(QDialogButtonBox.StandardButton.Open).isEnabled()


def test_about_says_version_and_research_use(qtbot):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    words = " ".join(t.text() for t in dialog.findChildren(Text))
    assert __version__ in words
    assert RESEARCH_USE in words


def test_the_shortcut_sheet_shows_every_row_it_is_given(qtbot):
    rows = [("P", "place a probe"), ("Ctrl+Z", "undo")]
    dialog = ShortcutsDialog(rows)
    qtbot.addWidget(dialog)
    texts = [t.text() for t in dialog.findChildren(Text)]
    assert texts == ["P", "place a probe", "Ctrl+Z", "undo"]
