"""Ice in motion: between two kept minutes while it plays, a kept field as soon as it stands still."""

from __future__ import annotations

import gc
from weakref import ref

import numpy as np
import pytest

from cryoplan.app.ice import ice_of
from cryoplan.app.view import Display, ViewState
from tests.support.desk import Desk


@pytest.fixture
def desk(qapp):
    del qapp
    desk = Desk()
    desk.open()
    desk.solve()
    desk.view.display = Display.NOW
    yield desk
    desk.workspace.close()


def _ice(desk):
    return ice_of(desk.workspace, desk.view)


def test_what_stands_still_is_a_kept_field(desk):
    desk.view.time_s = 700.0
    assert any(_ice(desk).field_degc is f.temperature_degc for f in desk.workspace.result.frames)
    assert _ice(desk).moment == "at 10:00"


def test_what_plays_lies_between_two_kept_fields_and_says_that_it_moves(desk):
    frames = desk.workspace.result.frames
    desk.view.playing = True
    desk.view.time_s = 700.0
    ice = _ice(desk)
    before, after = (f.temperature_degc.values for f in frames if f.time_s in (600.0, 900.0))
    low, high = np.minimum(before, after), np.maximum(before, after)
    assert np.all((ice.field_degc.values > low) & (ice.field_degc.values < high))
    assert ice.moment == "at 11:40, in motion"


def test_all_views_draw_one_field_of_a_moment_and_it_is_let_go(desk):
    desk.view.playing = True
    desk.view.time_s = 700.0
    first, other = _ice(desk), _ice(desk)
    assert first.field_degc is other.field_degc
    assert first.is_drawn_like(other)
    desk.view.time_s = 710.0
    assert _ice(desk).field_degc is not first.field_degc
    kept = ref(first.field_degc)
    del first, other
    gc.collect()
    assert kept() is None


def test_a_wash_is_off_at_first_and_tells_when_it_changes(qtbot):
    view = ViewState()
    assert view.wash == ""
    with qtbot.waitSignal(view.changed):
        view.wash = "held -20"
