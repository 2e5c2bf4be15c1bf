"""Moments: what is read between the kept fields, against fields and curves that the solver itself made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.plan.plan import Thermocouple
from cryoplan.simulation.archive import pack, unpack
from cryoplan.simulation.moments import curve_at, field_at, moment_at, read_sensors, value_at
from cryoplan.simulation.solver import solve
from tests.support import blocks

NEAR, FAR = (5.0, 0.0, 0.0), (11.5, 0.3, -0.2)
ASKED_S = (90.0, 150.0, 210.0)


def _solved(*asked: float):
    problem = blocks.block(
        blocks.probe("1", (0.3, 0.2, 0.1)), edge_cells=30, stages=blocks.cycle(180.0, 120.0),
        extra_times_s=asked,
    )  # fmt: skip
    return solve(replace(problem, thermocouples=(("T1", NEAR), ("T2", FAR))), key="k")


@pytest.fixture(scope="module")
def result():
    return _solved()


@pytest.fixture(scope="module")
def finer():
    return _solved(*ASKED_S)


def test_at_a_kept_time_it_is_the_kept_field_itself(result):
    for frame in result.frames:
        assert field_at(result, frame.time_s) is frame.temperature_degc
        assert moment_at(result.frames, frame.time_s).is_kept


def test_before_the_first_and_after_the_last_field_nothing_is_invented(result):
    late = replace(result, frames=result.frames[1:])
    assert field_at(late, 3.0) is late.frames[0].temperature_degc
    assert field_at(result, 1e6) is result.frames[-1].temperature_degc
    with pytest.raises(ValueError, match="no temperatures"):
        field_at(replace(result, frames=()), 3.0)


def test_between_two_fields_each_cell_lies_between_them(result):
    before, after = (f.temperature_degc.values for f in result.frames[2:4])
    between = field_at(result, 97.0).values
    assert between.dtype == np.float32
    assert not between.flags.writeable
    low, high = np.minimum(before, after), np.maximum(before, after)
    assert np.all((between >= low - 1e-4) & (between <= high + 1e-4))


def _radius_mm(degc, threshold):
    """Radius of the ball of as many cells of 2 mm as are at or below a threshold."""
    return float((8.0 * (degc <= threshold).sum() * 3.0 / (4.0 * np.pi)) ** (1.0 / 3.0))


@pytest.mark.parametrize("time_s", [90.0, 150.0])
@pytest.mark.parametrize("degc", [0.0, -20.0])
def test_the_ice_between_two_minutes_is_within_a_sixth_of_a_cell_of_the_solver_s(result, finer, time_s, degc):
    read, true = field_at(result, time_s).values, finer.frame_near(time_s).temperature_degc.values
    assert _radius_mm(read, degc) == pytest.approx(_radius_mm(true, degc), abs=0.33)


def test_in_the_first_minute_the_root_of_time_finds_the_ice_that_a_straight_line_misses(result):
    true = _radius_mm(result.frame_near(20.0).temperature_degc.values, 0.0)
    bare = replace(result, frames=tuple(f for f in result.frames if f.time_s != 20.0))
    before, after = (f.temperature_degc.values for f in bare.frames[:2])
    missed = abs(_radius_mm(before + (20.0 / 60.0) * (after - before), 0.0) - true)
    assert missed > 2.0
    assert abs(_radius_mm(field_at(bare, 20.0).values, 0.0) - true) < 0.2 * missed


def test_half_a_minute_after_a_probe_stops_what_is_read_is_what_the_solver_has(result, finer):
    read, true = field_at(result, 210.0).values, finer.frame_near(210.0).temperature_degc.values
    assert _radius_mm(read, -20.0) == pytest.approx(_radius_mm(true, -20.0), abs=0.4)
    assert np.abs(read - true).max() < 4.0


def test_a_phase_begins_its_own_square_root(result):
    first = moment_at(result.frames, 10.0)
    again = moment_at(result.frames, 310.0)
    assert (first.before.time_s, again.before.time_s) == (0.0, 300.0)
    assert first.share == pytest.approx(np.sqrt(0.5))
    assert again.share == pytest.approx(first.share)


def test_a_place_is_read_as_the_solver_reads_its_thermocouples(result):
    for trace, place in zip(result.thermocouples, (NEAR, FAR), strict=True):
        assert trace.position_mm == place
        times, degc = curve_at(result, place)
        assert np.interp(times, trace.time_s, trace.temperature_degc) == pytest.approx(degc, abs=2e-3)
        assert value_at(result.frames[-1].temperature_degc, place) == pytest.approx(degc[-1])


def test_a_place_outside_the_grid_has_no_curve(result):
    with pytest.raises(ValueError, match="outside"):
        curve_at(result, (500.0, 0.0, 0.0))
    assert read_sensors(result, [Thermocouple(name="far", position_mm=(500.0, 0.0, 0.0))]) == ()


def test_a_thermocouple_that_was_solved_with_keeps_its_curve_under_another_name(result):
    sensors = [Thermocouple(name="rim", position_mm=FAR)]
    (trace,) = read_sensors(result, sensors)
    assert trace.name == "rim"
    assert not trace.from_frames
    assert trace.temperature_degc is result.thermocouples[1].temperature_degc


def test_a_thermocouple_that_was_moved_is_read_anew_and_says_so(result):
    (trace,) = read_sensors(result, [Thermocouple(name="T1", position_mm=(*FAR[:2], 3.0))])
    assert trace.from_frames
    assert trace.time_s == pytest.approx([f.time_s for f in result.frames])
    assert trace.temperature_degc[0] == pytest.approx(37.0)


def test_the_archive_keeps_where_thermocouples_were(result):
    again = unpack(pack(result))
    assert [t.position_mm for t in again.thermocouples] == [NEAR, FAR]
    bare = replace(result, thermocouples=tuple(replace(t, position_mm=None) for t in result.thermocouples))
    old = unpack(pack(bare))
    assert [t.position_mm for t in old.thermocouples] == [None, None]
    assert all(t.from_frames for t in read_sensors(old, [Thermocouple(name="T1", position_mm=NEAR)]))
