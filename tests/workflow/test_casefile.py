"""CaseFile: edits, undo and results of a file in use, and what a stale result says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cryoplan import workflow
from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore
from cryoplan.core.errors import StoreError
from cryoplan.plan import edits
from cryoplan.plan.plan import Plan
from cryoplan.simulation.settings import STANDARD
from cryoplan.workflow import casefile
from cryoplan.workflow.casefile import PARTS, CaseFile, question, stale_finding


@pytest.fixture(scope="module")
def made() -> tuple[Case, Plan]:
    case = workflow.built_in_case()
    return case, workflow.built_in_plan(case)


@pytest.fixture
def path(made, tmp_path: Path) -> Path:
    workflow.save_case(tmp_path / "a.cryoplan", *made)
    return tmp_path / "a.cryoplan"


def test_plan_and_case_go_back_and_forth_after_reopening(path, made):
    case, plan = made
    moved = edits.move_probe(plan, "1", (1.0, 0.0, 0.0))
    other = next(s.name for s in case.structures if s.name != case.target_name)
    aimed = workflow.choose_target(case, other)
    with CaseFile.open(path, scan=case.scan) as file:
        assert file.plan == plan
        file.record("Probe 1: moved 1.0 mm", plan=moved)
        file.record(f"Target: {other}", case=aimed)
        assert (file.case, file.plan) == (aimed, moved)
    with CaseFile.open(path, scan=case.scan) as file:
        assert file.history.undo_text == f"Target: {other}"
        back, same = file.undo()
        assert back.digest() == case.digest()
        assert same == moved
        assert file.undo()[1] == plan
        file.redo()
        assert file.redo()[0].target_name == other
        assert file.go_to(1)[1] == plan
        assert len(file.history) == 8


def test_a_file_that_is_open_can_be_looked_at_by_the_window(path, made):
    with CaseFile.open(path, scan=made[0].scan) as file:
        file.record("Renamed", plan=edits.rename_plan(file.plan, "New"))
        assert workflow.open_case(path).plan.name == "New"
        with pytest.raises(StoreError) as caught:
            workflow.save_case(path, *made)
        assert caught.value.code == "case-file-in-use"


def test_the_parts_of_a_question_change_with_what_they_are_called_after(made):
    case, plan = made
    probes = workflow.catalogue()
    now = question(case, plan, probes, STANDARD)
    assert now.keys() == PARTS.keys() | {"program"}

    def differing(*words) -> list[str]:
        other = question(*words)
        return [part for part in now if other[part] != now[part]]

    moved = edits.move_probe(plan, "1", (0.1, 0.0, 0.0))
    assert differing(case, moved, probes, STANDARD) == ["plan"]
    assert differing(case, plan, probes, replace(STANDARD, spacing_mm=2.0)) == ["settings"]
    fewer = case.changed(structures=tuple(s for s in case.structures if s.name == case.target_name))
    assert differing(fewer, plan, probes, STANDARD) == ["structures"]
    assert differing(case, edits.rename_plan(plan, "X"), probes, STANDARD) == []


def test_a_stale_result_says_which_part_is_another_one(made, monkeypatch):
    case, plan = made
    probes = workflow.catalogue()
    then = question(case, plan, probes, STANDARD)
    monkeypatch.setattr(casefile, "MODEL_VERSION", 99)
    now = question(case, edits.move_probe(plan, "1", (0.1, 0.0, 0.0)), probes, STANDARD)
    text = stale_finding(then, now, "a.cryoplan").text
    assert "the plan" in text
    assert "the version of the model (" in text
    assert "now 99" in text
    assert "tissues" not in text
    assert "another plan, table or version" in stale_finding({}, now, "a.cryoplan").text


def test_a_plan_that_cannot_be_read_is_refused_and_the_file_is_free_again(path):
    with CaseStore.open(path) as store:
        store.record("Broken", plan_text='{"schema": 99}')
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            CaseFile.open(path)
        assert caught.value.code == "plan-in-case"


def test_what_is_printed_says_whether_it_is_approved_and_which_state_it_is(path, made):
    case, plan = made
    with CaseFile.open(path, scan=case.scan) as file:
        assert workflow.standing(file.history).startswith("Not approved · entry 1, seal ")
        file.store.approve("Dr A. Example")
        approved = workflow.standing(file.history)
        assert approved.startswith("Approved by Dr A. Example, 20")
        assert approved.endswith(f"entry 2, seal {file.history.seal.hex()[:12]}")
        file.record("Probe 1: moved 1.0 mm", plan=edits.move_probe(plan, "1", (1.0, 0.0, 0.0)))
        changed = workflow.standing(file.history)
        assert changed.startswith("Not approved")
        assert changed.split("seal ")[1] != approved.split("seal ")[1]
    assert workflow.open_case(path).standing == changed
