"""Keeper, saver and workspace: undo, redo and reopening give the states of a plain list; results go along."""

from __future__ import annotations

import itertools
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from cryoplan import workflow
from cryoplan.app import saver as saving
from cryoplan.app.state import State
from cryoplan.core.errors import StoreError
from cryoplan.plan import edits
from tests.support.desk import Desk, small_case
from tests.support.scenes import make_plan

pytestmark = pytest.mark.usefixtures("qapp")

LONG_MS = 30_000
ROOT = Path(__file__).parents[2]


def file_of(desk: Desk) -> Path:
    workspace = desk.workspace
    assert workspace.keeper.settle()
    path = workspace.keeper.kept.path
    assert path is not None
    return path


def reopen(desk: Desk, path: Path) -> None:
    """Open a case file the way the background process answers that it has read one."""
    desk.workspace.open_case_file(path)
    # What is on its way into the file is waited for.
    while desk.workspace.saver.is_busy:
        QTest.qWait(5)
    desk.worker.done("open", workflow.open_case(path))


def rename(desk: Desk, name: str, gesture: str | None = None) -> None:
    workspace = desk.workspace
    workspace.edit(f"Renamed to {name}", edits.rename_plan(workspace.plan, name), gesture=gesture)


# Undo over the border between memory and disk ---------------------------------------------------------


def test_redo_takes_the_same_way_back_over_steps_on_the_disk_and_in_memory(desk):
    workspace = desk.workspace
    first = workspace.case
    workspace.set_target("body")
    desk.worker.done("target", workflow.choose_target(first, "body"))
    rename(desk, "dragged", gesture="drag")
    before = workspace.plan
    workspace.undo()
    workspace.undo()
    assert workspace.case.target_name == first.target_name
    workspace.redo()
    assert workspace.case.target_name == "body", "what was undone last is made again first"
    assert workspace.plan.name != "dragged"
    workspace.redo()
    assert workspace.plan == before
    assert not workspace.keeper.can_redo
    path = file_of(desk)
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert (file.case.target_name, file.plan) == ("body", before)


class Steps(RuleBasedStateMachine):
    """The workspace beside a list of states and a place in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.data, os.environ["XDG_DATA_HOME"] = os.environ.get("XDG_DATA_HOME"), str(self.folder)
        self.numbers = itertools.count(1)
        self.gesture: str | None = None
        self.desk = Desk()
        self.desk.open(plan=edits.rename_plan(make_plan(), "start"))
        self.states = [self.shown()]
        self.at = 0

    def teardown(self) -> None:
        self.desk.workspace.close()
        if self.data is None:
            del os.environ["XDG_DATA_HOME"]
        else:
            os.environ["XDG_DATA_HOME"] = self.data
        shutil.rmtree(self.folder)

    def shown(self) -> tuple[str, str, object]:
        workspace = self.desk.workspace
        names = ",".join(s.name for s in workspace.case.structures)
        return (workspace.case.target_name, names, workspace.plan)

    def arrive(self) -> None:
        workspace = self.desk.workspace
        while workspace._travel.is_under_way:
            QCoreApplication.processEvents()

    def made(self) -> None:
        del self.states[self.at + 1 :]
        self.states.append(self.shown())
        self.at += 1

    @rule()
    def edit(self):
        self.gesture = None
        rename(self.desk, f"plan {next(self.numbers)}")
        self.made()

    @rule(goes_on=st.booleans())
    def drag(self, goes_on):
        n = next(self.numbers)
        if goes_on and self.gesture is not None:
            rename(self.desk, f"plan {n}", gesture=self.gesture)
            self.states[self.at] = self.shown()
            return
        self.gesture = f"drag {n}"
        rename(self.desk, f"plan {n}", gesture=self.gesture)
        self.made()

    @rule()
    def target(self):
        self.gesture = None
        workspace = self.desk.workspace
        name = next(s.name for s in workspace.case.structures if s.name != workspace.case.target_name)
        workspace.set_target(name)
        self.desk.worker.done("target", workflow.choose_target(workspace.case, name))
        self.made()

    @rule()
    def structures(self):
        self.gesture = None
        workspace, case = self.desk.workspace, self.desk.workspace.case
        workspace.add_structures(Path("labels.nii.gz"))
        new = edits.replace(case.structures[0], name=f"structure {next(self.numbers)}")
        self.desk.worker.done("structures", case.changed(structures=(*case.structures, new)))
        self.made()

    @precondition(lambda self: self.at > 0)
    @rule()
    def undo(self):
        self.gesture = None
        self.desk.workspace.undo()
        self.arrive()
        self.at -= 1

    @precondition(lambda self: self.at + 1 < len(self.states))
    @rule()
    def redo(self):
        self.gesture = None
        self.desk.workspace.redo()
        self.arrive()
        self.at += 1

    # What was taken back before it was on the disk is nowhere else, so it can only be had by redo.
    @precondition(lambda self: not self.desk.workspace.keeper._taken_back)
    @rule(where=st.integers(0, 100))
    def go_to(self, where):
        self.gesture = None
        assert self.desk.workspace.keeper.settle()
        line = self.desk.workspace.keeper.kept.history.line
        assert len(line) == len(self.states)
        self.at = where % len(line)
        self.desk.workspace.go_to(line[self.at])
        self.arrive()

    @precondition(lambda self: not self.desk.workspace.keeper._taken_back)
    @rule()
    def reopen(self):
        self.gesture = None
        reopen(self.desk, file_of(self.desk))

    @rule()
    def settle(self):
        path = file_of(self.desk)
        with workflow.CaseFile.open(path, read_only=True) as file:
            assert file.store.findings == ()
            assert file.case.digest() == self.desk.workspace.case.digest()
            assert file.plan == self.desk.workspace.plan

    @rule()
    def save_elsewhere(self):
        workspace, path = self.desk.workspace, self.folder / f"{next(self.numbers)}.cryoplan"
        workspace.save_case_file(path)
        while workspace.saver.is_busy:
            QCoreApplication.processEvents()
        assert workspace.keeper.kept.path == path

    @invariant()
    def the_window_shows_what_the_list_says(self):
        keeper = self.desk.workspace.keeper
        assert self.shown() == self.states[self.at]
        assert keeper.undo_count == self.at
        assert keeper.can_undo == (self.at > 0)
        assert keeper.can_redo == (self.at + 1 < len(self.states))


TestSteps = Steps.TestCase
TestSteps.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


# Results --------------------------------------------------------------------------------------------


def keys(path: Path) -> tuple[str, ...]:
    with workflow.CaseFile.open(path, read_only=True) as file:
        return file.store.result_keys()


def test_a_solved_plan_that_is_opened_again_is_current_with_the_same_numbers(desk, qtbot):
    desk.solve()
    workspace = desk.workspace
    lowest, judged = workspace.result.minimum_degc.values.copy(), workspace.assessment
    workspace.saver._store_quietly()
    path = file_of(desk)
    qtbot.waitUntil(lambda: len(keys(path)) == 1, timeout=LONG_MS)
    workspace.set_case(None)
    assert workspace.state is State.EMPTY
    reopen(desk, path)
    assert workspace.state is State.CURRENT
    assert workspace.result.minimum_degc.values.tobytes() == lowest.tobytes()
    assert workspace.assessment.coverage == judged.coverage
    assert workspace.keeper.kept.history.entries[-1].text == "Solved on a grid of 1 mm"


def test_a_result_that_is_a_second_old_is_stored_when_the_window_closes():
    desk = Desk()
    desk.open()
    desk.solve()
    path = file_of(desk)
    assert keys(path) == ()
    assert desk.workspace.close()
    assert keys(path) == (desk.workspace.result.key,)
    assert workflow.open_case(path).result is not None


class Packing:
    """A result that takes as long to be packed as the test says."""

    def __init__(self, monkeypatch) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        pack = workflow.stored_result

        def slow(*words):
            self.begun.set()
            assert self.go.wait(LONG_MS / 1000)
            return pack(*words)

        monkeypatch.setattr(saving.workflow, "stored_result", slow)


@pytest.fixture
def packing(monkeypatch):
    one = Packing(monkeypatch)
    yield one
    one.go.set()


def test_an_edit_while_a_result_is_packed_never_stores_it_under_another_question(desk, packing, qtbot):
    desk.solve()
    workspace = desk.workspace
    question = workspace.result.key
    workspace.saver._store_quietly()
    assert packing.begun.wait(LONG_MS / 1000)
    workspace.edit("move", edits.nudge(workspace.plan, "1", (0.0, 0.0, 3.0)))
    packing.go.set()
    path = file_of(desk)
    qtbot.waitUntil(lambda: len(keys(path)) == 1, timeout=LONG_MS)
    assert keys(path) == (question,)
    assert workflow.open_case(path).result is None, "it is not the answer to the plan of now"
    workspace.undo()
    assert workflow.open_case(path).result.key == question


@pytest.mark.parametrize("same_patient", [False, True])
def test_another_file_that_is_opened_while_a_result_is_packed_does_not_get_it(desk, packing, same_patient):
    desk.solve()
    workspace = desk.workspace
    workspace.saver._store_quietly()
    assert packing.begun.wait(LONG_MS / 1000)
    case = small_case() if same_patient else small_case().changed(code="P-2")
    workspace.set_case(case, make_plan())
    rename(desk, "worth keeping")
    path = file_of(desk)
    packing.go.set()
    assert workspace.close()
    assert keys(path) == ()


def test_closing_while_a_result_is_packed_waits_for_it(desk, packing):
    desk.solve()
    workspace, path = desk.workspace, file_of(desk)
    workspace.saver._store_quietly()
    assert packing.begun.wait(LONG_MS / 1000)
    threading.Timer(0.05, packing.go.set).start()
    assert workspace.close()
    assert len(keys(path)) == 1


def test_a_case_is_saved_elsewhere_with_its_result_while_the_old_place_is_gone(desk, qtbot, tmp_path):
    desk.solve()
    workspace = desk.workspace
    file_of(desk).unlink()
    rename(desk, "after the loss")
    workspace.undo()
    place = tmp_path / "elsewhere.cryoplan"
    with qtbot.waitSignal(workspace.saver.saved, timeout=LONG_MS):
        workspace.save_case_file(place)
    assert workspace.keeper.settle()
    opened = workflow.open_case(place)
    assert opened.plan == workspace.plan
    assert opened.result.key == workspace.result.key
    assert workspace.keeper.kept.trouble is None


def test_a_case_that_is_moved_without_its_result_says_what_is_there_and_what_is_not(
    desk, qtbot, tmp_path, monkeypatch
):
    desk.solve()
    workspace = desk.workspace
    rename(desk, "moved")
    file_of(desk)
    place, saved = tmp_path / "elsewhere.cryoplan", []
    workspace.saver.saved.connect(saved.append)

    def full(*_words, **_options):
        raise StoreError("The disk is full.", "Make room.", code="disk-full")

    with monkeypatch.context() as patch, qtbot.waitSignal(workspace.failed, timeout=LONG_MS) as told:
        patch.setattr(workflow.CaseFile, "put_stored", full)
        workspace.save_case_file(place)
    failure = told.args[0]
    assert (failure.code, failure.place) == ("results-not-saved", place.name)
    assert failure.what == (
        f"The case is saved as {place.name} with all its steps; "
        "the temperatures are not in it: The disk is full."
    )
    assert saved == []
    assert file_of(desk) == place
    assert (workflow.open_case(place).plan.name, keys(place)) == ("moved", ())
    with qtbot.waitSignal(workspace.saver.saved, timeout=LONG_MS):
        workspace.save_case_file(place)
    assert keys(place) == (workspace.result.key,)


def test_a_result_that_found_no_room_when_its_case_was_moved_is_tried_again_at_the_end(
    desk, qtbot, tmp_path, monkeypatch
):
    desk.solve()
    workspace, place = desk.workspace, tmp_path / "elsewhere.cryoplan"

    def full(*_words, **_options):
        raise StoreError("The disk is full.", "Make room.", code="disk-full")

    with monkeypatch.context() as patch, qtbot.waitSignal(workspace.failed, timeout=LONG_MS):
        patch.setattr(workflow.CaseFile, "put_stored", full)
        workspace.save_case_file(place)
    assert workspace.close()
    assert keys(place) == (workspace.result.key,)


def test_a_place_that_cannot_be_written_is_said_and_the_case_stays_where_it_is(desk, qtbot, tmp_path):
    workspace, path = desk.workspace, file_of(desk)
    with qtbot.waitSignal(workspace.failed, timeout=LONG_MS) as told:
        workspace.save_case_file(tmp_path / "missing" / "a.cryoplan")
    assert told.args[0].code == "folder-missing"
    rename(desk, "goes on")
    assert file_of(desk) == path
    assert workflow.open_case(path).plan.name == "goes on"


# A disk that hangs ----------------------------------------------------------------------------------


def test_a_case_is_left_and_the_next_one_kept_while_the_disk_of_the_first_hangs(desk, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr("cryoplan.app.keeper.LEAVING_S", 0.2)
    record = workflow.CaseFile.record

    def slow(file, *words, **options):
        assert file.store.path != first or go.wait(LONG_MS / 1000)
        return record(file, *words, **options)

    first = file_of(desk)
    monkeypatch.setattr(workflow.CaseFile, "record", slow)
    rename(desk, "hangs")
    rename(desk, "waits")
    thread = desk.workspace.keeper._writer._thread
    desk.workspace.set_case(small_case().changed(code="P-2"), make_plan())
    rename(desk, "second")
    second = file_of(desk)
    assert workflow.open_case(second).plan.name == "second"
    go.set()
    thread.join(LONG_MS / 1000)
    assert workflow.open_case(first).plan.name == "waits", "what waited is written when the disk goes on"
    with workflow.CaseFile.open(first):
        pass


def test_a_case_whose_disk_hangs_is_saved_elsewhere_from_memory_with_all_steps(
    desk, monkeypatch, qtbot, tmp_path
):
    go = threading.Event()
    monkeypatch.setattr("cryoplan.app.keeper.LEAVING_S", 0.2)
    rename(desk, "written")
    desk.workspace.write_notes("near the dome")
    first = file_of(desk)
    desk.workspace.keeper.call(lambda file: file.store.rename("Left lobe")).result()
    desk.workspace.keeper.call(lambda file: file.store.approve("Dr. A")).result()
    record = workflow.CaseFile.record

    def slow(file, *words, **options):
        assert file.store.path != first or go.wait(LONG_MS / 1000)
        return record(file, *words, **options)

    monkeypatch.setattr(workflow.CaseFile, "record", slow)
    workspace, place = desk.workspace, tmp_path / "elsewhere.cryoplan"
    rename(desk, "hangs")
    rename(desk, "waits")
    thread = workspace.keeper._writer._thread
    try:
        with monkeypatch.context() as patch, qtbot.waitSignal(workspace.saver.saved, timeout=LONG_MS):
            patch.setattr(workspace.keeper, "settle", lambda: False)  # saves the test ten seconds
            workspace.save_case_file(place)
        rename(desk, "goes on")
        assert file_of(desk) == place
        with workflow.CaseFile.open(place, read_only=True) as file:
            done = [entry.text for entry in file.history.entries]
            assert (file.store.title, file.store.notes) == ("Left lobe", "near the dome")
            assert file.history.approvals[0].entry.person == "Dr. A"
            assert file.store.findings == ()
        assert done == [
            "Case created",
            "Renamed to written",
            "Notes changed",
            "Case renamed to Left lobe",
            "Plan approved",
            f"Continued after {first.name} was out of reach",
            "Renamed to hangs",
            "Approval by Dr. A withdrawn by: Renamed to hangs",
            "Renamed to waits",
            "Renamed to goes on",
        ]
    finally:
        go.set()
        thread.join(LONG_MS / 1000)
    assert not thread.is_alive()
    with workflow.CaseFile.open(first) as file:
        assert file.plan.name in ("written", "hangs")


def test_a_file_that_goes_while_it_is_opened_lives_on_elsewhere_with_title_notes_and_history(
    desk, qtbot, tmp_path
):
    workspace = desk.workspace
    rename(desk, "written")
    workspace.write_notes("near the dome")
    path = file_of(desk)
    workspace.keeper.call(lambda file: file.store.rename("Left lobe")).result()
    workspace.keeper.call(lambda file: file.store.approve("Dr. A")).result()
    workspace.set_case(None)
    read = pickle.loads(pickle.dumps(workflow.open_case(path)))  # as the background process answers
    path.unlink()
    with qtbot.waitSignal(workspace.failed, timeout=LONG_MS):
        workspace.open_case_file(path)
        desk.worker.done("open", read)
    kept = workspace.keeper.kept
    assert (kept.path, kept.title, kept.notes) == (None, "Left lobe", "near the dome")
    rename(desk, "goes on")
    place = tmp_path / "elsewhere.cryoplan"
    with qtbot.waitSignal(workspace.saver.saved, timeout=LONG_MS):
        workspace.save_case_file(place)
    assert file_of(desk) == place
    with workflow.CaseFile.open(place, read_only=True) as file:
        assert (file.store.title, file.store.notes) == ("Left lobe", "near the dome")
        assert file.plan.name == "goes on"
        assert file.store.findings == ()
        assert [entry.text for entry in file.history.entries] == [
            "Case created",
            "Renamed to written",
            "Notes changed",
            "Case renamed to Left lobe",
            "Plan approved",
            "Continued in a file of its own",
            "Renamed to goes on",
            "Approval by Dr. A withdrawn by: Renamed to goes on",
        ]


# Two windows ----------------------------------------------------------------------------------------

HOLD = """
import sys
from pathlib import Path
from cryoplan import workflow
with workflow.CaseFile.open(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX")
def test_a_case_open_elsewhere_is_shown_read_only_until_that_program_is_killed(desk):
    path = file_of(desk)
    workspace = desk.workspace
    rename(desk, "kept")
    workspace.set_case(None)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == "open\n"
        reopen(desk, path)
        kept = workspace.keeper.kept
        assert kept.read_only
        assert "since" in kept.reason
        failures: list[object] = []
        workspace.failed.connect(failures.append)
        plan = workspace.plan
        rename(desk, "not taken")
        assert workspace.plan == plan
        assert [f.code for f in failures] == ["case-read-only"]
        with pytest.raises(StoreError):
            workspace.keeper.undo()
        other.send_signal(signal.SIGKILL)
        other.wait()
    reopen(desk, path)
    assert not workspace.keeper.kept.read_only
    rename(desk, "taken")
    assert workflow.open_case(file_of(desk)).plan.name == "taken"
