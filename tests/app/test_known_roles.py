"""Roles are asked once: remembered by name over cases and restarts, and one step to take back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan import workflow
from cryoplan.app import known_roles, tasks
from cryoplan.app.known_roles import KnownRoles
from cryoplan.app.settings import Settings, settings_path
from cryoplan.case.structure import Role
from tests.support import bodies
from tests.support.desk import small_case

pytestmark = pytest.mark.usefixtures("qapp")


def open_case():
    """Return the small case with two structures whose names leave open what they are."""
    case = small_case()
    first, second = case.structures[0], case.structures[-1]
    return case.changed(
        structures=(
            *case.structures,
            replace(first, name="Struktur A", role=Role.OTHER, tissue="soft-tissue", role_is_guess=True),
            replace(second, name="probe tract", role=Role.OTHER, tissue="soft-tissue", role_is_guess=True),
        )
    )


def test_answers_are_one_step_that_can_be_taken_back_and_made_again(desk):
    desk.open(open_case())
    workspace = desk.workspace
    assert workspace.set_roles({"Struktur A": Role.BOWEL, "probe tract": Role.OTHER})
    assert workflow.unsure(workspace.case) == ()
    assert workspace.case.structure("Struktur A").tissue == "large-bowel"
    assert workspace.keeper.settle()
    assert workspace.keeper.undo_text == "Roles: Struktur A is bowel, probe tract is other"
    workspace.undo()
    assert [s.name for s in workflow.unsure(workspace.case)] == ["Struktur A", "probe tract"]
    workspace.redo()
    assert workflow.unsure(workspace.case) == ()


def test_a_guess_that_is_only_confirmed_is_a_step_too_and_survives_a_restart(desk, tmp_path):
    desk.open(open_case())
    workspace = desk.workspace
    shown: list[int] = []
    workspace.case_changed.connect(lambda: shown.append(1))
    assert workspace.set_roles({"Struktur A": Role.OTHER, "probe tract": Role.OTHER})
    assert len(shown) == 1
    workspace.undo()
    assert len(workflow.unsure(workspace.case)) == 2
    assert len(shown) == 2
    workspace.redo()
    path = tmp_path / "case.cryoplan"
    workspace.keeper.move(path).result(10)
    workspace.set_case(None)
    assert workflow.unsure(workflow.open_case(path).case) == ()


def test_an_answer_is_remembered_for_that_name_in_any_case_and_spacing(desk):
    desk.open(open_case())
    desk.workspace.set_roles({"Struktur A": Role.NERVE})
    other = KnownRoles(Settings())
    assert other.role_of("struktur_A") is Role.NERVE
    assert other.role_of("  STRUKTUR  a ") is Role.NERVE
    assert other.role_of("Struktur B") is None
    applied = other.apply(open_case())
    assert applied.structure("Struktur A").role is Role.NERVE
    assert [s.name for s in workflow.unsure(applied)] == ["probe tract"]
    told = [f.text for f in applied.findings if f.code == "role-remembered"]
    assert told == ["Struktur A is taken for nerve made of nerve, as you said before."]


def test_a_new_answer_takes_the_place_of_the_old_one_and_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(known_roles, "MOST", 3)
    known = KnownRoles()
    for number, role in enumerate((Role.BOWEL, Role.NERVE, Role.SKIN)):
        assert known.remember({f"n{number}": role})
    assert known.remember({"n0": Role.FLUID})
    assert known.remember({"n3": Role.FAT})
    assert [known.role_of(f"n{n}") for n in range(4)] == [Role.FLUID, None, Role.SKIN, Role.FAT]


def test_a_role_of_a_newer_version_and_damaged_settings_are_asked_anew():
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text('{"roles": {"by_name": {"a": "dragon", "b": "bowel"}}}')
    assert KnownRoles().role_of("a") is None
    assert KnownRoles().role_of("b") is Role.BOWEL
    settings_path().write_text('{"roles": 5}')
    assert KnownRoles().role_of("b") is None


def test_what_is_sure_is_never_changed_by_what_was_said_before():
    KnownRoles().remember({"tumour": Role.FAT, "liver": Role.FAT})
    sure = bodies.body(bodies.ball("liver", Role.ORGAN, "liver", (0.0, 12.0, 0.0), 20.0))
    assert KnownRoles().apply(sure) is sure


def test_two_names_that_were_each_the_body_are_asked_about_again():
    case = open_case()
    bare = case.changed(
        structures=tuple(s for s in case.structures if s.role is not Role.BODY), target_name=""
    )
    KnownRoles().remember({"Struktur A": Role.BODY, "probe tract": Role.BODY})
    assert KnownRoles().apply(bare) is bare


def test_the_background_process_uses_what_is_remembered_when_it_reads_structures(monkeypatch):
    KnownRoles().remember({"Struktur A": Role.BOWEL})
    monkeypatch.setattr(workflow, "add_structures", lambda *_, **__: open_case())
    try:
        read = tasks.structures(None, small_case(), "x")
    finally:
        tasks._CASES.clear()
    assert read.structure("Struktur A").role is Role.BOWEL


def test_roles_of_a_case_that_may_not_be_changed_stay(desk, tmp_path):
    from tests.support.desk import somebody_else_has

    desk.open(open_case())
    with somebody_else_has(desk, tmp_path / "x.cryoplan"):
        assert not desk.workspace.set_roles({"Struktur A": Role.BOWEL})
        assert KnownRoles().role_of("Struktur A") is None
