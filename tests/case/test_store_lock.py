"""One writer: the second opener is told who has the file and may read; a killed writer's lock is gone."""

from __future__ import annotations

import getpass
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cryoplan.case import store_lock
from cryoplan.case.store import CaseStore, summary
from cryoplan.case.store_lock import WriterLock, is_free
from cryoplan.core.errors import StoreError
from tests.support.cases import ball, case, grid, scan, structure

ROOT = Path(__file__).parents[2]
WHERE = grid(size=(14, 12, 10))
HOLD = """
import sys
from pathlib import Path
from cryoplan.case.store import CaseStore
store = CaseStore.open(Path(sys.argv[1]))
print("open", flush=True)
for line in sys.stdin:
    store.record("Edit", plan_text='{"name": "' + line.strip() + '"}')
    print("stored", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    some = case(scan(WHERE), structure("liver", ball(WHERE, WHERE.centre_mm(), 9)))
    CaseStore.create(tmp_path / "a.cryoplan", some, '{"name": "A"}')
    return tmp_path / "a.cryoplan"


@pytest.fixture
def holder(path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout.readline() == "open\n"
        yield child
        child.kill()


def assert_in_use(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        CaseStore.open(path)
    assert caught.value.code == "case-file-in-use"
    return caught.value


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.usefixtures("holder")
def test_the_second_opener_is_told_who_has_the_file_and_since_when(path):
    error = assert_in_use(path)
    assert f"{getpass.getuser()}@{socket.gethostname()} since 2" in error.what
    assert "UTC" in error.what
    assert "reading only" in error.remedy


def test_a_reader_beside_a_writer_sees_each_step_and_writes_none(path, holder):
    with CaseStore.open(path, read_only=True) as reader:
        assert reader.plan_text == '{"name": "A"}'
        for name in ("B", "C"):
            holder.stdin.write(f"{name}\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "stored\n"
            with CaseStore.open(path, read_only=True) as now:
                assert now.plan_text == f'{{"name": "{name}"}}'
                now.load_case()
            assert summary(path).plan_name == name
        steps = (
            lambda: reader.record("x", plan_text="{}"),
            lambda: reader.undo(),
            lambda: reader.go_to(1),
            lambda: reader.approve("Dr. A"),
            lambda: reader.set_status("ready"),
            lambda: reader.drop_results(),
        )
        assert len(reader.history()) == 1
        for step in steps[:1] + steps[3:]:
            with pytest.raises(StoreError) as caught:
                step()
            assert caught.value.code == "case-read-only"


def test_the_lock_of_a_killed_writer_is_gone_at_once(path, holder):
    assert_in_use(path)
    holder.kill()
    holder.wait()
    assert f".{path.name}.user" in files(path.parent)
    with CaseStore.open(path) as store:
        store.record("Edit", plan_text='{"name": "B"}')
    assert files(path.parent) == [path.name]


ODD = ["", "{", "[]", '{"user": 1}', "\udcff", json.dumps({"user": "a\nb", "host": "h", "since": "x" * 500})]


@pytest.mark.parametrize("text", ODD)
def test_whatever_stands_beside_the_file_the_answer_is_one_sentence(path, text):
    beside = path.with_name(f".{path.name}.user")
    with CaseStore.open(path):
        beside.write_text(text, encoding="utf-8", errors="surrogateescape")
        what = assert_in_use(path).what
    assert what.isprintable()
    assert len(what) < 300


def test_a_text_without_a_lock_is_not_believed(path):
    path.with_name(f".{path.name}.user").write_text('{"user": "x", "host": "y", "since": "z"}')
    path.with_name(f".{path.name}.lock").write_bytes(b"")
    CaseStore.open(path).close()
    assert files(path.parent) == [path.name]


def test_a_name_that_leads_to_the_file_has_the_same_lock(path, tmp_path):
    link = tmp_path / "link.cryoplan"
    link.symlink_to(path)
    with CaseStore.open(link):
        assert_in_use(path)
    with CaseStore.open(path):
        assert_in_use(link)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a file that is open cannot be removed")
def test_a_lock_that_was_removed_while_it_was_taken_does_not_count(path, monkeypatch):
    real = store_lock._connect
    removed = []

    def connect(lock: Path, mode: str = "rwc"):
        connection = real(lock, mode)
        if not removed:  # the writer before us closes just now
            lock.unlink()
            removed.append(lock)
        return connection

    monkeypatch.setattr(store_lock, "_connect", connect)
    with WriterLock.take(path), pytest.raises(StoreError) as caught:
        WriterLock.take(path)
    assert removed
    assert caught.value.code == "case-file-in-use"


def test_reading_a_file_that_is_open_here_does_not_drop_its_locks(path, holder):
    holder.kill()
    holder.wait()
    with CaseStore.open(path) as store:
        store._connection.execute("BEGIN IMMEDIATE")
        summary(path)
        CaseStore.open(path, read_only=True).close()
        look = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0); c.execute('BEGIN IMMEDIATE')"
        )
        command = [sys.executable, "-c", look, str(path)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        store._connection.rollback()
    assert "database is locked" in run.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="file modes are a matter of POSIX")
def test_a_write_protected_place_can_be_read(path, monkeypatch):
    before = path.read_bytes()
    path.chmod(stat.S_IRUSR)
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with CaseStore.open(path, read_only=True) as one, CaseStore.open(path, read_only=True) as two:
            assert one.plan_text == two.plan_text
            one.load_case()
        # The super-user may write everywhere, so the question itself is answered for him.
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(StoreError) as caught:
            CaseStore.open(path)
        assert caught.value.code == "not-writable"
        assert files(path.parent) == [path.name]
    finally:
        path.parent.chmod(stat.S_IRWXU)
    assert path.read_bytes() == before


def test_closing_twice_gives_nothing_of_the_next_writer_away(path):
    first = CaseStore.open(path)
    first.close()
    with CaseStore.open(path):
        first.close()
        assert_in_use(path)


def test_a_file_is_free_once_its_writer_closed_it(path):
    assert is_free(path)
    with CaseStore.open(path):
        assert not is_free(path)
    assert is_free(path)
    assert files(path.parent) == [path.name]


def test_a_file_whose_writer_was_killed_is_free_and_looking_does_not_take_it(path, holder):
    assert not is_free(path)
    holder.kill()
    holder.wait()
    assert is_free(path)
    with CaseStore.open(path):
        assert not is_free(path)


def test_a_lock_that_cannot_be_read_is_not_taken_for_a_free_file(path):
    (path.parent / f".{path.name}.lock").mkdir()
    assert not is_free(path)
