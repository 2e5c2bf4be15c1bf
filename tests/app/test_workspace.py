"""The workspace: what is current, what is not, and that nothing late or foreign ever looks current."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryoplan import workflow
from cryoplan.app.jobs import Failure, JobDone, JobFailed, JobForgot
from cryoplan.app.parcel import HeldCase
from cryoplan.app.state import State
from cryoplan.case.case import Case
from cryoplan.core.errors import PlanError, StaleError
from cryoplan.plan import edits
from cryoplan.plan.plan import Plan
from cryoplan.simulation.settings import PREVIEW
from tests.support.desk import Desk, answer, small_case
from tests.support.scenes import make_plan

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def desk() -> Desk:
    one = Desk()
    one.open()
    return one


def answer_to(plan: Plan, desk: Desk, job: int) -> None:
    """Let the process answer one particular solve."""
    workspace = desk.workspace
    key = workflow.simulation_key(workspace.case, plan, workspace.catalogue, workspace.settings)
    result, judged = answer(plan)
    value = (replace(result, key=key, frames=()), replace(judged, key=key))
    desk.worker.answered.emit(JobDone(id=job, kind="solve", value=value))


def heard(signal) -> list[object]:
    words: list[object] = []
    signal.connect(words.append)
    return words


# Freshness ------------------------------------------------------------------------------------------


def test_a_tenth_of_a_millimetre_makes_the_result_out_of_date_and_undo_brings_it_back(desk):
    desk.solve()
    workspace, result = desk.workspace, desk.workspace.result
    assert workspace.state is State.CURRENT
    workspace.edit("move", edits.nudge(workspace.plan, "1", (0.1, 0.0, 0.0), grip=edits.Grip.TIP))
    assert workspace.state is State.OUT_OF_DATE
    assert not workspace.can_export
    asked = len(desk.worker.jobs)
    with pytest.raises(StaleError):
        workspace.export_pdf(Path("plan.pdf"))
    workspace.undo()
    assert workspace.state is State.CURRENT
    assert workspace.result is result
    assert workspace.can_export
    assert len(desk.worker.jobs) == asked  # nothing was solved or printed for that


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: edits.set_intensity(p, "1", 0.9),
        lambda p: edits.set_times(p, "2", 60.0, None),
        lambda p: edits.remove_probe(p, "2"),
        lambda p: edits.copy_parallel(p, "1", distance_mm=15.0, clock_hours=3.0),
        lambda p: edits.set_model(p, "1", "icesphere-17g"),
        lambda p: replace(p, protocol=replace(p.protocol, phases=p.protocol.phases[:1])),
    ],
    ids=["power", "times", "removed", "copied", "model", "protocol"],
)
def test_whatever_changes_the_ice_makes_the_result_out_of_date(desk, edit):
    desk.solve()
    desk.workspace.edit("edit", edit(desk.workspace.plan))
    assert desk.workspace.state is State.OUT_OF_DATE
    assert desk.workspace.result is not None  # still there to be seen, greyed


@pytest.mark.parametrize(
    "edit",
    [lambda p: edits.rename_plan(p, "B"), lambda p: edits.set_locked(p, "1", True)],
    ids=["name", "lock"],
)
def test_names_and_locks_leave_the_result_current(desk, edit):
    desk.solve()
    desk.workspace.edit("edit", edit(desk.workspace.plan))
    assert desk.workspace.state is State.CURRENT


def test_another_grid_or_target_makes_the_result_out_of_date(desk):
    desk.solve()
    workspace = desk.workspace
    workspace.settings = PREVIEW
    assert workspace.state is State.OUT_OF_DATE
    workspace.settings = answer(workspace.plan)[0].settings
    assert workspace.state is State.CURRENT
    workspace.set_target("body")
    desk.worker.done("target", workflow.choose_target(workspace.case, "body"))
    assert workspace.state is State.OUT_OF_DATE


def test_a_case_saved_with_a_coarse_result_opens_with_that_result_current(desk):
    desk.solve()
    workspace = desk.workspace
    case, plan = workspace.case, workspace.plan
    key = workflow.simulation_key(case, plan, workspace.catalogue, PREVIEW)
    result = replace(workspace.result, key=key, settings=PREVIEW)
    assessment = replace(workspace.assessment, key=key)
    saved = workflow.SavedCase(case=case, plan=plan, result=result, assessment=assessment)
    workspace.open_case_file(Path("a.cryoplan"))
    desk.worker.done("open", saved)
    assert workspace.state is State.CURRENT
    assert workspace.settings == PREVIEW
    assert workspace.result is result


def test_another_patient_takes_result_history_and_plan_away(desk):
    desk.solve()
    workspace = desk.workspace
    workspace.edit("name", edits.rename_plan(workspace.plan, "B"))
    workspace.set_case(small_case().changed(code="P-2"))
    assert workspace.result is None
    assert workspace.assessment is None
    assert not workspace.keeper.can_undo
    assert workspace.plan == Plan()
    assert workspace.state is State.READY


def test_the_last_three_results_are_kept_and_no_more(desk):
    workspace = desk.workspace
    plans = [workspace.plan]
    desk.solve()
    for n in range(3):
        workspace.edit(str(n), edits.nudge(workspace.plan, "1", (0.0, 0.0, 1.0)))
        plans.append(workspace.plan)
        desk.solve()
    for plan, current in zip(reversed(plans), (True, True, True, False), strict=True):
        workspace.edit("back", plan)
        assert workspace.is_current is current


# The background -------------------------------------------------------------------------------------


def test_the_newest_of_two_requests_wins(desk):
    workspace = desk.workspace
    first_plan = workspace.plan
    workspace.request_simulation()
    first = desk.worker.last("solve").id
    workspace.edit("move", edits.nudge(first_plan, "1", (0.0, 0.0, 2.0)))
    workspace.request_simulation()
    second = desk.worker.last("solve").id
    assert desk.worker.cancelled == [first]
    answer_to(first_plan, desk, first)  # it had been done before it heard
    assert workspace.result is None
    assert workspace.state is State.SOLVING
    answer_to(workspace.plan, desk, second)
    assert workspace.state is State.CURRENT
    workspace.undo()
    assert workspace.state is State.CURRENT  # the late answer was kept for its own plan


def test_an_answer_to_a_plan_that_was_edited_meanwhile_is_not_shown(desk):
    workspace = desk.workspace
    plan = workspace.plan
    workspace.request_simulation()
    workspace.edit("move", edits.nudge(plan, "1", (0.0, 0.0, 2.0)))
    answer_to(plan, desk, desk.worker.last("solve").id)
    assert workspace.result is None
    assert workspace.state is State.READY
    workspace.undo()
    assert workspace.state is State.CURRENT


def test_a_failed_solve_is_told_and_changes_nothing(desk):
    desk.solve()
    workspace = desk.workspace
    case, plan, result = workspace.case, workspace.plan, workspace.result
    failures = heard(workspace.failed)
    workspace.request_simulation()
    desk.worker.failed("solve", Failure(what="It ended.", remedy="Try again."))
    desk.worker.restarted.emit()
    assert [f.what for f in failures] == ["It ended."]
    assert (workspace.case, workspace.plan, workspace.result) == (case, plan, result)
    assert workspace.state is State.CURRENT
    assert workspace.progress is not None or not workspace.is_busy


def test_a_superseded_solve_fails_in_silence(desk):
    workspace = desk.workspace
    failures = heard(workspace.failed)
    workspace.request_simulation()
    first = desk.worker.last("solve").id
    workspace.request_simulation()
    failure = Failure(what="x.", remedy="y.")
    desk.worker.answered.emit(JobFailed(id=first, kind="solve", failure=failure))
    assert failures == []
    assert workspace.state is State.SOLVING


def test_cancel_says_so_and_leaves_the_surfaces_of_the_3d_view_alone(desk):
    workspace = desk.workspace
    words = heard(workspace.message)
    workspace.request_simulation()
    workspace.cancel()
    assert desk.worker.cancelled == [desk.worker.last("solve").id]
    desk.worker.gave_up("solve")
    assert words == ["Cancelled"]
    assert workspace.state is State.READY


def test_the_case_is_sent_once_and_again_when_the_process_does_not_hold_it(desk):
    workspace, worker = desk.workspace, desk.worker
    assert isinstance(worker.last("meshes").arguments["case"], Case)
    workspace.request_simulation()
    job = worker.last("solve")
    assert job.arguments["case"] == HeldCase.of(workspace.case)
    worker.answered.emit(JobForgot(id=job.id, kind="solve"))
    again = worker.last("solve")
    assert again.id != job.id
    assert again.arguments["case"] is workspace.case
    assert workspace.state is State.SOLVING
    answer_to(workspace.plan, desk, again.id)
    assert workspace.state is State.CURRENT


def test_a_new_process_is_sent_everything_anew(desk):
    desk.solve()
    desk.worker.restarted.emit()
    desk.workspace.export_pdf(Path("plan.pdf"))
    job = desk.worker.last("report")
    assert job.arguments["case"] is desk.workspace.case
    assert job.arguments["solved"][0] is desk.workspace.result


def test_structures_of_one_patient_never_reach_another(desk):
    workspace, worker = desk.workspace, desk.worker
    workspace.add_structures(Path("labels.nii.gz"))
    first = workspace.case
    other = small_case().changed(code="P-2")
    workspace.set_case(other)
    words = heard(workspace.message)
    worker.done("structures", first.changed(code="late"))
    assert workspace.case is other
    assert len(words) == 1
    assert "not added" in words[0]


def test_of_two_additions_at_once_none_is_lost_in_silence(desk):
    workspace, worker = desk.workspace, desk.worker
    base = workspace.case
    workspace.add_structures(Path("a.nii.gz"))
    one = worker.last("structures").id
    workspace.add_structures(Path("b.nii.gz"))
    two = worker.last("structures").id
    words = heard(workspace.message)
    worker.answered.emit(JobDone(id=one, kind="structures", value=base.changed(code="with a")))
    worker.answered.emit(JobDone(id=two, kind="structures", value=base.changed(code="with b")))
    assert workspace.case.code == "with a"
    assert any("not added" in str(w) for w in words)


def test_an_empty_plan_is_not_sent_to_be_solved(desk):
    workspace = desk.workspace
    failures = heard(workspace.failed)
    workspace.edit("clear", Plan())
    workspace.request_simulation()
    assert [f.code for f in failures] == ["no-probes"]
    assert workspace.state is State.READY


def test_without_a_case_everything_that_needs_one_says_so():
    workspace = Desk().workspace
    failures = heard(workspace.failed)
    workspace.request_simulation()
    workspace.add_structures(Path("x.nii"))
    workspace.save_case_file(Path("x.cryoplan"))
    assert [f.code for f in failures] == ["no-case"] * 3
    assert workspace.state is State.EMPTY


# Undo -----------------------------------------------------------------------------------------------


def test_a_drag_is_one_step_of_undo(desk):
    workspace = desk.workspace
    start = workspace.plan
    for n in range(1, 41):
        workspace.edit("drag", edits.nudge(start, "1", (0.0, 0.0, 0.1 * n)), gesture="drag-1")
    assert workspace.keeper.undo_count == 1
    assert workspace.keeper.undo_text == "Probe 1: moved 4.0 mm"
    workspace.undo()
    assert workspace.plan == start


def test_a_drag_back_to_its_start_leaves_no_step(desk):
    workspace = desk.workspace
    start = workspace.plan
    for by in (1.0, 2.0, 1.0, 0.0):
        workspace.edit("drag", edits.nudge(start, "1", (0.0, 0.0, by)), gesture="drag-1")
    assert workspace.plan == start
    assert workspace.keeper.undo_count == 0


def test_two_drags_are_two_steps(desk):
    workspace = desk.workspace
    for number in (1, 2):
        for _ in range(3):
            new = edits.nudge(workspace.plan, "1", (0.0, 0.0, 1.0))
            workspace.edit("drag", new, gesture=f"drag-{number}")
    assert workspace.keeper.undo_count == 2


_EDITS = st.sampled_from(
    [
        lambda p, x: edits.nudge(p, p.probes[0].name, (x, 0.0, 1.0)),
        lambda p, x: edits.move_tip(p, p.probes[-1].name, (x, x, 20.0)),
        lambda p, x: edits.add_probe(p, model="generic-15g", tip_mm=(x, 0.0, 0.0), entry_mm=(x, 80.0, 0.0)),
        lambda p, _: edits.remove_probe(p, p.probes[-1].name),
        lambda p, x: edits.set_intensity(p, p.probes[0].name, 0.1 + abs(x) / 100.0),
        lambda p, x: edits.rename_plan(p, f"plan {x:g}"),
        lambda p, _: edits.set_locked(p, p.probes[0].name, not p.probes[0].locked),
        lambda p, x: edits.add_thermocouple(p, (x, 1.0, 2.0)),
    ]
)
_STEPS = st.lists(st.tuples(_EDITS, st.integers(-40, 40), st.sampled_from([None, "g1", "g2"])), max_size=14)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_undo_of_everything_is_the_start_and_redo_of_everything_the_end(desk, steps):
    workspace = desk.workspace
    workspace.set_case(small_case(), make_plan())
    start = workspace.plan
    for change, x, gesture in steps:
        try:
            new = change(workspace.plan, float(x))
        except (PlanError, IndexError):
            continue
        workspace.edit("edit", new, gesture=gesture)
    end = workspace.plan
    while workspace.keeper.can_undo:
        workspace.undo()
    assert workspace.plan == start
    while workspace.keeper.can_redo:
        workspace.redo()
    assert workspace.plan == end


# A true solve ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_true_solve_streams_its_frames_and_a_second_one_need_not_send_the_case(qtbot):
    from cryoplan.app.workspace import Workspace

    workspace = Workspace()
    try:
        workspace.settings = PREVIEW
        workspace.set_case(small_case(), make_plan())
        with qtbot.waitSignal(workspace.meshes_changed, timeout=120_000):
            workspace.request_simulation()
        qtbot.waitUntil(lambda: workspace.state is State.CURRENT, timeout=120_000)
        result = workspace.result
        assert [f.time_s for f in result.frames] == sorted({f.time_s for f in result.frames})
        assert result.frames[-1].time_s == workspace.plan.protocol.duration_s
        assert float(np.min(result.minimum_degc.values)) < -40.0
        assert workspace.assessment.key == result.key
        workspace.edit("move", edits.nudge(workspace.plan, "1", (0.0, 0.0, 0.5)))
        workspace.request_simulation()
        workspace.cancel()
        qtbot.waitUntil(lambda: not workspace.is_busy, timeout=10_000)
        assert workspace.state is State.OUT_OF_DATE
        workspace.undo()
        assert workspace.result is result
        assert workspace.is_current
    finally:
        workspace.close()


# Convergence ----------------------------------------------------------------------------------------


def test_a_checked_grid_holds_for_exactly_the_plan_that_was_checked(desk):
    desk.solve()
    workspace = desk.workspace
    workspace.request_convergence()
    job = desk.worker.last("converge")
    assert workspace.is_checking
    assert job.arguments["known"] is workspace.assessment
    key = workflow.simulation_key(workspace.case, workspace.plan, workspace.catalogue, workspace.settings)
    report = workflow.ConvergenceReport(key=key, spacing_mm=1.0, other_mm=0.5, step_s=10.0, changes=())
    desk.worker.done("converge", report)
    assert workspace.convergence is report
    assert not workspace.is_checking
    workspace.edit("move", edits.nudge(workspace.plan, "1", (0.1, 0.0, 0.0), grip=edits.Grip.TIP))
    assert workspace.convergence is None
    workspace.undo()
    assert workspace.convergence is report


def test_a_check_of_a_plan_that_changed_meanwhile_is_said_and_not_shown(desk):
    workspace = desk.workspace
    workspace.request_convergence()
    assert desk.worker.last("converge").arguments["known"] is None
    words = heard(workspace.message)
    report = workflow.ConvergenceReport(key="old", spacing_mm=1.0, other_mm=0.5, step_s=10.0, changes=())
    desk.worker.done("converge", report)
    assert workspace.convergence is None
    assert any("changed since" in str(text) for text in words)


def test_a_check_can_be_cancelled_and_a_newer_one_replaces_it(desk):
    desk.workspace.request_convergence()
    first = desk.worker.last("converge").id
    desk.workspace.request_convergence()
    assert desk.worker.cancelled == [first]
    desk.workspace.cancel()
    assert desk.worker.last("converge").id in desk.worker.cancelled
