"""A made-up CT as DICOM files, and the plainest read of such files: what loading is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.image.dicom_kinds import CT

_PIXEL_MM, _STEP_MM = 0.75, 1.0
_PRIVATE_ELEMENTS = 40
"""About as many as a scanner writes: a reader has to step over each."""


def write_series(folder: Path, slices: int, pixels: int, progress: Progress) -> list[Path]:
    """Write a CT of `slices` images of `pixels` a side, one file each, and return the files in order.

    Values are stored as most scanners do, as 12 bits of 16 with an intercept of -1024 HU: noise about 40 HU
    in a disc, -1024 HU at the corners.

    Raises
    ------
    Cancelled
        Between two files, when `progress` says so.
    """
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    across = np.linspace(-1.0, 1.0, pixels)
    body = np.hypot(across, across[:, None]) < 0.95
    noise = np.random.default_rng(1).normal(40.0, 15.0, body.shape)
    values = np.where(body, noise + 1024.0, 0.0).astype("<u2")
    files = []
    for number in range(slices):
        check_cancelled(progress)
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID(CT)
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = series, study, frame
        ds.Modality, ds.PatientID, ds.PatientName, ds.PatientPosition = "CT", "BENCHMARK", "Benchmark", "HFS"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.SeriesDescription, ds.StudyDescription, ds.ConvolutionKernel = "Made up", "Benchmark", "B30f"
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = "20200101"
        ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber, ds.KVP = 1, 1, number + 1, 120
        ds.SliceThickness, ds.PixelSpacing = _STEP_MM, [_PIXEL_MM, _PIXEL_MM]
        corner_mm = -0.5 * _PIXEL_MM * (pixels - 1)
        ds.ImagePositionPatient = [corner_mm, corner_mm, number * _STEP_MM]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.Rows = ds.Columns = pixels
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
        private = ds.private_block(0x0029, "CRYOPLAN BENCHMARK", create=True)
        for element in range(_PRIVATE_ELEMENTS):
            private.add_new(element, "LO", f"element {element}")
        ds.PixelData = np.roll(values, 7 * number, axis=1).tobytes()
        files.append(folder / f"slice{number:04d}.dcm")
        ds.save_as(files[-1], enforce_file_format=True)
    return files


def read_bare(files: Sequence[Path]) -> tuple[int, ...]:
    """Stack files in the order given, as SimpleITK does with its settings untouched, and return the size.

    Nothing is checked and nothing converted: a reader that does less than this reads no pixels.
    """
    kind: Any = sitk.ImageSeriesReader
    reader = kind()
    reader.SetFileNames([str(file) for file in files])
    size: tuple[int, ...] = reader.Execute().GetSize()
    return size
