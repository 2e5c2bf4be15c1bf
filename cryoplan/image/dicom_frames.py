"""The frames of an enhanced multi-frame CT or MR as if each were a file: place, scale and dimension of each.

The functional groups of a frame override those that all share (DICOM PS3.3 section C.7.6.16).
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from cryoplan.image.dicom_header import Header

# A cine of a whole day has not as many; the number comes from the file and sizes a loop.
_MOST_FRAMES = 50_000

_DIMENSIONS = (
    ("b-value", "MRDiffusionSequence", "DiffusionBValue"),
    ("echo", "MREchoSequence", "EffectiveEchoTime"),
    ("time-point", "FrameContentSequence", "TemporalPositionIndex"),
    ("trigger-time", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("image-type", "CTImageFrameTypeSequence", "FrameType"),
    ("image-type", "MRImageFrameTypeSequence", "FrameType"),
    ("kv", "CTXRayDetailsSequence", "KVP"),
    ("kernel", "CTReconstructionSequence", "ConvolutionKernel"),
    ("acquisition", "FrameContentSequence", "FrameAcquisitionNumber"),
    ("stack", "FrameContentSequence", "StackID"),
)


def frames_of(header: Header) -> tuple[Header, ...]:
    """Return one header for each frame of an enhanced file, in the order of its frames.

    A frame without place or scale keeps None there, so that it is refused like a file without them.

    Returns
    -------
    tuple of Header
        Empty when the file describes another number of frames than it holds, or cannot be understood.
    """
    import pydicom  # slow to import

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = pydicom.dcmread(header.path, stop_before_pixels=True)
            per_frame = ds.get("PerFrameFunctionalGroupsSequence") or ()
            shared = next(iter(ds.get("SharedFunctionalGroupsSequence") or ()), None)
            if len(per_frame) != header.frames or header.frames > _MOST_FRAMES:
                return ()
            return tuple(_frame(header, n, groups, shared) for n, groups in enumerate(per_frame))
    except Exception:  # a damaged file makes pydicom raise nearly any class; each means the same here
        return ()


def _frame(header: Header, number: int, own: Any, shared: Any) -> Header:
    def item(sequence: str) -> Any:
        for groups in (own, shared):
            if groups is not None and groups.get(sequence):
                return groups.get(sequence)[0]
        return None

    def numbers(sequence: str, name: str, count: int) -> tuple[float, ...] | None:
        group = item(sequence)
        try:
            value = group.get(name)
            values = tuple(float(v) for v in (value if count > 1 else [value]))
        except (AttributeError, TypeError, ValueError):
            return None
        return values if len(values) == count and bool(np.isfinite(values).all()) else None

    orientation = numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacing = numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    thickness = numbers("PixelMeasuresSequence", "SliceThickness", 1)
    slope = numbers("PixelValueTransformationSequence", "RescaleSlope", 1)
    intercept = numbers("PixelValueTransformationSequence", "RescaleIntercept", 1)
    height = numbers("CTAcquisitionDetailsSequence", "TableHeight", 1)
    dimensions: dict[str, str] = {}
    for name, sequence, tag in _DIMENSIONS:
        group = item(sequence)
        value = None if group is None else group.get(tag)
        if value not in (None, ""):
            parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
            dimensions[name] = "/".join(str(part).strip() for part in parts).replace(" ", "")
    kind = dimensions.get("image-type", "")
    return replace(
        header,
        frame=number,
        frames=1,
        position_mm=numbers("PlanePositionSequence", "ImagePositionPatient", 3),
        row=orientation[:3] if orientation else None,
        column=orientation[3:] if orientation else None,
        pixel_spacing_mm=(spacing[1], spacing[0]) if spacing else None,
        slice_thickness_mm=thickness[0] if thickness else header.slice_thickness_mm,
        slope=slope[0] if slope else 1.0,
        intercept=intercept[0] if intercept else 0.0,
        rescaled=slope is not None and intercept is not None,
        image_type=tuple(kind.upper().split("/")) if kind else header.image_type,
        dimensions=tuple(dimensions.items()),
        number=number + 1,
        # Of the whole file, if anything: frames have no such element.
        slice_location_mm=None,
        table_height_mm=height[0] if height else header.table_height_mm,
    )
