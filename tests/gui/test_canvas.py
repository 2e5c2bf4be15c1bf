"""The 3D view: few pictures, light ones while things move, ice of the right plan, and probes by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from cryoplan.app.view import Display
from cryoplan.case.skin import body_mask
from cryoplan.case.surface import signed_distance_mm
from cryoplan.gui import canvas as canvas_module
from cryoplan.gui import theme
from cryoplan.gui.canvas import Canvas
from cryoplan.gui.placing import Placing
from cryoplan.plan.edit_tools import add_tool
from cryoplan.plan.edits import nudge
from cryoplan.plan.tool import ToolKind
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


# Hands ----------------------------------------------------------------------------------------------


def pixel(canvas: Canvas, point_mm) -> QPointF:
    """Return the whole pixel at which a patient point is drawn."""
    size = (float(canvas.picture.width()), float(canvas.picture.height()))
    return QPointF(QPointF(*canvas.scene.to_screen(point_mm, size)).toPoint())


def drag(canvas: Canvas, start: QPointF, *places: QPointF, release: bool = True) -> None:
    """Press, move and let go as a hand does, with the button down while it moves."""
    picture = canvas.picture
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=start.toPoint())
    for at in places:
        QTest.mouseMove(picture, at.toPoint())
        QTest.qWait(1)
    if release:
        QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=places[-1].toPoint())


def test_two_clicks_in_3d_place_a_probe_and_the_line_follows_the_mouse(canvas, desk):
    desk.placing.start()
    at = pixel(canvas, TUMOUR_MM)
    QTest.mouseClick(canvas.picture, Qt.MouseButton.LeftButton, pos=at.toPoint())
    # Halfway through the tumour, whatever the direction of the view.
    assert np.linalg.norm(np.subtract(desk.placing.tip_mm, TUMOUR_MM)) < 2.0
    skin = at + QPointF(-20, -30)
    QTest.mouseMove(canvas.picture, skin.toPoint())
    QTest.qWait(1)
    assert canvas.scene.aids.has_line
    QTest.mouseClick(canvas.picture, Qt.MouseButton.LeftButton, pos=skin.toPoint())
    assert not canvas.scene.aids.has_line
    placed = desk.workspace.plan.probe("3")
    assert abs(signed_distance_mm(body_mask(small_case()), [placed.entry_mm])[0]) < 3.0
    assert desk.view.selected_probe == "3"


def test_a_first_click_beside_the_tumour_asks_for_the_tumour(canvas, desk):
    heard = []
    desk.workspace.message.connect(heard.append)
    desk.placing.start()
    QTest.mouseClick(canvas.picture, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert desk.placing.tip_mm is None
    assert "Click the tumour" in heard[-1]


def test_the_camera_can_be_turned_between_the_two_clicks(canvas, desk):
    desk.placing.start()
    desk.placing.click(TUMOUR_MM)
    before = canvas.scene.screen_axes()
    middle = QPointF(canvas.picture.rect().center())
    drag(canvas, middle, middle + QPointF(20, 5), middle + QPointF(60, 20))
    assert canvas.scene.screen_axes() != before
    assert desk.view.placing
    assert len(desk.workspace.plan.probes) == 2


@pytest.mark.parametrize("kind", ["tip", "whole"])
def test_a_drag_in_3d_moves_within_the_plane_of_the_screen_as_one_step(canvas, desk, kind):
    desk.view.selected_probe = "1"
    grip = next(g for g in canvas.scene.grips() if g.kind.value == kind)
    before, camera = desk.workspace.plan.probe("1"), canvas.scene.screen_axes()
    start = pixel(canvas, grip.position_mm)
    drag(canvas, start, start + QPointF(10, 8), start + QPointF(24, 18))
    after = desk.workspace.plan.probe("1")
    by = np.subtract(after.tip_mm, before.tip_mm)
    assert np.linalg.norm(by) > 2.0
    *_, inward = canvas.scene.screen_directions()
    assert abs(by @ inward) < 1e-6
    at = pixel(canvas, np.add(grip.position_mm, by)) - start
    assert (at.x(), at.y()) == pytest.approx((24, 18), abs=1.5)
    if kind == "tip":
        assert after.entry_mm == before.entry_mm
    else:
        assert np.allclose(after.direction, before.direction)
    assert canvas.scene.screen_axes() == camera
    assert desk.workspace.keeper.undo_count == 1


def test_an_entry_dragged_in_3d_slides_on_the_skin(canvas, desk):
    desk.view.selected_probe = "1"
    before = desk.workspace.plan.probe("1")
    start = pixel(canvas, before.entry_mm)
    drag(canvas, start, start + QPointF(10, -10), start + QPointF(30, -30))
    after = desk.workspace.plan.probe("1")
    assert after.tip_mm == before.tip_mm
    assert after.entry_mm != before.entry_mm
    assert abs(signed_distance_mm(body_mask(small_case()), [after.entry_mm])[0]) < 3.0
    assert desk.workspace.keeper.undo_count == 1


def test_escape_during_a_drag_in_3d_restores_and_leaves_no_step(canvas, desk):
    desk.view.selected_probe = "1"
    before = desk.workspace.plan
    start = pixel(canvas, before.probe("1").tip_mm)
    drag(canvas, start, start + QPointF(15, 0), start + QPointF(30, 0), release=False)
    assert desk.workspace.plan != before
    QTest.keyClick(canvas.picture, Qt.Key.Key_Escape)
    assert desk.workspace.plan == before
    QTest.mouseMove(canvas.picture, (start + QPointF(50, 0)).toPoint())
    QTest.qWait(1)
    QTest.mouseRelease(canvas.picture, Qt.MouseButton.LeftButton, pos=start.toPoint())
    assert desk.workspace.plan == before
    assert desk.workspace.keeper.undo_count == 0


def test_turning_the_camera_anywhere_beside_the_grips_never_moves_a_probe(canvas, desk):
    desk.view.selected_probe = "1"
    before, tried = desk.workspace.plan, 0
    for x in range(25, canvas.picture.width() - 40, 45):
        for y in range(25, canvas.picture.height() - 30, 55):
            start = QPointF(x, y)
            marks = [pixel(canvas, g.position_mm) for g in canvas.scene.grips()]
            if min(np.hypot((m - start).x(), (m - start).y()) for m in marks) > 14:
                drag(canvas, start, start + QPointF(7, 3), start + QPointF(12, 5))
                tried += 1
    assert tried > 20
    assert desk.workspace.plan == before
    assert desk.workspace.keeper.undo_count == 0


def test_a_tremor_on_a_grip_moves_nothing(canvas, desk):
    desk.view.selected_probe = "1"
    before = desk.workspace.plan
    start = pixel(canvas, before.probe("1").tip_mm)
    drag(canvas, start, start + QPointF(2, 0), start + QPointF(1, 1))
    assert desk.workspace.plan == before


def test_only_the_selected_probe_can_be_held_and_a_click_on_another_selects_it(canvas, desk):
    desk.view.selected_probe = "1"
    assert {g.probe for g in canvas.scene.grips()} == {"1"}
    probe = desk.workspace.plan.probe("2")
    at = pixel(canvas, np.add(probe.entry_mm, np.subtract(probe.tip_mm, probe.entry_mm) * 0.3))
    QTest.mouseClick(canvas.picture, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert desk.view.selected_probe == "2"


def test_arrows_in_3d_nudge_along_the_screen(canvas, desk):
    desk.view.selected_probe = "1"
    before = desk.workspace.plan.probe("1")
    QTest.keyClick(canvas.picture, Qt.Key.Key_Right)
    by = np.subtract(desk.workspace.plan.probe("1").tip_mm, before.tip_mm)
    assert np.allclose(by, canvas.scene.screen_directions()[0])


def test_a_tool_is_drawn_thinner_than_a_probe_and_can_be_dragged(canvas, desk, qtbot):
    new = add_tool(desk.workspace.plan, kind=ToolKind.BIOPSY, tip_mm=TUMOUR_MM, entry_mm=(-60.0, -68.0, 20.0))
    desk.workspace.edit("tool", new)
    desk.view.selected_probe = "BX1"
    qtbot.waitUntil(lambda: canvas.is_at_rest)
    start = pixel(canvas, TUMOUR_MM)
    drag(canvas, start, start + QPointF(8, 6), start + QPointF(20, 10))
    assert desk.workspace.plan.tools[0].tip_mm != TUMOUR_MM
    assert desk.workspace.plan.probes == new.probes


def test_a_double_click_asks_for_the_large_view(canvas, qtbot):
    with qtbot.waitSignal(canvas.enlarge_requested):
        QTest.mouseDClick(canvas.picture, Qt.MouseButton.LeftButton, pos=canvas.picture.rect().topLeft())


# The margin on the tumour ---------------------------------------------------------------------------


def test_the_tumour_has_the_colours_of_the_margin_of_the_plan_on_screen_only(canvas, desk, qtbot):
    assert canvas.margins.choice.isHidden()
    desk.solve()
    qtbot.waitUntil(lambda: canvas.scene.shows_colours)
    assert "≥" in canvas.margins.legend.text()
    desk.workspace.edit("a tenth", nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    qtbot.waitUntil(lambda: not canvas.scene.shows_colours)
    assert "OUT OF DATE" in canvas.margins.legend.text().replace("&nbsp;", " ")
    desk.workspace.undo()
    qtbot.waitUntil(lambda: canvas.scene.shows_colours)
    desk.open()
    qtbot.waitUntil(lambda: not canvas.scene.shows_colours)


def test_the_colours_of_the_tumour_are_chosen_in_the_view_itself(canvas, desk, qtbot):
    desk.solve()
    qtbot.waitUntil(lambda: canvas.scene.shows_colours)
    choice = canvas.margins.choice
    choice.setCurrentIndex(0)
    choice.activated.emit(0)
    qtbot.waitUntil(lambda: not canvas.scene.shows_colours)
    assert canvas.margins.legend.isHidden()
    choice.setCurrentIndex(2)
    choice.activated.emit(2)
    qtbot.waitUntil(lambda: canvas.scene.shows_colours)
    assert desk.view.margin_degc == -20.0


def test_a_place_is_marked_and_faced(canvas, desk, qtbot):
    desk.solve()
    place = (TUMOUR_MM[0], TUMOUR_MM[1] - 12.0, TUMOUR_MM[2])
    desk.view.place_mm = place
    qtbot.waitUntil(lambda: canvas.is_at_rest)
    assert canvas.scene.aids.has_place
    at = pixel(canvas, place)
    assert at.x() == pytest.approx(canvas.picture.width() / 2, abs=12)
    assert at.y() == pytest.approx(canvas.picture.height() / 2, abs=12)
    desk.view.place_mm = None
    assert not canvas.scene.aids.has_place
