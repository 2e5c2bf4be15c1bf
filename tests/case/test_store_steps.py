"""Steps of a case file: a plain list of states and the file agree after any edits, undo and reopening."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cryoplan.case import store_state
from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore, StoredResult, summary
from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan
from tests.support.cases import ball, case, grid, scan, structure

WHERE = grid(size=(14, 12, 10))


def first_case() -> Case:
    return case(
        scan(WHERE),
        structure("tumour", ball(WHERE, WHERE.centre_mm(), 6), Role.TUMOUR),
        structure("liver", ball(WHERE, WHERE.centre_mm(), 11), Role.ORGAN),
        target="tumour",
    )


def facts_of(some: Case) -> tuple[object, ...]:
    rows = tuple((s.name, s.role, s.tissue, s.source, s.mask.digest()) for s in some.structures)
    return (some.code, some.target_name, some.planning_grid, some.findings, rows, some.digest())


def plan(n: float) -> str:
    return json.dumps({"name": "A", "probes": [{"name": "1", "tip_mm": [n, n / 3, 0.0]}]})


class FileAgainstModel(RuleBasedStateMachine):
    """The model keeps whole states with their parents; the file keeps differences."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "a.cryoplan"
        CaseStore.create(self.path, first_case(), plan(0))
        self.store = CaseStore.open(self.path)
        self.states = {1: (facts_of(first_case()), plan(0), "")}
        self.parents: dict[int, int] = {}
        self.ahead: dict[int, int] = {}
        self.current = 1
        self.entries = 1
        self.copies = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def move(self, state: int) -> None:
        self.current = state
        self.entries += 1
        while state in self.parents:
            self.ahead[self.parents[state]] = state
            state = self.parents[state]

    def edited(self, some: Case | None = None, text: str | None = None, title: str | None = None) -> None:
        facts, old_text, old_title = self.states[self.current]
        new = (
            facts if some is None else facts_of(some),
            old_text if text is None else text,
            old_title if title is None else title,
        )
        entry = self.store.record("Edit", case=some, plan_text=text, title=title)
        if new == self.states[self.current]:
            assert entry.number == self.entries
            return
        state = self.entries + 1
        assert entry.number == entry.after == state
        self.states[state] = new
        self.parents[state] = self.current
        self.move(state)

    @rule(n=st.integers(0, 5))
    def move_probe(self, n):
        self.edited(text=plan(n))

    @rule()
    def remove_plan(self):
        self.edited(text="")

    @rule(title=st.sampled_from(["", "X", "Ę=1"]))
    def rename_case(self, title):
        self.edited(title=title)

    @rule(name=st.sampled_from(["liver", "tumour", "kidney"]), pick=st.integers(0, 9))
    def rename_structure(self, name, pick):
        there = self.store.load_case()
        names = [s.name for s in there.structures]
        if name in names:
            return
        old = names[pick % len(names)]
        rows = tuple(
            s if s.name != old else structure(name, s.mask, s.role, s.tissue) for s in there.structures
        )
        target = name if there.target_name == old else there.target_name
        self.edited(there.changed(structures=rows, target_name=target))

    @rule(radius=st.sampled_from([3.0, 4.0, 5.0]), n=st.integers(0, 2))
    def add_structure(self, radius, n):
        there = self.store.load_case()
        if f"cyst {n}" not in [s.name for s in there.structures]:
            new = structure(f"cyst {n}", ball(WHERE, WHERE.centre_mm() + n, radius))
            self.edited(there.changed(structures=(*there.structures, new)))

    @rule(pick=st.integers(0, 9))
    def remove_structure(self, pick):
        there = self.store.load_case()
        rows = list(there.structures)
        if len(rows) > 1:
            gone = rows.pop(pick % len(rows))
            target = "" if gone.name == there.target_name else there.target_name
            self.edited(there.changed(structures=tuple(rows), target_name=target))

    @rule(pick=st.integers(0, 9))
    def choose_target(self, pick):
        there = self.store.load_case()
        self.edited(there.changed(target_name=there.structures[pick % len(there.structures)].name))

    @rule()
    def undo(self):
        if self.current in self.parents:
            self.shown(self.store.undo(), self.parents[self.current])
            self.ahead[self.parents[self.current]] = self.current
            self.current = self.parents[self.current]
            self.entries += 1
        else:
            with pytest.raises(StoreError, match="nothing to undo"):
                self.store.undo()

    @rule()
    def redo(self):
        if self.current in self.ahead:
            state = self.ahead[self.current]
            self.shown(self.store.redo(), state)
            self.move(state)
        else:
            with pytest.raises(StoreError, match="nothing to redo"):
                self.store.redo()

    @rule(data=st.data())
    def go_to(self, data):
        state = data.draw(st.sampled_from(sorted(self.states)))
        self.shown(self.store.go_to(state), state)
        if state != self.current:
            self.move(state)

    @rule(keep=st.booleans())
    def reopen(self, keep):
        image = self.store.load_case().scan if keep else None
        self.store.close()
        self.store = CaseStore.open(self.path, scan=image)

    @precondition(lambda self: self.entries > 3)
    @rule()
    def work_on_in_a_copy(self):
        self.copies += 1
        copy = self.path.with_name(f"copy{self.copies}.cryoplan")
        self.store.save_copy(copy)
        self.store.close()
        self.store = CaseStore.open(copy)
        self.path = copy

    def shown(self, state, expected: int) -> None:
        some, text = state
        assert facts_of(some) == self.states[expected][0]
        assert text == self.states[expected][1]

    @invariant()
    def file_and_model_agree(self):
        history = self.store.history()
        assert (facts_of(self.store.load_case()), self.store.plan_text, self.store.title) == self.states[
            self.current
        ]
        assert len(history) == self.entries
        assert history.current == self.current
        assert history.redo_state == self.ahead.get(self.current)
        assert history.verify_chain() is None
        assert self.store.findings == ()


TestFileAgainstModel = FileAgainstModel.TestCase
TestFileAgainstModel.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    CaseStore.create(tmp_path / "a.cryoplan", first_case(), plan(0), title="T")
    return tmp_path / "a.cryoplan"


def test_undo_keeps_the_image_and_every_structure_that_stayed(path, monkeypatch):
    with CaseStore.open(path) as store:
        before = store.load_case()
        store.record("Plan", plan_text=plan(1))
        assert store.undo()[0] is before
        liver = before.structure("liver")
        store.record("Removed", case=before.changed(structures=before.structures[:1]))
        monkeypatch.setattr(store_state, "select_image", None)
        after, _ = store.undo()
        assert after.scan is before.scan
        assert after.structure("tumour") is before.structure("tumour")
        assert after.structure("liver").mask is liver.mask


def test_an_image_in_memory_is_not_read_again(path, monkeypatch):
    image = first_case().scan
    monkeypatch.setattr(store_state, "select_image", None)
    with CaseStore.open(path, scan=image) as store:
        assert store.load_case().scan is image


def test_another_image_in_memory_is_not_taken(path):
    other = Scan(
        volume=Volume(grid=WHERE, values=np.zeros(WHERE.shape, np.int16)), facts=first_case().scan.facts
    )
    with CaseStore.open(path, scan=other) as store:
        assert store.load_case().digest() == first_case().digest()
        with pytest.raises(StoreError) as caught:
            store.record("Image", case=store.load_case().changed(scan=other))
        assert caught.value.code == "case-other-image"
        assert len(store.history()) == 1


def test_a_mask_is_kept_once_whatever_it_is_called(path):
    with CaseStore.open(path) as store:
        there = store.load_case()
        for n in range(5):
            twin = structure(f"twin {n}", there.structures[0].mask)
            store.record("Twin", case=there.changed(structures=(*there.structures, twin)))
        assert store._connection.execute("SELECT count(*) FROM mask").fetchone() == (2,)


def test_parts_of_one_gesture_are_one_step_and_all_are_in_the_log(path):
    with CaseStore.open(path) as store:
        store.record("First", plan_text=plan(9))
        for n in (1, 2, 3):
            store.record("Dragged", plan_text=plan(n), gesture="drag 1")
        assert len(store.history()) == 5
        assert store.undo()[1] == plan(9)
        assert store.redo()[1] == plan(3)
        store.record("Dragged", plan_text=plan(4), gesture="drag 1")
        assert store.undo()[1] == plan(3), "undo and redo lie between, so this is another gesture"


def test_a_gesture_that_ends_where_it_began_leaves_no_step(path):
    with CaseStore.open(path) as store:
        store.record("First", plan_text=plan(9))
        for n in (1, 2, 9):
            store.record("Dragged", plan_text=plan(n), gesture="drag 1")
        assert store.history().undo_text == "First"
        assert store.history().current == 2
        assert not store.history().can_redo or store.redo()[1] == plan(2)


def test_approval_is_withdrawn_in_the_same_commit_as_the_edit(path):
    with CaseStore.open(path) as store:
        store.approve("Dr. A")
        assert store.status == "approved"
        store.record("Probe 1 moved", plan_text=plan(2))
    with CaseStore.open(path, read_only=True) as store:
        assert store.status == "draft"
        assert [e.kind for e in store.history().entries] == ["start", "approve", "edit", "withdraw"]
        assert summary(path).status == "draft"


def test_a_case_is_not_treated_in_the_file_without_an_approval_that_holds(path):
    def refused(store: CaseStore) -> None:
        before = store.history().entries
        with pytest.raises(StoreError) as caught:
            store.set_status("treated")
        assert caught.value.code == "not-approved"
        assert "Approve it first" in caught.value.remedy
        assert store.history().entries == before

    with CaseStore.open(path) as store:
        refused(store)
        store.set_status("ready")
        refused(store)
        store.approve("Dr. A")
        store.record("Probe 1 moved", plan_text=plan(2))
        refused(store)
        store.undo()
        refused(store)
    with CaseStore.open(path) as store:
        refused(store)
        store.approve("Dr. A")
        store.set_status("treated")
    assert summary(path).status == "treated"


def test_results_and_notes_of_what_happened_withdraw_nothing(path):
    with CaseStore.open(path) as store:
        store.approve("Dr. A")
        store.put_result(StoredResult(key="k", header="", data=b"x", what={"plan": "1"}), text="Solved")
        store.record("PDF printed", kind="export")
        assert store.status == "approved"
        assert [e.kind for e in store.history().entries] == ["start", "approve", "result", "export"]
        store.set_status("treated")
        assert store.set_status("treated").number == 5


def test_a_summary_needs_neither_lock_nor_voxels(path):
    with CaseStore.open(path) as store:
        store.rename("Left lobe")
        found = summary(path)
        assert (found.code, found.title, found.status, found.plan_name, found.entries) == (
            "P-1",
            "Left lobe",
            "draft",
            "A",
            2,
        )
        assert found.at == store.history().entries[-1].at
        store.record("Still the writer", plan_text=plan(1))


def test_a_plan_that_is_no_object_of_finite_numbers_is_refused(path):
    with CaseStore.open(path) as store:
        for text in ("[1]", "{", '{"a": NaN}'):
            with pytest.raises(StoreError) as caught:
                store.record("Plan", plan_text=text)
            assert caught.value.code == "plan-not-json"
        assert len(store.history()) == 1


def test_texts_become_one_visible_line(path):
    with CaseStore.open(path) as store:
        store.record("a\nb\x00c \ud800 d", plan_text=plan(1))
        assert store.history().entries[-1].text == "a b c d"


def test_a_copy_does_not_replace_the_file_itself_or_one_that_is_open(path, tmp_path):
    other = tmp_path / "b.cryoplan"
    with CaseStore.open(path) as store:
        store.save_copy(other)
        for place in (path, other):
            with CaseStore.open(other), pytest.raises(StoreError) as caught:
                store.save_copy(place)
            assert caught.value.code == "case-file-in-use"
        with pytest.raises(StoreError) as caught:
            store.save_copy(tmp_path / "none" / "c.cryoplan")
        assert caught.value.code == "folder-missing"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.cryoplan", "b.cryoplan"]


CHANGES = {
    "UPDATE history SET text = 'x' WHERE number = 2": "at entry 2",
    "DELETE FROM history WHERE number = 2": "at entry 2",
    "DELETE FROM history WHERE number = 3": "ends before entry 3",
    "UPDATE history SET changes = 'damaged' WHERE number = 2": "at entry 2",
    "UPDATE \"case\" SET document = json_set(document, '$.case.notes', 'x')": "after entry 3",
}


@pytest.mark.parametrize("statement", CHANGES)
def test_a_history_changed_by_others_is_opened_with_a_finding(path, statement):
    import sqlite3
    from contextlib import closing

    with CaseStore.open(path) as store:
        store.record("One", plan_text=plan(1))
        store.record("Two", plan_text=plan(2))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    with CaseStore.open(path) as store:
        (finding,) = store.findings
        assert finding.code == "history-changed"
        assert CHANGES[statement] in finding.text
        assert store.plan_text == plan(2)
        store.record("Three", plan_text=plan(3))
    with CaseStore.open(path) as store:
        assert store.plan_text == plan(3)
        assert store.findings or statement.startswith(
            ('UPDATE "case"', "DELETE FROM history WHERE number = 3")
        )
