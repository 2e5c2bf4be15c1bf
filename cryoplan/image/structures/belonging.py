"""Belonging: whether DICOM structures were drawn on this patient and in this frame of reference."""

from __future__ import annotations

from typing import Any

from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.image.dicom_header import pseudonym
from cryoplan.image.scan import Scan
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
        If frame or patient are others than those of the scan.
    """
    if scan is None:
        return []
    facts = scan.facts
    wanted = facts.frame_of_reference_uid
    stated = {frame for frame in frames if frame}
    if wanted and stated and stated != {wanted}:
        raise StructureError(
            f"{name} was drawn in another frame of reference than the image.",
            "Load the image that it was drawn on.",
            code="other-frame-of-reference",
            place=name,
        )
    findings = []
    is_proven = bool(wanted and stated)
    if not is_proven:
        text = (
            f"Nothing proves that {name} was drawn on this image: one of them states no frame of reference. "
        )
        findings.append(note(Level.WARN, "frame-unproven", text + "Check where the structures lie.", name))
    if facts.kind != "dicom-series" or not facts.code:
        return findings
    identity, issuer, birth = (
        str(dataset.get(key, "") or "").strip()
        for key in ("PatientID", "IssuerOfPatientID", "PatientBirthDate")
    )
    if not identity:
        return findings
    # A program that draws contours may drop the issuer or the date of birth; it keeps the number.
    same = any(
        pseudonym("|".join((identity, i, b)).encode()) == facts.code
        for i in {issuer, ""}
        for b in {birth, ""}
    )
    if same:
        return findings
    if birth or not is_proven:
        raise StructureError(
            f"{name} belongs to another patient than the image.",
            "Choose the structures of this patient.",
            code="other-patient",
            place=name,
        )
    text = f"The patient's number in {name} could not be compared with that of the image."
    findings.append(note(Level.WARN, "patient-unproven", text + " Check that both are the same.", name))
    return findings
