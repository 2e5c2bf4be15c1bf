"""Limits in the workspace: at once, as steps, without a solve, and never an assessment by other limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan import workflow
from cryoplan.app.approval import Approving
from cryoplan.app.parcel import HeldCase
from cryoplan.app.state import State
from cryoplan.case.own_limits import Judged
from cryoplan.core.errors import LimitError
from cryoplan.core.finding import Level
from cryoplan.margins.case_limits import CHANGED_CODE
from cryoplan.plan import edits
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("qapp")

ICE = Judged.margin(0.0)


@pytest.fixture
def desk():
    one = Desk()
    one.open()
    one.solve()
    yield one
    one.workspace.close()


def ice_finding(desk: Desk):
    return next(f for f in desk.workspace.assessment.findings if f.code == "ice-margin")


def test_a_limit_judges_at_once_without_a_solve_and_stays_current(desk):
    workspace = desk.workspace
    asked, least = len(desk.worker.jobs), workspace.assessment.margin(0.0).minimum_mm
    heard: list[int] = []
    workspace.limits_changed.connect(lambda: heard.append(1))
    assert workspace.set_limit(ICE, least + 3.0, least + 1.0)
    assert heard == [1]
    assert ice_finding(desk).level is Level.FAIL
    assert workspace.limits.margin(0.0).warn.value == least + 3.0
    assert workspace.set_limit(ICE, least - 1.0, None)
    assert ice_finding(desk).level is Level.OK
    assert workspace.state is State.CURRENT
    assert len(desk.worker.jobs) == asked
    assert workspace.reset_limit(ICE)
    assert workspace.case.limits == ()
    assert not [f for f in workspace.assessment.findings if f.code == CHANGED_CODE]


def test_undo_redo_and_history_bring_limits_back(desk):
    workspace = desk.workspace
    workspace.set_limit(ICE, 8.0, 0.0)
    workspace.set_limit(ICE, 9.0, 0.0)
    assert workspace.keeper.settle()
    assert workspace.keeper.undo_text == "Limit of the ice edge margin (0 °C): +9 mm instead of +8 mm"
    workspace.undo()
    assert workspace.case.limits[0].warn == 8.0
    assert "at least +8.0 mm" in ice_finding(desk).text
    workspace.redo()
    assert "at least +9.0 mm" in ice_finding(desk).text
    workspace.go_to(1)
    assert workspace.case.limits == ()
    assert "this case" not in ice_finding(desk).text


def test_limits_are_there_after_a_restart_and_with_a_plan_that_changed(desk):
    workspace = desk.workspace
    workspace.set_limit(ICE, 8.0, 0.0)
    workspace.edit("move", edits.nudge(workspace.plan, "1", (1.0, 0.0, 0.0)))
    assert workspace.state is State.OUT_OF_DATE
    workspace.set_limit(ICE, 7.0, 0.0)  # what is stale stays as it was judged, and is grey
    assert "at least +8.0 mm" in ice_finding(desk).text
    workspace.undo()
    workspace.undo()
    assert workspace.state is State.CURRENT
    assert "at least +8.0 mm" in ice_finding(desk).text
    assert workspace.keeper.settle()
    with workflow.CaseFile.open(workspace.keeper.kept.path, read_only=True) as file:
        assert file.case.limits == workspace.case.limits


def test_the_same_limit_makes_no_step_and_a_bad_one_changes_nothing(desk):
    workspace = desk.workspace
    before = workspace.keeper.undo_count
    assert workspace.set_limit(ICE, 5.0, 0.0)
    assert workspace.reset_limit(ICE)
    for warn, fail in ((99.0, 0.0), (1.0, 2.0)):
        with pytest.raises(LimitError):
            workspace.set_limit(ICE, warn, fail)
    assert workspace.keeper.settle()
    assert workspace.keeper.undo_count == before
    assert workspace.case.limits == ()


def test_what_the_process_is_asked_knows_the_limits_and_an_older_judgement_is_not_shown(desk, tmp_path):
    workspace = desk.workspace
    workspace.edit("move", edits.nudge(workspace.plan, "1", (1.0, 0.0, 0.0)))
    workspace.request_simulation()
    workspace.set_limit(ICE, 8.0, 0.0)  # while it is being solved
    key = workflow.simulation_key(workspace.case, workspace.plan, workspace.catalogue, workspace.settings)
    result, judged = workspace.result, workspace.assessment
    old = replace(judged, key=key, limits=())
    desk.worker.done("solve", (replace(result, key=key), old))
    assert workspace.is_current
    assert "at least +8.0 mm" in ice_finding(desk).text
    workspace.export_pdf(tmp_path / "a.pdf")
    asked = desk.worker.last("report").arguments["case"]
    assert asked == HeldCase.of(workspace.case)
    assert asked.limits == workspace.case.limits


def test_a_case_that_is_read_only_keeps_its_limits(desk, qtbot):
    workspace = desk.workspace
    workspace.set_limit(ICE, 8.0, 0.0)
    assert workspace.keeper.settle()
    other = Desk()
    other.workspace.set_case(workspace.case, workspace.plan, file=workspace.keeper.kept.path)
    qtbot.waitUntil(lambda: other.workspace.keeper.kept.read_only, timeout=5000)
    failures = []
    other.workspace.failed.connect(failures.append)
    assert not other.workspace.set_limit(ICE, 9.0, 0.0)
    assert not other.workspace.reset_limit(ICE)
    assert [f.code for f in failures] == ["case-read-only"] * 2
    assert other.workspace.case.limits[0].warn == 8.0
    other.workspace.close()


def test_a_case_saved_elsewhere_takes_its_limits_along(desk, tmp_path):
    workspace = desk.workspace
    workspace.set_limit(ICE, 8.0, 0.0)
    path = tmp_path / "there.cryoplan"
    workspace.keeper.move(path).result(timeout=20)
    assert workspace.keeper.settle()
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert file.case.limits[0].warn == 8.0


def test_who_approves_reads_the_limits_that_are_not_the_ordinary_ones(desk):
    approving = Approving(desk.workspace)
    assert not [line for line in approving.words() if "limits" in line]
    desk.workspace.set_limit(ICE, 8.0, 0.0)
    assert (
        "Judged by limits of this case: the ice edge margin (0 °C) at least +8.0 mm, never below 0.0 mm, "
        "default at least +5.0 mm, never below 0.0 mm"
    ) in approving.words()


def test_nobody_approves_limits_that_he_has_not_seen(desk, qtbot):
    workspace = desk.workspace
    assert workspace.keeper.settle()
    approving = Approving(workspace)
    failures = []
    workspace.failed.connect(failures.append)
    # The file has other limits by the time it is approved.
    changed = workflow.with_limit(workspace.case, ICE, 1.0, 0.0)
    workspace.keeper.call(lambda file: file.record("Limits", case=changed)).result(timeout=20)
    approving.approve("Dr A. Example")
    qtbot.waitUntil(lambda: [f.code for f in failures] == ["approval-of-another-plan"], timeout=5000)
