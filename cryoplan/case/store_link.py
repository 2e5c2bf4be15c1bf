"""Image link: a case file without voxels says where they are, and takes them only if they are the same."""

from __future__ import annotations

import os
from pathlib import Path

from cryoplan.case.store_rows import ImageLink
from cryoplan.core.errors import ImageError, StoreError
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan


def link_to(scan: Scan, case_file: Path) -> ImageLink:
    """Return the link that a case file holds in the place of the voxels.

    Raises
    ------
    StoreError
        If the image was not read from a file that is still there.
    """
    path = Path(scan.facts.path)
    if not scan.facts.path or not path.exists():
        raise StoreError(
            "The image cannot be linked, because it was not read from a file that is still there.",
            "Save the case with its image.",
            code="case-image-not-linked",
            place=path.name,
        )
    path = path.resolve()
    try:
        from_case = Path(os.path.relpath(path, case_file.resolve().parent)).as_posix()
    except ValueError:  # another drive
        from_case = ""
    return ImageLink(
        path=str(path),
        from_case=from_case,
        series_uid=scan.facts.series_key,
        accept=tuple(sorted({f.code for f in scan.facts.findings})),
    )


def read_linked(link: ImageLink, digest: str, case_file: Path) -> Volume:
    """Return the voxels that a link leads to.

    Raises
    ------
    StoreError
        If the file is missing or cannot be read, or holds other voxels than those of SHA-256 `digest`.
    """
    from cryoplan.image.read import read_scan

    places = [Path(link.path)]
    if link.from_case:
        # A folder that was moved as a whole comes first: an old copy may still lie at the old place.
        places.insert(0, case_file.resolve().parent / link.from_case)
    path = next((p for p in places if p.exists()), None)
    if path is None:
        raise StoreError(
            f"The image of {case_file.name} is not in the file, and {places[-1].name} is not where it was.",
            f"Put it back at {places[-1]} or beside the case file, and open the case again.",
            code="case-image-missing",
            place=case_file.name,
        )
    try:
        volume = read_scan(path, series_uid=link.series_uid or None, accept=link.accept).volume
    except ImageError as error:
        raise StoreError(
            f"The image of {case_file.name} cannot be read: {error.what}",
            error.remedy,
            code="case-image-unreadable",
            place=case_file.name,
        ) from error
    if volume.digest() != digest:
        raise StoreError(
            f"{path.name} does not hold the image that {case_file.name} was made with.",
            "Bring the right image back; the case was not opened.",
            code="case-image-differs",
            place=case_file.name,
        )
    return volume
