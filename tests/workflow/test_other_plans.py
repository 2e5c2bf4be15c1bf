"""Other plans: what is kept beside the plan comes back as it was, also from the file, and changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.case.other_plan import OtherPlan, plans_from_json, plans_in_order, plans_to_json
from cryoplan.core.errors import PlanError
from cryoplan.plan import edits
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.warmer import Flow
from cryoplan.workflow import CaseFile, deidentifying, save_case
from cryoplan.workflow.other_plans import (
    MOST_PLANS,
    follow_renamed_structure,
    forget_plan,
    keep_and_copy,
    plan_names,
    rename_plan,
    take_up,
)
from tests.support.scenes import make_plan, small_case

CATALOGUE = load_catalogue()


def moved(plan, mm: float):
    return edits.nudge(plan, "1", (0.0, 0.0, mm))


def test_a_copy_goes_on_under_the_next_letter_and_the_old_one_comes_back_as_it_was():
    case, plan = small_case(), replace(make_plan(), name="A")
    with_one, copy = keep_and_copy(case, plan)
    assert copy == replace(plan, name="B")
    assert plan_names(with_one, copy) == ("A", "B")
    changed = moved(copy, 4.0)
    back_case, back = take_up(with_one, changed, "A", CATALOGUE)
    assert back == plan
    again_case, again = take_up(back_case, back, "B", CATALOGUE)
    assert again == changed
    assert plan_names(again_case, again) == ("A", "B")


def test_no_temperature_and_no_verdict_depends_on_a_plan_that_is_kept_beside():
    case, plan = small_case(), make_plan()
    with_one, _ = keep_and_copy(case, plan)
    assert with_one.digest() == case.digest()
    assert with_one.is_like(case)


def test_a_letter_that_is_free_again_is_used_again_and_there_is_an_end():
    case, plan = small_case(), replace(make_plan(), name="A")
    for _ in range(MOST_PLANS - 1):
        case, plan = keep_and_copy(case, plan)
    assert plan.name == "Z"
    with pytest.raises(PlanError, match="26 plans"):
        keep_and_copy(case, plan)
    case, plan = keep_and_copy(forget_plan(case, "C"), plan)
    assert plan.name == "C"


def test_a_name_is_unlike_every_other_of_the_case_and_can_be_read():
    case, plan = keep_and_copy(small_case(), replace(make_plan(), name="A"))
    assert rename_plan(case, plan, "  two   probes ").name == "two probes"
    for bad in ("A", " ", "x\x07"):
        with pytest.raises(PlanError):
            rename_plan(case, plan, bad)


def test_an_unknown_plan_is_refused_with_those_there_are():
    case, plan = keep_and_copy(small_case(), replace(make_plan(), name="A"))
    with pytest.raises(PlanError, match="no plan 'X'") as caught:
        take_up(case, plan, "X", CATALOGUE)
    assert "A, B" in caught.value.remedy
    assert forget_plan(case, "X").other_plans == case.other_plans


def test_a_kept_plan_follows_a_structure_that_gets_another_name():
    case = small_case()
    vessel = case.structures[0].name
    plan = replace(make_plan(), name="A", flows=(Flow(structure=vessel, speed_m_s=0.2),))
    case, copy = keep_and_copy(case, plan)
    followed = follow_renamed_structure(case, vessel, "porta")
    _, back = take_up(followed, copy, "A", CATALOGUE)
    assert [flow.structure for flow in back.flows] == ["porta"]
    assert replace(back, flows=plan.flows) == plan


def test_the_file_holds_all_plans_and_undo_takes_a_copy_back(tmp_path):
    case, plan = small_case(), replace(make_plan(), name="A")
    path = tmp_path / "x.cryoplan"
    save_case(path, case, plan)
    with CaseFile.open(path) as file:
        with_one, copy = keep_and_copy(case, plan)
        file.record("Plan A kept; B is a copy of it", case=with_one, plan=moved(copy, 2.0))
    with CaseFile.open(path) as file:
        assert file.case.other_plans == with_one.other_plans
        assert file.plan == moved(copy, 2.0)
        _, back = take_up(file.case, file.plan, "A", CATALOGUE)
        assert back == plan
        file.undo()
        assert file.case.other_plans == ()
        assert file.plan == plan
        file.redo()
        assert file.case.other_plans == with_one.other_plans


def test_a_deidentified_copy_has_none_of_them():
    case, plan = keep_and_copy(small_case(), replace(make_plan(), name="Mrs Example"))
    copy = deidentifying.deidentify(case, plan, CATALOGUE, secret=b"s")
    assert copy.case.other_plans == ()


def test_the_record_refuses_what_is_no_plan():
    good = OtherPlan(name="A", text='{"b": 1, "a": 2}')
    assert good == OtherPlan(name="A", text='{"a": 2,  "b": 1}')
    assert plans_from_json(plans_to_json((good,))) == (good,)
    with pytest.raises(ValueError, match="object"):
        OtherPlan(name="A", text="[]")
    with pytest.raises(ValueError, match="one name"):
        plans_in_order((good, good))
    with pytest.raises(TypeError):
        plans_from_json({})
