"""Slice views show the right place, and wheel, buttons and keys do what they are said to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from cryoplan.app.view import Display
from cryoplan.core.volume import Volume
from cryoplan.gui import slice_paint, slice_picture
from cryoplan.gui.slice_layers import Stroke, lines_path
from cryoplan.gui.slice_view import SliceView
from cryoplan.image.scan import Scan
from cryoplan.plan.edits import nudge
from cryoplan.scene.plane import Orientation
from cryoplan.scene.slab import Slab, SlabKind
from cryoplan.scene.style import theme
from cryoplan.scene.window import WINDOW_PRESETS, auto_window
from tests.gui.conftest import open_case
from tests.support.desk import Desk
from tests.support.scenes import BODY_MM, TUMOUR_MM, grid_around, make_case, turned

LETTERS = {
    Orientation.AXIAL: ("R", "L", "A", "P"),
    Orientation.CORONAL: ("R", "L", "H", "F"),
    Orientation.SAGITTAL: ("A", "P", "H", "F"),
}


def turn_wheel(view: SliceView, eighths: int, *, control: bool = False, at: QPointF | None = None) -> None:
    pos = at if at is not None else QPointF(view.width() / 2, view.height() / 2)
    held = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        pos, view.mapToGlobal(pos), QPoint(), QPoint(0, eighths), Qt.MouseButton.NoButton, held,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def ice_pixels(view: SliceView) -> int:
    """Return how many pixels of a grab have the colour of the 0 degC line, or nearly so."""
    image = view.grab().toImage()
    colours = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    rgb = np.array([(c.red(), c.green(), c.blue()) for c in colours])
    return int((np.abs(rgb - (0xA8, 0xEC, 0xFF)).max(axis=1) < 25).sum())


# Where things are -----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("axis_deg", [(0.0, 0.0, 0.0), (14.0, -9.0, 21.0)], ids=["straight", "oblique"])
def test_a_click_moves_the_crosshair_to_the_place_that_the_pixel_shows(
    desk: Desk, show, mouse, orientation, axis_deg
):
    if any(axis_deg):
        open_case(desk, make_case(grid_around(BODY_MM, (260, 200, 160), (2, 2, 4), turned(axis_deg))))
    view = show(orientation)
    half = view.mm_per_px / 2 + 1e-9
    tumour_px = view.pixel_of(TUMOUR_MM)
    mouse(view).click(tumour_px)
    cursor = np.array(desk.view.cursor_mm)
    # In the plane to half a pixel; across it the slice is the one that is shown.
    for axis in (orientation.u_axis, orientation.v_axis):
        assert abs(cursor[axis] - TUMOUR_MM[axis]) <= half
    assert cursor[orientation.axis] == view.plane.position_mm

    # What the picture shows there is the tumour: its HU lies between those of air and spine, above fat.
    view.zoom(3.0, view.pixel_of(TUMOUR_MM))
    desk.view.overlays_hidden = True
    grey = view.grab().toImage().pixelColor(view.pixel_of(TUMOUR_MM).toPoint()).red()
    expected = 255 * ((20 - 40) / 400 + 0.5)
    assert abs(grey - expected) <= 4


@pytest.mark.parametrize("orientation", Orientation)
def test_letters_title_slice_and_position_stand_on_every_view(desk: Desk, show, orientation):
    view = show(orientation)
    position = view.plane.position_text()
    assert set(LETTERS[orientation]) <= set(view.texts)
    assert orientation.value.capitalize() in view.texts
    assert f"slice {view.slice_number} · {position}" in view.texts
    assert any(text.endswith(("cm", "mm")) and text[0].isdigit() for text in view.texts)
    assert view.accessibleName() == f"{orientation.value.capitalize()} view"
    assert position in view.accessibleDescription()
    assert desk.view.cursor_mm == TUMOUR_MM


def test_to_the_right_of_an_axial_view_lies_the_left_of_the_patient(desk: Desk, show):
    view = show(Orientation.AXIAL)
    here, left = view.pixel_of(TUMOUR_MM), view.pixel_of((TUMOUR_MM[0] + 10, *TUMOUR_MM[1:]))
    back = view.pixel_of((TUMOUR_MM[0], TUMOUR_MM[1] + 10, TUMOUR_MM[2]))
    assert left.x() > here.x()
    assert back.y() > here.y()
    coronal = show(Orientation.CORONAL)
    head = (*TUMOUR_MM[:2], TUMOUR_MM[2] + 10)
    assert coronal.pixel_of(head).y() < coronal.pixel_of(TUMOUR_MM).y()
    assert desk.view.cursor_mm == TUMOUR_MM


def test_the_mouse_tells_the_point_under_it_and_none_outside_the_image(show, mouse, qtbot):
    view = show(Orientation.AXIAL)
    heard = []
    view.hovered.connect(heard.append)
    at = view.pixel_of(TUMOUR_MM)
    mouse(view).move(at + QPointF(9, 9))
    mouse(view).move(at)
    qtbot.waitUntil(lambda: bool(heard))
    assert np.allclose(heard[-1], (*TUMOUR_MM[:2], view.plane.position_mm), atol=view.mm_per_px)
    view.zoom(0.2)
    mouse(view).move(QPointF(3, 3))
    qtbot.waitUntil(lambda: heard[-1] is None)


def test_without_a_case_the_view_says_how_to_begin_and_keeps_still(empty_desk: Desk, qtbot, mouse):
    view = SliceView(empty_desk.workspace, empty_desk.view, Orientation.AXIAL)
    qtbot.addWidget(view)
    view.show()
    view.grab()
    assert view.texts == ("Open a scan",)
    mouse(view).click(QPointF(50, 50))
    turn_wheel(view, 120)
    turn_wheel(view, 120, control=True)
    for key in (Qt.Key.Key_D, Qt.Key.Key_1, Qt.Key.Key_Up, Qt.Key.Key_Tab, Qt.Key.Key_P, Qt.Key.Key_Escape):
        QTest.keyClick(view, key)
    assert view.plane is None
    assert view.grips == ()
    assert not empty_desk.view.placing
    assert empty_desk.view.cursor_mm == (0.0, 0.0, 0.0)


# Wheel and buttons ----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", Orientation)
def test_one_notch_of_the_wheel_is_one_slice(desk: Desk, show, orientation):
    view = show(orientation)
    first, number = view.plane.position_mm, view.slice_number
    step = 4.0 if orientation is Orientation.AXIAL else 2.0
    turn_wheel(view, 120)
    assert view.slice_number == number + 1
    assert view.plane.position_mm == pytest.approx(first + step)
    turn_wheel(view, -240)
    assert view.slice_number == number - 1
    others = [a for a in range(3) if a != orientation.axis]
    assert [desk.view.cursor_mm[a] for a in others] == [TUMOUR_MM[a] for a in others]


def test_small_steps_of_a_touchpad_add_up_to_whole_slices(show):
    view = show()
    number = view.slice_number
    for _ in range(7):
        turn_wheel(view, 16)
    assert view.slice_number == number
    turn_wheel(view, 16)
    assert view.slice_number == number + 1


def test_a_turn_of_the_finger_does_not_have_to_undo_the_half_slice_before(show):
    view = show()
    number = view.slice_number
    turn_wheel(view, 100)
    turn_wheel(view, -120)
    assert view.slice_number == number - 1


def test_scrolling_stops_at_the_last_slice(show):
    view = show()
    view.scroll_slices(10_000)
    last = view.slice_number
    assert last == 40
    turn_wheel(view, 120)
    assert view.slice_number == last
    view.scroll_slices(-10_000)
    assert view.slice_number == 1


def test_control_and_wheel_zoom_at_the_mouse(show):
    view = show()
    at = QPointF(120, 300)
    before, scale, number = view.point_at(at), view.mm_per_px, view.slice_number
    turn_wheel(view, 240, control=True, at=at)
    assert view.mm_per_px == pytest.approx(scale / 1.44)
    assert np.allclose(view.point_at(at), before)
    assert view.slice_number == number


def test_a_middle_drag_moves_the_picture_with_the_mouse(desk: Desk, show, mouse):
    view = show()
    before = view.point_at(QPointF(200, 200))
    mouse(view).drag(
        QPointF(200, 200), QPointF(210, 190), QPointF(230, 150), button=Qt.MouseButton.MiddleButton
    )
    assert np.allclose(view.point_at(QPointF(230, 150)), before)
    assert desk.view.cursor_mm == TUMOUR_MM


def test_a_right_drag_sets_the_window_and_moves_nothing(desk: Desk, show, mouse):
    view = show()
    mouse(view).drag(QPointF(200, 200), QPointF(260, 200), button=Qt.MouseButton.RightButton)
    assert desk.view.window.width > 400.0
    assert desk.view.window.level == 40.0
    mouse(view).drag(QPointF(200, 200), QPointF(200, 150), button=Qt.MouseButton.RightButton)
    assert desk.view.window.level < 40.0  # up is brighter
    assert desk.view.cursor_mm == TUMOUR_MM
    assert desk.workspace.keeper.undo_count == 0


def test_a_left_drag_takes_the_crosshair_along_and_stops_at_the_edge_of_the_image(desk: Desk, show, mouse):
    view = show()
    view.zoom(0.25)
    start = view.pixel_of((20.0, 40.0, TUMOUR_MM[2]))
    mouse(view).drag(start, start + QPointF(5, 5), QPointF(2, 2))
    x, y, _ = desk.view.cursor_mm
    assert (x, y) == (-130.0, -100.0)  # the corner of the image
    assert desk.workspace.keeper.undo_count == 0


def test_a_double_click_asks_for_a_large_view(show, qtbot):
    view = show()
    with qtbot.waitSignal(view.enlarge_requested):
        QTest.mouseDClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(60, 350))


# Keys -----------------------------------------------------------------------------------------------


def test_number_keys_set_the_window_presets(desk: Desk, show):
    view = show()
    for index, preset in enumerate(WINDOW_PRESETS):
        QTest.keyClick(view, Qt.Key(Qt.Key.Key_1 + index))
        assert (desk.view.window.width, desk.view.window.level) == (preset.width, preset.level)
    last = desk.view.window
    QTest.keyClick(view, Qt.Key.Key_9)
    assert desk.view.window == last


def test_number_keys_on_an_image_without_hounsfield_values_follow_its_signal(desk: Desk, show):
    case = make_case()
    facts = replace(case.scan.facts, modality="MR")
    values = (case.scan.volume.values.astype(np.float32) + 1000.0) / 7.0
    volume = Volume(grid=case.scan.volume.grid, values=values)
    open_case(desk, replace(case, scan=Scan(volume=volume, facts=facts)))
    view = show()
    seen = []
    for index in range(5):
        QTest.keyClick(view, Qt.Key(Qt.Key.Key_1 + index))
        seen.append((desk.view.window.width, desk.view.window.level))
        assert desk.view.window.width <= values.max()
    assert len(set(seen)) > 1
    assert seen[0] == (auto_window(volume).width, auto_window(volume).level)


def test_every_series_keeps_its_window(desk: Desk):
    desk.view.show_series("ct", 400.0, 40.0)
    desk.view.window = replace(desk.view.window, width=1800.0)
    desk.view.show_series("mr", 900.0, 450.0)
    assert (desk.view.window.width, desk.view.window.level) == (900.0, 450.0)
    desk.view.show_series("ct", 400.0, 40.0)
    assert (desk.view.window.width, desk.view.window.level) == (1800.0, 40.0)


@pytest.mark.parametrize("orientation", Orientation)
def test_the_slab_key_shows_the_slab_and_says_so_on_the_picture(desk: Desk, show, orientation):
    view = show(orientation)
    one = view.grab().toImage()
    QTest.keyClick(view, Qt.Key.Key_T)
    assert desk.view.slab == Slab(kind=SlabKind.MIP, thickness_mm=10.0)
    for _ in range(4):
        QTest.keyClick(view, Qt.Key.Key_Period)
    thick = view.grab().toImage()
    assert "MIP 50 mm" in view.texts
    assert "MIP 50 mm" in view.accessibleDescription()
    assert thick != one
    QTest.keyClick(view, Qt.Key.Key_Comma)
    assert desk.view.slab.thickness_mm == 30.0
    for kind in (SlabKind.MINIP, SlabKind.MEAN):
        QTest.keyClick(view, Qt.Key.Key_T)
        view.grab()
        assert f"{kind.value} 30 mm" in view.texts
    QTest.keyClick(view, Qt.Key.Key_T)
    assert view.grab().toImage() == one
    assert not any("30 mm" in text for text in view.texts)


def test_a_mip_shows_the_spine_where_it_lies_within_the_slab_only(desk: Desk, show):
    view = show(Orientation.CORONAL)
    desk.view.overlays_hidden = True
    spine = (0.0, TUMOUR_MM[1], TUMOUR_MM[2])

    def grey() -> int:
        return view.grab().toImage().pixelColor(view.pixel_of(spine).toPoint()).red()

    desk.view.cursor_mm = TUMOUR_MM  # y -10; the spine begins at y 29
    desk.view.slab = Slab(kind=SlabKind.MIP, thickness_mm=70.0)
    dark = grey()
    desk.view.slab = Slab(kind=SlabKind.MIP, thickness_mm=90.0)
    assert dark < 60
    assert grey() == 255


def test_a_short_h_switches_overlays_and_a_long_one_hides_them_while_it_is_held(
    desk: Desk, show, monkeypatch
):
    view = show()
    QTest.keyClick(view, Qt.Key.Key_H)
    assert desk.view.overlays_hidden
    view.grab()
    assert "overlays hidden (H)" in view.texts
    QTest.keyClick(view, Qt.Key.Key_H)
    assert not desk.view.overlays_hidden
    monkeypatch.setattr("cryoplan.gui.slice_view.HOLD_MS", -1)
    QTest.keyPress(view, Qt.Key.Key_H)
    assert desk.view.overlays_hidden
    QTest.keyRelease(view, Qt.Key.Key_H)
    assert not desk.view.overlays_hidden


def test_page_keys_scroll(desk: Desk, show):
    view = show()
    number = view.slice_number
    for key, step in ((Qt.Key.Key_PageUp, 1), (Qt.Key.Key_PageUp, 1), (Qt.Key.Key_PageDown, -1)):
        QTest.keyClick(view, key)
        number += step
        assert view.slice_number == number
    assert desk.workspace.keeper.undo_count == 0


# Ice and layers -------------------------------------------------------------------------------------


def test_a_move_of_a_tenth_of_a_millimetre_greys_the_ice_and_says_out_of_date(desk: Desk, show):
    desk.solve()
    view = show()
    bright = ice_pixels(view)
    assert bright > 300
    assert "OUT OF DATE" not in view.texts
    desk.workspace.edit("moved", nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    assert ice_pixels(view) < bright / 20
    assert "OUT OF DATE" in view.texts
    desk.workspace.undo()
    assert ice_pixels(view) == bright
    assert "OUT OF DATE" not in view.texts


def test_before_the_first_solve_nothing_is_out_of_date(show):
    assert "OUT OF DATE" not in show().texts


def test_the_legend_of_the_axial_view_names_what_is_drawn_and_only_that(desk: Desk, show):
    desk.solve()
    view, coronal = show(Orientation.AXIAL), show(Orientation.CORONAL)
    view.grab()
    assert {"tumour", "0 °C", "−20 °C", "−40 °C", "lowest so far"} <= set(view.texts)
    assert "tumour" not in coronal.texts
    desk.view.set_layer("ice_-20", False)
    desk.view.display = Display.NOW
    desk.view.time_s = 600.0
    view.grab()
    assert "−20 °C" not in view.texts
    assert "at 10:00" in view.texts


def test_the_isotherms_of_this_minute_are_those_of_the_frame(desk: Desk, show):
    desk.solve()
    view = show()
    lowest = ice_pixels(view)
    desk.view.display = Display.NOW
    desk.view.time_s = 300.0
    assert ice_pixels(view) < lowest  # a warmer field, a shorter line
    desk.view.set_layer("ice_0", False)
    assert ice_pixels(view) < 30


def test_layers_switch_tumour_and_probes_off(desk: Desk, show):
    view = show()
    with_both = view.grab().toImage()
    desk.view.set_layer("probes", False)
    without_probes = view.grab().toImage()
    assert without_probes != with_both
    assert "1" not in view.texts
    desk.view.set_layer("structure:tumour 1", False)
    assert view.grab().toImage() != without_probes
    desk.view.set_layer("structure:tumour 1", True)
    desk.view.set_layer("tumour", False)
    assert view.grab().toImage() != without_probes
    desk.view.set_layer("tumour", True)
    assert view.grab().toImage() == without_probes


def test_a_fault_while_drawing_is_said_on_the_view_and_mends_itself(show, monkeypatch, caplog):
    view = show()

    def fail(*_args, **_kwargs):
        raise ZeroDivisionError("made by this test")

    with monkeypatch.context() as broken:
        broken.setattr(slice_picture.SlicePainter, "letters", fail)
        view.grab()
        assert view.texts == ("This view could not be drawn.",)
        assert "could not be drawn" in caplog.text
    view.grab()
    assert "Axial" in view.texts


def test_a_crosshair_that_jumps_out_of_sight_is_followed(desk: Desk, show):
    view = show()
    view.zoom(4.0)
    desk.view.cursor_mm = (90.0, TUMOUR_MM[1], TUMOUR_MM[2])
    assert view.rect().contains(view.pixel_of(desk.view.cursor_mm).toPoint())


def test_scrolling_does_not_take_a_zoomed_view_back_to_a_crosshair_out_of_sight(desk: Desk, show):
    view = show()
    view.zoom(6.0, QPointF(5.0, 5.0))
    assert not view.rect().contains(view.pixel_of(desk.view.cursor_mm).toPoint())
    before = view.camera
    view.scroll_slices(2)
    assert view.camera == before


def test_another_case_is_fitted_anew_and_a_changed_one_keeps_its_zoom(desk: Desk, show):
    view = show()
    fitted = view.mm_per_px
    view.zoom(3.0)
    same = desk.workspace.case.changed(target_name="")
    desk.workspace._show_case(same)
    assert view.mm_per_px == pytest.approx(fitted / 3.0)
    open_case(desk, make_case())
    assert view.mm_per_px == pytest.approx(fitted)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("mm_per_px", [0.1, 1.5])
def test_a_line_is_as_wide_on_the_screen_as_the_theme_says_at_any_zoom_and_scaling(qapp, ratio, mm_per_px):
    style = theme().isotherm(0.0)
    size = QSizeF(60, 40)
    image = QImage(size.toSize() * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    path = lines_path([np.array([[-100.0, 0.0], [100.0, 0.0]])])
    painter = QPainter(image)
    camera = slice_paint.Camera(0.0, 0.0, mm_per_px)
    slice_paint.SlicePainter(painter, camera, size, qapp.font()).strokes([Stroke(path=path, style=style)])
    painter.end()
    column = [image.pixelColor(image.width() // 2, y).green() for y in range(image.height())]
    covered = sum(column) / QColor(style.colour).green()
    assert covered / ratio == pytest.approx(style.width_px, rel=0.05)
