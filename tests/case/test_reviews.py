"""Reviews: bound to what was looked at, kept in the case file, and no part of what is computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan import workflow
from cryoplan.case.reviews import reviews_of, with_reviewed, with_reviews
from cryoplan.case.store import CaseStore
from cryoplan.case.store_document import case_of, empty_document, with_case
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.volume import Volume
from cryoplan.plan.plan import Plan
from tests.support.scenes import make_case


@pytest.fixture(scope="module")
def case():
    return make_case()


def other_mask(mask: Volume) -> Volume:
    values = np.array(mask.values)
    values[tuple(np.argwhere(values)[0])] = False
    return Volume(grid=mask.grid, values=values)


def test_a_review_holds_under_another_name_and_not_for_another_outline_role_or_tissue(case):
    seen = case.target.with_review(True)
    assert seen.is_reviewed
    assert not case.target.is_reviewed
    assert replace(seen, name="lesion A").is_reviewed
    for change in ({"mask": other_mask(seen.mask)}, {"role": Role.OTHER}, {"tissue": "fat"}):
        assert not replace(seen, **change).is_reviewed
    assert not seen.with_review(False).is_reviewed


def test_a_review_changes_nothing_that_is_computed(case):
    seen = with_reviewed(case, "tumour 1", True)
    assert seen.digest() == case.digest()
    assert reviews_of(seen).keys() == {"tumour 1"}
    assert with_reviewed(seen, "tumour 1", True) is seen
    assert reviews_of(with_reviewed(seen, "tumour 1", False)) == {}


def test_an_unknown_structure_cannot_be_reviewed(case):
    with pytest.raises(StructureError) as caught:
        with_reviewed(case, "tumour 9", True)
    assert caught.value.code == "structure-unknown"


def test_reviews_come_back_only_to_what_is_still_the_same(case):
    reviews = reviews_of(with_reviewed(with_reviewed(case, "tumour 1", True), "body", True))
    assert reviews_of(with_reviews(case, reviews)) == reviews
    changed = case.changed(
        structures=tuple(
            replace(s, mask=other_mask(s.mask)) if s.name == "tumour 1" else s for s in case.structures
        )
    )
    assert reviews_of(with_reviews(changed, reviews)).keys() == {"body"}
    assert reviews_of(with_reviews(with_reviewed(case, "body", True), {})) == {}


def test_a_case_file_keeps_reviews_and_one_without_any_stays_as_it_was(case, tmp_path):
    before = with_case(empty_document(), case)
    assert all("reviewed" not in row for row in before["structures"])
    seen = with_reviewed(case, "tumour 1", True)
    workflow.save_case(tmp_path / "a.cryoplan", seen, Plan(), None)
    saved = workflow.open_case(tmp_path / "a.cryoplan").case
    assert [s.is_reviewed for s in saved.structures] == [s.name == "tumour 1" for s in saved.structures]
    # A review that no longer holds is not written.
    stale = seen.changed(
        structures=tuple(replace(s, role=Role.OTHER) if s.reviewed else s for s in seen.structures),
        target_name="",
    )
    assert all("reviewed" not in row for row in with_case(empty_document(), stale)["structures"])


def test_a_case_in_memory_keeps_its_masks_when_only_a_review_differs(case):
    seen = with_case(empty_document(), with_reviewed(case, "tumour 1", True))

    def refuse(digest: str) -> Volume:
        raise AssertionError(digest)

    there = case_of(seen, case.scan, refuse, like=case)
    assert there.target.is_reviewed
    assert there.target.mask is case.target.mask


def test_the_history_knows_which_step_brought_an_outline_in(case, tmp_path):
    drawn = replace(case.target, mask=other_mask(case.target.mask))
    later = case.changed(structures=tuple(drawn if s is case.target else s for s in case.structures))
    CaseStore.create(tmp_path / "a.cryoplan", case)
    with CaseStore.open(tmp_path / "a.cryoplan") as store:
        store.record("tumour 1: brush", case=later)
        history = store.history()
    assert history.brought_in(drawn.mask.digest()).text == "tumour 1: brush"
    assert history.brought_in(case.target.mask.digest()) is None
