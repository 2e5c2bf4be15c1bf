"""Hostile volume files: each has its verdict, its code and, where it loads, its balls in place."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cryoplan.core.errors import ImageError
from cryoplan.image import memory
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from tests.support.hostile_volumes import (
    RAS,
    SIZE,
    SPACING_MM,
    Meta,
    Nifti,
    Nrrd,
    Picture,
    marker_errors_mm,
    rotation,
)

NAN = float("nan")
LIMIT_MM = 0.1
OBLIQUE = rotation(25.0)
FLIPPED = OBLIQUE * np.array([1.0, -1.0, -1.0])
LEFT_HANDED = OBLIQUE * np.array([1.0, -1.0, 1.0])


@dataclass
class Case:
    """A file, its verdict (ok, warn, refused) and the code that stands for it."""

    write: Callable[[Path], Path]
    verdict: str = "ok"
    code: str = ""
    picture: Picture | None = None


def nifti(verdict: str = "ok", code: str = "", *, name: str = "a.nii", cut: int = 0, **fields) -> Case:
    made = Nifti(**fields)
    return Case(lambda folder: made.write(folder / name, cut=cut), verdict, code, made.picture)


def nrrd(verdict: str = "ok", code: str = "", *, name: str = "a.nrrd", cut: int = 0, **fields) -> Case:
    made = Nrrd(**fields)
    return Case(lambda folder: made.write(folder / name, cut=cut), verdict, code, made.picture)


def meta(verdict: str = "ok", code: str = "", *, name: str = "a.mha", cut: int = 0, **fields) -> Case:
    made = Meta(**fields)
    return Case(lambda folder: made.write(folder / name, cut=cut), verdict, code, made.picture)


def changed(make: Case, change: Callable[[bytearray], bytes], verdict: str, code: str) -> Case:
    def write(folder: Path) -> Path:
        path = make.write(folder)
        path.write_bytes(change(bytearray(path.read_bytes())))
        return path

    return Case(write, verdict, code, make.picture)


def without(make: Case, name: str, code: str) -> Case:
    def write(folder: Path) -> Path:
        path = make.write(folder)
        (folder / name).unlink()
        return path

    return Case(write, "refused", code, make.picture)


def link_out(make: Case, name: str) -> Case:
    def write(folder: Path) -> Path:
        path = make.write(folder)
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        (folder / name).rename(elsewhere / name)
        (folder / name).symlink_to(elsewhere / name)
        return path

    return Case(write, "refused", "outside-file", make.picture)


def sform(shift_mm: float = 0.0, picture: Picture | None = None, *, shear: float = 0.0) -> np.ndarray:
    p = picture or Picture()
    columns = RAS @ p.columns
    columns[0, 1] += shear
    return np.column_stack([columns, RAS @ p.origin + np.array([shift_mm, 0.0, 0.0])])


def wrong_crc(data: bytearray) -> bytes:
    data[-6] ^= 0x40
    return bytes(data)


def flipped_middle(data: bytearray) -> bytes:
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def bomb(data: bytearray) -> bytes:
    return gzip.compress(gzip.decompress(bytes(data)) + b"\0" * (8 << 20))


def with_number(value: float) -> Callable[[bytearray], bytes]:
    def change(data: bytearray) -> bytes:
        struct.pack_into("<f", data, len(data) - 4 * 333, value)
        return bytes(data)

    return change


FLOATS = Picture(kind="f4")
KINDS = {f"{kind} {'big' if order == '>' else 'little'}": (kind, order)
         for kind in ("u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8") for order in "<>"}  # fmt: skip


def of_kind(kind: str, order: str) -> Picture:
    return Picture(kind=kind, order=order, plain=kind[0] == "u")


CORPUS: dict[str, Case] = {
    # NIfTI, where it lies
    "nifti plain": nifti(),
    "nifti packed": nifti(name="a.nii.gz"),
    "nifti oblique": nifti(picture=Picture(axes=OBLIQUE)),
    "nifti flipped": nifti(picture=Picture(axes=FLIPPED)),
    "nifti left-handed, qfac -1": nifti(picture=Picture(axes=LEFT_HANDED), codes=(1, 0)),
    "nifti half turn, qform only": nifti(picture=Picture(axes=np.diag([-1.0, -1.0, 1.0])), codes=(1, 0)),
    "nifti sform only": nifti(picture=Picture(axes=LEFT_HANDED), codes=(0, 2)),
    "nifti sform 0.05 mm beside qform": nifti(sform=sform(0.05)),
    "nifti qform 0.3 mm beside sform": nifti(
        "warn", "two-orientations", codes=(1, 2), patch=[(268, "f", float((RAS @ Picture().origin)[0]) + 0.3)]
    ),
    "nifti qform wrong, codes 1 and 2": nifti(
        "warn", "two-orientations", codes=(1, 2), patch=[(268, "f", 55.0)]
    ),
    "nifti qform wrong, codes 2 and 1": nifti(
        "warn", "two-orientations", codes=(2, 1), patch=[(268, "f", 55.0)]
    ),
    "nifti qfac against sform": nifti("warn", "two-orientations", patch=[(76, "f", -1.0)]),
    "nifti qform no rotation, sform there": nifti("warn", "two-orientations", patch=[(256, "f", 3.0)]),
    "nifti qform no rotation": nifti("refused", "bad-header", codes=(1, 0), patch=[(256, "f", 3.0)]),
    "nifti sheared": nifti("refused", "sheared-grid", sform=sform(shear=0.3)),
    "nifti sform of zeros": nifti("refused", "bad-header", sform=np.zeros((3, 4))),
    "nifti sform of NaN": nifti("refused", "bad-header", patch=[(284, "f", NAN)]),
    "nifti no orientation": nifti("warn", "orientation-unknown", codes=(0, 0)),
    "nifti in metres": nifti(unit=1, scale=1e-3, picture=Picture(axes=OBLIQUE)),
    "nifti in micrometres": nifti(unit=3, scale=1e3, picture=Picture(axes=OBLIQUE)),
    "nifti metres said, millimetres written": nifti("refused", "bad-spacing", unit=1),
    # NIfTI, what it holds
    "nifti zero spacing": nifti("refused", "bad-spacing", patch=[(80, "f", 0.0)]),
    "nifti NaN spacing": nifti("refused", "bad-spacing", patch=[(84, "f", NAN)]),
    "nifti negative spacing": nifti("refused", "bad-spacing", patch=[(80, "f", -SPACING_MM[0])]),
    "nifti huge spacing": nifti("refused", "bad-spacing", patch=[(84, "f", 1e9)]),
    "nifti two spacings": nifti("refused", "bad-spacing", patch=[(84, "f", 3.0)]),
    "nifti three volumes": nifti("refused", "more-dimensions", patch=[(40, "5h", 4, *SIZE, 3)]),
    "nifti one volume of four axes": nifti("ok", "", patch=[(40, "5h", 4, *SIZE, 1)]),
    "nifti vectors": nifti("refused", "more-dimensions", patch=[(40, "6h", 5, *SIZE, 1, 3)]),
    "nifti colour": nifti("refused", "colour-image", patch=[(70, "hh", 128, 24)]),
    "nifti complex": nifti("refused", "colour-image", patch=[(70, "hh", 32, 64)]),
    "nifti kind and bits disagree": nifti("refused", "bad-header", patch=[(70, "hh", 4, 8)]),
    "nifti unknown kind": nifti("refused", "bad-header", patch=[(70, "hh", 77, 16)]),
    "nifti absurd size": nifti("refused", "too-large", patch=[(42, "3h", 30000, 30000, 30000)]),
    "nifti offset without slope": nifti("refused", "bad-rescale", patch=[(112, "ff", 0.0, 2.5)]),
    "nifti slope next to nothing": nifti("refused", "bad-rescale", patch=[(112, "f", 1e-40)]),
    "nifti slope NaN": nifti("refused", "bad-header", patch=[(112, "f", NAN)]),
    "nifti cut short": nifti("refused", "truncated-file", cut=700),
    "nifti longer than it says": nifti("warn", "extra-bytes", pad=b"\0" * 64),
    "nifti packed, cut short": changed(
        nifti(name="a.nii.gz"), lambda data: bytes(data[:-900]), "refused", "truncated-file"
    ),
    "nifti packed, wrong checksum": changed(nifti(name="a.nii.gz"), wrong_crc, "refused", "truncated-file"),
    "nifti packed, unpacks without end": changed(nifti(name="a.nii.gz"), bomb, "refused", "size-mismatch"),
    "nifti with NaN": changed(nifti(picture=FLOATS), with_number(NAN), "refused", "nan-voxels"),
    "nifti with infinity": changed(nifti(picture=FLOATS), with_number(float("inf")), "refused", "nan-voxels"),
    "nifti in two files": nifti(name="a.hdr", magic=b"ni1\0"),
    "nifti in two files, one missing": without(
        nifti(name="a.hdr", magic=b"ni1\0"), "a.img", "truncated-file"
    ),
    "nifti in two files, one short": nifti("refused", "truncated-file", name="a.hdr", magic=b"ni1\0", cut=40),
    "nifti in two files, one a link out": link_out(nifti(name="a.hdr", magic=b"ni1\0"), "a.img"),
    # NRRD
    "nrrd plain": nrrd(),
    "nrrd gzip": nrrd(encoding="gzip"),
    "nrrd oblique": nrrd(picture=Picture(axes=OBLIQUE)),
    "nrrd right-anterior-superior": nrrd(space="RAS", picture=Picture(axes=OBLIQUE)),
    "nrrd left-anterior-superior": nrrd(space="left-anterior-superior", picture=Picture(axes=OBLIQUE)),
    "nrrd left-handed": nrrd(picture=Picture(axes=LEFT_HANDED)),
    "nrrd unknown space": nrrd("warn", "orientation-unknown", fields={"space": "scanner-xyz"}),
    "nrrd no directions": nrrd(
        "warn",
        "orientation-unknown",
        fields={"space": None, "space directions": None, "space origin": None, "spacings": "1.5 1.7 2.0"},
    ),
    "nrrd no origin": nrrd("warn", "position-unknown", fields={"space origin": None}),
    "nrrd sheared": nrrd(
        "refused", "sheared-grid", fields={"space directions": "(1.5,0,0) (0.4,1.7,0) (0,0,2)"}
    ),
    "nrrd zero direction": nrrd(
        "refused", "bad-spacing", fields={"space directions": "(0,0,0) (0,1.7,0) (0,0,2)"}
    ),
    "nrrd NaN origin": nrrd("refused", "bad-header", fields={"space origin": "(nan,0,0)"}),
    "nrrd metres": nrrd("refused", "bad-units", fields={"space units": '"m" "m" "m"'}),
    "nrrd vector kind": nrrd("refused", "colour-image", fields={"kinds": "RGB-color domain domain"}),
    "nrrd time kind": nrrd("refused", "more-dimensions", fields={"kinds": "domain domain time"}),
    "nrrd four axes": nrrd(
        "refused",
        "more-dimensions",
        fields={
            "dimension": "4",
            "sizes": "2 15 26 22",
            "kinds": "list domain domain domain",
            "space directions": "none (1.5,0,0) (0,1.7,0) (0,0,2)",
        },
    ),
    "nrrd field twice": nrrd("refused", "bad-header", fields={"sizes": f"{SIZE[0]} 26 22\nsizes: 26 30 22"}),
    "nrrd no byte order": nrrd("refused", "bad-header", fields={"endian": None}),
    "nrrd cut short": nrrd("refused", "truncated-file", cut=100),
    "nrrd gzip cut short": nrrd("refused", "truncated-file", encoding="gzip", cut=100),
    "nrrd gzip damaged": changed(nrrd(encoding="gzip"), flipped_middle, "refused", "truncated-file"),
    "nrrd longer than it says": nrrd("warn", "extra-bytes", pad=b"\0" * 10),
    "nrrd detached": nrrd(name="a.nhdr", data_name="a.raw"),
    "nrrd detached above": nrrd("refused", "outside-file", name="a.nhdr", data_name="../a.raw"),
    "nrrd detached absolute": nrrd("refused", "outside-file", name="a.nhdr", data_name="/etc/hostname"),
    "nrrd detached address": nrrd("refused", "outside-file", name="a.nhdr", data_name="http://a.b/c.raw"),
    "nrrd detached list": nrrd("refused", "outside-file", name="a.nhdr", data_name="LIST"),
    "nrrd detached pattern": nrrd("refused", "outside-file", name="a.nhdr", data_name="a%03d.raw"),
    "nrrd detached link out": link_out(nrrd(name="a.nhdr", data_name="a.raw"), "a.raw"),
    "nrrd detached missing": without(nrrd(name="a.nhdr", data_name="a.raw"), "a.raw", "truncated-file"),
    "nrrd detached long": nrrd("warn", "extra-bytes", name="a.nhdr", data_name="a.raw", pad=b"\0" * 8),
    # MetaImage
    "meta plain": meta(),
    "meta packed": meta(packed=True),
    "meta oblique": meta(picture=Picture(axes=OBLIQUE)),
    "meta left-handed": meta(picture=Picture(axes=LEFT_HANDED)),
    "meta no matrix": meta("warn", "orientation-unknown", fields={"TransformMatrix": None}),
    "meta no position": meta("warn", "position-unknown", fields={"Offset": None}),
    "meta sheared": meta("refused", "sheared-grid", fields={"TransformMatrix": "1 0 0 0.6 0.8 0 0 0 1"}),
    "meta matrix of NaN": meta("refused", "bad-header", fields={"TransformMatrix": "nan 0 0 0 1 0 0 0 1"}),
    "meta zero spacing": meta("refused", "bad-spacing", fields={"ElementSpacing": "0 1 1"}),
    "meta no spacing": meta("refused", "bad-spacing", fields={"ElementSpacing": None}),
    "meta metres": meta("refused", "bad-units", fields={"DistanceUnits": "m"}),
    "meta colour": meta("refused", "colour-image", fields={"ElementNumberOfChannels": "3"}),
    "meta two offsets": meta("refused", "bad-header", fields={"Position": "1 2 3"}),
    "meta four axes": meta("refused", "more-dimensions", fields={"NDims": "4", "DimSize": "30 26 22 2"}),
    "meta axes and sizes disagree": meta("refused", "bad-header", fields={"DimSize": "30 26"}),
    "meta cut short": meta("refused", "truncated-file", cut=300),
    "meta packed cut short": meta("refused", "truncated-file", packed=True, cut=100),
    "meta packed damaged": changed(meta(packed=True), flipped_middle, "refused", "truncated-file"),
    "meta longer than it says": meta("warn", "extra-bytes", pad=b"\0" * 6),
    "meta detached": meta(name="a.mhd", data_name="a.raw"),
    "meta detached above": meta("refused", "outside-file", name="a.mhd", data_name="../a.raw"),
    "meta detached address": meta("refused", "outside-file", name="a.mhd", data_name="file:///etc/hostname"),
    "meta detached missing": without(meta(name="a.mhd", data_name="a.raw"), "a.raw", "truncated-file"),
    "meta detached short": meta("refused", "truncated-file", name="a.mhd", data_name="a.raw", cut=9),
    "meta detached link out": link_out(meta(name="a.mhd", data_name="a.raw"), "a.raw"),
}
for title, (kind, order) in KINDS.items():
    picture = of_kind(kind, order)
    CORPUS[f"nifti of {title}"] = nifti(picture=picture)
    CORPUS[f"nrrd of {title}"] = nrrd(picture=picture)
    CORPUS[f"meta of {title}"] = meta(picture=picture)


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_volume_has_its_verdict_and_its_balls_in_place(name: str, tmp_path: Path, capfd):
    case = CORPUS[name]
    path = case.write(tmp_path)
    if case.verdict != "ok":
        with pytest.raises(ImageError) as caught:
            read_scan(path)
        assert caught.value.code == case.code, str(caught.value)
        assert path.name in caught.value.what
        assert "\n" not in str(caught.value)
    if case.verdict != "refused":
        scan = read_scan(path, accept=[case.code] if case.code else [])
        assert (case.code in [f.code for f in scan.facts.findings]) == bool(case.code)
        if case.code not in ("orientation-unknown", "position-unknown"):
            errors = marker_errors_mm(scan.volume.values, scan.volume.grid.index_to_mm, case.picture)
            assert max(errors.values()) < LIMIT_MM, errors
            described = describe(path).series[0].grid
            assert described is not None
            assert described.difference(scan.volume.grid, tolerance_mm=1e-6) is None
    assert capfd.readouterr().err == ""


def test_two_orientations_name_both_and_the_one_taken(tmp_path: Path):
    path = CORPUS["nifti qform wrong, codes 1 and 2"].write(tmp_path)
    with pytest.raises(ImageError, match=r"sform \(code 2\) and qform \(code 1\).*the sform is used"):
        read_scan(path)


def test_an_image_too_large_for_the_memory_is_refused_with_both_numbers(tmp_path: Path, monkeypatch):
    path = Nifti().write(tmp_path / "a.nii")
    monkeypatch.setattr(memory, "free_bytes", lambda: 100_000)
    touched = []
    monkeypatch.setattr("cryoplan.image.read.check_voxels_whole", lambda *a: touched.append(a))
    with pytest.raises(
        ImageError, match=r"needs about 0\.0 GB of memory to read, and 0\.0 GB are free"
    ) as caught:
        read_scan(path)
    assert caught.value.code == "too-large"
    assert touched == []


def test_free_memory_is_known_here_and_heeds_the_limit_of_the_process():
    free = memory.free_bytes()
    assert free is None or free > 1 << 20
    assert memory.needed_bytes((10, 10, 10), 2) == 10_000
