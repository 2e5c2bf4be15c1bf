"""Older case files: they open for good, and stay as they were until their upgrade is whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore, StoredResult, summary
from cryoplan.case.store_file import SCHEMA_VERSION
from cryoplan.core.errors import StoreError
from cryoplan.workflow import open_case
from tests.support.failing_sqlite import DISK_FULL, IO_ERROR, failing_statements

FIXTURE = Path(__file__).parents[1] / "fixtures" / "case-v1.cryoplan"
"""Written by the last program of file version 1: two structures, plans A and B, one result."""

DIGEST = "fb57cde0c1a9273653fb9fded326396d115fe367e70249d44cf9421489a7564a"
"""Of its case, said by the program that wrote it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copyfile(FIXTURE, tmp_path / "old.cryoplan"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def is_all_there(store: CaseStore) -> Case:
    case = store.load_case()
    assert case.digest() == DIGEST
    assert (case.code, case.target_name) == ("P-1", "target_1 near")
    assert [s.name for s in case.structures] == ["żołądek ☃", "target_1 near"]
    assert [f.code for f in case.findings][:1] == ["thick-slices"]
    assert json.loads(store.plan_text)["probes"][0]["name"] == "1"
    assert store.result("k1") == StoredResult(key="k1", header='{"version": "0.1"}', data=bytes(range(256)))
    assert store.status == "draft"
    assert store.findings == ()
    return case


def test_a_file_of_version_1_becomes_one_of_the_present_version_with_all_it_held(path):
    with CaseStore.open(path) as store:
        is_all_there(store)
        (start,) = store.history().entries
        assert "version 1" in start.text
        assert store._document["other_plans"][0]["name"] == "B"
        store.record("Edit", plan_text="")
        store.undo()
    assert version(path) == SCHEMA_VERSION
    with CaseStore.open(path) as store:
        is_all_there(store)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_reading_only_leaves_a_file_of_version_1_as_it_is(path):
    before = path.read_bytes()
    with CaseStore.open(path, read_only=True) as store:
        is_all_there(store)
        store.save_copy(path.with_name("copy.cryoplan"))
    assert summary(path).plan_name == "A"
    assert summary(path).entries == 0
    assert path.read_bytes() == before
    with CaseStore.open(path.with_name("copy.cryoplan")) as store:
        is_all_there(store)


def test_the_window_opens_a_file_of_version_1_with_its_plan(path):
    # Its result is no real one, so only what comes before it is asked for.
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM result")
    saved = open_case(path)
    assert saved.case.digest() == DIGEST
    assert saved.plan.name == "A"
    assert len(saved.plan.probes) == 1
    assert saved.findings == ()


def test_a_file_from_before_series_had_parts_opens_to_the_same_case(path):
    CaseStore.open(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        (facts,) = connection.execute("SELECT facts FROM image").fetchone()
        fields = json.loads(facts)
        fields.pop("series_part", None)
        connection.execute("UPDATE image SET facts = ?", (json.dumps(fields),))
    with CaseStore.open(path) as store:
        case = is_all_there(store)
    assert case.scan.facts.series_part == ""
    assert case.scan.facts.series_key == case.scan.facts.series_uid


@pytest.mark.parametrize("reason", [DISK_FULL, IO_ERROR])
def test_an_upgrade_that_fails_anywhere_leaves_the_old_file(path, monkeypatch, reason):
    before = path.read_bytes()
    with failing_statements(monkeypatch) as faults:
        for number in range(1, 200):
            faults.arm(number, reason)
            try:
                CaseStore.open(path).close()
            except StoreError:
                now = version_by_header(path)
                assert now == SCHEMA_VERSION or path.read_bytes() == before
            if len(faults.seen) < number:
                break
            shutil.copyfile(FIXTURE, path)
        assert 20 < number < 199
    with CaseStore.open(path) as store:
        is_all_there(store)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def version_by_header(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[60:64], "big")


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE image SET voxels = ?", b"not compressed"),
        ("UPDATE image SET sha256 = ?", "0" * 64),
        ("UPDATE structure SET sha256 = ?", "0" * 64),
        ("UPDATE structure SET role = ?", "king"),
        ("UPDATE plan SET json = ? || name", "{"),
        ('UPDATE "case" SET target_name = ?', "nobody"),
        ('DELETE FROM "case" WHERE id = ?', 1),
    ],
)
def test_a_damaged_file_of_version_1_is_refused_untouched(path, statement, value):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, (value,))
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"old.cryoplan|plan cannot be kept"):
            CaseStore.open(path, read_only=read_only)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_that_an_older_program_has_open_is_not_upgraded(path):
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA locking_mode = EXCLUSIVE")
        old.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError) as caught:
            CaseStore.open(path)
        assert caught.value.code == "case-file-in-use"
    assert path.read_bytes() == before


# Version 2 ------------------------------------------------------------------------------------------

FIXTURES = {n: FIXTURE.with_name(f"case-v{n}.cryoplan") for n in (2, 3, 4, 5)}
"""Of the last program of each file version: three strokes, one undone, approved, one result.

That of version 4 is the file of version 3 as the last program of version 4 upgraded it; that of version 5 so
of version 4.
"""

DIGESTS_2 = (
    "cfcb925a97886e0586568b7db2d3c19e12ada7bf6eb1de68742c17a54e820fdc",
    "22ac6baef0bffab61ebf5be9a3bf82a9495a74e3faa2f81994946f54409feba7",
    "945d848c28eac0636887a0057835631003d3f5d78eb88c4e9c789e2acbd3b6b3",
)
"""Of its case before the strokes, as it stands, and with the stroke that was undone; said by that program."""

SEALS = {
    2: "32837c630b0998682e3c7b0f937cfb1aa4967489d7510f8a633c68014203f2a3",
    3: "a61c9ffe997017ce02c4a90ba9b61faf6c550e669fabe9f8e664aa75c914427c",
    4: "a61c9ffe997017ce02c4a90ba9b61faf6c550e669fabe9f8e664aa75c914427c",
    5: "a61c9ffe997017ce02c4a90ba9b61faf6c550e669fabe9f8e664aa75c914427c",
}


@pytest.fixture(params=sorted(FIXTURES))
def path_2(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return Path(shutil.copyfile(FIXTURES[request.param], tmp_path / f"old{request.param}.cryoplan"))


def fixture_of(path: Path) -> int:
    return int(path.stem.removeprefix("old"))


def is_all_there_2(store: CaseStore, of: int) -> None:
    assert store.load_case().digest() == DIGESTS_2[1]
    assert (store.title, store.notes, store.status) == ("Old one", "kept", "approved")
    assert store.history().seal.hex() == SEALS[of]
    assert store.findings == ()
    assert json.loads(store.plan_text)["name"] == "A"
    assert store.result(f"k{min(of, 3)}").data == bytes(range(256))


def test_a_file_of_an_older_version_keeps_history_seal_and_approval_and_is_drawn_on(path_2):
    with CaseStore.open(path_2) as store:
        is_all_there_2(store, fixture_of(path_2))
        assert store.redo()[0].digest() == DIGESTS_2[2]
        for _ in range(3):
            case = store.undo()[0]
        assert case.digest() == DIGESTS_2[0]
        store.go_to(3)
    assert version(path_2) == SCHEMA_VERSION
    assert summary(path_2).title == "Old one"
    with CaseStore.open(path_2) as store:
        assert store.load_case().digest() == DIGESTS_2[1]
        assert store.history().verify_chain() is None
    assert [p.name for p in path_2.parent.iterdir()] == [path_2.name]


def test_reading_only_leaves_a_file_of_an_older_version_as_it_is(path_2):
    before = path_2.read_bytes()
    with CaseStore.open(path_2, read_only=True) as store:
        is_all_there_2(store, fixture_of(path_2))
        store.save_copy(path_2.with_name("copy.cryoplan"))
    assert (summary(path_2).entries, summary(path_2).code) == (6, "TEST-1")
    assert path_2.read_bytes() == before
    with CaseStore.open(path_2.with_name("copy.cryoplan")) as store:
        is_all_there_2(store, fixture_of(path_2))


@pytest.mark.parametrize("reason", [DISK_FULL, IO_ERROR])
def test_an_upgrade_from_version_2_that_fails_anywhere_leaves_the_old_file(path_2, monkeypatch, reason):
    before = path_2.read_bytes()
    with failing_statements(monkeypatch) as faults:
        for number in range(1, 200):
            faults.arm(number, reason)
            try:
                CaseStore.open(path_2).close()
            except StoreError:
                assert version_by_header(path_2) == SCHEMA_VERSION or path_2.read_bytes() == before
            if len(faults.seen) < number:
                break
            shutil.copyfile(FIXTURES[fixture_of(path_2)], path_2)
        assert 20 < number < 199
    with CaseStore.open(path_2) as store:
        is_all_there_2(store, fixture_of(path_2))


def test_a_damaged_file_of_an_older_version_is_refused(path_2):
    with closing(sqlite3.connect(path_2)) as connection, connection:
        connection.execute("UPDATE mask SET voxels = ?", (b"no bits",))
    with pytest.raises(StoreError) as caught, CaseStore.open(path_2) as store:
        store.load_case()
    assert caught.value.code == "case-file-damaged"
