"""TotalSegmentator beside the window: a run goes on while work goes on, and ends with its patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cryoplan.app import ai_tasks
from cryoplan.app.ai_tasks import Accepted, OutlineFound
from cryoplan.app.jobs import Failure
from cryoplan.app.outliner import Doing, Outliner
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.volume import Volume
from cryoplan.image.write import write_volume
from tests.support.desk import Desk, ScriptedWorker, small_case
from tests.support.fake_totalseg import Installed

pytestmark = pytest.mark.usefixtures("qapp")

FOUND = (OutlineFound(name="spleen", role="organ", is_guess=False, volume_ml=2.0),)


@pytest.fixture
def worker() -> ScriptedWorker:
    return ScriptedWorker()


@pytest.fixture
def outliner(desk: Desk, worker: ScriptedWorker):
    one = Outliner(desk.workspace, start=lambda: worker)
    yield one
    one.close()


def accepted() -> Accepted:
    first = small_case().structures[0]
    return Accepted(
        structures=(replace(first, name="spleen", role=Role.ORGAN, tissue="spleen"),), findings=()
    )


def test_no_process_starts_before_a_run_is_asked_for(outliner, worker):
    assert worker.jobs == []
    assert outliner.doing is Doing.NOTHING
    outliner.cancel()
    outliner.discard()
    outliner.add(["spleen"])
    assert worker.jobs == []


def test_a_run_tells_how_far_it_is_and_what_it_found_and_adds_what_is_accepted_as_one_step(
    desk, outliner, worker
):
    heard: list[int] = []
    outliner.added.connect(heard.append)
    outliner.start("total-fast", "cpu")
    outliner.start("total-fast", "cpu")  # a second press
    assert len(worker.jobs) == 1
    assert worker.last("outline").arguments["scan"] is desk.workspace.case.scan
    worker.progress("outline", 0.4, "Outlining")
    assert (outliner.doing, outliner.progress.text) == (Doing.RUNNING, "Outlining")
    worker.done("outline", FOUND)
    assert (outliner.doing, outliner.found) == (Doing.FOUND, FOUND)
    before = desk.workspace.case
    outliner.add(["spleen"])
    assert worker.last("take").arguments["names"] == ("spleen",)
    worker.done("take", accepted())
    assert heard == [1]
    assert outliner.doing is Doing.NOTHING
    case = desk.workspace.case
    assert [s.name for s in case.structures] == [*(s.name for s in before.structures), "spleen"]
    assert desk.workspace.keeper.settle()
    assert desk.workspace.keeper.undo_text == "Structures added: spleen"
    desk.workspace.undo()
    assert [s.name for s in desk.workspace.case.structures] == [s.name for s in before.structures]


def test_cancel_failure_and_discard_leave_the_case_as_it_was(desk, outliner, worker):
    before = desk.workspace.case
    failures: list[Failure] = []
    outliner.failed.connect(failures.append)
    outliner.start("total", "gpu")
    outliner.cancel()
    assert worker.cancelled == [1]
    worker.gave_up("outline")
    assert outliner.doing is Doing.NOTHING
    outliner.start("total", "gpu")
    worker.failed("outline", Failure(what="It fell.", remedy="Again.", code="ai-died"))
    assert [f.code for f in failures] == ["ai-died"]
    outliner.start("total", "gpu")
    worker.done("outline", FOUND)
    outliner.discard()
    assert worker.jobs[-1].kind == "drop"
    assert (outliner.doing, outliner.found) == (Doing.NOTHING, ())
    assert desk.workspace.case is before


def test_another_patient_ends_a_run_and_its_late_answer_is_dropped(desk, outliner, worker):
    outliner.start("total", "gpu")
    desk.workspace.set_case(None)
    assert worker.cancelled == [1]
    assert outliner.doing is Doing.NOTHING
    job = next(j for j in worker.jobs if j.kind == "outline")
    worker.done("outline", FOUND)
    assert job.id == 1
    assert outliner.found == ()


def test_a_changed_case_of_the_same_image_keeps_the_run(desk, outliner, worker):
    outliner.start("total", "gpu")
    case = desk.workspace.case
    image = Volume(grid=case.scan.volume.grid, values=case.scan.volume.values)
    desk.workspace._show_case(case.changed(scan=replace(case.scan, volume=image)))
    assert outliner.doing is Doing.RUNNING
    worker.done("outline", FOUND)
    assert outliner.doing is Doing.FOUND


def test_outlines_that_cannot_be_added_are_told(desk, outliner, worker):
    told: list[Failure] = []
    desk.workspace.failed.connect(told.append)
    outliner.start("total", "gpu")
    worker.done("outline", FOUND)
    outliner.add(["spleen"])
    grid = replace(small_case().scan.volume.grid, origin_mm=(1.0, 2.0, 3.0))
    first = accepted().structures[0]
    moved = replace(first, mask=Volume(grid=grid, values=first.mask.values))
    worker.done("take", Accepted(structures=(moved,), findings=()))
    assert [f.code for f in told] == ["ai-other-image"]
    assert outliner.doing is Doing.NOTHING


def test_what_is_gone_is_told_and_not_made_up():
    ai_tasks.drop(None)
    with pytest.raises(StructureError) as caught:
        ai_tasks.take(None, ["spleen"])
    assert caught.value.code == "ai-gone"


def test_a_real_run_in_its_own_process_brings_structures_into_the_case(
    desk, tmp_path: Path, monkeypatch, qtbot
):
    installed = Installed(tmp_path, monkeypatch)
    installed.add_weights(297, 852)
    grid = desk.workspace.case.scan.volume.grid
    values = np.zeros(grid.shape, np.uint8)
    values[grid.shape[0] // 2, :4, :4] = 1
    values[grid.shape[0] // 3, 5:9, 5:9] = 2
    write_volume(Volume(grid=grid, values=values), tmp_path / "answer.nii.gz")
    installed.answers(tmp_path / "answer.nii.gz")
    installed.name_classes({1: "spleen", 2: "Struktur A"})
    outliner = Outliner(desk.workspace)
    try:
        outliner.start("total-fast", "cpu")
        qtbot.waitUntil(lambda: outliner.doing is Doing.FOUND, timeout=60_000)
        assert [(f.name, f.role, f.is_guess) for f in outliner.found] == [
            ("spleen", "organ", False),
            ("Struktur A", "other", True),
        ]
        outliner.add(["spleen"])
        qtbot.waitUntil(lambda: outliner.doing is Doing.NOTHING, timeout=60_000)
    finally:
        outliner.close()
    spleen = desk.workspace.case.structure("spleen")
    assert np.array_equal(spleen.mask.values, values == 1)
    assert spleen.source == "TotalSegmentator 2.18.0, total, 3 mm, not reviewed"
    assert "Struktur A" not in {s.name for s in desk.workspace.case.structures}


def test_closing_while_it_runs_ends_totalsegmentator_too(desk, tmp_path, monkeypatch, qtbot):
    from tests.image.ai.test_running import ends

    installed = Installed(tmp_path, monkeypatch)
    installed.add_weights(297)
    installed.does("wait")
    outliner = Outliner(desk.workspace)
    helper = installed.told.with_suffix(".helper")
    try:
        outliner.start("total-fast", "cpu")
        qtbot.waitUntil(lambda: helper.exists() and bool(helper.read_text()), timeout=60_000)
    finally:
        outliner.close()
    assert ends(int(installed.was_told()["pid"]))
    assert ends(int(helper.read_text()))
    assert not Path(str(installed.was_told()["temp"])).exists()
