"""Limits of a case through its file: steps that outlive a restart, nothing solved anew, printed rightly."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from cryoplan import workflow
from cryoplan.case.history import Status
from cryoplan.case.own_limits import Judged
from cryoplan.case.store import CaseStore
from cryoplan.cli import main
from cryoplan.core.errors import StoreError
from cryoplan.margins.case_limits import CHANGED_CODE
from cryoplan.workflow.deidentifying import deidentify
from tests.support.scenes import make_case, make_plan, make_result

ICE = Judged.margin(0.0)
SPINE = Judged.organ("body")


@pytest.fixture
def solved(tmp_path: Path):
    """A case file with a current result."""
    case, plan, probes = make_case(), make_plan(), workflow.catalogue()
    result = make_result(case, plan, probes)
    key = workflow.simulation_key(case, plan, probes, result.settings)
    path = tmp_path / "a.cryoplan"
    workflow.save_case(path, case, plan, replace(result, key=key))
    return path


def record(file: workflow.CaseFile, judged: Judged, warn: float | None, fail: float | None) -> None:
    changed = workflow.with_limit(file.case, judged, warn, fail)
    file.record(workflow.describe_limit(file.case, changed, judged), case=changed)


def test_each_change_is_one_step_that_is_undone_and_redone_after_a_restart(solved):
    with workflow.CaseFile.open(solved) as file:
        record(file, ICE, 10.0, 0.0)
        record(file, SPINE, 10.0, 0.0)
        record(file, ICE, 8.0, 0.0)
        limits = file.case.limits
        assert len(file.history) == 4
    with workflow.CaseFile.open(solved) as file:
        assert file.case.limits == limits
        assert file.history.undo_text == "Limit of the ice edge margin (0 °C): +8 mm instead of +10 mm"
        assert file.undo()[0].limits[0].warn == 10.0
        assert len(file.undo()[0].limits) == 1
        assert file.undo()[0].limits == ()
    with workflow.CaseFile.open(solved) as file:
        assert file.case.limits == ()
        assert [file.redo() and len(file.case.limits) for _ in range(3)] == [1, 2, 2]
        assert file.case.limits == limits
        assert file.go_to(1)[0].limits == ()


def test_a_limit_makes_no_result_stale_and_judges_it(solved):
    before = workflow.open_case(solved)
    assert before.assessment is not None
    with workflow.CaseFile.open(solved) as file:
        record(file, ICE, 10.0, 9.0)
    after = workflow.open_case(solved)
    assert after.assessment is not None
    assert after.findings == before.findings
    assert after.assessment.margins == before.assessment.margins
    texts = [f.text for f in after.assessment.findings if f.code in ("ice-margin", CHANGED_CODE)]
    assert len(texts) == 2
    assert all("at least +10.0 mm, never below +9.0 mm" in text for text in texts)


def test_a_change_withdraws_the_approval(solved):
    with workflow.CaseFile.open(solved) as file:
        file.store.approve("Dr A. Example")
        record(file, ICE, 2.0, 0.0)
        assert file.history.status == Status.DRAFT
        assert file.history.approval is None
        assert file.history.entries[-1].text == (
            "Approval by Dr A. Example withdrawn by: "
            "Limit of the ice edge margin (0 °C): +2 mm instead of +5 mm"
        )


def test_the_command_prints_the_limits_of_the_case(solved, tmp_path, capsys):
    with workflow.CaseFile.open(solved) as file:
        record(file, ICE, 7.5, 0.0)
    out = tmp_path / "plan.pdf"
    assert main(["report", str(solved), "-o", str(out)]) == 0
    capsys.readouterr()
    text = " ".join(PdfReader(io.BytesIO(out.read_bytes())).pages[0].extract_text().split())
    assert "wanted at least +7.5 mm, never below 0.0 mm (this case; default at least +5.0 mm" in text
    # Stricter than the default, so nothing warns of it; it is printed all the same.
    assert "The limit of the ice edge margin (0 °C) was changed for this case" in text


def test_an_assessment_by_other_limits_is_never_printed(solved, tmp_path):
    saved = workflow.open_case(solved)
    changed = workflow.with_limit(saved.case, ICE, 12.0, 11.0)
    out = tmp_path / "plan.pdf"
    old = saved.assessment
    workflow.write_report(changed, saved.plan, workflow.catalogue(), saved.result, old, out, pictures=())
    text = " ".join(PdfReader(io.BytesIO(out.read_bytes())).pages[0].extract_text().split())
    assert "12.0 mm, never below +11.0 mm" in text
    assert "; wanted at least +5.0 mm" not in text


def test_a_deidentified_copy_keeps_limits_under_the_new_names(solved):
    saved = workflow.open_case(solved)
    named = workflow.with_limit(saved.case, SPINE, 10.0, None)
    named = workflow.with_limit(named, ICE, 10.0, None)
    fewer = [s for s in named.structures if s.name != "body"]
    copy = deidentify(named, saved.plan, workflow.catalogue(), secret=b"s").case
    assert {own.judged for own in copy.limits} == {ICE, Judged.organ("body 1")}
    gone = deidentify(
        named.changed(structures=tuple(fewer)), saved.plan, workflow.catalogue(), secret=b"s"
    ).case
    assert {own.judged for own in gone.limits} == {ICE}


def test_limits_that_make_no_sense_are_damage_of_the_file(solved):
    with CaseStore.open(solved) as store:
        store._document = store._document | {"limits": [{"of": "weight"}]}
        store.put_result(store.result(store.result_keys()[0]), text="Solved")
    with pytest.raises(StoreError) as caught:
        workflow.CaseFile.open(solved, read_only=True)
    assert caught.value.code == "case-file-damaged"
