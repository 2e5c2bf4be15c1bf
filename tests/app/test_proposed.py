"""Proposals wait beside the case: accepting is one step, discarding none, and they die with their case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan import workflow
from cryoplan.app.jobs import Failure
from cryoplan.app.tasks import TASKS
from cryoplan.case.structure import Role
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.found import Part
from tests.support.desk import small_case, somebody_else_has
from tests.support.panels import with_structure
from tests.support.scenes import ellipsoid

pytestmark = pytest.mark.usefixtures("qapp")


def proposal(part=Part.BONE, name="bone", role=Role.BONE, tissue="bone-cancellous", at=(0.0, 45.0, 0.0)):
    mask = ellipsoid(small_case().scan.volume.grid, at, (8.0, 8.0, 8.0))
    return workflow.Proposal(
        part=part, name=name, role=role, tissue=tissue, mask=mask, source="found by cryoplan", volume_ml=2.0
    )


def gas():
    return proposal(Part.GAS, "gas", Role.GAS, "gas", (-40.0, 0.0, 0.0))


def nothing():
    mask = small_case().scan.volume
    empty = Volume(grid=mask.grid, values=mask.values < -30_000)
    note = Finding(level=Level.OK, code="auto-nothing", text="There is no lung in the image.", place="lung")
    return replace(
        proposal(Part.LUNG, "lung", Role.LUNG, "lung-inflated"), mask=empty, volume_ml=0.0, notes=(note,)
    )


@pytest.fixture
def found(desk):
    """A desk with bone and gas proposed, and lung looked for in vain."""
    desk.workspace.proposed.look_for([Part.BONE, Part.GAS, Part.LUNG])
    desk.worker.done("propose", (nothing(), gas(), proposal()))
    return desk


def names(desk):
    return [s.name for s in desk.workspace.case.structures]


def accepted(desk, qtbot, chosen):
    desk.workspace.proposed.accept(chosen)
    qtbot.waitUntil(lambda: not desk.workspace.proposed.is_accepting, timeout=20_000)


def test_a_search_changes_nothing_of_the_case_and_makes_no_step(found):
    assert names(found) == [s.name for s in small_case().structures]
    assert not found.workspace.keeper.can_undo
    assert [p.name for p in found.workspace.proposed.proposals] == ["gas", "bone"]
    assert [n.text for n in found.workspace.proposed.nothing] == ["There is no lung in the image."]


def test_accepting_all_is_one_step_that_undo_takes_back_and_redo_makes_again(found, qtbot):
    before = names(found)
    accepted(found, qtbot, found.workspace.proposed.proposals)
    assert names(found) == [*before, "gas", "bone"]
    assert found.workspace.proposed.proposals == ()
    assert found.workspace.keeper.undo_text == "Accepted, found by cryoplan: gas, bone"
    found.workspace.undo()
    qtbot.waitUntil(lambda: names(found) == before)
    assert not found.workspace.keeper.can_undo
    found.workspace.redo()
    qtbot.waitUntil(lambda: names(found) == [*before, "gas", "bone"])
    assert found.workspace.case.structure("bone").source == "found by cryoplan"


def test_what_is_not_accepted_stays_a_proposal(found, qtbot):
    bone = found.workspace.proposed.proposals[1]
    accepted(found, qtbot, [bone])
    assert "bone" in names(found)
    assert "gas" not in names(found)
    assert [p.name for p in found.workspace.proposed.proposals] == ["gas"]


def test_discarding_leaves_no_trace(found):
    case, digest = found.workspace.case, found.workspace.case.digest()
    found.workspace.proposed.discard(found.workspace.proposed.proposals)
    assert found.workspace.proposed.proposals == ()
    assert found.workspace.proposed.nothing == ()
    assert found.workspace.case is case
    assert case.digest() == digest
    assert not found.workspace.keeper.can_undo


def test_a_case_that_changes_while_proposals_are_accepted_keeps_its_change(found, qtbot):
    workspace = found.workspace
    workspace.proposed.accept(workspace.proposed.proposals)
    assert workspace.proposed.is_accepting
    # A structure of the very name came first.
    assert workspace.take_case("drawn", with_structure("bone", Role.OTHER, (40.0, 0.0, 0.0)))
    qtbot.waitUntil(lambda: "bone (2)" in names(found), timeout=20_000)
    assert workspace.case.structure("bone").role is Role.OTHER
    assert workspace.case.structure("bone (2)").role is Role.BONE


def test_proposals_die_with_their_case_even_where_the_next_has_the_same_image(found):
    found.open()
    assert found.workspace.proposed.proposals == ()
    found.workspace.proposed.look_for([Part.BONE])
    found.workspace.new_case()
    assert not found.workspace.proposed.is_looking
    found.worker.done("propose", (proposal(),))
    assert found.workspace.proposed.proposals == ()


def test_other_structures_of_the_same_case_leave_proposals_alone(found):
    workspace = found.workspace
    assert workspace.take_case("drawn", with_structure("cyst", Role.OTHER, (40.0, 0.0, 0.0)))
    assert len(workspace.proposed.proposals) == 2
    workspace.undo()
    assert len(workspace.proposed.proposals) == 2


def test_looking_again_for_a_part_replaces_its_proposal_and_no_other(found):
    newer = proposal(at=(0.0, 40.0, 0.0))
    found.workspace.proposed.look_for([Part.BONE])
    found.worker.done("propose", (newer,))
    assert [p.name for p in found.workspace.proposed.proposals] == ["gas", "bone"]
    assert found.workspace.proposed.proposals[1] is newer


def test_a_search_can_be_cancelled_or_fail_and_be_begun_again(desk):
    proposed, heard = desk.workspace.proposed, []
    desk.workspace.failed.connect(heard.append)
    proposed.look_for([Part.BONE])
    proposed.look_for([Part.GAS])  # one at a time
    assert [j.kind for j in desk.worker.jobs].count("propose") == 1
    proposed.cancel()
    assert desk.worker.cancelled[-1] == desk.worker.last("propose").id
    desk.worker.gave_up("propose")
    assert not proposed.is_looking
    proposed.look_for([Part.BONE])
    desk.worker.failed("propose", Failure(what="It is too small.", remedy="Draw.", code="image-too-small"))
    assert not proposed.is_looking
    assert [f.code for f in heard] == ["image-too-small"]


def test_progress_is_told_in_words_and_per_cent(desk):
    desk.workspace.proposed.look_for([Part.BONE])
    waits = desk.workspace.proposed.busy_text
    desk.worker.done("meshes", None)
    desk.worker.progress("propose", 0.4, "Looking for bone")
    assert waits == "Waiting for its turn"
    assert desk.workspace.proposed.busy_text.startswith("Looking for bone")
    assert "40 %" in desk.workspace.proposed.busy_text


def test_a_case_that_is_only_looked_at_takes_no_proposal(desk, tmp_path):
    with somebody_else_has(desk, tmp_path / "a.cryoplan"):
        desk.workspace.proposed.look_for([Part.BONE])
        desk.worker.done("propose", (proposal(),))
        before = names(desk)
        desk.workspace.proposed.accept(desk.workspace.proposed.proposals)
        assert not desk.workspace.proposed.is_accepting
        assert names(desk) == before


def test_the_background_process_finds_what_the_workflow_finds_and_sends_no_diameters():
    case = small_case()
    found = TASKS["propose"](SILENT, case=case, which=[Part.BODY, Part.VESSEL])
    body, vessel = found
    assert body.part is Part.BODY
    assert body.volume_ml > 100.0
    assert vessel.diameter_mm is None
