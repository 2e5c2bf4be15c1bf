"""The catalogue in the window: numbers with sources, ice beside the published, own probes, and the stock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QListWidget, QMessageBox, QTextBrowser

from cryoplan import workflow
from cryoplan.app.state import State
from cryoplan.core.errors import StoreError
from cryoplan.gui.dialogs import catalogue as module
from cryoplan.gui.dialogs.catalogue import ID, CatalogueDialog
from cryoplan.gui.dialogs.catalogue_form import ProbeForm, as_number
from cryoplan.gui.panels import ProbesPanel
from cryoplan.plan import edits
from cryoplan.plan.own_probes import own_folder, save_model
from cryoplan.plan.stock import load_stock, write_stock
from cryoplan.workflow import gel_shapes
from tests.support.desk import Desk


def own(**changes) -> None:
    now = workflow.catalogue()
    model = replace(now["generic-15g"], id="mine", **changes)
    save_model(model, now, own_folder(), overwrite="mine" in now)


@pytest.fixture
def dialog(desk: Desk, qtbot):
    found = CatalogueDialog(desk.workspace)
    qtbot.addWidget(found)
    found.show()
    return found


def choose(dialog: CatalogueDialog, name: str) -> None:
    rows = [n for n in range(dialog.list.count()) if dialog.list.item(n).data(ID) == name]
    dialog.list.setCurrentRow(rows[0])


def form_of(dialog: CatalogueDialog) -> ProbeForm:
    return dialog.findChild(ProbeForm)


def answer(monkeypatch, button) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_words: button)


def test_every_probe_is_shown_with_its_sources_and_its_ice(dialog):
    assert dialog.model.id == "generic-15g"  # the plan's
    for model in workflow.catalogue().models:
        choose(dialog, model.id)
        assert model.exchange_coefficient.source[:30] in dialog.numbers.toPlainText()
        if model.is_warmer:
            assert "no ice" in dialog.picture.text()
        else:
            assert not dialog.picture.pixmap().isNull()
            assert "solved" in dialog.words.text()
    choose(dialog, "icesphere-17g")
    assert "published 37 x 32 mm ±4/3" in dialog.words.text()
    assert "a guess" in dialog.numbers.toPlainText()


def test_every_control_has_a_name_for_a_screen_reader(dialog):
    dialog.copy.click()
    for window in (dialog, form_of(dialog)):
        for kind in (QLineEdit, QComboBox, QListWidget, QTextBrowser):
            for widget in window.findChildren(kind):
                assert widget.accessibleName(), widget
        for button in window.findChildren(QAbstractButton):
            assert button.text() or button.accessibleName() or not button.isVisible(), button


def test_the_list_is_walked_with_the_keyboard(dialog):
    choose(dialog, "generic-15g")
    dialog.list.setFocus()
    QTest.keyClick(dialog.list, Qt.Key.Key_Down)
    assert dialog.model.id == "iceforce-2.1mm"
    assert dialog.head.text() == "IceFORCE 2.1 CX"


def test_a_built_in_probe_can_be_copied_but_not_edited(dialog):
    choose(dialog, "generic-15g")
    assert not dialog.edit.isEnabled()
    assert not dialog.delete.isEnabled()
    dialog.copy.click()
    form = form_of(dialog)
    form.numbers["outer_diameter"].value.setText("1,9")
    form.numbers["outer_diameter"].source.setText("Label of the probe")
    form.texts["name"].setText("Ours")
    form.save.click()
    assert workflow.catalogue()["generic-15g-own"].outer_diameter.value == 1.9
    assert dialog.model.id == "generic-15g-own"
    assert dialog.edit.isEnabled()


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(dialog):
    dialog.copy.click()
    form = form_of(dialog)
    for key, text in (("outer_diameter", "183"), ("taper", "five"), ("shaft_length", "nan")):
        QTest.keyClick(form.numbers[key].value, "a", Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(form.numbers[key].value, text)
    form.numbers["tip_offset"].source.clear()
    form._show_faults()
    assert "0.5 to 12 mm" in form.numbers["outer_diameter"].fault.text()
    assert "not a number" in form.numbers["taper"].fault.text()
    assert form.numbers["shaft_length"].fault.text()
    assert form.numbers["tip_offset"].fault.text() == "Say where the number is from."
    assert not form.numbers["active_length"].fault.isVisible()
    form.id.setText("Not an id")
    form._show_faults()
    assert "small letters" in form.id_fault.text()
    form.save.click()
    assert form.isVisible()
    assert form.model is None
    assert not own_folder().exists()


def test_a_number_that_a_probe_need_not_have_can_be_left_out(dialog):
    dialog.copy.click()
    form = form_of(dialog)
    form.numbers["active_thaw_temperature"].has.setChecked(False)
    assert "belong together" in form.numbers["active_thaw_temperature"].fault.text()
    form.numbers["active_thaw_coefficient"].has.setChecked(False)
    assert not form.numbers["active_thaw_temperature"].value.isEnabled()
    form.save.click()
    assert workflow.catalogue()["generic-15g-own"].active_thaw_temperature is None


def test_numbers_are_read_with_comma_and_true_minus():
    assert as_number(" 1,83 ") == 1.83
    assert as_number("\N{MINUS SIGN}150") == -150.0
    assert as_number("1.5 mm") == "1.5 mm"


def test_a_changed_probe_makes_the_result_of_its_plan_out_of_date(desk: Desk):
    own()
    workspace = desk.workspace
    workspace.look_at_catalogue()
    workspace.edit("Model", edits.set_model(workspace.plan, "1", "mine"))
    desk.solve()
    assert workspace.state is State.CURRENT
    own(note="Another text")
    workspace.look_at_catalogue()
    assert workspace.state is State.OUT_OF_DATE
    desk.solve()
    assert workspace.state is State.CURRENT
    own(note="changed behind the window")
    workspace.request_simulation()
    assert workspace.state is State.SOLVING
    assert not workspace.is_current


def test_a_probe_of_the_plan_whose_file_is_gone_stays_and_that_is_said(desk: Desk, qtbot):
    own()
    workspace = desk.workspace
    workspace.look_at_catalogue()
    workspace.edit("Model", edits.set_model(workspace.plan, "1", "mine"))
    (own_folder() / "mine.toml").unlink()
    with qtbot.waitSignal(workspace.message) as told:
        workspace.look_at_catalogue()
    assert "gone" in told.args[0]
    assert "mine" in workspace.catalogue


def test_a_probe_of_the_open_plan_is_not_deleted_and_others_after_a_question(desk: Desk, dialog, monkeypatch):
    own()
    workspace = desk.workspace
    workspace.look_at_catalogue()
    workspace.edit("Model", edits.set_model(workspace.plan, "1", "mine"))
    dialog._follow("mine")
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    dialog.delete.click()
    assert "used by the open plan (probe 1)" in dialog.said.text()
    workspace.undo()
    workspace.edit("Model", edits.set_model(workspace.plan, "1", "generic-15g"))
    answer(monkeypatch, QMessageBox.StandardButton.Cancel)
    choose(dialog, "mine")
    dialog.delete.click()
    assert "mine" in workflow.catalogue()
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    dialog.delete.click()
    assert "mine" not in workflow.catalogue()
    assert dialog.model is not None


def test_the_ice_of_an_own_probe_is_solved_in_the_background(desk: Desk, dialog):
    taper = workflow.catalogue()["generic-15g"].taper
    own(taper=replace(taper, value=4.0))
    dialog._follow("mine")
    assert "background" in dialog.picture.text()
    job = desk.worker.last("shape")
    model = job.arguments["model"]
    assert model.id == "mine"
    shape = replace(
        gel_shapes.shipped_shape(workflow.catalogue()["generic-15g"]), key=gel_shapes.gel_key(model)
    )
    desk.worker.done("shape", shape)
    assert not dialog.picture.pixmap().isNull()
    assert dialog.words.text().startswith("No published size found.")
    assert dialog.save_picture.isEnabled()


def test_a_solve_that_is_given_up_is_said(desk: Desk, dialog):
    own(taper=replace(workflow.catalogue()["generic-15g"].taper, value=4.0))
    dialog._follow("mine")
    desk.worker.gave_up("shape")
    assert "not solved" in dialog.picture.text()
    assert not dialog.save_picture.isEnabled()


def test_import_and_export_go_through_files_and_a_wrong_one_is_refused(dialog, tmp_path, monkeypatch):
    path = tmp_path / "ours.toml"
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *_words: (str(path), ""))
    choose(dialog, "icesphere-17g")
    dialog.given.click()
    monkeypatch.setattr(module.QFileDialog, "getOpenFileName", lambda *_words: (str(path), ""))
    dialog.taken.click()
    assert dialog.model.id == "ours"
    answer(monkeypatch, QMessageBox.StandardButton.Cancel)
    before = (own_folder() / "ours.toml").stat().st_mtime_ns
    dialog.taken.click()
    assert (own_folder() / "ours.toml").stat().st_mtime_ns == before
    wrong = Path(tmp_path / "wrong.toml")
    wrong.write_text(
        path.read_text(encoding="utf-8").replace("value = 22.0", "value = 2200.0"), encoding="utf-8"
    )
    dialog.import_file(wrong)
    assert "wrong.toml: active_length is 2200 mm" in dialog.said.text()
    assert "wrong" not in workflow.catalogue()


def test_what_is_ticked_is_in_stock_and_the_model_list_follows(desk: Desk, dialog, qtbot):
    panel = ProbesPanel(desk.workspace, desk.view)
    qtbot.addWidget(panel)
    panel.show()
    desk.view.selected_probe = "1"
    models = next(b for b in panel.findChildren(QComboBox) if b.accessibleName() == "Probe model")
    qtbot.waitUntil(lambda: models.currentData() == "generic-15g")
    dialog.keep_stock.click()
    assert load_stock().models == set(workflow.catalogue())
    item = next(i for n in range(dialog.list.count()) if (i := dialog.list.item(n)).data(ID) == "generic-15g")
    item.setCheckState(Qt.CheckState.Unchecked)
    assert "generic-15g" not in load_stock().models
    assert "probe-not-in-stock" in {f.code for f in desk.workspace.rules}
    assert models.itemText(models.count() - 1) == "Generic 15G *, not in stock"
    assert models.currentData() == "generic-15g"
    dialog.keep_stock.click()
    assert load_stock().models is None
    assert "probe-not-in-stock" not in {f.code for f in desk.workspace.rules}


def test_a_locked_list_is_shown_as_locked(desk: Desk, tmp_path, monkeypatch, qtbot):
    write_stock(load_stock(tmp_path / "department.toml"), ["icesphere-17g"])
    monkeypatch.setenv("CRYOPLAN_STOCK", str(tmp_path / "department.toml"))
    found = CatalogueDialog(desk.workspace)
    qtbot.addWidget(found)
    assert not found.keep_stock.isEnabled()
    assert "department" in found.stock_line.text()
    item = found.list.item(0)
    assert not item.flags() & Qt.ItemFlag.ItemIsUserCheckable


def test_a_stock_list_that_cannot_be_written_is_said_and_shown_as_it_is(dialog, monkeypatch):
    def refuse(*_words):
        raise StoreError("The disk is full.", "Free some space.", code="disk-full")

    monkeypatch.setattr(module, "write_stock", refuse)
    dialog.keep_stock.click()
    assert "disk is full" in dialog.said.text()
    assert not dialog.keep_stock.isChecked()
