"""From a path to a case: the dialog fills, refused ones say why, warnings ask, another patient asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox, QTreeWidgetItem, QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Finding, Level
from cryoplan.gui import opening as opening_module
from cryoplan.gui import theme
from cryoplan.gui.banner import Notices
from cryoplan.gui.dialogs import consent as consent_module
from cryoplan.gui.dialogs.consent import ConsentDialog
from cryoplan.gui.dialogs.open_series import OpenSeriesDialog
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.opening import ask_another_patient
from cryoplan.gui.parts import Text
from cryoplan.image.series import PathDescription, SeriesDescription
from cryoplan.image.survey import Sketch, Sketches, Thumbnail
from cryoplan.plan.edits import nudge
from cryoplan.workflow import consent
from tests.support import hostile, hostile_dicom
from tests.support.desk import small_case
from tests.support.playing import GRID, Played

WAIT_MS = 60_000
MISSING = Finding(level=Level.FAIL, code="missing-slice", text="Slice 17 is missing.", place="B")
TILT = Finding(level=Level.WARN, code="gantry-tilt", text="The slices are sheared by 18 degrees.", place="C")


class FlatCanvas(QWidget):
    """A 3D view without OpenGL."""

    def __init__(self, workspace, view, palette, placing, parent) -> None:
        del workspace, view, palette, placing
        super().__init__(parent)


@pytest.fixture
def window(empty_desk, qapp, qtbot):
    made = MainWindow(empty_desk.workspace, empty_desk.view, theme.apply(qapp), FlatCanvas)
    made.files.opening.make_surveying = Played
    qtbot.addWidget(made)
    made.show()
    yield made
    made.files.opening.close()


def series(uid: str, *findings: Finding, **more) -> SeriesDescription:
    words = {
        "kind": "dicom-series", "path": "x", "folder": "/in/one", "uid": uid, "modality": "CT", "grid": GRID,
        "description": f"series {uid}", "patient_code": "P-AAAA0001", "study_uid": "1", "findings": findings,
        "studied_on": "2024-05-17", "study_description": "Abdomen",
    }  # fmt: skip
    return SeriesDescription(**(words | more))


def folder(*found: SeriesDescription, findings=()) -> PathDescription:
    return PathDescription(path="/in", kind="dicom-series", series=found, findings=findings)


def begin(window: MainWindow, path: Path, found: PathDescription | None = None) -> OpenSeriesDialog:
    """Point the window at a path, and tell what is there."""
    window.files.open_path(path)
    dialog = window.files.opening.dialog
    if found is not None:
        dialog._surveying.found.emit(found)
    return dialog


def loads(window: MainWindow) -> list[dict]:
    return [j.arguments for j in window.workspace._errands._worker.jobs if j.kind == "load"]


def texts(dialog: QWidget) -> str:
    return "\n".join(t.text() for t in dialog.findChildren(Text))


def lines(dialog: OpenSeriesDialog) -> list[tuple[int, str]]:
    """Return the tree as depth and first text."""

    def walk(item: QTreeWidgetItem, depth: int):
        for n in range(item.childCount()):
            yield depth, item.child(n).text(0)
            yield from walk(item.child(n), depth + 1)

    return list(walk(dialog.tree.invisibleRootItem(), 0))


# The dialog -----------------------------------------------------------------------------------------


def test_the_dialog_stands_before_anything_is_read_and_counts_while_it_is(window, tmp_path):
    dialog = begin(window, tmp_path)
    assert dialog.isVisible()
    assert not dialog.open_button.isEnabled()
    sketch = Sketch(
        patient_code="P-AAAA0001", study_uid="1", study_description="Abdomen", studied_on="2024-05-17",
        series_uid="1.1", modality="CT", description="portal", images=7,
    )  # fmt: skip
    dialog._surveying.found.emit(Sketches(series=(sketch,), files=9))
    assert lines(dialog) == [(0, "P-AAAA0001"), (1, "2024-05-17 · Abdomen"), (2, "portal")]
    assert "9 files, 1 series so far" in dialog.state.text()
    assert not dialog.open_button.isEnabled()


def test_phases_of_one_study_stand_together_and_what_is_no_image_comes_last(window, tmp_path):
    report = series("9", kind="dicom-other", what="a dose report", grid=None, description="Dose")
    found = folder(
        report, series("3", series_number="3"), series("4", patient_code="P-BBBB0002", study_uid="2"),
        series("2", series_number="2"), series("5", MISSING, series_number="1"),
    )  # fmt: skip
    dialog = begin(window, tmp_path, found)
    shown = [(depth, text.split("\n")[0]) for depth, text in lines(dialog)]
    assert shown == [
        (0, "P-AAAA0001"), (1, "2024-05-17 · Abdomen"), (2, "series 2"), (2, "series 3"), (2, "series 5"),
        (2, "Dose"), (0, "P-BBBB0002"), (1, "2024-05-17 · Abdomen"), (2, "series 4"),
    ]  # fmt: skip


def test_the_newest_examination_comes_first_and_one_without_a_date_last(window, tmp_path):
    dates = ("2023-01-02", "", "2024-05-17")
    found = folder(*[
        series(str(n), study_uid=str(n), studied_on=date, study_description="")
        for n, date in enumerate(dates)
    ])  # fmt: skip
    dialog = begin(window, tmp_path, found)
    assert [text for depth, text in lines(dialog) if depth == 1] == [
        "2024-05-17", "2023-01-02", "Examination without a date",
    ]  # fmt: skip


def test_what_the_user_chose_while_it_was_read_stays_chosen(window, tmp_path):
    def sketch(uid: str) -> Sketch:
        return Sketch(
            patient_code="P-AAAA0001", study_uid="1", study_description="", studied_on="2024-05-17",
            series_uid=uid, modality="CT", description=f"series {uid}", images=7,
        )  # fmt: skip

    dialog = begin(window, tmp_path)
    tell = dialog._surveying.found.emit
    tell(Sketches(series=(sketch("1"),), files=7))
    QTest.mouseClick(
        dialog.tree.viewport(),
        Qt.MouseButton.LeftButton,
        pos=dialog.tree.visualItemRect(dialog.tree.topLevelItem(0).child(0).child(0)).center(),
    )
    tell(Sketches(series=(sketch("1"), sketch("2")), files=14))
    tell(folder(series("2", description="portal"), series("1")))
    assert dialog.chosen.uid == "1"


def test_a_series_shows_kind_slices_thickness_position_and_verdict(window, tmp_path):
    tilted = series("1", TILT, thickness_mm=4.0, patient_position="FFP", part="echo=2.3", has_contrast=True)
    dialog = begin(window, tmp_path, folder(tilted, series("2", MISSING)))
    dialog.select(0)
    item = dialog.tree.selectedItems()[0]
    assert [item.text(n) for n in range(6)] == [
        "series 1\necho 2.3, contrast", "CT", "60", "4 / 5", "feet first, prone",
        "! after a yes: Tilted gantry",
    ]  # fmt: skip
    assert "The slices are sheared by 18 degrees." in texts(dialog)


def test_the_best_candidate_is_chosen_until_the_user_chooses(window, tmp_path):
    native, portal = series("1", description="native"), series("2", description="portal venous")
    dialog = begin(window, tmp_path, folder(native, portal))
    assert dialog.chosen.uid == "2"
    assert dialog.open_button.isEnabled()
    QTest.keyClick(dialog.tree, Qt.Key.Key_Up)
    assert dialog.chosen.uid == "1"
    dialog._surveying.found.emit(Thumbnail(number=0, pixels=np.full((100, 128), 90, np.uint8)))
    assert dialog.chosen.uid == "1"
    assert dialog.picture.pixmap().width() == 128


def test_a_refused_series_says_why_and_what_to_do_and_cannot_be_opened(window, tmp_path):
    dialog = begin(window, tmp_path, folder(series("1", MISSING), series("2")))
    dialog.select(0)
    assert dialog.tree.selectedItems()[0].text(5) == "✕ refused: missing slice"
    assert dialog.chosen is None
    assert not dialog.open_button.isEnabled()
    assert "Slice 17 is missing. Export the series again" in texts(dialog)
    dialog._choose()
    assert dialog.isVisible()
    assert loads(window) == []


def test_the_keyboard_goes_through_the_series_opens_and_gives_up(window, tmp_path):
    found = folder(series("1"), series("2", patient_code="P-B", study_uid="2"), series("3", study_uid="3"))
    dialog = begin(window, tmp_path, found)
    seen = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        QTest.keyClick(dialog.tree, key)
        seen.append(dialog.chosen.uid)
    assert seen == ["3", "2", "2", "3"]  # past the lines of patients and studies, and not off the end
    QTest.keyClick(dialog.tree, Qt.Key.Key_Return)
    assert [load["series_uid"] for load in loads(window)] == ["3"]
    again = begin(window, tmp_path, found)
    QTest.keyClick(again.tree, Qt.Key.Key_Escape)
    assert window.files.opening.dialog is None
    assert again._surveying.cancelled()
    assert len(loads(window)) == 1


def test_a_double_click_opens_a_series_and_does_nothing_on_a_patient(window, tmp_path):
    dialog = begin(window, tmp_path, folder(series("1"), series("2")))
    dialog.tree.itemDoubleClicked.emit(dialog.tree.topLevelItem(0), 0)
    assert dialog.isVisible()
    dialog.tree.itemDoubleClicked.emit(dialog.tree.selectedItems()[0], 0)
    assert [load["series_uid"] for load in loads(window)] == ["1"]


def test_names_of_patients_are_hidden_until_asked_for_and_can_be_hidden_again(window, tmp_path):
    dialog = begin(window, tmp_path, folder(series("1"), series("2")))
    assert not dialog.names.isChecked()
    dialog.names.click()
    assert dialog._surveying.asked == [{"P-AAAA0001"}]
    dialog._surveying.named.emit({"P-AAAA0001": "Kowalska (77)"})
    assert dialog.tree.topLevelItem(0).text(0) == "P-AAAA0001  ·  Kowalska (77)"
    dialog.names.click()
    assert dialog.tree.topLevelItem(0).text(0) == "P-AAAA0001"


@pytest.mark.parametrize(
    ("found", "opened"),
    [
        ([series("1")], ["1"]),
        ([series("1"), series("9", kind="dicom-other", what="a dose report", grid=None)], ["1"]),
        ([series("1", MISSING)], []),
        ([series("1", MISSING), series("2")], []),
        ([series("1", TILT)], []),
        ([series("1"), series("2")], []),
    ],
    ids=["one", "one and a report", "refused", "one is refused", "needs a yes", "two"],
)
def test_just_one_clean_series_opens_at_once(window, tmp_path, found, opened):
    dialog = begin(window, tmp_path, folder(*found))
    assert [load["series_uid"] for load in loads(window)] == opened
    assert (window.files.opening.dialog is None) is bool(opened)
    if not opened:
        assert dialog.isVisible()


def test_the_narrowest_folder_is_read_only_where_nothing_was_found(window, tmp_path):
    damaged = Finding(level=Level.WARN, code="damaged-file", text="1 damaged file.", place="x")
    begin(window, tmp_path, folder(series("1")))
    assert loads(window)[-1]["path"] == Path("/in/one")
    dialog = begin(window, tmp_path, folder(series("1"), findings=(damaged,)))
    answer_consent(dialog, yes=True)
    assert loads(window)[-1]["path"] == tmp_path
    assert loads(window)[-1]["accept"] == ("damaged-file",)


def test_an_image_file_opens_without_a_dialog(window, tmp_path):
    window.files.open_path(tmp_path / "liver.nii.gz")
    assert window.files.opening.dialog is None
    assert loads(window)[-1]["path"] == tmp_path / "liver.nii.gz"


def test_a_path_with_nothing_to_open_says_so_above_the_views(window, tmp_path):
    dialog = begin(window, tmp_path)
    dialog._surveying.failed.emit(Failure(what="The folder is empty.", remedy="Choose another."))
    assert window.files.opening.dialog is None
    assert "The folder is empty. Choose another." in window.banner.text


def test_a_second_path_takes_the_place_of_the_first(window, tmp_path):
    first = begin(window, tmp_path)
    second = begin(window, tmp_path)
    assert first._surveying.cancelled()
    assert window.files.opening.dialog is second


def test_a_segmentation_that_is_opened_beside_a_case_is_added_to_it(window, empty_desk, tmp_path):
    empty_desk.open()
    found = PathDescription(path="x", kind="dicom-seg", series=(series("1", kind="dicom-seg"),))
    begin(window, tmp_path / "seg.dcm", found)
    assert empty_desk.worker.last("structures").arguments["path"] == tmp_path / "seg.dcm"


# Consent --------------------------------------------------------------------------------------------


def answer_consent(dialog: OpenSeriesDialog, *, yes: bool, by_key: bool = False) -> str:
    """Press Open, and answer the question that comes; return what it said."""
    said = []

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, ConsentDialog)
        said.append(texts(box))
        if by_key:
            QTest.keyClick(box, Qt.Key.Key_Escape)
        else:
            (box.yes if yes else box.no).click()

    QTimer.singleShot(0, press)
    dialog.open_button.click()
    return said[0]


def test_a_repair_is_asked_about_in_plain_words_and_opened_with_its_code(window, tmp_path):
    dialog = begin(window, tmp_path, folder(series("1", TILT)))
    said = answer_consent(dialog, yes=True)
    terms = consent.terms("gantry-tilt")
    for words in (TILT.text, terms.does, terms.means, consent_module.RECORDED):
        assert words in said
    assert loads(window) == [
        {"path": tmp_path, "series_uid": "1", "structures": (), "accept": ("gantry-tilt",)}
    ]


@pytest.mark.parametrize("by_key", [False, True], ids=["button", "Esc"])
def test_a_no_leads_back_to_the_list_and_leaves_the_case_as_it_was(window, empty_desk, tmp_path, by_key):
    empty_desk.open()
    before = (empty_desk.workspace.case, empty_desk.workspace.plan)
    dialog = begin(window, tmp_path, folder(series("1", TILT)))
    answer_consent(dialog, yes=False, by_key=by_key)
    assert dialog.isVisible()
    assert loads(window) == []
    assert (empty_desk.workspace.case, empty_desk.workspace.plan) == before


def test_no_is_the_answer_that_enter_gives(qtbot):
    dialog = ConsentDialog([TILT], "portal")
    qtbot.addWidget(dialog)
    dialog.show()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Rejected


@pytest.mark.parametrize("yes", [True, False])
def test_what_shows_only_while_reading_is_asked_about_then(window, empty_desk, tmp_path, monkeypatch, yes):
    asked = []
    monkeypatch.setattr(opening_module, "ask_consent", lambda findings, _t, _p: asked.append(findings) or yes)
    window.files.open_path(tmp_path / "liver.nii.gz")
    empty_desk.worker.failed("load", Failure(what="?", remedy="?", code="extra-bytes", to_agree=(TILT,)))
    assert asked == [(TILT,)]
    assert len(loads(window)) == 1 + yes
    assert loads(window)[-1]["accept"] == (("gantry-tilt",) if yes else ())
    assert not window.banner.isVisible()


def test_a_case_that_was_repaired_says_so_above_the_views_for_good(empty_desk, qtbot):
    case = small_case()
    facts = replace(case.scan.facts, findings=(TILT,))
    notices = Notices(empty_desk.workspace)
    qtbot.addWidget(notices)
    empty_desk.open(case.changed(scan=replace(case.scan, facts=facts)))
    qtbot.waitUntil(lambda: bool(notices.texts))
    assert notices.texts == ["Opened with your consent: gantry tilt straightened."]
    assert [b.text() for row in notices.rows for b in row.buttons] == []
    empty_desk.open(case)
    qtbot.waitUntil(lambda: not notices.texts)


# Another patient --------------------------------------------------------------------------------------


@pytest.fixture
def worked_on(window, empty_desk, qtbot):
    """A case with one step in its history."""
    assert window.workspace is empty_desk.workspace
    empty_desk.open()
    workspace = empty_desk.workspace
    workspace.edit("Probe 1 moved", nudge(workspace.plan, "1", (1.0, 0.0, 0.0)))
    qtbot.waitUntil(lambda: workspace.keeper.undo_count == 1)
    return empty_desk


@pytest.mark.parametrize("yes", [True, False])
def test_an_image_of_another_patient_asks_before_it_takes_the_place_of_work(
    window, worked_on, tmp_path, monkeypatch, yes
):
    asked = []
    monkeypatch.setattr(
        opening_module, "ask_another_patient", lambda *words, **more: asked.append((words, more)) or yes
    )
    before = worked_on.workspace.case
    begin(window, tmp_path, folder(series("1")))
    assert [words for words, _ in asked] == [("P-AAAA0001", before.code, 1)]
    assert len(loads(window)) == yes
    if yes:  # once is enough
        other = small_case().changed(code="P-AAAA0001")
        worked_on.worker.done("load", other)
        assert worked_on.workspace.case is other
        assert len(asked) == 1
    else:
        assert worked_on.workspace.case is before
        assert worked_on.workspace.keeper.undo_count == 1


def test_the_same_patient_and_a_case_without_work_are_no_question(worked_on, monkeypatch):
    monkeypatch.setattr(opening_module, "ask_another_patient", lambda *_w, **_m: pytest.fail("asked"))
    for code in (worked_on.workspace.case.code, "P-OTHER"):
        worked_on.workspace.open_image(Path(code))
        worked_on.worker.done("load", small_case().changed(code=code))
        assert worked_on.workspace.case.code == code


def test_a_file_that_names_no_patient_is_asked_about_once_it_is_read(window, worked_on, monkeypatch):
    asked = []
    monkeypatch.setattr(
        opening_module, "ask_another_patient", lambda *_w, **more: asked.append(more["known"]) or False
    )
    before = worked_on.workspace.case
    window.files.open_path(Path("/in/liver.nii.gz"))
    worked_on.worker.done("load", small_case().changed(code="P-NIFTI"))
    assert asked == [False]
    assert worked_on.workspace.case is before


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("known", [True, False])
def test_the_question_names_both_pseudonyms_and_stays_by_default(known):
    said = []

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        said.append(f"{box.text()} {box.informativeText()}")
        box.defaultButton().click()

    QTimer.singleShot(0, press)
    assert not ask_another_patient("P-B", "P-A", 3, known=known)
    assert all(words in said[0] for words in ("P-A", "P-B", "3 steps", "empty plan"))
    assert ("another patient" in said[0]) is known


# The whole way, with processes ------------------------------------------------------------------------


@pytest.fixture
def real(qapp, qtbot):
    workspace = Workspace()
    made = MainWindow(workspace, ViewState(), theme.apply(qapp), FlatCanvas)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.files.opening.close()
    workspace.close()


def described(window: MainWindow, qtbot) -> OpenSeriesDialog:
    qtbot.waitUntil(lambda: window.files.opening.dialog.found is not None, timeout=WAIT_MS)
    return window.files.opening.dialog


def test_a_tilted_series_goes_through_the_window_with_a_yes_into_history_and_banner(real, tmp_path, qtbot):
    hostile_dicom.CASES["gantry tilt"].make(tmp_path / "in")
    real.files.open_path(tmp_path / "in")
    answer_consent(described(real, qtbot), yes=True)
    workspace = real.workspace
    qtbot.waitUntil(lambda: workspace.case is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(workspace.keeper.kept.history.entries), timeout=WAIT_MS)
    assert "gantry-tilt" in workspace.keeper.kept.history.entries[0].text
    qtbot.waitUntil(lambda: bool(real.notices.texts))
    path, digest = workspace.keeper.kept.path, workspace.case.digest()
    assert workspace.keeper.settle()
    workspace.save_case_file(tmp_path / "kept.cryoplan")
    qtbot.waitUntil((tmp_path / "kept.cryoplan").exists, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not workspace.is_busy, timeout=WAIT_MS)
    del path
    real.files.close_case()
    assert workspace.case is None
    workspace.open_case_file(tmp_path / "kept.cryoplan")
    qtbot.waitUntil(lambda: workspace.case is not None, timeout=WAIT_MS)
    assert workspace.case.digest() == digest
    qtbot.waitUntil(lambda: real.notices.texts[:1] == ["Opened with your consent: gantry tilt straightened."])
    qtbot.waitUntil(lambda: not workspace.is_busy, timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("patient", "sentence"),
    [
        ("SECRET-ID-77", "was drawn in another frame of reference than the image"),
        ("OTHER", "is of another patient"),
    ],
    ids=["frame of reference", "patient"],
)
def test_structures_of_another_place_or_patient_are_refused_in_the_window(
    real, tmp_path, qtbot, patient, sentence
):
    mine = hostile.Series(series_uid="1.2.1", frame_uid="1.2.91")
    mine.write(tmp_path / "mine")
    other = hostile.Series(series_uid="1.2.2", frame_uid="1.2.92", study_uid="1.2.82", patient_id=patient)
    scans = other.write(tmp_path / "other")
    masks = np.zeros((len(scans), hostile.ROWS, hostile.COLUMNS), np.uint8)
    masks[3:6, 10:20, 10:20] = 1
    hostile.segmentation(scans, masks, tmp_path / "seg.dcm")
    workspace = real.workspace
    workspace.open_image(tmp_path / "mine")
    qtbot.waitUntil(lambda: workspace.case is not None and not workspace.is_busy, timeout=WAIT_MS)
    real.files.open_path(tmp_path / "seg.dcm")
    qtbot.waitUntil(lambda: bool(real.banner.text), timeout=WAIT_MS)
    assert sentence in real.banner.text
    assert workspace.case.structures == ()


def test_the_real_images_are_listed_and_one_of_them_opens(real, data_root, qtbot):
    real.files.open_path(data_root)
    dialog = described(real, qtbot)
    found = dialog.found
    by_patient = {s.patient_code for s in found.series if s.patient_code}
    assert len(by_patient) == 8
    (tilted,) = [n for n, s in enumerate(found.series) if s.verdict == "warn"]
    assert dialog.chosen.verdict == "ok"
    assert dialog.chosen.modality == "CT"
    assert {s.what for s in found.series if s.kind == "rtstruct"} == {"a DICOM structure set (contours)"}
    dialog.select(tilted)
    assert "18.5 degrees" in texts(dialog)
    mr = next(n for n, s in enumerate(found.series) if s.description == "AX T2")
    dialog.select(mr)
    dialog.open_button.click()
    workspace = real.workspace
    qtbot.waitUntil(lambda: workspace.case is not None and not workspace.is_busy, timeout=WAIT_MS)
    assert workspace.case.scan.facts.description == "AX T2"
    assert workspace.case.code == found.series[mr].patient_code
