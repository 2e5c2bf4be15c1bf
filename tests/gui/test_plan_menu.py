"""Plan menu: a second plan is kept, changed to and back, each as a step that can be undone."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QInputDialog

from cryoplan.app.state import State
from cryoplan.gui.plan_menu import PlanMenu
from cryoplan.plan import edits
from tests.support.desk import Desk


@pytest.fixture
def desk() -> Desk:
    found = Desk()
    found.open()
    return found


@pytest.fixture
def menu(desk, qtbot) -> PlanMenu:
    made = PlanMenu(desk.workspace)
    qtbot.addWidget(made)
    return made


def lines(menu: PlanMenu) -> list[str]:
    menu.menu().aboutToShow.emit()
    return [action.text() for action in menu.menu().actions() if not action.isSeparator()]


def press(menu: PlanMenu, words: str) -> None:
    menu.menu().aboutToShow.emit()
    next(a for a in menu.menu().actions() if a.text() == words).trigger()


def test_the_button_names_the_plan_and_its_menu_says_what_can_be_done(menu, desk):
    name = desk.workspace.plan.name
    assert menu.text() == f"Plan  {name}"
    assert menu.accessibleName() == f"Plan {name}"
    assert lines(menu) == [name, "Keep this plan and go on with a copy", "Rename plan..."]


def test_a_copy_is_kept_changed_and_left_for_the_first_one_whose_ice_comes_back(menu, desk):
    workspace = desk.workspace
    first = workspace.plan
    desk.solve()
    solved = workspace.result
    press(menu, "Keep this plan and go on with a copy")
    second = workspace.plan.name
    assert menu.text() == f"Plan  {second}"
    workspace.edit("moved", edits.nudge(workspace.plan, "1", (0.0, 0.0, 5.0)))
    assert workspace.state is State.OUT_OF_DATE
    press(menu, first.name)
    assert workspace.plan == first
    assert workspace.state is State.CURRENT
    assert workspace.result is solved
    assert lines(menu)[:2] == sorted([first.name, second])
    for _ in range(3):
        workspace.undo()
    assert workspace.plan == first
    assert workspace.case.other_plans == ()


def test_a_plan_is_renamed_and_one_beside_it_deleted(menu, desk, monkeypatch):
    workspace = desk.workspace
    press(menu, "Keep this plan and go on with a copy")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("lateral", True))
    press(menu, "Rename plan...")
    assert workspace.plan.name == "lateral"
    menu.menu().aboutToShow.emit()
    delete = next(a.menu() for a in menu.menu().actions() if a.menu() is not None)
    delete.actions()[0].trigger()
    assert workspace.case.other_plans == ()
    assert workspace.keeper.undo_text.endswith(" deleted")


def test_a_name_that_another_plan_has_is_refused_with_a_sentence(menu, desk, monkeypatch):
    workspace = desk.workspace
    name = workspace.plan.name
    press(menu, "Keep this plan and go on with a copy")
    said = []
    workspace.failed.connect(said.append)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: (name, True))
    press(menu, "Rename plan...")
    assert [failure.code for failure in said] == ["plan-name-twice"]
    assert workspace.plan.name != name


def test_an_ampersand_in_a_name_is_shown(menu, desk, monkeypatch):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("A & B", True))
    press(menu, "Rename plan...")
    assert menu.text() == "Plan  A && B"
    assert lines(menu)[0] == "A && B"
    assert desk.workspace.plan.name == "A & B"
