"""Live ice: the newest plan is previewed, solved once the hand rests, and no preview passes for an answer."""

from __future__ import annotations

import os
import signal

import pytest

from cryoplan import workflow
from cryoplan.app import live_ice
from cryoplan.app.ice import Standing, ice_of
from cryoplan.app.jobs import Failure, JobCancelled, JobDone
from cryoplan.app.state import State
from cryoplan.app.worker import Worker
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import StaleError
from cryoplan.plan import edits
from tests.support.desk import Desk, small_case
from tests.support.previews import answer_preview, preview_for, preview_jobs
from tests.support.scenes import make_plan

pytestmark = pytest.mark.usefixtures("qapp")

REFUSED = Failure(what="Probes 1 and 2 are in one place.", remedy="Move one.", code="probes-overlap")
FELL = Failure(
    what="The background calculation ended.", remedy="Try again.", code="worker-ended", details="11"
)
LONG_MS = 120_000


@pytest.fixture
def live(desk: Desk, monkeypatch) -> Desk:
    """A desk whose ice follows; nothing is solved before the test lets the hand rest."""
    monkeypatch.setattr(live_ice, "REST_MS", 10_000_000)
    desk.workspace.live.follows = desk.workspace.live.solves = True
    desk.worker.gave_up("meshes")  # or all would wait behind them
    return desk


def move(desk: Desk, mm: float, gesture: str | None = None) -> None:
    plan = edits.nudge(desk.workspace.plan, "1", (0.0, 0.0, mm))
    desk.workspace.edit("Probe 1 moved", plan, gesture=gesture)


def solves(desk: Desk) -> list:
    return [job for job in desk.worker.jobs if job.kind == "solve"]


def rest(desk: Desk) -> None:
    """Let the time of the hand's rest be over."""
    desk.workspace.live._rested()


def test_an_edit_is_previewed_with_the_plan_and_the_skin_of_the_final_solve(live):
    workspace = live.workspace
    workspace.settings = workspace.settings.changed(skin="warm-bag")
    move(live, 2.0)
    job = live.worker.last("preview")
    assert job.arguments["settings"].skin == "warm-bag"
    # The first one is still under way: one preview at a time.
    assert len(preview_jobs(live)) == 1
    answer_preview(live)
    assert live.worker.last("preview").arguments["plan"] == workspace.plan
    made = answer_preview(live)
    assert workspace.live.shown is made
    assert not workspace.live.is_behind


def test_of_many_moves_only_the_newest_is_asked_for_when_the_one_under_way_is_done(live):
    for _ in range(20):
        move(live, 0.5, "drag")
    assert len(preview_jobs(live)) == 1
    assert live.worker.cancelled == []  # with every move cancelled, none would ever be shown
    answer_preview(live)
    assert len(preview_jobs(live)) == 2
    assert live.worker.last("preview").arguments["plan"] == live.workspace.plan


def test_ice_of_the_plan_before_is_shown_as_a_preview_until_the_next_comes(live):
    workspace = live.workspace
    move(live, 1.0)
    move(live, 1.0)
    first = answer_preview(live)
    assert workspace.live.shown is first
    assert workspace.live.is_behind
    ice = ice_of(workspace, live.view)
    assert (ice.standing, ice.moment) == (Standing.PREVIEW, "end of 1st freeze")
    assert workspace.state is State.PREVIEW
    answer_preview(live)
    assert not workspace.live.is_behind


def test_a_preview_is_never_current_and_nothing_is_printed_from_it(live, tmp_path):
    workspace = live.workspace
    live.solve()
    assert workspace.is_current
    move(live, 2.0)
    answer_preview(live)
    assert not workspace.is_current
    assert not workspace.can_export
    assert ice_of(workspace, live.view).standing is Standing.PREVIEW
    with pytest.raises(StaleError):
        workspace.export_pdf(tmp_path / "plan.pdf")
    assert workspace.keeper.settle()
    assert "preview" not in {job.kind for job in live.worker.jobs if "solved" in job.arguments}


def test_the_final_answer_takes_the_place_of_the_preview(live):
    workspace = live.workspace
    move(live, 2.0)
    answer_preview(live)
    rest(live)
    assert workspace.state is State.SOLVING
    assert len(solves(live)) == 1
    assert solves(live)[0].arguments["plan"] == workspace.plan
    assert ice_of(workspace, live.view).standing is Standing.PREVIEW
    live.solve()
    assert workspace.state is State.CURRENT
    assert workspace.live.shown is None
    assert ice_of(workspace, live.view).standing is Standing.CURRENT


def test_a_drag_that_ends_where_it_began_shows_the_kept_answer_and_solves_nothing(live):
    workspace = live.workspace
    live.solve()
    before = len(solves(live))
    move(live, 2.0, "drag")
    answer_preview(live)
    assert workspace.state is State.PREVIEW
    move(live, -2.0, "drag")
    assert workspace.state is State.CURRENT
    assert workspace.live.shown is None
    rest(live)
    assert len(solves(live)) == before


def test_undo_brings_the_old_ice_back_at_once_and_gives_up_the_solve_of_the_other_plan(live):
    workspace = live.workspace
    live.solve()
    move(live, 2.0)
    answer_preview(live)
    rest(live)
    asked = solves(live)[-1].id
    workspace.undo()
    assert workspace.state is State.CURRENT
    assert ice_of(workspace, live.view).standing is Standing.CURRENT
    assert live.worker.cancelled[-1] == asked


def test_a_late_preview_of_a_plan_that_was_undone_is_not_shown(live):
    live.solve()
    move(live, 2.0)
    job = live.worker.last("preview")
    made = preview_for(live, job)
    live.workspace.undo()
    assert job.id in live.worker.cancelled
    live.worker.answered.emit(JobDone(id=job.id, kind="preview", value=made))
    assert live.workspace.live.shown is None
    assert live.workspace.state is State.CURRENT


def test_a_cancelled_preview_is_followed_by_that_of_the_plan_now_in_hand(live):
    live.solve()
    move(live, 2.0)
    job = live.worker.last("preview")
    live.workspace.undo()
    move(live, 3.0)
    assert len(preview_jobs(live)) == 1
    live.worker.answered.emit(JobCancelled(id=job.id, kind="preview"))
    assert len(preview_jobs(live)) == 2
    assert live.worker.last("preview").arguments["plan"] == live.workspace.plan


def test_a_solve_under_way_is_given_up_for_the_preview_of_the_next_plan(live):
    live.workspace.request_simulation()
    asked = solves(live)[-1].id
    said: list[str] = []
    live.workspace.message.connect(said.append)
    move(live, 2.0)
    assert asked in live.worker.cancelled
    live.worker.gave_up("solve")
    assert said == []
    assert live.workspace.state is not State.SOLVING


def test_a_preview_behind_other_work_is_replaced_before_it_begins(live):
    live.workspace.request_verification()
    move(live, 1.0)
    waiting = live.worker.last("preview").id
    move(live, 1.0)
    assert waiting in live.worker.cancelled


def test_nothing_is_solved_while_the_hand_holds_a_probe(live):
    held = [True]
    live.workspace.live.is_held = lambda: held[0]
    move(live, 2.0)
    rest(live)
    assert solves(live) == []
    held[0] = False
    rest(live)
    assert len(solves(live)) == 1


def test_a_plan_that_cannot_be_previewed_says_so_without_a_window_and_is_not_solved(live):
    workspace = live.workspace
    failures: list[Failure] = []
    workspace.failed.connect(failures.append)
    move(live, 1.0)
    answer_preview(live)
    move(live, 1.0)
    live.worker.failed("preview", REFUSED)
    assert workspace.live.trouble == REFUSED
    # What was shown was the ice of another plan, and none of this one will come.
    assert workspace.live.shown is None
    assert workspace.state is State.READY
    rest(live)
    assert solves(live) == []
    assert failures == []
    move(live, 1.0)
    assert workspace.live.trouble is None
    assert live.worker.last("preview").arguments["plan"] == workspace.plan


def test_a_plan_that_cannot_be_solved_by_itself_says_so_without_a_window(live):
    failures: list[Failure] = []
    live.workspace.failed.connect(failures.append)
    move(live, 1.0)
    answer_preview(live)
    rest(live)
    live.worker.failed("solve", REFUSED)
    assert live.workspace.live.trouble == REFUSED
    assert failures == []
    live.workspace.request_simulation()
    live.worker.failed("solve", REFUSED)
    assert failures == [REFUSED]  # who asks for a solve gets an answer


def test_errors_of_our_own_are_told_once_and_end_the_previews_until_another_case(live):
    workspace = live.workspace
    failures: list[Failure] = []
    workspace.failed.connect(failures.append)
    for _ in range(3):
        move(live, 1.0)
        if len(preview_jobs(live)) < 3 and workspace.live._asked is not None:
            live.worker.failed("preview", FELL)
    assert failures == [FELL]
    assert len(preview_jobs(live)) == live_ice.FAILURES
    live.open()
    live.worker.gave_up("meshes")
    move(live, 1.0)
    assert len(preview_jobs(live)) == live_ice.FAILURES + 1


def test_previews_come_and_go_without_a_word_about_work(live):
    told: list[str] = []
    live.workspace.state_changed.connect(lambda: told.append(live.workspace.busy_text))
    busy = live.workspace.busy_text
    move(live, 1.0)
    answer_preview(live)
    assert set(told) == {busy}


def test_cancel_keeps_the_plan_from_being_solved_by_itself(live):
    move(live, 1.0)
    live.workspace.cancel()
    assert not live.workspace.live._rest.isActive()


def test_switched_off_nothing_follows_and_an_edit_leaves_a_solve_alone(desk):
    desk.workspace.request_simulation()
    move(desk, 2.0)
    assert preview_jobs(desk) == []
    assert desk.worker.cancelled == []
    assert not desk.workspace.live._rest.isActive()


def test_a_plan_that_is_opened_is_not_solved_by_itself(live):
    live.open()
    assert preview_jobs(live) == []
    assert not live.workspace.live._rest.isActive()


def test_a_stroke_of_a_structure_drops_the_preview(live):
    workspace = live.workspace
    move(live, 1.0)
    answer_preview(live)
    workspace.rename_structure(workspace.case.target_name, "other name")
    assert workspace.live.shown is None


def test_another_time_of_the_protocol_is_previewed_too(live):
    from dataclasses import replace

    from cryoplan.plan.protocol import Phase, PhaseKind, Protocol

    shorter = Protocol(phases=(Phase(kind=PhaseKind.FREEZE, duration_s=300.0),))
    live.workspace.edit("Protocol", replace(live.workspace.plan, protocol=shorter))
    assert live.worker.last("preview").arguments["plan"].protocol == shorter


@pytest.mark.slow
def test_the_next_preview_comes_after_the_process_was_killed_in_the_middle_of_one(qtbot):
    worker = Worker()
    workspace = Workspace(worker)
    try:
        workspace.live.follows = True
        workspace.set_case(small_case(), make_plan())
        failures: list[Failure] = []
        workspace.failed.connect(failures.append)
        qtbot.waitUntil(lambda: workspace.meshes is not None, timeout=LONG_MS)
        workspace.edit("moved", edits.nudge(workspace.plan, "1", (0.0, 0.0, 1.0)))
        os.kill(worker.pid, signal.SIGKILL)
        qtbot.waitUntil(lambda: bool(failures), timeout=LONG_MS)
        assert workspace.live.shown is None
        workspace.edit("moved", edits.nudge(workspace.plan, "1", (0.0, 0.0, 1.0)))
        qtbot.waitUntil(lambda: workspace.live.shown is not None, timeout=LONG_MS)
        wanted = workflow.preview_key(workspace.case, workspace.plan, workspace.catalogue, workspace.settings)
        assert workspace.live.shown.key == wanted
        assert workspace.state is State.PREVIEW
        assert [f.code for f in failures] == ["worker-ended"]
    finally:
        workspace.close()
