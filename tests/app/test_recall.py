"""Recall: a result in the case file is shown as current in the state it belongs to, and in no other."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.app import tasks
from cryoplan.app.jobs import Failure
from cryoplan.app.state import State
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import StaleError, StoreError
from cryoplan.plan import edits
from tests.support.desk import Desk, answer

pytestmark = pytest.mark.usefixtures("qapp")

LONG_MS = 60_000


def move(workspace: Workspace, mm: float) -> None:
    workspace.edit(f"Probe 1 moved {mm:g} mm", edits.nudge(workspace.plan, "1", (0.0, 0.0, mm)))


def solved_states(desk: Desk, moves: int) -> tuple[Path, list[str]]:
    """Solve a plan before and after each move; return the closed file, and the keys in order."""
    desk.open()
    keys = []
    for n in range(moves + 1):
        if n:
            move(desk.workspace, 2.0)
        desk.solve()
        keys.append(desk.workspace.result.key)
    assert desk.workspace.keeper.settle()
    path = desk.workspace.keeper.kept.path
    assert path is not None
    assert desk.workspace.close()
    return path, keys


def opened(path: Path) -> Desk:
    desk = Desk()
    desk.workspace.open_case_file(path)
    desk.worker.done("open", workflow.open_case(path))
    return desk


def recalls(desk: Desk) -> list:
    return [job for job in desk.worker.jobs if job.kind == "recall"]


def work(job) -> object:
    """Do a job as the background process does."""
    arguments = dict(job.arguments)
    return workflow.recall(arguments["stored"], arguments["case"], arguments["plan"])


def sentences(workspace: Workspace) -> list[str]:
    said: list[str] = []
    workspace.message.connect(said.append)
    return said


@pytest.fixture
def made():
    path, keys = solved_states(Desk(), 2)
    desk = opened(path)
    # The process is played by the test, so it was given whole cases only.
    desk.workspace._errands.held.shortened = dict
    yield desk, path, keys
    desk.workspace.close()


def arrives(desk: Desk, qtbot, count: int) -> None:
    qtbot.waitUntil(lambda: len(recalls(desk)) == count, timeout=LONG_MS)
    desk.worker.done("recall", work(recalls(desk)[-1]))


# What comes back --------------------------------------------------------------------------------------


def test_undo_redo_and_going_to_a_step_after_a_restart_bring_the_stored_results_back(made, qtbot):
    desk, _, keys = made
    workspace = desk.workspace
    assert (workspace.state, workspace.result.key) == (State.CURRENT, keys[2])
    assert not workspace._recall.is_under_way, "what opening brought is not read again"
    newest = workspace.result
    workspace.undo()
    assert workspace.state is State.OUT_OF_DATE
    assert workspace._recall.is_under_way
    assert not workspace.can_export
    arrives(desk, qtbot, 1)
    assert (workspace.state, workspace.result.key) == (State.CURRENT, keys[1])
    assert workspace.assessment.key == keys[1]
    assert workspace.can_export
    assert not workspace._recall.is_under_way
    workspace.redo()
    assert workspace.result is newest, "what is in memory is not read again"
    workspace.go_to(workspace.keeper.kept.history.line[0])
    arrives(desk, qtbot, 2)
    assert (workspace.state, workspace.result.key) == (State.CURRENT, keys[0])
    workspace.redo()
    assert (workspace.state, workspace.result.key) == (State.CURRENT, keys[1])
    assert [job.kind for job in desk.worker.jobs].count("solve") == 0


def test_what_comes_back_has_the_numbers_that_were_solved(qtbot):
    first = Desk()
    path, _ = solved_states(first, 1)
    before = first.workspace._results
    desk = opened(path)
    desk.workspace._errands.held.shortened = dict
    desk.workspace.undo()
    arrives(desk, qtbot, 1)
    result, assessment = desk.workspace.result, desk.workspace.assessment
    solved, judged = before._kept[result.key]
    assert result.minimum_degc.values.tobytes() == solved.minimum_degc.values.tobytes()
    assert assessment.coverage == judged.coverage
    assert [f.time_s for f in result.frames] == [f.time_s for f in solved.frames]
    desk.workspace.close()


def test_the_file_keeps_the_last_three_results_even_if_they_were_solved_within_a_moment():
    path, keys = solved_states(Desk(), 4)
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert file.store.result_keys() == tuple(keys[-3:])


def test_an_answer_that_came_after_an_edit_is_in_the_file_too():
    desk = Desk()
    desk.open()
    workspace = desk.workspace
    asked = workspace.plan
    workspace.request_simulation()
    move(workspace, 2.0)
    key = workflow.simulation_key(workspace.case, asked, workspace.catalogue, workspace.settings)
    result, judged = answer(asked)
    desk.worker.done("solve", (replace(result, key=key, frames=()), replace(judged, key=key)))
    assert workspace.state is State.READY
    path = workspace.keeper.kept.path
    assert workspace.close()
    again = opened(path).workspace
    assert again.state is State.READY
    again.undo()
    assert again._recall.is_under_way, "the answer to the plan before the edit is in the file"
    again.close()


def test_an_answer_of_a_case_that_is_left_a_moment_later_is_in_its_file(qtbot):
    desk = Desk()
    desk.open()
    desk.solve()
    workspace = desk.workspace
    move(workspace, 2.0)
    desk.solve()
    path, key = workspace.keeper.kept.path, workspace.result.key
    workspace.new_case()
    assert workspace.keeper.kept.path is None
    qtbot.waitUntil(lambda: not workspace.saver._leaving, timeout=LONG_MS)
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert key in file.store.result_keys()
        assert [e.text for e in file.history.entries][-1] == "Solved on a grid of 1 mm"
    again = opened(path).workspace
    assert (again.state, again.result.key) == (State.CURRENT, key)
    again.close()
    workspace.close()


def test_an_answer_of_a_case_that_is_left_is_there_after_the_program_ended_at_once():
    desk = Desk()
    desk.open()
    move(desk.workspace, 2.0)
    desk.solve()
    path, key = desk.workspace.keeper.kept.path, desk.workspace.result.key
    desk.workspace.new_case()
    desk.workspace.close()
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert key in file.store.result_keys()


def test_a_file_that_somebody_else_took_meanwhile_is_left_to_them(qtbot):
    desk = Desk()
    desk.open()
    move(desk.workspace, 2.0)
    desk.solve()
    path = desk.workspace.keeper.kept.path
    assert desk.workspace.keeper.settle()
    gate = threading.Event()
    desk.workspace.saver._work.put(gate.wait)
    desk.workspace.new_case()
    with workflow.CaseFile.open(path) as file:
        gate.set()
        qtbot.waitUntil(lambda: not desk.workspace.saver._leaving, timeout=LONG_MS)
        assert file.store.result_keys() == ()
    desk.workspace.close()


def test_a_plan_that_was_never_solved_asks_nothing_of_file_or_process(made):
    desk, _, _ = made
    move(desk.workspace, 7.0)
    assert desk.workspace.state is State.OUT_OF_DATE
    assert not desk.workspace._recall.is_under_way
    assert recalls(desk) == []


def test_a_result_on_its_way_back_does_not_cost_the_one_that_is_not_in_the_file_yet(made, qtbot):
    desk, path, _ = made
    workspace = desk.workspace
    move(workspace, 5.0)
    desk.solve()
    newest = workspace.result.key
    workspace.undo()
    workspace.undo()
    arrives(desk, qtbot, 1)
    assert workspace.state is State.CURRENT
    assert workspace.close()
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert newest in file.store.result_keys()


def test_results_in_memory_go_along_when_only_memory_is_left_of_the_file(made, qtbot, tmp_path):
    desk, path, keys = made
    workspace = desk.workspace
    workspace.undo()
    arrives(desk, qtbot, 1)
    assert workspace.keeper.settle()
    path.write_bytes(b"\0" * path.stat().st_size)
    place = tmp_path / "elsewhere.cryoplan"
    with qtbot.waitSignal(workspace.saver.saved, timeout=LONG_MS):
        workspace.save_case_file(place)
    with workflow.CaseFile.open(place, read_only=True) as file:
        assert file.store.result_keys() == (keys[2], keys[1])
        assert file.current_result()[0].key == keys[1]


# What does not ----------------------------------------------------------------------------------------


def test_an_edit_while_a_result_is_unpacked_drops_it(made, qtbot):
    desk, _, keys = made
    workspace, said = desk.workspace, sentences(desk.workspace)
    workspace.undo()
    qtbot.waitUntil(lambda: len(recalls(desk)) == 1, timeout=LONG_MS)
    job = recalls(desk)[0]
    move(workspace, 0.1)
    assert job.id in desk.worker.cancelled
    assert not workspace._recall.is_under_way
    desk.worker.done("recall", work(job))
    assert workspace.state is State.OUT_OF_DATE
    assert workspace.result.key == keys[2]
    assert not workspace.can_export
    assert said == []
    workspace.undo()
    arrives(desk, qtbot, 2)
    assert workspace.result.key == keys[1]


def test_an_edit_while_the_file_is_read_asks_nothing_of_the_process(made, qtbot, monkeypatch):
    desk, _, keys = made
    begun, go = threading.Event(), threading.Event()
    stored = workflow.CaseFile.stored

    def slow(file, key):
        begun.set()
        assert go.wait(LONG_MS / 1000)
        return stored(file, key)

    monkeypatch.setattr(workflow.CaseFile, "stored", slow)
    workspace = desk.workspace
    workspace.undo()
    assert begun.wait(LONG_MS / 1000)
    reading = workspace._recall._reading
    said = sentences(workspace)
    move(workspace, 0.1)
    assert said == []
    assert not workspace._recall.is_under_way
    go.set()
    assert reading.result(LONG_MS / 1000) is not None
    qtbot.wait(1)
    assert recalls(desk) == []
    assert workspace.state is State.OUT_OF_DATE
    assert workspace.result.key == keys[2]


def test_the_result_of_the_last_case_is_dropped_when_another_one_is_shown(made, qtbot):
    desk, _, _ = made
    workspace = desk.workspace
    workspace.undo()
    qtbot.waitUntil(lambda: len(recalls(desk)) == 1, timeout=LONG_MS)
    job = recalls(desk)[0]
    case, plan = workspace.case, workspace.plan
    answer = work(job)
    workspace.set_case(case.changed(code="P-2"), plan)
    desk.worker.done("recall", answer)
    assert workspace.result is None
    assert workspace.state is State.READY


def test_cancelling_leaves_the_plan_not_solved_and_the_next_visit_looks_again(made, qtbot):
    desk, _, keys = made
    workspace, said = desk.workspace, sentences(desk.workspace)
    workspace.undo()
    qtbot.waitUntil(lambda: len(recalls(desk)) == 1, timeout=LONG_MS)
    workspace.cancel()
    desk.worker.gave_up("recall")
    assert said == ["Cancelled"]
    assert workspace.state is State.OUT_OF_DATE
    assert not workspace._recall.is_under_way
    workspace.edit("name", edits.rename_plan(workspace.plan, "same ice"))
    assert len(recalls(desk)) == 1, "cancelled is cancelled while the question is the same"
    move(workspace, 1.0)
    workspace.undo()
    arrives(desk, qtbot, 2)
    assert (workspace.state, workspace.result.key) == (State.CURRENT, keys[1])


def test_solving_takes_the_place_of_reading_what_is_stored(made, qtbot):
    desk, _, keys = made
    workspace = desk.workspace
    workspace.undo()
    qtbot.waitUntil(lambda: len(recalls(desk)) == 1, timeout=LONG_MS)
    desk.solve()
    assert recalls(desk)[0].id in desk.worker.cancelled
    solved = workspace.result
    desk.worker.done("recall", work(recalls(desk)[0]))
    assert workspace.result is solved
    assert solved.key == keys[1]


def change_row(path: Path, sql: str, *words: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(sql, words).rowcount == 1


def flipped(path: Path, key: str) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        data = bytearray(connection.execute("SELECT data FROM result WHERE key = ?", (key,)).fetchone()[0])
    data[len(data) // 2] ^= 0x10
    return bytes(data)


@pytest.mark.parametrize("damage", ["a bit", "cut", "question", "another answer"])
def test_a_damaged_stored_result_is_said_in_one_sentence_and_nothing_is_shown(damage, qtbot):
    path, keys = solved_states(Desk(), 1)
    if damage == "a bit":
        change_row(path, "UPDATE result SET data = ? WHERE key = ?", flipped(path, keys[0]), keys[0])
    elif damage == "cut":
        change_row(path, "UPDATE result SET data = substr(data, 1, 4000) WHERE key = ?", keys[0])
    elif damage == "question":
        change_row(path, "UPDATE result SET what = 'no' WHERE key = ?", keys[0])
    else:
        other = "(SELECT data FROM result WHERE key <> :key)"
        header = "(SELECT header FROM result WHERE key <> :key)"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                f"UPDATE result SET data = {other}, header = {header} WHERE key = :key", {"key": keys[0]}
            )
    desk = opened(path)
    workspace, said = desk.workspace, sentences(desk.workspace)
    workspace._errands.held.shortened = dict
    failures: list[Failure] = []
    workspace.failed.connect(failures.append)
    workspace.undo()
    if damage != "question":
        qtbot.waitUntil(lambda: len(recalls(desk)) == 1, timeout=LONG_MS)
        with pytest.raises(StoreError) as caught:
            work(recalls(desk)[0])
        error = caught.value
        desk.worker.failed("recall", Failure(what=error.what, remedy=error.remedy, code=error.code))
    qtbot.waitUntil(lambda: bool(said), timeout=LONG_MS)
    assert said == ["The stored temperatures are damaged. Solve again."]
    assert failures == []
    assert workspace.state is State.OUT_OF_DATE
    assert workspace.result.key == keys[1]
    assert not workspace.can_export
    assert not workspace._recall.is_under_way
    desk.solve()
    assert workspace.state is State.CURRENT
    workspace.close()


def test_a_case_opens_without_a_result_that_is_damaged_and_says_so():
    path, keys = solved_states(Desk(), 0)
    change_row(path, "UPDATE result SET data = ? WHERE key = ?", flipped(path, keys[0]), keys[0])
    saved = workflow.open_case(path)
    assert saved.result is None
    assert [f.code for f in saved.findings] == ["result-damaged"]
    assert saved.findings[0].text == ("The stored temperatures are damaged; they were left out. Solve again.")
    workspace = opened(path).workspace
    assert workspace.state is State.READY
    workspace.close()


def test_a_stored_result_is_never_the_answer_to_another_plan(made):
    desk, path, keys = made
    workspace = desk.workspace
    with workflow.CaseFile.open(path, read_only=True) as file:
        stored = file.stored(keys[0])
    assert stored is not None
    with pytest.raises(StaleError):
        workflow.recall(stored, workspace.case, workspace.plan)


def test_what_could_not_be_read_while_the_place_was_away_comes_when_it_is_back(made, qtbot, monkeypatch):
    desk, path, keys = made
    monkeypatch.setattr("cryoplan.app.writer.AGAIN_S", 0.02)
    workspace = desk.workspace
    away = path.with_name("away")
    path.rename(away)
    move(workspace, 4.0)
    qtbot.waitUntil(lambda: workspace.keeper.kept.trouble is not None, timeout=LONG_MS)
    # The file held the answer to this plan from before; it cannot be asked now.
    workspace._recall.want(keys[0], workspace.case, workspace.plan)
    qtbot.waitUntil(lambda: not workspace._recall.is_under_way, timeout=LONG_MS)
    assert recalls(desk) == []
    away.rename(path)
    qtbot.waitUntil(lambda: len(recalls(desk)) == 1, timeout=LONG_MS)


# With the process ---------------------------------------------------------------------------------------


def test_the_background_process_brings_a_stored_result_back(qtbot):
    path, keys = solved_states(Desk(), 1)
    workspace = Workspace()
    try:
        workspace.open_case_file(path)
        qtbot.waitUntil(lambda: workspace.state is State.CURRENT, timeout=LONG_MS)
        assert workspace.result.key == keys[1]
        workspace.undo()
        assert workspace.state is State.OUT_OF_DATE
        qtbot.waitUntil(lambda: workspace.state is State.CURRENT, timeout=LONG_MS)
        assert workspace.result.key == keys[0]
        assert workspace.assessment.key == keys[0]
        assert np.isfinite(workspace.result.minimum_degc.values).all()
    finally:
        workspace.close()


def test_the_process_holds_what_it_brought_back_for_the_report(made):
    _, path, keys = made
    with workflow.CaseFile.open(path, read_only=True) as file:
        stored = file.stored(keys[2])
        assert stored is not None
        result, assessment = tasks.recall(None, file.case, file.plan, stored)
    try:
        assert tasks._solved(keys[2]) == (result, assessment)
    finally:
        tasks._RESULTS.clear()
        tasks._CASES.clear()


def test_a_case_that_is_opened_again_at_once_waits_for_the_ice_that_is_still_written(qtbot, monkeypatch):
    hold = threading.Event()
    store = workflow.stored_result

    def slowly(*args, **more):
        assert hold.wait(LONG_MS / 1000.0)
        return store(*args, **more)

    desk = Desk()
    desk.open()
    move(desk.workspace, 2.0)
    desk.solve()
    workspace = desk.workspace
    path, key = workspace.keeper.kept.path, workspace.result.key
    monkeypatch.setattr(workflow, "stored_result", slowly)
    workspace.new_case()
    workspace.open_case_file(path)
    assert "open" not in [job.kind for job in desk.worker.jobs]
    assert workspace.saver.is_busy
    assert workspace.saver.busy_text == "Saving the case"
    hold.set()
    qtbot.waitUntil(lambda: "open" in [job.kind for job in desk.worker.jobs], timeout=LONG_MS)
    desk.worker.done("open", workflow.open_case(path))
    assert workspace.state is State.CURRENT
    assert workspace.result.key == key


def test_who_opens_something_else_meanwhile_is_not_disturbed(qtbot, monkeypatch):
    hold = threading.Event()
    store = workflow.stored_result
    monkeypatch.setattr(workflow, "stored_result", lambda *a, **k: hold.wait(60.0) and store(*a, **k))
    desk = Desk()
    desk.open()
    move(desk.workspace, 2.0)
    desk.solve()
    path = desk.workspace.keeper.kept.path
    desk.workspace.new_case()
    desk.workspace.open_case_file(path)
    desk.open()
    hold.set()
    qtbot.wait(200)
    assert "open" not in [job.kind for job in desk.worker.jobs]
    assert not desk.workspace.saver.is_busy


def test_a_result_that_is_half_way_into_the_file_is_there_when_the_case_is_opened_again(qtbot, monkeypatch):
    hold, begun = threading.Event(), threading.Event()
    store = workflow.stored_result

    def slowly(*args, **more):
        begun.set()
        assert hold.wait(LONG_MS / 1000.0)
        return store(*args, **more)

    desk = Desk()
    desk.open()
    move(desk.workspace, 2.0)
    desk.solve()
    workspace = desk.workspace
    path, key = workspace.keeper.kept.path, workspace.result.key
    monkeypatch.setattr(workflow, "stored_result", slowly)
    workspace.saver.store_now()
    assert begun.wait(LONG_MS / 1000.0)
    workspace.new_case()
    workspace.open_case_file(path)
    assert workspace.saver.is_busy
    hold.set()
    qtbot.waitUntil(lambda: "open" in [job.kind for job in desk.worker.jobs], timeout=LONG_MS)
    desk.worker.done("open", workflow.open_case(path))
    assert workspace.state is State.CURRENT
    assert workspace.result.key == key
