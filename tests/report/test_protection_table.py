"""The printed plan names every warmer and every flow that the plan sets, and one that is not used as such."""

from __future__ import annotations

from cryoplan.plan.edit_warmers import add_warmer, set_flow, set_warmer
from cryoplan.plan.plan import Plan
from cryoplan.plan.warmer import WarmerKind
from cryoplan.report.room_tables import room_tables


def protection(plan: Plan):
    return next(t for t in room_tables(plan) if t.title == "Protection")


def test_a_plan_without_protection_prints_no_rows():
    assert protection(Plan()).rows == ()


def test_every_warmer_and_flow_is_printed_with_place_and_numbers():
    plan = add_warmer(Plan(), WarmerKind.URETHRAL, structure="urethra")
    plan = add_warmer(plan, WarmerKind.SKIN_BAG, centre_mm=(10.0, -80.0, 5.0))
    plan = set_warmer(plan, plan.warmers[1].name, is_on=False)
    plan = set_flow(set_flow(plan, "portal vein", 0.0), "aorta", 0.25)
    rows = protection(plan).rows
    assert rows[0] == ("Urethral warmer", "urethra", "40 °C", "750 W/(m²·K)")
    assert rows[1][0] == "Warm bag on the skin"
    assert rows[1][2] == "not used"
    assert "A\xa080.0" in rows[1][1]
    assert rows[2][:3] == ("Flow of blood", "aorta", "0.25 m/s")
    assert rows[3][:3] == ("Blood stands still", "portal vein", "0 m/s")
