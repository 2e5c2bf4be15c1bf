"""Proposals in the slice views: dashed where they lie, gone when they are answered."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF

from cryoplan.gui.proposed_layer import DASH, ProposedLayer
from cryoplan.image.anatomy.found import Part
from cryoplan.scene.plane import Orientation
from tests.app.test_proposed import proposal
from tests.support.scenes import TUMOUR_MM


@pytest.fixture
def proposed(desk):
    found = proposal(at=TUMOUR_MM)
    desk.workspace.proposed.look_for([Part.BONE])
    desk.worker.done("propose", (found,))
    return found


@pytest.mark.usefixtures("proposed")
@pytest.mark.parametrize("orientation", Orientation)
def test_the_outline_goes_round_the_mask_and_is_dashed(desk, show, orientation):
    view = show(orientation)
    layer = ProposedLayer(desk.workspace.proposed, desk.view)
    (stroke,) = layer.strokes(view.plane)
    assert stroke.style.dash == DASH
    u, v = view.plane.mm_to_plane(TUMOUR_MM)
    assert stroke.path.contains(QPointF(u, v))
    assert stroke.path.boundingRect().width() == pytest.approx(16.0, abs=4.0)
    assert layer.strokes(view.plane)[0].path is stroke.path  # cut once


def test_the_view_shows_them_with_a_key_until_they_are_answered(desk, show, proposed):
    view = show()
    with_it = view.grab().toImage()
    assert "proposed" in view.texts
    desk.view.set_layer("proposal:bone", False)
    hidden = view.grab().toImage()
    assert hidden != with_it
    desk.view.set_layer("proposal:bone", True)
    desk.workspace.proposed.discard([proposed])
    after = view.grab().toImage()
    assert after != with_it
    assert "proposed" not in view.texts


@pytest.mark.usefixtures("proposed")
def test_hiding_all_overlays_hides_proposals(desk, show):
    view = show()
    layer = ProposedLayer(desk.workspace.proposed, desk.view)
    desk.view.overlays_hidden = True
    assert layer.strokes(view.plane) == []


@pytest.mark.usefixtures("proposed")
def test_a_slice_that_misses_it_shows_nothing(desk, show):
    desk.view.cursor_mm = (TUMOUR_MM[0], TUMOUR_MM[1], TUMOUR_MM[2] + 40.0)
    view = show()
    assert ProposedLayer(desk.workspace.proposed, desk.view).strokes(view.plane) == []
