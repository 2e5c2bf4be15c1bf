"""Notes: kept as steps, taken back, read again, and never overwritten while somebody writes."""

from __future__ import annotations

import pytest

from cryoplan import workflow
from cryoplan.gui.notes import Notes
from tests.support.desk import Desk


@pytest.fixture
def notes(desk: Desk, qtbot) -> Notes:
    desk.open()
    desk.workspace.keeper.settle()
    field = Notes(desk.workspace)
    qtbot.addWidget(field)
    return field


def written(desk: Desk) -> str:
    assert desk.workspace.keeper.settle()
    return desk.workspace.keeper.kept.notes


def test_notes_are_one_step_that_can_be_taken_back_and_is_there_again(desk, notes, qtbot):
    notes.setPlainText("Patient asked for Tuesday.")
    notes.keep()
    assert written(desk) == "Patient asked for Tuesday."
    keeper = desk.workspace.keeper
    assert keeper.undo_text == "Notes changed"
    path = keeper.kept.path
    desk.workspace.undo()
    qtbot.waitUntil(lambda: notes.toPlainText() == "", timeout=5000)
    desk.workspace.redo()
    qtbot.waitUntil(lambda: notes.toPlainText() == "Patient asked for Tuesday.", timeout=5000)
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert file.store.notes == "Patient asked for Tuesday."


def test_what_is_being_written_is_not_replaced_by_the_file(desk, notes):
    notes.setPlainText("half a sen")
    notes.show_kept()
    assert notes.toPlainText() == "half a sen"
    notes.keep()
    assert written(desk) == "half a sen"


def test_the_same_notes_make_no_step(desk, notes):
    before = desk.workspace.keeper.undo_count
    notes.keep()
    assert written(desk) == ""
    assert desk.workspace.keeper.undo_count == before


def test_notes_of_a_case_that_is_read_only_cannot_be_written(desk, notes, qtbot):
    notes.setPlainText("ours")
    notes.keep()
    path, case = desk.workspace.keeper.kept.path, desk.workspace.case
    assert written(desk) == "ours"
    other = Desk()
    other.workspace.set_case(case, desk.workspace.plan, file=path)
    qtbot.waitUntil(lambda: other.workspace.keeper.kept.read_only, timeout=5000)
    field = Notes(other.workspace)
    qtbot.addWidget(field)
    assert field.isReadOnly()
    assert field.toPlainText() == "ours"
    other.workspace.close()
