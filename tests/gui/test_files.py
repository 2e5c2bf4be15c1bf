"""Opening, saving and leaving cases in the window: nothing is lost, and nobody is asked without need."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QDialog, QFileDialog, QInputDialog, QMessageBox, QWidget

from cryoplan import workflow
from cryoplan.app import keeper as keeping
from cryoplan.app.jobs import Failure
from cryoplan.app.keeper import cases_folder
from cryoplan.app.log import log_folder, start_log, stop_log
from cryoplan.app.vacancy import Vacancy
from cryoplan.case.store import CaseStore, summary
from cryoplan.gui import theme
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.standing import OPEN_TO_WRITE
from cryoplan.plan.edits import nudge
from tests.support.desk import Desk, small_case
from tests.support.scenes import make_plan


class Canvas(QWidget):
    """A 3D view without OpenGL."""

    def __init__(self, _workspace, _view, _palette, _placing, parent) -> None:
        super().__init__(parent)


def make_window(desk: Desk, qapp, qtbot) -> MainWindow:
    made = MainWindow(desk.workspace, desk.view, theme.apply(qapp), Canvas)
    qtbot.addWidget(made, before_close_func=lambda _: setattr(made.files, "may_leave", lambda: True))
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def window(empty_desk: Desk, qapp, qtbot) -> MainWindow:
    return make_window(empty_desk, qapp, qtbot)


class Questions:
    """Message boxes that were shown, and the buttons to press in the next ones."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.answers: list[str] = []

    def answer(self, box: QMessageBox) -> int:
        self.seen.append(f"{box.text()} {box.informativeText()}")
        assert _words(box.defaultButton()) not in ("Delete", "Leave without them")
        wanted = self.answers.pop(0)
        next(b for b in box.buttons() if _words(b) == wanted).click()
        return 0


def _words(button) -> str:
    return button.text().replace("&", "")


@pytest.fixture
def questions(monkeypatch) -> Questions:
    made = Questions()
    monkeypatch.setattr(QMessageBox, "exec", lambda box: made.answer(box))
    return made


def named(monkeypatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(path), ""))


def edit(desk: Desk, by_mm: float = 0.5) -> None:
    workspace = desk.workspace
    workspace.edit(f"moved {by_mm} mm", nudge(workspace.plan, "1", (by_mm, 0.0, 0.0)))


def saved_case(desk: Desk, window: MainWindow, qtbot, monkeypatch, path: Path) -> Path:
    desk.open()
    named(monkeypatch, path)
    with qtbot.waitSignal(desk.workspace.saver.saved):
        window.actions_by_id["save-case"].trigger()
    qtbot.waitUntil(lambda: desk.workspace.keeper.kept.path == path)
    return path


def open_file(desk: Desk, window: MainWindow, path: Path) -> None:
    window.files.open_path(path)
    desk.worker.done("open", workflow.open_case(path))


def idle(window: MainWindow, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.case_files.is_busy and not window.shelf.is_looking)


def out_of_reach(path: Path) -> None:
    path.rename(path.with_name("pulled.cryoplan"))


# Saving -----------------------------------------------------------------------------------------------


def test_a_draft_asks_for_its_place_and_lives_there_from_then_on(
    window, empty_desk, qtbot, monkeypatch, tmp_path
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "mine.cryoplan")
    assert list(cases_folder().glob("*.cryoplan")) == []
    edit(empty_desk)
    assert empty_desk.workspace.keeper.settle()
    assert summary(path).entries == 2


def test_saving_a_case_that_has_its_place_says_that_all_is_saved(
    window, empty_desk, qtbot, monkeypatch, tmp_path
):
    saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "mine.cryoplan")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: pytest.fail("asked"))
    with qtbot.waitSignal(empty_desk.workspace.message) as said:
        window.actions_by_id["save-case"].trigger()
    assert said.args[0].startswith("All steps are saved already: mine.cryoplan in ")


def test_save_as_goes_on_in_the_new_file_and_leaves_the_old_one(
    window, empty_desk, qtbot, monkeypatch, tmp_path
):
    old = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "old.cryoplan")
    named(monkeypatch, tmp_path / "new.cryoplan")
    with qtbot.waitSignal(empty_desk.workspace.saver.saved):
        window.actions_by_id["save-as"].trigger()
    edit(empty_desk)
    assert empty_desk.workspace.keeper.settle()
    assert summary(tmp_path / "new.cryoplan").entries == 2
    assert summary(old).entries == 1


def test_a_copy_is_saved_while_work_goes_on_in_the_original(window, empty_desk, qtbot, monkeypatch, tmp_path):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "mine.cryoplan")
    named(monkeypatch, tmp_path / "copy.cryoplan")
    window.actions_by_id["copy-case"].trigger()
    idle(window, qtbot)
    edit(empty_desk)
    assert empty_desk.workspace.keeper.settle()
    assert (summary(path).entries, summary(tmp_path / "copy.cryoplan").entries) == (2, 1)


def test_a_case_that_is_open_elsewhere_is_not_written_over(window, empty_desk, qtbot, monkeypatch, tmp_path):
    workflow.save_case(tmp_path / "other.cryoplan", small_case(), make_plan())
    before = (tmp_path / "other.cryoplan").read_bytes()
    saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "mine.cryoplan")
    named(monkeypatch, tmp_path / "other.cryoplan")
    with CaseStore.open(tmp_path / "other.cryoplan"):
        window.actions_by_id["copy-case"].trigger()
        idle(window, qtbot)
        assert "is open for writing elsewhere" in window.banner.text
    assert (tmp_path / "other.cryoplan").read_bytes() == before


# Opening ----------------------------------------------------------------------------------------------


def test_a_second_window_opens_the_case_read_only_and_says_who_has_it(
    window, empty_desk, qapp, qtbot, monkeypatch, tmp_path
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "mine.cryoplan")
    second = Desk()
    try:
        other = make_window(second, qapp, qtbot)
        open_file(second, other, path)
        kept = second.workspace.keeper.kept
        assert kept.read_only
        qtbot.waitUntil(lambda: any("reading only" in text for text in other.notices.texts))
        said = next(text for text in other.notices.texts if "reading only" in text)
        assert "@" in said
        assert not other.actions_by_id["rename-case"].isEnabled()
    finally:
        second.workspace.close()


def test_one_click_opens_the_case_for_writing_once_the_other_writer_has_gone(
    window, empty_desk, qtbot, tmp_path
):
    path = tmp_path / "mine.cryoplan"
    workflow.save_case(path, small_case(), make_plan())
    workspace = empty_desk.workspace
    with CaseStore.open(path) as other:
        open_file(empty_desk, window, path)
        assert workspace.keeper.kept.read_only
        look_now(window, qtbot)
        assert OPEN_TO_WRITE not in buttons(window)
        other.rename("by the other one")
    look_now(window, qtbot)
    qtbot.waitUntil(lambda: OPEN_TO_WRITE in buttons(window))
    moved = nudge(make_plan(), make_plan().probes[0].name, (1.0, 0.0, 0.0))
    with workflow.CaseFile.open(path) as third:  # came and went before the click, and changed the plan
        third.record("Probe moved", case=third.case, plan=moved)
    click(window, OPEN_TO_WRITE)
    empty_desk.worker.done("open", workflow.open_case(path))
    qtbot.waitUntil(lambda: not workspace.keeper.kept.read_only)
    assert workspace.plan == moved
    assert workspace.keeper.kept.title == "by the other one"
    qtbot.waitUntil(lambda: not any("reading only" in text for text in window.notices.texts))


def test_the_case_stays_read_only_when_somebody_was_quicker_than_the_click(
    window, empty_desk, qtbot, tmp_path
):
    path = tmp_path / "mine.cryoplan"
    workflow.save_case(path, small_case(), make_plan())
    window.case_files.do("look", path)
    empty_desk.worker.done("open", workflow.open_case(path))
    qtbot.waitUntil(lambda: OPEN_TO_WRITE in buttons(window))
    with CaseStore.open(path):
        click(window, OPEN_TO_WRITE)
        empty_desk.worker.done("open", workflow.open_case(path))
        qtbot.waitUntil(lambda: empty_desk.workspace.keeper.kept.reason != "")
        assert empty_desk.workspace.keeper.kept.read_only


def look_now(window: MainWindow, qtbot) -> None:
    """Let the window look who has the file, without waiting for its next turn."""
    seen: list[object] = []
    for found in window.notices.findChildren(Vacancy):
        qtbot.waitUntil(lambda found=found: not found.is_looking)
        found._seen.connect(lambda *_: seen.append(None))
        found.look()
    qtbot.waitUntil(lambda: bool(seen))


def buttons(window: MainWindow) -> list[str]:
    return [button.text() for row in window.notices.rows for button in row.buttons]


def click(window: MainWindow, text: str) -> None:
    next(b for row in window.notices.rows for b in row.buttons if b.text() == text).click()


def test_a_case_opened_only_to_look_at_can_be_written_by_others(window, empty_desk, tmp_path):
    path = tmp_path / "a.cryoplan"
    workflow.save_case(path, small_case(), make_plan())
    window.case_files.do("look", path)
    empty_desk.worker.done("open", workflow.open_case(path))
    assert empty_desk.workspace.keeper.kept.read_only
    with CaseStore.open(path) as store:
        store.rename("by somebody else")


def test_an_opened_case_is_remembered_with_its_status(window, empty_desk, qtbot, monkeypatch):
    folder = cases_folder().parent / "ward"
    folder.mkdir(parents=True)
    path = saved_case(empty_desk, window, qtbot, monkeypatch, folder / "a.cryoplan")
    qtbot.waitUntil(lambda: len(window.shelf.recent.entries()) == 1)
    empty_desk.workspace.keeper.call(lambda file: file.store.approve("Dr Example")).result()
    qtbot.waitUntil(lambda: window.shelf.recent.entries()[0].status == "approved")
    (entry,) = window.shelf.recent.entries()
    assert (entry.path, entry.code) == (path, "TEST-1")


def test_a_case_that_was_only_looked_at_in_a_temporary_place_is_not_remembered(
    window, empty_desk, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    workflow.save_case(tmp_path / "attached.cryoplan", small_case(), make_plan())
    window.files.look_at(tmp_path / "attached.cryoplan")
    empty_desk.worker.done("open", workflow.open_case(tmp_path / "attached.cryoplan"))
    empty_desk.workspace.file_changed.emit()
    assert window.shelf.recent.entries() == ()


# Leaving ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["another case", "close case", "quit"])
def test_nobody_is_asked_when_all_is_on_the_disk(window, empty_desk, questions, way):
    empty_desk.open()
    edit(empty_desk)
    if way == "another case":
        empty_desk.workspace.open_demo()
        empty_desk.worker.done("demo", (small_case().changed(code="P-2"), make_plan()))
        assert empty_desk.workspace.case.code == "P-2"
    elif way == "close case":
        window.actions_by_id["close-case"].trigger()
        assert empty_desk.workspace.case is None
    else:
        assert window.close()
    assert questions.seen == []


@pytest.mark.parametrize("way", ["another case", "close case", "quit"])
def test_steps_that_are_not_on_the_disk_are_left_only_after_a_word(
    window, empty_desk, qtbot, monkeypatch, tmp_path, questions, way
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "stick.cryoplan")
    out_of_reach(path)
    edit(empty_desk)
    edit(empty_desk, 0.25)

    def leave() -> bool:
        if way == "another case":
            empty_desk.workspace.open_demo()
            empty_desk.worker.done("demo", (small_case().changed(code="P-2"), make_plan()))
            return empty_desk.workspace.case.code == "P-2"
        if way == "close case":
            window.actions_by_id["close-case"].trigger()
            return empty_desk.workspace.case is None
        return window.close()

    questions.answers.append("Stay with this case")
    assert not leave()
    assert questions.seen[0].startswith("2 steps are not on the disk: ")
    assert len(empty_desk.workspace.keeper.kept.waiting) == 2
    questions.answers.append("Leave without them")
    assert leave()
    assert len(questions.seen) == 2


class Hanging:
    """A place that takes the next write and does not answer until the test says so."""

    def __init__(self, monkeypatch, path: Path) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        record = workflow.CaseFile.record

        def slow(file, *words, **options):
            if file.store.path == path:
                self.reached.set()
                assert self.go.wait(60.0)
            return record(file, *words, **options)

        monkeypatch.setattr(workflow.CaseFile, "record", slow)


@pytest.mark.parametrize("way", ["close case", "quit"])
def test_leaving_without_the_steps_waits_for_no_place_that_hangs(
    window, empty_desk, qtbot, monkeypatch, tmp_path, questions, way
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "network.cryoplan")
    place = Hanging(monkeypatch, path)
    monkeypatch.setattr("cryoplan.gui.files.SETTLING_S", 0.01)
    waits: list[float] = []

    def wait(futures, timeout):
        waits.append(timeout)
        return concurrent.futures.wait(futures, timeout=min(timeout, 0.05))

    monkeypatch.setattr("cryoplan.app.keeper.wait", wait)
    edit(empty_desk)
    assert place.reached.wait(60.0)
    hanging = empty_desk.workspace.keeper._writer._thread
    saving = empty_desk.workspace.saver._thread
    joins: list[tuple[str, float | None]] = []
    join = threading.Thread.join

    def joined(thread, timeout=None):
        joins.append((thread.name, timeout))
        return join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", joined)
    try:
        questions.answers.append("Leave without them")
        if way == "quit":
            assert window.close()
            assert (saving.name, 0.0) in joins, "a result of a case that was left is not waited for"
        else:
            window.actions_by_id["close-case"].trigger()
            assert empty_desk.workspace.case is None
        assert hanging.is_alive(), "the place has not answered yet"
        assert len(questions.seen) == 1
        assert waits[0] == keeping.MOMENT_S
        assert keeping.MOMENT_S <= 0.25
        assert not place.go.is_set()
    finally:
        place.go.set()
        join(hanging, 60.0)
    assert not hanging.is_alive()
    with CaseStore.open(path):
        pass  # it was let go of when the place answered


def test_steps_can_be_saved_elsewhere_when_leaving(
    window, empty_desk, qtbot, monkeypatch, tmp_path, questions
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "stick.cryoplan")
    out_of_reach(path)
    edit(empty_desk)
    plan = empty_desk.workspace.plan
    named(monkeypatch, tmp_path / "safe.cryoplan")
    questions.answers.append("Save elsewhere...")
    window.actions_by_id["close-case"].trigger()
    assert empty_desk.workspace.case is None
    assert workflow.open_case(tmp_path / "safe.cryoplan").plan == plan


def test_trying_again_leaves_once_the_place_is_back(
    window, empty_desk, qtbot, monkeypatch, tmp_path, questions
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "stick.cryoplan")
    out_of_reach(path)
    edit(empty_desk)
    plan = empty_desk.workspace.plan

    def bring_back(box: QMessageBox) -> int:
        path.with_name("pulled.cryoplan").rename(path)
        return questions.answer(box)

    monkeypatch.setattr(QMessageBox, "exec", bring_back)
    questions.answers.append("Try again")
    window.actions_by_id["close-case"].trigger()
    assert empty_desk.workspace.case is None
    assert len(questions.seen) == 1
    assert workflow.open_case(path).plan == plan


@pytest.mark.parametrize("edited", [False, True])
def test_a_draft_stays_only_if_somebody_did_something_in_it(window, empty_desk, qtbot, edited):
    empty_desk.open()
    assert empty_desk.workspace.keeper.settle()
    if edited:
        edit(empty_desk)
    window.actions_by_id["close-case"].trigger()
    idle(window, qtbot)
    assert len(list(cases_folder().glob("*.cryoplan"))) == (1 if edited else 0)
    assert len(window.welcome.list.rows) == (1 if edited else 0)


def test_the_draft_of_a_session_that_only_looked_is_gone_when_the_window_is(window, empty_desk):
    empty_desk.open()
    assert empty_desk.workspace.keeper.settle()
    window.close()
    assert list(cases_folder().glob("*.cryoplan")) == []


# Whole cases ------------------------------------------------------------------------------------------


def test_a_new_title_is_a_step_that_can_be_undone(window, empty_desk, monkeypatch):
    empty_desk.open()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("  Segment   VII ", True))
    window.actions_by_id["rename-case"].trigger()
    keeper = empty_desk.workspace.keeper
    assert keeper.settle()
    assert keeper.kept.title == "Segment VII"
    assert keeper.undo_text == "Case renamed to Segment VII"
    empty_desk.workspace.undo()
    assert keeper.settle()
    assert keeper.kept.title == ""


def test_a_duplicate_is_a_draft_of_its_own_with_the_same_plan(
    window, empty_desk, qtbot, monkeypatch, tmp_path
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "mine.cryoplan")
    empty_desk.workspace.keeper.call(lambda file: file.store.approve("Dr Example")).result()
    for _ in range(2):
        window.actions_by_id["duplicate"].trigger()
        idle(window, qtbot)
    copies = [tmp_path / "mine copy.cryoplan", tmp_path / "mine copy 2.cryoplan"]
    assert summary(path).status == "approved"
    assert [(summary(c).status, summary(c).title) for c in copies] == [("draft", "Copy")] * 2
    assert workflow.open_case(copies[0]).plan == empty_desk.workspace.plan
    assert {row.path for row in window.shelf.rows} >= set(copies)


@pytest.mark.parametrize("answer", ["Cancel", "Delete"])
def test_a_case_is_deleted_only_after_the_question_that_names_it(
    window, empty_desk, qtbot, monkeypatch, questions, tmp_path, answer
):
    path = saved_case(empty_desk, window, qtbot, monkeypatch, tmp_path / "Meier.cryoplan")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("Segment VII", True))
    window.actions_by_id["rename-case"].trigger()
    empty_desk.workspace.keeper.settle()
    questions.answers.append(answer)
    window.actions_by_id["delete-case"].trigger()
    idle(window, qtbot)
    assert questions.seen[0].startswith("Delete case TEST-1 (Segment VII)?")
    assert "Meier" not in questions.seen[0]
    assert path.exists() is (answer == "Cancel")
    assert (empty_desk.workspace.case is None) is (answer == "Delete")
    if answer == "Delete":
        assert window.shelf.recent.entries() == ()
        assert [p.name for p in tmp_path.iterdir() if p.name.startswith("Meier")] == []


def test_a_case_that_somebody_has_open_is_not_deleted(window, qtbot, questions, tmp_path):
    path = tmp_path / "a.cryoplan"
    workflow.save_case(path, small_case(), make_plan())
    questions.answers.append("Delete")
    with CaseStore.open(path):
        window.case_files.do("delete", path)
        idle(window, qtbot)
    assert path.exists()
    assert "is open for writing elsewhere" in window.banner.text


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_deidentified_copy_holds_no_history_and_keeps_names_only_if_told(
    window, empty_desk, qtbot, monkeypatch, tmp_path, keep, is_open
):
    path = tmp_path / "mine.cryoplan"
    saved_case(empty_desk, window, qtbot, monkeypatch, path)
    edit(empty_desk)
    if not is_open:
        window.actions_by_id["close-case"].trigger()

    def answer(dialog: QDialog) -> int:
        assert any("Voxels are kept as they are" in child.text() for child in dialog.findChildren(QWidget)
                   if hasattr(child, "text"))  # fmt: skip
        dialog.findChild(QCheckBox).setChecked(keep)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(QDialog, "exec", answer)
    named(monkeypatch, tmp_path / "clean.cryoplan")
    window.case_files.do("deidentify", path)
    idle(window, qtbot)
    made = workflow.open_case(tmp_path / "clean.cryoplan")
    told = summary(tmp_path / "clean.cryoplan")
    assert told.entries == 1
    assert told.code != "TEST-1"
    names = [s.name for s in small_case().structures]
    assert ([s.name for s in made.case.structures] == names) is keep
    assert [p.tip_mm for p in made.plan.probes] == [p.tip_mm for p in workflow.open_case(path).plan.probes]


# Privacy ----------------------------------------------------------------------------------------------


def test_no_place_and_no_file_name_gets_into_the_log(
    window, empty_desk, qtbot, monkeypatch, questions, tmp_path
):
    start_log()
    try:
        folder = tmp_path / "Qzfolder"
        folder.mkdir()
        path = saved_case(empty_desk, window, qtbot, monkeypatch, folder / "Qzfamily.cryoplan")
        named(monkeypatch, folder / "Qzcopy.cryoplan")
        window.actions_by_id["copy-case"].trigger()
        idle(window, qtbot)
        window.actions_by_id["duplicate"].trigger()
        idle(window, qtbot)
        named(monkeypatch, folder / "Qzgone" / "Qzcopy.cryoplan")
        window.actions_by_id["copy-case"].trigger()
        idle(window, qtbot)
        assert "does not exist" in window.banner.text
        out_of_reach(path)
        edit(empty_desk)
        questions.answers.append("Leave without them")
        window.actions_by_id["close-case"].trigger()
        window.shelf.refresh()
        idle(window, qtbot)
    finally:
        stop_log()
    written = (
        "".join(p.read_text("utf-8") for p in log_folder().glob("*.log*")) if log_folder().exists() else ""
    )
    assert "Qz" not in written
    assert os.fspath(tmp_path) not in written


def test_a_mesh_without_axes_is_asked_about_with_the_guess_and_added_as_answered(
    empty_desk, window, questions
):
    empty_desk.open()
    for answer, axes in (("RAS: to the right and the front", "RAS"), ("Cancel", "")):
        window.files.add_path(Path("liver.stl"))
        questions.answers.append(answer)
        said = "liver.stl does not say. As RAS it would lie in the image."
        empty_desk.worker.failed("structures", Failure(what=said, remedy="", code="mesh-axes-unstated"))
        assert said in questions.seen[-1]
        assert empty_desk.worker.last("structures").arguments["mesh_axes"] == axes
