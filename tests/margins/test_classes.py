"""Classes of the margin: the user's steps, and no way to lose the negative ones among others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.errors import LimitError
from cryoplan.margins.classes import MarginClasses, read_steps


def test_a_margin_equal_to_a_step_belongs_above_it():
    assert MarginClasses().of([-0.01, 0.0, 4.99, 5.0]).tolist() == [0, 1, 1, 2]


def test_no_ice_is_the_worst_class():
    assert MarginClasses().of([-float("inf")]).tolist() == [0]


@pytest.mark.parametrize("text", ["0, 3, 5", "3 5", "3;5 mm", " 3,5, "])
def test_steps_are_read_as_typed_with_or_without_their_zero(text):
    assert read_steps(text).steps_mm == (0.0, 3.0, 5.0)


def test_no_steps_leave_covered_and_not_covered():
    assert read_steps("").names == ("< 0 mm", "≥ 0 mm")


@pytest.mark.parametrize("text", ["5, 3", "-2, 5", "five", "1,2,3,4,5", "nan", "inf", "80", "5 5"])
def test_other_steps_are_refused_with_what_to_type_instead(text):
    with pytest.raises(LimitError) as refused:
        read_steps(text)
    assert refused.value.code == "margin-steps"
    assert "such as 5" in refused.value.remedy


@given(st.floats(-100.0, 100.0))
def test_below_zero_never_shares_a_class_with_zero_and_above(margin):
    for classes in (MarginClasses((0.0,)), MarginClasses(), MarginClasses((0.0, 3.0, 5.0, 10.0))):
        assert (classes.of(margin) == 0) == (margin < 0.0)


def test_names_tell_the_steps():
    assert MarginClasses((0.0, 2.5, 5.0)).names == ("< 0 mm", "0–2.5 mm", "2.5–5 mm", "≥ 5 mm")
    assert read_steps(MarginClasses((0.0, 2.5, 5.0)).text) == MarginClasses((0.0, 2.5, 5.0))


@pytest.mark.parametrize("steps", [(0.0,), (0.0, 5.0), (0.0, 2.5, 5.0)])
def test_there_are_as_many_classes_as_names_and_every_margin_has_one(steps):
    classes = MarginClasses(steps)
    assert len(classes) == len(classes.names)
    assert set(classes.of([-1.0, *steps]).tolist()) == set(range(len(classes)))
