"""The probe views in the real window: reached by a key, dragged in by the mouse, left again."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from cryoplan.gui.probe_aims import EYE, FLAT, STEEP
from cryoplan.gui.view_grid import Layout
from tests.support.real_window import drag, press
from tests.support.stalls import StallMonitor

pytestmark = pytest.mark.display


def test_a_probe_is_pushed_deeper_in_line_and_shifted_in_its_eye_while_every_view_follows(desk, qtbot, say):
    workspace, view, views = desk.workspace, desk.view, desk.probe_set.views
    view.selected_probe = "1"
    QTest.keyClick(desk, Qt.Key.Key_V)
    assert desk.grid.layout_shown is Layout.PROBE_SET
    assert [views[name].isVisible() for name in (EYE, FLAT, STEEP)] == [True] * 3
    assert desk.canvas.isVisible()
    qtbot.waitUntil(lambda: all(v.texts for v in views.values()))
    before, flat = workspace.plan.probe("1"), views[FLAT]
    start = flat.pixel_of(before.tip_mm)
    deeper = flat.pixel_of(before.point_behind_tip_mm(-12.0)) - start
    stalls = StallMonitor()
    drag(flat, start, start + deeper)
    say(f"dragging in a probe view, longest stall {stalls.longest_ms:.0f} ms")
    after = workspace.plan.probe("1")
    assert after.depth_mm - before.depth_mm == pytest.approx(12.0, abs=2.0 * flat.mm_per_px)
    assert after.entry_mm == before.entry_mm
    for name in (FLAT, STEEP):
        assert abs(views[name].plane.distance_mm(after.tip_mm)) < 1e-6

    eye = views[EYE]
    middle = eye.pixel_of(after.tip_mm)
    drag(eye, middle, middle + QPointF(18.0, 0.0))
    shifted = workspace.plan.probe("1")
    by = np.subtract(shifted.tip_mm, after.tip_mm)
    assert np.allclose(by, np.subtract(shifted.entry_mm, after.entry_mm))
    assert np.linalg.norm(by) == pytest.approx(18.0 * eye.mm_per_px, abs=2.0 * eye.mm_per_px)
    assert abs(by @ after.direction) < 1e-6

    press(desk.probe_set.strip.through)
    qtbot.waitUntil(lambda: "off this plane" in flat.texts)
    press(desk.probe_set.switch)
    assert desk.grid.layout_shown is Layout.FOUR_UP
    assert not eye.isVisible()
