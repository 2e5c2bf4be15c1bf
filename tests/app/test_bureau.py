"""Whole case files: what is done with them is done, or nothing is left of it."""

from __future__ import annotations

import pytest

from cryoplan import workflow
from cryoplan.app import bureau
from cryoplan.case.store import CaseStore, summary
from cryoplan.core.errors import StoreError
from tests.support.scenes import make_case, make_plan


@pytest.fixture
def approved(tmp_path):
    path = tmp_path / "case.cryoplan"
    workflow.save_case(path, make_case(), make_plan())
    with CaseStore.open(path) as store:
        store.approve("Dr. A")
    return path


@pytest.mark.parametrize("is_open", [True, False])
def test_a_duplicate_has_a_title_of_its_own_and_no_approval(approved, is_open):
    if is_open:
        with workflow.CaseFile.open(approved) as file:
            copy = bureau.duplicate_open(file)
    else:
        copy = bureau.duplicate(approved)
    assert copy.name == "case copy.cryoplan"
    assert (summary(copy).title, summary(copy).status) == ("Copy", "draft")
    assert summary(approved).status == "approved"


def test_a_duplicate_that_gets_no_title_leaves_no_approved_copy_behind(approved, monkeypatch):
    def full(*_):
        raise StoreError("The disk is full.", "Free some space.", code="disk-full")

    monkeypatch.setattr(CaseStore, "rename", full)
    with pytest.raises(StoreError) as caught:
        bureau.duplicate(approved)
    assert caught.value.code == "disk-full"
    assert [p.name for p in approved.parent.iterdir()] == ["case.cryoplan"]
