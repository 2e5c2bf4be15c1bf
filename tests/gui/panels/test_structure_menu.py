"""What can be done to one structure of the list: by menu, by key, by the card; each one step."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog

from cryoplan.app.outlining import Outlining
from cryoplan.case.structure import Role
from cryoplan.gui.panels import StructuresPanel
from tests.support.desk import somebody_else_has
from tests.support.panels import with_structure

NAME, LIVER = "tumour 1", "liver, right lobe"


@pytest.fixture
def panel(desk, make, qtbot):
    desk.open(with_structure(LIVER, Role.ORGAN, (-5.0, -10.0, 20.0)))
    one = make(StructuresPanel)
    yield one
    one.carding.choose("")
    qtbot.waitUntil(lambda: not one.carding.is_busy)


@pytest.fixture
def says(monkeypatch):
    """Answer the question for a name."""

    def answer(text: str, is_said: bool = True) -> None:
        monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: (text, is_said))

    return answer


def names(desk) -> list[str]:
    return [s.name for s in desk.workspace.case.structures]


def actions(menu) -> dict[str, object]:
    return {a.text().split("\t")[0]: a for a in menu.actions() if a.text()}


def test_a_name_is_given_by_the_menu_as_one_step(desk, panel, says):
    before = desk.workspace.case.digest()
    says("segment VI")
    actions(panel.menu.menu(NAME))["Rename..."].trigger()
    assert "segment VI" in names(desk)
    assert NAME not in names(desk)
    assert desk.workspace.case.target_name == "segment VI"
    assert desk.workspace.keeper.settle()
    assert desk.workspace.keeper.undo_text == f"Structure renamed: {NAME} to segment VI"
    desk.workspace.undo()
    assert desk.workspace.case.digest() == before


def test_nothing_happens_where_the_question_is_left_and_a_taken_name_is_said(desk, panel, says):
    said: list[str] = []
    desk.workspace.failed.connect(lambda failure: said.append(failure.code))
    says("another", is_said=False)
    panel.menu.rename(NAME)
    assert NAME in names(desk)
    says(LIVER.upper())
    panel.menu.rename(NAME)
    assert NAME in names(desk)
    assert said == ["structure-name-twice"]


def test_another_role_is_one_step_with_its_tissue(desk, panel):
    roles = next(a.menu() for a in panel.menu.menu(LIVER).actions() if a.menu() is not None)
    by_name = {a.text(): a for a in roles.actions()}
    assert [text for text, action in by_name.items() if action.isChecked()] == ["organ"]
    by_name["bowel"].trigger()
    changed = desk.workspace.case.structure(LIVER)
    assert (changed.role, changed.tissue) == (Role.BOWEL, "large-bowel")
    desk.workspace.undo()
    assert desk.workspace.case.structure(LIVER).role is Role.ORGAN


def test_the_keys_of_a_row_are_its_own(desk, panel, says, qtbot):
    row = panel.rows[LIVER]
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_F2):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        QApplication.sendEvent(row.opener, event)
        assert event.isAccepted()  # or the window's Delete would take a probe away
    says("left lobe")
    QTest.keyClick(row.opener, Qt.Key.Key_F2)
    assert "left lobe" in names(desk)
    qtbot.waitUntil(lambda: "left lobe" in panel.rows)
    told: list[str] = []
    desk.workspace.message.connect(told.append)
    QTest.keyClick(panel.rows["left lobe"].opener, Qt.Key.Key_Delete)
    assert names(desk) == ["body", NAME]
    assert told[-1] == "Structure deleted: left lobe. Ctrl+Z brings it back."
    desk.workspace.undo()
    assert "left lobe" in names(desk)


def test_the_card_of_a_deleted_structure_closes_and_its_drawing_ends(desk, panel, qtbot):
    outlining = Outlining.of(desk.workspace)
    outlining.begin(NAME)
    panel.rows[NAME].opener.click()
    qtbot.waitUntil(lambda: panel.carding.is_current)
    panel.menu.delete(NAME)
    assert outlining.subject is None
    assert panel.carding.name == ""
    qtbot.waitUntil(lambda: NAME not in panel.rows)
    assert not panel.card.isVisible()
    assert "no-target" in {f.code for f in desk.workspace.case.findings}


def test_a_case_for_reading_only_has_nothing_to_change(desk, panel, tmp_path):
    with somebody_else_has(desk, tmp_path / "x.cryoplan"):
        menu = panel.menu.menu(NAME)
        assert not any(a.isEnabled() for a in menu.actions() if a.text())
        panel.menu.delete(NAME)
        assert NAME in names(desk)
