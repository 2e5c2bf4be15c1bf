"""Privacy: nothing that the program writes beside the case names the patient, however the name came in."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pydicom
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan import workflow
from cryoplan.case.case import Case
from cryoplan.case.second_image import SecondImage
from cryoplan.core.finding import Finding, Level
from cryoplan.image.deidentify import (
    ATTRIBUTES,
    Action,
    clean_description,
    deidentified_facts,
    identifying_words,
    nameless,
    new_uid,
    without_identity,
)
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import ScanFacts
from cryoplan.plan.plan import Plan
from cryoplan.workflow.deidentifying import deidentify
from cryoplan.workflow.loading import _private
from tests.support.canaries import CANARIES, DAMAGED, TAGS, Ward, holds, leaks_of, make_ward, unpacked
from tests.support.hostile import Series
from tests.support.scenes import make_case, make_plan


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    return make_ward(tmp_path / "ward", monkeypatch)


def test_nothing_beside_the_case_holds_one_of_the_canaries(ward: Ward, capsys, monkeypatch):
    out = ward.work / "out"
    assert ward.command("info", ward.image) == 0
    assert ward.command("info", ward.image, "--json") == 0
    capsys.readouterr()
    assert ward.run(out, "--accept", "damaged-file", "--json") == 0
    said = capsys.readouterr()
    assert not [c for c in CANARIES if c in (said.out + said.err).lower()]
    assert "qz" not in (said.out + said.err).lower()
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert any(f["code"] == "damaged-file" for f in record["findings"])
    assert len(record["inputs_sha256"]) == 41 + 2 + 1
    # The case itself may say where it came from; here it is opened, saved and printed again.
    saved = workflow.open_case(out / "case.cryoplan")
    assert saved.result is not None
    assert {s.name for s in saved.case.structures} == {"body", "tumour of", "portal_vein"}
    workflow.save_case(ward.work / "again.cryoplan", saved.case, saved.plan, saved.result)
    workflow.save_plan(saved.plan, ward.work / "plan.json")
    assert ward.command("report", ward.work / "again.cryoplan", "-o", ward.work / "again.pdf") == 0
    # What goes wrong: refused files, refused plans, and an error of our own that quotes the patient.
    assert ward.run(ward.work / "refused") == 3
    assert ward.command("info", ward.image / f"{DAMAGED}.dcm") == 3
    assert ward.command("report", ward.plan, "-o", ward.work / "no.pdf") == 3

    def fall(*_: object, **__: object) -> None:
        raise RuntimeError(f"no series of {TAGS['PatientName']} in {ward.image}")

    monkeypatch.setattr("cryoplan.workflow.run.load_case", fall)
    capsys.readouterr()
    assert ward.run(ward.work / "fallen") == 5
    said = capsys.readouterr()
    assert len(said.err.strip().splitlines()) == 1
    assert "Traceback" not in said.err
    assert not [c for c in CANARIES if c in said.err.lower()]
    logs = list(ward.root.rglob("cryoplan.log"))
    assert len(logs) == 1
    assert str(logs[0]) in said.err
    assert "RuntimeError" in logs[0].read_text("utf-8")

    assert ward.leaks() == []
    assert list(ward.temporary.iterdir()) == []
    text = "".join(page.extract_text() for page in pypdf.PdfReader(out / "plan.pdf").pages)
    assert saved.case.code in text
    assert re.fullmatch(r"P-[0-9A-F]{8}", saved.case.code)
    assert "Abdomen 2.5mm" in text


def test_the_search_finds_a_canary_however_it_is_packed(tmp_path: Path):
    from reportlab.pdfgen.canvas import Canvas

    (tmp_path / "raw").write_text("of QZFamily here")
    (tmp_path / "wide").write_bytes("Qzgiven".encode("utf-16-le"))
    (tmp_path / "packed").write_bytes(b"head" + zlib.compress(b"0048223344556"))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(b"Qzalias"))
    (tmp_path / "Qzfolder.txt").write_text("")
    canvas = Canvas(str(tmp_path / "page.pdf"))
    canvas.drawString(100, 100, "Qzmother")
    canvas.save()
    canvas = Canvas(str(tmp_path / "title.pdf"))
    canvas.setTitle("Qzcomment")
    canvas.save()
    assert len([path for path in tmp_path.iterdir() if leaks_of(path)]) == 7
    (tmp_path / "clean").write_text("P-12345678")
    assert leaks_of(tmp_path / "clean") == []


# The de-identified copy --------------------------------------------------------------------------------


def _solved(ward: Ward):
    assert ward.run(ward.work / "out", "--accept", "damaged-file") == 0
    return workflow.open_case(ward.work / "out" / "case.cryoplan")


def test_a_deidentified_copy_holds_no_canary_at_all_and_keeps_the_numbers(ward: Ward):
    saved = _solved(ward)
    probes = workflow.catalogue()
    made = deidentify(saved.case, saved.plan, probes, saved.result, secret=b"secret")
    path = ward.work / "copy.cryoplan"
    workflow.save_case(path, made.case, made.plan, made.result)
    data = path.read_bytes()
    assert not [c for text in unpacked(data) for c in CANARIES if holds(text, c)]
    assert saved.case.code.encode() not in data
    assert b"2024-05-17" not in data
    # The very same copy file opens to the very same answer.
    copy = workflow.open_case(path)
    assert copy.result is not None
    assert np.array_equal(copy.result.minimum_degc.values, saved.result.minimum_degc.values)
    assert [m.minimum_mm for m in copy.assessment.margins] == [m.minimum_mm for m in saved.assessment.margins]
    assert sorted(s.name for s in copy.case.structures) == ["body 1", "tumour 1", "vessel 1"]
    assert copy.case.target_name == "tumour 1"
    facts, before = copy.case.scan.facts, saved.case.scan.facts
    assert (facts.patient_position, facts.slice_thickness_mm, facts.modality) == ("HFS", 3.0, "CT")
    assert facts.series_uid == new_uid(before.series_uid, b"secret")
    assert len({facts.series_uid, facts.study_uid, facts.frame_of_reference_uid}) == 3
    assert facts.description == "Abdomen 2.5mm"


def test_names_are_kept_only_if_the_user_agrees():
    case, plan = make_case(), make_plan()
    probes = workflow.catalogue()
    agreed = deidentify(case, plan, probes, secret=b"s", keep_names=True)
    assert [s.name for s in agreed.case.structures] == [s.name for s in case.structures]
    assert agreed.plan == plan
    without = deidentify(case, Plan(name="Qzplan", probes=plan.probes), probes, secret=b"s")
    assert "Qzplan" not in repr(without.plan)
    assert all(f.text.startswith("Noticed") for f in without.case.findings)


def test_the_second_image_stays_behind_its_path_may_name_the_patient():
    second = SecondImage(path="/data/Qz/mr", sha256="0" * 64, modality="MR", description="Qz")
    made = deidentify(make_case().changed(second=second), make_plan(), workflow.catalogue(), secret=b"s")
    assert made.case.second is None


def test_every_fact_of_a_scan_has_a_rule():
    ruled = {attribute.fact for attribute in ATTRIBUTES} | {"path", "kind", "findings"}
    assert {f.name for f in fields(ScanFacts)} <= ruled
    kept = {a.fact for a in ATTRIBUTES if a.profile is Action.KEEP}
    facts = ScanFacts(
        path="/a/Qz", kind="dicom-series", code="P-QZ", modality="CT", series_uid="1.2.3", study_uid="1.2.4",
        frame_of_reference_uid="1.2.5", description="Qz", patient_position="FFP", gantry_tilt_deg=3.0,
        acquired_on="2024-05-17", slice_thickness_mm=2.0, series_part="time=101500", number_code="P-Q",
        findings=(Finding(level=Level.WARN, code="damaged-file", text="Qz.dcm is cut short.", place="Qz"),),
    )  # fmt: skip
    made = deidentified_facts(facts, secret=b"s")
    assert "Qz" not in repr(made)
    for name in (f.name for f in fields(ScanFacts)):
        same = getattr(made, name) == getattr(facts, name)
        assert same == (name in kept or name == "kind"), name
    assert made.findings[0].code == "damaged-file"
    assert made.findings[0].level is Level.WARN


def test_dates_are_shifted_only_when_asked():
    facts = ScanFacts(path="", kind="nifti", code="P-1", acquired_on="2024-02-28")
    assert deidentified_facts(facts, secret=b"s").acquired_on == ""
    assert deidentified_facts(facts, secret=b"s", shift_days=2).acquired_on == "2024-03-01"
    assert deidentified_facts(facts, secret=b"s", shift_days=10**9).acquired_on == ""


@given(
    st.lists(st.from_regex(r"1\.2\.[1-9][0-9]{1,20}", fullmatch=True), unique=True), st.binary(max_size=40)
)
def test_new_uids_are_valid_alike_for_alike_and_different_else(uids: list[str], secret: bytes):
    made = [new_uid(uid, secret) for uid in uids]
    assert made == [new_uid(uid, secret) for uid in uids]
    assert len(set(made)) == len(made)
    assert all(pydicom.uid.UID(uid).is_valid and uid.startswith("2.25.") for uid in made)
    assert not set(made) & {new_uid(uid, secret + b"x") for uid in uids}
    assert new_uid("", secret) == ""


# What may be said of names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Abdomen portal 2.5mm", "Abdomen portal 2.5mm"),
        ("KOWALSKA Anna liver arterial 1,25 mm", "liver arterial 1,25mm"),
        ("19500203", ""),
        ("4711 thorax", "thorax"),
        ("", ""),
    ],
)
def test_descriptions_keep_words_of_radiology_only(text: str, clean: str):
    assert clean_description(text) == clean


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("tumour", "tumour"),
        ("KOWALSKA_tumour", "tumour"),
        ("liver-lucja.kowalska-2", "liver-2"),
        ("Łucja", "structure"),
        ("mask of KowalskaLucja, kidney", "mask of kidney"),
        ("left lung", "left lung"),
    ],
)
def test_names_of_structures_lose_the_words_of_the_header(name: str, left: str, tmp_path: Path):
    Series(patient_name="Kowalska^Łucja^Lung").write(tmp_path, [0])
    words = identifying_words(tmp_path)
    assert without_identity(name, words) == left


def test_where_the_header_cannot_be_asked_only_words_that_name_nobody_stay(tmp_path: Path):
    assert identifying_words(tmp_path / "gone") is None
    assert without_identity("Kowalska tumour 2", None) == "tumour 2"
    assert without_identity("Kowalska", None) == "structure"
    assert without_identity("GTV_lesion-1", None) == "GTV_lesion-1"


def test_a_header_that_names_nobody_lets_every_name_stay(tmp_path: Path):
    Series(patient_name="").write(tmp_path, [0])
    for file in tmp_path.iterdir():
        header = pydicom.dcmread(file)
        for keyword in ("PatientID", "PatientBirthDate", "InstitutionName", "StationName"):
            if keyword in header:
                delattr(header, keyword)
        header.save_as(file)
    assert identifying_words(tmp_path) == frozenset()
    assert without_identity("Kowalska tumour", frozenset()) == "Kowalska tumour"


def test_a_damaged_file_is_no_proof_that_nobody_is_named(tmp_path: Path):
    (tmp_path / "a.dcm").write_bytes(b"no header at all")
    assert identifying_words(tmp_path) is None
    Series(patient_name="Kowalska^Anna").write(tmp_path, [0])
    assert {"kowalska", "anna"} <= identifying_words(tmp_path)


def test_a_value_that_cannot_be_decoded_is_no_proof_that_nobody_is_named(tmp_path: Path, monkeypatch):
    Series(patient_name="Kowalska^Anna").write(tmp_path, [0])

    def refuse(*_: object, **__: object) -> None:
        raise UnicodeDecodeError("utf-8", b"", 0, 1, "bad")

    monkeypatch.setattr(pydicom.Dataset, "__iter__", refuse)
    assert identifying_words(tmp_path) is None


def test_two_names_that_differ_by_the_patients_alone_stay_apart(tmp_path: Path):
    Series(patient_name="Kowalska^Anna").write(tmp_path, [0])
    some = make_case()
    scan = replace(some.scan, facts=replace(some.scan.facts, kind="dicom-series", path=str(tmp_path)))
    mask = some.scan.volume
    names = ("Kowalska tumour", "Anna tumour", "tumour 2")
    masks = [NamedMask(name=name, mask=mask, source="masks.nii") for name in names]
    assert len({m.name for m in _private(masks, scan)}) == 3


def test_findings_name_no_file_but_keep_their_numbers_and_words():
    text = "2 damaged DICOM files were left out (Roe^Jane.1, Roe^Jane.2); slices may be missing at an end."
    finding = Finding(level=Level.WARN, code="damaged-file", text=text, place="Roe^Jane.1")
    (found,) = nameless([finding], {"Roe^Jane.1", "Roe^Jane.2", "DICOM", "2"})
    assert "Roe" not in found.text + found.place
    assert found.text.startswith("2 damaged DICOM files were left out (several files)")
    remark = Finding(level=Level.OK, code="x", text="Cannot read /data/Roe/im.nii for 3 mm", place="CT")
    (found,) = nameless([remark], set())
    assert found.text == "Cannot read a file for 3 mm"
    assert found.place == "CT"


def test_the_same_patient_has_the_same_pseudonym_whatever_the_folder(tmp_path: Path):
    codes = set()
    for name in ("a", "b"):
        Series().write(tmp_path / name)
        codes.add(workflow.load_case(tmp_path / name).code)
    Series(patient_id="OTHER").write(tmp_path / "c")
    assert len(codes) == 1
    assert workflow.load_case(tmp_path / "c").code not in codes


def test_a_case_is_told_by_its_pseudonym_alone(ward: Ward):
    case: Case = workflow.load_case(ward.image, structures=ward.masks, accept=("damaged-file",))
    told = f"{case.code} {[s.name for s in case.structures]} {[f.text + f.place for f in case.findings]}"
    assert not [c for c in CANARIES if c in told.lower()]
    assert os.fspath(ward.image) not in told
