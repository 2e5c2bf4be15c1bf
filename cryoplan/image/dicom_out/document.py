"""Document: a PDF as a DICOM object, and pictures as secondary captures, beside the images of the study."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from cryoplan import RESEARCH_USE
from cryoplan.image.dicom_out.series import EQUIPMENT, FIRST_NUMBER, begin, described, stamp
from cryoplan.image.dicom_out.study import SourceStudy

PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"


def make_pdf(source: SourceStudy, pdf: bytes, title: str, *, number: int, instance: int = 1) -> Any:
    """Return an Encapsulated PDF object (PS3.3 A.45.1).

    Parameters
    ----------
    title : str
        Title of the document.
    number : int
        Place of its series behind the first of the plan.
    """
    from pydicom.sequence import Sequence as Items

    ds = begin(source, PDF_CLASS, number=number, description=title, modality="DOC")
    ds.InstanceNumber = instance
    ds.ConversionType = "WSD"
    stamp(ds, "Content")
    ds.AcquisitionDateTime = ""
    ds.BurnedInAnnotation = "YES"
    ds.DocumentTitle = f"{title}. {RESEARCH_USE}"
    ds.ConceptNameCodeSequence = Items([])
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    # The length tells a reader which byte was only added to make it even.
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return ds


def make_captures(source: SourceStudy, pictures: tuple[tuple[str, bytes], ...]) -> tuple[Any, ...]:
    """Return pictures (caption and PNG) as secondary captures of one series.

    Raises
    ------
    ValueError
        If a picture is not PNG.
    """
    import highdicom
    from pydicom.uid import generate_uid

    series = generate_uid()
    found = []
    for number, (caption, png) in enumerate(pictures, 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = highdicom.sc.SCImage.from_ref_dataset(
                ref_dataset=source.first,
                pixel_array=_pixels(png),
                photometric_interpretation="RGB",
                bits_allocated=8,
                coordinate_system="PATIENT",
                series_instance_uid=series,
                series_number=FIRST_NUMBER + 5,
                sop_instance_uid=generate_uid(),
                instance_number=number,
                manufacturer=EQUIPMENT["manufacturer"],
                patient_orientation=("L", "P"),  # the writer wants one
            )
        # A picture of a plan, in 3D too, has no axes of the patient.
        ds.PatientOrientation = None
        if not source.first.get("BodyPartExamined"):
            ds.Laterality = ""
        ds.SeriesDescription = described("Plan: key images")
        ds.ImageComments = f"{caption} {RESEARCH_USE}."
        ds.BurnedInAnnotation = "YES"
        ds.ImageType = ["DERIVED", "SECONDARY"]
        stamp(ds, "Content")
        found.append(ds)
    return tuple(found)


def _pixels(png: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        if picture.format != "PNG":
            raise ValueError("a key image is no PNG")
        return np.asarray(picture.convert("RGB"), np.uint8)
