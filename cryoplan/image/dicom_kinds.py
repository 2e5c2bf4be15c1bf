"""What a DICOM object is, in words: only CT and MR images open as images, everything else is named."""

from __future__ import annotations

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
SEG, RTSTRUCT = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.481.3"
LABELMAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"
DICOMDIR = "1.2.840.10008.1.3.10"
ENHANCED_CT = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
        "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
    }
)
ENHANCED = ENHANCED_CT | {
    "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
    "1.2.840.10008.5.1.4.1.1.4.3",  # Enhanced MR Color
    "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR
}
CT_CLASSES = frozenset({CT}) | ENHANCED_CT

# Names of DICOM PS3.6 annex A, shortened to what a radiologist calls them.
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NAMES = {
    SEG: "a DICOM segmentation",
    LABELMAP_SEG: "a DICOM label map segmentation",
    _STORAGE + "66.5": "a surface segmentation",
    RTSTRUCT: "a DICOM structure set (contours)",
    DICOMDIR: "the table of contents of a DICOM disc",
    _STORAGE + "1": "an X-ray image",
    _STORAGE + "4.2": "an MR spectroscopy",
    _STORAGE + "6.1": "an ultrasound image",
    _STORAGE + "11.1": "a presentation state",
    _STORAGE + "20": "a nuclear medicine image",
    _STORAGE + "30": "a parametric map",
    _STORAGE + "66": "raw data of a scanner",
    _STORAGE + "66.1": "a spatial registration",
    _STORAGE + "66.2": "spatial fiducials",
    _STORAGE + "66.3": "a deformable registration",
    _STORAGE + "67": "a real-world value map",
    _STORAGE + "88.59": "a key object selection",
    _STORAGE + "88.65": "a CAD report",
    _STORAGE + "88.67": "a dose report",
    _STORAGE + "88.74": "a dose report",
    _STORAGE + "104.1": "a PDF",
    _STORAGE + "104.2": "a clinical document (CDA)",
    _STORAGE + "104.3": "a surface model (STL)",
    _STORAGE + "128": "a PET series",
    _STORAGE + "130": "an enhanced PET image",
    _STORAGE + "481.1": "a radiotherapy image",
    _STORAGE + "481.2": "a radiotherapy dose",
    _STORAGE + "481.5": "a radiotherapy plan",
    _STORAGE + "481.8": "a radiotherapy plan",
}
_FAMILIES = (
    (_STORAGE + "1.", "an X-ray image"),
    (_STORAGE + "6.", "an ultrasound image"),
    (_STORAGE + "7", "a screenshot (secondary capture)"),
    (_STORAGE + "9.", "a waveform (such as an ECG)"),
    (_STORAGE + "11.", "a presentation state"),
    (_STORAGE + "12.", "an X-ray angiography or fluoroscopy"),
    (_STORAGE + "13.", "an X-ray tomography"),
    (_STORAGE + "77.1.", "a photograph, endoscopy or microscopy image"),
    (_STORAGE + "88.", "a structured report"),
    (_STORAGE + "104.", "an encapsulated document"),
    (_STORAGE + "481.", "a radiotherapy object"),
)


def kind_in_words(sop_class: str, modality: str) -> str:
    """Return what an object of a SOP class is, such as ``a dose report``, with its article."""
    if sop_class in _NAMES:
        return _NAMES[sop_class]
    for family, words in _FAMILIES:
        if sop_class.startswith(family):
            return words
    return f"a DICOM object of class {sop_class or 'unknown'} ({modality or 'no modality'})"
