"""Time in the review: minutes of the tumour, thermocouples by hand, colours of the slices."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cryoplan.app.view import Display
from cryoplan.gui.panels import ReviewPanel
from cryoplan.gui.panels.review_cold import show_percent
from cryoplan.margins.survival import survival_model
from cryoplan.plan import edits


@pytest.fixture
def panel(desk, make, qtbot):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    for part in (panel.time.cold, panel.time.curves, panel.time.colours):
        part.set_open(True)
    panel.time.refresh()
    qtbot.waitUntil(lambda: bool(panel.time.cold.chart.series))
    return panel


def test_the_curve_ends_at_the_coverage_that_the_card_shows(desk, panel):
    for degc in (-20.0, -40.0):
        name = f"{degc:.0f} °C so far".replace("-", "−")
        (series,) = [s for s in panel.time.cold.chart.series if s.name == name]
        assert series.y[-1] == pytest.approx(
            100.0 * desk.workspace.assessment.covered(degc).fraction, abs=0.1
        )


def test_the_table_tells_when_and_never_what_is_not(panel):
    texts = [[cell.text() for cell in line] for line in panel.time.cold.cells]
    assert texts[0][1:] == ["−20 °C", "−40 °C"]
    assert [row[0] for row in texts[1:]] == [
        "50 % reached at", "95 % reached at", "reached in all", "stays, median", "stays, least 5 %",
    ]  # fmt: skip


def test_a_press_on_the_chart_goes_to_the_kept_field_of_that_minute(desk, panel):
    panel.time.cold.chart.pressed.emit(14.0, "")
    assert desk.view.display is Display.NOW
    assert desk.view.time_s == 900.0


def test_everything_is_out_of_date_after_an_edit_and_nothing_is_coloured(desk, panel, settled):
    desk.view.wash = f"survival {survival_model().series[0].id}"
    desk.workspace.edit("moved", edits.nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    settled(panel)
    assert panel.time.cold.chart.content.stale
    assert panel.time.cold.gist == "out of date"
    assert {cell.tone for line in panel.time.cold.cells for cell in line} == {"stale"}
    assert "Out of date" in panel.time.colours.told.text()
    assert not panel.time.colours.warning.isVisible()


def test_a_thermocouple_is_dropped_moved_renamed_and_removed_without_a_new_solve(desk, panel, settled, qtbot):
    workspace, curves = desk.workspace, panel.time.curves
    desk.view.cursor_mm = (1.0, 2.0, 3.0)
    QTest.mouseClick(curves.drop, Qt.MouseButton.LeftButton)
    settled(panel)
    assert workspace.is_current
    assert workspace.plan.thermocouples[0].position_mm == (1.0, 2.0, 3.0)
    assert [s.name for s in curves.chart.series] == ["T1"]
    assert "*" in curves.lines[0].lowest.text()
    line = curves.lines[0]
    line.name.selectAll()
    qtbot.keyClicks(line.name, "rim")
    qtbot.keyClick(line.name, Qt.Key.Key_Return)
    settled(panel)
    assert [s.name for s in curves.chart.series] == ["rim"]
    desk.view.cursor_mm = (4.0, 5.0, 6.0)
    QTest.mouseClick(line.here, Qt.MouseButton.LeftButton)
    settled(panel)
    assert workspace.plan.thermocouples[0].position_mm == (4.0, 5.0, 6.0)
    assert workspace.assessment.thermocouples[0].position_mm == (4.0, 5.0, 6.0)
    desk.view.cursor_mm = (0.0, 0.0, 0.0)
    QTest.mouseClick(line.go, Qt.MouseButton.LeftButton)
    assert desk.view.cursor_mm == (4.0, 5.0, 6.0)
    QTest.mouseClick(line.gone, Qt.MouseButton.LeftButton)
    settled(panel)
    assert workspace.plan.thermocouples == ()
    assert workspace.assessment.thermocouples == ()
    assert workspace.is_current
    for _ in range(4):
        workspace.undo()
    assert workspace.plan.thermocouples == ()
    workspace.redo()
    assert [t.name for t in workspace.plan.thermocouples] == ["T1"]


def test_a_name_that_is_taken_changes_nothing_and_is_said(desk, panel, settled, qtbot):
    workspace = desk.workspace
    for at in ((1.0, 0.0, 0.0), (2.0, 0.0, 0.0)):
        desk.view.cursor_mm = at
        panel.time.sensors.drop()
    settled(panel)
    line, before = panel.time.curves.lines[1], workspace.plan
    line.name.selectAll()
    with qtbot.waitSignal(workspace.message):
        qtbot.keyClicks(line.name, "T1")
        qtbot.keyClick(line.name, Qt.Key.Key_Return)
    assert workspace.plan is before
    assert line.name.text() == "T2"


def test_curves_are_written_with_what_they_are_and_never_out_of_date(desk, panel, tmp_path):
    workspace, sensors = desk.workspace, panel.time.sensors
    desk.view.cursor_mm = (1.0, 2.0, 3.0)
    sensors.drop()
    path = tmp_path / "curves.csv"
    assert sensors.write_csv(path)
    head, columns, first = path.read_text().splitlines()[:3]
    assert "not a medical device" in head
    assert columns == "name,x_mm,y_mm,z_mm,read,time_s,phase,temperature_degc"
    assert first.startswith("T1,1.00,2.00,3.00,each minute,300.00,freeze,")
    workspace.edit("moved", edits.nudge(workspace.plan, "1", (0.1, 0.0, 0.0)))
    assert not sensors.write_csv(tmp_path / "other.csv")
    assert not (tmp_path / "other.csv").exists()


def test_colours_are_off_at_first_and_the_model_says_what_it_is(desk, panel):
    colours = panel.time.colours
    assert desk.view.wash == ""
    assert colours.gist == "off"
    assert not colours.source.isVisible()
    index = colours.choice.findData("survival a549-argon-once")
    colours.choice.setCurrentIndex(index)
    colours.choice.activated.emit(index)
    assert colours.gist == "research model"
    assert "Not for a decision" in colours.warning.text()
    assert "Cells alive in the tumour" in colours.told.text()
    assert "This plan has 2 freezes; the curve is of 1." in colours.told.text()
    assert "dish" in colours.source.text()
    assert "Cryoablation-Dosimetry" in colours.source.text()


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.9996, "99.9 %"), (0.5, "50 %"), (0.004, "under 1 %"), (0.0, "0 %")]
)
def test_what_is_not_all_is_not_shown_as_all(share, text):
    assert show_percent(share) == text


def test_without_a_target_it_says_so(desk, make):
    desk.open()
    desk.solve()
    desk.workspace._case = replace(desk.workspace.case, target_name="")
    panel = make(ReviewPanel)
    panel.time.cold.set_open(True)
    panel.time.refresh()
    assert panel.time.cold.none.text() == "No target is chosen."
