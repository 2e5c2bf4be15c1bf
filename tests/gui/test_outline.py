"""The dialog of TotalSegmentator: what it says when it is absent, what it costs, its run and its outlines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from cryoplan.app.ai_tasks import Accepted, OutlineFound
from cryoplan.app.jobs import Failure
from cryoplan.app.outliner import Outliner
from cryoplan.case.structure import Role
from cryoplan.gui.dialogs import outline
from cryoplan.gui.dialogs.outline import OutlineDialog, show_wait
from tests.support.desk import ScriptedWorker, small_case
from tests.support.fake_totalseg import Installed

FOUND = (
    OutlineFound(name="spleen", role="organ", is_guess=False, volume_ml=210.0),
    OutlineFound(name="thing", role="other", is_guess=True, volume_ml=1.5),
)


@pytest.fixture
def worker() -> ScriptedWorker:
    return ScriptedWorker()


@pytest.fixture
def make(desk, worker, qtbot):
    def show() -> OutlineDialog:
        dialog = OutlineDialog(desk.workspace, Outliner(desk.workspace, start=lambda: worker))
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return show


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    return Installed(tmp_path, monkeypatch)


def test_absent_it_says_what_to_install_and_offers_nothing_to_start(make):
    dialog = make()
    assert dialog.pages.currentWidget() is dialog._absent
    assert "not installed" in dialog.why.text()
    assert "pip install cryoplan[ai]" in dialog.commands.text()
    assert "totalseg_download_weights" in dialog.commands.text()
    assert not dialog.start.isVisible()


def test_without_a_case_it_asks_for_a_scan(make, desk):
    desk.workspace.set_case(None)
    assert make().why.text() == "Open a scan first."


def test_installed_without_weights_it_names_the_commands_and_looks_again(make, installed):
    dialog = make()
    assert "weights are not" in dialog.why.text()
    assert "totalseg_download_weights -t total_fast" in dialog.commands.text()
    installed.add_weights(297)
    dialog.look_again()
    assert dialog.pages.currentWidget() is dialog._choose
    assert dialog.task.count() == 1


def test_it_shows_licence_estimate_and_what_is_still_missing(make, installed, monkeypatch):
    installed.add_weights(297, 591)
    monkeypatch.setattr(outline, "free_bytes", lambda: 64_000_000_000)
    dialog = make()
    assert "Apache" in dialog.licence.text()
    assert dialog.licence.text().startswith("Version 2.18.0.")
    assert "64 GB of memory are free." in dialog.cost.text()
    assert dialog.cost.text().startswith("About ")
    assert "1.5 mm" in dialog.lacking.text()
    dialog.task.setCurrentIndex(dialog.task.findData("liver-lesions"))
    assert dialog.cost.text() == "Nobody has published how long it takes."
    monkeypatch.setattr(outline, "free_bytes", lambda: 1_000_000_000)
    dialog.task.setCurrentIndex(dialog.task.findData("total-fast"))
    assert "may not be enough" in dialog.cost.text()


def test_a_run_shows_how_far_it_is_and_cancel_brings_the_choice_back(make, installed, worker):
    installed.add_weights(297)
    dialog = make()
    dialog.start.click()
    assert worker.last("outline").arguments["task"] == "total-fast"
    assert worker.last("outline").arguments["device"] == "cpu"
    worker.progress("outline", 0.5, "Outlining, part 2 of 5")
    assert dialog.stage.text() == "Outlining, part 2 of 5"
    assert dialog.bar.value() == 500
    dialog.cancel.click()
    assert worker.cancelled == [1]
    worker.gave_up("outline")
    assert dialog.pages.currentWidget() is dialog._choose


def test_a_failure_is_said_above_the_choice(make, installed, worker):
    installed.add_weights(297)
    dialog = make()
    dialog.start.click()
    worker.failed("outline", Failure(what="It ran out of memory.", remedy="Choose the fast task."))
    assert dialog.message.text() == "It ran out of memory. Choose the fast task."
    assert dialog.pages.currentWidget() is dialog._choose


def test_only_ticked_outlines_are_added_and_the_words_count_them(make, installed, worker, desk):
    installed.add_weights(297)
    dialog = make()
    dialog.start.click()
    worker.done("outline", FOUND)
    assert dialog.pages.currentWidget() is dialog._found
    assert dialog.list.item(1).text() == "thing   other ? · 1.5 ml"
    assert dialog.add.text() == "Add 2 to the case"
    dialog.none.click()
    assert not dialog.add.isEnabled()
    dialog.all.click()
    dialog.list.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert dialog.chosen == ["spleen"]
    dialog.add.click()
    assert worker.last("take").arguments["names"] == ("spleen",)
    spleen = replace(small_case().structures[0], name="spleen", role=Role.ORGAN, tissue="spleen")
    worker.done("take", Accepted(structures=(spleen,), findings=()))
    assert desk.workspace.case.structure("spleen").role is Role.ORGAN
    assert "Structures added: 1." in dialog.message.text()
    assert dialog.pages.currentWidget() is dialog._choose


def test_discard_brings_the_choice_back(make, installed, worker):
    installed.add_weights(297)
    dialog = make()
    dialog.start.click()
    worker.done("outline", FOUND)
    dialog.discard.click()
    assert dialog.pages.currentWidget() is dialog._choose


@pytest.mark.parametrize(
    ("seconds", "words"), [(40.0, "40 s"), (240.0, "4 min"), (3600.0, "1 h 0 min"), (4810.0, "1 h 20 min")]
)
def test_waits_are_said_as_people_say_them(seconds, words):
    assert show_wait(seconds) == words
