"""The export dialog: what can be exported, whose name is on it, and what would be replaced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox

from cryoplan.app.settings import Settings
from cryoplan.case.case import Case
from cryoplan.gui.dialogs.export import MOVED, NAMED, NO_STUDY, ExportDialog
from cryoplan.image.scan import Scan
from cryoplan.workflow.export import DICOM_KINDS, KINDS
from tests.support.scenes import small_case


def of_kind(kind: str, path: str = "") -> Case:
    case = small_case()
    facts = replace(case.scan.facts, kind=kind, path=path)
    return case.changed(scan=Scan(volume=case.scan.volume, facts=facts))


@pytest.fixture
def make(qtbot, tmp_path):
    def build(case: Case) -> ExportDialog:
        dialog = ExportDialog(case, Settings(tmp_path / "settings.json"))
        qtbot.addWidget(dialog)
        dialog.folder.setText(str(tmp_path / "out"))
        dialog.show()
        return dialog

    return build


def test_every_kind_has_a_box_and_all_are_wanted_at_first(make, tmp_path):
    dialog = make(of_kind("dicom-series", str(tmp_path)))
    assert set(dialog.boxes) == set(KINDS)
    assert dialog.kinds == tuple(dialog.boxes)
    assert dialog.about_names.text() == NAMED


def test_without_a_dicom_scan_its_kinds_are_not_offered_and_the_reason_is_said(make):
    dialog = make(of_kind("nifti"))
    assert not set(dialog.kinds) & set(DICOM_KINDS)
    assert set(dialog.kinds) == set(KINDS) - set(DICOM_KINDS)
    assert dialog.about_names.text() == NO_STUDY


def test_a_scan_that_was_moved_is_asked_for(make, tmp_path, monkeypatch):
    dialog = make(of_kind("dicom-series", str(tmp_path / "gone")))
    assert dialog.moved.text() == MOVED
    assert dialog.moved.isVisibleTo(dialog)
    assert dialog.moved.window() is dialog
    assert not set(dialog.kinds) & set(DICOM_KINDS)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(tmp_path))
    dialog._buttons["Folder of the scan"].click()
    assert set(DICOM_KINDS) <= set(dialog.kinds)
    assert dialog.wanted.image == tmp_path


def test_nothing_ticked_or_no_folder_is_no_export(make, tmp_path):
    dialog = make(of_kind("nifti"))
    assert dialog.accept_button.isEnabled()
    dialog.folder.setText("")
    assert not dialog.accept_button.isEnabled()
    dialog.folder.setText(str(tmp_path))
    for box in dialog.boxes.values():
        box.setChecked(False)
    assert not dialog.accept_button.isEnabled()


@pytest.mark.parametrize("yes", [True, False])
def test_files_that_are_there_are_replaced_only_after_a_yes(make, tmp_path, monkeypatch, yes):
    dialog = make(of_kind("nifti"))
    (tmp_path / "out" / "stl").mkdir(parents=True)
    (tmp_path / "out" / "stl" / "old.stl").write_text("old")
    asked: list[str] = []
    answer = QMessageBox.StandardButton.Yes if yes else QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **_k: asked.append(a[2]) or answer)
    dialog.accept()
    assert "stl/old.stl" in asked[0].replace("\\", "/")
    assert (dialog.result() == QDialog.DialogCode.Accepted) is yes
    assert dialog.wanted.replace is yes


def test_what_was_ticked_is_ticked_the_next_time(make, tmp_path):
    first = make(of_kind("nifti"))
    for name, box in first.boxes.items():
        box.setChecked(name in ("csv", "seg"))
    first.accept()
    # A DICOM scan is asked for what the one before could not give.
    assert make(of_kind("dicom-series", str(tmp_path))).kinds == ("seg", "csv")
    assert make(of_kind("nifti")).kinds == ("csv",)


def test_the_folder_is_named_by_the_code_of_the_case(qtbot, tmp_path):
    dialog = ExportDialog(small_case(), Settings(tmp_path / "settings.json"))
    qtbot.addWidget(dialog)
    assert Path(dialog.folder.text()).name.startswith(small_case().code)
