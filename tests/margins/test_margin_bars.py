"""Margin bars against a ball in an off-centre ball, whose shares of area are a formula."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest

from cryoplan.margins.classes import MarginClasses
from cryoplan.margins.margin_bars import MOST_BARS, margin_bars
from tests.support.maps import balls, oblique

TUMOUR, ICE, SHIFT = 12.0, 16.0, 6.0


def share_below(margin_mm: float) -> float:
    """Share of a sphere whose distance to the ice edge is below a margin.

    A point at cosine c to the shift is sqrt(R^2 - 2 R s c + s^2) from the middle of the ice, and c is evenly
    distributed over a sphere (Archimedes).
    """
    c = (TUMOUR**2 + SHIFT**2 - (ICE - margin_mm) ** 2) / (2.0 * TUMOUR * SHIFT)
    return float(np.clip((1.0 + c) / 2.0, 0.0, 1.0))


@pytest.mark.parametrize("grid", [None, oblique()])
def test_classes_hold_the_areas_of_a_ball_in_an_off_centre_ball(grid):
    classes = MarginClasses((0.0, 3.0, 5.0))
    bars = margin_bars(balls(TUMOUR, ICE, shift=(0.0, 0.0, SHIFT), grid=grid), 0.0, classes)
    below = np.array([share_below(m) for m in (0.0, 3.0, 5.0)])
    assert np.cumsum(bars.class_fraction)[:3] == pytest.approx(below, abs=0.02)


def test_every_bar_holds_its_area():
    bars = margin_bars(balls(TUMOUR, ICE, shift=(0.0, SHIFT, 0.0)), 0.0, MarginClasses())
    expected = np.diff([share_below(e) for e in bars.edges_mm])
    assert bars.fraction.sum(axis=1) == pytest.approx(expected, abs=0.02)
    assert bars.fraction.sum() == pytest.approx(1.0)


def test_a_step_within_a_bar_divides_it():
    bars = margin_bars(balls(TUMOUR, ICE, shift=(SHIFT, 0.0, 0.0)), 0.0, MarginClasses((0.0, 2.25)))
    n = int(np.searchsorted(bars.edges_mm, 2.25)) - 1
    assert (bars.fraction[n, 1:] > 0.0).all()
    assert bars.fraction.sum(axis=0) == pytest.approx(bars.class_fraction)


def test_bars_are_few_enough_to_be_seen_and_cover_all_margins():
    found = balls(TUMOUR, ICE, shift=(0.0, 0.0, 11.0))
    bars = margin_bars(found, 0.0, MarginClasses())
    assert len(bars.fraction) <= MOST_BARS
    assert bars.edges_mm[0] <= found.signed(0.0).min()
    assert bars.edges_mm[-1] >= found.signed(0.0).max()
    assert np.unique(np.round(np.diff(bars.edges_mm), 9)).size == 1


def test_sides_left_out_count_in_no_bar():
    found = balls(TUMOUR, ICE, shift=(0.0, 0.0, SHIFT))
    upper = found.surface.points_mm[:, 2] > found.centre_mm[2]
    bars = margin_bars(found.without(~upper), 0.0, MarginClasses())
    assert bars.left_out == pytest.approx(0.5, abs=0.02)
    assert bars.class_fraction[0] == 0.0  # what is not covered lies below
    assert bars.fraction.sum() == pytest.approx(1.0)


def test_without_ice_there_are_no_bars_and_all_of_the_surface_is_below():
    bars = margin_bars(balls(TUMOUR, ICE, thresholds=(0.0, -200.0)), -200.0, MarginClasses())
    assert bars.no_ice
    assert bars.class_fraction == pytest.approx([1.0, 0.0, 0.0])


def test_bars_are_copied_as_numbers_that_sum_to_the_classes():
    classes = MarginClasses()
    bars = margin_bars(balls(TUMOUR, ICE, shift=(0.0, 0.0, SHIFT)), 0.0, classes)
    head, *rows = csv.reader(StringIO(bars.to_csv(classes)))
    assert head[:2] == ["from_mm", "to_mm"]
    values = np.array(rows, float)
    assert values[:, 2:].sum(axis=0) == pytest.approx(bars.class_fraction, abs=1e-4)
    assert (values[1:, 0] == values[:-1, 1]).all()
