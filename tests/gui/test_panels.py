from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

from cryoplan import RESEARCH_USE, __version__
from cryoplan.app.view import Window
from cryoplan.case.structure import Role, Structure
from cryoplan.core.finding import Finding, Level
from cryoplan.gui.dialogs.about import AboutDialog
from cryoplan.gui.dialogs.shortcuts import ShortcutsDialog
from cryoplan.gui.panels import (
    FreezePanel,
    ImagesPanel,
    ProbesPanel,
    ReportPanel,
    ReviewPanel,
    StructuresPanel,
    fitness,
)
from cryoplan.gui.parts import DASH, OUT_OF_DATE, SIGNS, Text
from cryoplan.plan import edits
from cryoplan.plan.placement import pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.presets import load_presets
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode
from cryoplan.report.decision import CONTROL_RATES
from cryoplan.scene.slab import Slab, SlabKind
from cryoplan.simulation.settings import PREVIEW, STANDARD
from tests.support.desk import Desk, small_case
from tests.support.scenes import TUMOUR_MM, ellipsoid, make_plan

ALL = (ImagesPanel, StructuresPanel, ProbesPanel, FreezePanel, ReviewPanel, ReportPanel)


class Heard(list):
    """Everything a signal said."""

    def __init__(self, signal) -> None:
        super().__init__()
        signal.connect(lambda *words: self.append(words[0] if words else None))


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def make(desk, qtbot):
    """Return a function that shows a panel and waits until it is up to date."""

    kept = []

    def build(kind):
        panel = kind(desk.workspace, desk.view)
        kept.append(panel)  # else it is gone as soon as a test asks for a part of it only
        panel.resize(300, 720)
        qtbot.addWidget(panel)
        panel.show()
        qtbot.waitExposed(panel)
        qtbot.waitUntil(lambda: not panel.is_busy_refreshing)
        return panel

    return build


@pytest.fixture
def settled(qtbot):
    """Return a function that waits until a panel has caught up."""
    return lambda panel: qtbot.waitUntil(lambda: not panel.is_busy_refreshing)


def with_structure(name: str, role: Role, centre_mm, *, guessed: bool = False):
    case = small_case()
    new = Structure(
        name=name,
        role=role,
        tissue="liver",
        mask=ellipsoid(case.scan.volume.grid, centre_mm, (9.0, 9.0, 9.0)),
        source="made",
        role_is_guess=guessed,
    )
    return case.changed(structures=(*case.structures, new))


def enter(qtbot, box, text: str) -> None:
    """Type into a field as a user does."""
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


# All panels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_a_panel_fits_three_hundred_pixels_whatever_it_shows(kind, desk, make, settled):
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


# Images ---------------------------------------------------------------------------------------------


def test_images_shows_the_scan_and_says_what_the_header_does_not(desk, make):
    desk.open()
    panel = make(ImagesPanel)
    grid = small_case().scan.volume.grid
    assert panel.facts["Voxels"].text() == " × ".join(str(n) for n in grid.size)
    assert panel.facts["Pixel"].text() == "2.00 × 2.00 mm"
    assert panel.facts["Slices"].text() == "4.00 mm apart"
    assert panel.facts["Gantry tilt"].text() == "not in the header"
    assert panel.facts["Series"].text() == DASH


def test_import_findings_are_shown_the_worst_first(desk, make):
    case = small_case()
    found = (
        Finding(level=Level.OK, code="fine", text="The spacing is even."),
        Finding(level=Level.WARN, code="old", text="The scan is 40 days old."),
    )
    scan = replace(case.scan, facts=replace(case.scan.facts, findings=found))
    desk.open(case.changed(scan=scan))
    panel = make(ImagesPanel)
    assert panel.findings.texts()[:2] == ["The scan is 40 days old.", "The spacing is even."]


def test_images_says_whether_the_scan_is_fit_for_planning(desk, make, qtbot):
    desk.open()
    panel = make(ImagesPanel)
    qtbot.waitUntil(lambda: len(panel.fitness.findings.texts()) == 8)
    texts = panel.fitness.findings.texts()
    assert any("Slices 4 mm apart" in text for text in texts)
    assert texts[0].startswith(("Contrast phase unknown", "Patient position unknown"))
    first = panel.fitness.findings.rows[0]
    assert first.accessibleName().startswith("warn: ")
    # Another state of the case keeps what is known until it is judged anew.
    desk.workspace._show_case(small_case().changed(target_name=""))
    assert panel.fitness.findings.texts() == texts


def test_fitness_that_cannot_be_judged_is_said(desk, make, qtbot, monkeypatch):
    def fail(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(fitness, "check_fitness", fail)
    desk.open()
    panel = make(ImagesPanel)
    qtbot.waitUntil(lambda: any(t.text() == fitness.FAILED for t in panel.fitness.findChildren(Text)))


def test_the_looks_follow_the_keys_and_the_keys_follow_the_looks(desk, make):
    desk.open()
    panel = make(ImagesPanel)
    looks = panel.looks
    assert looks.preset.currentText() == "soft tissue"
    looks.preset.activated.emit(2)
    assert (desk.view.window.width, desk.view.window.level) == (1500.0, -600.0)
    assert looks.numbers.text() == "W 1500  L \N{MINUS SIGN}600"
    desk.view.window = Window(width=333.0, level=3.0)
    assert looks.preset.currentText() == "set by hand"
    assert not looks.thickness.isEnabled()
    looks.slab.activated.emit(1)
    looks.thickness.setValue(25.0)
    assert desk.view.slab == Slab(kind=SlabKind.MIP, thickness_mm=25.0)
    desk.view.slab = Slab(kind=SlabKind.MEAN, thickness_mm=5.0)
    assert (looks.slab.currentText(), looks.thickness.value()) == ("mean", 5.0)


def test_the_buttons_of_images_ask_the_window(make, qtbot):
    panel = make(ImagesPanel)
    for button, signal in (
        (panel.open_folder, panel.open_folder_requested),
        (panel.open_file, panel.open_file_requested),
        (panel.demo, panel.demo_requested),
    ):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# Structures -----------------------------------------------------------------------------------------


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


# Probes ---------------------------------------------------------------------------------------------


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


# Freeze ---------------------------------------------------------------------------------------------


def test_the_protocol_table_shows_every_phase(desk, make):
    desk.open()
    panel = make(FreezePanel)
    shown = [(row.kind.currentText(), row.minutes.value()) for row in panel.phases]
    assert shown == [("freeze", 10.0), ("thaw", 5.0), ("freeze", 10.0)]
    assert [row.mode.isVisible() for row in panel.phases] == [False, True, False]


def test_a_preset_replaces_the_protocol_and_can_be_undone(desk, make, settled):
    desk.open()
    panel = make(FreezePanel)
    number = next(n for n, p in enumerate(panel.presets) if p.id == "liver-10-8-10")
    panel.preset.activated.emit(number)
    assert desk.workspace.plan.protocol == load_presets()[number].protocol
    settled(panel)
    assert panel.preset.currentIndex() == number
    assert load_presets()[number].source in panel.preset.toolTip()
    desk.workspace.undo()
    settled(panel)
    assert panel.preset.currentIndex() == 0


def test_typed_minutes_change_one_phase_and_show_as_own_times(desk, make, settled, qtbot):
    desk.open()
    panel = make(FreezePanel)
    enter(qtbot, panel.phases[1].minutes, "7.5")
    assert [p.duration_s for p in desk.workspace.plan.protocol.phases] == [600.0, 450.0, 600.0]
    settled(panel)
    assert panel.preset.currentText() == "Own times"


def test_a_phase_of_no_length_is_refused_with_a_message(desk, make, qtbot):
    desk.open()
    panel, heard = make(FreezePanel), Heard(desk.workspace.message)
    before = desk.workspace.plan
    enter(qtbot, panel.phases[0].minutes, "0")
    assert desk.workspace.plan == before
    assert panel.phases[0].minutes.value() == 10.0
    assert any("cannot be carried out" in text for text in heard)


def test_a_protocol_cannot_lose_its_first_freeze(desk, make, settled):
    desk.open(plan=replace(make_plan(), protocol=Protocol(phases=tuple(
        Phase(kind=k, duration_s=60.0) for k in (PhaseKind.FREEZE, PhaseKind.THAW)))))  # fmt: skip
    panel, heard = make(FreezePanel), Heard(desk.workspace.message)
    panel.phases[0].remove.click()
    assert any("begins with a freeze" in text for text in heard)
    panel.phases[1].remove.click()
    settled(panel)
    assert len(panel.phases) == 1
    panel.add_thaw.click()
    settled(panel)
    panel.phases[1].mode.activated.emit(panel.phases[1].mode.findData(ThawMode.HELIUM))
    assert desk.workspace.plan.protocol.phases[1].mode is ThawMode.HELIUM


def test_another_grid_changes_the_settings_and_outdates_the_result(desk, make, settled):
    desk.open()
    desk.solve()
    panel = make(FreezePanel)
    assert "✓" in panel.why.text()
    panel.grid.activated.emit(1)
    assert desk.workspace.settings == PREVIEW
    settled(panel)
    assert "out of date" in panel.why.text()
    panel.grid.activated.emit(0)
    assert desk.workspace.settings == STANDARD
    assert desk.workspace.is_current


def test_solve_is_possible_with_a_probe_only_and_says_why_not(desk, make, settled, qtbot):
    panel = make(FreezePanel)
    assert not panel.solve.isEnabled()
    assert "scan" in panel.why.text()
    desk.open(plan=Plan())
    settled(panel)
    assert not panel.solve.isEnabled()
    assert "probe" in panel.why.text()
    desk.open()
    settled(panel)
    with qtbot.waitSignal(panel.solve_requested):
        panel.solve.click()


def test_while_solving_the_button_waits_and_cancel_cancels(desk, make, settled):
    desk.open()
    panel = make(FreezePanel)
    desk.workspace.request_simulation()
    settled(panel)
    assert not panel.solve.isEnabled()
    panel.cancel.click()
    assert desk.worker.last("solve").id in desk.worker.cancelled


def test_what_lies_on_the_skin_is_a_setting_that_another_grid_keeps(desk, make, settled):
    desk.open()
    desk.solve()
    panel = make(FreezePanel)
    assert panel.skin.currentData() == "air"
    panel.skin.activated.emit(1)
    assert desk.workspace.settings.skin == "warm-bag"
    assert not desk.workspace.is_current
    panel.grid.activated.emit(1)
    settled(panel)
    assert desk.workspace.settings == PREVIEW.changed(skin="warm-bag")
    assert (panel.grid.currentIndex(), panel.skin.currentData()) == (1, "warm-bag")


def test_the_grid_can_be_checked_and_the_answer_is_shown(desk, make, settled):
    from cryoplan import workflow

    panel = make(FreezePanel)
    assert not panel.converge.isEnabled()
    desk.open()
    desk.worker.done("meshes", None)
    settled(panel)
    assert panel.converge.isEnabled()
    panel.converge.click()
    settled(panel)
    assert not panel.converge.isEnabled()
    assert not panel.cancel.isHidden()
    workspace = desk.workspace
    key = workflow.simulation_key(workspace.case, workspace.plan, workspace.catalogue, workspace.settings)
    report = workflow.ConvergenceReport(key=key, spacing_mm=1.0, other_mm=0.5, step_s=10.0, changes=())
    desk.worker.done("converge", report)
    settled(panel)
    assert panel.converged.text() == f"✓ {report.sentence}"
    assert panel.cancel.isHidden()


def test_what_is_assumed_names_models_and_tissues_with_their_sources(desk, make):
    desk.open()
    panel = make(FreezePanel)
    (model,) = panel.models.rows
    exchange = desk.workspace.catalogue["generic-15g"].exchange_coefficient
    assert model.texts[1] == "Generic 15G"
    assert f"{exchange.value:g}" in model.texts[2]
    assert exchange.source in model.toolTip()
    assert {row.texts[1] for row in panel.tissues.rows} >= {"Tumour, kind unknown"}
    assert all("kW/(m³K)" in row.texts[2] for row in panel.tissues.rows)


# Review ---------------------------------------------------------------------------------------------


def test_review_shows_each_threshold_as_least_five_percent_and_median(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    for margin, line in zip(desk.workspace.assessment.margins, panel.thresholds, strict=True):
        values = [float(cell.text().replace("−", "-")) for cell in line[1:]]
        assert values == pytest.approx([margin.minimum_mm, margin.p05_mm, margin.median_mm], abs=0.051)


def test_review_shows_every_coverage_and_every_finding(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    judged = desk.workspace.assessment
    assert len(panel.coverage.rows) == len(judged.coverage)
    heavy = [f.text for f in judged.findings if f.level is not Level.OK]
    assert panel.findings.texts() == heavy
    panel.findings.passed.click()
    assert sorted(panel.findings.texts()) == sorted(f.text for f in judged.findings)


def test_review_says_that_published_control_rates_belong_to_the_ice_edge(make):
    panel = make(ReviewPanel)
    assert panel.rates.text() == CONTROL_RATES
    assert "ice edge, not to a lethal isotherm" in panel.rates.text()


def test_review_is_grey_and_says_out_of_date_after_an_edit(desk, make, settled):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    plan = desk.workspace.plan
    desk.workspace.edit("moved", edits.nudge(plan, "1", (0.1, 0.0, 0.0)))
    settled(panel)
    assert OUT_OF_DATE in panel.stale.text()
    assert panel.stale.isVisible()
    cells = [cell for line in panel.thresholds for cell in line]
    assert {part.tone for part in (*panel.margins, *panel.coverage.rows, *panel.volumes.rows, *cells)} == {
        "stale"
    }


def test_review_goes_to_the_worst_place(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReviewPanel)
    panel.go_buttons[1].click()
    assert desk.view.cursor_mm == pytest.approx(desk.workspace.assessment.margin(-40.0).worst_point_mm)
    assert desk.view.cursor_mm != pytest.approx(TUMOUR_MM)


def test_review_without_a_target_has_no_margin_and_says_so(desk, make, settled):
    panel = make(ReviewPanel)
    desk.open()
    desk.solve()
    settled(panel)
    desk.workspace._keep_result(
        desk.workspace.result, replace(desk.workspace.assessment, margins=(), coverage=())
    )
    settled(panel)
    assert [box.texts[1] for box in panel.margins] == [DASH, DASH]
    assert not panel.go_buttons[0].isEnabled()


# Report ---------------------------------------------------------------------------------------------


def test_the_pdf_is_possible_for_a_current_result_only_and_the_reason_is_said(desk, make, settled, qtbot):
    panel = make(ReportPanel)
    assert not panel.export.isEnabled()
    desk.open()
    settled(panel)
    assert not panel.export.isEnabled()
    assert "not been solved" in panel.why.text()
    desk.solve()
    settled(panel)
    with qtbot.waitSignal(panel.export_pdf_requested):
        panel.export.click()
    plan = desk.workspace.plan
    desk.workspace.edit("moved", edits.nudge(plan, "1", (0.1, 0.0, 0.0)))
    settled(panel)
    assert not panel.export.isEnabled()
    assert OUT_OF_DATE in panel.why.text()
    assert not panel.title.isVisible()


def test_the_preview_of_the_report_shows_the_margins_that_will_be_printed(desk, make):
    desk.open()
    desk.solve()
    panel = make(ReportPanel)
    assert "TEST-1" in panel.title.text()
    judged = desk.workspace.assessment
    values = {row.texts[1]: row.texts[2] for row in panel.cards.rows}
    ice = next(value for title, value in values.items() if title.startswith("Ice edge"))
    assert float(ice.replace("−", "-").removesuffix(" mm")) == pytest.approx(
        judged.margin(0.0).minimum_mm, abs=0.051
    )


def test_the_files_of_report_ask_the_window(desk, make, qtbot):
    desk.open()
    panel = make(ReportPanel)
    for button, signal in (
        (panel.save_case, panel.save_case_requested),
        (panel.save_plan, panel.save_plan_requested),
        (panel.open_plan, panel.open_plan_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()


# Dialogs --------------------------------------------------------------------------------------------


def test_about_says_version_and_research_use(qtbot):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    words = " ".join(t.text() for t in dialog.findChildren(Text))
    assert __version__ in words
    assert RESEARCH_USE in words


def test_the_shortcut_sheet_shows_every_row_it_is_given(qtbot):
    rows = [("P", "place a probe"), ("Ctrl+Z", "undo")]
    dialog = ShortcutsDialog(rows)
    qtbot.addWidget(dialog)
    texts = [t.text() for t in dialog.findChildren(Text)]
    assert texts == ["P", "place a probe", "Ctrl+Z", "undo"]
