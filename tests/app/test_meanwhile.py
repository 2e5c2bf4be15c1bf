"""What arrives when the window has gone on: no patient gets what is another's, nothing stale is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryoplan import workflow
from cryoplan.app.exporting import UNSAVED_STANDING
from cryoplan.app.jobs import JobDone
from cryoplan.case.history import Kind
from cryoplan.plan import edits
from tests.support.desk import Desk
from tests.support.scenes import make_case

pytestmark = pytest.mark.usefixtures("qapp")

PDF = Path("plan.pdf")


def exports(desk: Desk) -> list[str]:
    keeper = desk.workspace.keeper
    keeper.call(lambda _: None).result(30)
    return [entry.text for entry in keeper.kept.history.entries if entry.kind == Kind.EXPORT]


def said(desk: Desk) -> list[str]:
    words: list[str] = []
    desk.workspace.message.connect(words.append)
    return words


def test_a_print_is_noted_in_the_history_of_its_case(desk):
    desk.solve()
    desk.workspace.export_pdf(PDF)
    desk.worker.done("report", PDF)
    assert exports(desk) == ["Plan printed as PDF"]


@pytest.mark.parametrize("same_images", [True, False])
def test_a_print_that_is_done_when_another_case_is_open_is_not_noted_in_that_one(desk, same_images):
    desk.solve()
    words = said(desk)
    desk.workspace.export_pdf(PDF)
    desk.open(desk.workspace.case if same_images else make_case())
    desk.worker.done("report", PDF)
    assert exports(desk) == []
    assert [word for word in words if "Printed plan.pdf" in word and "history lacks that" in word]


def test_an_approval_that_an_unsaved_step_withdraws_is_not_printed(desk, gate):
    workspace = desk.workspace
    desk.solve()
    workspace.keeper.call(lambda file: file.store.approve("Dr. A")).result(30)
    workspace.export_pdf(PDF)
    assert desk.worker.last("report").arguments["standing"].startswith("Approved by Dr. A")
    gate.shut()
    workspace.edit("moved", edits.nudge(workspace.plan, "1", (0.5, 0.0, 0.0)))
    desk.solve()
    workspace.export_pdf(PDF)
    assert desk.worker.last("report").arguments["standing"] == UNSAVED_STANDING
    gate.open.set()
    assert workspace.keeper.settle()
    workspace.export_pdf(PDF)
    assert desk.worker.last("report").arguments["standing"].startswith("Not approved · entry ")


def test_a_case_to_look_at_is_only_looked_at_when_another_was_asked_for_before_it_came(desk, tmp_path):
    workspace = desk.workspace
    look, write = tmp_path / "look.cryoplan", tmp_path / "write.cryoplan"
    for path in (look, write):
        workflow.save_case(path, workspace.case, workspace.plan)
    workspace.open_case_file(look, read_only=True)
    first = desk.worker.last("open").id
    workspace.open_case_file(write)
    desk.worker.answered.emit(JobDone(id=first, kind="open", value=workflow.open_case(look)))
    assert (workspace.keeper.kept.path, workspace.keeper.kept.read_only) == (look, True)
    desk.worker.done("open", workflow.open_case(write))
    assert (workspace.keeper.kept.path, workspace.keeper.kept.read_only) == (write, False)
    workspace.open_case_file(look)
    desk.worker.done("open", workflow.open_case(look))
    assert not workspace.keeper.kept.read_only
