"""The first screen: every case to go on with is there, by pseudonym, and no folder keeps anybody waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from cryoplan import workflow
from cryoplan.app import shelf as shelf_module
from cryoplan.app.keeper import cases_folder
from cryoplan.app.recent import Presence, RecentCases
from cryoplan.app.settings import Settings
from cryoplan.app.shelf import Shelf
from cryoplan.case.store import CaseStore
from cryoplan.gui import theme
from cryoplan.gui.case_list import second_line, standing_of
from cryoplan.gui.welcome import Welcome
from tests.support.desk import Desk, small_case
from tests.support.scenes import make_plan


def make(path: Path, code: str = "P-1", title: str = "", status: str = "draft") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    workflow.save_case(path, small_case().changed(code=code), make_plan())
    with CaseStore.open(path) as store:
        if title:
            store.rename(title)
        if status == "approved":
            store.approve("Dr Example")
    return path


@pytest.fixture
def shelf(qapp, qtbot) -> Iterator[Shelf]:
    theme.apply(qapp)
    made = Shelf(RecentCases(Settings()))
    yield made
    qtbot.waitUntil(lambda: not made.is_looking)


@pytest.fixture
def parent(qtbot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def welcome(empty_desk: Desk, shelf, parent, qtbot) -> Welcome:
    made = Welcome(empty_desk.workspace, shelf, parent)
    made.resize(640, 620)
    parent.resize(640, 620)
    parent.show()
    qtbot.waitExposed(parent)
    return made


def look(welcome: Welcome, shelf: Shelf, qtbot) -> None:
    shelf.refresh()
    qtbot.waitUntil(lambda: not shelf.is_looking)
    assert welcome.list.rows == shelf.rows


def test_a_case_shows_pseudonym_title_status_plan_and_time_and_never_its_file(
    welcome, shelf, qtbot, tmp_path
):
    path = make(tmp_path / "Meier_Anna.cryoplan", "P-7", "Segment VII", "approved")
    shelf.recent.note(path, "P-7", "draft")
    look(welcome, shelf, qtbot)
    (row,) = welcome.list.rows
    assert (row.code, row.title, standing_of(row)[0]) == ("P-7", "Segment VII", "Approved")
    assert second_line(row).startswith("Plan A  ·  changed ")
    said = welcome.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "P-7 (Segment VII)" in said
    assert "Approved" in said
    assert "Meier" not in said + repr(row)


def test_a_draft_that_no_list_knows_is_there(welcome, shelf, qtbot):
    make(cases_folder() / "P-9-20261122.cryoplan", "P-9")
    look(welcome, shelf, qtbot)
    (row,) = welcome.list.rows
    assert row.code == "P-9"
    assert "not saved under a name yet" in second_line(row)


def test_drafts_are_there_though_nothing_is_remembered(welcome, shelf, qtbot, tmp_path):
    shelf.recent.note(make(tmp_path / "a.cryoplan"), "P-1", "draft")
    make(cases_folder() / "b.cryoplan", "P-9")
    look(welcome, shelf, qtbot)
    assert {row.code for row in welcome.list.rows} == {"P-1", "P-9"}
    QTest.mouseClick(welcome.remember, Qt.MouseButton.LeftButton, pos=welcome.remember.rect().center())
    qtbot.waitUntil(lambda: not shelf.is_looking)
    assert [row.code for row in welcome.list.rows] == ["P-9"]
    assert not shelf.recent.remembers
    assert (tmp_path / "a.cryoplan").exists()


def test_missing_and_damaged_cases_say_so_and_cannot_be_opened_by_mistake(welcome, shelf, qtbot, tmp_path):
    damaged = tmp_path / "Meier.cryoplan"
    damaged.write_bytes(b"no case at all")
    shelf.recent.note(damaged, "P-2", "draft")
    shelf.recent.note(tmp_path / "gone.cryoplan", "P-1", "ready")
    look(welcome, shelf, qtbot)
    said = {row.code: standing_of(row)[0] for row in welcome.list.rows}
    assert said == {"P-1": "missing", "P-2": "cannot be read"}
    assert not any("Meier" in second_line(row) for row in welcome.list.rows)
    welcome.list.setCurrentRow([row.code for row in welcome.list.rows].index("P-1"))
    assert not welcome.open.isEnabled()
    with qtbot.assertNotEmitted(welcome.case_asked):
        QTest.keyClick(welcome.list, Qt.Key.Key_Return)


def test_a_folder_that_does_not_answer_keeps_nobody_waiting(welcome, shelf, qtbot, tmp_path, monkeypatch):
    far, answered = tmp_path / "far" / "a.cryoplan", threading.Event()
    make(far, "FAR")
    near = make(tmp_path / "near" / "b.cryoplan", "NEAR", "Title of the near one")
    shelf.recent.note(near, "NEAR", "draft")
    shelf.recent.note(far, "FAR", "draft")
    real = shelf_module.look

    def slow(row):
        if row.path == far:
            assert answered.wait(30)
        return real(row)

    monkeypatch.setattr(shelf_module, "look", slow)
    shelf.refresh()
    assert {row.code for row in welcome.list.rows} == {"NEAR", "FAR"}
    titles = lambda: {row.code: (row.title, row.presence) for row in welcome.list.rows}  # noqa: E731
    qtbot.waitUntil(lambda: titles()["NEAR"] == ("Title of the near one", Presence.HERE))
    assert titles()["FAR"] == ("", None)
    answered.set()
    qtbot.waitUntil(lambda: titles()["FAR"][1] is Presence.HERE)


@pytest.mark.parametrize("how", ["key", "double click", "button"])
def test_a_case_is_opened_by_key_double_click_and_button(welcome, shelf, qtbot, tmp_path, how):
    path = make(tmp_path / "a.cryoplan")
    shelf.recent.note(path, "P-1", "draft")
    look(welcome, shelf, qtbot)
    with qtbot.waitSignal(welcome.case_asked) as asked:
        if how == "key":
            assert welcome.list.hasFocus() or welcome.list.focusPolicy() & Qt.FocusPolicy.TabFocus
            QTest.keyClick(welcome.list, Qt.Key.Key_Return)
        elif how == "button":
            QTest.mouseClick(welcome.open, Qt.MouseButton.LeftButton)
        else:
            middle = welcome.list.visualItemRect(welcome.list.item(0)).center()
            QTest.mouseClick(welcome.list.viewport(), Qt.MouseButton.LeftButton, pos=middle)
            QTest.mouseDClick(welcome.list.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert asked.args == ["open", path]


def test_the_menu_of_a_case_offers_all_that_can_be_done_with_it(welcome, shelf, qtbot, tmp_path):
    shelf.recent.note(make(tmp_path / "a.cryoplan"), "P-1", "draft")
    look(welcome, shelf, qtbot)
    menu = welcome.list.menu()
    deeds = {action.data() for action in menu.actions() if action.isEnabled() and action.data()}
    assert deeds == {
        "open", "look", "rename", "duplicate", "copy", "deidentify", "forget", "delete",
    }  # fmt: skip


def test_the_case_in_hand_stays_in_hand_when_others_come(welcome, shelf, qtbot, tmp_path):
    for code in ("P-1", "P-2"):
        shelf.recent.note(make(tmp_path / f"{code}.cryoplan", code), code, "draft")
    look(welcome, shelf, qtbot)
    QTest.keyClick(welcome.list, Qt.Key.Key_Down)
    held = welcome.list.chosen.code
    shelf.recent.note(make(tmp_path / "P-3.cryoplan", "P-3"), "P-3", "draft")
    look(welcome, shelf, qtbot)
    assert len(welcome.list.rows) == 3
    assert welcome.list.chosen.code == held
