"""The door for structures: label maps, segmentations, contours and meshes, each told by its first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import ImageError, StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.volume import Volume
from cryoplan.image.dicom_header import read_header
from cryoplan.image.dicom_kinds import LABELMAP_SEG, RTSTRUCT, SEG, kind_in_words
from cryoplan.image.dicom_seg import read_segmentation
from cryoplan.image.formats import DICOM, NRRD, VOLUME_KINDS, kind_of
from cryoplan.image.label_names import LabelName, find_names, stem_of
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.path_check import check_path
from cryoplan.image.read import read_volume_file
from cryoplan.image.resample import onto_lattice
from cryoplan.image.scan import Scan
from cryoplan.image.structures.found import StructureFile, nothing_left
from cryoplan.image.structures.mesh import is_mesh, read_mesh
from cryoplan.image.structures.other_grid import onto_scan
from cryoplan.image.structures.rtstruct import read_rtstruct
from cryoplan.image.structures.slicer_seg import is_segmentation, read_slicer

MOST_LABELS = 500
"""TotalSegmentator has 117 classes; a file with more values than this is an image, not a label map."""


def read_masks(path: Path, scan: Scan | None = None, *, mesh_axes: str = "") -> tuple[NamedMask, ...]:
    """Read the masks of one file; `read_structures` also tells what was noticed."""
    return read_structures(path, scan, mesh_axes=mesh_axes).masks


def read_structures(path: Path, scan: Scan | None = None, *, mesh_axes: str = "") -> StructureFile:
    """Read the structures of one file.

    Parameters
    ----------
    path : Path
        A label map or single mask in NIfTI, NRRD or MetaImage (names in ``<stem>.json`` or ``labels.json``
        beside it), Slicer's ``.seg.nrrd``, a DICOM SEG or RTSTRUCT, or a mesh in STL, OBJ or PLY.
    scan : Scan, optional
        The image that the structures belong to; they come back on its grid. A label map whose axes run the
        other way round is turned, which moves no voxel; one on another grid is resampled, which is told.
        Contours and meshes need it.
    mesh_axes : str
        ``LPS`` or ``RAS``: the axes of a mesh, which most mesh files do not state.

    Returns
    -------
    StructureFile
        One mask for each label that has a voxel, ordered by label, never none; and what was noticed.

    Raises
    ------
    StructureError
        If the file holds no structures, belongs to another patient or frame, or all of it leaves the image.
    ImageError
        If there is no such file.
    """
    path = Path(path)
    check_path(path)
    if path.is_dir():
        raise StructureError(
            f"{path.name} is a folder.",
            "Choose the file of structures in it.",
            code="not-a-label-map",
            place=path.name,
        )
    if is_mesh(path):
        return read_mesh(path, scan, mesh_axes)
    kind = kind_of(path)
    if kind == DICOM:
        return _read_dicom(path, scan)
    if kind not in VOLUME_KINDS:
        raise _not_labels(path, "is not an image")
    if kind == NRRD and is_segmentation(path):
        return read_slicer(path, scan)
    return _read_label_map(path, kind, scan)


def _read_dicom(path: Path, scan: Scan | None) -> StructureFile:
    header = read_header(path)
    if header is None or header.pixels_missing:
        raise StructureError(
            f"{path.name} is cut short or damaged.",
            "Copy the file again from its source.",
            code="truncated-file",
            place=path.name,
        )
    if header.sop_class in (SEG, LABELMAP_SEG):
        return read_segmentation(path, scan)
    if header.sop_class == RTSTRUCT:
        return read_rtstruct(path, scan)
    raise StructureError(
        f"{path.name} is {kind_in_words(header.sop_class, header.modality)}, which holds no structures.",
        "Choose a DICOM SEG or RTSTRUCT, or export the structures as a label map.",
        code="not-a-label-map",
        place=path.name,
    )


def _read_label_map(path: Path, kind: str, scan: Scan | None) -> StructureFile:
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
    same = volume if scan is None else _on_scan(volume, scan)
    volume = volume if same is None else same
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
    masks: list[NamedMask] = []
    findings: list[Finding] = []
    for label in present:
        entry = names.get(label, LabelName(name=f"label {label}"))
        mask = Volume(grid=volume.grid, values=volume.values == label)
        if same is None and scan is not None:
            placed, finding = onto_scan(mask, scan.volume.grid, entry.name, path.name)
            findings.extend([finding] if finding is not None else [])
            if placed is None:
                continue
            mask = placed
        masks.append(
            NamedMask(
                name=entry.name,
                mask=mask,
                source=f"{path.name}, label {label}",
                role=entry.role,
                tissue=entry.tissue,
            )
        )
    if not masks:
        raise nothing_left(path.name, findings)
    return StructureFile(masks=tuple(masks), findings=tuple(findings))


def _not_labels(path: Path, why: str) -> StructureError:
    return StructureError(
        f"{path.name} {why}, so it is no label map.",
        "Choose a label map (whole numbers, 0 outside) in NIfTI, NRRD or MetaImage, a DICOM SEG or RTSTRUCT, "
        "or a mesh.",
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


def _on_scan(labels: Volume, scan: Scan) -> Volume | None:
    """Return the labels on the voxels of the scan, or None where they lie on another grid."""
    grid = scan.volume.grid
    if grid.difference(labels.grid) is None:
        return Volume(grid=grid, values=labels.values)
    # Programs that write NIfTI often turn the rows over; the same voxels in another order are no other grid.
    return onto_lattice(labels, grid)
