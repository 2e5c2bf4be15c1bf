"""A DICOM series is loaded in the right place or refused by name; it is never mended in silence."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import Cancelled, ProgressReport
from cryoplan.image import dicom_geometry
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from tests.support import hostile


@pytest.mark.parametrize("name", sorted(hostile.REFUSED))
def test_a_hostile_series_is_refused_with_its_code(tmp_path: Path, name: str, capfd):
    make, code = hostile.REFUSED[name]
    folder = tmp_path / "series"
    make(folder)
    with pytest.raises(ImageError) as caught:
        read_scan(folder)
    assert caught.value.code == code
    assert caught.value.place
    assert caught.value.what.endswith(".")
    assert caught.value.remedy.endswith(".")
    assert "Kowalska" not in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", sorted(set(hostile.REFUSED) - {"cut in header"}))
def test_info_gives_the_same_verdict_without_reading_pixels(tmp_path: Path, name: str, monkeypatch):
    make, code = hostile.REFUSED[name]
    folder = tmp_path / "series"
    make(folder)
    monkeypatch.setattr("SimpleITK.ImageSeriesReader", None)
    series = describe(folder).to_json()["series"]
    verdicts = {s["verdict"] for s in series if code in [f["code"] for f in s["findings"]]}
    assert verdicts == {"warn" if name in hostile.REPAIRABLE else "refused"}


def twice_each(folder: Path, *, equal: bool) -> None:
    series = hostile.Series()
    series.write(folder)
    other = {} if equal else {"PixelData": b"\1\0" * (hostile.ROWS * hostile.COLUMNS)}
    for k in range(hostile.SLICES):
        series.slice(k, 50 + k, **other).save_as(folder / f"z{k}.dcm", enforce_file_format=True)


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda folder: hostile.Series().write(folder), 0),
        (lambda folder: twice_each(folder, equal=False), 2),
        (lambda folder: twice_each(folder, equal=True), 2 * hostile.SLICES),
    ],
    ids=["each once", "conflicts", "copies"],
)
def test_info_reads_pixels_of_slices_at_one_place_only_and_stops_at_a_conflict(
    tmp_path: Path, monkeypatch, make, most: int
):
    make(tmp_path)
    looked = []
    true = dicom_geometry.pixel_digest
    monkeypatch.setattr(dicom_geometry, "pixel_digest", lambda h: looked.append(h.path) or true(h))
    describe(tmp_path)
    assert len(looked) == most


def test_a_missing_slice_names_its_neighbours_and_positions(tmp_path: Path):
    hostile.missing(tmp_path)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert "1 slice is missing" in caught.value.what
    assert "10.0 mm" in caught.value.what
    assert "15.0 mm" in caught.value.what
    assert caught.value.place.endswith(".dcm")


def test_a_damaged_file_loads_only_after_consent(tmp_path: Path):
    hostile.cut_in_header(tmp_path)
    scan = read_scan(tmp_path, accept=["damaged-file"])
    assert scan.volume.grid.size[2] == hostile.SLICES - 1
    assert [f.code for f in scan.facts.findings] == ["damaged-file"]


@pytest.mark.parametrize("typed", [True, False], ids=["says so", "lies across"])
def test_a_localizer_in_the_series_is_left_out_and_mentioned(tmp_path: Path, typed: bool):
    hostile.with_localizer(tmp_path, typed=typed)
    scan = read_scan(tmp_path)
    assert scan.volume.grid.size == (hostile.COLUMNS, hostile.ROWS, hostile.SLICES)
    assert [f.code for f in scan.facts.findings] == ["localizer-dropped"]
    assert "4 localizer images" in scan.facts.findings[0].text


def _oblique(modality: str) -> hostile.Series:
    series = hostile.mr_series()
    if modality == "CT":
        series.sop_class, series.modality = hostile.CTImageStorage, "CT"
    return series


SERIES = {
    "axial": hostile.Series,
    "feet first order": lambda: hostile.Series(origin_mm=(-14.0, -16.0, 28.0), step_mm=(0.0, 0.0, -2.5)),
    "rows turned over": lambda: hostile.Series(row=(-1.0, 0.0, 0.0), origin_mm=(18.0, -16.0, 28.0)),
    "coronal": lambda: hostile.Series(column=(0.0, 0.0, -1.0), origin_mm=(-14.0, -17.0, 26.0)),
    "sagittal": lambda: hostile.Series(
        row=(0.0, 1.0, 0.0), column=(0.0, 0.0, -1.0), origin_mm=(17.0, -18.0, 26.0)
    ),
    "oblique CT": lambda: _oblique("CT"),
    "oblique MR": lambda: _oblique("MR"),
}


@pytest.mark.parametrize("name", sorted(SERIES))
def test_the_ball_lies_where_it_was_painted(tmp_path: Path, name: str):
    SERIES[name]().write(tmp_path)
    scan = read_scan(tmp_path)
    gap = hostile.ball_centroid_mm(scan.volume.values, scan.volume.grid) - np.array(hostile.BALL_MM)
    assert np.abs(gap).max() < 0.35
    volume = (scan.volume.values > -20).sum() * scan.volume.grid.voxel_volume_ml
    assert volume == pytest.approx(4 / 3 * np.pi * hostile.BALL_RADIUS_MM**3 / 1000, rel=0.05)
    assert np.linalg.det(scan.volume.grid.axes) == pytest.approx(1.0)
    assert set(np.unique(scan.volume.values)) == {hostile.OUTSIDE_HU, hostile.INSIDE_HU}


def test_the_first_image_gives_the_same_scan_as_its_folder(tmp_path: Path):
    paths = hostile.Series().write(tmp_path)
    other = hostile.Series(series_uid="1.2.3", origin_mm=(0.0, 0.0, 500.0))
    other.write(tmp_path / "other")
    for path in (tmp_path / "other").iterdir():
        shutil.move(path, tmp_path / f"x{path.name}")
    one = read_scan(paths[4])
    named = read_scan(tmp_path, series_uid=hostile.Series().series_uid)
    assert one.volume.digest() == named.volume.digest()
    assert one.volume.grid.origin_mm[2] == 0.0


def test_several_series_must_be_chosen_from(tmp_path: Path):
    hostile.Series(description="arterial").write(tmp_path / "a")
    hostile.Series(description="portal", series_uid="1.2.3.4").write(tmp_path / "b")
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert caught.value.code == "several-series"
    assert "arterial" in caught.value.remedy
    assert "1.2.3.4" in caught.value.remedy
    assert read_scan(tmp_path, series_uid="1.2.3.4").facts.description == "portal"
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path, series_uid="9.9")
    assert caught.value.code == "no-such-series"


def change_uid(path: Path, series_uid: str) -> None:
    dataset = pydicom.dcmread(path)
    dataset.SeriesInstanceUID = series_uid
    dataset.save_as(path)


def test_a_series_that_needs_consent_is_asked_about_beside_a_good_one(tmp_path: Path):
    hostile.Series(description="good").write(tmp_path / "a")
    hostile.Series(series_uid="1.2.3").write(tmp_path / "b", [0, 1, 2, 5, 6])
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert caught.value.code == "several-series"


def test_the_only_usable_series_is_taken(tmp_path: Path):
    hostile.Series(description="good").write(tmp_path / "a")
    hostile.shifted(tmp_path / "b")
    for path in (tmp_path / "b").iterdir():
        change_uid(path, "1.2.3")
    hostile.Series(series_uid="1.2.4", sop_class="1.2.840.10008.5.1.4.1.1.7").write(tmp_path / "c")
    assert read_scan(tmp_path).facts.description == "good"


def test_no_usable_series_gives_all_reasons(tmp_path: Path):
    hostile.shifted(tmp_path / "a")
    hostile.Series(series_uid="1.2.3").write(tmp_path / "b", [4])
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert caught.value.code == "no-usable-series"
    assert "beside the line" in caught.value.what
    assert "one slice only" in caught.value.what


def test_whole_ct_numbers_stay_int16_and_fractions_become_float32(tmp_path: Path):
    hostile.Series().write(tmp_path / "whole")
    assert read_scan(tmp_path / "whole").volume.values.dtype == np.int16
    hostile.Series(slope=0.5, intercept=-1000.25).write(tmp_path / "half")
    scan = read_scan(tmp_path / "half")
    assert scan.volume.values.dtype == np.float32
    assert float(scan.volume.values.max()) == pytest.approx(60, abs=0.51)


def test_mixed_slopes_give_one_scale(tmp_path: Path):
    first, second = hostile.Series(), hostile.Series(slope=0.5)
    first.write(tmp_path, range(6))
    for n, k in enumerate(range(6, 12)):
        second.slice(k, 50 + n).save_as(tmp_path / f"b{k}.dcm", enforce_file_format=True)
    scan = read_scan(tmp_path)
    assert set(np.unique(scan.volume.values)) == {hostile.OUTSIDE_HU, hostile.INSIDE_HU}


def test_unsigned_values_beyond_int16_are_not_wrapped(tmp_path: Path):
    pixels = np.full((hostile.ROWS, hostile.COLUMNS), 60000, "<u2").tobytes()
    series = hostile.Series(intercept=0.0)
    series.write(tmp_path, PixelRepresentation=0, PixelData=pixels)
    scan = read_scan(tmp_path)
    assert scan.volume.values.dtype == np.float32
    assert float(scan.volume.values.min()) == 60000.0


def test_padding_is_cut_off_and_mentioned(tmp_path: Path):
    pixels = np.full((hostile.ROWS, hostile.COLUMNS), -2000, "<i2").tobytes()
    hostile.Series().write(tmp_path, PixelData=pixels)
    scan = read_scan(tmp_path)
    assert int(scan.volume.values.min()) == -1024
    assert [(f.level.value, f.code) for f in scan.facts.findings] == [("ok", "padding-clipped")]
    assert "-3024" in scan.facts.findings[0].text


def test_facts_hold_no_identifier_and_one_code_for_one_patient(tmp_path: Path):
    hostile.Series().write(tmp_path / "a")
    hostile.Series(series_uid="1.2.3", study_uid="1.2.4").write(tmp_path / "b")
    hostile.Series(patient_id="OTHER").write(tmp_path / "c")
    a, b, c = (read_scan(tmp_path / n).facts for n in "abc")
    for secret in ("Kowalska", "SECRET", "1950"):
        assert secret not in repr(a).replace(str(tmp_path), "")
    assert a.code == b.code
    assert a.code != c.code
    assert (a.patient_position, a.acquired_on, a.slice_thickness_mm) == ("HFS", "2024-05-17", 2.5)
    assert (a.modality, a.kind, a.description) == ("CT", "dicom-series", "hostile")


def test_cancel_stops_before_the_pixels(tmp_path: Path):
    hostile.Series().write(tmp_path)

    class Impatient:
        def report(self, report: ProgressReport) -> None:
            assert report.fraction < 1.0

        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        read_scan(tmp_path, progress=Impatient())


def test_a_folder_name_may_be_unicode(tmp_path: Path):
    folder = tmp_path / "Łódź ö 日本"
    hostile.Series().write(folder)
    assert read_scan(folder).volume.grid.size[2] == hostile.SLICES


def test_implicit_and_big_endian_and_deflated_series_are_read(tmp_path: Path):
    reference = None
    for uid in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"):
        hostile.Series(syntax=uid).write(tmp_path / uid)
        digest = read_scan(tmp_path / uid).volume.digest()
        reference = reference or digest
        assert digest == reference


@pytest.mark.parametrize("seed", range(4))
def test_changed_bytes_give_a_scan_or_an_image_error(tmp_path: Path, seed: int):
    random = np.random.default_rng(seed)
    paths = hostile.Series().write(tmp_path, range(4))
    for _ in range(25):
        path = paths[random.integers(4)]
        good = path.read_bytes()
        data = bytearray(good)
        for at in random.integers(132, len(data) - 2000, random.integers(1, 5)):
            data[at] = random.integers(256)
        path.write_bytes(data)
        try:
            scan = read_scan(tmp_path)
        except ImageError:
            pass
        else:
            assert scan.volume.grid.size[2] in (2, 3, 4)
        path.write_bytes(good)
