"""Scan: one image volume with the header facts that a plan needs, and no name of a patient."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryoplan.core.finding import Finding
from cryoplan.core.volume import Volume

LOWEST_HU = -1024
"""CT numbers below this are padding outside the field of view (air is -1000 HU, 12-bit scanners end here)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFacts:
    """What the header said, without anything that names the patient.

    Attributes
    ----------
    path : str
        File or folder that was read; shown to the user, never printed in the report.
    kind : str
        ``dicom-series``, ``nifti``, ``nrrd``, ``metaimage`` or ``phantom``.
    code : str
        Pseudonym of the patient: made from the identifiers, cannot be turned back.
    number_code : str
        Pseudonym of the patient's number alone, which other programs keep where they drop the date of birth;
        empty when unknown.
    modality : str
        ``CT``, ``MR`` or empty when the file does not say.
    series_uid, study_uid, frame_of_reference_uid : str
        DICOM identifiers; empty for other files.
    series_part : str
        Which of several volumes of one series, such as ``echo=2.3``; empty when it holds one.
    description : str
        Series description, or the file name.
    patient_position : str
        ``HFS``, ``FFS``, ``HFP``, ...; empty when unknown.
    gantry_tilt_deg : float or None
        None when the header does not say.
    acquired_on : str
        ISO date of the acquisition, empty when unknown.
    slice_thickness_mm : float or None
        As in the header; may differ from the slice distance.
    findings : tuple of Finding
        What the import noticed.
    slice_locations_mm : tuple of float
        Slice location (0020,1041) of each slice, as the scanner showed it, its sign the vendor's; empty where
        not each slice states one, or slices were resampled: then none of them was ever shown.
    slice_numbers : tuple of int
        Instance number (0020,0013) of each slice, of frames their place in the file; empty likewise.
    table_height_mm : float or None
        Table height (0018,1130); None when the header does not say.
    """

    path: str
    kind: str
    code: str
    modality: str = ""
    series_uid: str = ""
    study_uid: str = ""
    frame_of_reference_uid: str = ""
    description: str = ""
    patient_position: str = ""
    gantry_tilt_deg: float | None = None
    acquired_on: str = ""
    slice_thickness_mm: float | None = None
    findings: tuple[Finding, ...] = field(default=())
    series_part: str = ""
    number_code: str = ""
    slice_locations_mm: tuple[float, ...] = ()
    slice_numbers: tuple[int, ...] = ()
    table_height_mm: float | None = None

    @property
    def series_key(self) -> str:
        """What `read_scan` needs to read this volume again: the series, and its part after ``#``."""
        return self.series_uid + (f"#{self.series_part}" if self.series_part else "")

    @property
    def has_hounsfield(self) -> bool:
        """True when voxel values are Hounsfield units."""
        return self.modality == "CT"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """An image: int16 or float32 voxels in HU (CT) or signal (MR), and its facts."""

    volume: Volume
    facts: ScanFacts
