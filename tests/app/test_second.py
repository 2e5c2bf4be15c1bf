"""A second image is asked about, is a step, comes back after a restart, and never makes a result stale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.app.jobs import Failure
from cryoplan.app.state import State
from cryoplan.app.tasks import TASKS
from cryoplan.case.store import CaseStore
from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.image.read import read_scan
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.image.write import write_volume
from cryoplan.plan import edits
from tests.support.desk import Desk
from tests.support.scenes import grid_around, turned

pytestmark = pytest.mark.usefixtures("qapp")

MOVED = Finding(level=Level.WARN, code="another-frame-of-reference", text="It lies in another frame.")


def second_scan(path="/somewhere/mr.nii.gz", seed=5, name="T2") -> Scan:
    grid = grid_around((0.0, 0.0, 0.0), (90.0, 80.0, 60.0), (3.0, 2.0, 4.0), turned((8.0, -5.0, 30.0)))
    values = np.random.default_rng(seed).integers(0, 900, grid.shape).astype(np.int16)
    facts = ScanFacts(path=str(path), kind="dicom-series", code="TEST-1", modality="MR", description=name)
    return Scan(volume=Volume(grid=grid, values=values), facts=facts)


@pytest.fixture
def desk():
    one = Desk()
    one.open()
    yield one
    one.workspace.close()


def add(desk, scan=None, differences=()):
    scan = scan or second_scan()
    desk.workspace.second.add(scan.facts.path)
    desk.worker.done("second", workflow.Partner(scan=scan, differences=differences))
    return scan


def test_a_second_image_leaves_the_result_current_and_all_it_was_solved_from(desk):
    desk.solve()
    workspace, result = desk.workspace, desk.workspace.result
    digest = workspace.case.digest()
    add(desk)
    assert workspace.second.scan is not None
    assert workspace.state is State.CURRENT
    assert workspace.can_export
    workspace.second.remove()
    assert workspace.state is State.CURRENT
    assert workspace.result is result
    assert workspace.case.digest() == digest


def test_adding_and_removing_are_steps_and_undo_shows_the_voxels_without_reading_them_again(desk):
    workspace = desk.workspace
    scan = add(desk)
    assert workspace.keeper.undo_text == "Second image added: MR T2"
    workspace.second.remove()
    assert workspace.second.link is None
    assert workspace.second.scan is None
    jobs = len(desk.worker.jobs)
    workspace.undo()
    assert workspace.second.scan is scan
    workspace.undo()
    assert workspace.second.link is None
    workspace.redo()
    assert workspace.second.scan is scan
    assert len(desk.worker.jobs) == jobs


def test_what_differs_is_asked_about_and_nothing_is_shown_before_the_yes(desk):
    workspace, offers = desk.workspace, []
    workspace.second.asked.connect(offers.append)
    add(desk, differences=(MOVED,))
    assert workspace.second.link is None
    assert not workspace.keeper.can_undo
    (offer,) = offers
    workspace.second.agree(offer)
    assert workspace.second.link.agreed == (MOVED.text,)
    assert MOVED.text in workspace.keeper.undo_text
    assert workspace.second.link.findings()


def test_a_yes_to_an_image_of_another_case_adds_nothing(desk):
    workspace, offers, said = desk.workspace, [], []
    workspace.second.asked.connect(offers.append)
    workspace.message.connect(said.append)
    add(desk, differences=(MOVED,))
    case = workspace.case
    scan = Scan(volume=case.scan.volume, facts=replace(case.scan.facts, path="other"))
    desk.open(case.changed(scan=scan))
    workspace.second.agree(offers[0])
    assert workspace.second.link is None
    assert any("not added" in text for text in said)


def test_edits_of_plan_and_structures_keep_the_second_image(desk):
    workspace = desk.workspace
    scan = add(desk)
    workspace.edit("moved", edits.nudge(workspace.plan, "1", (2.0, 0.0, 0.0)))
    assert workspace.second.scan is scan
    # The process answers with the case as it knows it: without a second image.
    bare = workspace.case.changed(second=None)
    workspace.set_target("body")
    desk.worker.done("target", workflow.choose_target(bare, "body"))
    assert workspace.case.target_name == "body"
    assert workspace.second.scan is scan
    workspace.undo()
    assert workspace.second.scan is scan
    assert workspace.case.target_name == "tumour 1"


def test_the_report_is_printed_with_the_second_image_of_the_window(desk):
    add(desk)
    desk.solve()
    desk.workspace.export_pdf("x.pdf")
    assert desk.worker.last("report").arguments["second"] == desk.workspace.case.second


def test_a_file_that_is_opened_again_reads_its_second_image_and_says_why_not(desk, tmp_path):
    workspace = desk.workspace
    scan = second_scan(tmp_path / "mr.nii.gz")
    write_volume(scan.volume, tmp_path / "mr.nii.gz")
    scan = read_scan(tmp_path / "mr.nii.gz")
    add(desk, scan)
    workspace.save_case_file(tmp_path / "a.cryoplan")
    assert workspace.saver.close()
    again = Desk()
    try:
        saved = workflow.open_case(tmp_path / "a.cryoplan")
        again.workspace.set_case(saved.case, saved.plan, file=tmp_path / "a.cryoplan")
        second = again.workspace.second
        assert second.scan is None
        asked = again.worker.last("second-again").arguments
        read = TASKS["second-again"](None_line(), **asked)
        again.worker.done("second-again", read)
        assert second.scan.volume.digest() == scan.volume.digest()
        assert second.trouble is None
    finally:
        again.workspace.close()
    with CaseStore.open(tmp_path / "a.cryoplan", read_only=True) as store:
        assert store.load_case().second.sha256 == scan.volume.digest()


class None_line:  # noqa: N801 - stands in for a line that nobody listens to
    """Progress of a job that nobody cancels."""

    def report(self, report):
        """Hear and forget."""

    def cancelled(self):
        """Never."""
        return False


def test_one_that_cannot_be_read_is_told_in_its_place_and_can_be_tried_again(desk):
    workspace, second = desk.workspace, desk.workspace.second
    scan = add(desk)
    failures = []
    workspace.failed.connect(failures.append)
    workspace.edit_second("another place", replace(second.link, sha256="0" * 64))
    gone = Failure(what="It is gone.", remedy="Bring it back.", code="second-image-missing")
    desk.worker.failed("second-again", gone)
    assert second.trouble == gone
    assert second.scan is None
    assert failures == []  # said above the views for as long as it is so, not once
    jobs = len(desk.worker.jobs)
    workspace.undo()
    assert second.trouble is None
    assert second.scan is scan
    workspace.redo()
    assert second.trouble == gone
    assert len(desk.worker.jobs) == jobs  # asked once, not with every step
    second.try_again()
    assert desk.worker.last("second-again").arguments["second"] == second.link
    assert len(desk.worker.jobs) == jobs + 1


def test_reading_it_can_be_cancelled_and_says_so(desk):
    second = desk.workspace.second
    add(desk)
    desk.workspace.edit_second("another", replace(second.link, sha256="1" * 64))
    desk.worker.gave_up("second-again")
    assert second.trouble.code == "second-image-cancelled"


def test_a_real_read_in_the_background_process_names_what_differs(tmp_path, desk):
    path = tmp_path / "mr.nii.gz"
    write_volume(second_scan().volume, path)
    case = desk.workspace.case
    partner = TASKS["second"](
        None_line(), case=case, facts=case.scan.facts, path=path, series_uid=None, accept=()
    )
    assert [f.code for f in partner.differences] == ["unknown-frame-of-reference"]
