"""Hostile DICOM series: small CT and MR series with one thing wrong each, and a ball at a known place.

The ball is painted in world coordinates, so that the truth does not depend on how a reader stacks slices.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

ROWS, COLUMNS, SLICES = 32, 40, 12
SPACING_MM = (0.9, 0.8)  # rows, columns: as PixelSpacing is written
STEP_MM = 2.5
BALL_MM = (4.0, -3.0, 12.0)
BALL_RADIUS_MM = 7.0
INSIDE_HU, OUTSIDE_HU = 60, -100


@dataclass
class Series:
    """What all slices of a made-up series share; change a field, then `write`."""

    series_uid: str = field(default_factory=lambda: generate_uid(entropy_srcs=["series"]))
    study_uid: str = field(default_factory=lambda: generate_uid(entropy_srcs=["study"]))
    frame_uid: str = field(default_factory=lambda: generate_uid(entropy_srcs=["frame"]))
    row: tuple[float, float, float] = (1.0, 0.0, 0.0)
    column: tuple[float, float, float] = (0.0, 1.0, 0.0)
    origin_mm: tuple[float, float, float] = (-14.0, -16.0, 0.0)
    step_mm: tuple[float, float, float] | None = None
    sop_class: str = CTImageStorage
    modality: str = "CT"
    slope: float = 1.0
    intercept: float = -1024.0
    description: str = "hostile"
    patient_id: str = "SECRET-ID-77"
    patient_name: str = "Kowalska^Łucja"
    syntax: str = ExplicitVRLittleEndian

    def normal(self) -> np.ndarray:
        return np.cross(self.row, self.column)

    def position(self, k: float) -> np.ndarray:
        step = np.array(self.step_mm) if self.step_mm is not None else STEP_MM * self.normal()
        return np.array(self.origin_mm) + k * step

    def slice(self, k: float, number: int | None = None, **changes: object) -> FileDataset:
        """Make slice `k` (it need not be whole); `changes` set or (None) delete elements."""
        position = self.position(k)
        number = int(k) + 1 if number is None else number
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = self.sop_class
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[self.series_uid, str(k), str(number)])
        meta.TransferSyntaxUID = self.syntax
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.SOPClassUID = self.sop_class
        ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        ds.SeriesInstanceUID = self.series_uid
        ds.StudyInstanceUID = self.study_uid
        ds.FrameOfReferenceUID = self.frame_uid
        ds.Modality = self.modality
        ds.SeriesDescription = self.description
        ds.PatientName = self.patient_name
        ds.PatientID = self.patient_id
        ds.PatientBirthDate = "19500203"
        ds.PatientSex = "F"
        ds.PatientPosition = "HFS"
        ds.AcquisitionDate = "20240517"
        ds.AcquisitionNumber = 1
        ds.InstanceNumber = number
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.SliceThickness = STEP_MM
        ds.SeriesNumber = 3
        ds.StudyID = "1"
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20240517", "101500", ""
        ds.ReferringPhysicianName = ""
        ds.Manufacturer = "none"
        ds.ImageOrientationPatient = [*self.row, *self.column]
        ds.ImagePositionPatient = [round(float(p), 6) for p in position]
        ds.PixelSpacing = list(SPACING_MM)
        ds.Rows, ds.Columns = ROWS, COLUMNS
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        if self.modality == "CT":
            ds.RescaleSlope, ds.RescaleIntercept = self.slope, self.intercept
        ds.PixelData = self.pixels(position).tobytes()
        for name, value in changes.items():
            if value is None:
                delattr(ds, name)
            else:
                setattr(ds, name, value)
        return ds

    def pixels(self, position: np.ndarray) -> np.ndarray:
        """Return stored int16 pixels of the ball where a slice at `position` cuts it."""
        i, j = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
        points = (
            position
            + (i * SPACING_MM[1])[..., None] * np.array(self.row)
            + (j * SPACING_MM[0])[..., None] * np.array(self.column)
        )
        inside = np.linalg.norm(points - np.array(BALL_MM), axis=-1) < BALL_RADIUS_MM
        values = np.where(inside, INSIDE_HU, OUTSIDE_HU).astype(float)
        if self.modality == "CT":
            values = (values - self.intercept) / self.slope
        return np.rint(values).astype("<i2")

    def write(
        self, folder: Path, ks: Sequence[float] = tuple(range(SLICES)), **changes: object
    ) -> list[Path]:
        """Write slices in a scrambled order of names, so that no reader may rely on names."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for n, k in enumerate(ks):
            path = folder / f"im{(n * 7) % 97:02d}_{n:02d}.dcm"
            self.slice(k, n + 1, **changes).save_as(path, enforce_file_format=True)
            paths.append(path)
        return paths


def ball_centroid_mm(values: np.ndarray, grid: object) -> np.ndarray:
    """Return the LPS centroid of the bright voxels."""
    index = np.argwhere(values > (INSIDE_HU + OUTSIDE_HU) / 2)[:, ::-1]
    return grid.index_to_mm(index.mean(axis=0))  # type: ignore[attr-defined]


def missing(folder: Path) -> None:
    Series().write(folder, [k for k in range(SLICES) if k != 5])


def two_missing_places(folder: Path) -> None:
    Series().write(folder, [k for k in range(SLICES) if k not in (3, 4, 8)])


def duplicate(folder: Path) -> None:
    series = Series()
    series.write(folder)
    other = series.slice(5, 50, PixelData=b"\1\0" * (ROWS * COLUMNS))
    other.save_as(folder / "other.dcm", enforce_file_format=True)


def uneven(folder: Path) -> None:
    Series().write(folder, [k + (0.4 if k >= 6 else 0.0) for k in range(SLICES)])


def tilted(folder: Path) -> None:
    angle = np.radians(20.0)
    Series(column=(0.0, float(np.cos(angle)), float(-np.sin(angle))), step_mm=(0.0, 0.0, STEP_MM)).write(
        folder
    )


def shifted(folder: Path) -> None:
    series = Series()
    series.write(folder, [k for k in range(SLICES) if k != 5])
    position = series.position(5) + np.array([3.0, 0.0, 0.0])
    odd = series.slice(5, 6, ImagePositionPatient=[float(p) for p in position])
    odd.save_as(folder / "odd.dcm", enforce_file_format=True)


def truncated(folder: Path) -> None:
    path = Series().write(folder)[-1]
    path.write_bytes(path.read_bytes()[:-900])


def cut_in_header(folder: Path) -> None:
    path = Series().write(folder)[-1]
    path.write_bytes(path.read_bytes()[:420])


def other_matrix(folder: Path) -> None:
    series = Series()
    series.write(folder)
    odd = series.slice(SLICES, 13, Rows=ROWS // 2, PixelData=b"\0" * (ROWS * COLUMNS))
    odd.save_as(folder / "odd.dcm", enforce_file_format=True)


def other_spacing(folder: Path) -> None:
    series = Series()
    series.write(folder)
    series.slice(SLICES, 13, PixelSpacing=[1.0, 1.0]).save_as(folder / "odd.dcm", enforce_file_format=True)


def other_orientation(folder: Path) -> None:
    series = Series()
    series.write(folder, range(6))
    Series(column=(0.0, 0.8, 0.6)).write(folder / "b", range(6))


def no_position(folder: Path) -> None:
    Series().write(folder, ImagePositionPatient=None, ImageOrientationPatient=None)


def nan_position(folder: Path) -> None:
    paths = Series().write(folder)
    data = paths[3].read_bytes()
    at = data.index(struct.pack("<HH2sH", 0x0020, 0x0032, b"DS", 0)[:6])
    length = struct.unpack_from("<H", data, at + 6)[0]
    paths[3].write_bytes(data[: at + 8] + b"nan\\0\\0".ljust(length) + data[at + 8 + length :])


def no_spacing(folder: Path) -> None:
    Series().write(folder, PixelSpacing=None)


def zero_spacing(folder: Path) -> None:
    Series().write(folder, PixelSpacing=[0.0, 0.0])


def single(folder: Path) -> None:
    Series().write(folder, [4])


def colour(folder: Path) -> None:
    Series().write(
        folder,
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=b"\0" * (ROWS * COLUMNS * 3),
    )


def screenshot(folder: Path) -> None:
    Series(sop_class="1.2.840.10008.5.1.4.1.1.7", modality="OT").write(folder)


def pet(folder: Path) -> None:
    Series(sop_class="1.2.840.10008.5.1.4.1.1.128", modality="PT").write(folder)


def enhanced(folder: Path) -> None:
    from highdicom.legacy import LegacyConvertedEnhancedCTImage

    series = Series()
    slices = [series.slice(k) for k in (3, 1, 11, 0, 5, 9, 2, 10, 4, 8, 7, 6)]
    uids = [generate_uid(entropy_srcs=["enhanced", name]) for name in ("series", "image", "dimensions")]
    image = LegacyConvertedEnhancedCTImage(slices, uids[0], 9, uids[1], 1)
    # The library stamps time and an own UID into it; one file for good, or a seed would name other damage.
    image.InstanceCreationDate, image.InstanceCreationTime = "20240517", "101500"
    for item in image.ContributingEquipmentSequence:
        item.ContributionDateTime = "20240517101500"
    for item in (*image.DimensionOrganizationSequence, *image.DimensionIndexSequence):
        item.DimensionOrganizationUID = uids[2]
    for series_item in image.ReferencedSeriesSequence:  # it comes out of a set
        items = list(series_item.ReferencedInstanceSequence)
        items.sort(key=lambda item: str(item.ReferencedSOPInstanceUID))
        series_item.ReferencedInstanceSequence = items
    folder.mkdir(parents=True, exist_ok=True)
    image.save_as(folder / "enhanced.dcm")


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (missing, "missing-slice"),
    "two missing places": (two_missing_places, "missing-slice"),
    "duplicate": (duplicate, "duplicate-slice"),
    "uneven": (uneven, "uneven-spacing"),
    "tilted": (tilted, "gantry-tilt"),
    "shifted": (shifted, "shifted-slices"),
    "truncated": (truncated, "truncated-file"),
    "cut in header": (cut_in_header, "damaged-file"),
    "other matrix": (other_matrix, "mixed-size"),
    "other spacing": (other_spacing, "mixed-spacing"),
    "other orientation": (other_orientation, "mixed-orientation"),
    "no position": (no_position, "no-position"),
    "nan position": (nan_position, "no-position"),
    "no spacing": (no_spacing, "no-position"),
    "zero spacing": (zero_spacing, "no-position"),
    "single": (single, "single-slice"),
    "colour": (colour, "colour-image"),
    "screenshot": (screenshot, "not-ct-or-mr"),
    "pet": (pet, "not-ct-or-mr"),
}
"""Makers of hostile folders, and the code that refuses each when nothing is accepted."""

REPAIRABLE = {"missing", "two missing places", "uneven", "tilted"}
"""Those of them that load after consent."""


def with_localizer(folder: Path, *, typed: bool) -> None:
    """Write a good series with four coronal images under the same series UID."""
    series = Series()
    series.write(folder)
    scout = Series(series_uid=series.series_uid, column=(0.0, 0.0, -1.0), origin_mm=(-14.0, -16.0, 30.0))
    kind = ["ORIGINAL", "PRIMARY", "LOCALIZER"] if typed else ["ORIGINAL", "PRIMARY", "AXIAL"]
    for k in range(4):
        path = folder / f"a_scout{k}.dcm"
        scout.slice(k, 90 + k, ImageType=kind).save_as(path, enforce_file_format=True)


def mr_series() -> Series:
    """Return an oblique MR series without rescale tags."""
    a, b = np.radians(17.0), np.radians(-24.0)
    row = np.array([np.cos(a), np.sin(a), 0.0])
    column = np.array([-np.sin(a) * np.cos(b), np.cos(a) * np.cos(b), np.sin(b)])
    normal = np.cross(row, column)
    corner = np.array(BALL_MM) - 0.4 * COLUMNS * row - 0.45 * ROWS * column - STEP_MM * 5.3 * normal
    return Series(
        row=tuple(row), column=tuple(column), origin_mm=tuple(corner), sop_class=MRImageStorage, modality="MR"
    )


def segmentation(scans: Sequence[Path], masks: np.ndarray, path: Path, *, kind: str = "BINARY") -> None:
    """Write a DICOM SEG of `masks` ``(slices, rows, columns, segments)`` drawn on the files `scans`."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    source = [pydicom.dcmread(p) for p in scans]
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=n + 1,
            segment_label=f"thing {n + 1}",
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Liver,
            algorithm_type="MANUAL",
        )
        for n in range(masks.shape[-1])
    ]
    hd.seg.Segmentation(
        source_images=source,
        pixel_array=masks.astype(np.float32) if kind == "FRACTIONAL" else masks.astype(np.uint8),
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(),
        series_number=5,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
    ).save_as(path)
