"""Case limits: a case is judged by its own limits, says so, and judging anew is judging from the start."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryoplan.case.own_limits import Judged
from cryoplan.case.structure import Role
from cryoplan.core.errors import LimitError
from cryoplan.core.finding import Finding, Level
from cryoplan.margins.assess import assess, judge_again
from cryoplan.margins.case_limits import (
    CHANGED_CODE,
    changed_limits,
    describe_limit,
    limit_of,
    limits_of,
    values,
    with_limit,
    without_limit,
)
from cryoplan.margins.limits import load_limits
from cryoplan.simulation.result import Frame
from tests.support.analytic import ball, case, catalogue, cube, ice_ball, plan, result_of, structure

GRID = cube(56)
ICE = Judged.margin(0.0)
COLON = Judged.organ("colon")
LIVER = Judged.organ("liver")
RIM = Judged.coverage(-20.0, 5.0)

CASE = case(
    GRID,
    structure("tumour", Role.TUMOUR, ball(GRID, (0, 0, 0), 9.2)),
    structure("colon", Role.BOWEL, ball(GRID, (0.0, 20.0, 0.0), 4.0)),
    structure("rectum", Role.BOWEL, ball(GRID, (0.0, -22.0, 0.0), 3.0)),
    structure("liver", Role.ORGAN, ball(GRID, (20.0, 0.0, 0.0), 4.0)),
)
FIELD = ice_ball(GRID, (0, 0, 0), 14.2)
RESULT = result_of(FIELD, frames=[Frame(time_s=60.0, label="", temperature_degc=FIELD)])
JUDGED = assess(CASE, plan(), catalogue(), RESULT)


def found(the_case, code: str, place: str) -> Finding:
    assessment = assess(the_case, plan(), catalogue(), RESULT)
    return next(f for f in assessment.findings if f.code == code and f.place == place)


def test_a_case_without_own_limits_is_judged_by_those_of_the_installation():
    assert limits_of(CASE) == limits_of(None) == load_limits()
    assert changed_limits(CASE) == ()
    assert not [f for f in JUDGED.findings if f.code == CHANGED_CODE]


def test_another_margin_makes_the_same_ice_good_or_bad():
    least = JUDGED.margin(0.0).minimum_mm
    assert 4.0 < least < 6.5
    strict, lax = with_limit(CASE, ICE, 10.0, 7.0), with_limit(CASE, ICE, 2.0, 0.0)
    assert found(strict, "ice-margin", "tumour").level is Level.FAIL
    assert found(lax, "ice-margin", "tumour").level is Level.OK
    text = found(strict, "ice-margin", "tumour").text
    assert "wanted at least +10.0 mm, never below +7.0 mm" in text
    assert "(this case; default at least +5.0 mm, never below 0.0 mm)" in text


def test_the_limit_of_one_organ_leaves_others_of_its_role_alone():
    changed = with_limit(CASE, COLON, -20.0, None)
    limits = limits_of(changed)
    assert values(limits.organ("bowel", "colon")) == (-20.0, None)
    assert values(limits.organ("bowel", "rectum")) == (5.0, 0.0)
    assert values(limits.organ("bowel")) == (5.0, 0.0)


def test_an_organ_without_a_limit_can_get_one_and_a_limit_can_be_taken_away():
    assert limit_of(CASE, LIVER) is None
    with_one = with_limit(CASE, LIVER, 36.0, 30.0)
    assert found(with_one, "organ-temperature", "liver").level is not Level.OK
    bare = with_limit(CASE, COLON, None, None)
    assessment = assess(bare, plan(), catalogue(), RESULT)
    assert "colon" not in {f.place for f in assessment.findings if f.code == "organ-temperature"}
    said = found(bare, CHANGED_CODE, "colon")
    assert said.level is Level.WARN
    assert "no limit; the default is at least 5.0 °C" in said.text


@pytest.mark.parametrize(
    ("judged", "warn", "fail", "level"),
    [
        (ICE, 10.0, 0.0, Level.OK),
        (ICE, 10.0, None, Level.WARN),
        (ICE, 5.0, -1.0, Level.WARN),
        (COLON, 4.0, 0.0, Level.WARN),
        (COLON, 10.0, 5.0, Level.OK),
        (RIM, 0.9, None, Level.OK),
        (Judged.coverage(0.0, 5.0), 0.5, None, Level.WARN),
    ],
)
def test_a_changed_limit_is_always_said_and_a_laxer_one_is_a_warning(judged, warn, fail, level):
    said = found(with_limit(CASE, judged, warn, fail), CHANGED_CODE, judged.structure or "tumour")
    assert said.level is level
    assert "was changed for this case" in said.text


def test_the_default_typed_in_is_the_default():
    changed = with_limit(CASE, COLON, 0.0, -5.0)
    assert with_limit(changed, COLON, 5.0, 0.0).is_like(CASE)
    assert without_limit(changed, COLON).is_like(CASE)


@pytest.mark.parametrize(
    ("judged", "warn", "fail", "code"),
    [
        (ICE, 31.0, 0.0, "limit-out-of-range"),
        (ICE, float("nan"), 0.0, "limit-out-of-range"),
        (COLON, 37.5, None, "limit-out-of-range"),
        (COLON, -101.0, None, "limit-out-of-range"),
        (RIM, 1.01, None, "limit-out-of-range"),
        (COLON, -1.0, 0.0, "limit-order"),
    ],
)
def test_what_cannot_be_a_limit_is_refused_with_a_sentence(judged, warn, fail, code):
    with pytest.raises(LimitError) as caught:
        with_limit(CASE, judged, warn, fail)
    assert caught.value.code == code
    assert caught.value.remedy
    assert (judged.structure or "m") in caught.value.place


def test_the_history_says_what_was_changed_and_from_what():
    one = with_limit(CASE, COLON, 0.0, 0.0)
    assert describe_limit(CASE, one, COLON) == "Limit of colon: 0 °C instead of 5 °C"
    two = with_limit(one, COLON, 0.0, -5.5)
    assert describe_limit(one, two, COLON) == "Limit of colon: never below −5.5 °C instead of 0 °C"
    assert describe_limit(two, CASE, COLON) == (
        "Limit of colon: 5 °C instead of 0 °C, never below 0 °C instead of −5.5 °C (the default)"
    )
    wide = with_limit(CASE, ICE, 10.0, 0.0)
    assert describe_limit(CASE, wide, ICE) == "Limit of the ice edge margin (0 °C): +10 mm instead of +5 mm"
    rim = with_limit(CASE, RIM, 0.999, None)
    assert describe_limit(CASE, rim, RIM) == (
        "Limit of the coverage with a rim of 5 mm at −20 °C: 99.9 % instead of none"
    )


def test_the_limit_of_a_structure_that_is_gone_waits_for_it():
    changed = with_limit(CASE, COLON, 0.0, None)
    fewer = changed.changed(structures=tuple(s for s in CASE.structures if s.name != "colon"))
    assert changed_limits(fewer) == ()
    assert len(changed_limits(fewer.changed(structures=CASE.structures))) == 1


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from((ICE, Judged.margin(-30.0), COLON, LIVER)),
            st.one_of(st.none(), st.floats(-20.0, 30.0)),
            st.one_of(st.none(), st.floats(0.0, 5.0)),
        ),
        max_size=5,
    )
)
def test_judging_anew_is_the_same_as_judging_from_the_start(edits):
    changed = CASE
    for judged, warn, less in edits:
        fail = None if warn is None or less is None else warn - less
        changed = with_limit(changed, judged, warn, fail)
    fresh = assess(changed, plan(), catalogue(), RESULT)
    assert judge_again(JUDGED, changed, RESULT) == fresh
    assert judge_again(fresh, CASE, RESULT) == JUDGED
