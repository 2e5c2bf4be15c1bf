"""A path is told of while it is read: counts, then verdicts, then small pictures the right way round."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Level
from cryoplan.core.progress import Cancelled, ProgressReport
from cryoplan.image import survey as survey_module
from cryoplan.image.candidate import best_candidate, opens_without_question
from cryoplan.image.patient_name import patient_names
from cryoplan.image.read import read_scan
from cryoplan.image.series import PathDescription, describe
from cryoplan.image.survey import Sketches, Thumbnail, survey
from cryoplan.image.thumbnail import thumbnail
from tests.support import hostile, hostile_dicom, trees
from tests.support.hostile_volumes import Nifti


def look(path: Path) -> tuple[list[object], PathDescription]:
    heard: list[object] = []
    return heard, survey(path, heard.append)


def test_counts_come_before_verdicts_and_verdicts_before_pictures(tmp_path, monkeypatch):
    trees.phases(tmp_path / "in")
    monkeypatch.setattr(survey_module, "TELL_S", 0.0)
    heard, found = look(tmp_path / "in")
    kinds = [type(one) for one in heard]
    assert kinds == [Sketches] * 15 + [PathDescription] + [Thumbnail] * 3
    assert [s.images for s in heard[14].series] == [5, 5, 5]
    assert heard[14].files == 15
    assert heard[15] == found == describe(tmp_path / "in")


def test_nothing_told_holds_the_name_or_number_of_the_patient(tmp_path, monkeypatch):
    trees.phases(tmp_path / "in", "SECRET7")
    monkeypatch.setattr(survey_module, "TELL_S", 0.0)
    heard, _ = look(tmp_path / "in")
    assert "SECRET7" not in repr(heard)
    assert "NameSECRET7" not in repr(heard)


class GivesUp:
    """Cancels after so many questions."""

    def __init__(self, after: int) -> None:
        self.left = after

    def report(self, report: ProgressReport) -> None:
        del report

    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_look_that_is_given_up_ends_between_files_or_pictures(tmp_path, after):
    trees.phases(tmp_path / "in")
    with pytest.raises(Cancelled):
        survey(tmp_path / "in", lambda _: None, progress=GivesUp(after))


def test_what_is_not_for_planning_is_named_for_what_it_is(tmp_path):
    wanted = {
        "only localizers": "a localizer (scout)",
        "dose report": "a dose report",
        "pdf": "a PDF",
        "contours": "a DICOM structure set (contours)",
        "presentation state": "a presentation state",
        "colour screenshot": "a screenshot (secondary capture)",
        "pet": "a PET series",
    }
    for name, words in wanted.items():
        folder = tmp_path / name
        hostile_dicom.CASES[name].make(folder)
        found = describe(folder)
        assert [s.what for s in found.series] == [words]
        assert not any(s.is_usable for s in found.series)
        assert best_candidate(found) is None
    hostile.colour(tmp_path / "colour")
    assert describe(tmp_path / "colour").series[0].what == "a colour image"


def test_a_series_with_one_colour_image_in_it_is_a_refused_series_and_no_colour_image(tmp_path):
    hostile.Series(series_uid="1.2.3").write(tmp_path / "in", range(5))
    hostile.colour(tmp_path / "colour")
    (odd, *_) = (tmp_path / "colour").iterdir()
    dataset = pydicom.dcmread(odd)
    dataset.SeriesInstanceUID = "1.2.3"
    dataset.save_as(tmp_path / "in" / "odd.dcm")
    (series,) = describe(tmp_path / "in").series
    assert (series.verdict, series.what) == ("refused", "")


def test_the_portal_phase_is_proposed_and_all_phases_stand_in_one_study(tmp_path):
    trees.phases(tmp_path / "in", count=20)
    found = describe(tmp_path / "in")
    assert found.series[best_candidate(found)].description == "portal venous phase"
    assert len({(s.patient_code, s.study_uid, s.study_description) for s in found.series}) == 1
    assert [s.series_number for s in found.series] == ["2", "3", "4"]
    assert not opens_without_question(found)


def test_a_whole_series_is_proposed_before_one_that_needs_a_repair(tmp_path):
    hostile_dicom.tilted(20.0, description="portal", series_uid="1.2.3").write(tmp_path / "a", range(18))
    hostile.Series(description="native", series_uid="1.2.4").write(tmp_path / "b", range(18))
    found = describe(tmp_path)
    assert [s.verdict for s in found.series] == ["warn", "ok"]
    assert found.series[best_candidate(found)].description == "native"


def test_one_clean_series_needs_no_question_also_beside_a_report_and_a_scout(tmp_path):
    hostile.Series(series_uid="1.2.3").write(tmp_path / "in")
    assert opens_without_question(describe(tmp_path / "in"))
    hostile_dicom.CASES["dose report"].make(tmp_path / "in" / "sr")
    hostile_dicom.CASES["only localizers"].make(tmp_path / "in" / "scout")
    assert opens_without_question(describe(tmp_path / "in"))


@pytest.mark.parametrize("name", ["gantry tilt", "truncated", "huge header length"])
def test_a_repair_a_refused_image_or_a_damaged_file_is_shown_and_not_opened_at_once(tmp_path, name):
    hostile.Series(series_uid="1.2.3").write(tmp_path / "good")
    hostile_dicom.CASES[name].make(tmp_path / "odd")
    assert not opens_without_question(describe(tmp_path))


def half(picture: np.ndarray, side: str) -> float:
    rows, columns = picture.shape
    parts = {
        "right": picture[:, columns // 2 + 4 :], "left": picture[:, : columns // 2 - 4],
        "bottom": picture[rows // 2 + 4 :], "top": picture[: rows // 2 - 4],
    }  # fmt: skip
    return float(parts[side].mean())


OPPOSITE = {"right": "left", "left": "right", "top": "bottom", "bottom": "top"}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ((1, 0, 0), (0, 1, 0)), ((-1, 0, 0), (0, -1, 0)), ((-1, 0, 0), (0, 1, 0)),
        ((0, -1, 0), (1, 0, 0)), ((0, 1, 0), (-1, 0, 0)),
    ],
    ids=["supine", "prone", "feet first", "right side down", "left side down"],
)  # fmt: skip
@pytest.mark.parametrize(("bright", "side"), [((1, 0, 0), "right"), ((0, 1, 0), "bottom")])
def test_the_picture_of_an_axial_series_has_left_on_the_right_and_the_back_below(
    tmp_path, row: Sequence[float], column: Sequence[float], bright: Sequence[float], side: str
):
    series = trees.Halves(row=row, column=column)
    series.bright = bright
    series.write(tmp_path / "in")
    picture = thumbnail(describe(tmp_path / "in").series[0])
    assert half(picture, side) > 220
    assert half(picture, OPPOSITE[side]) < 15


@pytest.mark.parametrize(
    ("row", "column"),
    [((1, 0, 0), (0, 0, -1)), ((0, 1, 0), (0, 0, 1)), ((0, 0, 1), (0, 1, 0))],
    ids=["coronal", "sagittal with the head below", "sagittal lying"],
)
def test_the_picture_of_a_standing_series_has_the_head_on_top(tmp_path, row, column):
    series = trees.Halves(row=row, column=column)
    series.bright = (0.0, 0.0, 1.0)
    series.write(tmp_path / "in")
    picture = thumbnail(describe(tmp_path / "in").series[0])
    assert half(picture, "top") > 220
    assert half(picture, "bottom") < 15


def test_a_picture_has_the_shape_of_the_patient_and_not_of_the_pixels(tmp_path):
    hostile.Series().write(tmp_path / "in", PixelSpacing=[0.4, 0.8])
    picture = thumbnail(describe(tmp_path / "in").series[0])
    height_mm, width_mm = hostile.ROWS * 0.4, hostile.COLUMNS * 0.8
    assert picture.shape == (round(128 * height_mm / width_mm), 128)


def test_a_series_whose_pixels_cannot_be_decoded_has_no_picture_and_its_verdict(tmp_path):
    hostile_dicom.CASES["private transfer syntax"].make(tmp_path / "in")
    heard, found = look(tmp_path / "in")
    assert not any(isinstance(one, Thumbnail) for one in heard)
    assert found.series


def test_an_image_file_has_a_picture_too(tmp_path):
    Nifti().write(tmp_path / "liver.nii.gz")
    heard, found = look(tmp_path)
    assert [type(one) for one in heard] == [PathDescription, Thumbnail]
    assert found.series[0].what == ""


@pytest.mark.parametrize("name", ["labels.nii.gz", "liver_mask.nii.gz", "tumour-seg.nii.gz"])
def test_a_label_map_by_its_name_is_not_proposed_for_planning(tmp_path, name):
    Nifti().write(tmp_path / "ct.nii.gz")
    Nifti().write(tmp_path / name)
    found = describe(tmp_path)
    assert {s.description: s.what for s in found.series} == {
        "ct.nii.gz": "",
        name: "a label map (structures)",
    }
    assert found.series[best_candidate(found)].description == "ct.nii.gz"
    assert opens_without_question(found)


def packed(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder.with_name("packed")), "zip", folder))


def test_a_zip_is_told_of_as_its_folder_is_with_pictures(tmp_path):
    trees.phases(tmp_path / "in")
    path = packed(tmp_path / "in")
    heard, found = look(path)
    assert sum(isinstance(one, Thumbnail) for one in heard) == 3
    assert found == describe(path) or [s.uid for s in found.series] == [s.uid for s in describe(path).series]
    assert all(s.path.startswith(str(path)) for s in found.series)


def test_one_of_several_image_files_in_a_zip_can_be_opened_by_its_name(tmp_path):
    (tmp_path / "in" / "a").mkdir(parents=True)
    Nifti().write(tmp_path / "in" / "a" / "one.nii")
    Nifti().write(tmp_path / "in" / "two.nii")
    path = packed(tmp_path / "in")
    names = [Path(s.path).relative_to(path).as_posix() for s in describe(path).series]
    assert sorted(names) == ["a/one.nii", "two.nii"]
    for name in names:
        assert read_scan(path, series_uid=name).facts.path == str(path)


def test_a_name_that_leads_out_of_a_zip_reads_nothing_outside(tmp_path):
    (tmp_path / "in").mkdir()
    Nifti().write(tmp_path / "in" / "one.nii")
    Nifti().write(tmp_path / "in" / "two.nii")
    Nifti().write(tmp_path / "outside.nii")
    with pytest.raises(ImageError):
        read_scan(packed(tmp_path / "in"), series_uid=str(tmp_path / "outside.nii"))


# Discs ----------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path) -> Path:
    hostile.Series(series_uid="1.2.3").write(tmp_path / "source")
    return trees.disc(tmp_path / "disc", sorted((tmp_path / "source").iterdir()))


def images(table: Path) -> list[Path]:
    """Return the files of the disc in the order of their slices."""
    files = [p for p in table.parent.rglob("*") if p.is_file() and p != table]
    return sorted(files, key=lambda p: float(pydicom.dcmread(p).ImagePositionPatient[2]))


def test_pointing_at_a_dicomdir_is_pointing_at_its_folder(table):
    by_table, by_folder = describe(table), describe(table.parent)
    assert by_table == by_folder
    assert [s.verdict for s in by_table.series] == ["ok"]
    assert read_scan(table).volume.digest() == read_scan(table.parent).volume.digest()


def test_a_disc_that_lacks_its_last_slices_says_which_and_opens_after_a_yes(table):
    lost = images(table)[-2:]
    for path in lost:
        path.unlink()
    (series,) = describe(table).series
    (finding,) = series.findings
    assert (finding.code, finding.level) == ("disc-files-missing", Level.WARN)
    assert "2 files" in finding.text
    for path in lost:
        assert path.relative_to(table.parent).as_posix() in finding.text
    with pytest.raises(ImageError, match="not there") as refused:
        read_scan(table)
    assert refused.value.code == "disc-files-missing"
    scan = read_scan(table, accept=["disc-files-missing"])
    assert scan.volume.grid.size[2] == hostile.SLICES - 2
    assert "disc-files-missing" in {f.code for f in scan.facts.findings}


def test_a_disc_whose_names_were_written_in_small_letters_is_whole(table):
    for path in images(table):
        path.rename(path.with_name(path.name.lower() + ".dcm"))
    assert [s.verdict for s in describe(table).series] == ["ok"]


def test_a_series_that_is_wholly_missing_on_the_disc_is_mentioned(tmp_path):
    hostile.Series(series_uid="1.2.3").write(tmp_path / "a")
    hostile.Series(series_uid="1.2.4", description="gone").write(tmp_path / "b")
    table = trees.disc(tmp_path / "disc", [*(tmp_path / "a").iterdir(), *(tmp_path / "b").iterdir()])
    for path in images(table):
        if pydicom.dcmread(path).SeriesInstanceUID == "1.2.4":
            path.unlink()
    found = describe(table)
    assert [(s.uid, s.verdict) for s in found.series] == [("1.2.3", "ok")]
    assert [(f.code, f.level) for f in found.findings] == [("disc-files-missing", Level.OK)]


def test_a_damaged_table_of_contents_misleads_nobody(table):
    data = table.read_bytes()
    table.write_bytes(data[: len(data) // 2].replace(b"SQ", b"??"))
    found = describe(table.parent)
    assert [s.verdict for s in found.series] == ["ok"]
    assert {f.level for f in found.findings} <= {Level.OK}


def test_a_file_that_only_has_the_name_of_a_table_is_noted(tmp_path):
    hostile.Series(series_uid="1.2.3").write(tmp_path)
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"nothing")
    found = describe(tmp_path / "DICOMDIR")
    assert [s.verdict for s in found.series] == ["ok"]
    assert [(f.code, f.level) for f in found.findings] == [("dicomdir-damaged", Level.OK)]


# Names ----------------------------------------------------------------------------------------------


def test_names_are_read_only_for_who_asks_also_in_a_zip(tmp_path):
    trees.phases(tmp_path / "in" / "a", "A")
    trees.phases(tmp_path / "in" / "b", "B")
    codes = {s.patient_code for s in describe(tmp_path / "in").series}
    names = patient_names(tmp_path / "in", codes)
    assert sorted(names.values()) == ["NameA, Given (A)", "NameB, Given (B)"]
    assert names.keys() == codes
    with zipfile.ZipFile(packed(tmp_path / "in")) as archive:
        assert patient_names(Path(str(archive.filename)), codes) == names
    assert patient_names(tmp_path / "in", ()) == {}
