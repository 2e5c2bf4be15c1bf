"""Faults: whichever statement fails, the file holds the state before or that after, never one between."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cryoplan.case import store_file
from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore, StoredResult
from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from tests.case.kill_loop import kill_loop
from tests.support.cases import ball, case, grid, scan, structure
from tests.support.failing_sqlite import DISK_FULL, IO_ERROR, READ_ONLY, failing_statements

WHERE = grid(size=(14, 12, 10))
CODES = {
    DISK_FULL: {"disk-full"},
    IO_ERROR: {"case-place-gone"},
    READ_ONLY: {"not-writable"},
}


def a_case() -> Case:
    tumour = structure("tumour", ball(WHERE, WHERE.centre_mm(), 6), Role.TUMOUR)
    return case(scan(WHERE), tumour, target="tumour")


def plan(n: int) -> str:
    return json.dumps({"name": "A", "n": n})


def with_cyst(n: int) -> Case:
    some = a_case()
    cyst = structure("cyst", ball(WHERE, WHERE.centre_mm(), 3 + n))
    return some.changed(structures=(*some.structures, cyst))


ACTIONS = {
    "edit": lambda store, _: store.record("Edit", case=with_cyst(1), plan_text=plan(7)),
    "edit after approval": lambda store, _: (store.approve("Dr. A"), store.record("E", plan_text=plan(7))),
    "undo": lambda store, _: store.undo(),
    "go": lambda store, _: store.go_to(1),
    "status": lambda store, _: store.set_status("ready"),
    "result": lambda store, _: store.put_result(StoredResult(key="k", header="", data=b"x"), text="Solved"),
    "drop": lambda store, _: store.drop_results(),
    "create over it": lambda store, path: (store.close(), CaseStore.create(path, a_case(), plan(8))),
}


def state_of(path: Path) -> tuple[object, ...]:
    with CaseStore.open(path, read_only=True) as store:
        assert store.findings == ()
        history = store.history()
        return (
            store.load_case().digest(),
            store.plan_text,
            store.status,
            tuple((e.kind, e.text, e.before, e.after) for e in history.entries),
            tuple((key, store.result(key).data) for key in store.result_keys()),
        )


def fresh(path: Path) -> None:
    path.unlink(missing_ok=True)
    CaseStore.create(path, a_case(), plan(0), results=[StoredResult(key="old", header="", data=b"old")])
    with CaseStore.open(path) as store:
        store.record("First", plan_text=plan(1))


@pytest.mark.parametrize("action", ACTIONS)
def test_every_failing_statement_leaves_the_state_before_or_after(tmp_path, monkeypatch, action):
    path = tmp_path / "a.cryoplan"
    reached: set[tuple[object, ...]] = set()
    fresh(path)
    for reason in CODES:
        for after in (False, True):
            number = 0
            while True:
                number += 1
                before = state_of(path)
                with failing_statements(monkeypatch) as faults, CaseStore.open(path) as store:
                    store.load_case()
                    faults.arm(number, reason, after=after)
                    error = None
                    try:
                        ACTIONS[action](store, path)
                    except StoreError as caught:
                        error = caught
                    count = len(faults.seen)
                    faults.arm(0, reason)
                found = state_of(path)
                if number > count:
                    assert error is None
                    whole = found
                    fresh(path)
                    break
                if error is not None:
                    assert error.code in CODES[reason]
                    assert "a.cryoplan" in error.what
                reached.add(found)
                if found != before:
                    fresh(path)
                assert not list(tmp_path.glob("*-journal"))
            # Only whole steps were ever met: the beginning, the end, and of two steps the one between.
            assert number > 3
    middle = 1 if action == "edit after approval" else 0
    assert len(reached | {whole}) <= 2 + middle


@pytest.mark.parametrize("reason", CODES)
def test_after_a_fault_the_same_store_goes_on(tmp_path, monkeypatch, reason):
    path = tmp_path / "a.cryoplan"
    fresh(path)
    with failing_statements(monkeypatch) as faults, CaseStore.open(path) as store:
        store.load_case()
        for after in (False, True):
            for number in range(1, 7):
                faults.arm(number, reason, after=after)
                # The window keeps its plan and simply records it again.
                for _ in range(2):
                    try:
                        store.record("Edit", case=with_cyst(number % 3), plan_text=plan(10 * number + after))
                    except StoreError:
                        faults.arm(0, reason)
                faults.arm(0, reason)
                assert store.plan_text == plan(10 * number + after)
                assert store.load_case().digest() == with_cyst(number % 3).digest()
        assert store.history().verify_chain() is None
        case_before, text = store.undo()
        assert (case_before.digest(), text) != (store.redo()[0].digest(), store.plan_text)
    texts = [e.text for e in CaseStore.open(path, read_only=True).history().entries]
    assert texts.count("Edit") == 12, "a commit that reached the disk although it failed is not written twice"


def test_a_full_disk_loses_one_step_and_says_so(tmp_path):
    path = tmp_path / "a.cryoplan"
    fresh(path)
    with CaseStore.open(path) as store:
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        said = ""
        for n in range(10_000):
            try:
                store.record("Edit", plan_text=plan(100 + n))
            except StoreError as error:
                said = error.code
                break
        assert said == "disk-full"
        assert store.plan_text == plan(100 + n - 1)
        store._connection.execute("PRAGMA max_page_count = 100000")
        store.record("Room again", plan_text=plan(5))
    assert state_of(path)[1] == plan(5)


def test_another_program_that_ignores_the_lock_is_noticed(tmp_path):
    path = tmp_path / "a.cryoplan"
    fresh(path)
    with CaseStore.open(path) as store:
        with sqlite3.connect(path) as stranger:
            stranger.execute('UPDATE "case" SET entries = 9')
        stranger.close()
        with pytest.raises(StoreError) as caught:
            store.record("Edit", plan_text=plan(3))
        assert caught.value.code == "case-file-changed"
        store.record("Edit", plan_text=plan(3))
        assert [f.code for f in store.findings] == ["history-changed"]


def test_ten_killed_editors_damage_nothing_and_lose_at_most_one_edit(tmp_path):
    report = kill_loop(tmp_path, kills=10, seed=7)
    assert report.kills == 10
    assert report.damaged == 0
    assert report.most_lost == 0, "what was reported as stored is there"
    assert report.most_unreported <= 1
    assert report.edits > 10


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX")
def test_the_kill_loop_runs_as_a_script(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "tests.case.kill_loop", "--kills", "1", "--seed", "3"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "0 damaged" in run.stdout


def test_a_copy_that_fails_leaves_what_was_at_its_place(tmp_path, monkeypatch):
    path, place = tmp_path / "a.cryoplan", tmp_path / "copy.cryoplan"
    fresh(path)
    place.write_bytes(b"something else")

    def fail(*_):
        error = sqlite3.OperationalError(DISK_FULL[0])
        error.sqlite_errorcode = DISK_FULL[1]
        raise error

    with CaseStore.open(path) as store:
        with monkeypatch.context() as patch:
            patch.setattr(store_file.CaseConnection, "backup", fail)
            with pytest.raises(StoreError) as caught:
                store.save_copy(place)
        assert caught.value.code == "disk-full"
        assert "copy.cryoplan" in caught.value.what
        assert place.read_bytes() == b"something else"
        store.save_copy(place)
    assert state_of(place) == state_of(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.cryoplan", "copy.cryoplan"]
