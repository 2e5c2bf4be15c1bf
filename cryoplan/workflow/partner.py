"""Partner: a second image beside the first; what differs between the two is asked about first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress
from cryoplan.image.read import read_scan
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.workflow.foreign import read_apart

ANOTHER_PATIENT = "another-patient"
ANOTHER_FRAME = "another-frame-of-reference"
UNKNOWN_FRAME = "unknown-frame-of-reference"
DIFFERENCES = (ANOTHER_PATIENT, ANOTHER_FRAME, UNKNOWN_FRAME)
"""Codes of what a second image may differ in; each needs a yes of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partner:
    """A second image as it was read.

    Attributes
    ----------
    scan : Scan
        The image.
    differences : tuple of Finding
        Why it may not belong to the first one; it is shown only after a yes to all of them.
    accept : tuple of str
        Codes that were agreed to so that it could be read.
    """

    scan: Scan
    differences: tuple[Finding, ...] = ()
    accept: tuple[str, ...] = ()


def read_partner(
    first: Scan,
    path: Path,
    *,
    series_uid: str | None = None,
    accept: Collection[str] = (),
    apart: bool = False,
    progress: Progress = SILENT,
) -> Partner:
    """Read a second image to be shown with the first one (ADC with T2, MR with CT), and compare the two.

    Nothing of it enters plan or solve, and nothing is registered: each lies where its header says.

    Parameters
    ----------
    first : Scan
        The image of the case.
    path : Path
        Image file, DICOM folder, one file of a DICOM series, or a zip of such.
    series_uid : str, optional
        Which series of a folder; needed when it holds several.
    accept : collection of str
        Codes of warn-level import findings that the user agrees to.
    apart : bool
        Read in a child process with limits (`read_apart`); the window's worker is one already.
    progress : Progress
        Told what is being read; asked between files whether to stop.

    Raises
    ------
    ImageError
        If the image cannot be read, is the first one (``second-image-is-first``) or has no place in common
        with it (``second-image-elsewhere``).
    Cancelled
        If `progress` says so.
    """
    words = (Path(path), series_uid, tuple(c for c in accept if c not in DIFFERENCES))
    if apart:
        second = read_apart(_read, *words, name=Path(path).name, progress=progress)
    else:
        second = _read(*words, progress=progress)
    _refuse_useless(first, second)
    return Partner(scan=second, differences=partner_differences(first.facts, second.facts), accept=words[2])


def load_partner(
    first: Scan,
    path: Path,
    *,
    series_uid: str | None = None,
    accept: Collection[str] = (),
    apart: bool = False,
    progress: Progress = SILENT,
) -> Scan:
    """Read a second image whose differences are agreed to beforehand, with their codes in `accept`.

    See `read_partner`.

    Raises
    ------
    ImageError
        See `read_partner` and `check_partner`.
    """
    partner = read_partner(first, path, series_uid=series_uid, accept=accept, apart=apart, progress=progress)
    check_partner(first.facts, partner.scan.facts, accept=accept)
    return partner.scan


def partner_differences(first: ScanFacts, second: ScanFacts) -> tuple[Finding, ...]:
    """Return why two images may not belong together, one finding for each reason.

    The patient is told by the pseudonym, which is made of the identifiers of a DICOM file. A file without
    identifiers (NIfTI, NRRD, MetaImage) names neither patient nor frame of reference.
    """
    found = []
    both_name = all(facts.kind.startswith("dicom") for facts in (first, second))
    if both_name and first.code != second.code:
        found.append(
            (
                ANOTHER_PATIENT,
                f"It is an image of another patient ({second.code}; the case is {first.code}).",
            )
        )
    known = first.frame_of_reference_uid, second.frame_of_reference_uid
    if not all(known):
        found.append(
            (UNKNOWN_FRAME, "Nothing tells that it belongs to the same patient and place as the first image.")
        )
    elif known[0] != known[1]:
        found.append(
            (
                ANOTHER_FRAME,
                "It lies in another frame of reference: the patient may have moved between the two images.",
            )
        )
    name = Path(second.path).name
    return tuple(Finding(level=Level.WARN, code=code, text=text, place=name) for code, text in found)


def check_partner(first: ScanFacts, second: ScanFacts, *, accept: Collection[str] = ()) -> None:
    """Let only an image pass that belongs to the first one, or of which every difference is agreed to.

    Raises
    ------
    ImageError
        With the code ``another-patient``, ``another-frame-of-reference`` or ``unknown-frame-of-reference``.
    """
    for finding in partner_differences(first, second):
        if finding.code not in accept:
            raise ImageError(
                f"{finding.place}: {finding.text}",
                f"Choose a series of the same examination, or compare the two yourself and accept it with "
                f"the code {finding.code}.",
                code=finding.code,
                place=finding.place,
            )


def _refuse_useless(first: Scan, second: Scan) -> None:
    name = Path(second.facts.path).name
    if second.volume.digest() == first.volume.digest():
        raise ImageError(
            f"{name} is the image that the case is planned on.",
            "Choose another series.",
            code="second-image-is-first",
            place=name,
        )
    if not _meet(first.volume.grid, second.volume.grid):
        raise ImageError(
            f"{name} has no place in common with the first image: nothing of it would be seen.",
            "Choose a series of the same part of the body and of the same examination.",
            code="second-image-elsewhere",
            place=name,
        )


def _meet(a: Grid, b: Grid) -> bool:
    """Tell whether two boxes of voxels share a place, to the spacing of ten points an edge."""
    for one, other in ((a, b), (b, a)):
        ends = [np.linspace(0.0, n - 1.0, 10) for n in one.size]
        ijk = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
        if bool(other.contains_mm(one.index_to_mm(ijk)).any()):
            return True
    return False


def _read(path: Path, series_uid: str | None, accept: tuple[str, ...], *, progress: Progress) -> Scan:
    return read_scan(path, series_uid=series_uid, accept=accept, progress=progress)
