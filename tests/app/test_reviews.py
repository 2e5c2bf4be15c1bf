"""Reviewing a structure is one step; a stroke withdraws it, undo brings it back, nothing else loses it."""

from __future__ import annotations

import numpy as np

from cryoplan import workflow
from cryoplan.app.outline_tools import Tool
from cryoplan.app.outlining import Outlining
from cryoplan.case.reviews import reviews_of
from cryoplan.case.structure import Role
from tests.support.desk import Desk, somebody_else_has
from tests.support.panels import Heard, with_structure
from tests.support.scenes import TUMOUR_MM

AXIAL = (0.0, 0.0, 1.0)
X, Y, Z = TUMOUR_MM


def is_reviewed(desk: Desk, name: str = "tumour 1") -> bool:
    return desk.workspace.case.structure(name).is_reviewed


def settled(desk: Desk) -> list[str]:
    desk.workspace.keeper.settle(10.0)
    return [entry.text for entry in desk.workspace.keeper.kept.history.entries]


def go(desk: Desk, qtbot, step) -> None:
    settled(desk)
    with qtbot.waitSignal(desk.workspace.reviews_changed):
        step()


def test_a_review_is_one_step_that_can_be_undone_and_made_again(desk, qtbot):
    workspace, told = desk.workspace, Heard(desk.workspace.reviews_changed)
    cases = Heard(workspace.case_changed)
    assert workspace.set_reviewed("tumour 1", True)
    assert is_reviewed(desk)
    assert len(told) == 1
    assert workspace.set_reviewed("tumour 1", True)
    assert settled(desk)[1:] == ["tumour 1: reviewed"]
    go(desk, qtbot, workspace.undo)
    assert not is_reviewed(desk)
    go(desk, qtbot, workspace.redo)
    assert is_reviewed(desk)
    workspace.set_reviewed("tumour 1", False)
    assert settled(desk)[-1] == "tumour 1: not reviewed"
    # Nothing has to be drawn or meshed anew for it.
    assert not cases


def test_a_review_leaves_the_result_current(desk):
    desk.solve()
    assert desk.workspace.is_current
    desk.workspace.set_reviewed("tumour 1", True)
    assert desk.workspace.is_current


def test_a_stroke_withdraws_the_review_says_so_and_undo_brings_it_back(desk, qtbot):
    workspace = desk.workspace
    workspace.set_reviewed("tumour 1", True)
    outlining = Outlining.of(workspace)
    outlining.begin("tumour 1")
    outlining.take(Tool.BRUSH)
    outlining.press((X - 14.0, Y, Z), AXIAL)
    outlining.release()
    outlining.finish()
    assert not is_reviewed(desk)
    assert settled(desk)[-1] == "tumour 1: brush; no longer reviewed"
    with qtbot.waitSignal(workspace.case_changed):
        workspace.undo()
    assert is_reviewed(desk)


def test_a_stroke_on_another_structure_leaves_the_review(desk):
    workspace = desk.workspace
    workspace.set_reviewed("tumour 1", True)
    outlining = Outlining.of(workspace)
    outlining.begin_new("tumour 2", Role.TUMOUR)
    outlining.ellipsoid((30.0, 0.0, 0.0), (12.0, 12.0, 12.0))
    outlining.finish()
    assert is_reviewed(desk)
    assert not is_reviewed(desk, "tumour 2")


def test_the_background_process_that_knows_no_reviews_takes_none_away(desk):
    case = with_structure("tumour 2", Role.TUMOUR, (40.0, 0.0, 0.0))
    desk.open(case)
    desk.workspace.set_reviewed("tumour 1", True)
    desk.workspace.set_target("tumour 2")
    desk.worker.done("target", case.changed(target_name="tumour 2"))
    assert desk.workspace.case.target_name == "tumour 2"
    assert is_reviewed(desk)


def test_what_is_printed_knows_the_reviews(desk, tmp_path):
    desk.solve()
    desk.workspace.set_reviewed("tumour 1", True)
    desk.workspace.export_pdf(tmp_path / "plan.pdf")
    sent = desk.worker.last("report").arguments
    assert sent["reviews"] == reviews_of(desk.workspace.case) != {}


def test_a_review_is_there_when_the_case_is_opened_again(desk, tmp_path):
    path = tmp_path / "a.cryoplan"
    desk.workspace.set_reviewed("tumour 1", True)
    desk.workspace.keeper.move(path).result(5)
    desk.workspace.set_case(None)
    saved = workflow.open_case(path)
    assert reviews_of(saved.case).keys() == {"tumour 1"}
    assert np.array_equal(saved.case.target.mask.values, saved.case.structure("tumour 1").mask.values)


def test_a_case_that_somebody_else_has_open_cannot_be_reviewed(desk, tmp_path):
    with somebody_else_has(desk, tmp_path / "b.cryoplan"):
        failed = Heard(desk.workspace.failed)
        assert not desk.workspace.set_reviewed("tumour 1", True)
        assert not is_reviewed(desk)
        assert failed


def test_without_a_case_nothing_can_be_reviewed(desk):
    desk.workspace.set_case(None)
    assert not desk.workspace.set_reviewed("tumour 1", True)
