"""Strokes in a case file: each is kept as what it changed, and every state can be gone to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryoplan.case import store_masks
from cryoplan.case.case import Case
from cryoplan.case.outlined import with_structure
from cryoplan.case.planning import planning_grid
from cryoplan.case.store import CaseStore
from cryoplan.case.store_masks import LONGEST_CHAIN
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import StoreError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.strokes import brush, painted
from cryoplan.image.scan import Scan, ScanFacts

LARGE = Grid(size=(512, 512, 300), spacing_mm=(0.7, 0.7, 1.0), origin_mm=(-178.85, -178.85, -149.5))
SMALL = Grid(size=(30, 26, 22), spacing_mm=(2.0, 2.0, 3.0), origin_mm=(-29.0, -25.0, -31.5))

STROKE_BYTES = 2000
"""What the voxels of a stroke with a brush of 30 mm may take; a whole liver takes 47,000 and more."""


def a_case(grid: Grid, radius_mm: float) -> Case:
    """Return a scan with one lump, uneven from slice to slice as drawn ones are."""
    scan = Scan(
        volume=Volume(grid=grid, values=np.zeros(grid.shape, np.int16)),
        facts=ScanFacts(path="made", kind="phantom", code="T", modality="CT"),
    )
    x, y, z = (grid.coordinates_mm(axis) for axis in range(3))
    uneven = radius_mm * (1.0 + np.random.default_rng(1).normal(0.0, 0.03, len(z)))
    apart = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2
    mask = Volume(grid=grid, values=apart < uneven[:, None, None] ** 2)
    lump = Structure(name="lump", role=Role.TUMOUR, tissue="tumour", mask=mask, source="made")
    where = planning_grid(scan, lump)
    return Case(code="T", scan=scan, structures=(lump,), target_name="lump", planning_grid=where)


def drawn(case: Case, point, radius_mm: float, *, is_ball: bool = True, erase: bool = False) -> Case:
    """Return the case after one dab of the brush; the same one where it changes nothing."""
    lump = case.structure("lump")
    values = lump.mask.values.copy()
    patch = brush(lump.mask.grid, [point], radius_mm, normal=None if is_ball else (0.0, 0.0, 1.0))
    if patch is None or not painted(values, patch, erase=erase) or not values.any():
        return case
    return with_structure(case, replace(lump, mask=Volume(grid=lump.mask.grid, values=values)))


def ask(path: Path, question: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


@pytest.mark.parametrize("radius_mm", [20.0, 75.0], ids=["tumour", "liver"])
def test_a_stroke_on_a_large_scan_adds_little_to_the_file_however_large_the_structure_is(tmp_path, radius_mm):
    path = tmp_path / "a.cryoplan"
    case = a_case(LARGE, radius_mm)
    CaseStore.create(path, case)
    strokes = 12
    before = path.stat().st_size
    with CaseStore.open(path, scan=case.scan) as store:
        store.load_case()
        rng = np.random.default_rng(2)
        for n in range(strokes):
            way = rng.normal(size=3)
            at = radius_mm * way / np.linalg.norm(way)
            case = drawn(case, at, 15.0, is_ball=n % 2 == 0, erase=n % 3 == 0)
            store.record("lump: brush", case=case)
    assert ask(path, "SELECT count(*) FROM mask") == strokes + 1
    assert ask(path, "SELECT count(*) FROM mask WHERE base IS NULL") == 1
    assert ask(path, "SELECT max(length(voxels)) FROM mask WHERE base IS NOT NULL") < STROKE_BYTES
    # Pages of 4096 bytes, the entry of the history, and room for what a page cannot be filled with.
    assert (path.stat().st_size - before) / strokes < STROKE_BYTES + 4096


def test_what_changes_most_of_a_mask_is_kept_whole(tmp_path):
    path = tmp_path / "a.cryoplan"
    case = a_case(SMALL, 12.0)
    CaseStore.create(path, case)
    lump = case.structure("lump")
    with CaseStore.open(path) as store:
        store.load_case()
        other = Volume(grid=SMALL, values=~lump.mask.values)
        store.record("turned", case=with_structure(case, replace(lump, mask=other)))
    assert ask(path, "SELECT count(*) FROM mask WHERE base IS NULL") == 2


def test_the_way_to_a_whole_mask_is_never_long(tmp_path):
    path = tmp_path / "a.cryoplan"
    start = case = a_case(SMALL, 18.0)
    CaseStore.create(path, case)
    with CaseStore.open(path) as store:
        store.load_case()
        for n in range(2 * LONGEST_CHAIN + 5):
            case = drawn(case, (0.0, 0.0, 0.0), 2.0 + 0.001 * (n % 2), is_ball=False, erase=n % 2 == 0)
            case = drawn(case, (20.0 - 2.0 * (n % 7), 2.0 * (n % 13), 3.0 * (n // 13)), 1.0)
            store.record(f"stroke {n}", case=case)
        states = store.history().line
        assert len(states) > 2 * LONGEST_CHAIN
    whole = ask(path, "SELECT count(*) FROM mask WHERE base IS NULL")
    assert 2 <= whole <= 4
    with CaseStore.open(path) as store:
        assert store.load_case().digest() == case.digest()
        assert store.go_to(states[0])[0].digest() == start.digest()


def test_undo_takes_the_stroke_back_without_reading_the_masks_before_it(tmp_path, monkeypatch):
    path = tmp_path / "a.cryoplan"
    cases = [a_case(SMALL, 18.0)]
    CaseStore.create(path, cases[0])
    with CaseStore.open(path) as store:
        store.load_case()
        for n in range(5):
            cases.append(drawn(cases[-1], (18.0, 6.0 * n - 12.0, 0.0), 3.0))
            store.record(f"stroke {n}", case=cases[-1])
    digests = [case.digest() for case in cases]
    del cases
    with CaseStore.open(path) as store:
        store.load_case()

        def never(*_):
            raise AssertionError("a mask was read from the beginning")

        monkeypatch.setattr(store_masks, "select_mask", never)
        for digest in digests[-2::-1]:
            assert store.undo()[0].digest() == digest


FILES = count()


@given(
    st.lists(
        st.tuples(
            st.tuples(st.integers(-24, 24), st.integers(-20, 20), st.integers(-28, 28)),
            st.floats(1.0, 12.0),
            st.booleans(),
            st.booleans(),
            st.sampled_from(["draw", "draw", "draw", "undo", "reopen"]),
        ),
        min_size=1,
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_state_of_any_drawing_can_be_gone_to_in_any_order(tmp_path, moves, random):
    path = tmp_path / f"{next(FILES)}.cryoplan"
    case = a_case(SMALL, 15.0)
    CaseStore.create(path, case)
    store = CaseStore.open(path)
    try:
        case = store.load_case()
        digests = {store.history().current: case.digest()}
        for point, radius, is_ball, erase, what in moves:
            if what == "undo" and store.history().can_undo:
                case, _ = store.undo()
            elif what == "reopen":
                store.close()
                store = CaseStore.open(path)
                case = store.load_case()
            else:
                case = drawn(case, point, radius, is_ball=is_ball, erase=erase)
                store.record("lump: brush", case=case)
            digests[store.history().current] = case.digest()
        states = list(digests)
        random.shuffle(states)
        for number, state in enumerate(states):
            if number == len(states) // 2:
                store.close()
                store = CaseStore.open(path)
            assert store.go_to(state)[0].digest() == digests[state]
        assert store.history().verify_chain() is None
    finally:
        store.close()


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE mask SET base = ? WHERE base IS NOT NULL", "nothing"),
        ("UPDATE mask SET base = sha256 WHERE base IS NOT ?", None),
        ("UPDATE mask SET box = ? WHERE base IS NOT NULL", "[[0, 0, 0], [99, 1, 1]]"),
        ("UPDATE mask SET box = ? WHERE base IS NOT NULL", "[[0, 0, 0.5], [1, 1, 1]]"),
        ("UPDATE mask SET box = ? WHERE base IS NOT NULL", "[[3, 3, 3], [1, 1, 1]]"),
        ("UPDATE mask SET voxels = ? WHERE base IS NOT NULL", b"no bits"),
        ("UPDATE mask SET grid = ? WHERE base IS NULL", "{}"),
        ("DELETE FROM mask WHERE base IS ?", None),
    ],
)
def test_strokes_that_do_not_fit_together_are_refused(tmp_path, statement, value):
    path = tmp_path / "a.cryoplan"
    case = a_case(SMALL, 18.0)
    CaseStore.create(path, case)
    with CaseStore.open(path) as store:
        store.load_case()
        store.record("lump: brush", case=drawn(case, (18.0, 0.0, 0.0), 3.0))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, (value,))
    with pytest.raises(StoreError) as caught, CaseStore.open(path) as store:
        store.load_case()
    assert caught.value.code == "case-file-damaged"
