"""The case writer: whatever the disk does, the file is what memory was, in order, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cryoplan import workflow
from cryoplan.app import writer as writing
from cryoplan.app.steps import Step
from cryoplan.app.writer import CaseWriter
from cryoplan.case.case import Case
from cryoplan.case.history import Kind
from cryoplan.case.store import StoredResult
from cryoplan.case.store_lock import WriterLock
from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.plan.edits import rename_plan
from cryoplan.plan.plan import Plan
from tests.support.cases import ball, case, grid, scan, structure
from tests.support.failing_sqlite import DISK_FULL, IO_ERROR, READ_ONLY, failing_statements

LONG_S = 30.0
"""So long that only a thread that never answers takes it."""

WHERE = grid(size=(14, 12, 10))


def a_case(cyst_mm: float = 0.0) -> Case:
    parts = [structure("tumour", ball(WHERE, WHERE.centre_mm(), 6), Role.TUMOUR)]
    if cyst_mm:
        parts.append(structure("cyst", ball(WHERE, WHERE.centre_mm(), cyst_mm)))
    return case(scan(WHERE), *parts, target="tumour")


def plan(n: int) -> Plan:
    return rename_plan(Plan(), f"plan {n}")


class Hand:
    """Edits as the window does: it knows what it shows, and the writer keeps it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = CaseWriter(lambda: None)
        self.case, self.plan = a_case(), plan(0)

    def begin(self) -> Hand:
        self.writer.begin(self.path, self.case, self.plan).result(LONG_S)
        assert self.writer.settle(LONG_S)
        return self

    def edit(self, n: int, *, gesture: str | None = None, case: Case | None = None) -> None:
        before = (self.case, self.plan)
        self.plan, self.case = plan(n), case or self.case
        step = Step(text=f"Edit {n}", case=self.case, plan=self.plan, before=before, gesture=gesture)
        self.writer.record(step, lambda old, new: f"{old.name} to {new.name}")

    def undo(self) -> None:
        step = self.writer.take_back()
        state = step.before if step else self.writer.go(lambda file: file.undo()).result(LONG_S)
        self.case, self.plan = state

    def settled(self) -> None:
        assert self.writer.settle(LONG_S, again=True), self.writer.kept.trouble


def texts(path: Path) -> list[str]:
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert file.store.findings == ()
        return [entry.text for entry in file.history.entries]


def state(path: Path) -> tuple[str, Plan]:
    with workflow.CaseFile.open(path, read_only=True) as file:
        return file.case.digest(), file.plan


@pytest.fixture
def hand(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "AGAIN_S", 0.02)
    one = Hand(tmp_path / "a" / "case.cryoplan")
    yield one
    one.writer.close(LONG_S)


class Gate:
    """A disk that hangs: nothing is recorded while it is shut."""

    def __init__(self, monkeypatch) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()
        record = workflow.CaseFile.record

        def slow(file, *words, **options):
            self.reached.set()
            assert self.open.wait(LONG_S)
            return record(file, *words, **options)

        monkeypatch.setattr(workflow.CaseFile, "record", slow)

    def shut(self) -> None:
        self.reached.clear()
        self.open.clear()


@pytest.fixture
def gate(monkeypatch):
    one = Gate(monkeypatch)
    yield one
    one.open.set()


# Order, gestures, undo ------------------------------------------------------------------------------


def test_steps_reach_the_file_in_their_order(hand):
    hand.begin()
    for n in range(1, 21):
        hand.edit(n)
    hand.settled()
    assert texts(hand.path) == ["Case created", *(f"Edit {n}" for n in range(1, 21))]
    assert state(hand.path) == (hand.case.digest(), plan(20))


@pytest.mark.parametrize("settled_after", [(), (1,), (2,), (1, 2), (1, 2, 3)])
def test_a_gesture_is_one_step_whenever_its_parts_reach_the_disk(hand, settled_after):
    hand.begin()
    hand.edit(1)
    for part in (1, 2, 3):
        hand.edit(10 + part, gesture="drag")
        if part in settled_after:
            hand.settled()
    hand.settled()
    history = hand.writer.kept.history
    assert history.undo_text == "plan 1 to plan 13"
    hand.undo()
    assert state(hand.path)[1] == plan(1) == hand.plan


def test_a_gesture_goes_on_as_one_step_after_a_result_was_stored_or_the_case_moved(hand, tmp_path):
    hand.begin()
    hand.edit(1, gesture="drag")
    stored = StoredResult(key="k", header="", data=b"x")
    hand.writer.call(lambda file: file.put_stored(stored, text="Solved")).result(LONG_S)
    hand.edit(2, gesture="drag")
    hand.settled()
    hand.path = tmp_path / "moved.cryoplan"
    hand.writer.move(hand.path).result(LONG_S)
    hand.edit(3, gesture="drag")
    hand.settled()
    hand.undo()
    assert state(hand.path)[1] == plan(0) == hand.plan
    assert not hand.writer.kept.history.can_undo


def test_parts_of_a_gesture_that_hangs_are_one_step_and_taken_back_as_one(hand, gate):
    hand.begin()
    gate.shut()
    hand.edit(1, gesture="drag")
    hand.writer.settle(0.0)
    assert gate.reached.wait(LONG_S)
    hand.edit(2, gesture="drag")
    hand.edit(3, gesture="drag")
    kept = hand.writer.kept
    assert (len(kept.waiting), kept.continues) == (2, 1)
    assert hand.writer.take_back() is None, "its beginning is on its way to the disk"
    gate.open.set()
    hand.undo()
    assert state(hand.path)[1] == plan(0) == hand.plan


def test_a_gesture_back_to_its_start_leaves_no_step(hand):
    hand.begin()
    before = texts(hand.path)
    for n in (1, 2, 0):
        hand.edit(n, gesture="drag")
    hand.settled()
    assert texts(hand.path) == before
    hand.edit(1, gesture="other")
    hand.settled()
    hand.edit(0, gesture="other")
    hand.settled()
    assert not hand.writer.kept.history.can_undo
    hand.edit(5, gesture="other")
    hand.settled()
    hand.undo()
    assert state(hand.path)[1] == plan(0)


def test_undo_of_a_waiting_a_written_and_a_half_written_step_gives_the_state_before(hand):
    hand.begin()
    hand.edit(1)
    hand.edit(2, gesture="waits")
    hand.undo()
    assert hand.plan == plan(1)
    hand.edit(3, gesture="half")
    hand.settled()
    hand.edit(4, gesture="half")
    hand.undo()
    assert hand.plan == plan(1) == state(hand.path)[1]
    hand.undo()
    assert hand.plan == plan(0) == state(hand.path)[1]
    assert [hand.writer.go(lambda f: f.redo()).result(LONG_S)[1] for _ in range(2)] == [plan(1), plan(4)]
    assert "plan 1 to plan 2" not in texts(hand.path)


def test_case_and_plan_of_the_file_are_those_of_memory_whatever_was_taken_back_between(hand):
    hand.begin()
    hand.edit(1, gesture="a", case=a_case(4.0))
    hand.undo()
    hand.edit(2)
    hand.settled()
    assert state(hand.path) == (a_case().digest(), plan(2))


# Files ----------------------------------------------------------------------------------------------


def test_what_is_edited_while_a_large_image_is_written_is_not_lost(hand, monkeypatch):
    go, save = threading.Event(), workflow.save_case

    def slow(*words, **options):
        assert go.wait(LONG_S)
        save(*words, **options)

    monkeypatch.setattr(workflow, "save_case", slow)
    hand.writer.begin(hand.path, hand.case, hand.plan).result(LONG_S)
    for n in (1, 2, 3):
        hand.edit(n)
    hand.edit(4, gesture="drag")
    assert not hand.path.exists()
    assert len(hand.writer.kept.waiting) == 4
    go.set()
    hand.settled()
    assert texts(hand.path)[1:] == ["Edit 1", "Edit 2", "Edit 3", "Edit 4"]


def test_leaving_a_slow_file_writes_its_steps_there_and_the_next_ones_in_the_next_file(hand, gate, tmp_path):
    hand.begin()
    gate.shut()
    for n in (1, 2, 3):
        hand.edit(n)
    hand.edit(4, gesture="drag")
    first, hand.path = hand.path, tmp_path / "second.cryoplan"
    begun = hand.writer.begin(hand.path, a_case(3.0), plan(100))
    assert not begun.done()
    gate.open.set()
    begun.result(LONG_S)
    hand.case, hand.plan = a_case(3.0), plan(100)
    hand.edit(101)
    hand.settled()
    assert texts(first)[1:] == ["Edit 1", "Edit 2", "Edit 3", "Edit 4"]
    assert texts(hand.path)[1:] == ["Edit 101"]
    hand.writer.attach(first, a_case(), plan(4)).result(LONG_S)
    hand.case, hand.plan = a_case(), plan(4)
    hand.edit(5)
    hand.settled()
    hand.writer.leave().result(LONG_S)
    assert texts(first)[-1] == "Edit 5"
    assert texts(hand.path)[1:] == ["Edit 101"]
    with WriterLock.take(first):
        assert hand.writer.kept.path is None


def test_attaching_a_file_that_was_changed_since_it_was_read_says_so(hand, tmp_path):
    hand.begin()
    hand.writer.leave().result(LONG_S)
    with workflow.CaseFile.open(hand.path) as other:
        other.record("Theirs", plan=plan(50))
    with pytest.raises(StoreError) as caught:
        hand.writer.attach(hand.path, hand.case, hand.plan).result(LONG_S)
    assert caught.value.code == "case-file-changed"
    hand.edit(1)
    hand.writer.move(tmp_path / "mine.cryoplan").result(LONG_S)
    hand.settled()
    assert state(tmp_path / "mine.cryoplan")[1] == plan(1)
    assert texts(hand.path)[-1] == "Theirs"


def test_close_writes_what_waits_even_after_trouble(hand, monkeypatch):
    hand.begin()
    with failing_statements(monkeypatch) as faults:
        hand.writer.move(hand.path.with_name("b.cryoplan")).result(LONG_S)
        monkeypatch.setattr(writing, "AGAIN_S", 1000.0)
        faults.arm(1, DISK_FULL)
        hand.edit(1)
        faults.arm(0, DISK_FULL)
    hand.edit(2, gesture="drag")
    assert hand.writer.kept.trouble.code == "disk-full"
    assert hand.writer.close(LONG_S)
    assert texts(hand.path.with_name("b.cryoplan"))[1:] == ["Edit 1", "Edit 2"]
    assert hand.writer.call(lambda _: 0).exception(LONG_S) is not None, "no answer would hang the caller"


def test_a_hanging_disk_blocks_no_edit_and_they_arrive_in_order(hand, gate):
    # Any edit that waits for the disk would wait for the gate, which opens only after all of them.
    hand.begin()
    gate.shut()
    for n in range(1, 6):
        hand.edit(n)
    assert hand.writer.kept.trouble is None
    assert len(hand.writer.kept.waiting) == 5
    gate.open.set()
    hand.settled()
    assert texts(hand.path)[1:] == [f"Edit {n}" for n in range(1, 6)]


def test_after_abandoning_a_hanging_file_its_steps_still_arrive_and_it_is_freed(hand, gate):
    hand.begin()
    gate.shut()
    hand.edit(1)
    hand.edit(2)
    queued = hand.writer.call(lambda _: 0)
    hand.writer.abandon()
    assert isinstance(queued.exception(LONG_S), StoreError)
    gate.open.set()
    hand.writer._thread.join(LONG_S)
    assert texts(hand.path)[1:] == ["Edit 1", "Edit 2"]
    with WriterLock.take(hand.path):
        pass


# Faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [DISK_FULL, IO_ERROR, READ_ONLY], ids=["full", "io", "read-only"])
@pytest.mark.parametrize("after", [False, True], ids=["not done", "done all the same"])
def test_whichever_statement_fails_nothing_is_lost_and_the_order_kept(hand, monkeypatch, reason, after):
    with failing_statements(monkeypatch) as faults:
        hand.begin()
        number, failed, wanted = 0, 0, ["Case created"]
        while True:
            number += 1
            faults.arm(number, reason, after=after)
            for n in (1, 2):
                hand.edit(10 * number + n, case=a_case(3.0 + (number + n) % 3))
                wanted.append(f"Edit {10 * number + n}")
            hand.settled()
            reached = len(faults.seen) >= number
            faults.arm(0, reason)
            assert state(hand.path) == (hand.case.digest(), hand.plan)
            if not reached:
                break
            failed += 1
        assert failed >= 8
        assert hand.writer.kept.trouble is None
    assert texts(hand.path) == wanted


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done all the same"])
def test_whichever_statement_of_undo_fails_the_file_is_what_memory_is(hand, monkeypatch, after):
    with failing_statements(monkeypatch) as faults:
        hand.begin()
        hand.edit(1, case=a_case(4.0))
        number, failed = 0, 0
        while True:
            number += 1
            hand.edit(number + 1, case=a_case(3.0 + number % 2))
            hand.settled()
            faults.arm(number, IO_ERROR, after=after)
            said = []
            try:
                hand.undo()
            except StoreError as error:
                said.append(error.code)
            failed += len(said)
            assert said in ([], ["case-place-gone"])
            reached = len(faults.seen) >= number
            faults.arm(0, IO_ERROR)
            hand.edit(1000 + number)
            hand.settled()
            assert state(hand.path) == (hand.case.digest(), hand.plan)
            if not reached:
                break
        assert failed > 3


def test_a_step_that_arrived_though_it_failed_and_was_taken_back_is_not_in_the_file(hand, monkeypatch):
    with failing_statements(monkeypatch) as faults:
        hand.begin()
        hand.edit(1)
        hand.settled()
        monkeypatch.setattr(writing, "AGAIN_S", 1000.0)
        faults.arm(0, IO_ERROR)
        hand.edit(2, case=a_case(3.0))
        hand.settled()
        commit = 1 + max(i for i, words in enumerate(faults.seen) if words == "COMMIT")
        faults.arm(commit, IO_ERROR, after=True)
        hand.edit(3, case=a_case(4.0))
        hand.writer.settle(LONG_S)
        assert hand.writer.kept.trouble is not None
        assert state(hand.path)[1] == plan(3), "it did arrive"
        hand.undo()
        assert hand.plan == plan(2)
        faults.arm(0, IO_ERROR)
        hand.writer.retry()
        hand.writer.call(lambda _: 0).result(LONG_S)
    assert state(hand.path) == (a_case(3.0).digest(), plan(2))


def wait_for_trouble(hand: Hand) -> str:
    hand.writer.settle(LONG_S)
    kept = hand.writer.kept
    assert kept.waiting
    assert kept.trouble is not None
    assert kept.trouble.what
    assert kept.trouble.remedy
    return kept.trouble.code


def renamed_away(path: Path) -> Callable[[], None]:
    away = path.parent.with_name("away")
    path.parent.rename(away)
    return lambda: away.rename(path.parent)


def removed_and_put_back(path: Path) -> Callable[[], None]:
    data = path.read_bytes()
    path.unlink()
    return lambda: path.write_bytes(data) and None


def replaced_and_put_back(path: Path) -> Callable[[], None]:
    kept = path.with_name("kept")
    path.rename(kept)
    path.write_bytes(b"something else")
    return lambda: kept.replace(path) and None


@pytest.mark.parametrize("break_it", [renamed_away, removed_and_put_back, replaced_and_put_back])
def test_when_the_place_is_back_everything_is_written(hand, break_it):
    hand.begin()
    hand.edit(1)
    bring_back = break_it(hand.path)
    hand.edit(2)
    assert wait_for_trouble(hand) in ("case-file-gone", "not-a-case-file")
    hand.edit(3)
    hand.edit(4, gesture="drag")
    bring_back()
    hand.settled()
    assert texts(hand.path)[1:] == ["Edit 1", "Edit 2", "Edit 3", "Edit 4"]
    assert hand.writer.kept.trouble is None
    hand.undo()
    assert state(hand.path)[1] == plan(3)


@pytest.mark.parametrize("break_it", [renamed_away, removed_and_put_back, replaced_and_put_back])
def test_saved_elsewhere_a_lost_file_keeps_its_history_and_all_steps(hand, break_it, tmp_path):
    hand.begin()
    hand.edit(1)
    break_it(hand.path)
    hand.edit(2)
    wait_for_trouble(hand)
    hand.edit(3)
    place = tmp_path / "elsewhere.cryoplan"
    hand.writer.move(place, remove_old=True).result(LONG_S)
    hand.settled()
    assert texts(place) == ["Case created", "Edit 1", "Edit 2", "Edit 3"]
    if break_it is replaced_and_put_back:
        assert hand.path.read_bytes() == b"something else", "what somebody else put there is not removed"


def say(hand: Hand) -> None:
    """Write down what only the document and the history hold."""

    def words(file: workflow.CaseFile) -> None:
        file.record("Words", title="Left lobe", notes="near the dome", limits={"margin_mm": [5.0, 3.0]})
        file.store.approve("Dr. A")
        file.store.set_status("treated")

    hand.writer.call(words).result(LONG_S)


def said(path: Path) -> tuple[object, ...]:
    with workflow.CaseFile.open(path, read_only=True) as file:
        approval = file.history.approval
        by = "" if approval is None else approval.entry.person
        store = file.store
        return store.title, store.notes, store.limits, store.status, by


ALL_SAID = ("Left lobe", "near the dome", {"margin_mm": [5.0, 3.0]}, "treated", "Dr. A")


def spoilt(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


def test_title_notes_limits_and_approval_go_on_elsewhere_when_only_memory_is_left(hand, tmp_path):
    hand.begin()
    hand.edit(1)
    say(hand)
    spoilt(hand.path)
    place = tmp_path / "elsewhere.cryoplan"
    hand.writer.move(place).result(LONG_S)
    assert said(place) == ALL_SAID
    kept = hand.writer.kept
    assert (kept.title, kept.notes, kept.status) == ("Left lobe", "near the dome", "treated")
    assert texts(place)[-1] == "Continued after case.cryoplan was out of reach"
    assert texts(place)[:2] == ["Case created", "Edit 1"]
    hand.edit(2)
    hand.settled()
    assert said(place) == (*ALL_SAID[:3], "draft", ""), "a change withdraws the approval there as anywhere"
    hand.undo()
    hand.undo()
    hand.undo()
    assert state(place)[1] == plan(0) == hand.plan


def test_steps_whose_structures_were_lost_with_the_file_say_so_and_the_others_can_be_gone_to(hand, tmp_path):
    hand.begin()
    hand.edit(1, case=a_case(cyst_mm=3.0))
    hand.edit(2, case=a_case())
    hand.settled()
    spoilt(hand.path)
    place = tmp_path / "elsewhere.cryoplan"
    hand.writer.move(place).result(LONG_S)
    with pytest.raises(StoreError) as caught:
        hand.writer.go(lambda file: file.undo()).result(LONG_S)
    assert caught.value.code == "step-without-structures"
    assert "cyst" in caught.value.what
    assert state(place) == (hand.case.digest(), plan(2)), "nothing was changed by that"
    assert hand.writer.kept.trouble is None
    hand.case, hand.plan = hand.writer.go(lambda file: file.go_to(1)).result(LONG_S)
    assert state(place) == (a_case().digest(), plan(0))
    hand.edit(3)
    hand.settled()
    assert state(place)[1] == plan(3)


def test_a_file_that_can_not_be_read_any_more_goes_on_from_memory_elsewhere(hand, monkeypatch, tmp_path):
    hand.begin()
    hand.edit(1, gesture="drag")
    hand.settled()
    with failing_statements(monkeypatch):
        hand.path.write_bytes(b"\0" * hand.path.stat().st_size)
        hand.edit(2, gesture="drag")
        assert wait_for_trouble(hand) in ("not-a-case-file", "case-file-damaged")
    place = tmp_path / "elsewhere.cryoplan"
    hand.writer.move(place, remove_old=True).result(LONG_S)
    hand.settled()
    assert state(place) == (hand.case.digest(), plan(2))
    assert texts(place)[-2] == "Continued after case.cryoplan was out of reach"
    assert hand.path.exists(), "structures of earlier steps are only there"
    hand.undo()
    assert hand.plan == plan(1) == state(place)[1]


def test_a_file_that_others_changed_is_not_written_over(hand):
    hand.begin()
    with sqlite3.connect(hand.path) as stranger:
        stranger.execute('UPDATE "case" SET entries = 9')
    stranger.close()
    hand.edit(1)
    assert wait_for_trouble(hand) == "case-file-changed"


def test_a_new_case_in_a_place_that_does_not_take_it_waits_for_a_better_one(hand, tmp_path):
    (tmp_path / "a").write_text("a file where a folder should be")
    hand.writer.begin(hand.path, hand.case, hand.plan).result(LONG_S)
    hand.edit(1)
    assert wait_for_trouble(hand) == "folder-missing"
    assert isinstance(hand.writer.go(lambda f: f.undo()).exception(LONG_S), StoreError), "not left hanging"
    hand.edit(2)
    hand.path = tmp_path / "better.cryoplan"
    hand.writer.move(hand.path).result(LONG_S)
    hand.settled()
    assert texts(hand.path) == ["Case created", "Edit 1", "Edit 2"]


def test_a_full_disk_keeps_the_edits_until_there_is_room(hand):
    hand.begin()

    def limit(pages: int | None) -> None:
        def work(file):
            connection = file.store._connection
            (now,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages or now}")

        hand.writer.call(work).result(LONG_S)

    # The next mask does not fit. A new handle has no limit, so this full disk has room at the next attempt.
    limit(None)
    seen: list[str] = []
    told, hand.writer._told = (
        hand.writer._told,
        lambda: seen.append(getattr(hand.writer._kept.trouble, "code", "")),
    )
    for n in range(1, 60):
        hand.edit(n, case=a_case(3.0 + n / 30))
    hand.settled()
    hand.writer._told = told
    assert "disk-full" in seen
    assert texts(hand.path)[1:] == [f"Edit {n}" for n in range(1, 60)]
    assert state(hand.path) == (hand.case.digest(), hand.plan)


def test_an_error_that_nobody_expected_is_said_and_does_not_end_the_writing(hand, monkeypatch):
    hand.begin()
    record, failures = workflow.CaseFile.record, [ZeroDivisionError("x")]

    def broken(file, *words, **options):
        if failures:
            raise failures.pop()
        return record(file, *words, **options)

    monkeypatch.setattr(workflow.CaseFile, "record", broken)
    hand.edit(1)
    hand.settled()
    assert failures == []
    assert texts(hand.path)[1:] == ["Edit 1"]


# Two writers ----------------------------------------------------------------------------------------


def test_the_second_one_reads_only_and_is_told_who_has_it(hand):
    hand.begin()
    second = CaseWriter(lambda: None)
    try:
        second.attach(hand.path, hand.case, hand.plan).result(LONG_S)
        kept = second.kept
        assert kept.read_only
        assert f"{os.uname().nodename}" in kept.reason
        hand.edit(1)
        assert texts(hand.path)[1:] == ["Edit 1"]
        with pytest.raises(StoreError) as caught:
            second.call(lambda file: file.record("x", kind=Kind.EXPORT)).result(LONG_S)
        assert caught.value.code == "case-read-only"
    finally:
        second.close(LONG_S)


# A small disk of its own ----------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A folder that is a disk of 400 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("needs mount")
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_without_room_keeps_the_edits_until_there_is_some(small_disk, hand):
    hand.path = small_disk / "case.cryoplan"
    hand.begin()
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))
    hand.edit(1, case=a_case(4.0))
    assert wait_for_trouble(hand) == "disk-full"
    hand.edit(2, case=a_case(3.0))
    hand.edit(3)
    ballast.unlink()
    hand.settled()
    assert texts(hand.path)[1:] == ["Edit 1", "Edit 2", "Edit 3"]
    assert state(hand.path) == (hand.case.digest(), hand.plan)


@pytest.fixture
def protect():
    """A way to protect a file or folder so that even the superuser cannot write it."""
    done: list[Path] = []

    def work(path: Path) -> None:
        command = ["chattr", "+i", str(path)]
        if (
            shutil.which("chattr") is None
            or subprocess.run(command, capture_output=True, check=False).returncode
        ):
            pytest.skip("this disk or user cannot protect a file")
        done.append(path)

    yield work
    for path in done:
        subprocess.run(["chattr", "-i", str(path)], check=True)


def test_a_write_protected_file_is_opened_read_only_and_says_why(hand, protect):
    hand.begin()
    hand.writer.leave().result(LONG_S)
    protect(hand.path)
    hand.writer.attach(hand.path, hand.case, hand.plan).result(LONG_S)
    kept = hand.writer.kept
    assert kept.read_only
    assert kept.reason


def test_a_folder_that_becomes_write_protected_is_left_with_all_edits_and_their_history(
    hand, protect, tmp_path
):
    hand.begin()
    hand.edit(1)
    protect(hand.path.parent)
    hand.edit(2)
    assert wait_for_trouble(hand) == "not-writable"
    hand.edit(3)
    hand.writer.move(tmp_path / "elsewhere.cryoplan").result(LONG_S)
    hand.settled()
    assert texts(tmp_path / "elsewhere.cryoplan")[1:] == ["Edit 1", "Edit 2", "Edit 3"]
