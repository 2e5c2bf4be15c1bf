"""When and how long a tumour is cold, against balls of ice whose radius is a formula of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.core.volume import Volume
from cryoplan.margins.coverage import measure_coverage
from cryoplan.margins.exposure import NEVER, measure_exposure, reached_at
from cryoplan.margins.outline import outline
from cryoplan.simulation.result import Frame
from cryoplan.simulation.solver import solve
from tests.support import blocks
from tests.support.analytic import ball, cube, ice_ball, result_of

GRID = cube(48)
RADIUS_MM = 9.0
DISTANCE = outline("tumour", ball(GRID, (0.0, 0.0, 0.0), RADIUS_MM)).distance_mm
MINUTES = np.arange(0.0, 21.0)


def _radius_mm(minute):
    """Of the ball at 0 degC: grows for ten minutes, melts for ten."""
    return 4.0 + 1.2 * np.minimum(minute, 20.0 - minute)


def _growing():
    frames = tuple(
        Frame(
            time_s=60.0 * m,
            label={10.0: "end_freeze_1", 20.0: "end_thaw_1"}.get(m, ""),
            temperature_degc=ice_ball(GRID, (0, 0, 0), float(_radius_mm(m))),
        )
        for m in MINUTES
    )
    result = result_of(frames[10].temperature_degc, frames=frames, at_s=lambda g: np.full(g.shape, 600.0))
    return replace(result, frames=frames)


@pytest.fixture(scope="module")
def found():
    return measure_exposure("tumour", DISTANCE, _growing(), thresholds_degc=(0.0, -50.0))


def test_the_share_now_and_so_far_are_those_of_the_balls(found):
    reach = found.reach(0.0)
    share = np.minimum(_radius_mm(MINUTES) / RADIUS_MM, 1.0) ** 3
    assert reach.now == pytest.approx(share, abs=0.04)
    assert reach.so_far == pytest.approx(np.maximum.accumulate(share), abs=0.04)
    assert np.all(np.diff(reach.so_far) >= 0.0)
    assert found.volume_ml == pytest.approx(4.0 / 3.0 * np.pi * RADIUS_MM**3 / 1000.0, rel=0.01)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_when_a_share_is_reached_follows_from_the_radius(found, share):
    minute = (RADIUS_MM * share ** (1.0 / 3.0) - 4.0) / 1.2
    assert found.reach(0.0).when_s(share) == pytest.approx(60.0 * minute, abs=6.0)


def test_what_is_never_reached_has_no_minute(found):
    colder = found.reach(-50.0)
    assert colder.reached < 1.0
    assert colder.when_s(1.0) is None
    assert colder.when_s(colder.reached) is not None
    with pytest.raises(KeyError):
        found.reach(-33.0)


def test_the_last_share_is_the_coverage():
    result = _growing()
    (covered,) = measure_coverage(
        "tumour", DISTANCE, result.minimum_degc, thresholds_degc=(-20.0,), rims_mm=(0.0,)
    )
    (reach,) = measure_exposure("tumour", DISTANCE, result, thresholds_degc=(-20.0,)).reaches
    assert reach.reached == pytest.approx(covered.fraction, abs=1e-6)


def test_seconds_below_are_those_that_the_solver_noted():
    seconds = np.where(np.indices(GRID.shape)[2] < GRID.shape[2] // 2, 100.0, 300.0).astype(np.float32)
    cold = ice_ball(GRID, (0, 0, 0), 40.0)
    result = replace(result_of(cold), time_below=((-20.0, Volume(grid=GRID, values=seconds)),))
    (reach,) = measure_exposure("t", DISTANCE, result, thresholds_degc=(-20.0,)).reaches
    assert dict(reach.held_s)[0.05] == 100.0
    (other,) = measure_exposure("t", DISTANCE, result, thresholds_degc=(-30.0,)).reaches
    assert other.held_s == ()


def test_without_fields_over_time_or_without_a_structure_there_is_none():
    result = _growing()
    assert measure_exposure("t", DISTANCE, replace(result, frames=())) is None
    far = Volume(grid=GRID, values=np.full(GRID.shape, 9.0, np.float32))
    assert measure_exposure("t", far, result) is None


@pytest.fixture(scope="module")
def solved():
    asked = tuple(float(t) for t in range(10, 480, 10))
    freeze = blocks.cycle(180.0, 120.0)
    coarse, fine = (
        solve(
            blocks.block(
                blocks.probe("1", (0.3, 0.2, 0.1)), edge_cells=26, stages=freeze, extra_times_s=times
            )
        )
        for times in ((), asked)
    )
    return coarse, fine


def test_the_minute_of_each_voxel_is_that_of_a_solve_with_many_fields(solved):
    coarse, fine = solved
    read, true = reached_at(coarse, -20.0).values, reached_at(fine, -20.0).values
    both = np.isfinite(read) & np.isfinite(true)
    assert both.sum() > 30
    off = np.abs(read[both] - true[both])
    assert off.mean() < 15.0
    # Where a voxel lingers at the threshold a tenth of a degree is a minute.
    assert np.percentile(off, 90) < 40.0
    assert np.array_equal(np.isfinite(read), coarse.minimum_degc.values <= -20.0)


def test_a_voxel_is_reached_no_later_than_it_is_coldest_and_never_where_it_stays_warmer(solved):
    result, _ = solved
    times = reached_at(result, -20.0).values
    cold = result.minimum_degc.values <= -20.0
    assert np.all(times[~cold] == NEVER)
    assert np.all(times[cold] <= result.minimum_at_s.values[cold] + 1e-3)


def test_a_share_that_is_cold_at_the_start_is_reached_at_the_first_time_of_the_protocol(found):
    reach = found.reach(0.0)
    assert reach.so_far[0] > 0.01, "the ball is there from the start"
    assert reach.when_s(float(reach.so_far[0]) / 2.0) == reach.time_s[0]
    assert reach.when_s(0.0) is None, "nothing at all is reached at no time"
