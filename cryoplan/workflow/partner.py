"""Partner: a second image beside the first, only of the same patient and in the same frame of reference."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import SILENT, Progress
from cryoplan.image.read import read_scan
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.workflow.foreign import read_apart

ANOTHER_PATIENT = "another-patient"
ANOTHER_FRAME = "another-frame-of-reference"
UNKNOWN_FRAME = "unknown-frame-of-reference"


def load_partner(
    first: Scan,
    path: Path,
    *,
    series_uid: str | None = None,
    accept: Collection[str] = (),
    apart: bool = False,
    progress: Progress = SILENT,
) -> Scan:
    """Read a second image to be shown with the first one: ADC with T2, MR with CT.

    Nothing of it enters plan or solve. Nothing is registered: both must lie in one frame of reference.

    Parameters
    ----------
    first : Scan
        The image of the case.
    path : Path
        Image file, DICOM folder, one file of a DICOM series, or a zip of such.
    series_uid : str, optional
        Which series of a folder; needed when it holds several.
    accept : collection of str
        Codes of warn-level import findings that the user agrees to, and ``unknown-frame-of-reference``.
    apart : bool
        Read in a child process with limits (`read_apart`); the window's worker is one already.
    progress : Progress
        Told what is being read; asked between files whether to stop.

    Raises
    ------
    ImageError
        If the image cannot be read, is of another patient (``another-patient``: ask whether it shall be
        opened as a case of its own) or lies in another frame of reference.
    Cancelled
        If `progress` says so.
    """
    words = (Path(path), series_uid, tuple(c for c in accept if c != UNKNOWN_FRAME))
    if apart:
        second = read_apart(_read, *words, name=Path(path).name, progress=progress)
    else:
        second = _read(*words, progress=progress)
    check_partner(first.facts, second.facts, accept=accept)
    return second


def check_partner(first: ScanFacts, second: ScanFacts, *, accept: Collection[str] = ()) -> None:
    """Let only an image of the same patient and frame of reference pass.

    The patient is told by the pseudonym, which is made of the identifiers. A file without identifiers
    (NIfTI, NRRD, MetaImage) names neither patient nor frame: it passes only when the user agrees to that.

    Raises
    ------
    ImageError
        With the code ``another-patient``, ``another-frame-of-reference`` or ``unknown-frame-of-reference``.
    """
    name = Path(second.path).name
    known = first.frame_of_reference_uid, second.frame_of_reference_uid
    if not all(known):
        if UNKNOWN_FRAME not in accept:
            raise ImageError(
                f"Nothing tells that {name} belongs to the same patient and place as the first image.",
                f"Compare the two yourself and accept it with the code {UNKNOWN_FRAME}, or choose a DICOM "
                "series of the same study.",
                code=UNKNOWN_FRAME,
                place=name,
            )
        return
    if first.code != second.code:
        raise ImageError(
            f"{name} is an image of another patient ({second.code}, the case is {first.code}).",
            "Choose an image of this patient, or open it as a case of its own.",
            code=ANOTHER_PATIENT,
            place=name,
        )
    if known[0] != known[1]:
        raise ImageError(
            f"{name} lies in another frame of reference: the patient was moved between the two images.",
            "Choose a series of the same examination.",
            code=ANOTHER_FRAME,
            place=name,
        )


def _read(path: Path, series_uid: str | None, accept: tuple[str, ...], *, progress: Progress) -> Scan:
    return read_scan(path, series_uid=series_uid, accept=accept, progress=progress)
