"""Crosshair keys: a place is pointed at and a probe placed without a mouse; menus keep Alt."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from cryoplan.app.outline_tools import Tool
from cryoplan.app.outlining import Outlining
from cryoplan.case.middle import target_centre_mm
from cryoplan.plan.hold import is_on_skin
from tests.support.desk import Desk

SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


def moved(desk: Desk, view, key: Qt.Key, held=Qt.KeyboardModifier.NoModifier) -> np.ndarray:
    before = np.array(desk.view.cursor_mm)
    QTest.keyClick(view, key, held)
    return np.array(desk.view.cursor_mm) - before


def test_arrows_move_the_crosshair_where_nothing_is_selected(desk: Desk, show):
    view = show()
    assert desk.view.selected_probe is None
    np.testing.assert_allclose(moved(desk, view, Qt.Key.Key_Right), (1.0, 0.0, 0.0))
    np.testing.assert_allclose(moved(desk, view, Qt.Key.Key_Left, SHIFT), (-5.0, 0.0, 0.0))
    np.testing.assert_allclose(moved(desk, view, Qt.Key.Key_Down), (0.0, 1.0, 0.0))
    np.testing.assert_allclose(moved(desk, view, Qt.Key.Key_Up, SHIFT), (0.0, -5.0, 0.0))
    assert desk.workspace.keeper.undo_count == 0


def test_it_stays_within_the_image(desk: Desk, show):
    view = show()
    for _ in range(200):
        QTest.keyClick(view, Qt.Key.Key_Right, SHIFT)
    grid = desk.workspace.case.scan.volume.grid
    assert grid.contains_mm([desk.view.cursor_mm])[0]
    assert not grid.contains_mm([np.add(desk.view.cursor_mm, (5.0, 0.0, 0.0))])[0]


def test_a_selected_probe_has_the_arrows_until_escape_lets_it_go(desk: Desk, show):
    view = show()
    desk.view.selected_probe = "1"
    tip = desk.workspace.plan.probe("1").tip_mm
    np.testing.assert_allclose(moved(desk, view, Qt.Key.Key_Right), 0.0)
    assert desk.workspace.plan.probe("1").tip_mm != tip
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert desk.view.selected_probe is None
    np.testing.assert_allclose(moved(desk, view, Qt.Key.Key_Right), (1.0, 0.0, 0.0))


def test_a_probe_is_placed_by_the_keyboard_alone(desk: Desk, show):
    view, workspace = show(), desk.workspace
    target = np.array(target_centre_mm(workspace.case))
    desk.view.cursor_mm = tuple(target)
    desk.view.selected_probe = "1"
    before = {p.name for p in workspace.plan.probes}
    QTest.keyClick(view, Qt.Key.Key_P)
    QTest.keyClick(view, Qt.Key.Key_Return)
    for _ in range(4):
        QTest.keyClick(view, Qt.Key.Key_Left, SHIFT)
    QTest.keyClick(view, Qt.Key.Key_Return)
    (name,) = {p.name for p in workspace.plan.probes} - before
    placed = workspace.plan.probe(name)
    np.testing.assert_allclose(placed.tip_mm, target, atol=1e-6)
    assert is_on_skin(workspace.case, placed)
    assert placed.entry_mm[0] < target[0] - 20.0


def test_a_tumour_grows_from_the_crosshair(desk: Desk, show, monkeypatch):
    view, outlining = show(), Outlining.of(desk.workspace)
    grown = []
    monkeypatch.setattr(type(outlining), "grow_from", lambda _self, point: grown.append(point))
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert grown == []
    assert outlining.begin_new("tumour 2")
    outlining.take(Tool.GROW)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert grown == [desk.view.cursor_mm]


def test_space_paints_a_dab_of_a_round_tool_and_shift_takes_it_away(desk: Desk, show, qtbot):
    view, outlining = show(), Outlining.of(desk.workspace)
    assert outlining.begin_new("tumour 2")
    outlining.take(Tool.BRUSH)
    QTest.keyClick(view, Qt.Key.Key_Space)
    painted = outlining.live.count
    assert painted > 0
    qtbot.waitUntil(lambda: desk.workspace.keeper.undo_count == 1)
    for _ in range(3):
        QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Space, SHIFT)
    assert 0 < outlining.live.count < painted
    qtbot.waitUntil(lambda: desk.workspace.keeper.undo_count == 2)


@pytest.mark.parametrize("key", [Qt.Key.Key_H, Qt.Key.Key_F, Qt.Key.Key_P, Qt.Key.Key_D])
def test_alt_and_a_letter_is_left_to_the_menus(key, desk: Desk, show):
    view = show()
    for held, taken in ((Qt.KeyboardModifier.NoModifier, True), (ALT, False)):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, held)
        event.ignore()
        QApplication.sendEvent(view, event)
        assert event.isAccepted() is taken
    hidden, probes = desk.view.overlays_hidden, desk.workspace.plan.probes
    QTest.keyClick(view, key, ALT)
    assert desk.view.overlays_hidden == hidden
    assert desk.workspace.plan.probes == probes
    assert not desk.view.placing


def test_ctrl_tab_leaves_a_view_whose_tab_goes_from_probe_to_probe(desk: Desk, show, monkeypatch):
    view, left = show(), []
    monkeypatch.setattr(view, "focusNextPrevChild", lambda forward: left.append(forward) or True)
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert desk.view.selected_probe == "1"
    assert left == []
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
        QTest.keyClick(view, key, Qt.KeyboardModifier.ControlModifier)
    assert left == [True, False]
    assert desk.view.selected_probe == "1"
