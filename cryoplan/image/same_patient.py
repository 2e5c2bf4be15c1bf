"""Structures of another patient are refused, before anybody looks whether they happen to fit."""

from __future__ import annotations

from cryoplan.core.errors import StructureError
from cryoplan.image.dicom_header import Header
from cryoplan.image.scan import Scan


def check_same_patient(header: Header, scan: Scan | None) -> None:
    """Let only a DICOM object pass that nothing says is of another patient than the scan.

    One frame of reference is one patient on one table, also where two programs wrote the identifiers
    differently; only where that does not speak for them, the pseudonyms are compared.

    Raises
    ------
    StructureError
        ``another-patient``.
    """
    if scan is None or scan.facts.kind != "dicom-series":
        return  # the pseudonym of any other file is made of its bytes
    facts, name = scan.facts, header.path.name
    if facts.frame_of_reference_uid and facts.frame_of_reference_uid == header.frame_of_reference_uid:
        return
    if header.patient_code != facts.code:
        raise StructureError(
            f"{name} is of another patient ({header.patient_code}, the image is {facts.code}).",
            "Choose the structures that were drawn on this image.",
            code="another-patient",
            place=name,
        )
