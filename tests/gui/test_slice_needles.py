"""Needles that do not freeze, and ghosts, on slices: seen with their names, held as probes are."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from cryoplan.gui.placing import BANNER_SKIN, BANNER_TIP
from cryoplan.plan.edit_tools import add_tool
from cryoplan.plan.edits import Grip, set_locked
from cryoplan.plan.hold import is_on_skin
from cryoplan.plan.tool import ToolKind
from cryoplan.scene.plane import Orientation
from tests.support.desk import Desk
from tests.support.scenes import TUMOUR_MM, make_plan

ENTRY_MM = (-40.0, -72.0, 20.0)


@pytest.fixture
def needle(desk: Desk, show):
    """An axial view of the two probes and a biopsy needle from the front, which is selected."""
    plan = add_tool(desk.workspace.plan, kind=ToolKind.BIOPSY, tip_mm=TUMOUR_MM, entry_mm=ENTRY_MM)
    desk.workspace.edit("needle", plan)
    desk.view.selected_probe = "BX1"
    return show(Orientation.AXIAL)


def test_a_needle_is_named_in_every_view_and_says_when_it_is_locked(desk: Desk, needle):
    assert "BX1" in needle.texts
    desk.workspace.edit("lock", set_locked(desk.workspace.plan, "BX1", True))
    needle.grab()
    assert "BX1 locked" in needle.texts
    assert needle.grips == ()


def test_a_needle_is_dragged_as_a_probe_is_and_no_probe_moves(desk: Desk, needle, mouse):
    before = desk.workspace.plan
    assert {g.kind for g in needle.grips} == set(Grip)
    at = next(g.at for g in needle.grips if g.kind is Grip.ENTRY)
    start = QPointF(at.toPoint())
    mouse(needle).drag(start, start + QPointF(20, 0), start + QPointF(45, 5))
    tool = desk.workspace.plan.tool("BX1")
    assert tool.tip_mm == before.tools[0].tip_mm
    assert tool.entry_mm[0] > before.tools[0].entry_mm[0] + 10.0
    assert is_on_skin(desk.workspace.case, tool)
    assert desk.workspace.plan.probes == before.probes
    desk.workspace.undo()
    assert desk.workspace.plan == before


def test_a_click_on_a_needle_selects_it_and_keys_nudge_it(desk: Desk, needle, mouse):
    desk.view.selected_probe = "1"
    middle = tuple(np.mean([TUMOUR_MM, ENTRY_MM], axis=0))
    mouse(needle).click(needle.pixel_of(middle))
    assert desk.view.selected_probe == "BX1"
    QTest.keyClick(needle, Qt.Key.Key_Right)
    assert desk.workspace.plan.tool("BX1").tip_mm == pytest.approx((-39.0, -10.0, 20.0))
    QTest.keyClick(needle, Qt.Key.Key_Delete)
    assert desk.workspace.plan.tools == ()
    assert len(desk.workspace.plan.probes) == 2


def test_the_views_say_which_needle_the_next_click_places(desk: Desk, show):
    view = show()
    desk.view.placing_tool = "thermocouple"
    desk.view.placing = True
    view.grab()
    assert f"Thermocouple needle: {BANNER_TIP.lower()}" in view.texts
    view.placing.click(TUMOUR_MM)
    view.grab()
    assert f"Thermocouple needle: {BANNER_SKIN.lower()}" in view.texts
    # P means a probe, whatever was begun.
    QTest.keyClick(view, Qt.Key.Key_P)
    assert view.placing.banner == BANNER_TIP


def test_ghosts_are_drawn_with_a_question_mark_and_cannot_be_held(desk: Desk, show):
    view = show()
    assert "1?" not in view.texts
    desk.view.ghosts = make_plan().probes
    view.grab()
    assert {"1?", "2?"} <= set(view.texts)
    assert view.grips == ()
    desk.view.ghosts = ()
    view.grab()
    assert "1?" not in view.texts
