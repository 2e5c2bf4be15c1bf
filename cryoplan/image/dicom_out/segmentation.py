"""Segmentation: structures and isotherms as a DICOM SEG on the slices of the scan."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from cryoplan import RESEARCH_USE, __version__
from cryoplan.image.dicom_out.labels import LONGEST, labels_of
from cryoplan.image.dicom_out.series import EQUIPMENT, FIRST_NUMBER, MAKER, described
from cryoplan.image.dicom_out.study import SourceStudy
from cryoplan.image.segment import ISOTHERM, Segment

LARGEST_BYTES = 700_000_000
"""Voxels of all segments that one object is made of at once; more go into a second file."""

TISSUE = ("85756007", "SCT", "Tissue")
ANATOMY = ("123037004", "SCT", "Anatomical Structure")
ABNORMAL = ("49755003", "SCT", "Morphologically Abnormal Structure")
SPATIAL = ("309825002", "SCT", "Spatial and Relational Concept")
FROZEN = ("iso", "99CRYOPLAN", "Volume below a temperature")


def make_segmentations(source: SourceStudy, segments: Sequence[Segment]) -> tuple[Any, ...]:
    """Return BINARY segmentation objects of all segments with a voxel, usually one.

    Parameters
    ----------
    segments : sequence of Segment
        Masks on ``source.grid``; they may overlap.
    """
    shown = drawn(segments)
    labels = labels_of(segment.name for segment in shown)
    each = int(np.prod(source.grid.shape))
    most = max(1, LARGEST_BYTES // max(1, each))
    return tuple(
        _make(source, shown[begin : begin + most], labels[begin : begin + most], number)
        for number, begin in enumerate(range(0, len(shown), most), 1)
    )


def drawn(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return the segments that have a voxel: only these become segments of an object."""
    return tuple(segment for segment in segments if segment.mask.values.any())


def _make(source: SourceStudy, segments: Sequence[Segment], labels: Sequence[str], number: int) -> Any:
    import highdicom
    from pydicom.uid import generate_uid

    pixels = np.stack([segment.mask.values for segment in segments], axis=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seg = highdicom.seg.Segmentation(
            source_images=list(source.headers),
            pixel_array=pixels if source.is_slices else _placed(source, pixels),
            segmentation_type="BINARY",
            segment_descriptions=[
                _describe(segment, label, n)
                for n, (segment, label) in enumerate(zip(segments, labels, strict=True), 1)
            ],
            series_instance_uid=generate_uid(),
            series_number=FIRST_NUMBER + 1,
            sop_instance_uid=generate_uid(),
            instance_number=number,
            content_label="CRYOPLAN",
            content_description=RESEARCH_USE,
            content_creator_name=MAKER,
            **EQUIPMENT,
        )
    seg.SeriesDescription = described("Plan: structures, ice")
    return seg


def _placed(source: SourceStudy, pixels: Any) -> Any:
    """Return the voxels with their own place: for scans that are not one file a slice."""
    import highdicom

    grid = source.grid
    i, j, k = np.asarray(grid.direction, float).reshape(3, 3).T * np.asarray(grid.spacing_mm)[:, None]
    affine = np.eye(4)
    # highdicom's axes are slice, row, column.
    affine[:3, :3] = np.stack([k, j, i], axis=1)
    affine[:3, 3] = grid.origin_mm
    segments = pixels.shape[-1]
    return highdicom.Volume(
        np.ascontiguousarray(pixels),
        affine,
        coordinate_system="PATIENT",
        frame_of_reference_uid=str(source.first.FrameOfReferenceUID),
        channels={"SegmentNumber": list(range(1, segments + 1))},
    )


def _describe(segment: Segment, label: str, number: int) -> Any:
    import highdicom
    from highdicom.sr.coding import CodedConcept

    is_isotherm = segment.kind == ISOTHERM
    if is_isotherm:
        category, kind = SPATIAL, FROZEN
    else:
        category = ABNORMAL if segment.kind == "tumour" else ANATOMY
        code = segment.code
        kind = TISSUE if code is None else (code.value, code.scheme, code.meaning)
    algorithm = None
    if segment.is_automatic:
        if is_isotherm:
            family = CodedConcept("bioheat", "99CRYOPLAN", "Solved bioheat equation")
        elif segment.source.startswith("TotalSegmentator"):
            family = CodedConcept("123110", "DCM", "Artificial Intelligence")
        else:
            family = CodedConcept("rules", "99CRYOPLAN", "Rules on voxel values")
        algorithm = highdicom.AlgorithmIdentificationSequence(
            name=segment.source[:LONGEST], family=family, version=__version__
        )
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=CodedConcept(*category),
        segmented_property_type=CodedConcept(*kind),
        algorithm_type="AUTOMATIC" if segment.is_automatic else "MANUAL",
        algorithm_identification=algorithm,
        tracking_uid=highdicom.UID(),
        tracking_id=label,
        display_color=highdicom.color.CIELabColor.from_rgb(*segment.colour),
    )
