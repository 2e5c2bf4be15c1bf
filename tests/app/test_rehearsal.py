"""A case that has been rehearsed costs the window nothing any more."""

from __future__ import annotations

import pytest

from cryoplan import workflow
from cryoplan.app.jobs import JobDone, JobProgress
from cryoplan.app.rehearsal import rehearse
from cryoplan.case import surface
from cryoplan.core.progress import ProgressReport
from tests.support.scenes import make_case, make_plan


def saved(case):
    return workflow.SavedCase(case=case, plan=make_plan(), result=None, assessment=None)


@pytest.mark.parametrize(
    "wrap", [lambda c: c, lambda c: (c, make_plan()), saved], ids=["case", "demo", "saved"]
)
def test_after_the_rehearsal_no_outline_has_to_be_found_for_the_rules(wrap, monkeypatch):
    case = make_case()
    rehearse(JobDone(id=1, kind="load", value=wrap(case)))

    def forbidden(_mask):
        raise AssertionError("an outline is found a second time")

    monkeypatch.setattr(surface, "Drawn", forbidden)
    workflow.check(case, make_plan(), workflow.catalogue())
    with pytest.raises(AssertionError, match="second time"):
        workflow.check(make_case(), make_plan(), workflow.catalogue())


@pytest.mark.parametrize(
    "answer",
    [
        JobProgress(id=1, report=ProgressReport(fraction=0.5, text="half")),
        JobDone(id=1, kind="save", value=None),
        JobDone(id=1, kind="solve", value=("a", make_plan())),
    ],
    ids=["progress", "nothing", "another pair"],
)
def test_nothing_is_checked_for_an_answer_without_a_case(answer, monkeypatch):
    checked = []
    monkeypatch.setattr(workflow, "check", lambda *words: checked.append(words))
    rehearse(answer)
    assert checked == []
    rehearse(JobDone(id=1, kind="load", value=make_case()))
    assert len(checked) == 1
