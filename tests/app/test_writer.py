"""The case writer: whatever the disk does, the file is what memory was, in order, and nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cryoplan import workflow
from cryoplan.app import writer as writing
from cryoplan.core.errors import StoreError
from tests.support.failing_sqlite import DISK_FULL, IO_ERROR, READ_ONLY, failing_statements
from tests.support.writing import LONG_S, a_case, plan, state, texts, wait_for_trouble


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
    assert texts(place)[0] == "Continued after case.cryoplan was out of reach"
    assert hand.path.exists(), "its history is only there"
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
