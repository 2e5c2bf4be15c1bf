"""Report, sheet and export: current results only, nothing replaced unasked, nothing half-written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cryoplan import workflow
from cryoplan.cli import main
from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.core.progress import Cancelled
from cryoplan.plan import edits
from cryoplan.workflow.export import DICOM_KINDS, KINDS, export_case
from cryoplan.workflow.export import writing as writing_module
from tests.support.exports import make_subject, subject


@pytest.fixture(scope="module")
def case_file(tmp_path_factory) -> Path:
    one = make_subject()
    path = tmp_path_factory.mktemp("case") / "case.cryoplan"
    workflow.save_case(path, one.case, one.plan, one.result)
    return path


@pytest.fixture(scope="module")
def stale_file(tmp_path_factory) -> Path:
    one = make_subject()
    path = tmp_path_factory.mktemp("stale") / "stale.cryoplan"
    workflow.save_case(path, one.case, edits.nudge(one.plan, "1", (0.5, 0.0, 0.0)), one.result)
    return path


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("command", ["report", "sheet", "export"])
def test_a_stale_result_is_refused_and_nothing_is_written(stale_file, tmp_path, capsys, command):
    out = tmp_path / "out"
    words = ["--out", str(out)] + (["--only", "csv"] if command == "export" else [])
    assert main([command, str(stale_file), *words]) == 3
    assert "holds no result of its present plan" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["report", "sheet"])
def test_paper_is_the_same_twice_and_replaces_nothing_else_unasked(case_file, tmp_path, capsys, command):
    out = tmp_path / "paper.pdf"
    assert main([command, str(case_file), "-o", str(out)]) == 0
    first = out.read_bytes()
    assert first.startswith(b"%PDF")
    assert main([command, str(case_file), "-o", str(out)]) == 0
    assert out.read_bytes() == first
    out.write_bytes(b"something else")
    assert main([command, str(case_file), "-o", str(out)]) == 3
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == b"something else"
    assert main([command, str(case_file), "-o", str(out), "--replace"]) == 0
    assert out.read_bytes() == first


def test_an_export_into_a_folder_that_has_such_files_is_refused_until_they_may_be_replaced(
    case_file, tmp_path, capsys
):
    out = tmp_path / "out"
    words = ["export", str(case_file), "--out", str(out), "--only", "csv,markups", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    before = bytes_of(out)
    assert sorted(told["files"]) == sorted(before)
    (out / "mine.txt").write_text("kept")
    assert main(words) == 3
    assert {**before, "mine.txt": b"kept"} == bytes_of(out)
    assert main([*words, "--replace"]) == 0
    assert {**before, "mine.txt": b"kept"} == bytes_of(out)


def test_all_of_a_scan_that_is_no_dicom_is_everything_else_and_says_so(case_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["export", str(case_file), "--out", str(out)]) == 0
    assert "No DICOM file was written" in capsys.readouterr().out
    assert not list(out.rglob("*.dcm"))
    for name in set(KINDS) - set(DICOM_KINDS):
        assert [path for pattern in KINDS[name].files for path in out.glob(pattern)], name


def test_dicom_that_was_asked_for_by_name_is_an_error_where_there_is_no_study(case_file, tmp_path, capsys):
    assert main(["export", str(case_file), "--out", str(tmp_path / "out"), "--only", "csv,seg"]) == 3
    assert "not read from DICOM files" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_is_refused(case_file, tmp_path, capsys):
    assert main(["export", str(case_file), "--out", str(tmp_path / "out"), "--only", "dose"]) == 3
    assert "no export called 'dose'" in capsys.readouterr().err


class StopAt:
    """Progress that asks to stop at its so-manieth question."""

    def __init__(self, question: int) -> None:
        self.left = question

    def report(self, report) -> None:
        del report

    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("question", [0, 1, 3, 6])
def test_a_cancelled_export_leaves_nothing(tmp_path, question):
    kinds = ("nifti", "stl", "markups", "csv")
    with pytest.raises(Cancelled):
        export_case(subject(), tmp_path / "out", only=kinds, progress=StopAt(question))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failing", ["print_plan", "write_plain"])
def test_an_error_in_the_middle_leaves_nothing(tmp_path, monkeypatch, failing):
    def fail(*_words, **_more):
        raise StoreError("The disk is full.", "Free some space.", code="disk-full")

    if failing == "write_plain":
        monkeypatch.setattr("cryoplan.workflow.export.plain.write_plain", fail)
    else:
        monkeypatch.setitem(writing_module._PAPERS, "pdf", (fail, "plan.pdf", ""))
    with pytest.raises(CryoplanError):
        export_case(subject(), tmp_path / "out", only=("pdf", "csv"))
    assert not list(tmp_path.iterdir())


def test_run_refuses_dicom_of_another_scan_before_it_solves(tmp_path, capsys):
    from cryoplan.image.write import write_volume

    one = subject()
    image, plan, mask = tmp_path / "ct.nii.gz", tmp_path / "plan.json", tmp_path / "tumour.nii.gz"
    write_volume(one.case.scan.volume, image)
    write_volume(one.case.target.mask, mask)
    workflow.save_plan(replace(one.plan, tools=(), marks=()), plan)
    words = ["run", "--image", str(image), "--structures", str(mask), "--plan", str(plan)]
    assert main([*words, "--out", str(tmp_path / "out"), "--export", "seg"]) == 3
    assert "not read from DICOM files" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
