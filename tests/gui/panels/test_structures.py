"""The structures panel: roles, volumes, what is shown and which is the target."""

from __future__ import annotations

from cryoplan.case.structure import Role
from cryoplan.gui.panels import (
    StructuresPanel,
)
from tests.support.panels import with_structure


def test_a_structure_shows_its_role_and_volume_and_marks_a_guess(desk, make):
    case = with_structure("thing", Role.OTHER, (0, 0, 0), guessed=True)
    desk.open(case)
    row = make(StructuresPanel).rows["thing"]
    assert row.words.text() == f"other ? · {case.structure('thing').volume_ml:.1f} ml"
    assert "guessed from the name" in row.words.toolTip()


def test_the_eye_hides_a_structure_and_follows_the_view(desk, make):
    desk.open()
    panel = make(StructuresPanel)
    panel.rows["tumour 1"].shown.click()
    assert not desk.view.is_checked("structure:tumour 1")
    desk.view.set_layer("structure:tumour 1", True)
    assert panel.rows["tumour 1"].shown.isChecked()


def test_the_target_switches_when_the_new_case_comes_and_not_before(desk, make, settled):
    case = with_structure("tumour 2", Role.TUMOUR, (40.0, 0.0, 0.0))
    desk.open(case)
    panel = make(StructuresPanel)
    assert panel.rows["tumour 1"].target.isChecked()
    panel.rows["tumour 2"].target.click()
    assert desk.worker.last("target").arguments["name"] == "tumour 2"
    settled(panel)
    assert panel.rows["tumour 1"].target.isChecked()
    desk.worker.done("target", case.changed(target_name="tumour 2"))
    settled(panel)
    assert panel.rows["tumour 2"].target.isChecked()
    assert not panel.rows["tumour 1"].target.isChecked()


def test_a_long_name_is_elided_in_the_middle_with_all_of_it_in_the_tooltip(desk, make, qtbot):
    name = "segment 7 metastasis beside the right hepatic vein, arterial phase"
    desk.open(with_structure(name, Role.TUMOUR, (40.0, 0.0, 0.0)))
    panel = make(StructuresPanel)
    row = panel.rows[name]
    assert row.name.toolTip() == name
    assert panel.area.widget().minimumSizeHint().width() <= 300
    qtbot.waitUntil(lambda: row.name.width() < row.name.fontMetrics().horizontalAdvance(name))


def test_add_structures_asks_the_window_and_needs_a_case(desk, make, settled, qtbot):
    panel = make(StructuresPanel)
    assert not panel.add_button.isEnabled()
    desk.open()
    settled(panel)
    with qtbot.waitSignal(panel.add_structures_requested):
        panel.add_button.click()
