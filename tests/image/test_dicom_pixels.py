"""Slices are read some at a time, into the same voxels, and each part is held to its own headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import Cancelled
from cryoplan.image import dicom_pixels
from cryoplan.image.dicom_header import read_headers
from cryoplan.image.read import read_scan
from cryoplan.image.yardstick import write_series
from tests.support.hostile import Series


class Heard:
    """Progress that keeps what it is told, and asks to stop after some reports."""

    def __init__(self, stop_after: int = 10_000) -> None:
        self.fractions: list[float] = []
        self._stop_after = stop_after

    def report(self, report) -> None:
        self.fractions.append(report.fraction)

    def cancelled(self) -> bool:
        return len(self.fractions) >= self._stop_after


@pytest.fixture(autouse=True)
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read four slices at a time."""
    monkeypatch.setattr(dicom_pixels, "_VOXELS_AT_ONCE", 0)
    monkeypatch.setattr(dicom_pixels, "_FEWEST_AT_ONCE", 4)


def slices(folder: Path, count: int, **changes: object) -> Path:
    for k in range(count):
        Series().slice(k, **changes).save_as(folder / f"{k:02d}.dcm", enforce_file_format=True)
    return folder


@pytest.mark.parametrize("count", [2, 3, 4, 5, 9, 13, 14, 30])
def test_parts_give_what_one_reader_gives_and_none_has_one_slice(tmp_path: Path, count: int):
    slices(tmp_path, count)
    headers, _ = read_headers(tmp_path)
    ends = dicom_pixels._parts_of(headers)
    assert (ends[0], ends[-1]) == (0, count)
    assert min(np.diff(ends)) >= 2
    assert max(np.diff(ends)) <= 6
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(h.path) for h in headers])
    assert np.array_equal(read_scan(tmp_path).volume.values, sitk.GetArrayFromImage(reader.Execute()))


def test_a_part_that_comes_in_another_order_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    slices(tmp_path, 12)
    true = dicom_pixels._read_part

    def turned(part, fits):
        return true(part[::-1] if part[0].path.name == "04.dcm" else part, fits)

    monkeypatch.setattr(dicom_pixels, "_read_part", turned)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert (caught.value.code, caught.value.place) == ("position-mismatch", "04.dcm")


def test_slices_that_waver_within_rounding_are_read_in_parts_too(tmp_path: Path):
    series = Series()
    for k in range(40):
        aside = np.array([0.0 if k == 0 else 0.09 * (-1) ** k, 0.0, 0.015 * (k % 3 - 1)])
        place = series.position(k) + aside
        series.slice(k, ImagePositionPatient=[round(float(x), 3) for x in place]).save_as(
            tmp_path / f"{k:02d}.dcm", enforce_file_format=True
        )
    assert read_scan(tmp_path).volume.grid.size[2] == 40


def test_one_value_that_is_no_whole_number_makes_all_float_and_loses_none(tmp_path: Path):
    slices(tmp_path, 12)
    Series(slope=1.5).slice(8).save_as(tmp_path / "08.dcm", enforce_file_format=True)
    Series(intercept=-1024.5).slice(9).save_as(tmp_path / "09.dcm", enforce_file_format=True)
    values = read_scan(tmp_path).volume.values
    assert values.dtype == np.float32
    stored = np.frombuffer(Series().slice(9).PixelData, "<i2").reshape(values.shape[1:])
    assert np.array_equal(values[9], np.maximum(stored - 1024.5, -1024))
    first = np.frombuffer(Series().slice(1).PixelData, "<i2").reshape(values.shape[1:])
    assert np.array_equal(values[1], np.maximum(first - 1024.0, -1024))


def test_a_file_that_cannot_be_decoded_is_named_even_in_the_middle(tmp_path: Path):
    slices(tmp_path, 12)
    headers, _ = read_headers(tmp_path)
    broken = headers[6].path
    broken.write_bytes(b"nothing")
    with pytest.raises(ImageError) as caught:
        dicom_pixels.read_slices(headers, None)
    assert (caught.value.code, caught.value.place) == ("pixels-unreadable", "06.dcm")


def test_reading_reports_each_part_and_stops_between_two(tmp_path: Path):
    slices(tmp_path, 16)
    heard = Heard()
    read_scan(tmp_path, progress=heard)
    assert heard.fractions == sorted(heard.fractions)
    assert len(heard.fractions) == 6
    assert heard.fractions[-1] == 1.0
    headers, _ = read_headers(tmp_path)
    stopped = Heard(stop_after=2)
    with pytest.raises(Cancelled):
        dicom_pixels.read_slices(headers, None, progress=stopped)
    assert len(stopped.fractions) == 2


def test_the_series_of_the_benchmark_reads_as_it_was_written(tmp_path: Path):
    from cryoplan.core.progress import SILENT

    write_series(tmp_path, 5, 20, SILENT)
    scan = read_scan(tmp_path)
    assert scan.volume.values.dtype == np.int16
    assert scan.facts.findings == ()
