"""An end slice that cannot be used is named before the rest of its series is loaded without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryoplan.core.errors import ImageError
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from tests.support.hostile import SLICES, Series, with_localizer


@pytest.mark.parametrize("k", [0, SLICES - 1])
@pytest.mark.parametrize(
    "change",
    [
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"Rows": 31},
        {"PixelData": b"\0" * 100},
    ],
    ids=["another class", "another matrix", "cut pixels"],
)
def test_a_bad_end_slice_is_never_left_out_in_silence(tmp_path: Path, k: int, change: dict):
    series = Series()
    series.write(tmp_path, [n for n in range(SLICES) if n != k])
    series.slice(k, k + 1, **change).save_as(tmp_path / "odd.dcm", enforce_file_format=True)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert caught.value.code in ("images-left-out", "mixed-size", "truncated-file")
    if caught.value.code == "images-left-out":
        assert "odd.dcm" in caught.value.what
        scan = read_scan(tmp_path, accept=["images-left-out"])
        assert scan.volume.grid.size[2] == SLICES - 1
        assert "images-left-out" in [f.code for f in scan.facts.findings]
        assert "images-left-out" in [f.code for s in describe(tmp_path).series for f in s.findings]


def test_a_localizer_in_the_series_is_no_image_left_out(tmp_path: Path):
    with_localizer(tmp_path, typed=True)
    assert read_scan(tmp_path).volume.grid.size[2] == SLICES


def test_a_class_that_swallowed_half_the_file_is_damage_and_not_a_name(tmp_path: Path):
    path = Series().write(tmp_path)[-1]
    data = path.read_bytes()
    at = data.index(b"1.2.840.10008.5.1.4.1.1.2", 300)
    path.write_bytes(data[:at] + b"1.2.840.10008\nKowalska^.." + data[at + 25 :])
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert "\n" not in str(caught.value)
    assert "Kowalska" not in str(caught.value)
