"""Size: a long history costs little beside the structures, and opening it reads each thing once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cryoplan.case import store_masks
from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.store import CaseStore
from cryoplan.case.store_masks import select_mask
from tests.support.long_case import STRUCTURE_VOXELS, long_case, plan_text, write_long_case

STEPS = 2000


@pytest.fixture(scope="module")
def some() -> Case:
    return long_case(structures=15)


@pytest.fixture(scope="module")
def path(some: Case, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("long") / "long.cryoplan"
    write_long_case(path, STEPS, some)
    return path


def packed_bytes(case: Case) -> int:
    """Return the size of all masks as one bit for each voxel of their boxes."""
    boxes = [np.subtract(*voxel_box_ijk(s.mask)[::-1]) + 1 for s in case.structures]
    return sum(int(np.prod(box)) // 8 for box in boxes)


def ask(path: Path, question: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


def test_two_thousand_steps_keep_the_file_below_three_times_its_packed_structures(path, some):
    assert all(0.7 < s.mask.values.sum() / STRUCTURE_VOXELS < 1.3 for s in some.structures)
    image = ask(path, "SELECT length(voxels) FROM image")
    assert path.stat().st_size - image < 3 * packed_bytes(some)


def test_masks_are_kept_once_and_steps_as_differences(path, some):
    assert ask(path, "SELECT count(*) FROM mask") == len(some.structures)
    assert ask(path, "SELECT count(*) FROM history") == STEPS + 1
    document = ask(path, 'SELECT length(document) FROM "case"')
    assert ask(path, "SELECT avg(length(changes)) FROM history") < 0.06 * document
    assert ask(path, "SELECT max(length(changes)) FROM history") < 0.2 * document


def test_one_more_step_writes_few_pages(path, tmp_path):
    copy = tmp_path / "copy.cryoplan"
    copy.write_bytes(path.read_bytes())
    before = copy.read_bytes()
    with CaseStore.open(copy) as store:
        plan = json.loads(store.plan_text)
        plan["probes"][0]["tip_mm"][0] += 1.0
        store.record("Probe 1: tip moved 1.0 mm", plan_text=json.dumps(plan))
    after = copy.read_bytes()
    pages = [n for n in range(0, len(after), 4096) if after[n : n + 4096] != before[n : n + 4096]]
    assert len(pages) <= 8


def test_opening_checks_every_hash_and_reads_every_mask_once(path, some, monkeypatch):
    read: list[str] = []

    def counted(connection, digest, alive):
        read.append(digest)
        return select_mask(connection, digest, alive)

    monkeypatch.setattr(store_masks, "select_mask", counted)
    with CaseStore.open(path) as store:
        assert store.findings == ()
        assert len(store.history()) == STEPS + 1
        assert store.history().verify_chain() is None
        store.load_case()
        assert len(read) == len(some.structures)
        # To the very first state and back: masks that are in memory are not read again.
        here = store.history().current
        first, text = store.go_to(1)
        assert first.digest() == some.digest()
        assert text == plan_text(np.random.default_rng(2).uniform(-50, 50, (6, 3)))
        store.go_to(here)
        assert len(read) == len(some.structures)
