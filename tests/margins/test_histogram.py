"""Histograms: sums of ramps, what is subtracted, and what of a structure was not computed."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan import RESEARCH_USE
from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.core.volume import Volume
from cryoplan.margins.alerts import first_below_s, organ_alerts
from cryoplan.margins.assess import assess
from cryoplan.margins.coverage import overlap
from cryoplan.margins.histogram import EDGES_DEGC, histogram_csv, volume_below
from cryoplan.margins.limits import load_limits
from cryoplan.simulation.result import Frame
from tests.support.analytic import ball, case, catalogue, cube, ice_ball, plan, result_of, structure

GRID = cube(60)
TUMOUR = structure("tumour", Role.TUMOUR, ball(GRID, (0.2, 0.1, -0.3), 9.0))
FIELD = ice_ball(GRID, (0.2, 0.1, -0.3), 18.0)


def reviewed(*others, field=FIELD):
    return assess(case(GRID, TUMOUR, *others), plan(), catalogue(), result_of(field))


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_ramps_summed_at_once_are_those_of_each_voxel(seed, count):
    rng = np.random.default_rng(seed)
    values, spread = rng.uniform(-150.0, 40.0, count), rng.uniform(0.01, 15.0, count)
    weight = rng.uniform(0.0, 1.0, count)
    levels = np.linspace(-170.0, 60.0, 47)
    each = np.clip((levels[:, None] - values) / spread + 0.5, 0.0, 1.0) @ weight
    assert volume_below(values, spread, weight, levels) == pytest.approx(each, abs=1e-6 * count)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(-1.0, 1.0))
def test_two_parts_of_a_voxel_share_no_more_than_the_smaller_and_no_less_than_they_must(a, b, cosine):
    parts = [np.array([v], np.float32) for v in (a, b, cosine)]
    shared = float(overlap(*parts)[0])
    assert max(0.0, a + b - 1.0) - 1e-6 <= shared <= min(a, b) + 1e-6


def test_a_histogram_never_falls_and_its_bins_are_the_whole_structure():
    bowel = structure("colon", Role.BOWEL, ball(GRID, (17.0, 0.0, 0.0), 6.0))
    for histogram in reviewed(bowel).histograms:
        assert (np.diff(histogram.below_ml) >= 0.0).all()
        assert histogram.below_ml[0] == 0.0
        assert histogram.below_ml[-1] == pytest.approx(histogram.whole_ml, rel=1e-5)
        assert histogram.bins_ml.sum() == pytest.approx(histogram.whole_ml, rel=1e-5)


def test_the_temperature_that_a_share_reached_is_the_inverse_of_the_share():
    tumour = reviewed().histogram("tumour")
    for share in (0.05, 0.5, 0.9, 0.95, 0.99):
        degc = tumour.coldest_reached_degc(share)
        assert tumour.fraction_below(degc) == pytest.approx(share, abs=1e-6)
    # Ice of 18 mm around a ball of 9 mm, 4 K a millimetre; half a voxel is 2 K.
    assert tumour.coldest_reached_degc(1.0) == pytest.approx(-36.0, abs=3.0)


def test_an_organ_is_counted_without_the_tumour_in_it():
    liver = structure("liver", Role.ORGAN, ball(GRID, (0.2, 0.1, -0.3), 20.0))
    found = reviewed(liver).histogram("liver")
    expected = 4.0 / 3.0 * np.pi * (20.0**3 - 9.0**3) / 1000.0
    assert found.whole_ml == pytest.approx(expected, rel=0.005)
    frozen = 4.0 / 3.0 * np.pi * (18.0**3 - 9.0**3) / 1000.0
    assert found.volume_below_ml(0.0) == pytest.approx(frozen, rel=0.005)


def test_what_was_not_computed_is_in_the_whole_and_not_cooled():
    wide = cube(140)
    half = structure("stomach", Role.STOMACH, ball(wide, (0.0, 30.5, 0.0), 8.0))
    found = reviewed(half).histogram("stomach")
    assert found.computed == pytest.approx(0.5, abs=0.02)
    assert found.whole_ml == pytest.approx(4.0 / 3.0 * np.pi * 512.0 / 1000.0, rel=0.03)
    assert found.below_fraction[-1] == pytest.approx(found.computed)
    assert found.coldest_reached_degc(0.9) == 37.0


def test_the_body_has_no_histogram_and_the_target_comes_first():
    body = structure("body", Role.BODY, Volume(grid=GRID, values=np.ones(GRID.shape, bool)))
    bowel = structure("colon", Role.BOWEL, ball(GRID, (17.0, 0.0, 0.0), 6.0))
    assert [h.structure for h in reviewed(body, bowel).histograms] == ["tumour", "colon"]


def test_the_csv_has_every_edge_and_the_whole():
    histograms = reviewed().histograms
    rows = list(csv.reader(histogram_csv(histograms).splitlines()))
    assert rows.pop(0)[1] == RESEARCH_USE
    assert rows[0] == ["at or below [degC]", "tumour [ml]"]
    assert float(rows[1][1]) == pytest.approx(histograms[0].whole_ml, rel=1e-5)
    assert len(rows) == 2 + len(EDGES_DEGC)
    line = next(row for row in rows[2:] if row[0] == "-40")
    assert float(line[1]) == pytest.approx(histograms[0].volume_below_ml(-40.0), rel=1e-4)


def frames(*pairs):
    """Frames at (time, kelvin above the lowest field)."""
    return [
        Frame(
            time_s=t, label="", temperature_degc=Volume(grid=GRID, values=FIELD.values + np.float32(warmer))
        )
        for t, warmer in pairs
    ]  # fmt: skip


def test_the_first_time_below_a_limit_lies_on_the_line_between_two_frames():
    bowel = structure("colon", Role.BOWEL, ball(GRID, (17.0, 0.0, 0.0), 6.0))
    result = result_of(FIELD, frames=frames((300.0, 60.0), (600.0, 0.0)))
    coldest = next(s for s in reviewed(bowel).structures if s.name == "colon").minimum_degc
    wanted = coldest + 30.0  # half way
    assert first_below_s(bowel, result, wanted) == pytest.approx(450.0, abs=1e-3)
    assert first_below_s(bowel, result, coldest - 1.0) is None


def test_what_only_the_lowest_temperature_knows_has_no_first_time():
    bowel = structure("colon", Role.BOWEL, ball(GRID, (17.0, 0.0, 0.0), 6.0))
    result = result_of(FIELD, frames=frames((600.0, 60.0)))
    assert first_below_s(bowel, result, 0.0) is None


def test_alerts_are_those_with_a_limit_worst_first_and_with_both_times():
    cold = structure("colon", Role.BOWEL, ball(GRID, (17.0, 0.0, 0.0), 6.0))
    warm = structure("stomach", Role.STOMACH, ball(GRID, (-26.0, 0.0, 0.0), 3.0))
    plain = structure("liver", Role.ORGAN, ball(GRID, (0.0, -20.0, 0.0), 5.0))
    patient = case(GRID, TUMOUR, warm, cold, plain)
    result = result_of(FIELD, frames=frames((300.0, 60.0), (600.0, 0.0)))
    found = assess(patient, plan(), catalogue(), result)
    alerts = organ_alerts(patient, result, found, load_limits())
    assert [a.organ.name for a in alerts] == ["colon", "stomach"]
    colon, stomach = alerts
    assert (colon.level, stomach.level) == (Level.FAIL, Level.OK)
    assert 300.0 < colon.warn_from_s < colon.fail_from_s < 600.0
    assert (stomach.warn_from_s, stomach.fail_from_s) == (None, None)
    assert colon.room_k < 0.0 < stomach.room_k
    without = organ_alerts(patient, None, found, load_limits())
    assert without[0].fail_from_s is None
    assert without[0].level is Level.FAIL
