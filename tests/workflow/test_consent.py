"""A yes to a warning is said in plain words, written down, and stands wherever the case is shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cryoplan import workflow
from cryoplan.core.errors import ConsentError
from cryoplan.image.series import describe
from cryoplan.plan.plan import Plan
from cryoplan.workflow import consent
from tests.support import hostile_dicom, trees
from tests.support.hostile_dicom import CASES

WARNED = sorted(name for name, case in CASES.items() if case.verdict == "warn")


def tilted(folder: Path) -> Path:
    CASES["gantry tilt"].make(folder)
    return folder


@pytest.mark.parametrize("name", WARNED)
def test_every_warning_says_what_is_wrong_what_is_done_and_what_it_means(tmp_path, name):
    CASES[name].make(tmp_path / "in")
    (series,) = describe(tmp_path / "in").series
    for finding in consent.to_agree(series.findings):
        terms = consent.TERMS[finding.code]
        assert all(text.endswith(".") for text in (terms.does, terms.means))
        assert consent.what_is_wrong(finding)
        assert "If accepted" not in consent.what_is_wrong(finding)
        files = {p.name for p in (tmp_path / "in").rglob("*")}
        assert any(file in consent.what_is_wrong(finding) for file in files) or finding.place in files


def test_all_warnings_are_asked_about_at_once(tmp_path):
    hostile_dicom.tilted(20.0).write(tmp_path / "in", LossyImageCompression="01")
    with pytest.raises(ConsentError) as asked:
        workflow.load_case(tmp_path / "in")
    assert consent.codes(asked.value.findings) == ("gantry-tilt", "lossy-compression")
    assert "codes gantry-tilt, lossy-compression" in asked.value.remedy
    with pytest.raises(ConsentError) as again:
        workflow.load_case(tmp_path / "in", accept=["gantry-tilt"])
    assert consent.codes(again.value.findings) == ("lossy-compression",)
    case = workflow.load_case(tmp_path / "in", accept=consent.codes(asked.value.findings))
    assert consent.codes(consent.agreed(case)) == ("gantry-tilt", "lossy-compression")


def test_a_question_crosses_to_another_process_with_all_that_it_asks(tmp_path):
    with pytest.raises(ConsentError) as asked:
        workflow.load_case(tilted(tmp_path / "in"), apart=True)
    there = pickle.loads(pickle.dumps(asked.value))
    assert (there.findings, str(there)) == (asked.value.findings, str(asked.value))
    assert consent.codes(there.findings) == ("gantry-tilt",)


def test_a_consent_is_in_the_history_and_survives_saving_and_a_copy(tmp_path):
    case = workflow.load_case(tilted(tmp_path / "in"), accept=["gantry-tilt"])
    path = tmp_path / "case.cryoplan"
    workflow.save_case(path, case, Plan())
    with workflow.CaseFile.open(path, read_only=True) as file:
        assert file.history.entries[0].text == (
            "Case created. Agreed to when the image was opened: gantry tilt straightened (gantry-tilt)"
        )
        assert consent.agreed(file.case) == consent.agreed(case)
        assert consent.agreed(file.case)[0].text.endswith("They were resampled to an orthogonal grid.")


def test_a_clean_image_was_agreed_to_by_nobody(tmp_path):
    trees.phases(tmp_path / "in")
    case = workflow.load_case(tmp_path / "in" / "S0", accept=["gantry-tilt"])
    assert consent.agreed(case) == ()
    assert consent.created_text(case) == "Case created"


def test_a_look_apart_tells_as_it_goes_and_ends_with_the_description(tmp_path):
    trees.phases(tmp_path / "in")
    heard: list[object] = []
    found = workflow.survey(tmp_path / "in", heard.append)
    assert [type(one).__name__ for one in heard][-4:] == ["PathDescription"] + ["Thumbnail"] * 3
    assert found == workflow.list_series(tmp_path / "in")
    codes = {s.patient_code for s in found.series}
    assert list(workflow.patient_names(tmp_path / "in", codes).values()) == ["NameA, Given (A)"]
