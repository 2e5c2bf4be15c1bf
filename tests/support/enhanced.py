"""Enhanced multi-frame CT and MR made from classic slices, with functional groups as scanners write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

ENHANCED_CT, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1"


def item(**elements: object) -> Items:
    """Return a sequence of one item."""
    ds = Dataset()
    for name, value in elements.items():
        setattr(ds, name, value)
    return Items([ds])


def enhanced(slices: Sequence[FileDataset], groups: Sequence[dict[str, Items]] | None = None) -> FileDataset:
    """Return one enhanced image whose frames are `slices` in the given order.

    Parameters
    ----------
    slices : sequence of FileDataset
        Classic slices; place, scale and size are taken from each.
    groups : sequence of dict, optional
        More functional groups for each frame, by keyword.
    """
    first = slices[0]
    meta = FileMetaDataset()
    is_ct = first.Modality == "CT"
    meta.MediaStorageSOPClassUID = ENHANCED_CT if is_ct else ENHANCED_MR
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    for name in (
        "SpecificCharacterSet", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "Modality",
        "SeriesDescription", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientPosition",
        "AcquisitionDate", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation",
        "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    ):  # fmt: skip
        setattr(ds, name, getattr(first, name))
    ds.NumberOfFrames = len(slices)
    kind = "CTImageFrameTypeSequence" if is_ct else "MRImageFrameTypeSequence"
    ds.SharedFunctionalGroupsSequence = item(
        PixelMeasuresSequence=item(PixelSpacing=first.PixelSpacing, SliceThickness=first.SliceThickness),
        PlaneOrientationSequence=item(ImageOrientationPatient=first.ImageOrientationPatient),
        **{kind: item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])},
    )
    frames = []
    for n, one in enumerate(slices):
        frame = item(
            PlanePositionSequence=item(ImagePositionPatient=one.ImagePositionPatient),
            PixelValueTransformationSequence=item(
                RescaleSlope=one.get("RescaleSlope", 1), RescaleIntercept=one.get("RescaleIntercept", 0),
                RescaleType="US",
            ),
            **({} if groups is None else groups[n]),
        )[0]  # fmt: skip
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Items(frames)
    ds.PixelData = b"".join(one.PixelData for one in slices)
    return ds


def save(ds: FileDataset, folder: Path, name: str = "enhanced.dcm") -> Path:
    """Write it, and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    ds.save_as(folder / name, enforce_file_format=True)
    return folder / name


def shuffled(count: int, seed: int = 5) -> list[int]:
    """Return an order of frames that no reader may rely on."""
    return [int(n) for n in np.random.default_rng(seed).permutation(count)]
