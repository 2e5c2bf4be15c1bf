"""Warmers and flows of a plan: what is refused, the file and back, the words, the key of the answer."""

from __future__ import annotations

import pytest

from cryoplan.core.errors import PlanError, StoreError
from cryoplan.core.resources import resource
from cryoplan.plan.edit_warmers import add_warmer, remove_warmer, rename_structure, set_flow, set_warmer
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.file import plan_from_json, plan_to_json
from cryoplan.plan.plan import Plan
from cryoplan.plan.warmer import Flow, Warmer, WarmerKind
from cryoplan.plan.warmer_kinds import load_warmers, read_warmers


def warmed() -> Plan:
    plan = add_warmer(Plan(), WarmerKind.PYELOPERFUSION, structure="renal pelvis")
    plan = add_warmer(plan, WarmerKind.SKIN_BAG, centre_mm=(1.0, 2.0, 3.0))
    plan = set_warmer(plan, plan.warmers[1].name, radius_mm=45.0, is_on=False)
    return set_flow(set_flow(plan, "renal vein", 0.05), "aorta", 0.0)


def test_a_plan_with_warmers_and_flows_goes_to_its_file_and_back():
    text = plan_to_json(warmed())
    assert plan_from_json(text, {}, "plan.json") == warmed()
    assert '"warmers"' not in plan_to_json(Plan())
    assert '"flows"' not in plan_to_json(Plan())


def test_a_new_warmer_begins_with_the_sourced_numbers_of_its_kind():
    for kind, usual in load_warmers().items():
        place = {"centre_mm": (0.0, 0.0, 0.0)} if kind.is_on_skin else {"structure": "x"}
        made = add_warmer(Plan(), kind, **place).warmers[0]
        assert (made.temperature_degc, made.coefficient) == (usual.temperature.value, usual.coefficient.value)
        assert usual.temperature.source
        assert usual.coefficient.low < usual.coefficient.value < usual.coefficient.high


def test_two_warmers_of_one_kind_get_two_names_and_one_can_be_removed():
    plan = add_warmer(Plan(), WarmerKind.BALLOON, structure="bladder")
    plan = add_warmer(plan, WarmerKind.BALLOON, structure="bladder")
    first, second = (w.name for w in plan.warmers)
    assert first != second
    assert [w.name for w in remove_warmer(plan, first).warmers] == [second]
    with pytest.raises(PlanError, match="no warmer"):
        remove_warmer(plan, "none")


@pytest.mark.parametrize(
    "bad",
    [
        {"temperature_degc": 60.0},
        {"temperature_degc": float("nan")},
        {"coefficient": 0.0},
        {"structure": ""},
        {"structure": "x", "centre_mm": (0.0, 0.0, 0.0)},
        {"name": " "},
        {"kind": WarmerKind.SKIN_BAG},
        {"kind": WarmerKind.SKIN_BAG, "structure": "", "centre_mm": (0.0, float("inf"), 0.0)},
        {"kind": WarmerKind.SKIN_BAG, "structure": "", "centre_mm": (0.0, 0.0, 0.0), "radius_mm": 1.0},
    ],
)
def test_a_warmer_that_cannot_be_is_refused(bad):
    good = {"name": "w", "kind": WarmerKind.BALLOON, "temperature_degc": 38.0, "coefficient": 200.0}
    with pytest.raises(PlanError):
        Warmer(**{**good, "structure": "x", **bad})


@pytest.mark.parametrize("speed", [-0.1, 3.0, float("nan")])
def test_blood_cannot_flow_backwards_or_at_any_speed(speed):
    with pytest.raises(PlanError, match="cannot flow"):
        Flow(structure="aorta", speed_m_s=speed)


def test_two_flows_of_one_vessel_are_refused_and_so_are_bad_rows():
    one = Flow(structure="aorta", speed_m_s=0.1)
    with pytest.raises(PlanError, match="aorta"):
        Plan(flows=(one, one))
    text = plan_to_json(warmed())
    with pytest.raises(PlanError) as caught:
        plan_from_json(text.replace('"temperature_degc": 37.0', '"temperature_degc": 99.0'), {}, "p.json")
    assert caught.value.place == "warmers[0].temperature_degc"
    with pytest.raises(PlanError) as caught:
        plan_from_json(text.replace('"speed_m_s": 0.05', '"speed_m_s": 50'), {}, "p.json")
    assert caught.value.place == "flows[1].speed_m_s"


def test_only_what_is_on_changes_the_key_and_a_renamed_structure_is_followed():
    bare = Plan()
    plan = warmed()
    off = set_flow(set_flow(plan, "aorta", None), "renal vein", None)
    off = set_warmer(off, off.warmers[0].name, is_on=False)
    assert off.physics_key() == bare.physics_key() != plan.physics_key()
    followed = rename_structure(plan, "renal pelvis", "pelvis")
    assert followed.warmers[0].structure == "pelvis"
    assert rename_structure(followed, "aorta", "a").flows == (
        Flow(structure="a", speed_m_s=0.0),
        Flow(structure="renal vein", speed_m_s=0.05),
    )


def test_the_history_says_what_was_done_to_a_warmer_or_a_flow():
    plan = warmed()
    name = plan.warmers[0].name
    assert describe_change(Plan(), add_warmer(Plan(), WarmerKind.BALLOON, structure="b")).startswith(
        "Warmer "
    )
    assert describe_change(plan, set_warmer(plan, name, temperature_degc=39.0)) == f"Warmer {name}: 39 °C"
    assert describe_change(plan, set_flow(plan, "aorta", 0.2)) == "Flow in aorta 0.2 m/s"
    assert describe_change(plan, set_flow(plan, "aorta", None)) == "Flow in aorta as usual"


def test_a_table_of_warmers_without_a_source_or_a_kind_is_refused(tmp_path):
    text = resource("warmers", "default.toml").read_text(encoding="utf-8")
    path = tmp_path / "bad.toml"
    for old, new in (('how = "recalled"', 'how = "said"'), ("[balloon]", "[baloon]"), ("degC", "K")):
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(StoreError):
            read_warmers(path)
