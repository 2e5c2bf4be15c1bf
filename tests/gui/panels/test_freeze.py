"""The freeze panel: the protocol, the grid, the skin, and solving."""

from __future__ import annotations

from dataclasses import replace

from cryoplan.gui.panels import (
    FreezePanel,
)
from cryoplan.plan.plan import Plan
from cryoplan.plan.presets import load_presets
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode
from cryoplan.simulation.settings import PREVIEW, STANDARD
from tests.support.panels import Heard, enter
from tests.support.scenes import make_plan


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
