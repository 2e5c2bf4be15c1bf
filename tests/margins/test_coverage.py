"""Coverage against the volume of the lens that two spheres share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.margins.coverage import RIMS_MM, measure_coverage, region_fraction
from cryoplan.margins.outline import outline
from tests.support.analytic import SLOPE_K_PER_MM, ball, centres_mm, cube, ice, ice_ball


def _lens_share(r: float, big: float, d: float) -> float:
    """Share of a sphere of radius `r` within one of radius `big` at distance `d` (Weisstein, MathWorld)."""
    if d <= big - r:
        return 1.0
    if d >= big + r:
        return 0.0
    lens = (
        np.pi
        * (big + r - d) ** 2
        * (d * d + 2 * d * r - 3 * r * r + 2 * d * big + 6 * r * big - 3 * big * big)
        / (12.0 * d)
    )
    return lens / (4.0 / 3.0 * np.pi * r**3)


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(0.5, 14.0), ice_r=st.floats(10.0, 16.0), tumour_r=st.floats(5.5, 9.0))
def test_covered_share_is_that_of_the_lens(shift, ice_r, tumour_r):
    grid = cube(54)
    distance = outline("t", ball(grid, (0.1, 0.2, 0.3), tumour_r)).distance_mm
    field = ice_ball(grid, (0.1, 0.2 + shift, 0.3), ice_r)
    (covered,) = measure_coverage("tumour", distance, field, thresholds_degc=(0.0,), rims_mm=(0.0,))
    assert covered.fraction == pytest.approx(_lens_share(tumour_r, ice_r, shift), abs=0.02)
    volume = 4.0 / 3.0 * np.pi * tumour_r**3 / 1000.0
    assert covered.missed_ml == pytest.approx((1.0 - covered.fraction) * volume, rel=0.05, abs=1e-9)


def test_rims_and_thresholds_are_those_of_concentric_spheres():
    grid = cube(64)
    centre = (0.3, -0.2, 0.1)
    distance = outline("t", ball(grid, centre, 10.0)).distance_mm
    field = ice_ball(grid, centre, 17.0)
    rows = measure_coverage("tumour", distance, field, thresholds_degc=(0.0, -20.0, -40.0))
    assert [(c.rim_mm, c.threshold_degc) for c in rows] == [
        (rim, t) for rim in RIMS_MM for t in (0.0, -20.0, -40.0)
    ]
    for row in rows:
        region, reached = 10.0 + row.rim_mm, 17.0 + row.threshold_degc / SLOPE_K_PER_MM
        expected = min(1.0, (reached / region) ** 3)
        assert row.fraction == pytest.approx(expected, abs=0.015)


def test_nothing_frozen_misses_everything_and_all_frozen_misses_nothing():
    grid = cube(30)
    distance = outline("t", ball(grid, (0, 0, 0), 8.0)).distance_mm
    warm = ice(grid, np.full(grid.shape, 9.0))
    cold = ice(grid, np.full(grid.shape, -9.0))
    (none,) = measure_coverage("t", distance, warm, thresholds_degc=(0.0,), rims_mm=(0.0,))
    (everything,) = measure_coverage("t", distance, cold, thresholds_degc=(0.0,), rims_mm=(0.0,))
    assert none.fraction == 0.0
    assert none.missed_ml == pytest.approx(4.0 / 3.0 * np.pi * 512.0 / 1000.0, rel=0.03)
    assert (everything.fraction, everything.missed_ml) == (1.0, 0.0)


def test_rim_does_not_reach_out_of_the_skin_but_the_tumour_itself_always_counts():
    grid = cube(60)
    distance = outline("t", ball(grid, (0, 0, 0), 10.0)).distance_mm
    # The skin is the plane x = 4: a part of the tumour bulges out of it.
    tissue = centres_mm(grid)[..., 0] <= 4.0
    field = ice(grid, np.where(tissue, -9.0, 9.0))
    rows = {
        (c.rim_mm, wet): c
        for wet in (True, False)
        for c in measure_coverage(
            "t",
            distance,
            field,
            thresholds_degc=(0.0,),
            rims_mm=(0.0, 5.0),
            tissue=tissue if wet else None,
        )
    }
    cap = (2.0 + 0.45) * (1.0 - 0.45) ** 2 / 4.0  # share of a sphere beyond 0.45 radii (4.5 mm: voxel face)
    assert rows[0.0, True].fraction == rows[0.0, False].fraction == pytest.approx(1.0 - cap, abs=0.015)
    assert rows[5.0, True].fraction > rows[5.0, False].fraction
    missed = cap * 4.0 / 3.0 * np.pi
    assert rows[5.0, True].missed_ml == pytest.approx(missed, rel=0.1)


def test_a_region_that_holds_nothing_is_covered_by_nothing():
    grid = cube(10)
    distance = outline("t", ball(grid, (0, 0, 0), 2.0)).distance_mm
    far = measure_coverage(
        "t", distance, ice_ball(grid, (0, 0, 0), 9.0), thresholds_degc=(0.0,), rims_mm=(-9.0,)
    )
    assert far[0].fraction == 0.0
    assert region_fraction(distance, -9.0).max() == 0.0


def test_fields_on_different_grids_are_refused_by_name_of_what_differs():
    distance = outline("t", ball(cube(20), (0, 0, 0), 5.0)).distance_mm
    with pytest.raises(ValueError, match="size 31 x 31 x 31 against 21 x 21 x 21"):
        measure_coverage("t", distance, ice_ball(cube(30), (0, 0, 0), 9.0), thresholds_degc=(0.0,))
