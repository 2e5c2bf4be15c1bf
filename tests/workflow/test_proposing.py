"""What was found by itself becomes a structure only when somebody accepts it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.case.build import build_case
from cryoplan.case.structure import Role
from cryoplan.core.errors import CryoplanError, ImageError, StructureError
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.found import Part
from cryoplan.image.scan import Scan, ScanFacts
from tests.support.grids import grid_of
from tests.support.torso import AORTA_MM, torso

WHERE = grid_of((130, 105, 40), (3.0, 3.0, 3.0))


def case_of(modality="CT"):
    image, _ = torso(WHERE)
    facts = ScanFacts(path="x", kind="nifti", code="P", modality=modality)
    return build_case(Scan(volume=image, facts=facts), ())


@pytest.fixture(scope="module")
def proposed():
    case = case_of()
    return case, workflow.propose_structures(case)


def test_a_proposal_has_all_that_a_structure_needs_and_changes_nothing(proposed):
    case, proposals = proposed
    assert case.structures == ()
    assert [p.part for p in proposals] == list(Part)
    assert {p.role for p in proposals} >= {Role.BODY, Role.LUNG, Role.BONE, Role.VESSEL, Role.GAS, Role.FAT}
    known = workflow.tissues().names()
    for proposal in proposals:
        assert proposal.tissue in known
        assert proposal.source.startswith("found by cryoplan ")
        assert proposal.notes or proposal.part is Part.BODY
        assert proposal.volume_ml > 0


def test_accepted_proposals_are_structures_and_the_others_are_not(proposed):
    case, proposals = proposed
    wanted = [p for p in proposals if p.part in (Part.BODY, Part.BONE)]
    more = workflow.accept_proposals(case, wanted)
    assert [s.name for s in more.structures] == ["body", "bone"]
    assert all(not s.role_is_guess for s in more.structures)
    assert case.structures == ()
    assert more.digest() != case.digest()
    assert workflow.accept_proposals(case, []) is case


def test_names_that_are_taken_get_a_number_and_are_never_taken_twice(proposed):
    case, proposals = proposed
    bone = next(p for p in proposals if p.part is Part.BONE)
    more = workflow.accept_proposals(case, [bone])
    (again,) = workflow.propose_structures(more, ["bone"])
    assert again.name == "bone (2)"
    with pytest.raises(StructureError) as refused:
        workflow.accept_proposals(more, [bone])
    assert refused.value.code == "structure-name-twice"


def test_a_name_that_was_taken_meanwhile_is_changed_when_it_is_asked_for(proposed):
    case, proposals = proposed
    bone = next(p for p in proposals if p.part is Part.BONE)
    more = workflow.accept_proposals(case, [bone])
    (renamed,) = workflow.with_free_names(more, [bone])
    assert renamed.name == "bone (2)"
    again = workflow.accept_proposals(more, [renamed])
    assert [s.name for s in again.structures] == ["bone", "bone (2)"]
    # Twice the same is told as it is for structures from a file.
    assert "structures-identical" in {f.code for f in again.findings}


def test_vessels_are_heat_sinks_with_the_range_of_their_diameters(proposed):
    _, proposals = proposed
    vessel = next(p for p in proposals if p.part is Part.VESSEL)
    assert vessel.role is Role.VESSEL
    low, high = vessel.widths_mm
    assert 3.0 <= low < high
    assert high == pytest.approx(AORTA_MM, abs=2.0 * WHERE.spacing_mm[0])
    assert all(p.widths_mm is None for p in proposals if p is not vessel)


def test_a_second_body_an_empty_one_and_another_images_are_refused(proposed):
    case, proposals = proposed
    body = next(p for p in proposals if p.part is Part.BODY)
    more = workflow.accept_proposals(case, [body])
    with pytest.raises(StructureError, match="already has a body"):
        workflow.accept_proposals(more, [replace(body, name="other")])
    nothing = Volume(grid=WHERE, values=np.zeros(WHERE.shape, bool))
    with pytest.raises(StructureError, match="empty"):
        workflow.accept_proposals(case, [replace(body, mask=nothing)])
    elsewhere = Volume(grid=grid_of((4, 4, 4), (1, 1, 1)), values=np.ones((4, 4, 4), bool))
    with pytest.raises(StructureError, match="another image"):
        workflow.accept_proposals(case, [replace(body, mask=elsewhere)])


def test_the_contracts_words_are_understood_and_others_refused():
    case = case_of()
    assert [p.part for p in workflow.propose_structures(case, ["skin", "air"])] == [Part.BODY, Part.GAS]
    with pytest.raises(StructureError) as refused:
        workflow.propose_structures(case, ["liver"])
    assert refused.value.code == "auto-unknown"
    assert "bone" in refused.value.remedy


def test_an_mr_offers_the_body_and_says_why_no_more():
    case = case_of("MR")
    assert workflow.can_propose(case) == (Part.BODY,)
    with pytest.raises(ImageError, match="Hounsfield") as refused:
        workflow.propose_structures(case, ["bone"])
    assert isinstance(refused.value, CryoplanError)
