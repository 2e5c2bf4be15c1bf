"""A hand in the real window: probes placed and dragged in 3D, four parallel ones around a target."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from cryoplan.case.middle import target_centre_mm
from cryoplan.gui.panels import ProbesPanel
from cryoplan.plan.hold import is_on_skin
from cryoplan.plan.idioms import Idiom
from cryoplan.plan.placement import pairs
from cryoplan.scene.plane import Orientation
from tests.support.real_window import drag, press

pytestmark = pytest.mark.display


def pixel(window, point_mm) -> QPoint:
    """Return where a patient point is drawn in the 3D view."""
    picture = window.canvas.picture
    size = (float(picture.width()), float(picture.height()))
    return QPointF(*window.canvas.scene.to_screen(point_mm, size)).toPoint()


def test_a_probe_is_placed_by_two_clicks_in_3d_dragged_there_and_both_are_taken_back(desk, qtbot):
    window, workspace = desk, desk.workspace
    before = workspace.plan
    qtbot.waitUntil(lambda: window.canvas.is_at_rest)
    QTest.keyClick(window, Qt.Key.Key_P)
    picture = window.canvas.picture
    target = pixel(window, target_centre_mm(workspace.case))
    press(picture, target)
    press(picture, target + QPoint(-15, -15))
    placed = workspace.plan.probe("3")
    assert is_on_skin(workspace.case, placed)
    assert np.linalg.norm(np.subtract(placed.tip_mm, target_centre_mm(workspace.case))) < 4.0

    qtbot.waitUntil(lambda: window.canvas.is_at_rest)
    start = QPointF(pixel(window, placed.tip_mm))
    camera = window.canvas.scene.screen_axes()
    drag(picture, start, start + QPointF(12.0, 8.0))
    dragged = workspace.plan.probe("3")
    assert dragged.tip_mm != placed.tip_mm
    assert dragged.entry_mm == placed.entry_mm
    assert window.canvas.scene.screen_axes() == camera
    assert workspace.keeper.undo_count == 2
    workspace.undo()
    workspace.undo()
    assert workspace.plan == before


def test_four_parallel_probes_at_15_mm_take_two_clicks_and_one_button(desk, qtbot):
    window, workspace = desk, desk.workspace
    axial = window.slices[Orientation.AXIAL]
    window.view.selected_probe = "1"
    for _ in range(2):
        QTest.keyClick(axial, Qt.Key.Key_Delete)
    assert workspace.plan.probes == ()
    target = target_centre_mm(workspace.case)
    QTest.keyClick(window, Qt.Key.Key_P)
    press(axial, axial.pixel_of(target).toPoint())
    press(axial, axial.pixel_of((target[0] - 60.0, target[1], target[2])).toPoint())
    panel = window.findChild(ProbesPanel)
    panel.idioms.head.click()
    index = list(Idiom).index(Idiom.RING)
    panel.idioms.idiom.setCurrentIndex(index)
    panel.idioms.idiom.activated.emit(index)
    panel.idioms.count.setValue(4)
    qtbot.waitUntil(lambda: len(window.view.ghosts) == 4)
    assert window.canvas.scene.aids.ghosts == 4
    panel.idioms.go.click()
    assert len(workspace.plan.probes) == 4
    assert window.view.ghosts == ()
    assert workspace.keeper.undo_text.startswith("4 changes") or "added" in workspace.keeper.undo_text
    table = pairs(workspace.plan, workspace.catalogue)
    middles = sorted(pair.middle_mm for pair in table)
    assert middles == pytest.approx([15.0] * 4 + [15.0 * np.sqrt(2.0)] * 2, abs=0.01)
    assert all(is_on_skin(workspace.case, p) for p in workspace.plan.probes)
