"""Skin marks are put at the crosshair, told for the chosen probe, and each step can be undone."""

from __future__ import annotations

import pytest

from cryoplan.gui.panels import ProbesPanel
from cryoplan.gui.panels.marks import NO_MARK
from cryoplan.plan.mark import MarkKind
from tests.support.scenes import make_case, make_plan


@pytest.fixture
def marks(desk, make):
    desk.open(make_case(), make_plan())
    desk.view.selected_probe = "1"
    return make(ProbesPanel).marks


def test_without_a_mark_the_panel_says_what_the_sheet_will_lack(marks):
    assert marks.words.text() == NO_MARK


def test_a_mark_is_put_at_the_crosshair_and_tells_where_the_chosen_probe_enters(desk, marks, qtbot):
    x, y, z = desk.workspace.plan.probe("1").entry_mm
    desk.view.cursor_mm = (x - 23.0, y, z - 12.0)
    marks.new[MarkKind.MIDLINE].click()
    (mark,) = desk.workspace.plan.marks
    assert mark.position_mm == (x - 23.0, y, z - 12.0)
    words = "23 mm to the patient's left of the mid-line mark, 12 mm towards the head of it"
    qtbot.waitUntil(lambda: marks.words.text() == f"Probe 1 enters {words}.")
    desk.workspace.undo()
    assert desk.workspace.plan.marks == ()


def test_a_mark_is_renamed_moved_shown_and_removed(desk, marks, qtbot):
    marks.new[MarkKind.LANDMARK].click()
    qtbot.waitUntil(lambda: len(marks.rows) == 1)
    row = marks.rows[0]
    row.name.setText("xiphoid")
    row.name.editingFinished.emit()
    assert [m.name for m in desk.workspace.plan.marks] == ["xiphoid"]
    at = (1.0, -20.0, 5.0)
    desk.view.cursor_mm = at
    qtbot.waitUntil(lambda: row.mark_name == "xiphoid")
    row.here.click()
    assert desk.workspace.plan.marks[0].position_mm == pytest.approx(at)
    desk.view.cursor_mm = (0.0, 0.0, 0.0)
    row.show_button.click()
    assert desk.view.cursor_mm == pytest.approx(at)
    row.delete.click()
    assert desk.workspace.plan.marks == ()


def test_a_mark_never_makes_the_ice_stale(desk, marks):
    before = desk.workspace.plan.physics_key()
    marks.new[MarkKind.GRID_LINE].click()
    assert desk.workspace.plan.marks
    assert desk.workspace.plan.physics_key() == before
