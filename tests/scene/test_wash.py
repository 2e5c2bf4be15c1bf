"""Colours over slices: the class of a value, and where on the slice it is."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.volume import Volume
from cryoplan.margins.survival import survival_model
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.wash import COLOURS, OPACITY, Wash, cut_wash, held_wash, reached_wash, survival_wash
from tests.support.cases import grid, points_of

GRID = grid(size=(20, 18, 16), spacing=(2.0, 2.0, 2.0))


def _even(value):
    return Volume(grid=GRID, values=np.full(GRID.shape, value, np.float32))


def test_a_minute_is_in_the_class_that_ends_with_it_or_later():
    wash = reached_wash(_even(0.0), "−20 °C")
    assert wash.labels == (*(f"within {n} min" for n in (1, 2, 3, 5, 10)), "after 10 min")
    assert wash.classes(np.array([[0.0, 59.0, 61.0, 299.0, 301.0, 1499.0]])).tolist() == [[0, 0, 1, 3, 4, 5]]


def test_what_is_never_reached_or_never_below_is_clear():
    assert reached_wash(_even(0.0), "").rgba(np.array([[np.inf]])).tolist() == [[[0, 0, 0, 0]]]
    assert held_wash(_even(0.0), "").rgba(np.array([[0.0]])).tolist() == [[[0, 0, 0, 0]]]


def test_minutes_below_are_classed_by_their_words():
    wash = held_wash(_even(0.0), "−40 °C")
    assert wash.labels == ("under 1", "1 to 2", "2 to 4", "4 to 8", "8 to 12", "over 12")
    assert wash.classes(60.0 * np.array([[0.5, 1.5, 3.0, 7.9, 11.0, 300.0]])).tolist() == [[0, 1, 2, 3, 4, 5]]


def test_survival_is_classed_by_the_model_and_clear_where_it_says_nothing():
    series = survival_model().of("a549-argon-once")
    wash = survival_wash(_even(0.0), series)
    degc = np.array([-80.0, -30.0, -15.0, -5.0, 10.0, 20.0, 37.0])
    expected = [int(np.searchsorted((0.1, 0.25, 0.5, 0.75), s)) for s in series.survival(degc[:5])]
    assert wash.classes(degc[None])[0].tolist() == [*expected, -1, -1]
    assert "RESEARCH" in wash.title


def test_colours_are_premultiplied_and_their_lightness_falls():
    minutes = np.array([[0.5, 1.5, 2.5, 4.0, 8.0, 20.0]])
    rgba = reached_wash(_even(0.0), "").rgba(60.0 * minutes)[0].astype(int)
    assert np.all(rgba[:, 3] == round(255 * OPACITY))
    assert np.all(rgba[:, :3] <= rgba[:, 3:] + 1)
    assert len(COLOURS) == 6
    light = rgba[:, :3] @ np.array([0.2126, 0.7152, 0.0722])
    assert np.all(np.diff(light) < 0.0)


def test_the_colours_lie_where_the_field_is():
    x = points_of(GRID)[..., 0]
    field = Volume(grid=GRID, values=np.where(x > 0.0, 100.0, 0.0).astype(np.float32))
    wash = held_wash(field, "")
    cut = cut_wash(wash, SliceSampler(field), SlicePlane(Orientation.AXIAL, 0.0))
    # Radiological display: the patient's left, +x, is on the right of the screen.
    assert (cut.left_mm, cut.right_mm) == pytest.approx((-20.0, 20.0))
    alpha = cut.rgba[..., 3] > 0
    assert alpha[:, 11:].all()
    assert not alpha[:, :9].any()


def test_beside_the_field_there_are_no_colours():
    field = _even(100.0)
    assert cut_wash(held_wash(field, ""), SliceSampler(field), SlicePlane(Orientation.AXIAL, 500.0)) is None


def test_a_wash_needs_a_colour_for_each_class():
    with pytest.raises(ValueError, match="each class"):
        Wash(
            title="",
            volume=_even(0.0),
            read=np.asarray,
            edges=(0.0, 1.0),
            colours=(),
            labels=(),
            short=(),
            unit="",
        )
