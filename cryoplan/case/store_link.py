"""Image link: a case file without voxels says where they are, and takes them only if they are the same."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from cryoplan.case.second_image import SecondImage
from cryoplan.case.store_rows import ImageLink
from cryoplan.core.errors import ImageError, StoreError
from cryoplan.core.progress import SILENT, Progress
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
    return ImageLink(
        path=str(path),
        from_case=_from_case(path, case_file),
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


def second_link(
    scan: Scan, case_file: Path | None, *, accept: Collection[str] = (), agreed: Sequence[str] = ()
) -> SecondImage:
    """Return what a case keeps of a second image.

    Parameters
    ----------
    scan : Scan
        The image as it was read.
    case_file : Path or None
        File that the case is kept in.
    accept : collection of str
        Codes that were agreed to so that it could be read.
    agreed : sequence of str
        See `SecondImage`.
    """
    facts = scan.facts
    path = Path(facts.path).resolve()
    return SecondImage(
        path=str(path),
        from_case="" if case_file is None else _from_case(path, case_file),
        series_uid=facts.series_key,
        accept=tuple(sorted({*accept, *(f.code for f in facts.findings)})),
        sha256=scan.volume.digest(),
        modality=facts.modality,
        description=facts.description,
        acquired_on=facts.acquired_on,
        agreed=tuple(agreed),
    )


def read_second(second: SecondImage, case_file: Path | None, *, progress: Progress = SILENT) -> Scan:
    """Read a second image again, only if it is still the one that was added.

    It is looked for where it was, seen from the case file and seen from the root, and beside the case file.

    Raises
    ------
    StoreError
        If it is nowhere (``second-image-missing``), cannot be read (``second-image-unreadable``), or holds
        other voxels (``second-image-differs``).
    """
    from cryoplan.image.read import read_scan

    places = [Path(second.path)]
    if case_file is not None:
        folder = case_file.resolve().parent
        places.append(folder / second.file_name)
        if second.from_case:
            places.insert(0, folder / second.from_case)
    known = [p for p in dict.fromkeys(places) if p.exists()]
    if not known:
        raise StoreError(
            f"The second image {second.name} is not shown: {second.file_name} is not where it was.",
            f"Put it back at {second.path} or beside the case file, and open the case again; or remove it.",
            code="second-image-missing",
            place=second.file_name,
        )
    refused: ImageError | None = None
    for path in known:
        try:
            scan = read_scan(
                path, series_uid=second.series_uid or None, accept=second.accept, progress=progress
            )
        except ImageError as error:
            refused = error
            continue
        if scan.volume.digest() == second.sha256:
            return scan
    if refused is not None:
        raise StoreError(
            f"The second image {second.name} is not shown: it cannot be read. {refused.what}",
            refused.remedy,
            code="second-image-unreadable",
            place=second.file_name,
        ) from refused
    raise StoreError(
        f"The second image {second.name} is not shown: {second.file_name} holds another image now.",
        "Bring the right image back, or remove it and add the other one.",
        code="second-image-differs",
        place=second.file_name,
    )


def _from_case(path: Path, case_file: Path) -> str:
    """Return a path as seen from the folder of the case file; empty on another drive."""
    try:
        return Path(os.path.relpath(path, case_file.resolve().parent)).as_posix()
    except ValueError:
        return ""
