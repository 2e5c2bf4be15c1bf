"""Own limits: kept as JSON that comes back the same, refused where they cannot be, no part of the digest."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.case.own_limits import (
    Judged,
    OwnLimit,
    limits_from_json,
    limits_to_json,
    put_in_order,
)
from tests.support import cases

JUDGED = st.one_of(
    st.floats(-60.0, 0.0).map(Judged.margin),
    st.tuples(st.floats(-60.0, 0.0), st.floats(0.0, 20.0)).map(lambda c: Judged.coverage(*c)),
    st.text(min_size=1, max_size=12).map(Judged.organ),
)


@st.composite
def own_limits(draw: st.DrawFn) -> OwnLimit:
    first, second = draw(st.floats(-100.0, 100.0)), draw(st.floats(-100.0, 100.0))
    low, high = sorted((first, second))
    kept = draw(st.sampled_from(((high, low), (high, None), (None, low), (None, None))))
    return OwnLimit(judged=draw(JUDGED), warn=kept[0], fail=kept[1])


MANY = st.lists(own_limits(), unique_by=lambda own: own.judged, max_size=6)


@given(MANY)
def test_limits_come_back_from_their_text_in_one_order(limits):
    text = json.dumps(limits_to_json(put_in_order(limits)), allow_nan=False)
    assert limits_from_json(json.loads(text)) == put_in_order(limits)
    assert put_in_order(limits) == put_in_order(limits[::-1])


def test_no_limits_are_nothing():
    assert limits_to_json(()) is None
    assert limits_from_json(None) == ()


@pytest.mark.parametrize("warn", [math.nan, math.inf, -1.0])
def test_a_limit_that_no_value_can_keep_is_refused(warn):
    with pytest.raises(ValueError, match=r"limit|beyond"):
        OwnLimit(judged=Judged.margin(0.0), warn=warn, fail=0.0)


@pytest.mark.parametrize(
    "rows",
    [
        {},
        "5",
        [{"of": "weight", "warn": 1.0, "fail": None}],
        [{"of": "margin", "warn": 1.0, "fail": None}],
        [{"of": "margin", "threshold_degc": 0.0, "warn": 0.0, "fail": 1.0}],
        [{"of": "margin", "threshold_degc": 0.0, "warn": 0.0}],
        [{"of": "organ", "structure": "a", "warn": 1.0, "fail": None}] * 2,
    ],
)
def test_anything_else_in_a_file_is_refused(rows):
    with pytest.raises((ValueError, KeyError, TypeError)):
        limits_from_json(rows)


def test_limits_are_no_part_of_what_the_ice_depends_on():
    case = cases.case(cases.scan())
    own = OwnLimit(judged=Judged.margin(0.0), warn=8.0, fail=0.0)
    changed = case.changed(limits=(own,))
    assert changed.digest() == case.digest()
    assert not changed.is_like(case)
    assert changed.changed(limits=()).is_like(case)
