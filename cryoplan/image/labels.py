"""Structures out of files: label maps with their names, single masks, and DICOM segmentations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import ImageError, StructureError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.dicom_header import read_header
from cryoplan.image.dicom_kinds import LABELMAP_SEG, SEG
from cryoplan.image.dicom_seg import read_segmentation
from cryoplan.image.formats import DICOM, VOLUME_KINDS, kind_of
from cryoplan.image.label_names import LabelName, find_names, stem_of
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.path_check import check_path
from cryoplan.image.read import read_volume_file
from cryoplan.image.resample import onto_lattice
from cryoplan.image.same_patient import check_same_patient
from cryoplan.image.scan import Scan

MOST_LABELS = 500
"""TotalSegmentator has 117 classes; a file with more values than this is an image, not a label map."""


def read_masks(path: Path, scan: Scan | None = None) -> tuple[NamedMask, ...]:
    """Read the masks of one file.

    Parameters
    ----------
    path : Path
        A label map or single mask in NIfTI, NRRD or MetaImage (names in ``<stem>.json`` or ``labels.json``
        beside it), or a DICOM SEG.
    scan : Scan, optional
        The image that the masks belong to; they come back on its grid. A label map whose axes run the other
        way round is turned, which moves no voxel; any other difference is refused.

    Returns
    -------
    tuple of NamedMask
        One for each label that has a voxel, ordered by label; never empty.

    Raises
    ------
    StructureError
        If the file is no label map, has no label, or does not lie on the image's voxels.
    ImageError
        If the file cannot be read as an image at all.
    """
    path = Path(path)
    check_path(path)
    if path.is_dir():
        raise StructureError(
            f"{path.name} is a folder.",
            "Choose the label map or segmentation file in it.",
            code="not-a-label-map",
            place=path.name,
        )
    kind = kind_of(path)
    if kind == DICOM:
        header = read_header(path)
        if header is None or header.pixels_missing:
            raise StructureError(
                f"{path.name} is cut short or damaged.",
                "Copy the file again from its source.",
                code="truncated-file",
                place=path.name,
            )
        check_same_patient(header, scan)
        if header.sop_class in (SEG, LABELMAP_SEG):
            return read_segmentation(path, scan)
        raise StructureError(
            f"{path.name} is a DICOM file, but not a segmentation that this program reads.",
            "Choose a DICOM SEG, or export the structures as a label map.",
            code="not-a-label-map",
            place=path.name,
        )
    if kind not in VOLUME_KINDS:
        raise _not_labels(path, "is not an image")
    return _read_label_map(path, kind, scan)


def _read_label_map(path: Path, kind: str, scan: Scan | None) -> tuple[NamedMask, ...]:
    # Without codes for its orientation a mask may be mirrored; with an image beside it, the grids decide.
    accept = ("two-orientations",) if scan is not None else ()
    try:
        volume, _ = read_volume_file(path, kind, accept=accept)
    except ImageError as error:
        # A refused mask is the structure's fault, so the shells need not tell two classes apart.
        doubtful = error.code in ("orientation-unknown", "two-orientations")
        remedy = "Save it again with its orientation." if doubtful else error.remedy
        raise StructureError(error.what, remedy, code=error.code, place=error.place) from error
    volume = Volume(grid=volume.grid, values=_labels(volume.values, path))
    if scan is not None:
        volume = _on_scan(volume, scan, path)
    present = _present(volume.values)
    if len(present) > MOST_LABELS:
        raise _not_labels(path, f"has {len(present)} different values")
    if not present:
        raise StructureError(
            f"{path.name} has no label: all its voxels are 0.",
            "Choose another file.",
            code="no-labels",
            place=path.name,
        )
    names = find_names(path, set(present))
    if not names and len(present) == 1:
        names = {present[0]: LabelName(name=stem_of(path))}
    masks = []
    for label in present:
        entry = names.get(label, LabelName(name=f"label {label}"))
        masks.append(
            NamedMask(
                name=entry.name,
                mask=Volume(grid=volume.grid, values=volume.values == label),
                source=f"{path.name}, label {label}",
                role=entry.role,
                tissue=entry.tissue,
            )
        )
    return tuple(masks)


def _not_labels(path: Path, why: str) -> StructureError:
    return StructureError(
        f"{path.name} {why}, so it is no label map.",
        "Choose a label map (whole numbers, 0 outside) in NIfTI, NRRD or MetaImage, or a DICOM SEG.",
        code="not-a-label-map",
        place=path.name,
    )


def _labels(values: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    """Return voxels as whole numbers from 0, or refuse them."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or not np.array_equal(values, np.rint(values)):
            raise _not_labels(path, "has voxels that are not whole numbers")
        values = values.astype(np.int64)
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise _not_labels(path, f"has negative voxels (down to {low})")
    if high > 2**31 - 1:
        raise _not_labels(path, f"has voxels up to {high}")
    return values.astype(np.uint8 if high < 256 else np.int32, copy=False)


def _present(labels: npt.NDArray[Any]) -> list[int]:
    found = np.flatnonzero(np.bincount(labels.ravel())) if labels.max() < 1 << 20 else np.unique(labels)
    return [int(label) for label in found if label > 0]


def _on_scan(labels: Volume, scan: Scan, path: Path) -> Volume:
    grid = scan.volume.grid
    if grid.difference(labels.grid) is None:
        return Volume(grid=grid, values=labels.values)
    # Programs that write NIfTI often turn the rows over; the same voxels in another order are no other grid.
    if sorted(labels.grid.size) == sorted(grid.size):
        turned = onto_lattice(labels, grid)
        if turned is not None:
            return turned
    raise _other_grid(labels.grid, grid, path)


def _other_grid(here: Grid, there: Grid, path: Path) -> StructureError:
    lower, upper = here.bounds_mm()
    low, high = there.bounds_mm()
    if (upper < low).any() or (lower > high).any():
        return StructureError(
            f"{path.name} lies outside the image.",
            "Choose the label map that was drawn on this image.",
            code="mask-outside",
            place=path.name,
        )
    return StructureError(
        f"{path.name} is on another grid than the image: {here.difference(there)}.",
        "Resample it to the image's grid, or choose the label map that was drawn on this image.",
        code="mask-grid",
        place=path.name,
    )
