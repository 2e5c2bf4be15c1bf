"""A zip of images opens as what is in it; one that reaches out, swells or lies is refused by name."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cryoplan.core.errors import ImageError
from cryoplan.image.archive_zip import ZipLimits, unpacked
from cryoplan.image.deidentify import identifying_words
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from tests.support.hostile import REFUSED, Series
from tests.support.hostile_volumes import Meta, Nifti, marker_errors_mm


def pack(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def series_members(folder: Path, prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{p.name}": p.read_bytes() for p in Series().write(folder)}


def test_a_zip_of_a_dicom_folder_is_the_folder(tmp_path: Path):
    members = series_members(tmp_path / "plain", "disc/a/b/")
    path = pack(tmp_path / "all.zip", {**members, "readme.txt": b"hello"})
    packed, plain = read_scan(path, accept=["damaged-file"]), read_scan(tmp_path / "plain")
    assert packed.volume.digest() == plain.volume.digest()
    assert packed.facts.path == str(path)
    described = describe(path)
    assert [s.path.startswith(str(path)) for s in described.series] == [True]
    assert described.series[0].grid == plain.volume.grid


@pytest.mark.parametrize("name", ["ct.nii", "Ünïcödé/影像.nii", "n" * 220 + ".nii", "a b?:*|<>/c.nii"])
def test_a_zip_of_one_image_puts_its_balls_in_place(tmp_path: Path, name: str):
    data = Nifti().write(tmp_path / "a.nii").read_bytes()
    scan = read_scan(pack(tmp_path / "a.zip", {name: data}))
    errors = marker_errors_mm(scan.volume.values, scan.volume.grid.index_to_mm)
    assert max(errors.values()) < 0.1


def test_a_zip_of_a_header_and_its_voxels_opens(tmp_path: Path):
    Meta(data_name="a.raw").write(tmp_path / "a.mhd")
    members = {f"x/{name}": (tmp_path / name).read_bytes() for name in ("a.mhd", "a.raw")}
    scan = read_scan(pack(tmp_path / "a.zip", members))
    assert max(marker_errors_mm(scan.volume.values, scan.volume.grid.index_to_mm).values()) < 0.1


def test_what_is_wrong_inside_names_the_archive(tmp_path: Path):
    REFUSED["no position"][0](tmp_path / "bad")
    members = {p.name: p.read_bytes() for p in sorted((tmp_path / "bad").iterdir())}
    path = pack(tmp_path / "sent.zip", members)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == "no-position"
    assert "sent.zip" in caught.value.what
    assert caught.value.place == "sent.zip"


def test_words_that_name_the_patient_are_found_inside_a_zip(tmp_path: Path):
    Series().write(tmp_path / "plain", PatientName="Doe^Jane")
    members = {p.name: p.read_bytes() for p in sorted((tmp_path / "plain").iterdir())}
    assert {"doe", "jane"} <= identifying_words(pack(tmp_path / "a.zip", members))


def with_link(path: Path) -> None:
    info = zipfile.ZipInfo("link.nii")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/hostname")


def locked(path: Path) -> None:
    pack(path, {"a.nii": b"x" * 50})
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + at] |= 1
    path.write_bytes(data)


def announces_less(path: Path) -> None:
    pack(path, {"a.nii": b"\0" * 100_000})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 10)
    path.write_bytes(data)


def overlapping(path: Path) -> None:
    pack(path, {"a.nii": np.random.default_rng(0).bytes(4000)})
    data = path.read_bytes()
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry, tail = data[at:end], bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, 3, 3, 3 * len(entry))
    path.write_bytes(data[:at] + 3 * entry + tail)


def damaged(path: Path) -> None:
    pack(path, {"a.nii": np.random.default_rng(0).bytes(4000)})
    data = bytearray(path.read_bytes())
    data[2000] ^= 0xFF
    path.write_bytes(data)


def nested(path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.nii", b"x")
    pack(path, {"inner.zip": inner.getvalue()})


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "above": (lambda p: pack(p, {"../../a.nii": b"x"}), "zip-unsafe"),
    "absolute": (lambda p: pack(p, {"/tmp.nii": b"x"}), "zip-unsafe"),
    "backslashes": (lambda p: pack(p, {"..\\..\\a.nii": b"x"}), "zip-unsafe"),
    "drive": (lambda p: pack(p, {"C:\\a.nii": b"x"}), "zip-unsafe"),
    "link": (with_link, "zip-unsafe"),
    "locked": (locked, "zip-locked"),
    "bomb": (lambda p: pack(p, {"a.nii": b"\0" * (80 << 20)}), "zip-bomb"),
    "announces less than it holds": (announces_less, "zip-damaged"),
    "members over one another": (overlapping, "zip-bomb"),
    "deep": (lambda p: pack(p, {"a/" * 40 + "b.nii": b"x"}), "zip-too-large"),
    "many": (lambda p: pack(p, {f"{n}.nii": b"" for n in range(20_001)}), "zip-too-large"),
    "damaged": (damaged, "zip-damaged"),
    "cut": (lambda p: p.write_bytes(damaged(p) or p.read_bytes()[:-30]), "zip-damaged"),
    "empty": (lambda p: pack(p, {}), "empty-file"),
    "zip in zip": (nested, "no-images"),
    "text only": (lambda p: pack(p, {"a.txt": b"hello"}), "no-images"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_refused_by_name(name: str, tmp_path: Path, monkeypatch):
    make, code = HOSTILE[name]
    path = tmp_path / "sent.zip"
    make(path)
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    for read in (read_scan, describe):
        with pytest.raises(ImageError) as caught:
            read(path)
        assert caught.value.code == code, str(caught.value)
        assert "sent.zip" in caught.value.what
    assert [p.name for p in tmp_path.iterdir() if p.name != "private"] == ["sent.zip"]
    assert list(private.iterdir()) == []


def test_a_zip_larger_than_the_limit_is_refused_before_it_is_unpacked(tmp_path: Path):
    path = pack(tmp_path / "a.zip", {"a.nii": np.random.default_rng(0).bytes(4000)})
    with (
        pytest.raises(ImageError, match=r"unpacks to 0\.0 GB") as caught,
        unpacked(path, limits=ZipLimits(total_bytes=3000)),
    ):
        pass
    assert caught.value.code == "zip-too-large"


def test_two_members_of_one_name_are_both_kept(tmp_path: Path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/b", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/b", b"2")
        archive.writestr("a/b/c", b"3")
    with unpacked(path) as folder:
        kept = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert sorted(kept.values()) == [b"1", b"2", b"3"]
