"""Study: the headers of the scan that objects are written for; the right files, or a refusal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryoplan.core.errors import ImageError
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress
from cryoplan.image.archive_scan import inside
from cryoplan.image.dicom_choice import choose_stack, look_at
from cryoplan.image.dicom_disc import folder_of
from cryoplan.image.formats import ZIP, kind_of
from cryoplan.image.read import read_scan
from cryoplan.image.scan import ScanFacts

UTF_8 = "ISO_IR 192"

REQUIRED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName", "StudyID",
)  # fmt: skip
"""Type 2 of the modules Patient and General Study (PS3.3 C.7.1.1, C.7.2.1): empty perhaps, never missing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceStudy:
    """The scan's own DICOM files, without their pixels.

    Attributes
    ----------
    headers : tuple of pydicom.Dataset
        One for each file, in the order of the slices; they name the patient and never leave the writers.
    grid : Grid
        Of the volume that the program made of them.
    is_slices : bool
        True when there is one file for each slice of `grid`, in its order and in its place; false for
        multi-frame files and for scans that were resampled.
    is_resampled : bool
        True when `grid` is not that of the files, because their slices were tilted or uneven.
    """

    headers: tuple[Any, ...]
    grid: Grid
    is_slices: bool
    is_resampled: bool = False

    @property
    def first(self) -> Any:
        """The first header, which speaks for patient and study."""
        return self.headers[0]


def read_study(
    path: Path, facts: ScanFacts, digest: str, accept: Collection[str], *, progress: Progress = SILENT
) -> SourceStudy:
    """Read the headers of a scan again.

    Parameters
    ----------
    path : Path
        Folder, disc, zip or file where the scan's DICOM files are now.
    facts : ScanFacts
        Which series it was.
    digest : str
        `Volume.digest` of the image that was planned on.
    accept : collection of str
        What was agreed to when it was opened.

    Raises
    ------
    ImageError
        ``not-dicom-source`` if the scan was not read from DICOM files, ``dicom-source-missing`` if they are
        not there, ``dicom-source-differs`` if they hold another image, ``no-frame-of-reference`` if they
        state none.
    Cancelled
        If the caller asked to stop.
    """
    require_dicom(facts)
    if not path.exists():
        raise ImageError(
            "The DICOM files of the scan are not where they were.",
            "Say where they are now (--image), or export the kinds that are no DICOM.",
            code="dicom-source-missing",
            place=path.name,
        )
    path = folder_of(path)
    if path.is_file() and kind_of(path) == ZIP:
        with inside(path, progress) as content:
            return _read(content, facts, digest, accept, progress)
    return _read(path, facts, digest, accept, progress)


def require_dicom(facts: ScanFacts) -> None:
    """Raise `ImageError` (``not-dicom-source``) unless a scan was read from DICOM files."""
    if facts.kind != "dicom-series":
        raise ImageError(
            "The scan was not read from DICOM files, so there is no patient and no study for DICOM objects.",
            "Plan on the DICOM series, or export the kinds that are no DICOM.",
            code="not-dicom-source",
        )


def _read(
    path: Path, facts: ScanFacts, digest: str, accept: Collection[str], progress: Progress
) -> SourceStudy:
    from pydicom import dcmread

    key = facts.series_key or None
    try:
        scan = read_scan(path, series_uid=key, accept=accept, progress=progress)
        stack = choose_stack(look_at(path, progress=progress), path, key)
    except ImageError as error:
        raise _differs(path) from error
    if scan.volume.digest() != digest or stack.grid is None:
        raise _differs(path)
    files = tuple(dict.fromkeys(header.path for header in stack.headers))
    headers = tuple(_ready(dcmread(file, stop_before_pixels=True)) for file in files)
    if not headers[0].get("FrameOfReferenceUID"):
        raise ImageError(
            f"{path.name} states no frame of reference, so nothing can be placed beside it.",
            "Export the series again from the scanner or the archive, or export the kinds that are no DICOM.",
            code="no-frame-of-reference",
            place=path.name,
        )
    is_slices = not stack.is_repair and len(files) == stack.grid.size[2]
    return SourceStudy(headers=headers, grid=stack.grid, is_slices=is_slices, is_resampled=stack.is_repair)


def _ready(header: Any) -> Any:
    """Return a header whose texts are decoded, so that names of any script can stand beside them.

    What every object has to have, and de-identified files often lack, is there and empty.
    """
    header.decode()
    for element in header:
        if element.VR == "PN" and element.value:
            # As text: a decoded name remembers the bytes of the character set it came in.
            element.value = str(element.value)
    header.SpecificCharacterSet = UTF_8
    for word in REQUIRED:
        if word not in header:
            setattr(header, word, "")
    return header


def _differs(path: Path) -> ImageError:
    return ImageError(
        f"{path.name} does not hold the image that was planned on.",
        "Choose the folder of the scan itself, or export the kinds that are no DICOM.",
        code="dicom-source-differs",
        place=path.name,
    )
