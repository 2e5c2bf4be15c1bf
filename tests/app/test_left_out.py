"""Sides left out of the margins in the workspace: at once, as steps, without a solve, kept with the case."""

from __future__ import annotations

import pytest

from cryoplan import workflow
from cryoplan.app.approval import Approving
from cryoplan.app.parcel import HeldCase
from cryoplan.case.left_out import LeftOut, Side
from cryoplan.core.errors import LimitError
from tests.support.desk import Desk


@pytest.fixture
def desk(qapp):
    del qapp
    made = Desk()
    made.open()
    made.solve()
    yield made
    made.workspace.close()


def least(desk) -> float:
    return desk.workspace.assessment.margin(0.0).minimum_mm


def share(desk) -> float:
    return desk.workspace.assessment.margin(0.0).fraction_left_out


def a_side(desk) -> str:
    """An organ near the tumour whose side takes a part of the surface, found as the panel finds it."""
    workspace = desk.workspace
    offered = workflow.offered_sides(workspace.case, workspace.result, workspace.assessment)
    return offered[0][0].structure if offered else workspace.case.structures[1].name


def test_a_side_counts_no_more_at_once_and_without_a_solve(desk):
    workspace, heard = desk.workspace, []
    workspace.limits_changed.connect(lambda: heard.append(1))
    assert share(desk) == 0.0
    name, asked = a_side(desk), len(desk.worker.jobs)
    assert workspace.leave_out(name, 30.0)
    assert heard == [1]
    assert workspace.is_current
    assert len(desk.worker.jobs) == asked
    assert workspace.assessment.left_out == workspace.case.left_out
    assert [f for f in workspace.assessment.findings if f.code.startswith("left-out")]
    assert workspace.leave_out(name, 30.0)
    assert heard == [1]


def test_undo_and_redo_bring_sides_back_with_their_margins(desk):
    workspace = desk.workspace
    name, before = a_side(desk), least(desk)
    workspace.leave_out(name, 6.0)
    after = least(desk)
    workspace.leave_out(name, None)
    assert least(desk) == before
    workspace.undo()
    assert workspace.case.left_out[0].within_mm == 6.0
    assert least(desk) == after
    workspace.undo()
    assert workspace.case.left_out == ()
    assert least(desk) == before
    workspace.redo()
    assert least(desk) == after


def test_sides_are_there_after_a_restart_and_go_to_the_process(desk, tmp_path):
    workspace = desk.workspace
    workspace.leave_out(a_side(desk), 7.0)
    assert workspace.keeper.settle()
    path = tmp_path / "there.cryoplan"
    workspace.keeper.move(path).result(timeout=20)
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert file.case.left_out == workspace.case.left_out
        assert file.case.is_like(workspace.case)
    workspace.export_pdf(tmp_path / "a.pdf")
    asked = desk.worker.last("report").arguments["case"]
    assert asked == HeldCase.of(workspace.case)
    assert asked.case(workspace.case.changed(left_out=())).left_out == workspace.case.left_out


def test_what_cannot_be_left_out_changes_nothing(desk):
    workspace = desk.workspace
    with pytest.raises(LimitError):
        workspace.leave_out(a_side(desk), 99.0)
    assert workspace.case.left_out == ()


def test_a_structure_takes_its_side_along(desk):
    workspace = desk.workspace
    name = next(s.name for s in workspace.case.structures if s.name != workspace.case.target_name)
    workspace.leave_out(name, 5.0)
    side = workspace.case.left_out[0]
    assert workspace.rename_structure(name, "another name")
    assert workspace.case.left_out == (LeftOut(structure="another name", side=side.side, within_mm=5.0),)
    assert workspace.delete_structure("another name")
    assert workspace.case.left_out == ()


def test_who_approves_reads_what_the_margins_leave_out(desk):
    approving = Approving(desk.workspace)
    assert not [line for line in approving.words() if "Left out" in line]
    name = a_side(desk)
    desk.workspace.leave_out(name, 5.0)
    (line,) = [line for line in approving.words() if "Left out" in line]
    assert name in line
    assert line.endswith("within 5 mm")


def test_nobody_approves_sides_that_he_has_not_seen(desk, qtbot):
    workspace = desk.workspace
    assert workspace.keeper.settle()
    approving, failures = Approving(workspace), []
    workspace.failed.connect(failures.append)
    changed = workspace.case.changed(left_out=(LeftOut(structure=a_side(desk), side=Side.BESIDE),))
    workspace.keeper.call(lambda file: file.record("Sides", case=changed)).result(timeout=20)
    approving.approve("Dr A. Example")
    qtbot.waitUntil(lambda: [f.code for f in failures] == ["approval-of-another-plan"], timeout=5000)
