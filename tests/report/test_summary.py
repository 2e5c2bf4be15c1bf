"""JSON texts: the contract's keys, the same text for the same numbers, and no NaN."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Level
from cryoplan.margins.assess import assess
from cryoplan.report.summary import assessment_json, run_json, to_text
from tests.support.analytic import ball, case, catalogue, cube, ice_ball, plan, result_of, structure


def _assessment(radius: float):
    grid = cube(40)
    tumour = structure("Tümör 肝", Role.TUMOUR, ball(grid, (0, 0, 0), 7.0))
    return assess(
        case(grid, tumour, target=tumour.name),
        plan(),
        catalogue(),
        result_of(ice_ball(grid, (0, 0, 0), radius)),
    )


def test_assessment_text_is_json_of_the_contract_says_research_use_and_is_stable():
    text = assessment_json(_assessment(12.0))
    assert text == assessment_json(_assessment(12.0))
    assert text.endswith("}\n")
    data = json.loads(text)
    assert data["research_use"] == "Research use; not a medical device"
    assert {"isotherms", "thermocouples", "margins", "coverage", "structures", "findings"} <= set(data)
    assert data["margins"][0]["structure"] == "Tümör 肝"
    assert list(data) == sorted(data)


def test_no_ice_is_null_and_never_infinity():
    text = assessment_json(_assessment(-9.0))
    assert json.loads(text)["margins"][0]["minimum_mm"] is None
    assert "Infinity" not in text
    assert "NaN" not in text


def test_numbers_are_rounded_to_nine_digits_and_numpy_and_enums_are_plain():
    text = run_json(
        {"wall_s": np.float32(0.5), "n": np.int64(3), "x": 1 / 3, "level": Level.WARN, "t": (1, None)}
    )
    assert json.loads(text) == {
        "research_use": "Research use; not a medical device",
        "wall_s": 0.5,
        "n": 3,
        "x": 0.333333333,
        "level": "warn",
        "t": [1, None],
    }


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float32("nan"), Path("x"), {1, 2}])
def test_what_is_no_json_is_refused_with_its_path(bad):
    with pytest.raises(StoreError) as caught:
        to_text({"stages": [{"solve_s": 1.0}, {"solve_s": bad}]})
    assert caught.value.place == "stages[1].solve_s"
    with pytest.raises(StoreError, match="at the top"):
        to_text(bad)
