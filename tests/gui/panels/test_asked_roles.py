"""The question about roles: there while something is unsure, one OK for all, and not asked again."""

from __future__ import annotations

from cryoplan.app.known_roles import KnownRoles
from cryoplan.case.structure import Role
from cryoplan.gui.panels import StructuresPanel
from tests.support.panels import with_structure


def choose(panel: StructuresPanel, name: str, role: Role) -> None:
    box = panel.asked.choices[name]
    box.setCurrentIndex(box.findData(role))


def test_it_is_hidden_while_everything_is_sure(desk, make):
    desk.open()
    assert not make(StructuresPanel).asked.isVisible()


def test_each_row_begins_with_the_guess_and_one_ok_answers_all(desk, make, settled):
    desk.open(with_structure("thing", Role.OTHER, (0, 0, 0), guessed=True))
    panel = make(StructuresPanel)
    assert panel.asked.isVisible()
    assert list(panel.asked.choices) == ["thing"]
    assert panel.asked.choices["thing"].currentData() == Role.OTHER
    choose(panel, "thing", Role.NERVE)
    panel.asked.ok.click()
    settled(panel)
    assert desk.workspace.case.structure("thing").role is Role.NERVE
    assert not panel.asked.isVisible()
    assert panel.rows["thing"].words.text().startswith("nerve ·")
    assert KnownRoles().role_of("thing") is Role.NERVE
    desk.workspace.undo()
    settled(panel)
    assert panel.asked.isVisible()


def test_a_second_body_is_told_and_nothing_changes(desk, make, settled):
    case = with_structure("thing", Role.OTHER, (0, 0, 0), guessed=True)
    desk.open(case)
    panel = make(StructuresPanel)
    if not any(s.role is Role.BODY for s in case.structures):
        case = with_structure("skin of all", Role.BODY, (10, 0, 0))
        desk.open(
            case.changed(
                structures=(
                    *case.structures,
                    with_structure("thing", Role.OTHER, (0, 0, 0), guessed=True).structure("thing"),
                )
            )
        )
        settled(panel)
    choose(panel, "thing", Role.BODY)
    panel.asked.ok.click()
    settled(panel)
    assert "cannot both be the body" in panel.asked._problem.text()
    assert desk.workspace.case.structure("thing").role is Role.OTHER


def test_totalsegmentator_can_always_be_asked_for(desk, make, qtbot):
    desk.open()
    panel = make(StructuresPanel)
    with qtbot.waitSignal(panel.outline_requested):
        panel.outline_button.click()
