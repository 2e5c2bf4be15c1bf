"""Curves as a table, and thermocouples that a copy without names must not give away."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.core.errors import StoreError
from cryoplan.plan import edits
from cryoplan.simulation.result import ProbeTrace, ThermocoupleTrace
from cryoplan.workflow.deidentifying import deidentify
from cryoplan.workflow.timing import COLUMNS
from tests.support.answers import answer
from tests.support.scenes import make_plan, small_case

CASE = small_case()
SOLVED = edits.add_thermocouple(make_plan(), (1.0, 2.0, 3.0), name="Qzname")


@pytest.fixture(scope="module")
def solved():
    result, _ = answer(SOLVED)
    key = workflow.simulation_key(CASE, SOLVED, workflow.catalogue(), result.settings)
    result = replace(result, key=key)
    return result, workflow.assess(CASE, SOLVED, workflow.catalogue(), result)


def test_each_reading_is_a_line_with_its_place_its_phase_and_how_it_was_read(solved, tmp_path):
    _, assessment = solved
    path = tmp_path / "curves.csv"
    workflow.write_curves(SOLVED, assessment, path)
    head, columns, *rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert "Research use; not a medical device" in head
    assert tuple(columns) == COLUMNS
    (curve,) = assessment.thermocouples
    assert len(rows) == len(curve.time_s)
    assert {tuple(row[:5]) for row in rows} == {("Qzname", "1.00", "2.00", "3.00", "each minute")}
    assert [float(row[5]) for row in rows] == pytest.approx(list(curve.time_s))
    assert [float(row[7]) for row in rows] == pytest.approx(list(curve.temperature_degc), abs=1e-3)
    assert [row[6] for row in rows] == ["freeze", "freeze", "thaw", "freeze"]


def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(solved, tmp_path):
    with pytest.raises(StoreError):
        workflow.write_curves(SOLVED, solved[1], tmp_path / "nowhere" / "curves.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_times_of_the_target_end_at_its_coverage(solved):
    result, assessment = solved
    times = workflow.measure_times(CASE, result)
    for reach in times.exposure.reaches:
        assert reach.reached == pytest.approx(assessment.covered(reach.threshold_degc).fraction, abs=1e-6)


def test_without_a_target_or_without_fields_there_are_no_times(solved):
    result, _ = solved
    assert workflow.measure_times(CASE.changed(target_name=""), result) is None
    assert workflow.measure_times(CASE, replace(result, frames=())) is None


def test_a_thermocouple_that_was_removed_since_the_solve_leaves_no_name_in_a_copy(solved):
    result, assessment = solved
    (curve,) = assessment.thermocouples
    trace = ThermocoupleTrace(
        name="Qzname", time_s=np.array(curve.time_s), temperature_degc=np.array(curve.temperature_degc),
        position_mm=curve.position_mm,
    )  # fmt: skip
    flat = np.zeros(2)
    shafts = tuple(ProbeTrace(name=p.name, time_s=flat, shaft_degc=flat, heat_w=flat) for p in SOLVED.probes)
    kept = replace(result, thermocouples=(trace,), probes=shafts)
    probes = workflow.catalogue()
    now = edits.add_thermocouple(edits.remove_thermocouple(SOLVED, "Qzname"), (4.0, 5.0, 6.0), name="Qzother")
    made = deidentify(CASE, now, probes, kept, secret=b"s")
    assert [(t.name, t.position_mm) for t in made.result.thermocouples] == [("T1", (4.0, 5.0, 6.0))]
    assert [t.name for t in made.plan.thermocouples] == ["T1"]
