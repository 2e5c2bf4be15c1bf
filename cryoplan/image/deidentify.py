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


ATTRIBUTES = (
    Attribute(fact="code", tag="(0010,0020)", name="Patient ID",
              profile=Action.EMPTY_OR_DUMMY,
              done="never kept; the pseudonym made of it is replaced by one made of the copy's secret"),
    Attribute(fact="code", tag="(0010,0030)", name="Patient's Birth Date", profile=Action.EMPTY,
              done="never kept; as Patient ID"),
    Attribute(fact="code", tag="(0010,0021)", name="Issuer of Patient ID", profile=Action.REMOVE,
              done="never kept; as Patient ID"),
    Attribute(fact="series_uid", tag="(0020,000E)", name="Series Instance UID", profile=Action.NEW_UID,
              done="replaced, the same UID by the same"),
    Attribute(fact="study_uid", tag="(0020,000D)", name="Study Instance UID", profile=Action.NEW_UID,
              done="replaced, the same UID by the same"),
    Attribute(fact="frame_of_reference_uid", tag="(0020,0052)", name="Frame of Reference UID",
              profile=Action.NEW_UID, done="replaced, the same UID by the same"),
    Attribute(fact="description", tag="(0008,103E)", name="Series Description", profile=Action.REMOVE,
              done="cleaned (Clean Descriptors Option): only words of a fixed list stay"),
    Attribute(fact="acquired_on", tag="(0008,0022)", name="Acquisition Date",
              profile=Action.REMOVE_OR_EMPTY, done="removed, or shifted if asked (113107)"),
    Attribute(fact="acquired_on", tag="(0008,0021)", name="Series Date",
              profile=Action.REMOVE_OR_DUMMY, done="removed, or shifted if asked (113107)"),
    Attribute(fact="acquired_on", tag="(0008,0020)", name="Study Date", profile=Action.EMPTY,
              done="removed, or shifted if asked (113107)"),
    Attribute(fact="series_part", tag="(0008,0032)", name="Acquisition Time",
              profile=Action.REMOVE_OR_EMPTY, done="removed, as all that tells parts of a series apart"),
    Attribute(fact="modality", tag="(0008,0060)", name="Modality", profile=Action.KEEP, done="kept"),
    Attribute(fact="patient_position", tag="(0018,5100)", name="Patient Position", profile=Action.KEEP,
              done="kept"),
    Attribute(fact="gantry_tilt_deg", tag="(0018,1120)", name="Gantry/Detector Tilt", profile=Action.KEEP,
              done="kept"),
    Attribute(fact="slice_thickness_mm", tag="(0018,0050)", name="Slice Thickness", profile=Action.KEEP,
              done="kept"),
    Attribute(fact="structure name", tag="(3006,0026)", name="ROI Name", profile=Action.EMPTY,
              done="replaced by role and number, unless the user agrees that it is kept"),
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


def identifying_words(image: Path) -> frozenset[str]:
    """Return the words, folded, that name the patient or the staff in the header of a DICOM series.

    They are for comparing and are never kept. A path that is not there or no DICOM gives none.
    """
    import pydicom  # slow to import

    from cryoplan.image.archive_zip import unpacked
    from cryoplan.image.dicom_header import files_below
    from cryoplan.image.formats import ZIP, kind_of

    words: set[str] = set()
    try:
        if image.is_file() and kind_of(image) == ZIP:
            with unpacked(image) as content:
                return identifying_words(content)
        files = files_below(image) if image.is_dir() else iter((image,))
        for file in files:
            try:
                header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_IDENTITY)
            except Exception:  # a damaged or foreign file names nobody; the next one may
                continue
            for element in header:
                if element.keyword != "SpecificCharacterSet":
                    words |= _folded_words(str(element.value))
            if words:
                break
    except Exception:  # the folder has gone
        return frozenset()
    return frozenset(words - _SAFE_WORDS)


def without_identity(name: str, words: Collection[str]) -> str:
    """Return a name without the parts that hold one of these words; ``structure`` where nothing is left."""
    if not words:
        return name
    pieces = re.split(r"([\W_]+)", name)
    kept = [p for p in pieces if not (p[:1].isalnum() and _names_somebody(p, words))]
    if len(kept) == len(pieces):
        return name
    text = re.sub(r"([\W_])[\W_]*", r"\1", "".join(kept)).strip(" _-.,;^")
    return text or "structure"


def _names_somebody(piece: str, words: Collection[str]) -> bool:
    folded = _fold(piece)
    if folded in _SAFE_WORDS:
        return False
    return any(word == folded or (len(word) > SHORTEST_WORD and word in folded) for word in words)


def _folded_words(text: str) -> set[str]:
    return {w for w in re.findall(r"[^\W_]+", _fold(text)) if len(w) >= SHORTEST_WORD}


def _fold(text: str) -> str:
    """Return text without case, accents and strokes, as people write names into names of files."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c)).translate(_PLAIN_LETTERS)
