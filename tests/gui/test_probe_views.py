"""Probe views look across and along the selected probe, follow it, and move it within their planes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from cryoplan.app.outlining import Outlining
from cryoplan.core.geometry import angle_deg, as_point
from cryoplan.gui.placing import Placing
from cryoplan.gui.probe_aims import EYE, FLAT, NO_PROBE, NO_PROBES, STEEP
from cryoplan.gui.probe_set import ProbeSet
from cryoplan.gui.probe_view import ProbeView
from cryoplan.gui.slice_layers import Outlines
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.view_grid import Layout, ViewGrid
from cryoplan.plan.edit_tools import add_tool
from cryoplan.plan.edits import Grip, move_entry, nudge, set_locked
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.tool import ToolKind
from cryoplan.scene.plane import Orientation
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.style import theme
from tests.gui.conftest import open_case
from tests.support.desk import Desk
from tests.support.scenes import BODY_MM, TUMOUR_MM, grid_around, make_case, turned

NAMES = (EYE, FLAT, STEEP)


@pytest.fixture
def probes(desk: Desk, qtbot) -> ProbeSet:
    return make_set(desk, qtbot)


def make_set(desk: Desk, qtbot) -> ProbeSet:
    """Show the probe views of probe 1, tilted 20 degrees to the feet so that no plane is a slice."""
    host = QWidget()
    qtbot.addWidget(host)
    placing = Placing(desk.workspace, desk.view, host)
    made = ProbeSet(desk.workspace, desk.view, placing, host)
    slices = {o: SliceView(desk.workspace, desk.view, o, placing) for o in Orientation}
    grid = ViewGrid(slices, QLabel("3D"), desk.view, made.views, made.strip, host)
    grid.resize(920, 870)
    host.resize(920, 870)
    made.attach(grid)
    made.grid = grid
    made.host = host  # as long as the test has the set
    host.show()
    qtbot.waitExposed(host)
    if desk.workspace.plan.probes:
        tip = np.asarray(desk.workspace.plan.probe("1").tip_mm)
        entry = tip + np.array([-75.0, -25.0, 28.0])
        desk.workspace.edit("tilted", move_entry(desk.workspace.plan, "1", entry))
        desk.view.selected_probe = "1"
    grid.show_layout(Layout.PROBE_SET)
    qtbot.waitUntil(lambda: Outlines.of(desk.workspace).is_complete)
    grid.grab()
    return made


def probe(desk: Desk, name: str = "1") -> Probe:
    return desk.workspace.plan.probe(name)


def grip(view: SliceView, kind: Grip) -> QPointF:
    return next(g.at for g in view.grips if g.kind is kind)


def drag(view: SliceView, start: QPointF, *places: QPointF, release: bool = True) -> None:
    plain, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, plain, start.toPoint())
    for place in places:
        QTest.mouseMove(view, place.toPoint())
        QApplication.processEvents()
    if release:
        QTest.mouseRelease(view, left, plain, places[-1].toPoint())


def turn_wheel(view: SliceView, eighths: int) -> None:
    pos = QPointF(view.width() / 2, view.height() / 2)
    event = QWheelEvent(
        pos, view.mapToGlobal(pos), QPoint(), QPoint(0, eighths), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


# What is seen ---------------------------------------------------------------------------------------


def test_the_key_and_the_control_go_to_the_probe_views_and_back(desk: Desk, probes: ProbeSet):
    grid: ViewGrid = probes.grid
    assert grid.names == (*NAMES, "3d")
    assert probes.strip.isVisible()
    assert [v.isVisible() for v in probes.views.values()] == [True] * 3
    assert not grid.widget("3d").isHidden()
    probes.toggle()
    assert grid.names == ("axial", "coronal", "sagittal", "3d")
    assert not probes.strip.isVisible()
    assert not any(v.isVisible() for v in probes.views.values())
    assert not probes.switch.isChecked()
    desk.view.selected_probe = None
    probes.switch.click()
    assert probes.switch.isChecked()
    assert grid.layout_shown is Layout.PROBE_SET
    # Whoever wants to see a probe and has chosen none means the first.
    assert desk.view.selected_probe == "1"


def test_a_double_click_makes_a_probe_view_large_and_back(probes: ProbeSet):
    grid, view = probes.grid, probes.views[FLAT]
    before = view.camera
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(30, 300))
    assert grid.enlarged == FLAT
    assert view.height() > 800
    assert view.camera == before
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(30, 300))
    assert grid.enlarged is None


def test_every_probe_view_says_where_it_is(desk: Desk, probes: ProbeSet):
    one = probe(desk)
    eye, flat, steep = (probes.views[name].texts for name in NAMES)
    assert "Probe 1's eye" in eye
    # The crosshair is near the shaft: that is where the eye looks.
    behind = float(np.subtract(one.tip_mm, desk.view.cursor_mm) @ one.direction)
    assert f"{one.depth_mm - behind:.1f} mm from skin · {behind:.1f} mm to tip" in eye
    assert {"12", "3", "6", "9"} <= set(eye)
    assert "Probe 1 in line" in flat
    assert any(text.endswith("off axial") for text in flat)
    assert {"H", "F"} <= set(steep)
    for view in probes.views.values():
        assert any(text.endswith(("cm", "mm")) and text[0].isdigit() for text in view.texts)
        assert view.accessibleName()


def test_the_eye_looks_at_the_middle_of_the_active_zone_of_a_probe_far_from_the_crosshair(
    desk: Desk, probes: ProbeSet
):
    desk.view.selected_probe = None
    desk.view.cursor_mm = (90.0, 0.0, 0.0)
    desk.view.selected_probe = "1"
    model = desk.workspace.catalogue.model(probe(desk).model)
    assert probes.look.behind_tip_mm == model.tip_offset.value + model.active_length.value / 2.0


def test_in_the_eye_the_shaft_is_in_the_middle_with_the_head_up_and_the_clock_to_the_right(
    desk: Desk, probes: ProbeSet
):
    from cryoplan.plan.placement import clock_direction

    view, one = probes.views[EYE], probe(desk)
    here = view.pixel_of(one.tip_mm)
    assert abs(here.x() - view.width() / 2) < 1.5
    assert abs(here.y() - view.height() / 2) < 1.5
    for hours, way in ((12.0, (0, -1)), (3.0, (1, 0)), (6.0, (0, 1)), (9.0, (-1, 0))):
        there = view.pixel_of(as_point(np.add(one.tip_mm, 10.0 * clock_direction(one.direction, hours))))
        step = np.array([there.x() - here.x(), there.y() - here.y()]) * view.mm_per_px
        assert np.allclose(step, 10.0 * np.array(way), atol=1e-6)


@pytest.mark.parametrize("name", [FLAT, STEEP])
def test_the_whole_probe_is_in_an_in_line_view_when_it_is_first_seen(desk: Desk, probes: ProbeSet, name):
    view, one = probes.views[name], probe(desk)
    assert view.rect().contains(view.pixel_of(one.tip_mm).toPoint())
    assert view.rect().contains(view.pixel_of(one.entry_mm).toPoint())
    assert {g.kind for g in view.grips} == set(Grip)


def test_shaft_lit_zone_and_the_tip_beyond_it_are_drawn_to_scale(desk: Desk, probes: ProbeSet):
    view, one = probes.views[FLAT], probe(desk)
    model = desk.workspace.catalogue.model(one.model)
    view.zoom(4.0, view.pixel_of(one.tip_mm))
    desk.workspace.edit("lock", set_locked(desk.workspace.plan, "1", True))  # no grips over it
    style = theme().probes

    def colour_at(behind: float, beside: float = 0.0) -> str:
        middle = view.pixel_of(one.point_behind_tip_mm(behind))
        way = view.pixel_of(one.point_behind_tip_mm(behind - 1.0)) - middle
        side = QPointF(-way.y(), way.x())  # one millimetre across the shaft
        return image.pixelColor((middle + side * beside).toPoint()).name()

    image = view.grab().toImage()
    offset, length = model.tip_offset.value, model.active_length.value
    near = 0.6  # a pixel or two from an edge
    assert colour_at(offset - near) == QColor(style.shaft_3d).name()
    assert colour_at(offset + near) == QColor(style.active_3d).name()
    assert colour_at(offset + length / 4.0) == QColor(style.active_3d).name()
    radius = model.outer_diameter.value / 2.0
    assert colour_at(offset + 4.0, 0.8 * radius) == QColor(style.active_3d).name()
    assert colour_at(offset + 4.0, 2.5 * radius) != QColor(style.active_3d).name()
    assert colour_at(-near) not in (QColor(style.shaft_3d).name(), QColor(style.active_3d).name())


@pytest.mark.parametrize(
    "axis_deg", [(0, 0, 0), (14, -9, 21), (0, 180, 0)], ids=["straight", "oblique", "over"]
)
@pytest.mark.parametrize("name", NAMES)
def test_what_a_pixel_shows_is_the_scan_at_the_place_that_a_click_goes_to(
    empty_desk: Desk, qtbot, name: str, axis_deg
):
    desk = empty_desk
    case = make_case(grid_around(BODY_MM, (260, 200, 160), (2, 2, 4), turned(axis_deg)))
    open_case(desk, case)
    probes = make_set(desk, qtbot)
    view = probes.views[name]
    sampler = SliceSampler(case.scan.volume)
    desk.view.overlays_hidden = True
    image = view.grab().toImage()
    compared = 0
    for x in range(60, view.width() - 60, 37):
        for y in range(90, view.height() - 60, 31):
            if any(
                g.at.x() - 20 < x < g.at.x() + 20 and g.at.y() - 20 < y < g.at.y() + 20 for g in view.grips
            ):
                continue
            point = view.point_at(QPointF(x + 0.5, y + 0.5))
            values = [
                sampler.value_at(np.asarray(point) + by, interpolate=True) if point is not None else None
                for by in 4.0 * np.concatenate([[np.zeros(3)], np.eye(3), -np.eye(3)])
            ]
            # Where the scan is even, so that half a pixel does not matter.
            if None in values or np.ptp(values) > 1.0:
                continue
            grey = image.pixelColor(x, y).red()
            assert grey == pytest.approx(np.clip(255 * ((values[0] - 40) / 400 + 0.5), 0, 255), abs=3)
            compared += 1
    assert compared > 15


def test_a_click_moves_the_crosshair_to_the_place_in_the_plane(desk: Desk, probes: ProbeSet):
    view = probes.views[STEEP]
    at = QPointF(60, 300)
    wanted = view.point_at(at)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at.toPoint())
    assert np.allclose(desk.view.cursor_mm, wanted, atol=1e-6)
    assert abs(view.plane.distance_mm(desk.view.cursor_mm)) < 1e-6


def test_without_a_probe_the_views_say_what_to_do(desk: Desk, probes: ProbeSet):
    view = probes.views[EYE]
    desk.view.selected_probe = None
    view.grab()
    assert NO_PROBE in view.texts
    assert view.plane is None
    # Nothing to scroll, to click or to grip, and nothing happens.
    turn_wheel(view, 120)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(50, 50))
    assert view.grips == ()
    desk.workspace.edit("none", Plan())
    view.grab()
    assert NO_PROBES in view.texts
    desk.view.placing = True
    assert probes.grid.layout_shown is Layout.FOUR_UP


def test_the_ice_is_drawn_in_every_probe_view_and_greyed_when_out_of_date(desk: Desk, probes: ProbeSet):
    desk.solve()
    for view in probes.views.values():
        view.grab()
        plane = view.plane
        strokes = view._layers.isotherms(plane)
        assert [bool(s.style.dash) for s in strokes] == [False, True, True]
        assert "OUT OF DATE" not in view.texts
    desk.workspace.edit("on", nudge(desk.workspace.plan, "1", (0.1, 0.0, 0.0)))
    for view in probes.views.values():
        view.grab()
        assert "OUT OF DATE" in view.texts


# Following and moving -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [FLAT, STEEP])
@pytest.mark.parametrize("kind", [Grip.TIP, Grip.ENTRY, Grip.WHOLE])
def test_a_grip_dragged_in_an_in_line_view_goes_with_the_mouse_and_stays_in_the_plane(
    desk: Desk, probes: ProbeSet, name, kind
):
    view, before = probes.views[name], probe(desk)
    plane, mm_per_px = view.plane, view.mm_per_px
    others = [v for v in probes.views.values() if v is not view]
    planes = [v.plane for v in others]
    start = QPointF(grip(view, kind).toPoint())
    drag(view, start, start + QPointF(5, 3), start + QPointF(-14, 22), release=False)
    assert view.plane == plane  # it stands still under the hand
    after = probe(desk)
    wanted = mm_per_px * (-14 * plane.facing.right + 22 * plane.facing.down)
    tip_by = 0.0 * wanted if kind is Grip.ENTRY else wanted
    assert np.allclose(np.subtract(after.tip_mm, before.tip_mm), tip_by, atol=1e-6)
    # The entry slides on the skin, on the line from the tip to where the hand is.
    hand = np.asarray(before.entry_mm) + (0.0 * wanted if kind is Grip.TIP else wanted)
    assert angle_deg(after.direction, np.asarray(after.tip_mm) - hand) < 1e-4
    for end in (after.tip_mm, after.entry_mm):
        assert abs(plane.distance_mm(end)) < 1e-6
    # The others look at the probe where it is now.
    assert [v.plane for v in others] != planes
    for other in others:
        if other is not probes.views[EYE]:
            assert abs(other.plane.distance_mm(after.tip_mm)) < 1e-6
            assert abs(other.plane.distance_mm(after.entry_mm)) < 1e-6
    shown = view.pixel_of(after.tip_mm)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, view.rect().center())
    # Let go, the plane is the probe's own again, and its tip is where the eye left it.
    assert abs(view.plane.distance_mm(after.entry_mm)) < 1e-6
    assert (view.pixel_of(after.tip_mm) - shown).manhattanLength() < 0.01
    desk.workspace.undo()
    assert probe(desk) == before


def test_the_tip_goes_deeper_along_the_shaft_when_it_is_pulled_along_it(desk: Desk, probes: ProbeSet):
    view, before = probes.views[FLAT], probe(desk)
    start = QPointF(grip(view, Grip.TIP).toPoint())
    way = view.pixel_of(before.point_behind_tip_mm(-20.0)) - view.pixel_of(before.tip_mm)
    drag(view, start, start + way)
    assert probe(desk).depth_mm == pytest.approx(before.depth_mm + 20.0, abs=view.mm_per_px)
    # A hand that is a few pixels off the line still goes straight deeper; a sideways pull turns the shaft.
    start = QPointF(grip(view, Grip.TIP).toPoint())
    side = QPointF(-way.y(), way.x()) / float(np.hypot(way.x(), way.y()))
    drag(view, start, start + way * 0.5 + side * 4.0)
    assert probe(desk).depth_mm == pytest.approx(before.depth_mm + 30.0, abs=2.0 * view.mm_per_px)
    assert angle_deg(probe(desk).direction, before.direction) < 1e-4
    assert probe(desk).entry_mm == before.entry_mm
    view.fit()
    start = QPointF(grip(view, Grip.TIP).toPoint())
    drag(view, start, start + side * 12.0)
    assert angle_deg(probe(desk).direction, before.direction) > 1.0


def test_the_whole_probe_dragged_in_the_eye_is_shifted_parallel(desk: Desk, probes: ProbeSet):
    view, before = probes.views[EYE], probe(desk)
    start, mm_per_px = QPointF(grip(view, Grip.WHOLE).toPoint()), view.mm_per_px
    drag(view, start, start + QPointF(20, 0), start + QPointF(30, -16))
    after = probe(desk)
    by = np.subtract(after.tip_mm, before.tip_mm)
    assert np.allclose(by, np.subtract(after.entry_mm, before.entry_mm))
    facing = view.plane.facing
    assert np.allclose(by, mm_per_px * (30 * facing.right + 16 * -facing.down), atol=1e-6)
    assert abs(by @ before.direction) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_escape_puts_a_probe_back_that_is_dragged_in_a_probe_view(desk: Desk, probes: ProbeSet, name):
    view, before = probes.views[name], desk.workspace.plan
    camera, plane = view.camera, view.plane
    view.setFocus()
    start = QPointF(grip(view, Grip.WHOLE).toPoint())
    drag(view, start, start + QPointF(12, 9), release=False)
    assert desk.workspace.plan != before
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert desk.workspace.plan == before
    assert view.plane == plane
    assert (view.camera.u_mm, view.camera.v_mm) == pytest.approx((camera.u_mm, camera.v_mm))


def test_a_locked_probe_has_no_grips_in_any_probe_view(desk: Desk, probes: ProbeSet):
    desk.workspace.edit("lock", set_locked(desk.workspace.plan, "1", True))
    assert all(view.grips == () for view in probes.views.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("key", "way"),
    [
        (Qt.Key.Key_Right, (1, 0)),
        (Qt.Key.Key_Left, (-1, 0)),
        (Qt.Key.Key_Up, (0, -1)),
        (Qt.Key.Key_Down, (0, 1)),
    ],
)  # fmt: skip
def test_an_arrow_moves_the_probe_a_millimetre_that_way_in_the_plane(
    desk: Desk, probes: ProbeSet, name, key, way
):
    view, before = probes.views[name], probe(desk)
    facing = view.plane.facing
    QTest.keyClick(view, key)
    by = np.subtract(probe(desk).tip_mm, before.tip_mm)
    assert np.allclose(by, way[0] * facing.right + way[1] * facing.down)
    assert np.allclose(by, np.subtract(probe(desk).entry_mm, before.entry_mm))


def test_alt_and_an_arrow_turn_clockwise_in_line_and_take_the_hub_along_in_the_eye(
    desk: Desk, probes: ProbeSet
):
    before = probe(desk)
    flat, eye = probes.views[FLAT], probes.views[EYE]
    facing = flat.plane.facing
    QTest.keyClick(flat, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    after = probe(desk)
    assert after.tip_mm == before.tip_mm
    assert angle_deg(before.direction, after.direction) == pytest.approx(1.0)
    assert float(np.cross(before.direction, after.direction) @ facing.across) > 0.0
    before, facing = after, eye.plane.facing
    QTest.keyClick(eye, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    by = np.subtract(probe(desk).entry_mm, before.entry_mm)
    assert probe(desk).tip_mm == before.tip_mm
    assert by @ facing.right > 0.99 * np.linalg.norm(by)


def test_the_wheel_goes_along_the_shaft_in_the_eye_and_takes_the_crosshair_along(
    desk: Desk, probes: ProbeSet
):
    view, one = probes.views[EYE], probe(desk)
    desk.view.cursor_mm = as_point(np.asarray(one.point_behind_tip_mm(20.0)) + 3.0 * view.plane.facing.right)
    assert probes.look.behind_tip_mm == pytest.approx(20.0)
    turn_wheel(view, 5 * 120)
    assert probes.look.behind_tip_mm == pytest.approx(15.0)
    assert abs(view.plane.distance_mm(one.point_behind_tip_mm(15.0))) < 1e-6
    assert abs(view.plane.distance_mm(desk.view.cursor_mm)) < 1e-6
    beside = np.asarray(desk.view.cursor_mm) - one.point_behind_tip_mm(15.0)
    assert np.allclose(beside, 3.0 * view.plane.facing.right)
    view.grab()
    assert f"{one.depth_mm - 15.0:.1f} mm from skin · 15.0 mm to tip" in view.texts
    turn_wheel(view, 20 * 120)
    view.grab()
    assert any(text.endswith("5.0 mm beyond the tip") for text in view.texts)
    turn_wheel(view, 1000 * 120)
    assert probes.look.behind_tip_mm == -30.0
    turn_wheel(view, -1000 * 120)
    assert probes.look.behind_tip_mm == pytest.approx(one.depth_mm + 30.0)
    view.grab()
    assert any("30.0 mm outside the skin" in text for text in view.texts)


def test_the_eye_stays_as_far_behind_the_tip_when_the_tip_goes_deeper(desk: Desk, probes: ProbeSet):
    view = probes.views[EYE]
    turn_wheel(view, 120)
    behind = probes.look.behind_tip_mm
    before = view.plane
    one = probe(desk)
    desk.workspace.edit("deeper", nudge(desk.workspace.plan, "1", 6.0 * one.direction, grip=Grip.TIP))
    assert probes.look.behind_tip_mm == behind
    assert view.plane.position_mm == pytest.approx(before.position_mm + 6.0, abs=1e-6)


def test_the_wheel_in_an_in_line_view_goes_beside_the_shaft_and_home_comes_back(desk: Desk, probes: ProbeSet):
    view, one = probes.views[FLAT], probe(desk)
    turn_wheel(view, 4 * 120)
    assert abs(view.plane.distance_mm(one.tip_mm)) == pytest.approx(4.0)
    view.grab()
    side = next(text for text in view.texts if "beside the shaft" in text)
    assert side.startswith("4.0 mm beside the shaft, towards H")
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert abs(view.plane.distance_mm(one.tip_mm)) < 1e-6
    turn_wheel(view, 3 * 120)
    desk.view.selected_probe = "2"
    assert abs(view.plane.distance_mm(probe(desk, "2").tip_mm)) < 1e-6


def test_another_probe_is_chosen_from_the_strip_and_seen_whole(desk: Desk, probes: ProbeSet):
    probes.views[FLAT].zoom(6.0)
    probes.strip.chips["2"].click()
    assert desk.view.selected_probe == "2"
    assert probes.strip.chips["2"].isChecked()
    assert not probes.strip.chips["1"].isChecked()
    for name in (FLAT, STEEP):
        view, two = probes.views[name], probe(desk, "2")
        assert abs(view.plane.distance_mm(two.entry_mm)) < 1e-6
        assert view.rect().contains(view.pixel_of(two.entry_mm).toPoint())


def test_the_flat_view_says_how_far_the_tip_is_past_the_tumour(desk: Desk, probes: ProbeSet):
    view = probes.views[FLAT]
    x, y, z = TUMOUR_MM
    tip, entry = (x + 20.0, y, z), (x - 66.0, y, z)
    plan = desk.workspace.plan
    desk.workspace.edit(
        "through", replace(plan, probes=(replace(plan.probes[0], tip_mm=tip, entry_mm=entry),))
    )
    view.grab()
    said = next(text for text in view.texts if text.endswith("past tumour"))
    # The ball ends 12 mm from its middle, and its voxels are 2 mm wide.
    assert float(said.split()[1]) == pytest.approx(8.0, abs=1.0)
    plan = desk.workspace.plan
    desk.workspace.edit("back", nudge(plan, "1", (-15.0, 0.0, 0.0), grip=Grip.TIP))
    view.grab()
    said = next(text for text in view.texts if text.endswith("short of its far edge"))
    assert float(said.split()[1]) == pytest.approx(7.0, abs=1.0)
    desk.workspace.edit("beside", nudge(desk.workspace.plan, "1", (0.0, 40.0, 0.0)))
    view.grab()
    assert not any("far edge" in text or "past tumour" in text for text in view.texts)


def test_the_other_probes_tell_their_distance_in_the_eye(desk: Desk, probes: ProbeSet):
    view, one, two = probes.views[EYE], probe(desk), probe(desk, "2")
    plane = view.plane
    gap = float(plane.distance_mm(two.entry_mm)) / float(
        plane.distance_mm(two.entry_mm) - plane.distance_mm(two.tip_mm)
    )
    crossing = np.asarray(two.entry_mm) + gap * np.subtract(two.tip_mm, two.entry_mm)
    here = np.asarray(one.point_behind_tip_mm(probes.look.behind_tip_mm))
    assert f"2 · {np.linalg.norm(crossing - here):.1f} mm" in view.texts


# The plane through several ---------------------------------------------------------------------------


def test_the_plane_through_all_probes_says_how_far_each_is_off_it(desk: Desk, probes: ProbeSet):
    from cryoplan.scene.probe_planes import best_fit

    view: ProbeView = probes.views[FLAT]
    probes.strip.through.click()
    view.grab()
    plan, catalogue = desk.workspace.plan, desk.workspace.catalogue
    fit = best_fit(plan.probes, catalogue)
    assert view.plane == fit.plane
    assert "Through 1, 2" in view.texts
    assert "off this plane" in view.texts
    assert {"probe 1", "probe 2"} <= set(view.texts)
    for _, mm in fit.off_mm:
        assert any(text.startswith(f"{abs(mm):.1f} mm") for text in view.texts)
    for one in plan.probes:
        assert view.rect().contains(view.pixel_of(one.tip_mm).toPoint())
        assert view.rect().contains(view.pixel_of(one.entry_mm).toPoint())
    probes.toggle_through()
    assert abs(view.plane.distance_mm(probe(desk).entry_mm)) < 1e-6


def test_a_probe_that_is_left_out_does_not_turn_the_plane(desk: Desk, probes: ProbeSet):
    x, y, z = TUMOUR_MM
    third = Probe(name="3", model="generic-15g", tip_mm=(x, y + 18.0, z), entry_mm=(x - 60.0, y + 18.0, z))
    plan = desk.workspace.plan
    desk.workspace.edit("third", Plan(name=plan.name, probes=(*plan.probes, third)))
    probes.strip.through.click()
    view = probes.views[FLAT]
    with_it = view.plane
    action = next(a for a in probes.strip.menu.actions() if a.data() == "3")
    action.setChecked(False)
    assert view.plane != with_it
    view.grab()
    assert "Through 1, 2" in view.texts
    assert probes.strip.through.text() == "Plane through 1, 2"
    # The last one cannot be left out as well.
    for other in probes.strip.menu.actions():
        other.setChecked(False)
    assert probes.look.through


def test_the_views_look_along_a_tool_as_well(desk: Desk, probes: ProbeSet):
    x, y, z = TUMOUR_MM
    plan = add_tool(
        desk.workspace.plan,
        kind=ToolKind.BIOPSY,
        tip_mm=(x, y, z),
        entry_mm=(x - 60.0, y - 20.0, z),
        name="B1",
    )
    desk.workspace.edit("tool", plan)
    probes.strip.chips["B1"].click()
    for name in (FLAT, STEEP):
        view = probes.views[name]
        view.grab()
        assert "B1 in line" in view.texts
        assert abs(view.plane.distance_mm(plan.tools[0].entry_mm)) < 1e-6
        assert {g.kind for g in view.grips} == set(Grip)
    eye = probes.views[EYE]
    desk.view.cursor_mm = (90.0, 0.0, 0.0)
    eye.grab()
    assert "B1's eye" in eye.texts
    assert [a.data() for a in probes.strip.menu.actions()] == ["1", "2"]


def test_no_outline_is_drawn_by_hand_in_a_probe_view(desk: Desk, probes: ProbeSet):
    view = probes.views[FLAT]
    outlining = Outlining.of(desk.workspace)
    assert outlining.tool is None
    assert view.orientation is None
    assert not view._hand.is_on
