"""DICOM RTSTRUCT -> masks: closed planar contours with holes, keyholes and planes of any direction."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.scan import Scan
from cryoplan.image.structures.belonging import check_belonging
from cryoplan.image.structures.contour_mask import contour_mask
from cryoplan.image.structures.contours import sort_contours
from cryoplan.image.structures.found import StructureFile, empty, left_out, note, nothing_left, refusal

FloatArray = npt.NDArray[np.float64]

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_MOST_POINTS = 20_000_000
_AGAIN = "Export the structure set again from the program that drew it."


def read_rtstruct(path: Path, scan: Scan | None) -> StructureFile:
    """Read every structure of an RTSTRUCT file onto the voxels of a scan.

    Parameters
    ----------
    path : Path
        A DICOM RT Structure Set.
    scan : Scan
        The image that it was drawn on; contours have no voxels of their own, so it is needed.

    Returns
    -------
    StructureFile
        Masks on the scan's grid. Empty structures, open contours, points and structures that leave the image
        are left out and told in the findings.

    Raises
    ------
    StructureError
        If the file is damaged, belongs to another patient or frame of reference, a contour makes no sense,
        or nothing is left.
    """
    file = path.name
    if scan is None:
        raise StructureError(
            f"{file} holds contours, which have no voxels of their own.",
            "Load the image that they were drawn on first.",
            code="needs-image",
            place=file,
        )
    dataset = _open(path)
    try:
        names, frames = _names(dataset, file)
        findings = check_belonging(dataset, set(frames.values()), file, scan)
        drawn = _contours(dataset, names, file)
    except StructureError:
        raise
    except Exception as error:  # what lies in a sequence is read only now, and may be cut short
        raise _damaged(file, "is cut short or damaged") from error
    grid = scan.volume.grid
    masks: list[NamedMask] = []
    lost: list[Finding] = []
    for number, name in names.items():
        closed, others = drawn.get(number, ([], 0))
        mask = _one(name, closed, others, grid, file, findings, lost)
        if mask is not None:
            masks.append(NamedMask(name=name, mask=mask, source=f"{file}, structure {number}"))
    if not masks:
        raise nothing_left(file, lost)
    return StructureFile(masks=tuple(masks), findings=(*findings, *lost))


def _one(
    name: str,
    closed: list[FloatArray],
    others: int,
    grid: Grid,
    file: str,
    findings: list[Finding],
    lost: list[Finding],
) -> Volume | None:
    if others and not closed:
        lost.append(
            note(
                Level.WARN,
                "contours-not-closed",
                f"{name} of {file} is made of points or open lines, which enclose nothing, and was left out.",
                name,
            )
        )
        return None
    if others:
        text = f"{others} points or open lines of {name} in {file} enclose nothing and were left out."
        findings.append(note(Level.WARN, "contours-not-closed", text, name))
    planes, noted = sort_contours(closed, name, file)
    if planes is None:
        findings.extend(noted)
        lost.append(empty(name, file, "has no contour" if not closed else "encloses nothing"))
        return None
    away = left_out(file, name, grid.mm_to_index(planes.points), grid)
    if away is not None:
        lost.append(away)
        return None
    mask, more = contour_mask(planes, grid, file)
    findings.extend((*noted, *more))
    if not mask.values.any():
        lost.append(empty(name, file))
        return None
    return mask


def _open(path: Path) -> Any:
    import pydicom  # slow to import, and not needed for other files

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            _ = dataset.StructureSetROISequence, len(dataset.StructureSetROISequence)
    except Exception as error:  # a damaged file makes pydicom raise nearly any class
        raise _damaged(path.name, "cannot be read") from error
    return dataset


def _damaged(file: str, why: str) -> StructureError:
    return StructureError(
        f"{file} is a DICOM structure set that {why}.", _AGAIN, code="not-readable", place=file
    )


def _names(dataset: Any, file: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return name and frame of reference of each structure by its number, in the order of the file."""
    names: dict[int, str] = {}
    frames: dict[int, str] = {}
    whole = str(dataset.get("FrameOfReferenceUID", "") or "")
    for item in dataset.StructureSetROISequence:
        try:
            number = int(item.ROINumber)
        except (AttributeError, TypeError, ValueError) as error:
            raise _damaged(file, "has a structure without a number") from error
        if number in names:
            raise _damaged(file, f"has two structures with the number {number}")
        names[number] = str(item.get("ROIName", "") or "").strip() or f"structure {number}"
        frames[number] = str(item.get("ReferencedFrameOfReferenceUID", "") or "") or whole
    return names, frames


def _contours(dataset: Any, names: dict[int, str], file: str) -> dict[int, tuple[list[FloatArray], int]]:
    """Return for each structure its closed contours ``(n, 3)`` and how many other things it has."""
    drawn: dict[int, tuple[list[FloatArray], int]] = {}
    points = 0
    if "ROIContourSequence" not in dataset:
        raise _damaged(file, "ends before its contours, or has none")
    for item in dataset.ROIContourSequence or ():
        try:
            number = int(item.ReferencedROINumber)
        except (AttributeError, TypeError, ValueError) as error:
            raise _damaged(file, "has contours that belong to no structure") from error
        if number not in names:
            raise _damaged(file, f"has contours of a structure {number} that it does not name")
        closed, others = drawn.get(number, ([], 0))
        for place, contour in enumerate(item.get("ContourSequence") or (), start=1):
            kind = str(contour.get("ContourGeometricType", "") or "").strip().upper()
            if kind not in _CLOSED:
                others += 1
                continue
            closed.append(_points(contour, names[number], place, file))
            points += len(closed[-1])
            if points > _MOST_POINTS:
                raise _damaged(file, f"has more than {_MOST_POINTS} points")
        drawn[number] = (closed, others)
    return drawn


def _points(contour: Any, name: str, place: int, file: str) -> FloatArray:
    try:
        values = np.array([float(x) for x in contour.get("ContourData") or ()])
    except (TypeError, ValueError, OverflowError) as error:
        raise refusal(
            file, name, f"has points that are no numbers in its contour {place}", _AGAIN, "contour-points"
        ) from error
    stated = contour.get("NumberOfContourPoints")
    if len(values) % 3 or (stated not in (None, "") and int(stated) != len(values) // 3):
        raise refusal(
            file,
            name,
            f"has a contour ({place}) of {len(values)} coordinates for {stated} points",
            _AGAIN,
            "contour-points",
        )
    return values.reshape(-1, 3)
