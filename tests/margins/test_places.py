"""Worst places: where formulas say they are, in order, apart from each other, with the right words."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from cryoplan.core.geometry import unit
from cryoplan.core.volume import Volume
from cryoplan.margins.places import APART_MM, MOST_PLACES, nearest_probe, worst_places
from tests.support import analytic
from tests.support.analytic import ball, ball_distance_mm, cube, ice
from tests.support.maps import balls, oblique, of_mask


@pytest.mark.parametrize("grid", [None, oblique()])
@pytest.mark.parametrize(
    ("shift", "words"),
    [((0.0, -4.0, -4.0), "posterior-cranial"), ((0.0, 6.0, 0.0), "anterior"), ((5.0, 0.0, 0.0), "right")],
)
def test_the_worst_place_lies_opposite_to_where_the_ice_went(shift, words, grid):
    place = worst_places(balls(12.0, 16.0, shift=shift, grid=grid), 0.0)[0]
    out = unit(np.subtract(place.point_mm, (0.2, -0.4, 0.3)))
    assert out @ -unit(shift) > np.cos(np.radians(12.0))
    assert set(place.direction.split("-")) == set(words.split("-"))
    assert place.margin_mm == pytest.approx(16.0 - 12.0 - np.linalg.norm(shift), abs=0.3)


def three_lobes():
    """A ball of ice around a ball of tumour with two warm dents and a lesser one on three of its sides."""
    grid = cube(60)
    distance = ball_distance_mm(grid, (0.0, 0.0, 0.0), 20.0)
    for middle, radius in (((0.0, 0.0, 24.0), 11.0), ((24.0, 0.0, 0.0), 10.0), ((0.0, 24.0, 0.0), 9.0)):
        distance = np.maximum(distance, -ball_distance_mm(grid, middle, radius))
    return of_mask(ball(grid, (0.0, 0.0, 0.0), 14.0), ice(grid, distance))


def test_next_places_are_the_other_dents_in_order_of_their_margins():
    places = worst_places(three_lobes(), 0.0)
    assert [p.direction for p in places[:3]] == ["cranial", "left", "posterior"]
    # A dent of radius r whose middle is 24 mm away leaves 24 - 14 - r.
    assert [p.margin_mm for p in places[:3]] == pytest.approx([-1.0, 0.0, 1.0], abs=0.3)


def test_the_first_place_is_the_one_of_the_least_margin_of_the_review():
    found = three_lobes()
    place, margin = worst_places(found, 0.0)[0], found.margin(0.0)
    assert (place.margin_mm, place.direction) == (margin.minimum_mm, margin.worst_direction)
    assert place.point_mm == pytest.approx(margin.worst_point_mm)


def test_places_are_apart_rise_and_are_lowest_around_themselves():
    found = three_lobes()
    places = worst_places(found, 0.0)
    assert all(
        np.linalg.norm(np.subtract(a.point_mm, b.point_mm)) >= APART_MM for a, b in combinations(places, 2)
    )
    assert [p.margin_mm for p in places] == sorted(p.margin_mm for p in places)
    for place in places:
        near = np.linalg.norm(found.surface.points_mm - place.point_mm, axis=1) <= 5.0
        assert found.signed(0.0)[near].min() == place.margin_mm


def test_sides_left_out_have_no_places():
    found = three_lobes()
    high = found.surface.points_mm[:, 2] > 6.0
    places = worst_places(found.without(high), 0.0)
    assert places[0].direction == "left"
    assert all(p.point_mm[2] <= 6.0 for p in places)


def test_an_even_margin_has_some_places_but_never_a_flood():
    places = worst_places(balls(20.0, 25.0), 0.0)
    assert 1 <= len(places) <= MOST_PLACES


def test_without_ice_the_warmest_place_is_worst():
    grid = cube(56)
    warm = np.full(grid.shape, 30.0, np.float32) + analytic.centres_mm(grid)[..., 1].astype(np.float32) / 9.0
    place = worst_places(of_mask(ball(grid, (0.0, 0.0, 0.0), 12.0), Volume(grid=grid, values=warm)), 0.0)[0]
    assert place.margin_mm == -np.inf
    assert place.direction == "posterior"


def test_the_nearest_probe_is_told_by_its_active_zone():
    catalogue = analytic.catalogue()
    near, far = analytic.probe("1", (0.0, 19.0, 0.0)), analytic.probe("2", (30.0, 19.0, 0.0))
    plan = analytic.plan(far, near)
    # 15 mm behind the middle of its active zone of 30 mm, so 5 mm beyond its end.
    found = nearest_probe((0.0, 20.0, 0.0), plan, catalogue)
    assert (found.name, found.gap_mm) == ("1", pytest.approx(5.0))
    assert nearest_probe((30.0, 0.0, 7.0), plan, catalogue).name == "2"


def test_without_probes_none_is_nearest():
    assert nearest_probe((0.0, 0.0, 0.0), analytic.plan(name="A").__class__(), analytic.catalogue()) is None
