"""The profile along a probe, against a ball in an off-centre ball and the least margin of the review."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.margins.along_probe import profile_along
from tests.support.analytic import probe
from tests.support.maps import balls, oblique

CENTRE = np.array([0.2, -0.4, 0.3])


def along(margins, direction=(0.0, 1.0, 0.0), overshoot_mm=5.0, radius=12.0):
    tip = CENTRE + (radius + overshoot_mm) * np.asarray(direction)
    return profile_along(margins, probe("1", tip, direction))


@pytest.mark.parametrize("grid", [None, oblique()])
def test_each_depth_has_the_least_margin_of_its_circle(grid):
    # The ice is moved across the shaft: at distance h along the axis, the circle has radius sqrt(R2 - h2),
    # and its worst point lies opposite to the shift.
    shift = np.array([4.0, 0.0, 0.0])
    found = along(balls(12.0, 20.0, shift=shift, grid=grid))
    inner = (found.depth_mm >= 7.0) & (found.depth_mm <= 27.0)
    h = found.depth_mm[inner] - 17.0
    circle = np.sqrt(12.0**2 - h**2)
    expected = 20.0 - np.hypot(h, circle + 4.0)
    assert found.least(0.0)[inner] == pytest.approx(expected, abs=0.35)


def test_depth_counts_from_the_tip_towards_the_skin_over_the_whole_tumour():
    found = along(balls(12.0, 20.0), overshoot_mm=5.0)
    assert (found.depth_mm[0], found.depth_mm[-1]) == (
        pytest.approx(5.0, abs=1.0),
        pytest.approx(29.0, abs=1.0),
    )
    assert np.isfinite(found.least(0.0)).all()


def test_a_tip_that_ends_within_the_tumour_has_negative_depths_beyond_it():
    found = along(balls(12.0, 20.0), overshoot_mm=-4.0)
    assert found.depth_mm[0] == pytest.approx(-4.0, abs=1.0)


@pytest.mark.parametrize("direction", [(0.0, 1.0, 0.0), (0.6, 0.0, -0.8)])
def test_the_least_of_the_profile_is_the_least_margin_of_the_review(direction):
    margins = balls(12.0, 16.0, shift=(-3.0, 4.0, 1.0), thresholds=(0.0, -20.0))
    found = along(margins, direction)
    for threshold in (0.0, -20.0):
        assert np.nanmin(found.least(threshold)) == margins.margin(threshold).minimum_mm


def test_the_side_of_the_shaft_is_told_in_words():
    found = along(balls(12.0, 20.0, shift=(4.0, 0.0, 0.0)))
    depth, margin, point, side = found.place(0.0, 17.2)
    assert (depth, side) == (17.0, "right")
    assert margin == pytest.approx(20.0 - 16.0, abs=0.3)
    assert point == pytest.approx(np.add(CENTRE, (-12.0, 0.0, 0.0)), abs=3.5)


def test_depths_whose_surface_is_left_out_have_no_margin():
    margins = balls(12.0, 20.0)
    deep = margins.surface.points_mm[:, 1] > CENTRE[1]
    found = along(margins.without(deep))
    assert np.isnan(found.least(0.0)[found.depth_mm < 16.0]).all()
    assert np.isfinite(found.least(0.0)[found.depth_mm > 18.0]).all()
    assert found.place(0.0, 0.0)[0] >= 16.0


def test_without_ice_there_is_no_place():
    found = along(balls(12.0, 20.0, thresholds=(0.0, -200.0)))
    assert found.place(-200.0, 17.0) is None
    assert (found.least(-200.0) == -np.inf).all()
