"""Probes are placed, gripped and nudged exactly as far as the hand goes, one undo step each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from cryoplan.case.skin import skin_entry
from cryoplan.case.structure import Role
from cryoplan.core.geometry import angle_deg
from cryoplan.gui.chosen import copy_selected
from cryoplan.gui.grips import clipped, grip_at, place_grips
from cryoplan.gui.placing import BANNER_SKIN, BANNER_TIP, Placing
from cryoplan.plan.beside import free_side
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.edits import Grip, set_locked, set_model
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.scene.plane import Orientation
from tests.gui.conftest import open_case
from tests.support.desk import Desk
from tests.support.scenes import BODY_RADII_MM, TUMOUR_MM, make_case, make_plan

NO, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def said(desk: Desk) -> list[str]:
    """Collect what the status bar is told from now on."""
    heard: list[str] = []
    desk.workspace.message.connect(heard.append)
    return heard


def grip(view, kind: Grip) -> QPointF:
    return next(g.at for g in view.grips if g.kind is kind)


def whole_pixels(at: QPointF) -> QPointF:
    return QPointF(at.toPoint())


@pytest.fixture
def held(desk: Desk, show):
    """An axial view with probe 1 selected."""
    desk.view.selected_probe = "1"
    return show(Orientation.AXIAL)


def short_catalogue(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with one more probe, whose shaft is 100 mm long."""
    model = catalogue.model("generic-15g")
    shaft = replace(model.shaft_length, value=100.0)
    return Catalogue(models=(*catalogue.models, replace(model, id="short", name="Short", shaft_length=shaft)))


# Drags ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Grip)
@pytest.mark.parametrize("orientation", [Orientation.AXIAL, Orientation.CORONAL])
def test_a_drag_moves_exactly_the_held_grip_and_is_one_step_of_undo(
    desk: Desk, show, mouse, kind: Grip, orientation: Orientation
):
    desk.view.selected_probe = "1"
    view = show(orientation)
    before = desk.workspace.plan
    start = whole_pixels(grip(view, kind))
    by_px = np.array([23.0, -17.0])
    end = start + QPointF(*by_px)
    mouse(view).drag(start, start + QPointF(5, 0), start + QPointF(40, 33), end)

    expected = np.zeros(3)
    expected[orientation.u_axis] = by_px[0] * view.mm_per_px
    expected[orientation.v_axis] = by_px[1] * view.mm_per_px * orientation.v_sign
    old, new = before.probe("1"), desk.workspace.plan.probe("1")
    moved_tip = np.subtract(new.tip_mm, old.tip_mm)
    assert np.allclose(moved_tip, 0.0 if kind is Grip.ENTRY else expected)
    if kind is Grip.TIP:
        assert new.entry_mm == old.entry_mm
    else:
        # The entry lies on the skin: on the line to the hand, or on the line parallel to the old one.
        assert on_the_skin(new.entry_mm) < 1.5
        to_hand = np.add(old.entry_mm, expected) - new.tip_mm
        assert angle_deg(to_hand, np.subtract(new.entry_mm, new.tip_mm)) < 1e-3
    assert moved_tip[orientation.axis] == 0.0
    assert desk.workspace.plan.probe("2") == before.probe("2")
    assert desk.view.cursor_mm == TUMOUR_MM

    assert desk.workspace.keeper.undo_count == 1
    assert desk.workspace.keeper.undo_text.startswith("Probe 1: ")
    desk.workspace.undo()
    assert desk.workspace.plan == before


@pytest.mark.parametrize("kind", Grip)
def test_a_tremor_of_two_pixels_on_a_grip_is_a_click(desk: Desk, held, mouse, kind: Grip):
    before = desk.workspace.plan
    start = whole_pixels(grip(held, kind))
    mouse(held).drag(start, start + QPointF(2, 0), start + QPointF(1, 2))
    assert desk.workspace.plan == before
    assert desk.workspace.keeper.undo_count == 0


def test_a_tip_that_is_dragged_too_deep_stops_at_the_end_of_the_shaft_and_says_why_once(
    desk: Desk, held, mouse
):
    desk.workspace.catalogue = short_catalogue(desk.workspace.catalogue)
    desk.workspace.edit("short", set_model(desk.workspace.plan, "1", "short"))
    heard = said(desk)
    start = whole_pixels(grip(held, Grip.TIP))
    hand = mouse(held)
    hand.press(start)
    for px in (20, 60, 80, 100):
        hand.move(start + QPointF(px, 0))
    probe = desk.workspace.plan.probe("1")
    assert probe.depth_mm == pytest.approx(90.0)
    assert len([text for text in heard if "stops at 90.0 mm" in text]) == 1
    hand.move(start + QPointF(-300, 0))
    assert desk.workspace.plan.probe("1").depth_mm >= 9.99
    hand.release(start + QPointF(-300, 0))


def test_two_drags_are_two_steps(desk: Desk, held, mouse):
    for _ in range(2):
        start = whole_pixels(grip(held, Grip.TIP))
        mouse(held).drag(start, start + QPointF(6, 6))
    assert desk.workspace.keeper.undo_count == 2


def test_a_press_on_a_grip_without_a_move_changes_nothing(desk: Desk, held, mouse):
    before = desk.workspace.plan
    mouse(held).click(grip(held, Grip.TIP) + QPointF(4, 4))
    assert desk.workspace.plan == before
    assert desk.workspace.keeper.undo_count == 0
    assert desk.view.cursor_mm == TUMOUR_MM


def test_escape_puts_a_dragged_probe_back_and_leaves_no_step(desk: Desk, held, mouse):
    before = desk.workspace.plan
    start = whole_pixels(grip(held, Grip.ENTRY))
    hand = mouse(held)
    hand.press(start)
    hand.move(start + QPointF(30, 20))
    assert desk.workspace.plan != before
    QTest.keyClick(held, Qt.Key.Key_Escape)
    assert desk.workspace.plan == before
    # The button is still down: further moves do nothing.
    hand.move(start + QPointF(60, 20))
    hand.release(start + QPointF(60, 20))
    assert desk.workspace.plan == before
    assert desk.workspace.keeper.undo_count == 0
    assert desk.view.cursor_mm == TUMOUR_MM


def test_undo_in_the_middle_of_a_drag_wins(desk: Desk, held, mouse):
    before = desk.workspace.plan
    start = whole_pixels(grip(held, Grip.TIP))
    hand = mouse(held)
    hand.press(start)
    hand.move(start + QPointF(30, 20))
    desk.workspace.undo()
    hand.move(start + QPointF(40, 20))
    hand.release(start + QPointF(40, 20))
    assert desk.workspace.plan == before


def test_a_locked_probe_has_no_grips_shows_a_lock_and_does_not_move(desk: Desk, held, mouse):
    places = [whole_pixels(g.at) for g in held.grips]
    assert len(places) == 3
    desk.workspace.edit("lock", set_locked(desk.workspace.plan, "1", True))
    before = desk.workspace.plan
    held.grab()
    assert "locked" in held.texts
    assert held.grips == ()
    for place in places:
        mouse(held).drag(place, place + QPointF(20, 20))
    heard = said(desk)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Delete):
        QTest.keyClick(held, key)
    QTest.keyClick(held, Qt.Key.Key_Up, ALT)
    assert desk.workspace.plan == before
    assert len(heard) == 3
    assert all("locked" in text for text in heard)


def test_clicks_and_drags_beside_the_grips_never_move_a_probe(desk: Desk, held, mouse):
    before = desk.workspace.plan
    grips = [g.at for g in held.grips]
    tip, entry = held.pixel_of(before.probe("1").tip_mm), held.pixel_of(before.probe("1").entry_mm)
    # Along the shaft between the grips, on the other probe, and all over the view.
    places = [entry + (tip - entry) * share for share in (0.1, 0.2, 0.3, 0.7, 0.8)]
    places += [held.pixel_of(before.probe("2").tip_mm) + QPointF(0, 30)]
    places += [QPointF(x, y) for x in range(15, 460, 60) for y in range(15, 420, 60)]
    tried = 0
    for place in places:
        if all(np.hypot(g.x() - place.x(), g.y() - place.y()) > 14 for g in grips):
            mouse(held).drag(place, place + QPointF(9, 7), place + QPointF(15, 14))
            desk.view.selected_probe = "1"
            tried += 1
    assert tried > 40
    assert desk.workspace.plan == before
    assert desk.workspace.keeper.undo_count == 0


def test_a_click_on_a_shaft_selects_that_probe_and_moves_only_the_crosshair(desk: Desk, show, mouse):
    view = show(Orientation.CORONAL)
    before = desk.workspace.plan
    assert view.grips == ()
    probe = before.probe("2")
    middle = tuple(np.mean([probe.tip_mm, probe.entry_mm], axis=0))
    mouse(view).click(view.pixel_of(middle))
    assert desk.view.selected_probe == "2"
    assert {g.kind for g in view.grips} == set(Grip)
    assert desk.workspace.plan == before


def test_a_probe_seen_end_on_is_held_as_a_whole_only(desk: Desk, show, mouse):
    desk.view.selected_probe = "1"
    view = show(Orientation.SAGITTAL)
    assert [g.kind for g in view.grips] == [Grip.WHOLE]
    before = desk.workspace.plan.probe("1")
    start = whole_pixels(view.grips[0].at)
    mouse(view).drag(start, start + QPointF(12, 0))
    after = desk.workspace.plan.probe("1")
    by = (0.0, 12 * view.mm_per_px, 0.0)
    assert np.allclose(np.subtract(after.tip_mm, before.tip_mm), by)
    assert np.allclose(after.direction, before.direction)


# Where the grips are --------------------------------------------------------------------------------

coordinate = st.floats(-500, 900, allow_subnormal=False)


@given(coordinate, coordinate, coordinate, coordinate)
def test_the_whole_is_held_in_the_middle_of_what_is_seen_of_the_shaft(ax, ay, bx, by):
    view = QRectF(0, 0, 400, 300)
    a, b = QPointF(ax, ay), QPointF(bx, by)
    seen = clipped(a, b, view)
    shares = np.linspace(0, 1, 4001)
    x, y = ax + shares * (bx - ax), ay + shares * (by - ay)
    inside = shares[(x >= 0) & (x <= 400) & (y >= 0) & (y <= 300)]
    if seen is None:
        assert inside.size <= 1
        return
    roomy = view.adjusted(-1e-6, -1e-6, 1e-6, 1e-6)
    assert roomy.contains(seen[0])
    assert roomy.contains(seen[1])
    if inside.size:
        pixel = (abs(bx - ax) + abs(by - ay)) / 4000 + 1e-6
        for end, share in zip(seen, (inside[0], inside[-1]), strict=True):
            assert abs(end.x() - (ax + share * (bx - ax))) <= pixel
            assert abs(end.y() - (ay + share * (by - ay))) <= pixel


def test_grips_out_of_sight_cannot_be_held_and_the_nearest_of_two_is_meant():
    probe = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(90, 0, 0))
    grips = place_grips(probe, QPointF(100, 100), QPointF(900, 100), QRectF(0, 0, 400, 300))
    assert {g.kind: (g.at.x(), g.at.y()) for g in grips} == {Grip.TIP: (100, 100), Grip.WHOLE: (250, 100)}
    close = place_grips(probe, QPointF(100, 100), QPointF(132, 100), QRectF(0, 0, 400, 300))
    assert grip_at(close, QPointF(107, 100)).kind is Grip.TIP
    assert grip_at(close, QPointF(110, 100)).kind is Grip.WHOLE
    assert grip_at(close, QPointF(116, 112)) is None


# Keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize(
    ("key", "right", "down"),
    [
        (Qt.Key.Key_Left, -1, 0),
        (Qt.Key.Key_Right, 1, 0),
        (Qt.Key.Key_Up, 0, -1),
        (Qt.Key.Key_Down, 0, 1),
    ],
)
def test_an_arrow_moves_the_probe_a_millimetre_that_way_on_the_screen(
    desk: Desk, show, orientation, key, right, down
):
    desk.view.selected_probe = "1"
    view = show(orientation)
    before = desk.workspace.plan.probe("1")
    at = view.pixel_of(before.tip_mm)
    QTest.keyClick(view, key)
    after = desk.workspace.plan.probe("1")
    step = view.pixel_of(after.tip_mm) - at
    assert (step.x() * view.mm_per_px, step.y() * view.mm_per_px) == pytest.approx((right, down))
    assert np.allclose(after.direction, before.direction)
    assert on_the_skin(after.entry_mm) < 1.5
    QTest.keyClick(view, key, SHIFT)
    far = desk.workspace.plan.probe("1")
    assert np.linalg.norm(np.subtract(far.tip_mm, after.tip_mm)) == pytest.approx(5.0)
    assert desk.workspace.keeper.undo_count == 2


@pytest.mark.parametrize("orientation", [Orientation.AXIAL, Orientation.CORONAL])
def test_alt_and_right_turn_the_probe_one_degree_clockwise_about_its_tip(desk: Desk, show, orientation):
    desk.view.selected_probe = "1"
    view = show(orientation)
    before = desk.workspace.plan.probe("1")
    old = view.pixel_of(before.entry_mm) - view.pixel_of(before.tip_mm)
    QTest.keyClick(view, Qt.Key.Key_Right, ALT)
    after = desk.workspace.plan.probe("1")
    new = view.pixel_of(after.entry_mm) - view.pixel_of(after.tip_mm)
    assert after.tip_mm == before.tip_mm
    assert angle_deg(before.direction, after.direction) == pytest.approx(1.0)
    # With y down, a positive cross product is a turn clockwise on the screen.
    assert old.x() * new.y() - old.y() * new.x() > 0
    QTest.keyClick(view, Qt.Key.Key_Left, ALT)
    assert np.allclose(desk.workspace.plan.probe("1").direction, before.direction)
    assert on_the_skin(desk.workspace.plan.probe("1").entry_mm) < 1.5


def test_a_probe_along_the_body_turns_clockwise_in_the_sagittal_view_too(desk: Desk, show):
    x, y, z = TUMOUR_MM
    probe = Probe(name="1", model="generic-15g", tip_mm=TUMOUR_MM, entry_mm=(x, y - 50.0, z))
    open_case(desk)
    desk.workspace.edit("along", replace(desk.workspace.plan, probes=(probe,)))
    desk.view.selected_probe = "1"
    view = show(Orientation.SAGITTAL)
    assert view.pixel_of(probe.entry_mm).x() < view.pixel_of(probe.tip_mm).x()
    QTest.keyClick(view, Qt.Key.Key_Right, ALT)
    # The entry on the left of its tip goes up when it turns clockwise.
    assert view.pixel_of(desk.workspace.plan.probe("1").entry_mm).y() < view.pixel_of(probe.entry_mm).y()


def test_tab_goes_through_the_probes_and_shows_their_active_zone(desk: Desk, show):
    view = show()
    for name in ("1", "2", "1"):
        QTest.keyClick(view, Qt.Key.Key_Tab)
        assert desk.view.selected_probe == name
        model = desk.workspace.catalogue.model("generic-15g")
        zone = desk.workspace.plan.probe(name).active_zone_mm(model)
        assert np.allclose(desk.view.cursor_mm, np.mean(zone, axis=0))
    QTest.keyClick(view, Qt.Key.Key_Backtab)
    assert desk.view.selected_probe == "2"


def test_l_locks_and_frees_and_delete_removes(desk: Desk, held):
    QTest.keyClick(held, Qt.Key.Key_L)
    assert desk.workspace.plan.probe("1").locked
    QTest.keyClick(held, Qt.Key.Key_L)
    assert not desk.workspace.plan.probe("1").locked
    QTest.keyClick(held, Qt.Key.Key_Delete)
    assert [p.name for p in desk.workspace.plan.probes] == ["2"]
    assert desk.view.selected_probe == "2"
    desk.workspace.undo()
    assert [p.name for p in desk.workspace.plan.probes] == ["1", "2"]


def test_ctrl_and_arrows_move_all_that_is_free_and_shift_l_locks_the_whole_plan(desk: Desk, held):
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    before = desk.workspace.plan
    QTest.keyClick(held, Qt.Key.Key_Down, control | shift)
    moved = desk.workspace.plan
    by = [np.subtract(new.tip_mm, old.tip_mm) for old, new in zip(before.probes, moved.probes, strict=True)]
    assert np.linalg.norm(by, axis=1) == pytest.approx([5.0, 5.0])
    assert by[0] == pytest.approx(by[1])
    desk.workspace.undo()
    assert desk.workspace.plan == before
    QTest.keyClick(held, Qt.Key.Key_L, shift)
    assert all(p.locked for p in desk.workspace.plan.probes)
    locked, heard = desk.workspace.plan, said(desk)
    QTest.keyClick(held, Qt.Key.Key_Down, control)
    assert desk.workspace.plan == locked
    assert "nothing to move" in heard[-1]
    QTest.keyClick(held, Qt.Key.Key_L, shift)
    assert not any(p.locked for p in desk.workspace.plan.probes)


def test_keys_for_a_probe_say_what_is_missing_when_none_is_selected(desk: Desk, show):
    view, heard, before = show(), said(desk), desk.workspace.plan
    for key in (Qt.Key.Key_D, Qt.Key.Key_L, Qt.Key.Key_Delete):
        QTest.keyClick(view, key)
    assert len(heard) == 3
    assert all("Select a probe" in text for text in heard)
    assert desk.workspace.plan == before


def test_d_copies_the_probe_parallel_at_15_mm_away_from_all_others(desk: Desk, held):
    original = desk.workspace.plan.probe("1")
    QTest.keyClick(held, Qt.Key.Key_D)
    copy = desk.workspace.plan.probe("3")
    by = np.subtract(copy.tip_mm, original.tip_mm)
    assert np.linalg.norm(by) == pytest.approx(15.0)
    assert abs(by @ original.direction) < 1e-9
    assert np.allclose(copy.direction, original.direction)
    # The body is round: the copy's entry lies on the skin of its own line, not beside the original's.
    assert copy.entry_mm == pytest.approx(
        skin_entry(desk.workspace.case, copy.tip_mm, copy.entry_mm), abs=0.3
    )
    assert desk.view.selected_probe == "3"
    assert desk.workspace.keeper.undo_count == 1
    for name in ("1", "2"):
        assert np.linalg.norm(np.subtract(copy.tip_mm, desk.workspace.plan.probe(name).tip_mm)) > 13.0


def test_copies_of_one_probe_go_to_different_sides(desk: Desk):
    desk.workspace.edit("one", replace(make_plan(), probes=make_plan().probes[:1]))
    for _ in range(3):
        desk.view.selected_probe = "1"
        assert copy_selected(desk.workspace, desk.view)
    tips = np.array([p.tip_mm for p in desk.workspace.plan.probes])
    gaps = np.linalg.norm(tips[:, None] - tips[None], axis=-1)[np.triu_indices(4, 1)]
    assert gaps.min() > 13.0


def test_the_free_side_is_the_one_towards_the_target(desk: Desk):
    x, y, z = TUMOUR_MM
    above = Probe(name="1", model="generic-15g", tip_mm=(x, y, z + 10), entry_mm=(x - 60, y, z + 10))
    hours = free_side(Plan(probes=(above,)), "1", 15.0, desk.workspace.case)
    assert hours == 6.0  # towards the feet


# Placing --------------------------------------------------------------------------------------------


def on_the_skin(point_mm) -> float:
    """Return the distance in millimetres, to first order, of a point from the ellipsoid of the body."""
    scaled = np.asarray(point_mm) / BODY_RADII_MM
    slope = 2 * np.linalg.norm(scaled / BODY_RADII_MM)
    return float(abs((scaled**2).sum() - 1.0) / slope)


def test_two_clicks_place_a_probe_from_the_skin_to_the_tip(desk: Desk, show, mouse):
    view, heard = show(), said(desk)
    desk.workspace.edit("other model", set_model(desk.workspace.plan, "2", "icerod-17g"))
    steps = desk.workspace.keeper.undo_count
    QTest.keyClick(view, Qt.Key.Key_P)
    assert desk.view.placing
    assert view.cursor().shape() == Qt.CursorShape.CrossCursor
    view.grab()
    assert BANNER_TIP in view.texts

    tip = view.pixel_of((TUMOUR_MM[0], TUMOUR_MM[1] + 4, TUMOUR_MM[2]))
    mouse(view).click(tip)
    assert "tip" in heard[-1]
    view.grab()
    assert BANNER_SKIN in view.texts
    toward = view.pixel_of((TUMOUR_MM[0] - 40, TUMOUR_MM[1] - 20, TUMOUR_MM[2]))
    mouse(view).click(toward)

    assert not desk.view.placing
    assert view.cursor().shape() == Qt.CursorShape.ArrowCursor
    placed = desk.workspace.plan.probe("3")
    assert desk.view.selected_probe == "3"
    assert placed.model == "icerod-17g"
    assert placed.tip_mm == view.point_at(whole_pixels(tip))
    assert on_the_skin(placed.entry_mm) < 1.5  # voxels of 2 mm
    clicked = np.subtract(view.point_at(whole_pixels(toward)), placed.tip_mm)
    assert angle_deg(np.subtract(placed.entry_mm, placed.tip_mm), clicked) < 1e-3
    assert desk.workspace.keeper.undo_count == steps + 1
    assert desk.view.cursor_mm == TUMOUR_MM
    view.grab()
    assert not {BANNER_TIP, BANNER_SKIN} & set(view.texts)


def test_placing_may_begin_in_one_view_and_end_in_another(desk: Desk, show, mouse):
    placing = Placing(desk.workspace, desk.view)
    axial, coronal = show(Orientation.AXIAL, placing), show(Orientation.CORONAL, placing)
    QTest.keyClick(axial, Qt.Key.Key_P)
    mouse(axial).click(axial.pixel_of(TUMOUR_MM))
    coronal.grab()
    assert BANNER_SKIN in coronal.texts
    toward = coronal.pixel_of((-70.0, 0.0, 30.0))
    mouse(coronal).move(toward)
    previewed = placing.entry_mm
    mouse(coronal).click(toward)
    placed = desk.workspace.plan.probe("3")
    assert placed.entry_mm == previewed
    assert placed.entry_mm[2] > placed.tip_mm[2]
    assert on_the_skin(placed.entry_mm) < 1.5


def test_the_first_probe_of_all_is_the_generic_one(desk: Desk, show, mouse):
    desk.workspace.edit("none", Plan())
    view = show()
    QTest.keyClick(view, Qt.Key.Key_P)
    mouse(view).click(view.pixel_of(TUMOUR_MM))
    mouse(view).click(view.pixel_of((-80.0, -10.0, 20.0)))
    assert [(p.name, p.model) for p in desk.workspace.plan.probes] == [("1", "generic-15g")]


@pytest.mark.parametrize("clicks", [0, 1])
def test_escape_leaves_placing_without_a_probe(desk: Desk, show, mouse, clicks):
    view, before = show(), desk.workspace.plan
    QTest.keyClick(view, Qt.Key.Key_P)
    for _ in range(clicks):
        mouse(view).click(view.pixel_of(TUMOUR_MM))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not desk.view.placing
    mouse(view).click(view.pixel_of((-70.0, -10.0, 20.0)))
    assert desk.workspace.plan == before
    # The next placing begins with the tip again.
    QTest.keyClick(view, Qt.Key.Key_P)
    assert view.placing.banner == BANNER_TIP


def test_where_the_line_leaves_the_image_before_the_body_placing_says_so_and_goes_on(desk, show, mouse):
    view, heard, before = show(Orientation.CORONAL), said(desk), desk.workspace.plan
    QTest.keyClick(view, Qt.Key.Key_P)
    mouse(view).click(view.pixel_of(TUMOUR_MM))
    mouse(view).click(view.pixel_of((TUMOUR_MM[0], TUMOUR_MM[1], TUMOUR_MM[2] + 45.0)))
    assert heard[-1] == "No skin found on that line"
    assert desk.view.placing
    assert desk.workspace.plan == before


def test_a_tip_outside_the_body_is_not_taken(desk: Desk, show):
    view, heard = show(), said(desk)
    QTest.keyClick(view, Qt.Key.Key_P)
    view.placing.click((-125.0, -10.0, 20.0))
    assert "outside the body" in heard[-1]
    assert view.placing.banner == BANNER_TIP


def test_where_nothing_tells_of_a_skin_the_entry_is_where_one_clicks(desk: Desk, show, mouse):
    case = make_case()
    without_body = tuple(s for s in case.structures if s.role is not Role.BODY)
    facts = replace(case.scan.facts, modality="MR")
    open_case(desk, case.changed(structures=without_body, scan=replace(case.scan, facts=facts)))
    view = show()
    QTest.keyClick(view, Qt.Key.Key_P)
    mouse(view).click(view.pixel_of(TUMOUR_MM))
    skin = whole_pixels(view.pixel_of((-70.0, -10.0, 20.0)))
    mouse(view).click(skin)
    assert desk.workspace.plan.probe("3").entry_mm == view.point_at(skin)


def test_a_probe_that_is_too_short_for_the_way_is_not_placed_and_the_sentence_names_both_numbers(
    desk: Desk, show
):
    desk.workspace.catalogue = short_catalogue(desk.workspace.catalogue)
    desk.workspace.edit("short", set_model(desk.workspace.plan, "2", "short"))
    view, heard, before = show(), said(desk), desk.workspace.plan
    view.placing.start()
    view.placing.click(TUMOUR_MM)
    view.placing.hover((60.0, 0.0, 20.0))
    assert "at most 90" in view.placing.label
    view.placing.click((60.0, 0.0, 20.0))
    assert "100.0 mm" in heard[-1]
    assert "90.0 mm" in heard[-1]
    assert desk.workspace.plan == before
    assert desk.view.placing
    view.placing.click((-60.0, 0.0, 20.0))
    assert desk.workspace.plan.probe("3").depth_mm < 90.0


def test_a_second_click_on_the_tip_itself_is_taken_for_a_slip(desk: Desk, show, mouse):
    view, before = show(), desk.workspace.plan
    QTest.keyClick(view, Qt.Key.Key_P)
    mouse(view).click(view.pixel_of(TUMOUR_MM))
    heard = said(desk)
    view.placing.click(view.placing.tip_mm)
    assert "click the skin" in heard[-1]
    assert desk.view.placing
    assert desk.workspace.plan == before


def test_placing_without_a_scan_is_refused_in_words(empty_desk: Desk):
    placing, heard = Placing(empty_desk.workspace, empty_desk.view), said(empty_desk)
    placing.start()
    assert not empty_desk.view.placing
    assert "Open a scan" in heard[0]


def test_another_case_ends_placing(desk: Desk, show, mouse):
    view = show()
    QTest.keyClick(view, Qt.Key.Key_P)
    mouse(view).click(view.pixel_of(TUMOUR_MM))
    open_case(desk, make_case())
    assert not desk.view.placing
    assert view.placing.tip_mm is None
