"""Rules say what is wrong, with numbers, at the probe that has it; and nothing about a good plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import ThawMode, freeze_thaw_freeze
from cryoplan.plan.rules import check_plan
from tests.support.cases import ball, box, case, grid, scan, structure

WHERE = grid(size=(110, 130, 55), spacing=(1.5, 1.5, 3))
BODY_BOX = box(WHERE, (-70, -80, -90), (70, 80, 90))
BODY = structure("body", BODY_BOX, Role.BODY)
TUMOUR = structure("tumour", ball(WHERE, (0, 10, 0), 14), Role.TUMOUR, "tumour")
CATALOGUE = load_catalogue()
GOOD = case(scan(WHERE), BODY, TUMOUR, target="tumour")


def probe(x=0.0, tip_y=26.0, entry_y=-80.0, z=0.0, name="1", **changes) -> Probe:
    return Probe(name=name, model="generic-15g", tip_mm=(x, tip_y, z), entry_mm=(x, entry_y, z), **changes)


def plan(*probes: Probe, **changes) -> Plan:
    return Plan(probes=probes, **changes)


def found(made: Plan, where=GOOD) -> dict[str, Level]:
    return {f.code: f.level for f in check_plan(where, made, CATALOGUE)}


def finding(made: Plan, code: str, where=GOOD):
    return next(f for f in check_plan(where, made, CATALOGUE) if f.code == code)


TWO = plan(probe(-7), probe(8, name="2"))


def test_a_good_plan_has_no_finding():
    assert check_plan(GOOD, TWO, CATALOGUE) == ()


def test_an_empty_plan_says_so():
    assert found(plan()) == {"no-probes": Level.WARN}


def test_a_tip_outside_the_body_fails_and_names_the_probe():
    made = finding(plan(probe(tip_y=90, name="7")), "tip-outside-body")
    assert made.level is Level.FAIL
    assert made.place == "probe 7"
    assert "judged by the structure body" in made.text


def test_a_tip_outside_the_image_fails():
    assert found(plan(probe(tip_y=200)))["tip-outside-image"] is Level.FAIL


def test_without_an_outline_a_ct_is_judged_by_its_values_and_says_so():
    bare = case(scan(WHERE, body=BODY_BOX), TUMOUR, target="tumour")
    assert check_plan(bare, TWO, CATALOGUE) == ()
    made = finding(plan(probe(tip_y=90)), "tip-outside-body", bare)
    assert "-300 HU" in made.text


def test_on_an_mr_without_an_outline_the_edge_is_all_that_is_checked_and_that_is_said():
    bare = case(scan(WHERE, modality="MR"), TUMOUR, target="tumour")
    assert found(TWO, bare) == {"body-unknown": Level.WARN}
    assert found(plan(probe(tip_y=200)), bare)["tip-outside-image"] is Level.FAIL


def test_an_entry_outside_the_image_is_a_warning():
    assert found(plan(probe(entry_y=-120)))["entry-outside-image"] is Level.WARN


@pytest.mark.parametrize(("entry_y", "words"), [(-60, "20.0 mm below"), (-92, "12.0 mm above")])
def test_an_entry_off_the_skin_is_told_with_its_distance(entry_y, words):
    made = finding(plan(probe(entry_y=entry_y)), "entry-off-skin")
    number = float(words.split()[0])
    told = float(made.text.split("enters ")[1].split()[0])
    assert told == pytest.approx(number, abs=1.6)
    assert words.split()[-1] in made.text


def test_an_entry_deep_inside_is_told_too():
    made = finding(plan(probe(tip_y=30, entry_y=-5)), "entry-off-skin")
    assert "more than 60 mm away" in made.text


@pytest.mark.parametrize("entry_y", [-78, -80, -83])
def test_an_entry_near_the_skin_is_fine(entry_y):
    assert "entry-off-skin" not in found(plan(probe(entry_y=entry_y)))


def test_an_unknown_model_fails_and_stops_nothing_else():
    codes = found(plan(replace(probe(), model="x"), probe(15, name="2", tip_y=200)))
    assert codes["model-unknown"] is Level.FAIL
    assert codes["tip-outside-image"] is Level.FAIL


def test_a_shaft_shorter_than_the_path_fails_and_a_tight_one_warns():
    assert CATALOGUE["prosense-10g-ln2"].shaft_length.value == 140.0
    tilted = Probe(name="1", model="prosense-10g-ln2", tip_mm=(0, 60, 0), entry_mm=(0, -81, 0))
    assert found(plan(tilted))["shaft-too-short"] is Level.FAIL
    assert found(plan(replace(tilted, tip_mm=(0, 52, 0))))["shaft-short"] is Level.WARN
    assert "shaft-short" not in found(plan(replace(tilted, tip_mm=(0, 40, 0))))


def test_an_active_zone_outside_the_skin_fails_and_near_it_warns():
    assert found(plan(probe(tip_y=-50)))["active-zone-outside"] is Level.FAIL
    assert found(plan(probe(tip_y=-40)))["active-zone-near-skin"] is Level.WARN


def test_a_probe_far_from_the_target_is_told():
    made = finding(plan(probe(40)), "probe-misses-target")
    assert made.level is Level.WARN
    assert "26." in made.text
    assert "probe-misses-target" not in found(plan(probe(20)))  # brackets the tumour
    assert "probe-misses-target" not in found(plan(probe(40)), GOOD.changed(target_name=""))


ROLES = [
    (Role.BOWEL, "fail"),
    (Role.GALLBLADDER, "fail"),
    (Role.SPINAL_CORD, "fail"),
    (Role.VESSEL, "warn"),
    (Role.LUNG, "warn"),
    (Role.BONE, "warn"),
    (Role.ORGAN, None),
    (Role.FAT, None),
]


@pytest.mark.parametrize(("role", "level"), ROLES)
def test_what_a_shaft_may_pass_depends_on_the_role(role, level):
    thing = structure("thing", ball(WHERE, (0, -40, 0), 9), role)
    where = case(scan(WHERE), BODY, TUMOUR, thing, target="tumour")
    codes = found(TWO, where)
    if level is None:
        assert codes == {}
    else:
        made = finding(TWO, f"path-through-{role.value}", where)
        assert made.level.value == level
        assert "passes through thing for" in made.text


def test_the_target_itself_may_always_be_passed():
    odd = structure("bowel wall tumour", ball(WHERE, (0, 10, 0), 14), Role.BOWEL)
    assert check_plan(case(scan(WHERE), BODY, odd, target="bowel wall tumour"), TWO, CATALOGUE) == ()


def test_touching_and_passing_near_are_told_apart():
    def beside(gap):
        thing = structure("colon", box(WHERE, (-7 + gap, -45, -9), (40, -30, 9)), Role.BOWEL)
        return found(plan(probe(-7)), case(scan(WHERE), BODY, TUMOUR, thing, target="tumour"))

    assert "path-near-organ" in beside(4.5)
    assert "path-through-bowel" not in beside(4.5)
    assert "path-near-organ" not in beside(9.0)
    assert "path-through-bowel" in beside(0.0)


def test_a_shaft_that_only_grazes_says_touching():
    # The nearest face lies 0.4 mm from the axis, within the shaft's radius of 0.9 mm.
    columns = WHERE.index_to_mm([[i, 0, 0] for i in range(WHERE.size[0])])[:, 0]
    first = min(x for x in columns if x > -7) - 0.5 * WHERE.spacing_mm[0]
    thing = structure("colon", box(WHERE, (first, -45, -9), (40, -30, 9)), Role.BOWEL)
    where = case(scan(WHERE), BODY, TUMOUR, thing, target="tumour")
    made = finding(plan(probe(first - 0.4)), "path-through-bowel", where)
    assert "by touching it" in made.text


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (9.0, ("spacing-close", Level.WARN)),
        (10.5, None),
        (19.5, None),
        (22.0, ("spacing-wide", Level.WARN)),
        (26.0, ("spacing-wide", Level.FAIL)),
    ],
)
def test_neighbours_are_ten_to_twenty_millimetres_apart(distance, expected):
    codes = found(plan(probe(-distance / 2), probe(distance / 2, name="2")))
    assert codes == ({} if expected is None else dict([expected]))


def test_the_source_of_the_spacing_stands_in_the_finding():
    made = finding(plan(probe(-13), probe(13, name="2")), "spacing-wide")
    assert "26.0 mm" in made.text
    assert "Shah 2016, PMC4850244" in made.text
    assert made.place == "probes 1 and 2"


@pytest.mark.parametrize(("distance", "level"), [(14.0, None), (17.0, Level.WARN), (21.0, Level.FAIL)])
def test_weak_probes_must_stand_nearer(distance, level):
    made = plan(probe(-distance / 2), probe(distance / 2, name="2", intensity=0.5))
    assert found(made).get("spacing-wide") is level
    if level:
        assert "50 % power" in finding(made, "spacing-wide").text


def test_only_gaps_that_nobody_closes_are_wide():
    # Four at the corners of a square of 18 mm: the diagonal of 25.5 mm is no gap.
    corners = [(-9, -9), (9, -9), (9, 9), (-9, 9)]
    square = [probe(x, z=z, name=str(n)) for n, (x, z) in enumerate(corners, start=1)]
    assert "spacing-wide" not in found(plan(*square))
    apart = [*square[:2], probe(9, z=14, name="3"), probe(-9, z=14, name="4")]
    codes = [f for f in check_plan(GOOD, plan(*apart), CATALOGUE) if f.code == "spacing-wide"]
    assert len(codes) == 1  # one gap between two pairs, told once


def test_shafts_that_run_into_one_another_fail():
    a = probe(0)
    b = Probe(name="2", model="generic-15g", tip_mm=(15, 26, 0), entry_mm=(-20, -80, 0.5))
    made = finding(plan(a, b), "shafts-collide")
    assert made.level is Level.FAIL
    assert "spacing-close" not in found(plan(a, b))


def test_shafts_that_meet_above_the_skin_are_a_warning():
    a = probe(-7)
    b = Probe(name="2", model="generic-15g", tip_mm=(8, 26, 0), entry_mm=(-4, -80, 0))
    assert found(plan(a, b))["shafts-collide-outside"] is Level.WARN


def test_a_probe_that_is_on_in_no_freeze_is_told():
    assert found(plan(probe(start_s=600.0, stop_s=900.0)))["probe-never-freezes"] is Level.WARN
    assert found(plan(probe(start_s=5000.0)))["probe-never-freezes"] is Level.WARN
    assert "probe-never-freezes" not in found(plan(probe(start_s=800.0)))
    assert "probe-never-freezes" not in found(plan(probe(stop_s=10.0)))


def test_a_thaw_that_a_model_cannot_do_is_told():
    assert "thaw-not-possible" not in found(plan(probe(), protocol=freeze_thaw_freeze(mode=ThawMode.HELIUM)))
    electric = plan(probe(), protocol=freeze_thaw_freeze(mode=ThawMode.ELECTRIC))
    assert "no heater" in finding(electric, "thaw-not-possible").text
    cold = replace(probe(), model="iceforce-2.1mm")
    helium = plan(cold, protocol=freeze_thaw_freeze(mode=ThawMode.HELIUM))
    assert "thaw with gas" in finding(helium, "thaw-not-possible").text


def test_the_heaviest_findings_come_first():
    ranks = [
        f.level.rank for f in check_plan(GOOD, plan(probe(40), probe(0, tip_y=200, name="2")), CATALOGUE)
    ]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] > ranks[-1]


def test_a_plan_on_the_real_ct_has_no_failure(liver_case):
    shafts = [
        ((-75.4, 35.0, -294.1), (-147.5, 35.0, -294.1)),
        ((-75.4, 28.0, -306.1), (-149.3, 28.0, -306.1)),
        ((-75.4, 42.0, -306.1), (-151.5, 42.0, -306.1)),
    ]
    probes = [
        Probe(name=str(n), model="generic-15g", tip_mm=t, entry_mm=e)
        for n, (t, e) in enumerate(shafts, start=1)
    ]
    levels = [f.level for f in check_plan(liver_case, plan(*probes), CATALOGUE)]
    assert Level.FAIL not in levels
    through = Probe(name="9", model="generic-15g", tip_mm=(-60, 6.6, -305.4), entry_mm=(-60, -60, -305.4))
    assert found(plan(through), liver_case)["path-through-gallbladder"] is Level.FAIL


def test_a_warmer_is_no_probe_that_freezes_and_has_no_way_in():
    from dataclasses import replace

    from cryoplan.plan.catalogue import load_catalogue
    from cryoplan.plan.plan import Plan
    from cryoplan.plan.probe import Probe
    from tests.support.scenes import make_case, make_plan

    catalogue, case, plan = load_catalogue(), make_case(), make_plan()
    warmer = Probe(
        name="U", model="urethral-warmer", tip_mm=(-40.0, -10.0, 40.0), entry_mm=(-40.0, -10.0, 120.0)
    )
    alone = check_plan(case, Plan(probes=(warmer,)), catalogue)
    assert "no-probes" in {f.code for f in alone}
    both = check_plan(case, replace(plan, probes=(*plan.probes, warmer)), catalogue)
    before = check_plan(case, plan, catalogue)
    # What is said of it is about its place only; nothing about ice, spacing, thaw or path.
    assert {f.code for f in both if "U" in f.text.split()} <= {"entry-off-skin", "entry-outside-image"}
    assert [f for f in both if f.code.startswith("spacing")] == [
        f for f in before if f.code.startswith("spacing")
    ]
    hit = replace(warmer, tip_mm=(-60.0, -10.0, 10.0), entry_mm=(-60.0, -10.0, 120.0))
    found = check_plan(case, replace(plan, probes=(*plan.probes, hit)), catalogue)
    assert any(f.code == "shafts-collide" and "warmer U" in f.text for f in found)
