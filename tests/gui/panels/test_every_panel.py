"""What holds for every panel: it fits, it is named, it shows any case, and it waits with what is slow."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

from cryoplan.case.structure import Role
from cryoplan.gui import theme
from cryoplan.gui.panels import (
    FreezePanel,
    ImagesPanel,
    ProbesPanel,
    ReportPanel,
    ReviewPanel,
    StructuresPanel,
)
from cryoplan.gui.parts import Text
from cryoplan.plan import edits
from tests.support.panels import with_structure

ALL = (ImagesPanel, StructuresPanel, ProbesPanel, FreezePanel, ReviewPanel, ReportPanel)


@pytest.mark.parametrize("kind", ALL)
def test_a_panel_fits_three_hundred_pixels_whatever_it_shows(kind, desk, make, settled, qapp):
    theme.apply(qapp)  # its buttons are wider than Qt's own
    desk.open(with_structure("portal vein and its left and right first branches", Role.VESSEL, (0, 0, 0)))
    desk.view.selected_probe = "1"
    desk.solve()
    panel = make(kind)
    settled(panel)
    assert panel.area.widget().minimumSizeHint().width() <= panel.area.viewport().width()


@pytest.mark.parametrize("kind", ALL)
def test_every_control_of_a_panel_has_a_name_for_screen_readers(kind, desk, make):
    desk.open()
    desk.view.selected_probe = "1"
    desk.solve()
    panel = make(kind)
    controls = [
        w
        for c in (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit)
        for w in panel.findChildren(c)
        if w.isVisible() and not isinstance(w.parent(), QAbstractSpinBox)
    ]
    assert controls
    assert [w for w in controls if not w.accessibleName()] == []


@pytest.mark.parametrize("kind", ALL)
def test_a_panel_shows_no_case_and_a_new_case_without_complaint(kind, desk, make, settled):
    panel = make(kind)
    desk.open()
    desk.solve()
    settled(panel)
    desk.workspace.new_case()
    settled(panel)
    assert any(t.isVisible() and t.text() for t in panel.findChildren(Text))


def test_a_hidden_panel_waits_and_catches_up_when_it_is_shown(desk, make, settled):
    panel = make(ImagesPanel)
    panel.hide()
    desk.open()
    panel.show()
    settled(panel)
    assert panel.facts["Code"].text() == "TEST-1"


def test_a_drag_refreshes_what_is_slow_once_and_not_at_every_step(desk, make, settled, monkeypatch):
    desk.open()
    panel = make(ProbesPanel)
    calls = []
    monkeypatch.setattr(panel, "refresh_slow", lambda: calls.append(1))
    for _ in range(20):
        plan = desk.workspace.plan
        desk.workspace.edit("drag", edits.nudge(plan, "1", (0.5, 0.0, 0.0)), gesture="drag")
    settled(panel)
    assert len(calls) == 1
