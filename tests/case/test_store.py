"""Case files: what goes in comes out, and a file that is foreign, newer or damaged is refused untouched."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cryoplan.case import store as store_module
from cryoplan.case.build import build_case
from cryoplan.case.store import CaseStore, StoredResult, load_case, save_case
from cryoplan.case.store_file import SCHEMA_VERSION
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan
from tests.support.cases import OBLIQUE, ball, grid, named, scan

WHERE = grid(size=(20, 18, 12), spacing=(1.5, 2, 4), centre=(0.1, -20.3, 700.7), direction=OBLIQUE)
CENTRE = WHERE.centre_mm()
PLAN = '{"schema": 1, "name": "A"}'
RESULT = StoredResult(key="k1", header="{}", data=bytes(range(256)), what={"plan": "p"})


def a_case():
    found = Finding(level=Level.WARN, code="thick-slices", text="7 mm ≥ 5", place="slice 3")
    image = scan(WHERE, findings=(found,))
    values = np.random.default_rng(5).integers(-3024, 3000, WHERE.shape).astype(np.int16)
    image = Scan(volume=Volume(grid=WHERE, values=values), facts=image.facts)
    masks = [named("żołądek ☃", ball(WHERE, CENTRE, 9)), named("target_1 near", ball(WHERE, CENTRE + 5, 4))]
    return build_case(image, masks)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "patient.cryoplan"
    CaseStore.create(path, a_case(), PLAN, results=[RESULT])
    return path


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_case_comes_back_as_it_was(tmp_path):
    case = a_case()
    save_case(case, tmp_path / "c.cryoplan")
    copy = load_case(tmp_path / "c.cryoplan")
    assert copy.digest() == case.digest()
    assert copy.scan.facts == case.scan.facts
    assert (copy.code, copy.target_name, copy.findings) == (case.code, case.target_name, case.findings)
    assert copy.planning_grid == case.planning_grid
    for a, b in zip(copy.structures, case.structures, strict=True):
        assert (a.name, a.role, a.tissue, a.source, a.role_is_guess) == (
            b.name,
            b.role,
            b.tissue,
            b.source,
            b.role_is_guess,
        )
        assert np.array_equal(a.mask.values, b.mask.values)
        assert a.mask.grid == b.mask.grid
    assert not copy.scan.volume.values.flags.writeable
    assert files(tmp_path) == ["c.cryoplan"]


def test_float_images_come_back_exactly(tmp_path):
    values = np.random.default_rng(6).normal(0, 300, WHERE.shape).astype(np.float32)
    case = build_case(
        Scan(volume=Volume(grid=WHERE, values=values), facts=scan(WHERE, modality="MR").facts), []
    )
    save_case(case, tmp_path / "c.cryoplan")
    assert np.array_equal(load_case(tmp_path / "c.cryoplan").scan.volume.values, values)


def test_an_image_of_another_number_type_is_refused(tmp_path):
    volume = Volume(grid=WHERE, values=np.zeros(WHERE.shape))
    with pytest.raises(StoreError, match="int16 or float32"):
        save_case(build_case(Scan(volume=volume, facts=scan(WHERE).facts), []), tmp_path / "c.cryoplan")
    assert files(tmp_path) == []


def test_plans_and_results_come_back(saved):
    with CaseStore.open(saved) as store:
        assert store.plan_text == PLAN
        assert store.result_keys() == ("k1",)
        assert store.result("k1") == RESULT
        assert store.result("other") is None


def test_changes_stay_when_the_file_is_closed(saved):
    with CaseStore.open(saved) as store:
        store.record("Plan B", plan_text='{"name": "B"}')
        store.put_result(StoredResult(key="k1", header="new", data=b"x"))
        store.put_result(StoredResult(key="k2", header="h", data=b"y"))
        store.record("Code", case=store.load_case().changed(code="Q"))
    with CaseStore.open(saved) as store:
        assert store.plan_text == '{"name": "B"}'
        assert store.result_keys() == ("k1", "k2")
        assert store.result("k1").header == "new"
        assert store.load_case().code == "Q"
        store.drop_results(keep=["k2"])
        assert store.result_keys() == ("k2",)
    assert files(saved.parent) == [saved.name]


def test_reading_leaves_the_file_as_it_was(saved):
    before = saved.read_bytes()
    with CaseStore.open(saved) as store:
        store.load_case()
        store.history()
    assert saved.read_bytes() == before


def test_a_file_that_is_open_is_refused_elsewhere(saved):
    with CaseStore.open(saved), pytest.raises(StoreError, match="open for writing elsewhere") as caught:
        CaseStore.open(saved)
    assert caught.value.code == "case-file-in-use"
    with CaseStore.open(saved) as store:
        assert store.plan_text == PLAN


def test_closing_twice_does_nothing(saved):
    store = CaseStore.open(saved)
    store.close()
    store.close()
    with CaseStore.open(saved) as again:  # and the file is free
        assert again.plan_text == PLAN


def assert_refused(path: Path, code: str) -> StoreError:
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught, CaseStore.open(path) as store:
        store.load_case()
    assert caught.value.code == code
    assert path.name in caught.value.what
    assert path.read_bytes() == before
    return caught.value


@pytest.mark.parametrize("content", [b"", b"x", b"SQLite format 3\0", b"PK\x03\x04" * 100, os.urandom(4096)])
def test_a_file_of_another_kind_is_refused_untouched(tmp_path, content):
    path = tmp_path / "a.cryoplan"
    path.write_bytes(content)
    assert_refused(path, "not-a-case-file")


def test_a_database_of_another_program_is_refused_untouched(tmp_path):
    path = tmp_path / "a.cryoplan"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE image (x)")
    connection.commit()
    connection.close()
    assert_refused(path, "not-a-case-file")


@pytest.mark.parametrize(
    ("version", "code"),
    [(SCHEMA_VERSION + 1, "case-file-newer"), (99, "case-file-newer"), (0, "case-file-damaged")],
)
def test_a_file_of_another_version_is_refused_untouched(saved, version, code):
    connection = sqlite3.connect(saved)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
    assert_refused(saved, code)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE extra (x)",
        "CREATE TRIGGER t AFTER INSERT ON mask BEGIN DELETE FROM mask; END",
        "CREATE VIEW v AS SELECT * FROM mask",
        "ALTER TABLE mask ADD COLUMN y TEXT",
        "DROP TABLE mask",
    ],
)
def test_a_file_with_other_tables_or_hidden_code_is_refused(saved, statement):
    change(saved, statement)
    assert_refused(saved, "case-file-damaged")


def change(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE image SET voxels = ?", b"not compressed"),
        ("UPDATE image SET sha256 = ?", "0" * 64),
        ("UPDATE image SET kind = ?", "<i8"),
        ("UPDATE image SET kind = ?", "<f4"),
        ("UPDATE image SET grid = ?", "{}"),
        ("UPDATE image SET grid = ?", "nonsense"),
        ("UPDATE image SET facts = ?", '{"unknown": 1, "findings": []}'),
        ("UPDATE image SET facts = ?", "[]"),
        ("UPDATE mask SET sha256 = ? || substr(sha256, 2)", "x"),
        ("DELETE FROM mask WHERE sha256 <> ?", "x"),
        ('UPDATE "case" SET document = ?', "{}"),
        ('UPDATE "case" SET document = ?', "nonsense"),
        ('UPDATE "case" SET document = ?', "[]"),
        ("UPDATE \"case\" SET document = json_set(document, '$.structures[0].role', ?)", "king"),
        ("UPDATE \"case\" SET document = json_set(document, '$.case.image', ?)", "0" * 64),
        ("DELETE FROM history WHERE number <> ?", 99),
        ("UPDATE mask SET box = ?", "[[0, 0, 0], [99, 1, 1]]"),
        ("UPDATE mask SET box = ?", "[[0, 0, 0], [0, 0, 0]]"),
        ("UPDATE mask SET box = ?", "7"),
        ("UPDATE mask SET voxels = ?", b""),
        ("UPDATE \"case\" SET document = json_set(document, '$.case.target', ?)", "nobody"),
        ("UPDATE \"case\" SET document = json_set(document, '$.case.planning_grid', ?)", "{}"),
        ("UPDATE \"case\" SET document = json_set(document, '$.case.findings[0].level', ?)", "odd"),
        ('DELETE FROM "case" WHERE id = ?', 1),
        ("DELETE FROM image WHERE id = ?", 1),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(saved, statement, value):
    change(saved, statement, value)
    assert_refused(saved, "case-file-damaged")


def test_a_size_that_would_take_all_memory_is_refused_before_it_is_taken(saved):
    huge = '{"size": [100000, 100000, 100000], "spacing_mm": [1, 1, 1], "origin_mm": [0, 0, 0],' \
           ' "direction": [1, 0, 0, 0, 1, 0, 0, 0, 1]}'  # fmt: skip
    change(saved, "UPDATE mask SET grid = ?", huge)
    assert_refused(saved, "case-file-damaged")
    change(saved, "UPDATE image SET grid = ?", huge)
    assert "too large" in assert_refused(saved, "case-file-damaged").what


def test_a_bomb_is_not_unpacked(saved):
    import zlib

    change(saved, "UPDATE image SET voxels = ?", zlib.compress(bytes(50_000_000)))
    assert_refused(saved, "case-file-damaged")


def test_a_file_with_something_added_is_refused(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    assert_refused(saved, "case-file-damaged")


def test_any_cut_file_is_refused(saved):
    whole = saved.read_bytes()
    for size in [*range(100, len(whole), max(len(whole) // 25, 1)), len(whole) - 1]:
        saved.write_bytes(whole[:size])
        assert_refused(saved, "case-file-damaged")


def test_no_flipped_byte_changes_a_case_in_silence(saved):
    whole = saved.read_bytes()
    digest = load_case(saved).digest()
    rng = np.random.default_rng(7)
    for position in rng.integers(100, len(whole), 150):
        broken = bytearray(whole)
        broken[position] ^= 0x55
        saved.write_bytes(broken)
        try:
            case = load_case(saved)
        except StoreError:
            continue
        # What a SHA-256 guards is the patient; a name or a finding has no second witness.
        assert case.scan.volume.digest() == load_digest(whole, saved)
    assert len(digest) == 64


def load_digest(whole: bytes, path: Path) -> str:
    copy = path.with_name("copy.cryoplan")
    copy.write_bytes(whole)
    try:
        return load_case(copy).scan.volume.digest()
    finally:
        copy.unlink()


def test_a_missing_file_and_a_missing_folder_are_said_plainly(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        CaseStore.open(tmp_path / "none.cryoplan")
    assert caught.value.code == "case-file-unreadable"
    with pytest.raises(StoreError) as caught:
        save_case(a_case(), tmp_path / "none" / "a.cryoplan")
    assert caught.value.code == "folder-missing"


def test_saving_over_a_file_leaves_the_old_one_when_it_fails(saved, monkeypatch):
    before = saved.read_bytes()

    def fail(*_):
        raise sqlite3.OperationalError("database or disk is full")

    for step in ("insert_image", "insert_masks", "insert_entry", "insert_result", "written"):
        with monkeypatch.context() as patch:
            patch.setattr(store_module, step, fail)
            with pytest.raises(StoreError):
                CaseStore.create(saved, a_case(), PLAN, results=[RESULT])
        assert saved.read_bytes() == before
        assert files(saved.parent) == [saved.name]


def test_a_full_disk_is_said_and_leaves_what_was_there(saved):
    # SQLite itself says "full" when the file may not grow: the same code path as a full disk.
    with CaseStore.open(saved) as store:
        store._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError) as caught:
            store.put_result(StoredResult(key="big", header="", data=os.urandom(200_000)))
        assert caught.value.code == "disk-full"
        assert store.result_keys() == ("k1",)
    assert load_case(saved).code == "P-1"


def test_a_result_beyond_what_sqlite_can_hold_is_said(saved):
    with CaseStore.open(saved) as store:
        store._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
        with pytest.raises(StoreError) as caught:
            store.put_result(StoredResult(key="big", header="", data=os.urandom(200_000)))
    assert caught.value.code == "case-too-large"


def test_other_trouble_of_sqlite_becomes_a_sentence(saved):
    store = CaseStore.open(saved)
    store.close()
    with pytest.raises(StoreError) as caught:
        store.result_keys()
    assert caught.value.code == "case-file-failed"


def test_a_program_killed_in_a_transaction_leaves_the_state_before_it(saved):
    code = f"""
import os, sqlite3
connection = sqlite3.connect({str(saved)!r}, isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM history")
for n in range(50):
    row = (str(n), os.urandom(20000))
    connection.execute("INSERT INTO result (key, header, what, data) VALUES (?, '', '{{}}', ?)", row)
os._exit(9)
"""
    run = subprocess.run([sys.executable, "-c", code], check=False)
    assert run.returncode == 9
    assert saved.with_name(saved.name + "-journal").exists()
    with CaseStore.open(saved) as store:
        assert store.plan_text == PLAN
        assert store.result_keys() == ("k1",)
        assert store.load_case().digest() == a_case().digest()


def test_no_pickle_is_in_the_file(saved):
    assert b"cryoplan.case.case" not in saved.read_bytes()
    assert b"\x80\x05\x95" not in saved.read_bytes()


def test_a_copied_file_is_the_same_case(saved, tmp_path):
    copy = tmp_path / "with blanks & #signs%.cryoplan"
    shutil.copyfile(saved, copy)
    assert load_case(copy).digest() == load_case(saved).digest()


def test_the_real_ct_comes_back(liver_case, tmp_path):
    path = tmp_path / "liver.cryoplan"
    save_case(liver_case, path)
    assert load_case(path).digest() == liver_case.digest()
    assert path.stat().st_size < 0.6 * liver_case.scan.volume.values.nbytes
