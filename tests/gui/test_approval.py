"""Approval, and what bars and banner say of the case file: nobody can miss it, nobody is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from cryoplan import workflow
from cryoplan.app.steps import Kept
from cryoplan.app.view import ViewState
from cryoplan.case.history import Status
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.gui import actions, theme
from cryoplan.gui.banner import Notices
from cryoplan.gui.dialogs.approve import ApproveDialog
from cryoplan.gui.panels import ProbesPanel, ReportPanel
from cryoplan.gui.panels import report as report_module
from cryoplan.gui.standing import local_time, notices, save_word
from cryoplan.gui.top_bar import TopBar
from cryoplan.plan.edits import nudge
from tests.support.desk import Desk, somebody_else_has

NAME = "Dr A. Example"


@pytest.fixture
def panel(desk: Desk, qapp, qtbot) -> ReportPanel:
    theme.apply(qapp)
    made = ReportPanel(desk.workspace, desk.view)
    qtbot.addWidget(made)
    made.resize(300, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def shown(desk: Desk, qapp, qtbot) -> Notices:
    theme.apply(qapp)
    made = Notices(desk.workspace)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def top_bar(desk: Desk, qapp, qtbot) -> Iterator[TopBar]:
    colours = theme.apply(qapp)
    parent = QWidget()
    qtbot.addWidget(parent)
    bar = TopBar(desk.workspace, colours, [], parent)
    parent.resize(1280, 60)
    parent.show()
    yield bar
    del parent  # it owns the bar


def kept(desk: Desk) -> Kept:
    return desk.workspace.keeper.kept


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def move(desk: Desk, text: str = "Probe 1: tip moved 1.0 mm") -> None:
    workspace = desk.workspace
    workspace.edit(text, nudge(workspace.plan, "1", (1.0, 0.0, 0.0)))


def approve(desk: Desk, qtbot, panel: ReportPanel) -> None:
    desk.solve()
    panel.approving.approve(NAME)
    qtbot.waitUntil(lambda: kept(desk).history.approval is not None)


def answer(monkeypatch, name: str) -> list[tuple[tuple[str, ...], str]]:
    """Let the dialog answer at once; return what it was asked with."""
    asked = []
    monkeypatch.setattr(
        report_module, "ask_approval", lambda words, person, _p: asked.append((words, person)) or name
    )
    return asked


# Approving ----------------------------------------------------------------------------------------------


def test_only_a_current_plan_can_be_approved(panel, desk, qtbot):
    desk.workspace.keeper.settle()
    qtbot.waitUntil(lambda: "solve first" in panel.why_not_approved.text())
    assert not panel.approve.isEnabled()
    with pytest.raises(StoreError, match="current"):
        panel.approving.approve(NAME)
    desk.solve()
    qtbot.waitUntil(panel.approve.isEnabled)
    move(desk)
    qtbot.waitUntil(lambda: not panel.approve.isEnabled())
    assert kept(desk).history.approval is None


def test_the_approval_names_the_person_the_margins_and_the_probes(panel, desk, qtbot, monkeypatch):
    asked = answer(monkeypatch, NAME)
    desk.solve()
    qtbot.waitUntil(panel.approve.isEnabled)
    press(panel.approve)
    qtbot.waitUntil(lambda: panel.status.text().startswith(f"✓ Approved by {NAME}, "))
    entry = kept(desk).history.approval.entry
    assert entry.person == NAME
    worst = desk.workspace.assessment.margin(0.0).minimum_mm
    for words in (
        f"Plan {desk.workspace.plan.name} approved",
        f"0 °C +{worst:.1f} mm",
        "10-5-10 min",
        "1, 2",
    ):
        assert words in entry.text
    assert asked == [(panel.approving.words(), "")]
    press(panel.withdraw)
    qtbot.waitUntil(panel.approve.isEnabled)
    press(panel.approve)
    assert asked[-1][1] == NAME  # who approved last need not be typed again


def test_without_a_name_there_is_no_approval(qtbot, panel, desk):
    dialog = ApproveDialog(("Plan A approved", "Probes: 1"), "")
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.approve.isEnabled()
    QTest.keyClicks(dialog.person, "   ")
    QTest.keyClick(dialog.person, Qt.Key.Key_Return)
    assert dialog.isVisible()
    QTest.keyClicks(dialog.person, "Dr B")
    QTest.keyClick(dialog.person, Qt.Key.Key_Return)
    assert not dialog.isVisible()
    assert dialog.name == "Dr B"
    desk.solve()
    with pytest.raises(StoreError, match="name"):
        panel.approving.approve("  ")


def test_giving_up_the_dialog_approves_nothing(panel, desk, qtbot, monkeypatch):
    answer(monkeypatch, "")
    desk.solve()
    qtbot.waitUntil(panel.approve.isEnabled)
    press(panel.approve)
    desk.workspace.keeper.settle()
    assert kept(desk).history.approval is None


def test_a_plan_that_nobody_looked_at_is_not_approved(panel, desk, qtbot, monkeypatch):
    failures = []
    desk.workspace.failed.connect(failures.append)
    desk.solve()
    keeper, ask = desk.workspace.keeper, desk.workspace.keeper.call

    def call(function) -> Future:
        # Another step reaches the file first.
        ask(lambda file: file.record("else", plan=nudge(file.plan, "1", (1.0, 0.0, 0.0))))
        return ask(function)

    monkeypatch.setattr(keeper, "call", call)
    panel.approving.approve(NAME)
    qtbot.waitUntil(lambda: [f.code for f in failures] == ["approval-of-another-plan"])
    assert kept(desk).history.approval is None


def test_treated_needs_an_approval_and_draft_and_ready_do_not(panel, desk, qtbot):
    desk.workspace.keeper.settle()
    qtbot.waitUntil(panel.ready.isEnabled)
    assert not panel.treated.isEnabled()
    press(panel.ready)
    qtbot.waitUntil(lambda: panel.status.text() == "Ready")
    press(panel.ready)
    qtbot.waitUntil(lambda: panel.status.text() == "Draft")
    failures = []
    desk.workspace.failed.connect(failures.append)
    panel.approving.mark(Status.TREATED)
    qtbot.waitUntil(lambda: [f.code for f in failures] == ["not-approved"])
    approve(desk, qtbot, panel)
    qtbot.waitUntil(panel.treated.isEnabled)
    press(panel.treated)
    qtbot.waitUntil(lambda: panel.status.text().startswith(f"✓ Treated; approved by {NAME}"))
    assert kept(desk).status == "treated"


# What the window says -----------------------------------------------------------------------------------


def test_an_approval_and_its_withdrawal_are_said_with_time_and_reason(panel, shown, desk, qtbot):
    approve(desk, qtbot, panel)
    at = local_time(kept(desk).history.approval.entry.at)
    qtbot.waitUntil(lambda: shown.texts == [f"Approved by {NAME}, {at}."])
    move(desk, "Probe 2: tip moved 3.1 mm")
    qtbot.waitUntil(lambda: shown.texts == ["Approval withdrawn: Probe 2: tip moved 3.1 mm"])
    press(shown.rows[0].buttons[-1])
    assert shown.texts == []
    assert shown.isHidden()


def test_a_step_that_waits_has_withdrawn_the_approval_already(panel, shown, top_bar, desk, qtbot):
    approve(desk, qtbot, panel)
    qtbot.waitUntil(lambda: top_bar.status.text() == "✓ Approved")
    path = kept(desk).path
    away = path.rename(path.with_suffix(".away"))
    move(desk, "Probe 2: tip moved 3.1 mm")
    qtbot.waitUntil(lambda: "Approval withdrawn: Probe 2: tip moved 3.1 mm" in shown.texts)
    assert kept(desk).history.approval is not None  # on the disk it still holds
    assert top_bar.status.text() == "Draft"
    away.rename(path)
    desk.workspace.keeper.retry()
    qtbot.waitUntil(lambda: shown.texts == ["Approval withdrawn: Probe 2: tip moved 3.1 mm"])


def test_trouble_with_the_disk_is_said_with_what_can_be_done_until_it_is_over(
    shown, top_bar, desk, qtbot, tmp_path
):
    desk.workspace.keeper.settle()
    qtbot.waitUntil(lambda: top_bar.saved.text() == "Saved as draft")
    assert not top_bar.saved.isEnabled()
    path = kept(desk).path
    away = path.rename(path.with_suffix(".away"))
    move(desk)
    qtbot.waitUntil(lambda: top_bar.saved.text() == "NOT SAVED: file is gone")
    assert kept(desk).trouble.remedy in top_bar.saved.toolTip()
    assert shown.texts[0].startswith("1 step is not saved yet: file is gone. It is kept in memory.")
    asked = []
    shown.save_elsewhere_requested.connect(lambda: asked.append("notice"))
    top_bar.save_elsewhere_requested.connect(lambda: asked.append("bar"))
    press(next(b for b in shown.rows[0].buttons if b.text().startswith("Save elsewhere")))
    QTest.mouseClick(top_bar.saved, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(top_bar.help.isVisible)
    next(a for a in top_bar.help.actions() if a.text().startswith("Save elsewhere")).trigger()
    top_bar.help.close()
    assert asked == ["notice", "bar"]
    away.rename(path)
    press(next(b for b in shown.rows[0].buttons if b.text() == "Try again"))
    qtbot.waitUntil(lambda: shown.texts == [] and top_bar.saved.text() == "Saved as draft")
    desk.workspace.keeper.move(tmp_path / "mine.cryoplan").result(5)
    qtbot.waitUntil(lambda: top_bar.saved.text() == "Saved")


def test_a_disk_that_says_nothing_at_all_is_trouble_too(shown, top_bar, desk, qtbot, monkeypatch):
    desk.workspace.keeper.settle()
    stuck = Kept(path=kept(desk).path, history=kept(desk).history, waiting=("a step",))
    qtbot.waitUntil(lambda: top_bar.saved.text() == "Saved as draft")
    for part in (shown, top_bar):
        part._standing._silence.setInterval(1)
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.workspace.keeper), "kept", property(lambda _self: stuck))
        desk.workspace.file_changed.emit()
        qtbot.waitUntil(lambda: top_bar.saved.text() == "NOT SAVED: the place does not answer")
        qtbot.waitUntil(lambda: any("not saved yet: the place does not answer" in t for t in shown.texts))


def test_more_than_one_thing_is_said_at_once_with_the_trouble_first():
    full = StoreError("The disk is full.", "Free some space.", code="disk-full")
    finding = Finding(level=Level.WARN, code="history-changed", text="The history was changed outside.")
    said = notices(
        Kept(waiting=("a", "b", "c"), findings=(finding,), trouble=full, read_only=False), full
    )  # fmt: skip
    assert [n.text for n in said] == [
        "3 steps are not saved yet: disk full. They are kept in memory. Free some space.",
        "The history was changed outside.",
    ]


def test_a_reason_without_a_short_word_is_said_in_full_where_there_is_room(tmp_path):
    odd = StoreError("The disk made a strange noise.", "Listen.", code="noise")
    file = Kept(path=tmp_path / "x.cryoplan", waiting=("a",), trouble=odd)
    assert "The disk made a strange noise" in notices(file, odd)[0].text
    word = save_word(file, odd, is_named=True)
    assert len(word.text) < 50
    assert "The disk made a strange noise. Listen." in word.sentence


# Reading only -------------------------------------------------------------------------------------------


@pytest.fixture
def reading(desk: Desk, tmp_path):
    """The case of the desk, which somebody else has open."""
    with somebody_else_has(desk, tmp_path / "shared.cryoplan"):
        yield desk


def test_a_case_that_somebody_else_has_says_who_and_refuses_edits(reading, shown, top_bar, qtbot):
    qtbot.waitUntil(lambda: len(shown.texts) == 1)
    assert "Open for reading only: " in shown.texts[0]
    assert "@" in shown.texts[0]
    assert " since " in shown.texts[0]
    assert shown.texts[0].endswith(". Save a copy to work on it.")
    assert [b.text() for b in shown.rows[0].buttons] == ["Save a copy..."]
    assert top_bar.saved.text() == "Read only"
    failures = []
    reading.workspace.failed.connect(failures.append)
    before = reading.workspace.plan
    move(reading)
    assert [f.code for f in failures] == ["case-read-only"]
    assert reading.workspace.plan == before


def test_the_edits_of_a_case_for_reading_only_cannot_be_chosen(reading, panel, qtbot):
    workspace = reading.workspace
    needs = actions.Needs
    assert not any(actions._possible(workspace, n) for n in (needs.MAY_EDIT, needs.EDIT_PROBES))
    assert actions._possible(workspace, needs.CASE)
    probes = ProbesPanel(workspace, ViewState())
    qtbot.addWidget(probes)
    probes.show()
    qtbot.waitUntil(lambda: not probes.place.isEnabled())
    reading.solve()
    qtbot.waitUntil(lambda: "reading only" in panel.why_not_approved.text())
    for button in (panel.approve, panel.ready, panel.treated, panel.withdraw, panel.open_plan):
        assert not button.isEnabled()


def test_a_copy_of_a_draft_that_somebody_else_has_leaves_the_draft(desk, tmp_path):
    workspace = desk.workspace
    workspace.keeper.settle()
    move(desk)
    workspace.keeper.settle()
    draft, case, plan = kept(desk).path, workspace.case, workspace.plan
    workspace.set_case(None)
    with workflow.CaseFile.open(draft):
        workspace.set_case(case, plan, file=draft)
        workspace.keeper.settle()
        assert kept(desk).read_only
        workspace.keeper.move(tmp_path / "copy.cryoplan").result(5)
        assert draft.exists()
        assert not kept(desk).read_only
        workspace.set_case(None)
