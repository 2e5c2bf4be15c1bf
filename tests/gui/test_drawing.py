"""Drawing with the mouse in the slice views: what the hand does is what the image package makes of it."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from cryoplan.app.outline_tools import Tool, ToolSettings
from cryoplan.app.outlining import Outlining
from cryoplan.gui import draw_gestures
from cryoplan.gui.drawing import Drawing
from cryoplan.gui.panels import StructuresPanel
from cryoplan.gui.steady_hand import SteadyHand
from cryoplan.image.outlining.growing import Seed
from cryoplan.image.outlining.strokes import brush, lasso, painted
from cryoplan.scene.plane import Orientation
from tests.gui.conftest import open_case
from tests.support.desk import Desk, small_case, somebody_else_has
from tests.support.scenes import BODY_MM, TUMOUR_MM, grid_around, make_case, turned

X, Y, Z = TUMOUR_MM


@pytest.fixture
def outlining(desk: Desk) -> Outlining:
    one = Outlining.of(desk.workspace)
    assert one.begin("tumour 1")
    return one


def mask_of(desk: Desk, name: str = "tumour 1") -> np.ndarray:
    return desk.workspace.case.structure(name).mask.values


def point_of(view, pos: QPoint) -> tuple[float, float, float]:
    return view._hand._point(QPointF(pos))


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("axis_deg", [(0.0, 0.0, 0.0), (14.0, -9.0, 21.0)], ids=["straight", "oblique"])
def test_a_brush_drag_paints_what_lies_under_it_and_nothing_else(desk, show, mouse, orientation, axis_deg):
    grid = grid_around(BODY_MM, (260, 200, 160), (2, 2, 4), turned(axis_deg))
    open_case(desk, make_case(grid))
    outlining = Outlining.of(desk.workspace)
    outlining.begin("tumour 1")
    outlining.settings = ToolSettings(radius_mm=5.0)
    outlining.take(Tool.BRUSH)
    view = show(orientation)
    cursor = desk.view.cursor_mm
    at = view.pixel_of(TUMOUR_MM).toPoint()
    path = [at + QPoint(30, 4), at + QPoint(45, 12), at + QPoint(50, 30)]
    expected = mask_of(desk).copy()
    places = [point_of(view, p) for p in path]
    painted(expected, brush(grid, places, 5.0, normal=np.eye(3)[orientation.axis]))
    mouse(view).drag(path[0], *path[1:])
    outlining.finish()
    assert np.array_equal(mask_of(desk), expected)
    assert not np.array_equal(expected, small_case().structure("tumour 1").mask.values)
    assert desk.view.cursor_mm == cursor  # the crosshair stays


def test_what_is_drawn_is_seen_before_the_button_is_up(desk, show, mouse, outlining):
    view = show()
    desk.view.overlays_hidden = False
    outlining.settings = ToolSettings(radius_mm=8.0)
    outlining.take(Tool.BRUSH)
    at = view.pixel_of((X - 35.0, Y + 20.0, Z)).toPoint()
    before = view.grab().toImage().pixelColor(at)
    start = mask_of(desk)
    mouse(view).press(at)
    seen = view.grab().toImage()
    assert seen.pixelColor(at) != before
    mouse(view).release(at)
    outlining.finish()
    assert not np.array_equal(mask_of(desk), start)


def test_a_dab_draws_again_only_the_part_of_the_views_that_shows_it(show, mouse, outlining, monkeypatch):
    view, other = show(), show(Orientation.CORONAL)
    outlining.take(Tool.BRUSH)
    view.grab()
    regions = []
    for one in (view, other):
        monkeypatch.setattr(one, "update", lambda *area, one=one: regions.append((one, area)))
    mouse(view).press((X - 20.0, Y - 30.0, Z))
    in_view = [area[0] for one, area in regions if one is view and area]
    assert in_view
    assert all(area.width() < view.width() / 3 for area in in_view)
    # The other view shows a slice 30 mm away.
    assert not [area for one, area in regions if one is other and area]
    mouse(view).release((X - 20.0, Y - 30.0, Z))


def test_the_other_views_follow_a_stroke_a_moment_later(desk, show, mouse, outlining, qtbot, monkeypatch):
    view, other = show(), show(Orientation.CORONAL)
    outlining.take(Tool.BRUSH)
    regions = []
    monkeypatch.setattr(other, "update", lambda *area: regions.extend(area))
    # The other view shows the plane through the tumour, where this is drawn.
    at = view.pixel_of((X - 20.0, desk.view.cursor_mm[1], Z))
    view.raise_()
    view.activateWindow()
    mouse(view).press(at)
    assert outlining.is_drawing
    assert not regions
    qtbot.waitUntil(lambda: bool(regions))
    mouse(view).release(at)


def test_a_line_without_its_straight_points_is_the_same_line():
    from cryoplan.gui.drawn_layer import without_straight

    line = np.array([(0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (4, 3), (4, 5), (0, 5), (0, 0)], float)
    expected = [(0, 0), (2, 0), (4, 2), (4, 5), (0, 5), (0, 0)]
    assert without_straight(line).tolist() == [list(map(float, p)) for p in expected]


def test_shift_turns_the_brush_and_escape_gives_the_stroke_up(desk, show, mouse, outlining):
    view = show()
    outlining.take(Tool.BRUSH)
    start = mask_of(desk).copy()
    at = view.pixel_of(TUMOUR_MM).toPoint()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, at)
    assert outlining.live.count < np.count_nonzero(start)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert np.array_equal(outlining.live.values, start)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert outlining.tool is Tool.BRUSH
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert outlining.tool is None
    outlining.finish()
    assert mask_of(desk) is desk.workspace.case.structure("tumour 1").mask.values
    assert np.array_equal(mask_of(desk), start)
    # Without a tool the left button moves the crosshair again.
    mouse(view).click((X - 30.0, Y, Z))
    assert abs(desk.view.cursor_mm[0] - X + 30.0) < 2.0


def test_the_lasso_takes_what_the_line_surrounds(desk, show, mouse, outlining):
    view = show()
    outlining.take(Tool.LASSO)
    at = view.pixel_of(TUMOUR_MM).toPoint()
    corners = [at + QPoint(*d) for d in ((-60, -20), (-20, -40), (10, -20), (-10, 20), (-50, 15))]
    expected = mask_of(desk).copy()
    grid = desk.workspace.case.scan.volume.grid
    painted(expected, lasso(grid, [point_of(view, c) for c in corners], (0.0, 0.0, 1.0)))
    mouse(view).drag(corners[0], *corners[1:])
    outlining.finish()
    assert np.array_equal(mask_of(desk), expected)
    assert np.count_nonzero(expected) > np.count_nonzero(small_case().structure("tumour 1").mask.values)


def test_a_click_grows_and_enter_adds_what_was_found(desk, show, mouse, qtbot, outlining):
    outlining.begin_new("tumour 2")
    view = show()
    view.activateWindow()  # a view says what to do where the keys go to
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    outlining.take(Tool.GROW)
    mouse(view).click(TUMOUR_MM)
    qtbot.waitUntil(lambda: outlining.preview is not None, timeout=20_000)

    def is_offered() -> bool:
        view.grab()
        return any("Enter adds it" in text for text in view.texts)

    qtbot.waitUntil(is_offered)
    clicked = desk.view.cursor_mm
    QTest.keyClick(view, Qt.Key.Key_Return)
    outlining.finish()
    expected = np.zeros(desk.workspace.case.scan.volume.grid.shape, bool)
    grown = Seed(desk.workspace.case.scan.volume, clicked).grow(outlining.settings.tolerance)
    painted(expected, grown.patch)
    assert np.array_equal(mask_of(desk, "tumour 2"), expected)


def test_brackets_and_shift_wheel_change_the_size_and_the_plain_wheel_scrolls(show, outlining):
    view = show()
    outlining.take(Tool.BRUSH)
    QTest.keyClick(view, Qt.Key.Key_BracketRight)
    assert outlining.settings.radius_mm == pytest.approx(7.2)
    QTest.keyClick(view, Qt.Key.Key_BracketLeft)
    assert outlining.settings.radius_mm == pytest.approx(6.0)
    number = view.slice_number
    for held in (Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier):
        pos = QPointF(view.width() / 2, view.height() / 2)
        event = QWheelEvent(
            pos, view.mapToGlobal(pos), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, held,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(view, event)
    assert outlining.settings.radius_mm == pytest.approx(7.2)
    assert view.slice_number != number
    for _ in range(60):
        draw_gestures.step_radius(outlining, 1.0)
    assert outlining.settings.radius_mm == 40.0


def test_ctrl_click_moves_the_crosshair_while_a_tool_is_in_hand(desk, show, outlining):
    view = show()
    outlining.take(Tool.BRUSH)
    at = view.pixel_of((X - 30.0, Y, Z)).toPoint()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
    assert abs(desk.view.cursor_mm[0] - X + 30.0) < 2.0
    assert np.array_equal(outlining.live.values, mask_of(desk))


def test_a_stroke_goes_on_while_the_one_before_becomes_a_step(desk, show, mouse, qtbot, outlining):
    view = show()
    outlining.take(Tool.BRUSH)
    a, b = (view.pixel_of((X - d, Y + 20.0, Z)).toPoint() for d in (30.0, 0.0))
    mouse(view).click(a)
    mouse(view).press(b)
    qtbot.waitUntil(lambda: not outlining._commits.is_waiting)
    assert outlining.is_drawing
    mouse(view).move(b + QPoint(0, 12))
    mouse(view).release(b + QPoint(0, 12))
    outlining.finish()
    assert np.array_equal(mask_of(desk), outlining.live.values)
    desk.workspace.keeper.settle(10.0)
    texts = [entry.text for entry in desk.workspace.keeper.kept.history.entries]
    assert texts[-2:] == ["tumour 1: brush", "tumour 1: brush"]


# The panel ------------------------------------------------------------------------------------------


@pytest.fixture
def panel(desk: Desk, qtbot) -> StructuresPanel:
    one = StructuresPanel(desk.workspace, desk.view)
    qtbot.addWidget(one)
    one.resize(300, 900)
    one.show()
    qtbot.waitExposed(one)
    return one


def test_the_panel_chooses_structure_tool_and_size(desk, panel):
    draw = panel.draw
    assert not draw.body.isVisible()
    draw.subject.setCurrentText("tumour 1")
    draw.subject.activated.emit(draw.subject.currentIndex())
    outlining = draw.outlining
    assert outlining.subject.name == "tumour 1"
    assert draw.body.isVisible()
    ml = desk.workspace.case.structure("tumour 1").volume_ml
    assert draw.size_text.text().startswith(f"{ml:.1f} ml · 24 x 24 x 24 mm")
    draw.tools[Tool.BRUSH].click()
    assert outlining.tool is Tool.BRUSH
    assert draw.radius.isVisible()
    assert not draw.tolerance.isVisible()
    draw.radius.slider.setValue(40)
    assert outlining.settings.radius_mm == 10.0
    assert draw.radius.box.value() == 20.0
    draw.ball.click()
    draw.limited.click()
    assert outlining.settings == ToolSettings(
        radius_mm=10.0, is_ball=True, low=-20.0, high=200.0, tolerance=25.0
    )
    draw.tools[Tool.BRUSH].click()
    assert outlining.tool is None
    draw.done_button.click()
    assert outlining.subject is None
    assert not draw.body.isVisible()


@pytest.mark.parametrize("orientation", Orientation)
def test_a_box_is_dragged_in_any_view_and_shows_what_it_finds(desk, show, mouse, qtbot, panel, orientation):
    outlining = panel.draw.outlining
    outlining.begin_new("tumour 2")
    view = show(orientation)
    panel.draw.tools[Tool.BOX].click()
    assert panel.draw.least.isVisible()
    middle = view.pixel_of(TUMOUR_MM).toPoint()
    a, b = middle - QPoint(40, 30), middle + QPoint(40, 30)
    mouse(view).press(a)
    mouse(view).move(b)
    assert len(view.lasso_px) == 4
    mouse(view).release(b)
    qtbot.waitUntil(lambda: outlining.preview is not None, timeout=20_000)
    lower, upper = outlining.region_mm
    for axis in {0, 1, 2} - {orientation.axis}:
        assert lower[axis] == pytest.approx(min(point_of(view, a)[axis], point_of(view, b)[axis]))
        assert upper[axis] == pytest.approx(max(point_of(view, a)[axis], point_of(view, b)[axis]))
    assert view.lasso_px == []
    panel.draw.least.setValue(-150)
    qtbot.waitUntil(lambda: not outlining.is_busy, timeout=20_000)
    assert outlining.settings.least == -150.0
    assert panel.draw.add_button.isVisible()
    panel.draw.add_button.click()
    outlining.finish()
    assert desk.workspace.case.structure("tumour 2").volume_ml > 0.0
    assert outlining.region_mm is None


def test_a_click_without_a_drag_makes_no_box(show, mouse, panel):
    outlining = panel.draw.outlining
    outlining.begin("tumour 1")
    view = show()
    outlining.take(Tool.BOX)
    mouse(view).click(TUMOUR_MM)
    assert outlining.region_mm is None
    assert not outlining.is_busy


def test_the_panel_warns_when_growing_runs_out(panel, qtbot):
    draw = panel.draw
    draw.outlining.begin("tumour 1")
    draw.outlining.take(Tool.GROW)
    draw.outlining.grow_from((0.0, -40.0, 0.0))
    qtbot.waitUntil(lambda: draw.outlining.preview is not None, timeout=20_000)
    draw.tolerance.slider.setValue(60)
    qtbot.waitUntil(lambda: draw.leak.isVisible(), timeout=20_000)
    assert "lower the tolerance" in draw.leak.text()
    assert draw.add_button.isVisible()
    draw.give_up_button.click()
    assert draw.outlining.preview is None
    assert not draw.leak.isVisible()


def test_buttons_work_on_the_whole_structure(desk, panel, qtbot):
    draw = panel.draw
    draw.outlining.begin("tumour 1")
    start = np.count_nonzero(mask_of(desk))
    draw.by.setValue(4.0)
    draw.whole["grow"].click()
    qtbot.waitUntil(lambda: not draw.outlining.is_busy, timeout=20_000)
    assert np.count_nonzero(mask_of(desk)) > start
    draw.other.setCurrentText("body")
    assert draw.other.findText("body") == -1  # the body is no partner
    assert draw._both.isHidden()


def test_reading_only_has_no_tool(desk, panel, tmp_path, qtbot):
    with somebody_else_has(desk, tmp_path / "theirs.cryoplan"):
        qtbot.waitUntil(lambda: not panel.draw.new_button.isEnabled())
        assert not panel.draw.subject.isEnabled()


def test_a_tool_by_its_key_begins_with_the_target_or_with_something_new(desk, qtbot):
    from PySide6.QtWidgets import QWidget

    window = QWidget()
    qtbot.addWidget(window)
    shown = []
    drawing = Drawing(desk.workspace, desk.view, lambda: shown.append(1), window)
    drawing.brush()
    assert drawing.outlining.subject.name == "tumour 1"
    assert drawing.outlining.tool is Tool.BRUSH
    assert shown
    desk.open(make_case(with_target=False))
    drawing.grow()
    assert drawing.outlining.subject.name == "tumour 2"
    assert drawing.outlining.tool is Tool.GROW
    keys = [entry.keys for entry in drawing.entries() if entry.keys]
    assert len(set(keys)) == len(keys)


def test_what_is_there_is_set_aside_once_when_the_first_tool_is_taken(outlining):
    hand = SteadyHand(outlining)
    assert not hand.is_steady
    try:
        outlining.take(Tool.BRUSH)
        assert hand.is_steady
        assert gc.get_freeze_count() > 10_000
        gc.unfreeze()
        outlining.take(Tool.ERASER)
        outlining.take(None)
        outlining.take(Tool.BRUSH)
        assert gc.get_freeze_count() == 0
    finally:
        gc.unfreeze()
