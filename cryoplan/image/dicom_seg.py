"""DICOM SEG -> masks, through highdicom, placed by position and never by frame number."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from cryoplan.core.errors import StructureError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.resample import onto_lattice
from cryoplan.image.scan import Scan


def read_segmentation(path: Path, scan: Scan | None = None) -> tuple[NamedMask, ...]:
    """Read every segment of a DICOM segmentation.

    Parameters
    ----------
    path : Path
        A binary or label map SEG file.
    scan : Scan, optional
        Image whose grid the masks are put on; a segmentation of some of its slices is filled up with empty
        ones. Without it they stay on the grid of the file, slices towards +normal.

    Returns
    -------
    tuple of NamedMask
        Segments that have at least one voxel, in the file's order.

    Raises
    ------
    StructureError
        If the file is damaged or fractional, belongs to another frame of reference, or its voxels are not
        voxels of the image.
    """
    import highdicom  # slow to import, and needed for this one format only

    name = path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seg = highdicom.seg.segread(path)
            kind = str(seg.segmentation_type.value)
            frame = str(seg.get("FrameOfReferenceUID", ""))
    except Exception as error:  # highdicom and pydicom raise nearly any class on a damaged file
        raise _damaged(name) from error
    if kind == "FRACTIONAL":
        raise StructureError(
            f"{name} is a fractional segmentation (probabilities or shares of a voxel).",
            "Export it as a binary segmentation.",
            code="seg-fractional",
            place=name,
        )
    _check_frame_of_reference(name, frame, scan)
    masks = []
    for number in seg.segment_numbers:
        label = _name(seg, number)
        mask = _segment(seg, int(number), name)
        if mask is None or not mask.values.any():
            continue
        if scan is not None:
            placed = _place(mask, scan.volume.grid)
            if placed is None:
                raise _elsewhere(name, label, mask.grid, scan.volume.grid)
            mask = placed
        masks.append(NamedMask(name=label, mask=mask, source=f"{name}, segment {number}"))
    if not masks:
        raise StructureError(
            f"{name} has no segment with a voxel in it.",
            "Choose another segmentation.",
            code="no-labels",
            place=name,
        )
    return tuple(masks)


def _damaged(name: str) -> StructureError:
    return StructureError(
        f"{name} is a DICOM segmentation that cannot be read.",
        "Export it again as a binary segmentation.",
        code="not-readable",
        place=name,
    )


def _check_frame_of_reference(name: str, frame: str, scan: Scan | None) -> None:
    wanted = scan.facts.frame_of_reference_uid if scan is not None else ""
    if wanted and frame and wanted != frame:
        raise StructureError(
            f"{name} was drawn in another frame of reference than the image.",
            "Load the image that it was drawn on.",
            code="other-frame-of-reference",
            place=name,
        )


def _name(seg: Any, number: int) -> str:
    description = seg.get_segment_description(number)
    label = str(description.segment_label).strip()
    if label and not label.lower().startswith("segment"):
        return label
    # "Segment_1" says nothing; the coded type ("Liver") is a name.
    return str(description.segmented_property_type.meaning).strip() or label or f"segment {number}"


def _segment(seg: Any, number: int, name: str) -> Volume | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
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
    array = np.asarray(volume.array) > 0
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


def _place(mask: Volume, grid: Grid) -> Volume | None:
    if mask.grid.size[2] == 1:
        # One slice alone does not know its distance to the next; the image does.
        spacing = (*mask.grid.spacing_mm[:2], grid.spacing_mm[2])
        mask = Volume(
            grid=Grid(
                size=mask.grid.size,
                spacing_mm=spacing,
                origin_mm=mask.grid.origin_mm,
                direction=mask.grid.direction,
            ),
            values=mask.values,
        )
    return onto_lattice(mask, grid)


def _elsewhere(name: str, label: str, here: Grid, there: Grid) -> StructureError:
    lower, upper = here.bounds_mm()
    low, high = there.bounds_mm()
    if (upper < low).any() or (lower > high).any():
        what, code = f"The segment {label} of {name} lies outside the image.", "mask-outside"
    else:
        reason = here.difference(there) or "its voxels lie between those of the image"
        what, code = (
            f"The segment {label} of {name} is drawn on another grid than the image: {reason}.",
            "mask-grid",
        )
    return StructureError(what, "Load the image that it was drawn on.", code=code, place=name)
