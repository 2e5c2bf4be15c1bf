"""RTSTRUCT: structures, isotherms and probes as contours in the planes of the scan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan import RESEARCH_USE
from cryoplan.core.geometry import Point
from cryoplan.core.volume import Volume
from cryoplan.image.dicom_out.contours import level_contours, mask_contours
from cryoplan.image.dicom_out.labels import labels_of
from cryoplan.image.dicom_out.series import begin, stamp
from cryoplan.image.dicom_out.study import SourceStudy
from cryoplan.image.segment import ISOTHERM, Segment

RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_INTERPRETED = {"tumour": "GTV", "body": "EXTERNAL", ISOTHERM: ""}
_ORGAN = "ORGAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A line from skin to tip, which becomes an open contour of two points."""

    name: str
    entry_mm: Point
    tip_mm: Point
    colour: tuple[int, int, int]


def make_rtstruct(
    source: SourceStudy, segments: Sequence[Segment], lowest_degc: Volume, needles: Sequence[Needle]
) -> Any:
    """Return an RTSTRUCT object.

    Parameters
    ----------
    segments : sequence of Segment
        Masks on ``source.grid``. Structures are outlined along the edges of their voxels; isotherms between
        the voxels, in `lowest_degc`.
    lowest_degc : Volume
        Lowest temperatures on ``source.grid``.
    needles : sequence of Needle
        Probes and other needles.
    """
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    ds = begin(source, RTSTRUCT_CLASS, number=2, description="Plan: structures, ice", modality="RTSTRUCT")
    ds.FrameOfReferenceUID = source.first.FrameOfReferenceUID
    ds.PositionReferenceIndicator = ""
    ds.StructureSetLabel = "CRYOPLAN"
    ds.StructureSetName = "Cryoablation plan"
    ds.StructureSetDescription = (
        f"{RESEARCH_USE}. Contours along voxel edges; isotherms of the lowest temperature"
    )
    stamp(ds, "StructureSet")
    ds.OperatorsName = ""
    ds.ApprovalStatus = "UNAPPROVED"
    ds.ReferencedFrameOfReferenceSequence = Items([_frame(source)])
    rois, contours, observations = [], [], []
    frame_uid = str(source.first.FrameOfReferenceUID)
    shapes = tuple(_shapes(source, segments, lowest_degc, needles))
    labels = labels_of(segment.name for segment, _ in shapes)
    for number, ((segment, items), label) in enumerate(zip(shapes, labels, strict=True), 1):
        roi = Dataset()
        roi.ROINumber = number
        roi.ReferencedFrameOfReferenceUID = frame_uid
        roi.ROIName = label
        roi.ROIDescription = segment.source[:1024]
        roi.ROIGenerationAlgorithm = "AUTOMATIC" if segment.is_automatic else "MANUAL"
        rois.append(roi)
        contour = Dataset()
        contour.ReferencedROINumber = number
        contour.ROIDisplayColor = list(segment.colour)
        contour.ContourSequence = Items(items)
        contours.append(contour)
        observations.append(_observation(segment, number))
    ds.StructureSetROISequence = Items(rois)
    ds.ROIContourSequence = Items(contours)
    ds.RTROIObservationsSequence = Items(observations)
    return ds


@dataclass(frozen=True, slots=True)
class _Named:
    """A needle as far as it looks like a segment."""

    name: str
    colour: tuple[int, int, int]
    source: str = "planned path from skin to tip"
    kind: str = "needle"
    is_automatic: bool = False
    code: None = None


def _shapes(
    source: SourceStudy, segments: Sequence[Segment], lowest_degc: Volume, needles: Sequence[Needle]
) -> Iterable[tuple[Segment | _Named, list[Any]]]:
    for segment in segments:
        lines = (
            mask_contours(segment.mask)
            if segment.threshold_degc is None
            else level_contours(lowest_degc, segment.threshold_degc)
        )
        items = [_contour(points, "CLOSED_PLANAR", _slice(source, k)) for k, points in lines]
        if items:
            yield segment, items
    for needle in needles:
        points = np.array([needle.entry_mm, needle.tip_mm], float)
        yield _Named(needle.name, needle.colour), [_contour(points, "OPEN_NONPLANAR", None)]


def _contour(points: npt.NDArray[np.float64], kind: str, image: Any) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    item = Dataset()
    if image is not None:
        item.ContourImageSequence = Items([_reference(image)])
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points)
    # A thousandth of a millimetre, within the 16 characters of a decimal string.
    item.ContourData = [f"{value:.3f}" for value in points.ravel()]
    return item


def _slice(source: SourceStudy, k: int) -> Any:
    return source.headers[k] if source.is_slices else None


def _reference(image: Any) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = image.SOPClassUID
    item.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return item


def _frame(source: SourceStudy) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    series = Dataset()
    series.SeriesInstanceUID = source.first.SeriesInstanceUID
    series.ContourImageSequence = Items([_reference(header) for header in source.headers])
    study = Dataset()
    study.ReferencedSOPClassUID = (
        "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, as PS3.3 C.8.8.5 has it
    )
    study.ReferencedSOPInstanceUID = source.first.StudyInstanceUID
    study.RTReferencedSeriesSequence = Items([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = source.first.FrameOfReferenceUID
    frame.RTReferencedStudySequence = Items([study])
    return frame


def _observation(segment: Segment | _Named, number: int) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    kind = "" if isinstance(segment, _Named) else _INTERPRETED.get(segment.kind, _ORGAN)
    item.RTROIInterpretedType = kind
    item.ROIInterpreter = ""
    if segment.code is not None:
        code = Dataset()
        code.CodeValue = segment.code.value
        code.CodingSchemeDesignator = segment.code.scheme
        code.CodeMeaning = segment.code.meaning
        item.RTROIIdentificationCodeSequence = Items([code])
    return item
