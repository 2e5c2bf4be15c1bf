"""The history window says what was done, goes back to any of it, and hands the audit log out."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from cryoplan.app.steps import Kept
from cryoplan.case.history import History
from cryoplan.case.history_write import edit_entries, first_entry
from cryoplan.gui import theme
from cryoplan.gui.dialogs import history as module
from cryoplan.gui.dialogs.history import MARK, NOT_SAVED, NOW, STEP, TIME, UNDONE, HistoryDialog, lines_of
from cryoplan.gui.standing import local_time
from cryoplan.plan.edits import nudge
from tests.support.desk import Desk, somebody_else_has


@pytest.fixture
def dialog(desk: Desk, qapp, qtbot) -> HistoryDialog:
    theme.apply(qapp)
    made = HistoryDialog(desk.workspace)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


WAIT_MS = 20_000
"""For a busy machine; nothing here is timed."""


def move(desk: Desk, by_mm: float, text: str, gesture: str | None = None) -> None:
    workspace = desk.workspace
    workspace.edit(text, nudge(workspace.plan, "1", (by_mm, 0.0, 0.0)), gesture=gesture)
    workspace.keeper.settle()


def rows(dialog: HistoryDialog) -> list[tuple[str, str]]:
    model = dialog.model
    return [
        (model.index(n, MARK).data(), model.index(n, STEP).data()) for n in range(model.rowCount())
    ]  # fmt: skip


def choose(dialog: HistoryDialog, text: str) -> None:
    row = next(n for n, (_, said) in enumerate(rows(dialog)) if said == text)
    dialog.table.setCurrentIndex(dialog.model.index(row, STEP))


def long_history(steps: int) -> History:
    document = {"n": 0}
    history = History().with_entry(first_entry(document, "Case created"))
    for n in range(1, steps):
        new = {"n": n}
        for entry in edit_entries(history, "edit", f"Probe 1: tip moved {n} mm", "", n, document, new):
            history = history.with_entry(entry)
        document = new
    return history


def test_the_newest_step_is_on_top_and_the_present_one_bears_a_mark(desk, dialog, qtbot):
    move(desk, 1.0, "first")
    move(desk, 1.0, "second")
    wanted = [(NOW, "second"), ("", "first"), ("", "Case created")]
    qtbot.waitUntil(lambda: rows(dialog) == wanted)
    desk.workspace.undo()
    qtbot.waitUntil(lambda: rows(dialog) == [(UNDONE, "second"), (NOW, "first"), ("", "Case created")])


def test_times_are_by_the_clock_on_the_wall(dialog, qtbot, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        said = local_time("2026-11-22T20:05:00.000Z")
    time.tzset()
    assert said == "23 Nov 2026 05:05"
    assert local_time("a time that somebody has damaged") == "a time that somebody has damaged"
    qtbot.waitUntil(lambda: len(rows(dialog)) == 1)
    at = dialog.model.lines[0].at
    assert dialog.model.index(0, TIME).data().replace("  ", " ").strip().startswith(local_time(at))


@pytest.mark.parametrize("how", ["button", "return", "double click"])
def test_one_can_go_to_any_step_and_back_to_an_undone_one(desk, dialog, qtbot, how):
    start = desk.workspace.plan
    move(desk, 1.0, "first")
    move(desk, 1.0, "second")
    end = desk.workspace.plan

    def go(text: str) -> None:
        qtbot.waitUntil(lambda: text in [said for _, said in rows(dialog)])
        # A step that is still on its way is waited for, as the window asks of its user.
        qtbot.waitUntil(lambda: not desk.workspace._travel.is_under_way, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: not desk.workspace.keeper.kept.waiting, timeout=WAIT_MS)

        def is_chosen() -> bool:
            choose(dialog, text)  # again where the list was filled anew in between
            return dialog.go.isEnabled()

        qtbot.waitUntil(is_chosen, timeout=WAIT_MS)
        if how == "button":
            QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
        elif how == "return":
            QTest.keyClick(dialog.table, Qt.Key.Key_Return)
        else:
            place = dialog.table.visualRect(dialog.table.currentIndex()).center()
            QTest.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
            QTest.mouseDClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=place)

    go("Case created")
    qtbot.waitUntil(lambda: desk.workspace.plan == start)
    qtbot.waitUntil(lambda: rows(dialog)[0] == (UNDONE, "second"))
    go("second")
    qtbot.waitUntil(lambda: desk.workspace.plan == end)
    assert dialog.isVisible()


def test_the_parts_of_one_drag_are_one_line_but_all_are_in_the_audit_log(desk, dialog, qtbot):
    for n in range(3):
        move(desk, 1.0, f"part {n}", gesture="drag 1")
    qtbot.waitUntil(lambda: len(rows(dialog)) == 2)
    dialog.everything.setChecked(True)
    qtbot.waitUntil(lambda: len(rows(dialog)) == len(desk.workspace.keeper.kept.history))
    assert len(rows(dialog)) == 4


def test_the_audit_log_tells_undo_and_approval_with_the_name(desk, dialog, qtbot):
    move(desk, 1.0, "first")
    desk.workspace.undo()
    desk.workspace.keeper.call(lambda file: file.store.approve("Dr A. Example")).result(5)
    assert all("Example" not in said for _, said in rows(dialog))
    dialog.everything.setChecked(True)
    qtbot.waitUntil(lambda: ("approve", "Plan approved (by Dr A. Example)") in rows(dialog))
    assert ("undo", "Undone: first") in rows(dialog)


def test_the_filter_keeps_lines_that_hold_all_words(desk, dialog, qtbot):
    move(desk, 1.0, "Probe 1: tip moved")
    move(desk, 1.0, "Probe 2: tip moved")
    QTest.keyClicks(dialog.filter, "TIP 2")
    qtbot.waitUntil(lambda: rows(dialog) == [(NOW, "Probe 2: tip moved")])
    assert dialog.count.text() == "1 step found"


def test_steps_that_are_not_on_the_disk_say_so_and_cannot_be_gone_to(desk, dialog, qtbot):
    move(desk, 1.0, "first")
    path = desk.workspace.keeper.kept.path
    away = path.rename(path.with_suffix(".away"))
    desk.workspace.edit("second", nudge(desk.workspace.plan, "1", (1.0, 0.0, 0.0)))
    qtbot.waitUntil(lambda: rows(dialog)[:2] == [(f"{NOW}, {NOT_SAVED}", "second"), ("", "first")])
    choose(dialog, "second")
    assert not dialog.go.isEnabled()
    assert "not saved yet" in dialog.go.toolTip()
    away.rename(path)
    desk.workspace.keeper.retry()
    qtbot.waitUntil(lambda: rows(dialog)[0] == (NOW, "second"))


def shown_of(kept: Kept, desk: Desk, qtbot, monkeypatch) -> HistoryDialog:
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.workspace.keeper), "kept", property(lambda _self: kept))
        dialog = HistoryDialog(desk.workspace)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: bool(dialog.chain.text()))
    return dialog


def test_a_long_history_is_shown_whole_and_says_that_it_is_whole(qtbot, empty_desk, monkeypatch):
    kept = Kept(path=Path("x.cryoplan"), history=long_history(2000))
    dialog = shown_of(kept, empty_desk, qtbot, monkeypatch)
    asked = []
    plain = module.local_seconds
    monkeypatch.setattr(module, "local_seconds", lambda at: asked.append(at) or plain(at))
    dialog.grab()
    assert dialog.model.rowCount() == 2000
    assert len(set(asked)) < 100  # only what is seen is made into text
    assert "all 2,000 entries fit together" in dialog.chain.text()


def test_a_history_that_was_changed_outside_is_named_with_the_entry(qtbot, empty_desk, monkeypatch):
    entries = list(long_history(5).entries)
    entries[2] = replace(entries[2], text="Nothing happened")
    kept = Kept(path=Path("x.cryoplan"), history=History.of(entries))
    dialog = shown_of(kept, empty_desk, qtbot, monkeypatch)
    assert "entry 3 does not fit" in dialog.chain.text()
    assert dialog.chain.tone == "fail"


def test_gestures_without_an_end_of_their_own_leave_no_line():
    assert [line.text for line in lines_of(Kept(history=long_history(3)))] == [
        "Probe 1: tip moved 2 mm", "Probe 1: tip moved 1 mm", "Case created",
    ]  # fmt: skip
    assert lines_of(Kept()) == []


def answers(monkeypatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(path), ""))


def test_the_audit_log_goes_out_as_csv_and_as_json(desk, dialog, qtbot, tmp_path, monkeypatch):
    move(desk, 1.0, "first")
    qtbot.waitUntil(lambda: len(rows(dialog)) == 2)
    said: list[str] = []
    desk.workspace.message.connect(said.append)
    for button, name in ((dialog.csv, "log.csv"), (dialog.json, "log")):
        answers(monkeypatch, tmp_path / name)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: {"Saved log.csv", "Saved log.json"} <= set(said))
    with (tmp_path / "log.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["text"] for row in csv.DictReader(stream)] == ["Case created", "first"]
    log = json.loads((tmp_path / "log.json").read_text(encoding="utf-8"))
    assert log["chain"] == {"whole": True, "broken_at": None}
    assert [e["text"] for e in log["entries"]] == ["Case created", "first"]


def test_an_export_that_fails_says_so_and_an_old_file_is_replaced_only_after_a_yes(
    dialog, desk, qtbot, tmp_path, monkeypatch
):
    failures = []
    desk.workspace.failed.connect(failures.append)
    qtbot.waitUntil(dialog.csv.isEnabled)
    answers(monkeypatch, tmp_path / "no such folder" / "log.csv")
    QTest.mouseClick(dialog.csv, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: [f.code for f in failures] == ["folder-missing"])
    (tmp_path / "log.csv").write_text("old")
    answers(monkeypatch, tmp_path / "log")
    monkeypatch.setattr(QMessageBox, "question", lambda *_a: QMessageBox.StandardButton.No)
    QTest.mouseClick(dialog.csv, Qt.MouseButton.LeftButton)
    assert not dialog._asking.is_under_way
    assert (tmp_path / "log.csv").read_text() == "old"


def test_a_case_that_is_open_for_reading_only_shows_its_history_and_stays(desk, dialog, qtbot, tmp_path):
    move(desk, 1.0, "first")
    plan = desk.workspace.plan
    with somebody_else_has(desk, tmp_path / "shared.cryoplan"):
        qtbot.waitUntil(lambda: len(rows(dialog)) == 2)
        choose(dialog, "Case created")
        assert not dialog.go.isEnabled()
        assert "reading only" in dialog.go.toolTip()
        QTest.keyClick(dialog.table, Qt.Key.Key_Return)
        assert desk.workspace.plan == plan
