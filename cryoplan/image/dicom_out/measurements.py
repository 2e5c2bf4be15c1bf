"""Measurements: the numbers of the review as a structured report (DICOM TID 1500), each on its segment."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryoplan import RESEARCH_USE, __version__
from cryoplan.image.dicom_out.labels import LONGEST
from cryoplan.image.dicom_out.segmentation import TISSUE, drawn
from cryoplan.image.dicom_out.series import FIRST_NUMBER, MAKER, described
from cryoplan.image.dicom_out.study import SourceStudy
from cryoplan.image.segment import Code, Segment

OWN_SCHEME = "99CRYOPLAN"
VOLUME = Code(value="118565006", scheme="SCT", meaning="Volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number.

    Attributes
    ----------
    name : Code
    value : float
    unit : str
        In UCUM: ``mm``, ``mL``, ``%``, ``Cel``, ``s``.
    """

    name: Code
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All numbers of one structure or isotherm; `segment` is its name among the segments."""

    segment: str
    code: Code | None
    measures: tuple[Measure, ...]


def own(value: str, meaning: str) -> Code:
    """Return a name of a measurement that no public scheme has."""
    return Code(value=value[:16], scheme=OWN_SCHEME, meaning=meaning[:LONGEST])


def make_report(
    source: SourceStudy, segmentations: Sequence[Any], segments: Sequence[Segment], groups: Sequence[Group]
) -> Any:
    """Return a Comprehensive 3D SR whose groups refer to segments.

    Parameters
    ----------
    segmentations : sequence of pydicom.Dataset
        What `make_segmentations` made of `segments`.
    groups : sequence of Group
        A group whose segment is empty is left out, and so is one without a number.
    """
    import highdicom
    from highdicom import sr
    from highdicom.sr.coding import CodedConcept
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    # By their order: a label may be shorter than the name.
    items = [(seg, int(item.SegmentNumber), str(item.SegmentLabel)) for seg in segmentations
             for item in seg.SegmentSequence]  # fmt: skip
    places = {segment.name: item for segment, item in zip(drawn(segments), items, strict=True)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [
            _group(group, *places[group.segment])
            for group in groups
            if group.measures and group.segment in places
        ]
        context = sr.ObservationContext(
            observer_device_context=sr.ObserverContext(
                observer_type=codes.DCM.Device,
                observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
                    uid=generate_uid(),
                    name=MAKER,
                    manufacturer_name=MAKER,
                    model_name=f"{MAKER} {__version__}",
                ),
            )
        )
        report = sr.MeasurementReport(
            observation_context=context,
            procedure_reported=CodedConcept("plan", OWN_SCHEME, "Planning of a cryoablation"),
            imaging_measurements=found,
            title=codes.DCM.ImagingMeasurementReport,
        )
        ds = highdicom.sr.Comprehensive3DSR(
            evidence=[*source.headers, *segmentations],
            content=report,
            series_number=FIRST_NUMBER + 3,
            series_instance_uid=generate_uid(),
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer=MAKER,
            is_complete=True,
        )
    ds.SeriesDescription = described("Plan: measurements")
    ds.ContentLabel = "CRYOPLAN"
    ds.CompletionFlagDescription = RESEARCH_USE
    return ds


def _group(group: Group, segmentation: Any, number: int, label: str) -> Any:
    from highdicom import UID, sr
    from highdicom.sr.coding import CodedConcept

    code = group.code
    kind = TISSUE if code is None else (code.value, code.scheme, code.meaning)
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=UID(), identifier=label),
        referenced_segment=sr.ReferencedSegment.from_segmentation(segmentation, number),
        finding_type=CodedConcept(*kind),
        measurements=[
            sr.Measurement(
                name=CodedConcept(m.name.value, m.name.scheme, m.name.meaning),
                value=float(f"{m.value:.6g}"),
                unit=CodedConcept(m.unit, "UCUM", m.unit),
            )
            for m in group.measures
        ],
    )
