"""Belonging: whether DICOM structures were drawn on this patient and in this frame of reference."""

from __future__ import annotations

from typing import Any

from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.image.dicom_header import number_code, pseudonym
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.image.structures.found import note


def check_belonging(dataset: Any, frames: set[str], name: str, scan: Scan | None) -> list[Finding]:
    """Refuse structures of another patient or frame; say what could not be proven.

    Parameters
    ----------
    dataset : pydicom Dataset
        Header of the file, for who the patient is.
    frames : set of str
        Frames of reference that its structures state.
    name : str
        Name of the file.

    Raises
    ------
    StructureError
        ``another-patient`` or ``other-frame-of-reference``.
    """
    if scan is None:
        return []
    facts = scan.facts
    wanted = facts.frame_of_reference_uid
    stated = {frame for frame in frames if frame}
    is_framed = bool(wanted and stated == {wanted})
    findings = []
    if facts.kind == "dicom-series" and facts.code:  # the code of any other file is made of its bytes
        findings += _check_patient(dataset, facts, name, is_framed=is_framed)
    if wanted and stated and not is_framed:
        raise StructureError(
            f"{name} was drawn in another frame of reference than the image.",
            "Load the image that it was drawn on.",
            code="other-frame-of-reference",
            place=name,
        )
    if not is_framed:
        text = (
            f"Nothing proves that {name} was drawn on this image: one of them states no frame of reference. "
        )
        findings.append(note(Level.WARN, "frame-unproven", text + "Check where the structures lie.", name))
    return findings


def _check_patient(dataset: Any, facts: ScanFacts, name: str, *, is_framed: bool) -> list[Finding]:
    """Refuse another patient.

    A program that draws contours may drop the issuer of the number or the date of birth; it keeps the number.
    One frame of reference is one patient on one table, so it excuses what is missing; a number that differs
    it does not excuse.
    """
    number, issuer, birth = (
        str(dataset.get(key, "") or "").strip()
        for key in ("PatientID", "IssuerOfPatientID", "PatientBirthDate")
    )
    identities = {"|".join((number, i, b)) for i in {issuer, ""} for b in {birth, ""}}
    if any(pseudonym(identity.encode()) == facts.code for identity in identities if identity.strip("|")):
        return []
    is_same_number = bool(number) and number_code(number) == facts.number_code
    if is_same_number and not birth:
        return []
    if not number and is_framed:
        return []
    is_unknown = not number or not (facts.number_code or birth)
    if is_unknown or (is_same_number and is_framed):
        text = f"Nothing proves that {name} is of the patient of the image."
        return [note(Level.WARN, "patient-unproven", text + " Check that both are the same.", name)]
    raise StructureError(
        f"{name} is of another patient than the image.",
        "Choose the structures that were drawn on this image.",
        code="another-patient",
        place=name,
    )
