"""DICOM SEG -> masks, through highdicom, placed by position and never by frame number."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan
from cryoplan.image.structures.belonging import check_belonging
from cryoplan.image.structures.coverage import as_mask
from cryoplan.image.structures.found import StructureFile, empty, note, nothing_left
from cryoplan.image.structures.other_grid import onto_scan


def read_segmentation(path: Path, scan: Scan | None = None) -> StructureFile:
    """Read every segment of a DICOM segmentation.

    Parameters
    ----------
    path : Path
        A binary, label map or fractional SEG file. Of a fractional one, voxels of one half and more count; a
        segment of occupied shares that reaches half nowhere keeps its volume in its best voxels.
    scan : Scan, optional
        Image whose grid the masks are put on; a segmentation of some of its slices is filled up with empty
        ones, one on another grid is resampled. Without it they stay on the grid of the file, slices towards
        +normal.

    Returns
    -------
    StructureFile
        Segments that have at least one voxel, in the file's order; the others are told in the findings.

    Raises
    ------
    StructureError
        If the file is damaged, belongs to another patient or frame of reference, or no segment is left.
    """
    import highdicom  # slow to import, and needed for this one format only

    name = path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seg = highdicom.seg.segread(path)
            kind = str(seg.segmentation_type.value)
            share = str(seg.get("SegmentationFractionalType", "")) if kind == "FRACTIONAL" else ""
            frame = str(seg.get("FrameOfReferenceUID", ""))
    except Exception as error:  # highdicom and pydicom raise nearly any class on a damaged file
        raise _damaged(name) from error
    findings = check_belonging(seg, {frame}, name, scan)
    if share:
        what = "probabilities" if share == "PROBABILITY" else "shares of a voxel"
        text = f"{name} holds {what}; voxels of one half and more count as inside."
        findings.append(note(Level.OK, "seg-fractional", text, name))
    masks: list[NamedMask] = []
    lost: list[Finding] = []
    for number in seg.segment_numbers:
        label = _name(seg, number)
        mask = _segment(seg, int(number), name, share)
        if mask is None or not mask.values.any():
            lost.append(empty(label, name))
            continue
        if scan is not None:
            placed, finding = onto_scan(
                _with_scan_spacing(mask, scan.volume.grid), scan.volume.grid, label, name
            )
            if placed is None and finding is not None:
                lost.append(finding)
                continue
            findings.extend([finding] if finding is not None else [])
            mask = placed or mask
        masks.append(
            NamedMask(name=label, mask=mask, source=f"{name}, segment {number}", code=_code(seg, number))
        )
    if not masks:
        raise nothing_left(name, lost)
    return StructureFile(masks=tuple(masks), findings=(*findings, *lost))


def _damaged(name: str) -> StructureError:
    return StructureError(
        f"{name} is a DICOM segmentation that cannot be read.",
        "Export it again from the program that drew it.",
        code="not-readable",
        place=name,
    )


def _name(seg: Any, number: int) -> str:
    description = seg.get_segment_description(number)
    label = str(description.segment_label).strip()
    if label and not label.lower().startswith("segment"):
        return label
    # "Segment_1" says nothing; the coded type ("Liver") is a name.
    return str(description.segmented_property_type.meaning).strip() or label or f"segment {number}"


def _code(seg: Any, number: int) -> str:
    """Return the coded type of a segment as ``SCT 10200004``."""
    concept = seg.get_segment_description(number).segmented_property_type
    return f"{concept.scheme_designator} {concept.value}"


def _segment(seg: Any, number: int, name: str, share: str) -> Volume | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if share:
                volume = seg.get_volume(segment_numbers=[number], rescale_fractional=True)
            else:
                volume = seg.get_volume(
                    segment_numbers=[number], combine_segments=True, relabel=True, skip_overlap_checks=True
                )
    except (RuntimeError, ValueError) as error:
        if "no frames" in str(error).lower():
            return None
        raise StructureError(
            f"The slices of segment {number} of {name} are not one regular stack ({error}).",
            "Export the segmentation again from the program that drew it.",
            code="seg-geometry",
            place=name,
        ) from error
    values = np.asarray(volume.array)
    if share:
        values = np.asarray(values.reshape(values.shape[:3]), np.float32)
        array = values >= 0.5
        # Shares may fade over several voxels; only a segment too thin for any half voxel is built from them.
        if share == "OCCUPANCY" and not array.any():
            array = as_mask(values)
    else:
        array = values > 0
    affine = np.asarray(volume.affine, float)
    # highdicom's axes are slice, row, column; ours are i (column), j (row), k (slice), arrays [k, j, i].
    matrix, origin_mm = affine[:3, 2::-1], affine[:3, 3]
    if np.linalg.det(matrix) < 0:  # slices listed against their normal
        origin_mm = origin_mm + matrix[:, 2] * (array.shape[0] - 1)
        matrix = matrix * np.array([1.0, 1.0, -1.0])
        array = array[::-1]
    spacing = np.linalg.norm(matrix, axis=0)
    grid = Grid(
        size=array.shape[::-1],
        spacing_mm=tuple(spacing),
        origin_mm=tuple(origin_mm),
        direction=tuple((matrix / spacing).ravel()),
    )
    return Volume(grid=grid, values=np.ascontiguousarray(array))


def _with_scan_spacing(mask: Volume, grid: Grid) -> Volume:
    """Give a mask of one slice the slice distance of the scan: alone it does not know it."""
    if mask.grid.size[2] > 1:
        return mask
    own = Grid(
        size=mask.grid.size,
        spacing_mm=(*mask.grid.spacing_mm[:2], grid.spacing_mm[2]),
        origin_mm=mask.grid.origin_mm,
        direction=mask.grid.direction,
    )
    return Volume(grid=own, values=mask.values)
