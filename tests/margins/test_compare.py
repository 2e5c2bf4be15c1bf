"""Compare: numbers before and after side by side, what is better, and where temperatures differ most."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import Assessment, Coverage, IsothermSize, Margin, OrganTemperature
from cryoplan.margins.compare import Measured, compare, largest_difference


def organ(name, role, degc, at_mm):
    return OrganTemperature(
        name=name, role=role, minimum_degc=degc, at_s=1.0, at_mm=at_mm, volume_below_ml=()
    )


def judged(*, margin=3.0, no_ice=False, covered=0.9, bowel=12.0, ml=30.0, healthy=20.0) -> Assessment:
    return Assessment(
        key="k",
        isotherms=(IsothermSize(when="minimum", threshold_degc=0.0, volume_ml=ml),),
        margins=(
            Margin(
                structure="tumour", threshold_degc=0.0, minimum_mm=margin, p05_mm=4.0, median_mm=5.0,
                worst_point_mm=(1.0, 2.0, 3.0), worst_direction="left", fraction_below_0=0.0,
                fraction_0_to_5=0.5, fraction_5_up=0.5, no_ice=no_ice,
            ),
        ),
        coverage=tuple(
            Coverage(structure="tumour", rim_mm=rim, threshold_degc=-20.0, fraction=f, missed_ml=1.0,
                     reached_ml=3.0)
            for rim, f in ((0.0, covered), (5.0, 0.5))
        ),
        structures=(
            organ("tumour", "tumour", -80.0, (0.0, 0.0, 0.0)),
            organ("bowel", "bowel", bowel, (4.0, 0.0, 0.0)),
            organ("body", "body", -80.0, (0.0, 0.0, 0.0)),
        ),
        healthy_below_ml=() if healthy is None else ((0.0, healthy),),
    )  # fmt: skip


def by(changes):
    return {c.measured: c for c in changes}


def test_equal_assessments_have_no_change():
    changes = compare(judged(), judged())
    assert {c.measured for c in changes} == set(Measured)
    assert not any(c.is_change for c in changes)
    assert all(c.is_better is None for c in changes)


def test_warmer_bowel_and_less_healthy_ice_are_better_and_a_smaller_margin_is_worse():
    found = by(compare(judged(), judged(margin=1.0, covered=0.8, bowel=20.0, ml=25.0, healthy=15.0)))
    assert found[Measured.MARGIN].difference == pytest.approx(-2.0)
    verdicts = {m: c.is_better for m, c in found.items()}
    assert verdicts == {
        Measured.MARGIN: False,
        Measured.COVERAGE: False,
        Measured.ORGAN: True,
        Measured.VOLUME: None,
        Measured.HEALTHY: True,
    }
    assert found[Measured.MARGIN].point_mm == (1.0, 2.0, 3.0)
    assert found[Measured.ORGAN].name == "bowel"


def test_that_fat_or_bone_is_colder_is_said_and_not_judged():
    before, after = judged(), judged(bowel=2.0)
    fat = [replace(a, structures=(replace(a.structures[1], role="fat"),)) for a in (before, after)]
    change = by(compare(*fat))[Measured.ORGAN]
    assert change.is_change
    assert change.is_better is None


def test_what_is_less_than_the_shown_digits_is_no_change():
    assert not any(c.is_change for c in compare(judged(), judged(margin=3.02, covered=0.9001, bowel=12.3)))


def test_ice_that_goes_is_worse_and_no_ice_twice_is_no_change():
    gone = by(compare(judged(), judged(no_ice=True)))[Measured.MARGIN]
    assert gone.after == -math.inf
    assert gone.is_better is False
    assert gone.point_mm is None
    assert by(compare(judged(no_ice=True), judged(no_ice=True)))[Measured.MARGIN].is_change is False
    assert by(compare(judged(no_ice=True), judged()))[Measured.MARGIN].is_better is True


def test_an_organ_that_was_added_has_nothing_before_and_is_not_judged():
    before = judged()
    bare = replace(before, structures=before.structures[:1])
    added = by(compare(bare, before))[Measured.ORGAN]
    assert (added.before, added.after, added.is_change, added.is_better) == (None, 12.0, True, None)
    assert by(compare(before, bare))[Measured.ORGAN].after is None


def test_the_largest_difference_is_found_across_grids_that_overlap_only_in_part():
    before = Grid(size=(20, 18, 16), spacing_mm=(1.0,) * 3, origin_mm=(0.0, 0.0, 0.0))
    after = Grid(size=(20, 18, 16), spacing_mm=(1.0,) * 3, origin_mm=(4.0, -3.0, 2.0))
    old = Volume(grid=before, values=np.full(before.shape, 37.0, np.float32))
    new = np.full(after.shape, 37.0, np.float32)
    new[2, 5, 7] = 20.0
    new[-1, -1, -1] = -100.0  # beyond what both have
    found = largest_difference(old, Volume(grid=after, values=new))
    assert found is not None
    assert found.degc == pytest.approx(-17.0)
    assert found.at_mm == pytest.approx((11.0, 2.0, 4.0))
    far = Grid(size=(4, 4, 4), spacing_mm=(1.0,) * 3, origin_mm=(99.0, 0.0, 0.0))
    assert largest_difference(old, Volume(grid=far, values=np.zeros(far.shape, np.float32))) is None


def test_without_healthy_ice_on_either_side_there_is_nothing_to_compare_of_it():
    assert Measured.HEALTHY not in by(compare(judged(healthy=None), judged(healthy=None)))
    assert Measured.HEALTHY in by(compare(judged(healthy=None), judged()))
