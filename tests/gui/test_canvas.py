"""The 3D view: few pictures, light ones while things move, ice of the right plan, and probes by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from cryoplan.app.view import Display
from cryoplan.case.skin import body_mask
from cryoplan.case.surface import signed_distance_mm
from cryoplan.gui import canvas as canvas_module
from cryoplan.gui import theme
from cryoplan.gui.canvas import Canvas
from cryoplan.gui.probe_gestures import Placing
from cryoplan.plan.edits import nudge
from cryoplan.scene.meshes import build_case_meshes
from cryoplan.scene.view3d import Layer
from tests.support.desk import Desk, small_case
from tests.support.scenes import TUMOUR_MM

pytestmark = pytest.mark.display


@pytest.fixture
def canvas(desk: Desk, qapp, qtbot) -> Canvas:
    """The 3D view of the small case with its surfaces, drawn and at rest."""
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs an X display; unset QT_QPA_PLATFORM and install Xvfb")
    palette = theme.apply(qapp)
    desk.placing = Placing(desk.workspace, desk.view)
    made = Canvas(desk.workspace, desk.view, palette, desk.placing, None)
    qtbot.addWidget(made, before_close_func=lambda canvas: canvas.close_canvas())
    made.resize(460, 420)
    made.show()
    qtbot.waitExposed(made)
    desk.worker.done("meshes", build_case_meshes(small_case()))
    qtbot.waitUntil(lambda: made.is_at_rest)
    return made


@pytest.fixture
def pictures(canvas) -> list[int]:
    """One entry for each picture that VTK renders from now on."""
    drawn: list[int] = []
    canvas.picture.render_window.AddObserver("EndEvent", lambda *_: drawn.append(1))
    return drawn


def test_everything_of_the_case_is_drawn(canvas):
    lower, upper = (np.asarray(corner) for corner in canvas.scene.bounds_mm(Layer.TUMOUR))
    np.testing.assert_allclose((lower + upper) / 2, TUMOUR_MM, atol=1.0)
    assert canvas.scene.bounds_mm(Layer.SKIN) is not None
    assert canvas.scene.bounds_mm(Layer.PROBES) is not None


def test_many_changes_make_one_picture_and_one_at_rest(canvas, desk, pictures, qtbot):
    for step in range(10):
        plan = nudge(desk.workspace.plan, "1", (0.0, 0.0, 0.1 * (step + 1)))
        desk.workspace.edit("a drag", plan, gesture="drag")
    qtbot.waitUntil(lambda: canvas.is_at_rest)
    assert 1 <= len(pictures) <= 2


def test_the_crosshair_costs_no_picture(canvas, desk, pictures):
    for x in range(20):
        desk.view.cursor_mm = (float(x), 0.0, 0.0)
    assert canvas.is_at_rest
    assert pictures == []


def test_organs_stay_away_while_things_move_on_a_slow_machine(canvas, desk, qtbot, monkeypatch):
    monkeypatch.setattr(canvas_module, "SLOW_MS", 0.0)
    desk.workspace.edit("a drag", nudge(desk.workspace.plan, "1", (0.0, 0.0, 1.0)))
    assert not canvas.scene.is_visible(Layer.SKIN)
    assert canvas.scene.is_visible(Layer.PROBES)
    qtbot.waitUntil(lambda: canvas.is_at_rest)
    assert canvas.scene.is_visible(Layer.SKIN)


def test_a_layer_that_is_switched_off_stays_off_at_rest(canvas, desk, qtbot):
    desk.view.set_layer("skin", False)
    qtbot.waitUntil(lambda: canvas.is_at_rest)
    assert not canvas.scene.is_visible(Layer.SKIN)
    assert canvas.scene.is_visible(Layer.TUMOUR)


def test_the_ice_follows_result_time_and_freshness(canvas, desk, qtbot):
    desk.solve()
    qtbot.waitUntil(lambda: canvas.scene.bounds_mm(Layer.ICE_0) is not None)
    lowest = canvas.scene.bounds_mm(Layer.ICE_0)
    desk.view.display, desk.view.time_s = Display.NOW, 300.0  # its field is 9 K warmer, so it has less ice
    qtbot.waitUntil(lambda: canvas.scene.bounds_mm(Layer.ICE_0) != lowest)
    now = canvas.scene.bounds_mm(Layer.ICE_0)
    assert np.all(np.asarray(now[0]) > lowest[0])
    assert np.all(np.asarray(now[1]) < lowest[1])
    assert not canvas.is_stale
    desk.workspace.edit("a tenth", nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    qtbot.waitUntil(lambda: canvas.is_stale)
    desk.workspace.undo()
    qtbot.waitUntil(lambda: not canvas.is_stale)
    desk.open()
    qtbot.waitUntil(lambda: canvas.scene.bounds_mm(Layer.ICE_0) is None)


def test_the_second_click_of_placing_may_be_on_the_skin_in_3d(canvas, desk):
    desk.view.placing = True
    desk.placing.click(TUMOUR_MM)
    middle = QPointF(canvas.picture.width() / 2, canvas.picture.height() / 2)
    QTest.mouseClick(canvas.picture, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    assert not desk.view.placing
    placed = desk.workspace.plan.probe("3")
    assert placed.tip_mm == pytest.approx(TUMOUR_MM)
    off_skin = signed_distance_mm(body_mask(small_case()), [placed.entry_mm])[0]
    assert abs(off_skin) < 3.0


def test_a_double_click_asks_for_the_large_view(canvas, qtbot):
    with qtbot.waitSignal(canvas.enlarge_requested):
        QTest.mouseDClick(canvas.picture, Qt.MouseButton.LeftButton, pos=canvas.picture.rect().topLeft())
