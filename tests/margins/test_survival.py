"""The survival model against the published points that it was fitted to, and on even tumours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.volume import Volume
from cryoplan.margins.outline import outline
from cryoplan.margins.survival import survival_model, tumour_survival
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, freeze_thaw_freeze
from tests.support.analytic import ball, cube

MODEL = survival_model()
ONCE = MODEL.of("a549-argon-once")

# figure_source_data/Fig2b_crossprobe_doseresponse.csv: lowest temperature, % dead.
ARGON = (
    (-62, 97.0), (-50, 93.2), (-40, 91.5), (-30, 87.4), (-20, 69.8), (-16, 61.8), (-10, 56.4), (-4, 44.3),
    (0, 35.3), (6, 13.7), (10, 8.4),
)  # fmt: skip
CO2 = ((-70, 82.6), (-50, 80.6), (-40, 81.9), (-30, 62.1), (-20, 27.6), (-10, 5.9), (0, 1.8), (10, 1.8))
# figure_source_data/Fig2b_crossprobe_doseresponse_fit.csv, the authors' mean curve.
CO2_FIT = ((-70.0, 89.17), (-49.96, 86.60), (-39.94, 79.98), (-34.93, 72.68), (-31.92, 67.25))


def _dead(series, degc):
    return 100.0 * (1.0 - series.survival(degc))


@pytest.mark.parametrize(("degc", "percent"), CO2_FIT)
def test_the_curve_is_that_of_the_authors(degc, percent):
    assert _dead(MODEL.of("a549-co2-once"), degc) == pytest.approx(percent, abs=1.0)


@pytest.mark.parametrize(("name", "points"), [("a549-argon-once", ARGON), ("a549-co2-once", CO2)])
def test_the_curve_runs_through_the_points_it_was_fitted_to(name, points):
    off = [abs(float(_dead(MODEL.of(name), degc)) - dead) for degc, dead in points]
    assert max(off) < 17.0
    assert np.mean(off) < 6.0


@pytest.mark.parametrize(
    ("name", "k"), [("a549-argon-once", 0.09), ("a549-argon-thrice", 0.20), ("a549-co2-once", 0.13)]
)
def test_the_steepness_is_the_published_one(name, k):
    assert MODEL.of(name).steepness_per_k == pytest.approx(k, abs=0.006)


def test_half_and_nineteen_twentieths_of_the_plateau_lie_at_their_temperatures():
    for series in MODEL.series:
        plateau = series.plateau.value
        assert _dead(series, series.midpoint.value) == pytest.approx(plateau / 2.0)
        assert _dead(series, series.ald95.value) == pytest.approx(0.95 * plateau)


@given(st.floats(-200.0, 60.0), st.floats(0.0, 50.0))
def test_colder_never_lets_more_cells_live(degc, colder):
    for series in MODEL.series:
        warm, cold = series.survival([degc, degc - colder])
        assert 0.0 <= cold <= warm <= 1.0


def test_a_plan_of_two_freezes_takes_the_curve_of_one_and_three_that_of_three():
    assert MODEL.for_protocol(freeze_thaw_freeze()) is ONCE
    freeze, thaw = (Phase(kind=k, duration_s=60.0) for k in (PhaseKind.FREEZE, PhaseKind.THAW))
    assert MODEL.for_protocol(Protocol(phases=(freeze,))) is ONCE
    assert MODEL.for_protocol(Protocol(phases=(freeze, thaw, freeze, thaw, freeze))).freezes == 3


def test_a_tumour_of_one_temperature_lives_by_its_curve():
    grid = cube(24)
    distance = outline("t", ball(grid, (0.2, 0.0, 0.1), 7.0)).distance_mm
    found = tumour_survival(ONCE, distance, np.full(grid.shape, -20.0))
    assert found.mean == pytest.approx(float(ONCE.survival(-20.0)))
    assert found.low < found.mean < found.high
    assert found.half_alive == found.beyond_data == 0.0
    warm = tumour_survival(ONCE, distance, np.full(grid.shape, 37.0))
    assert warm.half_alive == warm.beyond_data == pytest.approx(1.0)


def test_a_tumour_half_cold_is_the_mean_of_both():
    grid = cube(30)
    distance = outline("t", ball(grid, (0.0, 0.0, 0.0), 9.0)).distance_mm
    degc = np.full(grid.shape, 37.0)
    degc[:, :, : grid.shape[2] // 2] = -60.0
    found = tumour_survival(ONCE, distance, degc)
    assert found.half_alive == pytest.approx(0.5, abs=0.06)
    cold, warm = (float(ONCE.survival(t)) for t in (-60.0, 37.0))
    assert found.mean == pytest.approx(cold + found.half_alive * (warm - cold))


def test_an_empty_structure_has_no_survival():
    grid = cube(8)
    far = Volume(grid=grid, values=np.full(grid.shape, 9.0, np.float32))
    assert tumour_survival(ONCE, far, np.zeros(grid.shape)) is None


def test_the_model_says_where_it_is_from_and_what_it_holds_for():
    assert "commit e18092057db31741dcad6600a69185aac343ca6b" in MODEL.source
    assert "dish" in MODEL.holds_for
    for series in MODEL.series:
        assert all(n.source for n in (series.plateau, series.midpoint, series.ald95, series.coldest))
