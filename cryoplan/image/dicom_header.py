"""Header pass over DICOM files: one small record per file, no pixel read, no name of a patient kept."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.image.dicom_kinds import CT, ENHANCED, MR
from cryoplan.image.dicom_whole import pixels_whole

_MOST_FILES = 100_000
_LOSSY_SYNTAXES = frozenset(
    {
        "1.2.840.10008.1.2.4.50",  # JPEG baseline
        "1.2.840.10008.1.2.4.51",  # JPEG extended
        "1.2.840.10008.1.2.4.81",  # JPEG-LS near lossless
    }
)

_PHOTOMETRIC = frozenset(
    ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
)

_TAGS = [
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID",
    "FrameOfReferenceUID", "Modality", "SeriesDescription", "SeriesNumber", "InstanceNumber", "ImageType",
    "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientPosition", "GantryDetectorTilt",
    "SliceThickness", "AcquisitionDate", "SeriesDate", "StudyDate", "AcquisitionNumber",
    "TemporalPositionIdentifier", "EchoTime", "DiffusionBValue", "DiffusionGradientOrientation",
    "TriggerTime", "KVP", "ConvolutionKernel", "LossyImageCompression", "LossyImageCompressionRatio",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows",
    "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "SegmentSequence",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What one DICOM file says about itself; empty texts, zeros and None where it says nothing usable.

    Attributes
    ----------
    row, column : tuple of float or None
        Unit vectors (LPS) along a row (to the next column) and along a column (to the next row).
    position_mm : tuple of float or None
        LPS position of the centre of the first pixel.
    pixel_spacing_mm : tuple of float or None
        Distance of columns (x) and of rows (y): the other way round than in the file.
    pixels_missing : bool
        True when the file ends before its pixels do.
    dimensions : tuple of (str, str)
        What may tell volumes of one series apart (echo, b-value, time point ...), name and value.
    inverted : bool
        True when small pixel values are meant to be bright (MONOCHROME1).
    shifted : bool
        True when pixels do not begin at the lowest bit of their words, which PS3.5 8.1.1 forbids by now.
    rescaled : bool
        True when the file states how its pixels become values.
    lossy : str
        Empty, or the ratio of a compression that changed the pixels (``unknown`` when not stated).
    frame : int or None
        Which frame of an enhanced file, from 0; None for a file of one slice.
    """

    path: Path
    sop_class: str
    instance_uid: str
    series_uid: str
    study_uid: str
    frame_of_reference_uid: str
    modality: str
    description: str
    series_number: str
    image_type: tuple[str, ...]
    patient_position: str
    patient_code: str
    gantry_tilt_deg: float | None
    slice_thickness_mm: float | None
    acquired_on: str
    row: tuple[float, ...] | None
    column: tuple[float, ...] | None
    position_mm: tuple[float, ...] | None
    pixel_spacing_mm: tuple[float, ...] | None
    rows: int
    columns: int
    frames: int
    samples: int
    bits_stored: int
    signed: bool
    inverted: bool
    shifted: bool
    slope: float
    intercept: float
    pixels_missing: bool
    segments: tuple[str, ...]
    syntax: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    rescaled: bool = True
    lossy: str = ""
    frame: int | None = None

    @property
    def is_slice(self) -> bool:
        """True for a classic single-frame CT or MR image, or one frame of an enhanced one."""
        return self.frame is not None or (self.sop_class in (CT, MR) and self.frames <= 1)

    @property
    def label(self) -> str:
        """File name, with the number of the frame (from 1) in an enhanced file."""
        return self.path.name if self.frame is None else f"{self.path.name} frame {self.frame + 1}"


def read_headers(
    folder: Path, *, progress: Progress = SILENT, deep: bool = True
) -> tuple[list[Header], list[Path]]:
    """Return the headers of all DICOM files of a folder, in the order of their names.

    Returns
    -------
    headers : list of Header
        One for each readable DICOM file.
    damaged : list of pathlib.Path
        Files that begin as DICOM and cannot be understood; nobody can say to which series they belong.

    Raises
    ------
    ImageError
        If the folder holds an absurd number of files or may not be listed.
    """
    headers: list[Header] = []
    damaged: list[Path] = []
    for number, path in enumerate(files_below(folder, deep=deep)):
        if number % 64 == 0:
            check_cancelled(progress)
        if not _begins_as_dicom(path):
            continue
        header = read_header(path)
        if header is None:
            damaged.append(path)
        else:
            headers.append(header)
    return headers, damaged


def _begins_as_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            stream.seek(128)
            return stream.read(4) == b"DICM"
    except OSError:
        return True  # a file that cannot be read may be the slice that is missing; it is reported as damaged


def files_below(folder: Path, *, deep: bool = True) -> Iterator[Path]:
    """Give the files of a folder and of the folders in it, in the order of their names."""
    number = 0

    def refuse(error: OSError) -> None:
        raise ImageError(
            f"The folder {folder.name} cannot be listed ({error.strerror}).",
            "Check that you may read it.",
            code="not-readable",
            place=folder.name,
        ) from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        if not deep:
            folders.clear()
        for name in sorted(names):
            path = Path(root, name)
            if not _may_be_image(path):
                continue
            number += 1
            if number > _MOST_FILES:
                raise ImageError(
                    f"The folder {folder.name} holds more than {_MOST_FILES} files.",
                    "Choose the folder of one examination.",
                    code="too-many-files",
                    place=folder.name,
                )
            yield path


def _may_be_image(path: Path) -> bool:
    """Tell whether to look at a file; also at a link to nowhere: the slice it stands for is missing."""
    try:
        return path.is_file() or (path.is_symlink() and not path.exists())
    except OSError:  # a loop of links, or a place that may not be looked at
        return True


def read_header(path: Path) -> Header | None:
    """Return the header of one DICOM file, or None when it is no DICOM file or its header is damaged."""
    import pydicom  # slow to import, and not needed for other files

    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            # Odd values are looked at below, one by one; pydicom's warnings would go to stderr.
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_TAGS)
            return _header(path, dataset, stream)
    except Exception:  # a damaged file makes pydicom raise nearly any class; each means the same here
        return None


def _header(path: Path, ds: Any, stream: BinaryIO) -> Header:
    meta = ds.file_meta
    # Raises where an element is of no known kind: GDCM makes a length of it, and takes 800 MB (measured).
    tuple(meta)
    orientation = _numbers(ds, "ImageOrientationPatient", 6)
    spacing = _numbers(ds, "PixelSpacing", 2)
    date = _text(ds, "AcquisitionDate") or _text(ds, "SeriesDate") or _text(ds, "StudyDate")
    rows, columns = _whole(ds, "Rows"), _whole(ds, "Columns")
    frames = max(_whole(ds, "NumberOfFrames"), 1)
    samples = max(_whole(ds, "SamplesPerPixel"), 1)
    bits = _whole(ds, "BitsAllocated")
    syntax = str(getattr(meta, "TransferSyntaxUID", ""))
    # Anonymisers have been seen to empty the data set's UIDs and leave those of the file meta.
    promised = str(getattr(meta, "MediaStorageSOPClassUID", ""))
    sop_class = _text(ds, "SOPClassUID") or promised
    if not re.fullmatch(r"[0-9.]{1,64}", sop_class) or (rows == 0 and {CT, MR} & {sop_class, promised}):
        raise ValueError("cut short in its header")
    if rows > 0 and ({CT, MR} | ENHANCED) & {sop_class, promised} and not _describes_pixels(ds, syntax):
        raise ValueError("does not say how its pixels are stored")
    expected = (rows * columns * frames * samples * bits + 7) // 8
    return Header(
        path=path,
        sop_class=sop_class,
        instance_uid=_text(ds, "SOPInstanceUID") or str(getattr(meta, "MediaStorageSOPInstanceUID", "")),
        series_uid=_text(ds, "SeriesInstanceUID"),
        study_uid=_text(ds, "StudyInstanceUID"),
        frame_of_reference_uid=_text(ds, "FrameOfReferenceUID"),
        modality=_text(ds, "Modality"),
        description=_text(ds, "SeriesDescription"),
        series_number=_text(ds, "SeriesNumber"),
        image_type=tuple(part.strip().upper() for part in _text(ds, "ImageType").split("\\")),
        patient_position=_text(ds, "PatientPosition"),
        patient_code=_patient_code(ds),
        gantry_tilt_deg=_number(ds, "GantryDetectorTilt"),
        slice_thickness_mm=_number(ds, "SliceThickness"),
        acquired_on=f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else "",
        row=orientation[:3] if orientation else None,
        column=orientation[3:] if orientation else None,
        position_mm=_numbers(ds, "ImagePositionPatient", 3),
        pixel_spacing_mm=(spacing[1], spacing[0]) if spacing else None,
        rows=rows,
        columns=columns,
        frames=frames,
        samples=samples,
        bits_stored=_whole(ds, "BitsStored") or 16,
        signed=_whole(ds, "PixelRepresentation") == 1,
        shifted=_whole(ds, "HighBit") != _whole(ds, "BitsStored") - 1,
        inverted=_text(ds, "PhotometricInterpretation") == "MONOCHROME1",
        slope=_number_or(ds, "RescaleSlope", 1.0),
        intercept=_number_or(ds, "RescaleIntercept", 0.0),
        pixels_missing=rows > 0 and not pixels_whole(stream, path, syntax, expected),
        segments=_segments(ds),
        syntax=syntax,
        dimensions=_dimensions(ds),
        rescaled=_number(ds, "RescaleSlope") is not None and _number(ds, "RescaleIntercept") is not None,
        lossy=_lossy(ds, syntax),
    )


def _describes_pixels(ds: Any, syntax: str) -> bool:
    """Tell whether all is there that PS3.3 C.7.6.3 wants of every image: a reader would guess the rest.

    Measured: without a pixel representation ITK takes a signed slice as unsigned, and says nothing.
    """
    needed = ("SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
    if not syntax or any(_number(ds, name) is None for name in needed):
        return False
    if not 1 <= _whole(ds, "BitsStored") <= _whole(ds, "HighBit") + 1 <= _whole(ds, "BitsAllocated"):
        return False
    return _text(ds, "PhotometricInterpretation") in _PHOTOMETRIC


def _dimensions(ds: Any) -> tuple[tuple[str, str], ...]:
    """Return what a series may hold several volumes of, most telling first."""
    names = (
        ("b-value", "DiffusionBValue"),
        ("echo", "EchoTime"),
        ("time-point", "TemporalPositionIdentifier"),
        ("trigger-time", "TriggerTime"),
        ("image-type", "ImageType"),
        ("kv", "KVP"),
        ("kernel", "ConvolutionKernel"),
        ("acquisition", "AcquisitionNumber"),
        ("direction", "DiffusionGradientOrientation"),
    )
    values = ((name, _text(ds, tag).replace(" ", "").replace("\\", "/")) for name, tag in names)
    return tuple((name, value) for name, value in values if value)


def _lossy(ds: Any, syntax: str) -> str:
    if _text(ds, "LossyImageCompression") != "01" and syntax not in _LOSSY_SYNTAXES:
        return ""
    return _text(ds, "LossyImageCompressionRatio").split("\\")[-1] or "unknown"


def _value(ds: Any, name: str) -> Any:
    try:
        return ds.get(name)
    except (ValueError, TypeError, ArithmeticError):  # text that is no number, such as 1,5
        return None


_LONGEST_TEXT = 256  # four times what a description may have


def _text(ds: Any, name: str) -> str:
    value = _value(ds, name)
    if value is None:
        return ""
    if not isinstance(value, str) and hasattr(value, "__iter__"):
        return "\\".join(str(part) for part in value)
    # Damaged lengths put half a file, names and line ends included, into one text.
    return "".join(c if c.isprintable() else " " for c in str(value)[:_LONGEST_TEXT]).strip()


def _numbers(ds: Any, name: str, count: int) -> tuple[float, ...] | None:
    value = _value(ds, name)
    try:
        numbers = tuple(float(part) for part in value)
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and all(np.isfinite(numbers)) else None


def _number(ds: Any, name: str) -> float | None:
    try:
        number = float(_value(ds, name))
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _number_or(ds: Any, name: str, default: float) -> float:
    number = _number(ds, name)
    return default if number is None else number


def _whole(ds: Any, name: str) -> int:
    number = _number(ds, name)
    return 0 if number is None else int(number)


def _segments(ds: Any) -> tuple[str, ...]:
    return tuple(str(item.get("SegmentLabel", "")).strip() for item in ds.get("SegmentSequence") or ())


def _patient_code(ds: Any) -> str:
    """Return a pseudonym that is the same for all series of a patient and keeps no identifier."""
    identity = "|".join(_text(ds, name) for name in ("PatientID", "IssuerOfPatientID", "PatientBirthDate"))
    if not identity.strip("|"):
        identity = _text(ds, "StudyInstanceUID") or _text(ds, "FrameOfReferenceUID")
    return pseudonym(identity.encode())


@lru_cache(maxsize=1024)
def pseudonym(identity: bytes) -> str:
    """Return a short code made from identifiers, the same each time.

    Made slowly (PBKDF2), so that nobody finds the identifier by trying all numbers of a hospital: one try
    takes about 20 ms, and the few digits that are shown fit many of them.
    """
    return "P-" + hashlib.pbkdf2_hmac("sha256", identity, b"cryoplan pseudonym", 50_000).hex()[:8].upper()
