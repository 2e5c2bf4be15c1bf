"""Headers of NIfTI, NRRD and MetaImage files, read without ITK for what ITK would mend in silence.

Measured with ITK 5: a voxel size of zero or NaN becomes 1, a missing orientation becomes the identity, a
truncated NIfTI file reads as zeros, a damaged compressed MetaImage reads as wrong voxels, and a header may
name any other file of the disk.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.image.formats import METAIMAGE, NIFTI
from cryoplan.image.memory import check_memory
from cryoplan.image.metaimage_header import metaimage_voxel_findings, read_metaimage
from cryoplan.image.nifti_header import nifti_voxel_findings, read_nifti
from cryoplan.image.nrrd_header import nrrd_voxel_findings, read_nrrd
from cryoplan.image.raw_header import RawHeader, cut_short, fail

__all__ = ["RawHeader", "check_voxels_whole", "proven_grid", "read_raw_header"]

POSITION_TOLERANCE_MM = 0.05

_DAMAGE = (ValueError, KeyError, IndexError, struct.error, EOFError, OSError, zlib.error, OverflowError)


def read_raw_header(path: Path, kind: str) -> RawHeader:
    """Read the header of a volume file and check what it promises; reads no voxel."""
    read = read_nifti if kind == NIFTI else read_metaimage if kind == METAIMAGE else read_nrrd
    try:
        header = read(path)
    except _DAMAGE:
        return RawHeader(findings=(fail("bad-header", f"The header of {path.name} is damaged.", path),))
    if any(f.level is Level.FAIL for f in header.findings):
        return header
    return replace(
        header, findings=header.findings + check_memory(header.size, header.voxel_bytes, path.name)
    )


def check_voxels_whole(path: Path, kind: str) -> tuple[Finding, ...]:
    """Check that the voxels are all there and undamaged, as far as ITK would not notice itself."""
    check = (
        nifti_voxel_findings
        if kind == NIFTI
        else metaimage_voxel_findings
        if kind == METAIMAGE
        else nrrd_voxel_findings
    )
    try:
        return check(path)
    except _DAMAGE:
        return (cut_short(path),)


def proven_grid(header: RawHeader, read: Grid | None, place: str) -> Grid:
    """Return where the voxels lie: where the header puts them and ITK agrees.

    Parameters
    ----------
    header : RawHeader
        As read here.
    read : Grid or None
        As ITK read it; None where it found no regular grid.
    place : str
        File to name.

    Raises
    ------
    ImageError
        If the two put a corner more than `POSITION_TOLERANCE_MM` apart. Where ITK is known to choose
        otherwise (`RawHeader.own_grid`) the header's own place holds.
    """
    grid = header.grid
    if grid is None or (read is not None and read.size != grid.size):
        raise _mismatch(place, "another number of voxels")
    if header.own_grid:
        return grid
    if read is None:
        raise _mismatch(place, "no regular grid")
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners = ends * (np.array(grid.size) - 1)
    gap = float(np.linalg.norm(grid.index_to_mm(corners) - read.index_to_mm(corners), axis=1).max())
    if not gap <= POSITION_TOLERANCE_MM:
        raise _mismatch(place, f"{gap:.2f} mm apart")
    return read


def _mismatch(place: str, how: str) -> ImageError:
    return ImageError(
        f"The voxels of {place} were not read to the place that its header states ({how}).",
        "Save the file again in the program that made it.",
        code="position-mismatch",
        place=place,
    )
