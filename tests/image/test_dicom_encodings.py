"""Every lossless encoding of a series gives the same voxels; a lossy one is said to be."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses
from PIL import Image, features
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    MRImageStorage,
    RLELossless,
)

from cryoplan.core.errors import ImageError
from cryoplan.image.read import read_scan
from tests.support.hostile import COLUMNS, ROWS, SLICES, Series


def stored(ds: FileDataset) -> np.ndarray:
    return np.frombuffer(ds.PixelData, "<i2").reshape(ROWS, COLUMNS)


def unsigned(ds: FileDataset) -> FileDataset:
    """Store the same values as unsigned 12 in 16 bits, which every codec knows."""
    ds.PixelData = (stored(ds).astype(int) + 1024 - 1024).astype("<u2").tobytes()
    ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 0, 12, 11
    return ds


def rewrite(syntax: str, little: bool = True) -> Callable[[FileDataset, Path], None]:
    def write(ds: FileDataset, path: Path) -> None:
        ds.file_meta.TransferSyntaxUID = syntax
        if not little:
            ds.PixelData = stored(ds).astype(">i2").tobytes()
            ds["PixelData"].VR = "OW"
            ds.preamble = b"\0" * 128
            pydicom.dcmwrite(path, ds, implicit_vr=False, little_endian=False, enforce_file_format=True)
            return
        ds.save_as(path, enforce_file_format=True)

    return write


def compressed(syntax: str, **options: object) -> Callable[[FileDataset, Path], None]:
    def write(ds: FileDataset, path: Path) -> None:
        ds.compress(syntax, **options)
        ds.save_as(path, enforce_file_format=True)

    return write


def by_pillow(syntax: str, **options: object) -> Callable[[FileDataset, Path], None]:
    def write(ds: FileDataset, path: Path) -> None:
        if not features.check("jpg_2000"):
            pytest.skip("the imaging library was built without a JPEG 2000 encoder")
        pixels = np.frombuffer(unsigned(ds).PixelData, "<u2").reshape(ROWS, COLUMNS)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG2000", no_jp2=True, num_resolutions=3, **options)
        ds.file_meta.TransferSyntaxUID = syntax
        ds.PixelData = encapsulate([buffer.getvalue()])
        ds["PixelData"].is_undefined_length = True
        ds.save_as(path, enforce_file_format=True)

    return write


def by_itk(compressor: str) -> Callable[[FileDataset, Path], None]:
    """Let GDCM compress the pixels, and take them over into the file as it was."""

    def write(ds: FileDataset, path: Path) -> None:
        image = sitk.GetImageFromArray(stored(ds)[None].astype(np.int16))
        image.SetMetaData("0008|0060", "CT")
        writer = sitk.ImageFileWriter()
        writer.SetFileName(str(path))
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(compressor)
        try:
            writer.Execute(image)
        except RuntimeError:
            pytest.skip(f"no encoder for {compressor} is installed")
        packed = pydicom.dcmread(path)
        if packed.file_meta.TransferSyntaxUID != JPEGLosslessSV1:
            pytest.skip(f"the encoder for {compressor} writes {packed.file_meta.TransferSyntaxUID.name}")
        for name in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
            setattr(ds, name, getattr(packed, name))
        ds.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID
        ds.PixelData = packed.PixelData
        ds["PixelData"].is_undefined_length = True
        ds.save_as(path, enforce_file_format=True)

    return write


LOSSLESS = {
    "implicit": rewrite(ImplicitVRLittleEndian),
    "big endian": rewrite(ExplicitVRBigEndian, little=False),
    "deflated": rewrite(DeflatedExplicitVRLittleEndian),
    "RLE": compressed(RLELossless),
    "JPEG-LS": compressed(JPEGLSLossless),
    "JPEG 2000": by_pillow(JPEG2000Lossless, irreversible=False),
    "JPEG lossless": by_itk("JPEG"),
}


def write_series(folder: Path, write: Callable[[FileDataset, Path], None], **fields: object) -> None:
    folder.mkdir()
    series = Series(**fields)
    for k in range(SLICES):
        ds = series.slice(k)
        # A pattern of all values, so that a lost low bit or a swapped byte shows.
        rng = np.random.default_rng(k)
        ds.PixelData = rng.integers(0, 4096, (ROWS, COLUMNS)).astype("<i2").tobytes()
        write(ds, folder / f"{k}.dcm")


@pytest.mark.parametrize("name", sorted(LOSSLESS))
def test_a_lossless_encoding_is_pixel_identical(tmp_path: Path, name: str, capfd):
    write_series(tmp_path / "plain", lambda ds, path: ds.save_as(path, enforce_file_format=True))
    write_series(tmp_path / "packed", LOSSLESS[name])
    plain, packed = read_scan(tmp_path / "plain"), read_scan(tmp_path / "packed")
    assert packed.volume.digest() == plain.volume.digest()
    assert len(np.unique(packed.volume.values)) > 3000
    assert packed.facts.findings == ()
    assert capfd.readouterr().err == ""


def eight_bit_jpeg(ds: FileDataset, path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray((stored(ds) // 16).astype(np.uint8)).save(buffer, "JPEG", quality=80)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate([buffer.getvalue()])
    ds["PixelData"].is_undefined_length = True
    ds.save_as(path, enforce_file_format=True)


def said_to_be_lossy(ds: FileDataset, path: Path) -> None:
    ds.LossyImageCompression, ds.LossyImageCompressionRatio = "01", ["8.5", "17.25"]
    ds.save_as(path, enforce_file_format=True)


def lossy_2000(ds: FileDataset, path: Path) -> None:
    ds.LossyImageCompression, ds.LossyImageCompressionRatio = "01", 10
    by_pillow(JPEG2000, irreversible=True, quality_layers=[10])(ds, path)


LOSSY = {
    "said so, then unpacked": (said_to_be_lossy, "17.25"),
    "JPEG": (eight_bit_jpeg, "unknown"),
    "JPEG-LS near lossless": (compressed(JPEGLSNearLossless, jls_error=4), ""),
    "JPEG 2000": (lossy_2000, "10"),
}


@pytest.mark.parametrize("name", sorted(LOSSY))
def test_a_lossy_encoding_is_a_warning_with_its_ratio(tmp_path: Path, name: str):
    write, ratio = LOSSY[name]
    write_series(tmp_path / "in", write)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path / "in")
    assert caught.value.code == "lossy-compression"
    assert f"ratio {ratio}" in caught.value.what
    scan = read_scan(tmp_path / "in", accept=["lossy-compression"])
    assert [f.code for f in scan.facts.findings if f.level.value == "warn"] == ["lossy-compression"]


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_stored_integers_of_any_width_are_exact(tmp_path: Path, bits: int, signed: bool, modality: str):
    limits = np.iinfo(f"{'i' if signed else 'u'}{bits // 8}")
    low, high = max(limits.min, -1_000_000), min(limits.max, 1_000_000)
    fields = {"sop_class": MRImageStorage, "modality": "MR"} if modality == "MR" else {"intercept": 0.0}
    wanted = {}

    def write(ds: FileDataset, path: Path) -> None:
        rng = np.random.default_rng(int(ds.InstanceNumber))
        values = rng.integers(low, high, (ROWS, COLUMNS), endpoint=True)
        values.flat[:2] = low, high
        wanted[int(ds.InstanceNumber) - 1] = values
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = (
            bits,
            bits,
            bits - 1,
            int(signed),
        )
        ds.PixelData = values.astype(f"<{limits.dtype.str[1:]}").tobytes()
        ds["PixelData"].VR = "OB" if bits == 8 else "OW"
        ds.save_as(path, enforce_file_format=True)

    write_series(tmp_path / "in", write, **fields)
    scan = read_scan(tmp_path / "in")
    for k, values in wanted.items():
        floor = -1024 if modality == "CT" else low
        assert np.array_equal(scan.volume.values[k], np.maximum(values, floor))


@pytest.mark.parametrize("stored_bits", [10, 12, 14])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("syntax", [None, RLELossless], ids=["plain", "RLE"])
def test_fewer_bits_than_their_words_hold_are_exact(
    tmp_path: Path, stored_bits: int, signed: bool, syntax: str | None
):
    low, high = (-(1 << (stored_bits - 1)), 1 << (stored_bits - 1)) if signed else (0, 1 << stored_bits)
    wanted = {}

    def write(ds: FileDataset, path: Path) -> None:
        k = int(ds.InstanceNumber) - 1
        values = np.random.default_rng(k).integers(low, high, (ROWS, COLUMNS))
        values.flat[:2] = low, high - 1
        wanted[k] = values
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, stored_bits, stored_bits - 1
        ds.PixelRepresentation = int(signed)
        ds.PixelData = values.astype("<i2" if signed else "<u2").tobytes()
        if syntax:
            ds.compress(syntax)
        ds.save_as(path, enforce_file_format=True)

    write_series(tmp_path / "in", write, sop_class=MRImageStorage, modality="MR")
    values = read_scan(tmp_path / "in").volume.values
    assert all(np.array_equal(values[k], wanted[k]) for k in wanted)


def test_bits_beyond_those_stored_are_no_part_of_a_value(tmp_path: Path):
    wanted = {}

    def write(ds: FileDataset, path: Path) -> None:
        k = int(ds.InstanceNumber) - 1
        rng = np.random.default_rng(k)
        wanted[k] = rng.integers(0, 4096, (ROWS, COLUMNS))
        overlay = rng.integers(0, 16, (ROWS, COLUMNS)) << 12  # as old scanners drew lines into their images
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.PixelData = (wanted[k] | overlay).astype("<u2").tobytes()
        ds.save_as(path, enforce_file_format=True)

    write_series(tmp_path / "in", write, sop_class=MRImageStorage, modality="MR")
    values = read_scan(tmp_path / "in").volume.values
    assert all(np.array_equal(values[k], wanted[k]) for k in wanted)


def test_values_that_lie_high_in_their_words_are_refused_and_not_taken_for_large_ones(tmp_path: Path):
    # Measured: SimpleITK takes the lowest 12 bits, which are other numbers, and says nothing.
    def write(ds: FileDataset, path: Path) -> None:
        pixels = np.random.default_rng(int(ds.InstanceNumber)).integers(0, 4096, (ROWS, COLUMNS))
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 15, 0
        ds.PixelData = (pixels << 4).astype("<u2").tobytes()
        ds.save_as(path, enforce_file_format=True)

    write_series(tmp_path / "in", write, sop_class=MRImageStorage, modality="MR")
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path / "in")
    assert caught.value.code == "shifted-bits"
    assert ".dcm" in caught.value.what


def test_padding_of_a_ct_is_shown_as_air_and_mentioned(tmp_path: Path):
    (tmp_path / "in").mkdir()
    for k in range(SLICES):
        ds = Series(intercept=-1024.0).slice(k, PixelPaddingValue=-2000)
        pixels = stored(ds).copy()
        pixels[:5] = -2000
        ds.PixelData = pixels.tobytes()
        ds.save_as(tmp_path / "in" / f"{k}.dcm", enforce_file_format=True)
    scan = read_scan(tmp_path / "in")
    assert (scan.volume.values[:, :5] == -1024).all()
    assert scan.volume.values[:, 5:].min() == -100
    assert [f.code for f in scan.facts.findings] == ["padding-clipped"]


def test_each_slice_is_scaled_by_its_own_numbers(tmp_path: Path):
    (tmp_path / "in").mkdir()
    wanted = []
    for k in range(SLICES):
        slope, intercept = 0.25 + 0.5 * k, -500.0 + 13.5 * k
        ds = Series(slope=slope, intercept=intercept).slice(k)
        pixels = np.random.default_rng(k).integers(0, 900, (ROWS, COLUMNS))
        ds.PixelData = pixels.astype("<i2").tobytes()
        ds.save_as(tmp_path / "in" / f"{k}.dcm", enforce_file_format=True)
        wanted.append(pixels * slope + intercept)
    values = read_scan(tmp_path / "in").volume.values
    assert values.dtype == np.float32
    assert np.abs(values - np.array(wanted)).max() < 1e-3


def test_padding_and_mr_without_units_are_as_stored(tmp_path: Path):
    series = Series(sop_class=MRImageStorage, modality="MR")
    series.write(tmp_path, PixelPaddingValue=-100)
    values = read_scan(tmp_path).volume.values
    assert set(np.unique(values)) == {-100, 60}
