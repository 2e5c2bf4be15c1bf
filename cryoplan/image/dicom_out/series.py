"""Series: what every object written here has in common - whose it is, which study, and who made it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from cryoplan import RESEARCH_USE, __version__
from cryoplan.core.atomic import replace_when_written
from cryoplan.image.dicom_out.study import REQUIRED, UTF_8, SourceStudy

MAKER = "cryoplan"
FIRST_NUMBER = 9100
"""Series numbers of plans, beyond those that scanners give."""

_COPIED = ("StudyInstanceUID", *REQUIRED, "IssuerOfPatientID", "StudyDescription")

EQUIPMENT: dict[str, Any] = {
    "manufacturer": MAKER,
    "manufacturer_model_name": MAKER,
    "software_versions": __version__,
    "device_serial_number": "0",
}
"""For the writers of highdicom."""


def begin(source: SourceStudy, sop_class: str, *, number: int, description: str, modality: str) -> Any:
    """Return a data set with patient, study, series and equipment, for what highdicom does not write."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    ds = Dataset()
    ds.SpecificCharacterSet = UTF_8
    for word in _COPIED:
        # Text by text: a name in another character set is decoded and written again in this one.
        if word in source.first:
            setattr(ds, word, str(source.first.get(word) or ""))
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, generate_uid()
    ds.Modality = modality
    ds.SeriesInstanceUID, ds.SeriesNumber = generate_uid(), FIRST_NUMBER + number
    ds.SeriesDescription = described(description)
    ds.InstanceNumber = 1
    ds.Manufacturer = ds.ManufacturerModelName = MAKER
    ds.SoftwareVersions, ds.DeviceSerialNumber = __version__, "0"
    stamp(ds)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def stamp(ds: Any, *words: str) -> None:
    """Write the present date and time into the elements that begin with `words`, and into the creation's."""
    now = datetime.datetime.now()
    for word in ("InstanceCreation", *words):
        setattr(ds, f"{word}Date", now.strftime("%Y%m%d"))
        setattr(ds, f"{word}Time", now.strftime("%H%M%S"))


def described(description: str) -> str:
    """Return the description of a series, which says what it may be used for (64 characters at most)."""
    return f"{description}. {RESEARCH_USE}"[:64]


def write_dataset(ds: Any, path: Path) -> None:
    """Write a data set as a DICOM file, whole or not at all.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    ds.SpecificCharacterSet = UTF_8
    with replace_when_written(path) as temporary:
        ds.save_as(temporary, enforce_file_format=True)
