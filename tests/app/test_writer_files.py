"""The case writer going from file to file: slow ones, hanging ones, foreign ones, and a second writer."""

from __future__ import annotations

import os
import threading

import pytest

from cryoplan import workflow
from cryoplan.app import writer as writing
from cryoplan.app.writer import CaseWriter
from cryoplan.case.history import Kind
from cryoplan.case.store_lock import WriterLock
from cryoplan.core.errors import StoreError
from tests.support.failing_sqlite import DISK_FULL, failing_statements
from tests.support.writing import LONG_S, a_case, plan, state, texts


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
