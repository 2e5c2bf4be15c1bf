"""The probes panel: cards, the editor that refuses what is wrong, and the tables of pairs and clearances."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from cryoplan.case.structure import Role
from cryoplan.core.finding import Level, worst
from cryoplan.gui.panels import (
    ProbesPanel,
)
from cryoplan.gui.parts import SIGNS
from cryoplan.gui.placing import Placing
from cryoplan.plan import edits
from cryoplan.plan.beside import free_side
from cryoplan.plan.hold import is_on_skin
from cryoplan.plan.idioms import Idiom
from cryoplan.plan.placement import clock_direction, pairs
from cryoplan.plan.skin_entries import entries_on_skin
from cryoplan.plan.turning import cranio_caudal_deg, in_plane_signed_deg
from tests.support.panels import Heard, enter, with_structure
from tests.support.scenes import make_case, make_plan


@pytest.fixture
def probes(desk, make):
    desk.open(with_structure("colon", Role.BOWEL, (-60.0, -10.0, 25.0)))
    desk.view.selected_probe = "1"
    return make(ProbesPanel)


def test_a_card_says_depth_angles_and_the_worst_that_the_rules_say(probes):
    first, second = (card.texts for card in probes.cards)
    assert first[0] == "1"
    assert "in-plane 90° to the left" in first[2]
    assert second[1] == SIGNS[Level.FAIL]
    assert "passes through colon" in second[3]
    assert "80 mm" in probes.cards[0].accessibleName()


def test_the_way_in_of_the_chosen_probe_is_a_sentence_with_lengths(desk, probes, settled):
    words = probes.way_in.sentence.text()
    assert words.startswith("body 55, tumour 1 21, body 3 mm; pleura crossed: no lung outlined")
    assert words.endswith("; tip 3.4 mm beyond the target's far side")
    desk.view.selected_probe = "2"
    settled(probes)
    assert "colon" in probes.way_in.sentence.text()
    assert probes.way_in.gist.startswith(SIGNS[Level.FAIL])


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


def test_the_pair_table_shows_the_spacings_coloured_by_the_limits(desk, probes, settled):
    (pair,) = pairs(desk.workspace.plan, desk.workspace.catalogue)
    (row,) = probes.pairs.table.texts()
    assert row[:6] == (SIGNS[Level.OK], "1–2", f"{pair.tip_mm:.1f}", "10.0", "10.0", "0°")
    assert float(row[6]) == pytest.approx(pair.closest_mm, abs=0.06)
    plan = edits.nudge(desk.workspace.plan, "2", (0.0, 0.0, 20.0))
    desk.workspace.edit("apart", plan)
    settled(probes)
    (row,) = probes.pairs.table.texts()
    assert row[0] == SIGNS[Level.FAIL]
    assert row[2:5] == ("30.0", "30.0", "30.0")
    assert probes.pairs.gist == f"{SIGNS[Level.FAIL]} 1–2 30.0 mm"


def test_a_press_on_a_pair_goes_between_its_two_probes(desk, probes):
    desk.view.cursor_mm = (0.0, 0.0, 0.0)
    probes.pairs.table.lines[0].click()
    x, y, z = desk.view.cursor_mm
    a, b = desk.workspace.plan.probes
    assert y == pytest.approx(a.tip_mm[1])
    assert z == pytest.approx((a.tip_mm[2] + b.tip_mm[2]) / 2.0)
    assert a.entry_mm[0] < x < a.tip_mm[0]


def test_the_clearances_of_the_chosen_probe_fail_for_a_pierced_colon_and_lead_there(desk, probes, settled):
    desk.view.selected_probe = "2"
    settled(probes)
    row = next(r for r in probes.way_in.table.texts() if r[1] == "colon")
    assert row[0] == SIGNS[Level.FAIL]
    assert row[2].startswith("−")
    assert row[3] == "≥ 5"
    number = probes.way_in.table.texts().index(row)
    probes.way_in.table.lines[number].click()
    probe = desk.workspace.plan.probe("2")
    assert np.linalg.norm(np.subtract(desk.view.cursor_mm, (-60.0, -10.0, 25.0))) < 9.0
    along = np.subtract(desk.view.cursor_mm, probe.entry_mm) @ probe.direction
    assert along == pytest.approx(float(row[4]), abs=0.6)


def test_rules_and_paths_of_an_earlier_plan_are_grey_until_they_are_worked_out(desk, probes, settled, qtbot):
    plan = edits.nudge(desk.workspace.plan, "1", (0.0, 2.0, 0.0))
    desk.workspace.edit("moved", plan)
    qtbot.waitUntil(lambda: probes.cards[0].verdict_tone == "stale")
    settled(probes)
    assert probes.cards[0].verdict_tone != "stale"


# Typing ---------------------------------------------------------------------------------------------


def test_a_typed_angle_turns_about_the_tip_with_the_entry_on_the_skin_as_one_step(desk, probes, qtbot):
    desk.workspace.edit("skin", entries_on_skin(desk.workspace.case, desk.workspace.plan, {"1"}))
    before = desk.workspace.plan.probe("1")
    steps = desk.workspace.keeper.undo_count
    enter(qtbot, probes.editor.cranio, "12")
    after = desk.workspace.plan.probe("1")
    assert after.tip_mm == before.tip_mm
    assert cranio_caudal_deg(after) == pytest.approx(12.0, abs=0.05)
    assert is_on_skin(desk.workspace.case, after)
    enter(qtbot, probes.editor.in_plane, "45")
    assert in_plane_signed_deg(desk.workspace.plan.probe("1")) == pytest.approx(45.0, abs=0.05)
    assert cranio_caudal_deg(desk.workspace.plan.probe("1")) == pytest.approx(12.0, abs=0.05)
    assert desk.workspace.keeper.undo_count == steps + 2


def test_a_typed_depth_beyond_the_shaft_is_refused_with_both_numbers(desk, probes, qtbot):
    heard, before = Heard(desk.workspace.message), desk.workspace.plan
    model = desk.workspace.catalogue.model("generic-15g")
    longest = model.shaft_length.value - 10.0
    enter(qtbot, probes.editor.depth, f"{longest + 5:g}")
    assert desk.workspace.plan == before
    assert f"{longest + 5:.1f} mm deep" in heard[-1]
    assert f"at most {longest:.1f} mm" in heard[-1]
    assert probes.editor.depth.value() == pytest.approx(before.probe("1").depth_mm)


def test_a_model_that_is_too_short_for_the_depth_is_taken_and_said(desk, probes, settled):
    heard = Heard(desk.workspace.message)
    model = desk.workspace.catalogue.model("icerod-17g")
    deep = edits.move_tip(desk.workspace.plan, "1", (model.shaft_length.value - 108.0, -10.0, 15.0))
    desk.workspace.edit("deep", deep)
    settled(probes)
    box = probes.editor.model
    box.activated.emit(box.findData("icerod-17g"))
    assert desk.workspace.plan.probe("1").model == "icerod-17g"
    assert "reaches" in heard[-1]


def test_channel_order_colour_and_note_are_steps_of_their_own(desk, probes, settled, qtbot):
    probes.editor.more.set_open(True)
    enter(qtbot, probes.editor.channel, "B2")
    enter(qtbot, probes.editor.order, "3")
    enter(qtbot, probes.editor.remark, "under the rib")
    action = probes.editor.colour.menu().actions()[4]
    action.trigger()
    probe = desk.workspace.plan.probe("1")
    assert (probe.channel, probe.order, probe.note, probe.colour) == ("B2", 3, "under the rib", 4)
    assert desk.workspace.keeper.undo_count == 4
    settled(probes)
    assert "port B2" in probes.cards[0].texts[2]
    assert probes.editor.more.gist == "port B2, no. 3, note"
    enter(qtbot, probes.editor.order, "0")
    probes.editor.colour.by_place.trigger()
    probe = desk.workspace.plan.probe("1")
    assert (probe.order, probe.colour) == (None, None)


# Laying out -----------------------------------------------------------------------------------------


def choose_idiom(probes, idiom: Idiom) -> None:
    probes.idioms.set_open(True)
    probes.idioms.idiom.setCurrentIndex(list(Idiom).index(idiom))
    probes.idioms.idiom.activated.emit(list(Idiom).index(idiom))


def test_a_ring_is_shown_as_ghosts_first_and_laid_out_as_one_step(desk, probes, settled):
    probes.idioms.head.click()
    choose_idiom(probes, Idiom.RING)
    probes.idioms.count.setValue(4)
    assert len(desk.view.ghosts) == 4
    assert len(desk.workspace.plan.probes) == 2
    heard = Heard(desk.workspace.message)
    probes.idioms.go.click()
    settled(probes)
    plan = desk.workspace.plan
    assert [p.name for p in plan.probes] == ["1", "2", "3", "4", "5"]
    assert "Probes 3, 4 and 5 added" in heard[-1]
    assert desk.workspace.keeper.undo_count == 1
    assert desk.view.ghosts == ()
    ring = [plan.probe(n) for n in ("1", "3", "4", "5")]
    sides = [
        float(np.linalg.norm(np.cross(np.subtract(a.tip_mm, b.tip_mm), a.direction)))
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True)
    ]
    assert sides == pytest.approx([15.0] * 4)
    assert all(is_on_skin(desk.workspace.case, p) for p in ring)


def test_a_copy_is_offered_on_its_free_side_and_the_clock_is_obeyed(desk, probes):
    choose_idiom(probes, Idiom.COPY)
    free = probes.idioms.ask.hours
    assert free == free_side(desk.workspace.plan, "1", 15.0, desk.workspace.case)
    index = probes.idioms.hours.findData(3.0)
    probes.idioms.hours.setCurrentIndex(index)
    probes.idioms.hours.activated.emit(index)
    probes.idioms.spacing.setValue(20)
    probes.idioms.go.click()
    lead, copy = desk.workspace.plan.probe("1"), desk.workspace.plan.probe("3")
    by = np.subtract(copy.tip_mm, lead.tip_mm)
    assert by == pytest.approx(20.0 * clock_direction(lead.direction, 3.0))


def test_making_parallel_leaves_locked_probes_alone_and_says_so(desk, probes, settled):
    plan = edits.add_probe(
        desk.workspace.plan, model="generic-15g", tip_mm=(-40.0, 5.0, 20.0), entry_mm=(-60.0, -60.0, 30.0)
    )
    plan = edits.tilt(plan, "2", (0.0, 0.0, 1.0), 8.0)
    desk.workspace.edit("locked", edits.set_locked(plan, "3", True))
    settled(probes)
    choose_idiom(probes, Idiom.PARALLEL)
    assert "Probe 3 locked and left alone" in probes.idioms.words.text()
    probes.idioms.go.click()
    now = desk.workspace.plan
    assert now.probe("3") == edits.set_locked(plan, "3", True).probe("3")
    assert now.probe("2").direction == pytest.approx(now.probe("1").direction)


def test_what_cannot_be_laid_out_is_a_sentence_and_a_grey_button(desk, probes, settled):
    desk.workspace.edit("locked", edits.set_locked(desk.workspace.plan, "1", True))
    settled(probes)
    choose_idiom(probes, Idiom.RING)
    assert "locked" in probes.idioms.words.text()
    assert not probes.idioms.go.isEnabled()
    assert desk.view.ghosts == ()


def test_a_suggestion_shows_number_rules_and_sources_before_anything_is_laid_out(
    desk, probes, settled, qtbot
):
    before = desk.workspace.plan
    probes.suggest.click()
    section = probes.suggesting
    assert section.is_open
    qtbot.waitUntil(lambda: section.suggestion is not None)
    assert "probe" in section.summary.text()
    assert "limit" in section.reasons.text()
    assert "[" in section.reasons.text()
    assert len(desk.view.ghosts) == len(section.suggestion.places_mm)
    # With the names that they will get: 1 and 2 are there.
    assert desk.view.ghosts[0].name == "3"
    assert desk.workspace.plan == before
    count = len(section.suggestion.places_mm)
    section.go.click()
    settled(probes)
    assert len(desk.workspace.plan.probes) == 2 + count
    assert desk.workspace.plan.probes[:2] == before.probes
    assert desk.workspace.keeper.undo_count == 1
    assert desk.view.ghosts == ()


def test_a_suggestion_takes_the_place_of_probes_only_when_told_and_names_them(desk, probes, settled, qtbot):
    heard = Heard(desk.workspace.message)
    desk.workspace.edit("locked", edits.set_locked(desk.workspace.plan, "2", True))
    settled(probes)
    probes.suggest.click()
    qtbot.waitUntil(lambda: probes.suggesting.suggestion is not None)
    count = len(probes.suggesting.suggestion.places_mm)
    probes.suggesting.replacing.setChecked(True)
    probes.suggesting.go.click()
    names = [p.name for p in desk.workspace.plan.probes]
    assert "2" in names
    assert len(names) == 1 + count
    assert "in place of 1" in heard[-1]


def test_without_a_target_a_suggestion_says_what_is_missing(desk, probes, qtbot):
    desk.open(make_case(with_target=False))
    probes.suggest.click()
    qtbot.waitUntil(lambda: "Choose the tumour" in probes.suggesting.summary.text())
    assert not probes.suggesting.go.isVisible()


def test_a_suggestion_that_comes_after_the_case_changed_is_not_shown(desk, probes, settled, qtbot):
    probes.suggest.click()
    section = probes.suggesting
    desk.open(make_case())
    settled(probes)
    qtbot.wait(50)
    assert section.suggestion is None
    assert desk.view.ghosts == ()
    assert not section.go.isVisible()
    section.work_out()
    qtbot.waitUntil(lambda: section.suggestion is not None)


# Room and tools -------------------------------------------------------------------------------------


def test_the_room_shows_large_numbers_that_follow_the_position_of_the_day(desk, probes, settled):
    probe = desk.workspace.plan.probe("1")
    assert probes.room.numbers["depth"].text() == f"{probe.depth_mm:.0f} mm"
    assert probes.room.numbers["in-plane"].text() == "90° left"
    assert probes.room.numbers["entry to tip"].text() == "H 15.0 → H 15.0 mm"
    assert "hub to bore" in probes.room.more.text()
    box = probes.room.position
    box.activated.emit(box.findData("HFDL"))
    settled(probes)
    assert desk.workspace.plan.room.position == "HFDL"
    assert probes.room.numbers["in-plane"].text() == "0°"
    assert desk.workspace.keeper.undo_count == 1


def test_a_tilt_beyond_what_the_scanner_can_do_cannot(desk, probes, settled, qtbot):
    plan = edits.add_probe(
        desk.workspace.plan, model="generic-15g", tip_mm=(-40.0, -10.0, 20.0), entry_mm=(-40.0, -75.0, 0.0)
    )
    desk.workspace.edit("steep", plan)
    desk.view.selected_probe = "3"
    settled(probes)
    assert probes.room.numbers["gantry tilt"].text() == "+17°"
    enter(qtbot, probes.room.tilt, "15")
    settled(probes)
    assert probes.room.numbers["gantry tilt"].text() == "cannot"


def test_a_needle_is_placed_by_the_same_two_clicks_listed_renamed_and_deleted(desk, probes, settled, qtbot):
    placing = Placing(desk.workspace, desk.view)
    menu = probes.needle.menu()
    next(a for a in menu.actions() if a.data() == "biopsy").trigger()
    assert placing.banner.startswith("Biopsy needle:")
    placing.click((-40.0, -10.0, 20.0))
    placing.click((-40.0, -75.0, 20.0))
    settled(probes)
    (tool,) = desk.workspace.plan.tools
    assert is_on_skin(desk.workspace.case, tool)
    (row,) = probes.tools.rows
    assert row.texts[:3] == ("BX1", "biopsy needle", f"{tool.depth_mm:.0f} mm")
    assert row.texts[3] == SIGNS[worst([f for f in desk.workspace.rules if f.place == "tool BX1"])]
    assert desk.view.placing_tool == ""
    assert probes.tools.editor.isVisible()
    enter(qtbot, probes.tools.name, "core")
    assert desk.workspace.plan.tools[0].name == "core"
    assert desk.view.selected_probe == "core"
    settled(probes)
    enter(qtbot, probes.tools.note, "before the freeze")
    assert desk.workspace.plan.tools[0].note == "before the freeze"
    probes.lock.click()
    settled(probes)
    assert not probes.delete.isEnabled()
    probes.lock.click()
    settled(probes)
    probes.delete.click()
    assert desk.workspace.plan.tools == ()
    assert len(desk.workspace.plan.probes) == 2


def test_a_section_opens_by_the_space_bar_and_says_its_state(probes, qtbot):
    head = probes.pairs.head
    assert head.accessibleName().endswith("closed")
    head.setFocus()
    qtbot.keyClick(head, Qt.Key.Key_Space)
    assert probes.pairs.is_open
    assert head.accessibleName().endswith("open")


def test_ghosts_go_when_the_panel_is_left(desk, probes):
    choose_idiom(probes, Idiom.RING)
    assert desk.view.ghosts
    probes.hide()
    assert desk.view.ghosts == ()


def test_escape_gives_a_placing_up_that_a_button_began(desk, probes, qtbot):
    probes.place.setFocus()
    probes.place.click()
    assert desk.view.placing
    qtbot.keyClick(probes.place, Qt.Key.Key_Escape)
    assert not desk.view.placing
