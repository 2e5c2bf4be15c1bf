"""History: differences go both ways, undo and redo find their way, the chain tells on changes."""

from __future__ import annotations

import copy
import csv
import hashlib
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.differences import (
    applied,
    canonical,
    differences,
    document_digest,
    from_json,
    same,
    to_json,
)
from cryoplan.case.history import UNSEALED, History, Kind
from cryoplan.case.history_audit import COLUMNS, audit_csv, audit_json, plain_cell
from cryoplan.case.history_write import (
    approval_entry,
    edit_entries,
    first_entry,
    move_entries,
    status_entry,
)
from cryoplan.core.errors import StoreError

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, -0.0, 1.0, 0.1, 1e300]),
    st.text(max_size=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


# Differences ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_differences_lead_from_one_document_to_the_other_and_back(before, after):
    kept = copy.deepcopy((before, after))
    changes = from_json(to_json(differences(before, after)))
    assert canonical(applied(before, changes)) == canonical(after)
    assert canonical(applied(after, changes, backwards=True)) == canonical(before)
    assert canonical([before, after]) == canonical(list(kept))


@settings(deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_equal_documents_and_only_those_have_no_differences(before, after):
    assert differences(before, copy.deepcopy(before)) == ()
    assert (differences(before, after) == ()) == (canonical(before) == canonical(after))
    assert same(before, after) == (canonical(before) == canonical(after))


@settings(deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_a_change_is_not_made_twice(before, after):
    changes = differences(before, after)
    # What is put into a list between others stands on nothing that could be missing.
    if any(change.before or isinstance(change.path[-1], str) for change in changes):
        with pytest.raises(ValueError, match=r"something|nothing|index"):
            applied(after, changes)


def test_a_moved_tip_is_one_small_difference():
    before = {"plan": {"probes": [{"name": "1", "tip_mm": [1.0, 2.0, 3.0]}, {"name": "2"}]}}
    after = {"plan": {"probes": [{"name": "1", "tip_mm": [1.5, 2.5, 3.0]}, {"name": "2"}]}}
    assert differences(before, after) == ((("plan", "probes", 0, "tip_mm", 0), (1.0, 2.0), (1.5, 2.5)),)


def test_a_probe_taken_from_the_middle_is_one_difference():
    rows = [{"name": n} for n in "abc"]
    assert differences({"p": rows}, {"p": [rows[0], rows[2]]}) == ((("p", 1), ({"name": "b"},), ()),)


def test_whole_and_broken_numbers_and_truth_are_told_apart():
    assert differences({"a": 1}, {"a": 1.0})
    assert differences({"a": 1}, {"a": True})
    assert differences({"a": 0.0}, {"a": -0.0})


@pytest.mark.parametrize("path", [(), ("a", "b"), ("l", 9), ("l", -1), ("l", "x"), ("a", 0), (True,)])
def test_a_place_that_is_not_there_is_refused(path):
    with pytest.raises(ValueError, match=r"something|nothing|index|no place"):
        applied({"a": 1, "l": [1]}, ((path, (1,), (2,)),))


def test_numbers_that_are_not_finite_have_no_text():
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


# The tree -------------------------------------------------------------------------------------------


class Desk:
    """A history in memory whose documents are counted."""

    def __init__(self) -> None:
        self.documents = {1: {"n": 0}}
        self.history = History.of([first_entry(self.documents[1], "Case created")])

    def add(self, made) -> None:
        for entry in made:
            self.history = self.history.with_entry(entry)

    def edit(self, text: str) -> int:
        before = self.documents[self.history.current]
        after = {"n": len(self.history)}
        current = self.history.current
        self.add(edit_entries(self.history, Kind.EDIT, text, "", current, before, after))
        self.documents[self.history.current] = after
        return self.history.current

    def undo(self) -> None:
        self.add(move_entries(self.history, Kind.UNDO, "Undone", self.history.undo_state))

    def redo(self) -> None:
        self.add(move_entries(self.history, Kind.REDO, "Redone", self.history.redo_state))

    def go(self, state: int) -> None:
        self.add(move_entries(self.history, Kind.GO, "Gone", state))

    def document_on_the_way(self, end: int):
        document = self.documents[self.history.current]
        for entry, backwards in self.history.way(self.history.current, end):
            document = applied(document, entry.changes, backwards)
        return document


def test_undo_goes_to_the_parent_and_redo_to_the_child_left_last():
    desk = Desk()
    assert not desk.history.can_undo
    assert not desk.history.can_redo
    first = desk.edit("one")
    desk.undo()
    second = desk.edit("two")
    third = desk.edit("three")
    assert desk.history.undo_text == "three"
    assert desk.history.line == (1, second, third)
    desk.undo()
    desk.undo()
    assert desk.history.redo_text == "two"
    assert desk.history.line == (1, second, third)
    desk.go(first)
    desk.undo()
    assert desk.history.redo_state == first
    desk.go(third)
    assert desk.history.line == (1, second, third)
    assert not desk.history.can_redo
    assert [e.number for e in desk.history.entries] == list(range(1, len(desk.history) + 1))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["edit", "edit", "undo", "redo", "go"]), max_size=40), st.randoms())
def test_every_state_can_be_reached_from_every_other(steps, rng):
    desk = Desk()
    for step in steps:
        if step == "undo" and desk.history.can_undo:
            desk.undo()
        elif step == "redo" and desk.history.can_redo:
            desk.redo()
        elif step == "go":
            desk.go(rng.choice(sorted(desk.documents)))
        elif step == "edit":
            desk.edit("edit")
        line = desk.history.line
        assert desk.history.current in line
        assert line[0] == 1
    for state, document in desk.documents.items():
        assert desk.document_on_the_way(state) == document
    again = History.of(desk.history.entries)
    assert (again.current, again.line, again.redo_state) == (
        desk.history.current,
        desk.history.line,
        desk.history.redo_state,
    )
    assert again.verify_chain() is None


# Approvals ------------------------------------------------------------------------------------------


def approved() -> Desk:
    desk = Desk()
    desk.edit("one")
    document = document_digest(desk.documents[desk.history.current])
    desk.add([approval_entry(desk.history, "Dr. A", "Plan approved", document)])
    return desk


@pytest.mark.parametrize("change", ["edit", "undo"])
def test_any_change_withdraws_an_approval_and_says_so(change):
    desk = approved()
    assert desk.history.status == "approved"
    assert desk.history.approval.entry.person == "Dr. A"
    desk.edit("Probe 1 moved") if change == "edit" else desk.undo()
    assert desk.history.status == "draft"
    assert desk.history.approval is None
    last = desk.history.entries[-1]
    assert last.kind == Kind.WITHDRAW
    assert "Dr. A" in last.text
    assert desk.history.entries[-2].status == "draft"
    assert desk.history.approvals[0].withdrawn == last
    # Going back to the very plan that was approved does not bring the approval back.
    desk.undo() if change == "edit" else desk.redo()
    assert desk.history.approval is None


def test_only_what_is_approved_as_it_stands_can_be_treated():
    desk = approved()
    document = desk.history.entries[-1].document
    for other in (desk.history.entries[0].document[::-1], b"\0" * 32):
        with pytest.raises(StoreError) as caught:
            status_entry(desk.history, "treated", "", other)
        assert caught.value.code == "not-approved"
    desk.add([status_entry(desk.history, "ready", "Dr. B", document)])
    for status in ("ready", "draft"):
        desk.add([status_entry(desk.history, status, "", document)])
        with pytest.raises(StoreError) as caught:
            status_entry(desk.history, "treated", "Dr. B", document)
        assert caught.value.code == "not-approved"
    desk.add([approval_entry(desk.history, "Dr. A", "Plan approved", document)])
    desk.add([status_entry(desk.history, "treated", "", document)])
    assert desk.history.status == "treated"


def test_status_follows_its_rules():
    desk = approved()
    document = desk.history.entries[-1].document
    desk.add([status_entry(desk.history, "treated", "", document)])
    assert desk.history.status == "treated"
    assert desk.history.approval is not None
    desk.add([status_entry(desk.history, "ready", "Dr. B", document)])
    assert desk.history.approval is None
    assert desk.history.approvals[0].withdrawn.person == "Dr. B"
    for status, code in (("approved", "status-needs-approval"), ("done", "status-unknown")):
        with pytest.raises(StoreError) as caught:
            status_entry(desk.history, status, "", document)
        assert caught.value.code == code
    with pytest.raises(StoreError, match="needs a name"):
        approval_entry(desk.history, " \n", "", document)


# The chain ------------------------------------------------------------------------------------------


def long_history() -> History:
    desk = approved()
    for n in range(5):
        desk.edit(f"step {n}")
    desk.undo()
    return desk.history


CHANGED = {
    "text": "nothing happened",
    "at": "2001-01-01T00:00:00.000Z",
    "person": "Dr. Z",
    "status": "treated",
    "kind": "export",
    "before": 1,
    "after": 1,
    "parent": 1,
    "changes": (),
    "document": bytes(32),
    "hash": bytes(32),
    "number": 77,
}


@pytest.mark.parametrize("field", CHANGED)
def test_the_chain_names_the_entry_in_which_anything_was_changed(field):
    entries = list(long_history().entries)
    entries[5] = replace(entries[5], **{field: CHANGED[field]})
    assert History.of(entries).verify_chain() == 6


def test_the_chain_notices_entries_taken_out_put_in_or_swapped():
    entries = long_history().entries
    assert History.of(entries).verify_chain() is None
    assert History.of(entries[:3] + entries[4:]).verify_chain() == 4
    assert History.of(entries[:3] + entries[2:]).verify_chain() == 4
    assert History.of((*entries[:3], entries[4], entries[3], *entries[5:])).verify_chain() == 4


def test_a_damaged_list_of_entries_still_makes_a_history():
    entries = long_history().entries
    for gone in range(len(entries)):
        history = History.of(entries[:gone] + entries[gone + 1 :])
        assert isinstance(history.line, tuple)
        assert isinstance(history.undo_text + history.redo_text, str)
    loop = [replace(entries[0], parent=1), replace(entries[1], parent=9)]
    assert History.of(loop).line == (2,)


# Audit ----------------------------------------------------------------------------------------------


def test_the_json_audit_holds_all_that_is_needed_to_check_the_chain_elsewhere():
    audit = json.loads(audit_json(long_history()))
    assert audit["chain"] == {"whole": True, "broken_at": None}
    previous = UNSEALED.hex()
    for row in audit["entries"]:
        seal = row.pop("hash")
        assert row["previous"] == previous
        text = json.dumps(row, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == seal
        previous = seal


def test_the_csv_audit_has_a_line_for_each_entry_and_no_formula():
    desk = Desk()
    for text in ("=1+1", "+49", "-5 mm", "@x", "  =cmd()", 'quoted "a", b; c', "Größe ☃"):
        desk.edit(text)
    desk.add([approval_entry(desk.history, "=HYPERLINK(1)", "ok", desk.history.entries[-1].document)])
    rows = list(csv.reader(io.StringIO(audit_csv(desk.history), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(desk.history) + 1
    for row in rows[1:]:
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)
    assert rows[3][COLUMNS.index("text")] == "'+49"
    assert rows[-1][COLUMNS.index("person")] == "'=HYPERLINK(1)"
    assert plain_cell("Probe 2: tip moved") == "Probe 2: tip moved"
