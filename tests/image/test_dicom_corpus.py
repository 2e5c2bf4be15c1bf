"""Each folder of the hostile DICOM corpus gets its verdict; what loads has its markers in their places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cryoplan.core.errors import ImageError
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from tests.support import hostile_dicom
from tests.support.hostile_dicom import CASES, marker_errors_mm, value_error

NEAREST_MM = 0.1
ROUNDING = 1.0
INTERPOLATED = 50.0
"""What linear interpolation over 2.5 mm takes from markers 2.2 mm wide and up to 900 high."""


RESAMPLED = ("gantry-tilt", "uneven-spacing", "missing-slice")


def of(verdict: str, *, several: bool = False) -> list[str]:
    return sorted(n for n, c in CASES.items() if c.verdict == verdict and (c.volumes != 1) is several)


def files_in(folder: Path) -> set[str]:
    return {p.name for p in folder.rglob("*") if p.is_file()}


def check_markers(scan, within: float = ROUNDING) -> None:
    assert value_error(scan.volume.values.astype(float), scan.volume.grid) <= within
    errors = marker_errors_mm(scan.volume.values.astype(float), scan.volume.grid)
    assert max(errors.values()) < NEAREST_MM, errors
    assert not np.isnan(list(errors.values())).any(), errors


def test_the_corpus_has_at_least_forty_cases():
    assert len(CASES) >= 40


@pytest.mark.parametrize("name", of("ok"))
def test_what_loads_has_its_markers_in_their_places(tmp_path: Path, name: str, capfd):
    case, folder = CASES[name], tmp_path / "in"
    case.make(folder)
    scan = read_scan(folder)
    check_markers(scan)
    codes = {f.code for f in scan.facts.findings}
    assert codes == ({case.mentioned} if case.mentioned else set())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", of("warn"))
def test_what_needs_a_yes_is_refused_without_and_in_place_with_it(tmp_path: Path, name: str):
    case, folder = CASES[name], tmp_path / "in"
    case.make(folder)
    with pytest.raises(ImageError) as caught:
        read_scan(folder)
    assert caught.value.code == case.code
    assert caught.value.place in files_in(folder)
    assert case.code in caught.value.remedy
    described = describe(folder).series[0]
    assert described.verdict == "warn"
    scan = read_scan(folder, accept=[case.code])
    check_markers(scan, INTERPOLATED if case.code in RESAMPLED else ROUNDING)
    assert case.code in {f.code for f in scan.facts.findings if f.level.value == "warn"}
    assert scan.volume.grid == described.grid


@pytest.mark.parametrize("name", of("refused"))
def test_what_cannot_be_placed_is_refused_whatever_is_accepted(tmp_path: Path, name: str, capfd):
    case, folder = CASES[name], tmp_path / "in"
    case.make(folder)
    codes = [c.code for c in CASES.values() if c.code and c.code != "damaged-file"]
    with pytest.raises(ImageError) as caught:
        read_scan(folder, accept=codes)
    assert caught.value.code == case.code
    assert caught.value.place in files_in(folder) | {folder.name}
    assert any(file in caught.value.what for file in files_in(folder))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", of("ok", several=True))
def test_volumes_woven_into_one_series_are_offered_one_by_one(tmp_path: Path, name: str):
    case, folder = CASES[name], tmp_path / "in"
    case.make(folder)
    with pytest.raises(ImageError) as caught:
        read_scan(folder)
    assert caught.value.code == case.code == "several-series"
    series = describe(folder).series
    assert len(series) == abs(case.volumes)
    assert len({s.uid for s in series}) == len(series)
    for one in series:
        assert one.uid in caught.value.remedy
        scan = read_scan(folder, series_uid=one.uid)
        assert scan.facts.series_key == one.uid
        if case.volumes > 0:
            assert scan.volume.grid.size[2] == hostile_dicom.SLICES
            check_markers(scan)


WORDS = {
    "screenshot": "a screenshot", "colour screenshot": "a screenshot", "dose report": "a dose report",
    "presentation state": "a presentation state", "waveform": "a waveform", "pdf": "a PDF",
    "contours": "a DICOM structure set", "pet": "a PET series", "only localizers": "localizer images",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WORDS))
def test_what_is_no_volume_is_named_for_what_it_is(tmp_path: Path, name: str):
    CASES[name].make(tmp_path)
    series = describe(tmp_path).series
    assert {s.verdict for s in series} == {"refused"}
    assert {s.grid for s in series} == {None}
    assert all(WORDS[name] in s.findings[-1].text for s in series)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path, series_uid=series[0].uid)
    assert caught.value.place
