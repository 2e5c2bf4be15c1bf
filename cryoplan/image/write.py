"""Volume -> NIfTI, NRRD or MetaImage, chosen by the file's ending; whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.atomic import replace_when_written
from cryoplan.core.errors import StoreError
from cryoplan.core.volume import Volume
from cryoplan.image.itk import hear_itk, to_sitk

ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha")
"""Formats of one file; .mhd and .nhdr keep their voxels in a second file and could be torn apart."""


def write_volume(volume: Volume, path: Path) -> None:
    """Write `volume` to `path`, in the same place in LPS millimetres; bool as uint8.

    Parameters
    ----------
    volume : Volume
        Any grid; voxels bool, integer or float.
    path : Path
        Its ending chooses the format: ``.nii``, ``.nii.gz``, ``.nrrd`` or ``.mha``.

    Raises
    ------
    StoreError
        If the ending is none of these, the disk is full or the folder cannot be written. A file that was
        there before stays as it was.
    ValueError
        If a voxel is NaN or infinite: the formats' readers do not agree on what that means.
    """
    path = Path(path)
    if volume.values.dtype.kind == "f" and not np.isfinite(volume.values).all():
        raise ValueError(f"{path.name} would hold voxels without a number")
    check_ending(path)
    compress = not path.name.lower().endswith(".nii")
    with replace_when_written(path) as temporary:
        # Created by Python first, so that a missing or read-only folder is named by the system.
        temporary.touch()
        try:
            with hear_itk():
                sitk.WriteImage(to_sitk(volume), str(temporary), useCompression=compress)
        except RuntimeError as error:
            raise OSError(errno.EIO, "ITK could not write all of it") from error
        _check_whole(volume, temporary)


def check_ending(path: Path) -> None:
    """Raise `StoreError` unless the ending of a file names a format that is written here."""
    if not path.name.lower().endswith(ENDINGS):
        raise StoreError(
            f"The ending of {path.name} names no image format.",
            f"Use one of {', '.join(ENDINGS)}.",
            code="unknown-ending",
            place=path.name,
        )


def _check_whole(volume: Volume, path: Path) -> None:
    """Raise ``OSError`` when the file does not read back as written.

    ITK's writers do not always notice a full disk; for such a file no error is worse than any error.
    """
    try:
        with hear_itk():
            back = sitk.GetArrayViewFromImage(image := sitk.ReadImage(str(path)))
    except RuntimeError as error:
        raise OSError(errno.ENOSPC, "the file is not whole") from error
    if not np.array_equal(back, volume.values):
        raise OSError(errno.ENOSPC, "the file is not whole")
    del image
