"""Steps of a case on their way to its file: in order, a gesture as one, and undo wherever they stand."""

from __future__ import annotations

import pytest

from cryoplan.case.store import StoredResult
from tests.support.writing import LONG_S, a_case, plan, state, texts


def test_steps_reach_the_file_in_their_order(hand):
    hand.begin()
    for n in range(1, 21):
        hand.edit(n)
    hand.settled()
    assert texts(hand.path) == ["Case created", *(f"Edit {n}" for n in range(1, 21))]
    assert state(hand.path) == (hand.case.digest(), plan(20))


@pytest.mark.parametrize("settled_after", [(), (1,), (2,), (1, 2), (1, 2, 3)])
def test_a_gesture_is_one_step_whenever_its_parts_reach_the_disk(hand, settled_after):
    hand.begin()
    hand.edit(1)
    for part in (1, 2, 3):
        hand.edit(10 + part, gesture="drag")
        if part in settled_after:
            hand.settled()
    hand.settled()
    history = hand.writer.kept.history
    assert history.undo_text == "plan 1 to plan 13"
    hand.undo()
    assert state(hand.path)[1] == plan(1) == hand.plan


def test_a_gesture_goes_on_as_one_step_after_a_result_was_stored_or_the_case_moved(hand, tmp_path):
    hand.begin()
    hand.edit(1, gesture="drag")
    stored = StoredResult(key="k", header="", data=b"x")
    hand.writer.call(lambda file: file.put_stored(stored, text="Solved")).result(LONG_S)
    hand.edit(2, gesture="drag")
    hand.settled()
    hand.path = tmp_path / "moved.cryoplan"
    hand.writer.move(hand.path).result(LONG_S)
    hand.edit(3, gesture="drag")
    hand.settled()
    hand.undo()
    assert state(hand.path)[1] == plan(0) == hand.plan
    assert not hand.writer.kept.history.can_undo


def test_parts_of_a_gesture_that_hangs_are_one_step_and_taken_back_as_one(hand, gate):
    hand.begin()
    gate.shut()
    hand.edit(1, gesture="drag")
    hand.writer.settle(0.0)
    assert gate.reached.wait(LONG_S)
    hand.edit(2, gesture="drag")
    hand.edit(3, gesture="drag")
    kept = hand.writer.kept
    assert (len(kept.waiting), kept.continues) == (2, 1)
    assert hand.writer.take_back() is None, "its beginning is on its way to the disk"
    gate.open.set()
    hand.undo()
    assert state(hand.path)[1] == plan(0) == hand.plan


def test_a_gesture_back_to_its_start_leaves_no_step(hand):
    hand.begin()
    before = texts(hand.path)
    for n in (1, 2, 0):
        hand.edit(n, gesture="drag")
    hand.settled()
    assert texts(hand.path) == before
    hand.edit(1, gesture="other")
    hand.settled()
    hand.edit(0, gesture="other")
    hand.settled()
    assert not hand.writer.kept.history.can_undo
    hand.edit(5, gesture="other")
    hand.settled()
    hand.undo()
    assert state(hand.path)[1] == plan(0)


def test_undo_of_a_waiting_a_written_and_a_half_written_step_gives_the_state_before(hand):
    hand.begin()
    hand.edit(1)
    hand.edit(2, gesture="waits")
    hand.undo()
    assert hand.plan == plan(1)
    hand.edit(3, gesture="half")
    hand.settled()
    hand.edit(4, gesture="half")
    hand.undo()
    assert hand.plan == plan(1) == state(hand.path)[1]
    hand.undo()
    assert hand.plan == plan(0) == state(hand.path)[1]
    assert [hand.writer.go(lambda f: f.redo()).result(LONG_S)[1] for _ in range(2)] == [plan(1), plan(4)]
    assert "plan 1 to plan 2" not in texts(hand.path)


def test_case_and_plan_of_the_file_are_those_of_memory_whatever_was_taken_back_between(hand):
    hand.begin()
    hand.edit(1, gesture="a", case=a_case(4.0))
    hand.undo()
    hand.edit(2)
    hand.settled()
    assert state(hand.path) == (a_case().digest(), plan(2))
