"""The DICOM part of the hostile corpus: over forty folders, what must become of each, and three markers.

Smooth blobs of three brightnesses lie at patient left, front and head. They are painted in patient space, so
a reader that stacks, turns or stretches slices wrongly moves them; their centroids say by how much.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import MRImageStorage, generate_uid

from tests.support.hostile import COLUMNS, ROWS, SLICES, SPACING_MM, STEP_MM, Series

CENTRE_MM = np.array([20.0, -35.0, 110.0])
WIDTH_MM = 2.2
BACKGROUND = -100.0
MARKERS = {
    "left": (CENTRE_MM + np.array([8.0, 0.0, 0.0]), 300.0),
    "front": (CENTRE_MM + np.array([0.0, -7.0, 0.0]), 500.0),
    "head": (CENTRE_MM + np.array([0.0, 0.0, 7.5]), 900.0),
}
"""LPS place of each marker and its height above the background."""


class Marked(Series):
    """A series of the three markers; `centred` puts its field of view around them."""

    def pixels(self, position: np.ndarray) -> np.ndarray:
        """Return stored int16 pixels of the markers where a slice at `position` cuts them."""
        i, j = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
        points = (
            position
            + (i * SPACING_MM[1])[..., None] * np.array(self.row)
            + (j * SPACING_MM[0])[..., None] * np.array(self.column)
        )
        values = painted(points)
        if self.modality == "CT":
            values = (values - self.intercept) / self.slope
        return np.rint(values).astype("<i2")


def painted(points_mm: np.ndarray) -> np.ndarray:
    """Return the values of the markers at LPS points ``(..., 3)``."""
    values = np.full(points_mm.shape[:-1], BACKGROUND)
    for place_mm, height in MARKERS.values():
        squared = ((points_mm - place_mm) ** 2).sum(axis=-1)
        values += height * np.exp(-squared / (2 * WIDTH_MM**2))
    return values


def marker_errors_mm(values: np.ndarray, grid: object) -> dict[str, float]:
    """Return how far the centroid of each marker lies from where it was painted, NaN where there is none."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in values.shape], indexing="ij")[::-1], axis=-1)
    points = grid.index_to_mm(index.reshape(-1, 3)).reshape(*values.shape, 3)  # type: ignore[attr-defined]
    errors = {}
    for name, (place_mm, height) in MARKERS.items():
        others = sum(
            h * np.exp(-((points - p) ** 2).sum(axis=-1) / (2 * WIDTH_MM**2))
            for n, (p, h) in MARKERS.items()
            if n != name
        )
        near = np.linalg.norm(points - place_mm, axis=-1) < 3.0 * WIDTH_MM
        weights = np.where(near, values - BACKGROUND - others, 0.0)
        if not near.any() or weights.max() < 0.5 * height or weights.max() > 1.2 * height:
            errors[name] = float("nan")
            continue
        weights = np.clip(weights, 0.0, None)
        centroid = (points * weights[..., None]).sum(axis=(0, 1, 2)) / weights.sum()
        errors[name] = float(np.linalg.norm(centroid - place_mm))
    return errors


def value_error(values: np.ndarray, grid: object) -> float:
    """Return how far any voxel is from what was painted at its place; voxels of padding are left aside."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in values.shape], indexing="ij")[::-1], axis=-1)
    points = grid.index_to_mm(index.reshape(-1, 3)).reshape(*values.shape, 3)  # type: ignore[attr-defined]
    return float(np.abs(values - painted(points))[values > -1024].max())


def centred(
    row: Sequence[float] = (1.0, 0.0, 0.0),
    column: Sequence[float] = (0.0, 1.0, 0.0),
    step: Sequence[float] | None = None,
    **fields: object,
) -> Marked:
    """Return a series of any orientation whose middle is the middle of the markers."""
    row, column = np.asarray(row, float), np.asarray(column, float)
    normal = np.cross(row, column)
    step = STEP_MM * normal if step is None else np.asarray(step, float)
    corner = (
        CENTRE_MM
        - row * SPACING_MM[1] * (COLUMNS - 1) / 2
        - column * SPACING_MM[0] * (ROWS - 1) / 2
        - step * (SLICES - 1) / 2
    )
    return Marked(
        row=tuple(row), column=tuple(column), step_mm=tuple(step), origin_mm=tuple(corner), **fields
    )


@dataclass(frozen=True)
class Case:
    """One hostile folder: its maker, the verdict it must get, and its code.

    ``verdict`` is ``ok`` (loads), ``warn`` (loads after `code` is accepted) or ``refused`` (with `code`).
    ``volumes`` is how many there are to choose from, negative when each holds only some of the markers.
    """

    make: Callable[[Path], object]
    verdict: str
    code: str = ""
    mentioned: str = ""
    volumes: int = 1


def _rotation(*degrees: float) -> tuple[np.ndarray, np.ndarray]:
    a, b, c = np.radians(degrees)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    turn = z @ y @ x
    return turn[:, 0], turn[:, 1]


def _plain(**changes: object) -> Callable[[Path], object]:
    return lambda folder: centred().write(folder, **changes)


def _turned(position: str, row: Sequence[float], column: Sequence[float]) -> Callable[[Path], object]:
    return lambda folder: centred(row, column).write(folder, PatientPosition=position)


def _some(*ks: float) -> Callable[[Path], object]:
    return lambda folder: centred().write(folder, ks)


def _with_odd(k: float = 5, **changes: object) -> Callable[[Path], object]:
    """Write a good series in which slice `k` is another."""

    def make(folder: Path) -> None:
        series = centred()
        series.write(folder, [n for n in range(SLICES) if n != k])
        series.slice(k, 77, **changes).save_as(folder / "odd.dcm", enforce_file_format=True)

    return make


def _patched(change: Callable[[bytes], bytes], k: int = 5) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        path = centred().write(folder)[k]
        path.write_bytes(change(path.read_bytes()))

    return make


def _with_text(tag: tuple[int, int], text: bytes, every: bool = False) -> Callable[[Path], object]:
    """Write a good series and replace the text of a DS element, as strings that no library would write."""

    def make(folder: Path) -> None:
        for n, path in enumerate(centred().write(folder)):
            if not every and n != 5:
                continue
            data = path.read_bytes()
            at = data.index(struct.pack("<HH2s", *tag, b"DS"))
            length = struct.unpack_from("<H", data, at + 6)[0]
            new = text + b" " * (len(text) % 2)
            path.write_bytes(data[: at + 6] + struct.pack("<H", len(new)) + new + data[at + 8 + length :])

    return make


def tilted(angle_deg: float, **fields: object) -> Marked:
    """Return a series whose planes are tilted by `angle_deg` about +x while the table moves along z."""
    angle = np.radians(angle_deg)
    column = (0.0, np.cos(angle), -np.sin(angle))
    return centred((1, 0, 0), column, (0.0, 0.0, STEP_MM), **fields)


def _several(name: str, values: Sequence[object]) -> Callable[[Path], object]:
    """Write one series with one whole volume for each value of an element, woven into each other."""

    def make(folder: Path) -> None:
        mr = name != "AcquisitionNumber"
        series = centred(sop_class=MRImageStorage, modality="MR") if mr else centred()
        for n, value in enumerate(values):
            for path in series.write(folder / "all", InstanceNumber=n, **{name: value}):
                ds = pydicom.dcmread(path)
                ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
                ds.save_as(folder / f"{n}_{path.name}")
                path.unlink()
        (folder / "all").rmdir()

    return make


def _two_series_uids(folder: Path) -> None:
    centred().write(folder / "a", range(6))
    centred(series_uid="1.2.826.7").write(folder / "b", range(6, SLICES))


def _copied_folder(folder: Path) -> None:
    centred().write(folder / "a")
    centred().write(folder / "b")


def _identical(folder: Path) -> None:
    centred().write(folder, [*range(SLICES), 5])


def _conflicting(folder: Path) -> None:
    series = centred()
    series.write(folder)
    other = series.slice(5, 77, PixelData=b"\1\0" * (ROWS * COLUMNS))
    other.save_as(folder / "other.dcm", enforce_file_format=True)


def _localizer(folder: Path) -> None:
    centred().write(folder)
    scout = centred((1, 0, 0), (0, 0, -1))
    for k in range(3):
        ds = scout.slice(k, 90 + k, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
        ds.save_as(folder / f"scout{k}.dcm", enforce_file_format=True)


def _slow_stretch(folder: Path) -> None:
    """Every step is within rounding of its neighbour, and the middle is 0.12 mm off all the same."""
    steps = [STEP_MM * (1.009 if n < SLICES // 2 else 0.991) for n in range(SLICES - 1)]
    ks = np.concatenate([[0.0], np.cumsum(steps)]) / STEP_MM
    centred().write(folder, list(ks))


def _big_length(data: bytes) -> bytes:
    at = data.index(struct.pack("<HH2s", 0x0008, 0x103E, b"LO"))
    return data[: at + 4] + b"UN\0\0" + struct.pack("<I", 0xFFFFFFF0) + data[at + 12 :]


def _class(uid: str, modality: str) -> Callable[[Path], object]:
    return lambda folder: centred(sop_class=uid, modality=modality).write(folder, range(3))


def _mr(folder: Path) -> None:
    centred(sop_class=MRImageStorage, modality="MR").write(folder)


def _mixed_rescale(folder: Path) -> None:
    first, second = centred(), centred(slope=2.0, intercept=-2048.0)
    first.write(folder, range(0, SLICES, 2))
    for k in range(1, SLICES, 2):
        second.slice(k, 40 + k).save_as(folder / f"b{k}.dcm", enforce_file_format=True)


STORAGE = "1.2.840.10008.5.1.4.1.1."

CASES: dict[str, Case] = {
    "plain": Case(_plain(), "ok"),
    "prone": Case(_turned("HFP", (-1, 0, 0), (0, -1, 0)), "ok"),
    "decubitus right": Case(_turned("HFDR", (0, -1, 0), (1, 0, 0)), "ok"),
    "decubitus left": Case(_turned("HFDL", (0, 1, 0), (-1, 0, 0)), "ok"),
    "feet first": Case(_turned("FFS", (-1, 0, 0), (0, 1, 0)), "ok"),
    "feet first prone": Case(_turned("FFP", (1, 0, 0), (0, -1, 0)), "ok"),
    "coronal": Case(_turned("HFS", (1, 0, 0), (0, 0, -1)), "ok"),
    "sagittal": Case(_turned("HFS", (0, 1, 0), (0, 0, -1)), "ok"),
    "oblique": Case(_turned("HFS", *_rotation(12.0, -7.0, 21.0)), "ok"),
    "double oblique steep": Case(_turned("HFS", *_rotation(40.0, 33.0, -50.0)), "ok"),
    "reversed order": Case(lambda f: centred(step=(0, 0, -STEP_MM)).write(f), "ok"),
    "mr without rescale": Case(_mr, "ok"),
    "rescale differs by slice": Case(_mixed_rescale, "ok"),
    "spacing between slices lies": Case(_plain(SpacingBetweenSlices=9.0), "ok"),
    "slices overlap": Case(_plain(SliceThickness=5.0), "ok"),
    "slice thickness is text": Case(_with_text((0x0018, 0x0050), b"thin", every=True), "ok"),
    "slice thickness is infinite": Case(_with_text((0x0018, 0x0050), b"1e400", every=True), "ok"),
    "window is garbage": Case(_plain(WindowCenter=["1e30", "-1e30"], WindowWidth=-5), "ok"),
    "same instance numbers": Case(_plain(InstanceNumber=1), "ok"),
    "equal instance uids": Case(_plain(SOPInstanceUID="1.2.3"), "ok"),
    "deflated": Case(lambda f: centred(syntax="1.2.840.10008.1.2.1.99").write(f), "ok"),
    "implicit": Case(lambda f: centred(syntax="1.2.840.10008.1.2").write(f), "ok"),
    "localizer inside": Case(_localizer, "ok", mentioned="localizer-dropped"),
    "slice twice": Case(_identical, "ok", mentioned="duplicate-dropped"),
    "folder copied into itself": Case(_copied_folder, "ok", mentioned="duplicate-dropped"),
    "first slice missing": Case(_some(*range(1, SLICES)), "ok"),
    "last slice missing": Case(_some(*range(SLICES - 1)), "ok"),
    "time points": Case(_several("TemporalPositionIdentifier", [1, 2, 3]), "ok", "several-series", volumes=3),
    "echoes": Case(_several("EchoTime", [2.3, 4.6]), "ok", "several-series", volumes=2),
    "b-values": Case(_several("DiffusionBValue", [0.0, 400.0, 800.0]), "ok", "several-series", volumes=3),
    "two phases": Case(_several("AcquisitionNumber", [1, 2]), "ok", "several-series", volumes=2),
    "two series uids": Case(_two_series_uids, "ok", "several-series", volumes=-2),
    "gantry tilt": Case(lambda f: tilted(20.0).write(f), "warn", "gantry-tilt"),
    "gantry tilt the other way": Case(lambda f: tilted(-14.0).write(f), "warn", "gantry-tilt"),
    "missing near the feet": Case(_some(*[k for k in range(SLICES) if k != 1]), "warn", "missing-slice"),
    "uneven near the feet": Case(_some(-0.4, *range(1, SLICES)), "warn", "uneven-spacing"),
    "slowly stretched": Case(_slow_stretch, "warn", "uneven-spacing"),
    "lossy": Case(
        _plain(LossyImageCompression="01", LossyImageCompressionRatio=[12.5]), "warn", "lossy-compression"
    ),
    "ct without rescale": Case(
        lambda f: centred(intercept=0.0).write(f, RescaleSlope=None, RescaleIntercept=None),
        "warn", "no-rescale",
    ),
    "a hole of 40 mm": Case(_some(*range(6), *range(22, 28)), "refused", "missing-slice"),
    "tilted beyond any gantry": Case(lambda f: tilted(50.0).write(f), "refused", "gantry-tilt"),
    "conflicting duplicate": Case(
        _conflicting,
        "refused", "duplicate-slice",
    ),
    "mixed frames of reference": Case(
        _with_odd(FrameOfReferenceUID="1.2.9"), "refused", "mixed-frame-of-reference"
    ),
    "one slice without frame of reference": Case(
        _with_odd(FrameOfReferenceUID=None), "refused", "mixed-frame-of-reference"
    ),
    "mixed spacing": Case(_with_odd(PixelSpacing=[0.9, 0.81]), "refused", "mixed-spacing"),
    "mixed orientation by a degree": Case(
        _with_odd(ImageOrientationPatient=[0.99985, 0.01745, 0, -0.01745, 0.99985, 0]),
        "refused", "mixed-orientation",
    ),
    "wrong-length pixels": Case(_with_odd(PixelData=b"\0" * (ROWS * COLUMNS)), "refused", "truncated-file"),
    "truncated": Case(_patched(lambda data: data[:-700]), "refused", "truncated-file"),
    "bytes added within the pixels": Case(
        _patched(lambda data: data[:-500] + b"\x9c\x03\x9c\x03" + data[-500:]), "refused", "truncated-file"
    ),
    "zeros behind the pixels": Case(_patched(lambda data: data + bytes(370)), "ok"),
    "words behind the pixels": Case(
        _patched(lambda data: data + b"end of the file"), "refused", "truncated-file"
    ),
    "one slice inverted": Case(
        _with_odd(PhotometricInterpretation="MONOCHROME1"), "refused", "inverted-pixels"
    ),
    "one slice does not say whether it is signed": Case(
        _with_odd(PixelRepresentation=None), "refused", "damaged-file"
    ),
    "no kind of picture": Case(_with_odd(PhotometricInterpretation=None), "refused", "damaged-file"),
    "unknown kind of picture": Case(
        _with_odd(PhotometricInterpretation="MONOCHROMG2"), "refused", "damaged-file"
    ),
    "more bits stored than there are": Case(_with_odd(BitsStored=48, HighBit=47), "refused", "damaged-file"),
    "cut in its header": Case(_patched(lambda data: data[:500]), "refused", "damaged-file"),
    "huge header length": Case(_patched(_big_length), "refused", "damaged-file"),
    "an unknown kind of value before its data": Case(
        _patched(lambda data: data.replace(b"\x02\0\x03\0UI", b"\x02\0\x03\0UA", 1)),
        "refused", "damaged-file",
    ),
    "no orientation": Case(_plain(ImageOrientationPatient=None), "refused", "no-position"),
    "one slice without position": Case(_with_odd(ImagePositionPatient=None), "refused", "no-position"),
    "orientation not orthonormal": Case(
        _plain(ImageOrientationPatient=[1, 0, 0, 0.1, 1, 0]), "refused", "no-position"
    ),
    "orientation of zeros": Case(_plain(ImageOrientationPatient=[0] * 6), "refused", "no-position"),
    "spacing zero": Case(_plain(PixelSpacing=[0, 0.8]), "refused", "no-position"),
    "spacing negative": Case(_plain(PixelSpacing=[0.9, -0.8]), "refused", "no-position"),
    "spacing nan": Case(_with_text((0x0028, 0x0030), b"nan\\nan", every=True), "refused", "no-position"),
    "spacing absurd": Case(_plain(PixelSpacing=[900, 800]), "refused", "bad-spacing"),
    "position with commas": Case(
        _with_text((0x0020, 0x0032), b"1,5\\2,5\\3,5", every=True), "refused", "no-position"
    ),
    "position of two numbers": Case(_with_text((0x0020, 0x0032), b"1.5\\2.5"), "refused", "no-position"),
    "slope zero": Case(_plain(RescaleSlope=0), "refused", "bad-rescale"),
    "single slice": Case(_some(4), "refused", "single-slice"),
    "one slice stored twice": Case(_some(4, 4), "refused", "single-slice"),
    "shifted slice": Case(
        _with_odd(ImagePositionPatient=[0.0, -50.0, 108.75]), "refused", "shifted-slices"
    ),
    "private transfer syntax": Case(
        lambda f: _rename_syntax(centred().write(f)), "refused", "pixels-unreadable"
    ),
    "multi-frame without places": Case(
        _plain(NumberOfFrames=2, PixelData=b"\0" * (4 * ROWS * COLUMNS)), "refused", "enhanced-multiframe"
    ),
    "only localizers": Case(
        _plain(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "refused", "localizer"
    ),
    "screenshot": Case(_class(STORAGE + "7", "OT"), "refused", "not-ct-or-mr"),
    "colour screenshot": Case(_class(STORAGE + "7.4", "OT"), "refused", "not-ct-or-mr"),
    "dose report": Case(_class(STORAGE + "88.67", "SR"), "refused", "not-ct-or-mr"),
    "presentation state": Case(_class(STORAGE + "11.1", "PR"), "refused", "not-ct-or-mr"),
    "waveform": Case(_class(STORAGE + "9.1.1", "ECG"), "refused", "not-ct-or-mr"),
    "pdf": Case(_class(STORAGE + "104.1", "DOC"), "refused", "not-ct-or-mr"),
    "contours": Case(_class(STORAGE + "481.3", "RTSTRUCT"), "refused", "not-ct-or-mr"),
    "pet": Case(_class(STORAGE + "128", "PT"), "refused", "not-ct-or-mr"),
}  # fmt: skip
"""Name of each case and what must become of it."""


def _rename_syntax(paths: Sequence[Path]) -> None:
    for path in paths:
        ds = pydicom.dcmread(path)
        data = path.read_bytes()
        known = str(ds.file_meta.TransferSyntaxUID).encode()
        private = b"1.2.840.99999.9.9.9"[: len(known)]
        path.write_bytes(data.replace(known, private.ljust(len(known), b"1"), 1))
