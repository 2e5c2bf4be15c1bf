"""Where an image lies: long and foreign names work, and what cannot be opened is named, never passed over."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cryoplan.core.errors import ImageError
from cryoplan.image import memory
from cryoplan.image.labels import read_masks
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from tests.support.enhanced import enhanced, save
from tests.support.hostile_dicom import SLICES, centred, value_error
from tests.support.hostile_volumes import Meta, Nifti, Nrrd, marker_errors_mm

on_posix = pytest.mark.skipif(os.name != "posix", reason="names and links of POSIX")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")

NAMES = ["Łódź ö 日本 🫁", "with 'quotes\" and $HOME %s {0}", "-rf", " blank ends ", "a" * 200]


def deep(folder: Path, name: str) -> Path:
    """Return a folder whose path has over 1,500 bytes, six times what old systems allow."""
    while len(os.fsencode(folder)) < 1500:
        folder /= name
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_series_may_lie_below_any_name(tmp_path: Path, name: str):
    if os.name != "posix" and set(name) & set('"<>|?*'):
        pytest.skip("the system has no such names")
    folder = tmp_path / name
    centred().write(folder)
    scan = read_scan(folder)
    assert value_error(scan.volume.values.astype(float), scan.volume.grid) <= 1.0
    assert describe(folder).series[0].verdict == "ok"


@on_posix
@pytest.mark.parametrize("name", ["x" * 120, "ż日" * 25], ids=["plain", "Unicode"])
def test_very_long_paths_are_read_in_every_format(tmp_path: Path, name: str):
    folder = deep(tmp_path, name)
    centred().write(folder / "dicom")
    scan = read_scan(folder / "dicom")
    assert value_error(scan.volume.values.astype(float), scan.volume.grid) <= 1.0
    for path in (
        Nifti().write(folder / "a.nii.gz"),
        Nrrd(data_name="b.raw").write(folder / "b.nhdr"),
        Meta(data_name="c.raw").write(folder / "c.mhd"),
    ):
        volume = read_scan(path).volume
        assert max(marker_errors_mm(volume.values, volume.grid.index_to_mm).values()) < 0.1


@on_posix
def test_a_path_longer_than_the_system_allows_is_refused_in_a_line(tmp_path: Path):
    for read in (read_scan, describe, read_masks):
        with pytest.raises(ImageError) as caught:
            read(tmp_path / ("x" * 5000))
        assert caught.value.code == "not-readable"
        assert len(str(caught.value)) < 300


def odd_slice(folder: Path, name: bytes) -> Path:
    paths = centred().write(folder)
    paths[4].rename(Path(os.fsdecode(os.fsencode(folder) + b"/" + name)))
    return folder


def odd_volume(folder: Path, name: bytes) -> Path:
    folder.mkdir()
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    return Nifti().write(folder / "a.nii").rename(odd)


@on_linux
@pytest.mark.parametrize("make", [odd_slice, odd_volume])
@pytest.mark.parametrize("name", [b"\xb3\xf3d\xbc.dcm", b"two\nlines.dcm"], ids=["not UTF-8", "line break"])
def test_a_name_that_is_no_text_is_refused_in_one_line_and_ends_nothing(
    tmp_path: Path, make: Callable[[Path, bytes], Path], name: bytes
):
    path = make(tmp_path / "in", name)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == "unreadable-name"
    text = str(caught.value)
    assert ".dcm" in text
    assert "\n" not in text
    text.encode()
    described = describe(tmp_path / "in").series[0]
    assert described.verdict == "refused"
    assert [f.code for f in described.findings] == ["unreadable-name"]


def leads_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "gone")


def leads_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@on_posix
@pytest.mark.parametrize("harm", [leads_nowhere, leads_to_itself])
@pytest.mark.parametrize("k", [0, SLICES - 1])
def test_a_link_in_place_of_an_end_slice_is_not_passed_over(tmp_path: Path, harm, k: int):
    path = centred().write(tmp_path)[k]
    harm(path)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert caught.value.code == "damaged-file"
    assert caught.value.place == path.name
    assert path.name in caught.value.what
    assert [f.place for f in describe(tmp_path).findings] == [path.name]
    scan = read_scan(tmp_path, accept=["damaged-file"])
    assert scan.volume.grid.size[2] == SLICES - 1
    assert value_error(scan.volume.values.astype(float), scan.volume.grid) <= 1.0


def closed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these files refuse to be opened, as files of another user do (the tests may run as root)."""
    true = Path.open

    def opened(self: Path, *args: object, **options: object):
        if self.name in names:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return true(self, *args, **options)

    monkeypatch.setattr(Path, "open", opened)


def test_a_slice_that_may_not_be_read_is_named_and_the_rest_is_listed(tmp_path: Path, monkeypatch):
    path = centred().write(tmp_path)[-1]
    closed(monkeypatch, path.name)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert caught.value.code == "damaged-file"
    assert path.name in caught.value.what
    described = describe(tmp_path)
    assert [f.place for f in described.findings] == [path.name]
    assert [s.images for s in described.series] == [SLICES - 1]


def test_a_volume_that_may_not_be_read_is_refused_by_name(tmp_path: Path, monkeypatch):
    path = Nifti().write(tmp_path / "a.nii")
    closed(monkeypatch, path.name)
    for read in (read_scan, describe):
        with pytest.raises(ImageError) as caught:
            read(path)
        assert caught.value.code == "not-readable"
        assert "a.nii" in caught.value.what


def test_a_folder_that_may_not_be_looked_into_is_refused_by_name(tmp_path: Path, monkeypatch):
    centred().write(tmp_path / "in")
    true = Path.stat

    def stat(self: Path, **options: bool):
        if "in" in self.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return true(self, **options)

    monkeypatch.setattr(Path, "stat", stat)
    for read in (read_scan, describe):
        with pytest.raises(ImageError) as caught:
            read(tmp_path / "in")
        assert caught.value.code == "not-readable"
        assert caught.value.place == "in"


@pytest.mark.parametrize("kind", ["slices", "frames"])
def test_the_memory_of_a_series_is_reckoned_before_a_pixel_is_read(tmp_path: Path, monkeypatch, kind: str):
    if kind == "slices":
        centred().write(tmp_path)
    else:
        save(enhanced([centred().slice(k) for k in range(SLICES)]), tmp_path)
    touched = []
    monkeypatch.setattr("cryoplan.image.read.read_slices", lambda *a: touched.append(a))
    monkeypatch.setattr(memory, "free_bytes", lambda: 100_000)
    with pytest.raises(ImageError, match="of memory to read") as caught:
        read_scan(tmp_path)
    assert caught.value.code == "too-large"
    assert caught.value.place.endswith(".dcm")
    assert touched == []
