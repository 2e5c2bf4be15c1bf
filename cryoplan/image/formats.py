"""What a file is, told by its first bytes and not by its name."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from cryoplan.core.errors import ImageError

NIFTI, NRRD, METAIMAGE, DICOM, ZIP = "nifti", "nrrd", "metaimage", "dicom", "zip"
VOLUME_KINDS = (NIFTI, NRRD, METAIMAGE)
IN_WORDS = {NIFTI: "NIfTI", NRRD: "NRRD", METAIMAGE: "MetaImage", DICOM: "DICOM", ZIP: "zip"}


def kind_of(path: Path) -> str:
    """Return ``nifti``, ``nrrd``, ``metaimage``, ``dicom`` or ``zip``, or an empty text for anything else.

    Raises
    ------
    ImageError
        If the file is not there or cannot be opened.
    """
    head = _first_bytes(path, 2048)
    if head[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as stream:
                head = stream.read(2048)
        except (OSError, EOFError, zlib.error):
            # Too short to unpack: by its name it was meant to be a NIfTI image.
            return NIFTI if path.name.lower().endswith(".nii.gz") else ""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    if head[128:132] == b"DICM":
        return DICOM
    if head.startswith(b"NRRD000"):
        return NRRD
    if _is_nifti(head):
        return NIFTI
    text = head[:512].decode("latin-1")
    if any(line.split("=")[0].strip() == "NDims" for line in text.splitlines() if "=" in line):
        return METAIMAGE
    return ""


def _is_nifti(head: bytes) -> bool:
    first, second = head[:4], head[4:8]
    if first in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c"):  # 348, version 1
        return head[344:348] in (b"n+1\0", b"ni1\0")
    return first in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c") and second in (b"n+2\0", b"ni2\0")  # 540


def _first_bytes(path: Path, number: int) -> bytes:
    if not path.exists():
        raise ImageError(
            f"There is no file or folder {path}.",
            "Check the path.",
            code="no-such-path",
            place=path.name,
        )
    try:
        with path.open("rb") as stream:
            return stream.read(number)
    except OSError as error:
        raise ImageError(
            f"{path.name} cannot be opened ({error.strerror}).",
            "Check that it is a file that you may read.",
            code="not-readable",
            place=path.name,
        ) from error


def not_an_image(path: Path) -> ImageError:
    """Return the error for a file that is none of the formats read here."""
    empty = path.is_file() and path.stat().st_size == 0
    what = f"{path.name} is empty." if empty else f"{path.name} is not an image that this program reads."
    return ImageError(
        what,
        "Choose a NIfTI, NRRD or MetaImage file, a folder of DICOM images, or a zip of them.",
        code="empty-file" if empty else "not-an-image",
        place=path.name,
    )
