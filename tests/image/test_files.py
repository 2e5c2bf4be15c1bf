"""NIfTI, NRRD and MetaImage: round trips in place, and refusals for what ITK would mend in silence."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cryoplan.core.errors import ImageError, StoreError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.itk import from_sitk, hear_itk, to_sitk
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from cryoplan.image.write import ENDINGS, write_volume


def make_volume(dtype: str = "int16") -> Volume:
    direction = Rotation.from_euler("xyz", [12, -25, 40], degrees=True).as_matrix()
    direction[:, 1] *= -1.0  # a left-handed grid too must survive
    grid = Grid(
        size=(9, 7, 5),
        spacing_mm=(0.8, 1.3, 2.5),
        origin_mm=(-31.0, 12.5, 200.0),
        direction=tuple(direction.ravel()),
    )
    values = np.random.default_rng(3).integers(-900, 900, grid.shape).astype(dtype)
    return Volume(grid=grid, values=values)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_an_oblique_left_handed_volume_comes_back_in_place(tmp_path: Path, ending: str, dtype: str):
    volume = make_volume(dtype)
    path = tmp_path / f"a{ending}"
    write_volume(volume, path)
    back = read_scan(path).volume
    assert back.grid.difference(volume.grid, tolerance_mm=1e-3) is None
    assert np.array_equal(back.values, volume.values)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@settings(max_examples=25, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    flips=st.tuples(*[st.booleans()] * 3),
    spacing=st.tuples(*[st.floats(0.2, 8)] * 3),
    origin=st.tuples(*[st.floats(-800, 800)] * 3),
    size=st.tuples(*[st.integers(2, 6)] * 3),
    ending=st.sampled_from(ENDINGS),
)
def test_any_grid_survives_any_format(tmp_path_factory, angles, flips, spacing, origin, size, ending):
    direction = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * np.where(flips, -1.0, 1.0)
    grid = Grid(size=size, spacing_mm=spacing, origin_mm=origin, direction=tuple(direction.ravel()))
    values = np.arange(np.prod(size), dtype=np.int16).reshape(grid.shape) - 7
    path = tmp_path_factory.mktemp("trip") / f"a{ending}"
    write_volume(Volume(grid=grid, values=values), path)
    back = read_scan(path).volume
    assert back.grid.difference(grid, tolerance_mm=5e-3) is None
    assert np.array_equal(back.values, values)
    described = describe(path).series[0]
    assert described.grid is not None
    assert described.grid.difference(back.grid, tolerance_mm=1e-9) is None


def test_conversion_keeps_every_physical_point():
    volume = make_volume()
    image = to_sitk(volume)
    for index in ((0, 0, 0), (8, 6, 4), (3, 0, 2)):
        assert image.TransformIndexToPhysicalPoint(index) == pytest.approx(
            tuple(volume.grid.index_to_mm(index))
        )
        assert image.GetPixel(index) == volume.values[index[::-1]]
    assert from_sitk(image).digest() == volume.digest()


def test_warnings_of_itk_are_heard_and_not_printed(tmp_path: Path, capfd):
    path = tmp_path / "a.nii"
    path.write_bytes(patched(84, "f", 1.7)(raw_nifti(path)))
    with hear_itk() as heard:
        sitk.ReadImage(str(path))
    assert any("scales" in text for text in heard)
    assert capfd.readouterr().err == ""


def raw_nifti(path: Path) -> bytearray:
    write_volume(make_volume(), path)
    return bytearray(path.read_bytes())


def patched(offset: int, code: str, *values: float) -> Callable[[bytearray], bytes]:
    def change(data: bytearray) -> bytes:
        struct.pack_into("<" + code, data, offset, *values)
        return bytes(data)

    return change


def both_codes_off(data: bytearray) -> bytes:
    struct.pack_into("<hh", data, 252, 0, 0)
    return bytes(data)


def moved_sform(data: bytearray) -> bytes:
    row = list(struct.unpack_from("<4f", data, 280))
    struct.pack_into("<4f", data, 280, *row[:3], row[3] + 40.0)
    return bytes(data)


def sheared_sform(data: bytearray) -> bytes:
    struct.pack_into("<12f", data, 280, -0.8, 0.5, 0, 5, 0, -1.2, 0, 6, 0, 0, 2.5, 7)
    return bytes(data)


NIFTI = {
    "zero spacing": (patched(80, "f", 0.0), "bad-spacing"),
    "NaN spacing": (patched(84, "f", float("nan")), "bad-spacing"),
    "kilometre spacing": (patched(84, "f", 1e6), "bad-spacing"),
    "two voxel sizes": (patched(84, "f", 1.7), "bad-spacing"),
    "absurd size": (patched(42, "3h", 30000, 30000, 30000), "too-large"),
    "negative size": (patched(42, "h", -4), "single-slice"),
    "dimension 99": (patched(40, "h", 99), "bad-header"),
    "one slice": (patched(46, "h", 1), "single-slice"),
    "two volumes": (patched(40, "5h", 4, 9, 7, 5, 2), "more-dimensions"),
    "colour": (patched(70, "hh", 128, 24), "colour-image"),
    "complex": (patched(70, "hh", 32, 64), "colour-image"),
    "no orientation": (both_codes_off, "orientation-unknown"),
    "two orientations": (moved_sform, "two-orientations"),
    "sheared": (sheared_sform, "sheared-grid"),
    "cut short": (lambda data: bytes(data[:-200]), "truncated-file"),
    "cut in header": (lambda data: bytes(data[:351]), "truncated-file"),
    "only half a header": (lambda data: bytes(data[:200]), "not-an-image"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["nii", "nii.gz"])
@pytest.mark.parametrize("name", sorted(NIFTI))
def test_a_bad_nifti_is_refused(tmp_path: Path, name: str, packed: bool, capfd):
    change, code = NIFTI[name]
    data = change(raw_nifti(tmp_path / "good.nii"))
    path = tmp_path / ("bad.nii.gz" if packed else "bad.nii")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == code
    assert caught.value.place == path.name
    assert capfd.readouterr().err == ""
    if code not in ("truncated-file", "not-an-image"):
        assert code in [f.code for f in describe(path).series[0].findings]


def test_a_doubtful_orientation_loads_after_consent(tmp_path: Path):
    path = tmp_path / "a.nii"
    path.write_bytes(both_codes_off(raw_nifti(path)))
    scan = read_scan(path, accept=["orientation-unknown"])
    assert "orientation-unknown" in [f.code for f in scan.facts.findings]


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_compressed_voxels_are_refused(tmp_path: Path, ending: str, damage: str, capfd):
    grid = Grid(size=(40, 30, 20), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0))
    values = np.random.default_rng(0).integers(-900, 900, grid.shape).astype(np.int16)
    path = tmp_path / f"a{ending}"
    write_volume(Volume(grid=grid, values=values), path)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-3000]
    else:
        data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code in ("truncated-file", "not-readable")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("ending", "key"), [(".mhd", "ElementDataFile = "), (".nhdr", "data file: ")])
@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../secret.raw", "..\\secret.raw", "C:\\secret.raw", "LIST"]
)
def test_a_header_may_not_name_a_file_elsewhere(tmp_path: Path, ending: str, key: str, target: str):
    path = tmp_path / f"a{ending}"
    sitk.WriteImage(to_sitk(make_volume()), str(path))
    assert read_scan(path).volume.values.shape == (5, 7, 9)
    lines = [f"{key}{target}" if line.startswith(key) else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == "outside-file"


def test_several_values_in_a_voxel_are_refused(tmp_path: Path):
    image = sitk.Compose(to_sitk(make_volume()), to_sitk(make_volume()))
    for ending in (".nii", ".nrrd", ".mha"):
        path = tmp_path / f"a{ending}"
        sitk.WriteImage(image, str(path))
        with pytest.raises(ImageError) as caught:
            read_scan(path)
        assert caught.value.code in ("more-dimensions", "colour-image")


@pytest.mark.parametrize("ending", ENDINGS)
def test_voxels_without_a_number_are_refused(tmp_path: Path, ending: str):
    volume = make_volume("float32")
    values = volume.values.copy()
    values[1, 2, 3] = np.nan
    path = tmp_path / f"a{ending}"
    with pytest.raises(ValueError, match="without a number"):
        write_volume(Volume(grid=volume.grid, values=values), path)
    sitk.WriteImage(to_sitk(Volume(grid=volume.grid, values=values)), str(path))
    if ending.startswith(".nii"):
        # The reason for an own look: the NIfTI reader makes them 0 (and the writer too).
        assert sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[1, 2, 3] == 0
        write_volume(volume, path.with_suffix(".nii") if ending == ".nii" else tmp_path / "b.nii")
        data = bytearray((path if ending == ".nii" else tmp_path / "b.nii").read_bytes())
        struct.pack_into("<f", data, 352 + 4 * 11, np.inf)
        path.write_bytes(gzip.compress(bytes(data)) if ending == ".nii.gz" else bytes(data))
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == "nan-voxels"


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.nii", "empty-file"),
        (b"", "a.nii.gz", "empty-file"),
        (b"hello", "a.nii", "not-an-image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 600, "a.mha", "not-an-image"),
        (b"\x1f\x8b\x08\x00", "a.nii.gz", "bad-header"),
        (b"NRRD0004\ntype: short\n\n", "a.nrrd", "bad-header"),
        (b"NDims = 3\nDimSize = a b c\nElementDataFile = LOCAL\n", "a.mha", "bad-header"),
        (b"\0" * 128 + b"DICM" + b"\0" * 60, "a.dcm", "truncated-file"),
    ],
)
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes, name: str, code: str, capfd):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == code
    assert caught.value.place == name
    assert capfd.readouterr().err == ""


def test_folders_without_images_and_missing_paths_are_named(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.txt").write_text("nothing")
    for name, code in (("empty", "empty-folder"), ("text", "no-images"), ("nowhere", "no-such-path")):
        with pytest.raises(ImageError) as caught:
            read_scan(tmp_path / name)
        assert caught.value.code == code
        assert caught.value.place == name
        with pytest.raises(ImageError):
            describe(tmp_path / name)


def test_a_folder_with_image_files_names_them(tmp_path: Path):
    write_volume(make_volume(), tmp_path / "ct.nii.gz")
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert caught.value.code == "no-dicom"
    assert "ct.nii.gz" in caught.value.remedy


def test_modality_is_guessed_aloud(tmp_path: Path):
    write_volume(make_volume(), tmp_path / "ct.nii")
    mr = make_volume()
    write_volume(Volume(grid=mr.grid, values=np.abs(mr.values)), tmp_path / "mr.nii")
    ct, other = read_scan(tmp_path / "ct.nii").facts, read_scan(tmp_path / "mr.nii").facts
    assert (ct.modality, other.modality) == ("CT", "")
    assert ct.has_hounsfield
    assert not other.has_hounsfield
    assert [f.code for f in ct.findings] == ["modality-guessed"]


@given(data=st.binary(max_size=700), name=st.sampled_from(["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.dcm"]))
@settings(max_examples=60, deadline=None)
def test_random_bytes_are_always_an_image_error(tmp_path_factory, data: bytes, name: str):
    path = tmp_path_factory.mktemp("noise") / name
    path.write_bytes(data)
    with pytest.raises(ImageError):
        read_scan(path)


@given(at=st.integers(0, 351), value=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_header_byte_gives_an_image_or_an_image_error(tmp_path_factory, at: int, value: int):
    folder = tmp_path_factory.mktemp("mutant")
    data = raw_nifti(folder / "a.nii")
    data[at] = value
    (folder / "a.nii").write_bytes(data)
    try:
        scan = read_scan(folder / "a.nii")
    except ImageError:
        return
    assert scan.volume.values.dtype in (np.int16, np.float32)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, ending: str, monkeypatch):
    path = tmp_path / f"a{ending}"
    write_volume(make_volume(), path)
    before = path.read_bytes()
    real = sitk.WriteImage

    def half(image, name, **options):
        real(image, name, **options)
        data = Path(name).read_bytes()
        Path(name).write_bytes(data[: len(data) // 2])

    monkeypatch.setattr("SimpleITK.WriteImage", half)
    with pytest.raises(StoreError):
        write_volume(make_volume("float32"), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_missing_folder_or_unknown_ending_is_refused(tmp_path: Path):
    for path, code in ((tmp_path / "no" / "a.nii", "folder-missing"), (tmp_path / "a.png", "unknown-ending")):
        with pytest.raises(StoreError) as caught:
            write_volume(make_volume(), path)
        assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []
