"""Header pass over DICOM files: one small record per file, no pixel read, no name of a patient kept."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.image.dicom_elements import Elements, tags_of
from cryoplan.image.dicom_kinds import CT, ENHANCED, MR
from cryoplan.image.dicom_open import Promise, open_dataset
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

_TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID",
    "FrameOfReferenceUID", "Modality", "SeriesDescription", "SeriesNumber", "InstanceNumber", "ImageType",
    "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientPosition", "GantryDetectorTilt",
    "SliceThickness", "AcquisitionDate", "SeriesDate", "StudyDate", "AcquisitionNumber",
    "TemporalPositionIdentifier", "EchoTime", "DiffusionBValue", "DiffusionGradientOrientation",
    "TriggerTime", "KVP", "ConvolutionKernel", "LossyImageCompression", "LossyImageCompressionRatio",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows",
    "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "SegmentSequence",
    "StudyDescription", "ContrastBolusAgent", "SliceLocation", "TableHeight",
)  # fmt: skip


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
    studied_on : str
        ISO date of the examination, empty when unknown.
    has_contrast : bool
        True when the file names a contrast agent.
    slice_location_mm, table_height_mm : float or None
        As the scanner says; the vendor's own sign.
    number : int or None
        Of the image in its series (0020,0013); of a frame, its place in the file from 1.
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
    number_code: str
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
    study_description: str = ""
    studied_on: str = ""
    has_contrast: bool = False
    slice_location_mm: float | None = None
    table_height_mm: float | None = None
    number: int | None = None

    @property
    def is_slice(self) -> bool:
        """True for a classic single-frame CT or MR image, or one frame of an enhanced one."""
        return self.frame is not None or (self.sop_class in (CT, MR) and self.frames <= 1)

    @property
    def label(self) -> str:
        """File name, with the number of the frame (from 1) in an enhanced file."""
        return self.path.name if self.frame is None else f"{self.path.name} frame {self.frame + 1}"


def unheard(_header: Header) -> None:
    """Tell nobody."""


def read_headers(
    folder: Path,
    *,
    progress: Progress = SILENT,
    deep: bool = True,
    each: Callable[[Header], None] = unheard,
) -> tuple[list[Header], list[Path]]:
    """Return the headers of all DICOM files of a folder, in the order of their names.

    Parameters
    ----------
    deep : bool
        Also those of the folders in it.
    each : callable
        Told each header as soon as it is read.

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
            each(header)
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
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            # Odd values are looked at below, one by one; pydicom's warnings would go to stderr.
            warnings.simplefilter("ignore")
            promise, dataset = open_dataset(stream, tags_of(_TAGS))
            return _header(path, promise, Elements(dataset), stream)
    except Exception:  # a damaged file makes pydicom raise nearly any class; each means the same here
        return None


def _header(path: Path, promise: Promise, ds: Elements, stream: BinaryIO) -> Header:
    orientation = ds.numbers("ImageOrientationPatient", 6)
    spacing = ds.numbers("PixelSpacing", 2)
    date = ds.text("AcquisitionDate") or ds.text("SeriesDate") or ds.text("StudyDate")
    rows, columns = ds.whole("Rows"), ds.whole("Columns")
    frames = max(ds.whole("NumberOfFrames"), 1)
    samples = max(ds.whole("SamplesPerPixel"), 1)
    bits = ds.whole("BitsAllocated")
    # Anonymisers have been seen to empty the data set's UIDs and leave those of the file meta.
    syntax, promised = promise.syntax, promise.sop_class
    sop_class = ds.text("SOPClassUID") or promised
    if not re.fullmatch(r"[0-9.]{1,64}", sop_class) or (rows == 0 and {CT, MR} & {sop_class, promised}):
        raise ValueError("cut short in its header")
    if rows > 0 and ({CT, MR} | ENHANCED) & {sop_class, promised} and not _describes_pixels(ds, syntax):
        raise ValueError("does not say how its pixels are stored")
    expected = (rows * columns * frames * samples * bits + 7) // 8
    return Header(
        path=path,
        sop_class=sop_class,
        instance_uid=ds.text("SOPInstanceUID") or promise.instance_uid,
        series_uid=ds.text("SeriesInstanceUID"),
        study_uid=ds.text("StudyInstanceUID"),
        frame_of_reference_uid=ds.text("FrameOfReferenceUID"),
        modality=ds.text("Modality"),
        description=ds.text("SeriesDescription"),
        series_number=ds.text("SeriesNumber"),
        image_type=tuple(part.strip().upper() for part in ds.text("ImageType").split("\\")),
        patient_position=ds.text("PatientPosition"),
        patient_code=_patient_code(ds),
        number_code=number_code(ds.text("PatientID")),
        gantry_tilt_deg=ds.number("GantryDetectorTilt"),
        slice_thickness_mm=ds.number("SliceThickness"),
        acquired_on=_iso(date),
        row=orientation[:3] if orientation else None,
        column=orientation[3:] if orientation else None,
        position_mm=ds.numbers("ImagePositionPatient", 3),
        pixel_spacing_mm=(spacing[1], spacing[0]) if spacing else None,
        rows=rows,
        columns=columns,
        frames=frames,
        samples=samples,
        bits_stored=ds.whole("BitsStored") or 16,
        signed=ds.whole("PixelRepresentation") == 1,
        shifted=ds.whole("HighBit") != ds.whole("BitsStored") - 1,
        inverted=ds.text("PhotometricInterpretation") == "MONOCHROME1",
        slope=ds.number_or("RescaleSlope", 1.0),
        intercept=ds.number_or("RescaleIntercept", 0.0),
        pixels_missing=rows > 0 and not pixels_whole(stream, path, syntax, expected),
        segments=_segments(ds),
        syntax=syntax,
        dimensions=_dimensions(ds),
        rescaled=ds.number("RescaleSlope") is not None and ds.number("RescaleIntercept") is not None,
        lossy=_lossy(ds, syntax),
        study_description=ds.text("StudyDescription"),
        studied_on=_iso(ds.text("StudyDate")),
        has_contrast=bool(ds.text("ContrastBolusAgent")),
        slice_location_mm=ds.number("SliceLocation"),
        table_height_mm=ds.number("TableHeight"),
        number=_whole_or_none(ds.number("InstanceNumber")),
    )


def _whole_or_none(number: float | None) -> int | None:
    return int(number) if number is not None and number == int(number) else None


def _iso(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else ""


def _describes_pixels(ds: Elements, syntax: str) -> bool:
    """Tell whether all is there that PS3.3 C.7.6.3 wants of every image: a reader would guess the rest.

    Measured: without a pixel representation ITK takes a signed slice as unsigned, and says nothing.
    """
    needed = ("SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
    if not syntax or any(ds.number(name) is None for name in needed):
        return False
    if not 1 <= ds.whole("BitsStored") <= ds.whole("HighBit") + 1 <= ds.whole("BitsAllocated"):
        return False
    return ds.text("PhotometricInterpretation") in _PHOTOMETRIC


def _dimensions(ds: Elements) -> tuple[tuple[str, str], ...]:
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
    values = ((name, ds.text(tag).replace(" ", "").replace("\\", "/")) for name, tag in names)
    return tuple((name, value) for name, value in values if value)


def _lossy(ds: Elements, syntax: str) -> str:
    if ds.text("LossyImageCompression") != "01" and syntax not in _LOSSY_SYNTAXES:
        return ""
    return ds.text("LossyImageCompressionRatio").split("\\")[-1] or "unknown"


def _segments(ds: Elements) -> tuple[str, ...]:
    return tuple(str(item.get("SegmentLabel", "")).strip() for item in ds.items("SegmentSequence"))


def _patient_code(ds: Elements) -> str:
    """Return a pseudonym that is the same for all series of a patient and keeps no identifier."""
    identity = "|".join(ds.text(name) for name in ("PatientID", "IssuerOfPatientID", "PatientBirthDate"))
    if not identity.strip("|"):
        identity = ds.text("StudyInstanceUID") or ds.text("FrameOfReferenceUID")
    return pseudonym(identity.encode())


def number_code(number: str) -> str:
    """Return the pseudonym of a patient's number alone, empty where there is none."""
    return pseudonym(b"number|" + number.encode()) if number else ""


@lru_cache(maxsize=1024)
def pseudonym(identity: bytes) -> str:
    """Return a short code made from identifiers, the same each time.

    Made slowly (PBKDF2), so that nobody finds the identifier by trying all numbers of a hospital: one try
    takes about 20 ms, and the few digits that are shown fit many of them.
    """
    return "P-" + hashlib.pbkdf2_hmac("sha256", identity, b"cryoplan pseudonym", 50_000).hex()[:8].upper()
