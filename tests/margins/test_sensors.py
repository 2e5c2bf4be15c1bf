"""Thermocouples that are dropped, moved, renamed and removed after the solve."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cryoplan.margins.assess import assess
from cryoplan.margins.sensors import OUTSIDE_CODE, sense_again
from cryoplan.plan import edits
from tests.support.analytic import SENSOR_MM, case, catalogue, cube, ice_ball, plan, result_of

GRID = cube(40)
RESULT = result_of(ice_ball(GRID, (0, 0, 0), 12.0))
SOLVED = plan()


@pytest.fixture(scope="module")
def judged():
    return assess(case(GRID, target=""), SOLVED, catalogue(), RESULT)


def test_the_same_thermocouples_leave_the_assessment_as_it_is(judged):
    assert sense_again(judged, SOLVED, RESULT) is judged


def test_one_that_is_dropped_later_is_read_from_the_kept_fields_and_says_so(judged):
    now = edits.add_thermocouple(SOLVED, (0.0, 0.0, 9.0))
    assert now.physics_key() == SOLVED.physics_key()
    first, second = sense_again(judged, now, RESULT).thermocouples
    assert first == judged.thermocouples[0]
    assert (second.name, second.each_minute) == ("T2", True)
    assert second.time_s == (600.0, 1500.0)
    centre = [
        float(RESULT.minimum_degc.values[tuple(np.rint(GRID.mm_to_index((0, 0, 9.0))).astype(int)[::-1])])
    ]
    assert second.temperature_degc[1] == pytest.approx(centre[0], abs=3.0)
    assert second.temperature_degc[0] == pytest.approx(second.temperature_degc[1] + 4.0, abs=1e-4)


def test_a_name_alone_changes_no_number(judged):
    now = edits.rename_thermocouple(SOLVED, "T1", "rim")
    (curve,) = sense_again(judged, now, RESULT).thermocouples
    assert curve == replace(judged.thermocouples[0], name="rim")


def test_one_that_is_moved_does_not_keep_its_old_curve(judged):
    now = edits.move_thermocouple(SOLVED, "T1", (3.0, 2.0, 1.001))
    (curve,) = sense_again(judged, now, RESULT).thermocouples
    assert curve.each_minute
    back = edits.move_thermocouple(now, "T1", SENSOR_MM)
    assert sense_again(sense_again(judged, now, RESULT), back, RESULT).thermocouples == judged.thermocouples


def test_one_that_is_removed_leaves_no_curve(judged):
    assert sense_again(judged, edits.remove_thermocouple(SOLVED, "T1"), RESULT).thermocouples == ()


def test_one_outside_the_computed_block_is_said_as_long_as_it_is_there(judged):
    away = edits.add_thermocouple(SOLVED, (900.0, 0.0, 0.0), name="far")
    found = sense_again(judged, away, RESULT)
    assert [f.place for f in found.findings if f.code == OUTSIDE_CODE] == ["far"]
    assert [c.name for c in found.thermocouples] == ["T1"]
    assert sense_again(found, away, RESULT) is found
    again = sense_again(found, SOLVED, RESULT)
    assert again.findings == judged.findings
    at_once = assess(case(GRID, target=""), away, catalogue(), RESULT)
    assert {f.code for f in at_once.findings} == {f.code for f in found.findings}


def test_json_says_where_a_curve_is_and_how_it_was_read(judged):
    now = edits.add_thermocouple(SOLVED, (0.0, 0.0, 9.0))
    rows = json.loads(json.dumps(sense_again(judged, now, RESULT).to_json()))["thermocouples"]
    assert [(r["name"], r["position_mm"], r["each_minute"]) for r in rows] == [
        ("T1", list(SENSOR_MM), False), ("T2", [0.0, 0.0, 9.0], True),
    ]  # fmt: skip
