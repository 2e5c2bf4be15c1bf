"""Names of patients, read only when somebody asks for them and kept by nobody."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path

from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.image.archive_scan import inside
from cryoplan.image.dicom_disc import folder_of
from cryoplan.image.dicom_header import files_below, read_header
from cryoplan.image.formats import DICOM, ZIP, kind_of


def patient_names(path: Path, codes: Collection[str], *, progress: Progress = SILENT) -> dict[str, str]:
    """Return the names of patients by pseudonym.

    Parameters
    ----------
    path : Path
        What was described.
    codes : collection of str
        Pseudonyms to look for; the search ends when each has a name.

    Raises
    ------
    ImageError
        If the path cannot be read any more.
    Cancelled
        If the caller asked to stop.
    """
    path = folder_of(Path(path))
    if path.is_file() and kind_of(path) == ZIP:
        with inside(path, progress) as content:
            return patient_names(content, codes, progress=progress)
    files = files_below(path) if path.is_dir() else iter([path])
    names: dict[str, str] = {}
    for number, file in enumerate(files):
        if number % 64 == 0:
            check_cancelled(progress)
        if set(codes) <= names.keys():
            break
        header = read_header(file) if kind_of(file) == DICOM else None
        if header is not None and header.patient_code in codes and header.patient_code not in names:
            names[header.patient_code] = _name(file)
    return names


def _name(path: Path) -> str:
    import pydicom  # slow to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["PatientName", "PatientID"])
        family, _, given = str(ds.get("PatientName", "")).partition("^")
        words = ", ".join(part.replace("^", " ").strip() for part in (family, given) if part.strip("^ "))
        number = str(ds.get("PatientID", "")).strip()
    shown = "".join(c if c.isprintable() else " " for c in (words or "no name"))[:80]
    return f"{shown} ({number[:40]})" if number else shown
