"""The probes panel: cards, the editor that refuses what is wrong, and the tables of pairs and clearances."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.gui.panels import (
    ProbesPanel,
)
from cryoplan.gui.parts import SIGNS
from cryoplan.plan import edits
from cryoplan.plan.placement import pairs
from tests.support.panels import Heard, enter, with_structure
from tests.support.scenes import make_plan


@pytest.fixture
def probes(desk, make):
    desk.open(with_structure("colon", Role.BOWEL, (-60.0, -10.0, 25.0)))
    desk.view.selected_probe = "1"
    return make(ProbesPanel)


def test_a_card_says_depth_path_and_the_worst_that_the_rules_say(probes):
    first, second = (card.texts for card in probes.cards)
    assert first[0] == "1"
    assert "80 mm deep" in first[2]
    assert "tumour 1" in first[3]
    assert first[3].endswith(" mm")
    assert "colon" in second[3]
    assert second[1].startswith(SIGNS[Level.FAIL])
    assert "passes through colon" in second[4]


def test_a_press_on_a_card_selects_its_probe_and_the_editor_follows(desk, probes, settled):
    probes.cards[1].click()
    assert desk.view.selected_probe == "2"
    settled(probes)
    assert probes.cards[1].is_selected
    assert not probes.cards[0].is_selected
    x, y, z = desk.workspace.plan.probe("2").tip_mm
    assert [box.value() for box in probes.editor.tip] == pytest.approx([x, y, z], abs=0.05)


def test_coordinates_are_written_with_a_true_minus_sign(probes):
    assert probes.editor.tip[1].text().startswith("−")


def test_a_typed_coordinate_moves_the_tip_as_one_step_that_can_be_undone(desk, probes, settled, qtbot):
    before = desk.workspace.plan
    enter(qtbot, probes.editor.tip[1], "-12,5")
    assert desk.workspace.plan.probe("1").tip_mm[1] == -12.5
    assert desk.workspace.plan.probe("1").tip_mm[0] == before.probe("1").tip_mm[0]
    assert desk.workspace.keeper.undo_count == 1
    assert "tip moved" in desk.workspace.keeper.undo_text
    desk.workspace.undo()
    assert desk.workspace.plan == before
    settled(probes)
    assert probes.editor.tip[1].value() == pytest.approx(before.probe("1").tip_mm[1], abs=0.05)


def test_leaving_a_field_untouched_changes_nothing_although_it_shows_fewer_digits(
    desk, probes, settled, qtbot
):
    plan = edits.nudge(desk.workspace.plan, "1", (0.0123, 0.0456, 0.0789))
    desk.workspace.edit("moved", plan)
    settled(probes)
    for box in (*probes.editor.tip, *probes.editor.entry, probes.editor.depth):
        box.setFocus()
        qtbot.keyClick(box, Qt.Key.Key_Return)
    probes.editor.depth.clearFocus()
    assert desk.workspace.plan == plan
    enter(qtbot, probes.editor.tip[0], "-30")
    assert desk.workspace.plan.probe("1").tip_mm[1:] == plan.probe("1").tip_mm[1:]


def test_depth_pushes_the_tip_along_the_shaft(desk, probes, qtbot):
    before = desk.workspace.plan.probe("1")
    enter(qtbot, probes.editor.depth, "70")
    after = desk.workspace.plan.probe("1")
    assert after.depth_mm == pytest.approx(70.0)
    assert after.entry_mm == before.entry_mm
    assert after.direction == pytest.approx(before.direction)


@pytest.mark.parametrize(
    ("field", "typed", "word"),
    [
        ("power", "150", "intensity"),
        ("power", "0", "intensity"),
        ("depth", "0", "enters where its tip is"),
        ("name", "2", "called '2'"),
        ("name", "", "name"),
    ],
)
def test_a_bad_entry_is_refused_with_a_message_and_the_old_value_comes_back(
    field, typed, word, desk, probes, qtbot
):
    heard, before = Heard(desk.workspace.message), desk.workspace.plan
    box = getattr(probes.editor, field)
    old = box.text()
    if typed:
        enter(qtbot, box, typed)
    else:
        box.setFocus()
        box.selectAll()
        qtbot.keyClick(box, Qt.Key.Key_Delete)
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert desk.workspace.plan == before
    assert box.text() == old
    assert any(word in text for text in heard)


def test_a_locked_probe_refuses_to_move_or_go_and_says_that_it_is_locked(desk, probes, settled):
    probes.lock.click()
    assert desk.workspace.plan.probe("1").locked
    settled(probes)
    assert not probes.editor.tip[0].isEnabled()
    assert not probes.delete.isEnabled()
    heard = Heard(desk.workspace.message)
    assert not probes.try_edit(lambda plan: edits.nudge(plan, "1", (1.0, 0.0, 0.0)))
    assert any("locked" in text for text in heard)
    probes.lock.click()
    assert not desk.workspace.plan.probe("1").locked


def test_times_are_entered_in_minutes_and_zero_off_means_the_end(desk, probes, qtbot):
    enter(qtbot, probes.editor.start, "2")
    enter(qtbot, probes.editor.stop, "12.5")
    probe = desk.workspace.plan.probe("1")
    assert (probe.start_s, probe.stop_s) == (120.0, 750.0)
    enter(qtbot, probes.editor.stop, "0")
    assert desk.workspace.plan.probe("1").stop_s is None
    assert probes.editor.stop.text() == "end"


def test_models_with_assumed_numbers_have_a_star_and_all_have_their_sources(desk, probes):
    box, catalogue = probes.editor.model, desk.workspace.catalogue
    for index in range(box.count()):
        model = catalogue[box.itemData(index)]
        assert box.itemText(index).endswith("*") == model.is_guess
        assert model.active_length.source in box.itemData(index, Qt.ItemDataRole.ToolTipRole)
    assert any(model.is_guess for model in catalogue.models)


def test_another_model_is_one_step_that_can_be_undone(desk, probes):
    box = probes.editor.model
    box.activated.emit(box.findData("icerod-17g"))
    assert desk.workspace.plan.probe("1").model == "icerod-17g"
    desk.workspace.undo()
    assert desk.workspace.plan.probe("1").model == "generic-15g"


def test_placing_copying_and_deleting_start_from_buttons(desk, probes, settled):
    probes.place.click()
    assert desk.view.placing
    probes.parallel.click()
    settled(probes)
    assert [p.name for p in desk.workspace.plan.probes] == ["1", "2", "3"]
    assert desk.view.selected_probe == "3"
    probes.delete.click()
    settled(probes)
    assert [p.name for p in desk.workspace.plan.probes] == ["1", "2"]
    assert len(probes.cards) == 2
    desk.workspace.undo()
    desk.workspace.undo()
    assert desk.workspace.plan == make_plan()


def test_the_pair_table_shows_the_spacings_with_the_verdict_of_the_rules(desk, probes, settled):
    (pair,) = pairs(desk.workspace.plan, desk.workspace.catalogue)
    (row,) = probes.pairs.texts()
    assert row == (SIGNS[Level.OK], "1–2", f"{pair.tip_mm:.1f}", "10.0", "10.0", "0.0°")
    plan = edits.nudge(desk.workspace.plan, "2", (0.0, 0.0, 20.0))
    desk.workspace.edit("apart", plan)
    settled(probes)
    (row,) = probes.pairs.texts()
    assert row[0] == SIGNS[Level.FAIL]
    assert row[2:5] == ("30.0", "30.0", "30.0")


def test_the_clearance_table_names_the_nearest_probe_and_fails_a_pierced_colon(probes):
    row = next(r for r in probes.clearances.texts() if r[1] == "colon")
    assert row[0] == SIGNS[Level.FAIL]
    assert row[2] == "2"
    assert row[3].startswith("−")


def test_rules_and_paths_of_an_earlier_plan_are_grey_until_they_are_worked_out(desk, probes, settled, qtbot):
    plan = edits.nudge(desk.workspace.plan, "1", (0.0, 2.0, 0.0))
    desk.workspace.edit("moved", plan)
    qtbot.waitUntil(lambda: probes.cards[0].verdict_tone == "stale")
    settled(probes)
    assert probes.cards[0].verdict_tone != "stale"
