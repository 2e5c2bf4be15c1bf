"""De-identify: what of a header may leave the case, and what takes the place of the rest.

The rules are those of DICOM PS3.15, Annex E: the Basic Application Level Confidentiality Profile (code
113100) with the Clean Descriptors Option (113105) and, where the caller shifts dates, the Retain Longitudinal
Temporal Information With Modified Dates Option (113107). `ATTRIBUTES` holds the row of its Table E.1-1 for
every header attribute that a case keeps; an attribute that is not in that table is kept as it is.

Descriptions are cleaned by a list of words that may stay, because a list of words that may not never ends.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Finding
from cryoplan.image.scan import ScanFacts

SOURCE = "DICOM PS3.15 2024b, Table E.1-1, column Basic Prof."
"""The edition that `ATTRIBUTES` was compared with, row by row."""


class Action(StrEnum):
    """What is done with an attribute; the letters are those of PS3.15, section E.1."""

    KEEP = "-"
    REMOVE = "X"
    EMPTY = "Z"
    EMPTY_OR_DUMMY = "Z/D"
    REMOVE_OR_EMPTY = "X/Z"
    REMOVE_OR_DUMMY = "X/D"
    NEW_UID = "U"
    CLEAN = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One header attribute of a case.

    Attributes
    ----------
    fact : str
        Field of `ScanFacts`, or of the structure, that holds it.
    tag, name : str
        In DICOM.
    profile : Action
        What the Basic Profile asks for; `KEEP` where the table does not name the attribute.
    done : str
        What is done here.
    """

    fact: str
    tag: str
    name: str
    profile: Action
    done: str


_REPLACED, _SHIFTED = "replaced, the same UID by the same", "removed, or shifted if asked (113107)"
_KEPT, _NEVER = "kept", "never kept; as Patient ID"

ATTRIBUTES = tuple(
    Attribute(fact=fact, tag=tag, name=name, profile=profile, done=done)
    for fact, tag, name, profile, done in (
        ("code", "(0010,0020)", "Patient ID", Action.EMPTY_OR_DUMMY,
         "never kept; the pseudonym made of it is replaced by one made of the copy's secret"),
        ("number_code", "(0010,0020)", "Patient ID", Action.EMPTY_OR_DUMMY, "removed, also its pseudonym"),
        ("code", "(0010,0030)", "Patient's Birth Date", Action.EMPTY, _NEVER),
        ("code", "(0010,0021)", "Issuer of Patient ID", Action.REMOVE, _NEVER),
        ("series_uid", "(0020,000E)", "Series Instance UID", Action.NEW_UID, _REPLACED),
        ("study_uid", "(0020,000D)", "Study Instance UID", Action.NEW_UID, _REPLACED),
        ("frame_of_reference_uid", "(0020,0052)", "Frame of Reference UID", Action.NEW_UID, _REPLACED),
        ("description", "(0008,103E)", "Series Description", Action.REMOVE,
         "cleaned (Clean Descriptors Option): only words of a fixed list stay"),
        ("acquired_on", "(0008,0022)", "Acquisition Date", Action.REMOVE_OR_EMPTY, _SHIFTED),
        ("acquired_on", "(0008,0021)", "Series Date", Action.REMOVE_OR_DUMMY, _SHIFTED),
        ("acquired_on", "(0008,0020)", "Study Date", Action.EMPTY, _SHIFTED),
        ("series_part", "(0008,0032)", "Acquisition Time", Action.REMOVE_OR_EMPTY,
         "removed, as all that tells parts of a series apart"),
        ("modality", "(0008,0060)", "Modality", Action.KEEP, _KEPT),
        ("patient_position", "(0018,5100)", "Patient Position", Action.KEEP, _KEPT),
        ("gantry_tilt_deg", "(0018,1120)", "Gantry/Detector Tilt", Action.KEEP, _KEPT),
        ("slice_thickness_mm", "(0018,0050)", "Slice Thickness", Action.KEEP, _KEPT),
        ("slice_locations_mm", "(0020,1041)", "Slice Location", Action.KEEP, _KEPT),
        ("slice_numbers", "(0020,0013)", "Instance Number", Action.KEEP, _KEPT),
        ("table_height_mm", "(0018,1130)", "Table Height", Action.KEEP, _KEPT),
        ("structure name", "(3006,0026)", "ROI Name", Action.EMPTY,
         "replaced by role and number, unless the user agrees that it is kept"),
    )
)  # fmt: skip
"""The rows of `SOURCE` for all that a case keeps of a header; path, kind and findings are no attributes."""

_SAFE_WORDS = frozenset(
    re.findall(
        r"[^\W\d_]+",
        """
        abd abdomen abdominal acquisition adrenal air angio aorta art arterial artery ax axial biopsy bladder
        body bone bowel brain breast chest colon contrast cor coronal ct dce delayed dicom diffusion dixon
        duodenum dwi early enhanced equilibrium fat fluid follow gallbladder gas head hepatic hip image images
        in iv kidney kidneys kv late lesion left liver lumbar lung lungs mass mm mr mri muscle native neck
        nerve no non of or oral out pancreas pelvis phase plain planning portal post pre prostate pv rectum
        recon renal right sag sagittal scan sequence series skin slice slices soft spine spleen std standard
        stomach supine prone t thick thin thorax tissue tra transverse tumor tumour ureter urethra up vein
        venous vena vessel vibe vol volume window with without wo
        cava ctv cyst gtv itv ivc label mask ptv roi segment segmentation structure target zone
        """,
    )
)
"""Words of descriptions that name what was scanned and how, and nobody."""

_THICKNESS = re.compile(r"\d{1,2}(?:[.,]\d{1,2})?\s?mm")

_PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)

_IDENTITY = [
    "SpecificCharacterSet", "PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames",
    "PatientBirthName", "PatientMotherBirthName", "PatientBirthDate", "IssuerOfPatientID", "AccessionNumber",
    "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "PhysiciansOfRecord",
    "NameOfPhysiciansReadingStudy", "RequestingPhysician", "PatientAddress", "PatientTelephoneNumbers",
    "InstitutionName", "InstitutionAddress", "StationName", "PatientComments", "MedicalRecordLocator",
]  # fmt: skip

SHORTEST_WORD = 3
"""Shorter pieces of a name (initials, `de`) identify nobody and would take parts out of every other word."""


def new_uid(uid: str, secret: bytes) -> str:
    """Return a UID in place of `uid`: the same for the same UID and secret, and no way back.

    The root 2.25 takes a UUID as a decimal number (PS3.5, section B.2); the UUID is made of a SHA-256.
    An empty UID stays empty.
    """
    if not uid:
        return ""
    digest = hashlib.sha256(b"cryoplan-uid|" + secret + b"|" + uid.encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def new_code(code: str, secret: bytes) -> str:
    """Return a pseudonym in place of another one; with a new secret for each copy nobody can match copies."""
    return "D-" + hashlib.sha256(b"cryoplan-code|" + secret + b"|" + code.encode()).hexdigest()[:8].upper()


def clean_description(text: str) -> str:
    """Return the words of a description that name what was scanned and how; the rest is left out."""
    lengths = _THICKNESS.findall(text)
    words = re.findall(r"[^\W\d_]+", _THICKNESS.sub(" ", text))
    kept = [word for word in words if word.casefold() in _SAFE_WORDS and word.casefold() != "mm"]
    return " ".join([*kept, *(length.replace(" ", "") for length in lengths)])


def deidentified_facts(
    facts: ScanFacts, *, secret: bytes, code: str = "", shift_days: int | None = None
) -> ScanFacts:
    """Return what may leave of the facts of a scan, by `ATTRIBUTES`.

    Parameters
    ----------
    secret : bytes
        Makes the new UIDs and code; keep it to give later copies of the same patient the same ones, or
        throw it away so that nobody can.
    code : str
        The new pseudonym; made of the old one when left out.
    shift_days : int, optional
        By how much dates are moved; without it they are removed.
    """
    return replace(
        facts,
        path="",
        code=code or new_code(facts.code, secret),
        number_code="",
        series_uid=new_uid(facts.series_uid, secret),
        study_uid=new_uid(facts.study_uid, secret),
        frame_of_reference_uid=new_uid(facts.frame_of_reference_uid, secret),
        series_part="",
        description=clean_description(facts.description),
        acquired_on=_shifted(facts.acquired_on, shift_days),
        findings=without_words(facts.findings),
    )


def _shifted(day: str, by_days: int | None) -> str:
    if by_days is None or not day:
        return ""
    try:
        return (date.fromisoformat(day) + timedelta(days=by_days)).isoformat()
    except (ValueError, OverflowError):
        return ""


def without_words(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings that say by their code alone what was noticed: their sentences may name anything."""
    return tuple(
        replace(f, text=f"Noticed before this copy was made: {f.code.replace('-', ' ')}.", place="")
        for f in findings
    )


# --- names of files -----------------------------------------------------------------------------------------


def nameless(findings: Iterable[Finding], names: Collection[str]) -> tuple[Finding, ...]:
    """Return findings that name none of these files and folders; names of files often name the patient.

    Names of up to three characters and such that are plain words of radiology stay.
    """
    telling = sorted(
        (n for n in set(names) if len(n) > SHORTEST_WORD and n.casefold() not in _SAFE_WORDS),
        key=len,
        reverse=True,
    )
    found = []
    for finding in findings:
        text, place = finding.text, finding.place
        for name in telling:
            if name in text:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "a file", text)
            if name in place:
                place = ""
        text = re.sub(r"\S*[/\\]\S*[/\\]\S*", "a file", text)
        text = re.sub(r"a file(?:, a file)+", "several files", text)
        found.append(replace(finding, text=text[:1].upper() + text[1:], place=place))
    return tuple(found)


# --- names of people in names of structures -----------------------------------------------------------------


def identifying_words(image: Path) -> frozenset[str] | None:
    """Return the words, folded, that name the patient or the staff in the header of a DICOM series.

    They are for comparing and are never kept. None when nobody can tell them: the files have gone, cannot be
    read, or are no DICOM; then `without_identity` keeps only words that name nobody.
    """
    from cryoplan.image.archive_zip import unpacked
    from cryoplan.image.dicom_header import files_below
    from cryoplan.image.formats import DICOM, ZIP, kind_of

    try:
        if image.is_file() and kind_of(image) == ZIP:
            with unpacked(image) as content:
                return identifying_words(content)
        files = files_below(image) if image.is_dir() else iter((image,))
        is_judged = is_doubtful = False
        for file in files:
            if kind_of(file) != DICOM:  # a text beside the series says nothing of it
                continue
            words = _header_words(file)
            if words:
                return words - _SAFE_WORDS
            is_judged = is_judged or words is not None
            is_doubtful = is_doubtful or words is None
    except (OSError, ImageError):  # gone, or an archive that cannot be opened any more
        return None
    return frozenset() if is_judged and not is_doubtful else None


def _header_words(file: Path) -> frozenset[str] | None:
    """Return the identifying words of one file; None when they cannot be read from it."""
    import pydicom  # slow to import

    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_IDENTITY)
        # Values are decoded when they are asked for, so this reads as well.
        texts = [str(e.value) for e in header if e.keyword != "SpecificCharacterSet"]
    except Exception:  # a damaged file makes pydicom raise nearly any class; each means the same here
        return None
    return frozenset(word for text in texts for word in _folded_words(text))


def without_identity(name: str, words: Collection[str] | None) -> str:
    """Return a name without the parts that hold one of these words; ``structure`` where nothing is left.

    With None, where no words are known to look for, only words of radiology and parts too short to name
    anybody stay.
    """
    if words is not None and not words:
        return name
    pieces = re.split(r"([\W_]+)", name)
    kept = [p for p in pieces if not (p[:1].isalnum() and _names_somebody(p, words))]
    if len(kept) == len(pieces):
        return name
    text = re.sub(r"([\W_])[\W_]*", r"\1", "".join(kept)).strip(" _-.,;^")
    return text or "structure"


def _names_somebody(piece: str, words: Collection[str] | None) -> bool:
    folded = _fold(piece)
    if folded in _SAFE_WORDS:
        return False
    if words is None:
        return len(folded) >= SHORTEST_WORD
    return any(word == folded or (len(word) > SHORTEST_WORD and word in folded) for word in words)


def _folded_words(text: str) -> set[str]:
    return {w for w in re.findall(r"[^\W_]+", _fold(text)) if len(w) >= SHORTEST_WORD}


def _fold(text: str) -> str:
    """Return text without case, accents and strokes, as people write names into names of files."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c)).translate(_PLAIN_LETTERS)
