"""Survey: what a path holds, told while it is read - first what headers say, then verdicts, then pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.image.archive_scan import description_of_archive, inside
from cryoplan.image.dicom_header import Header
from cryoplan.image.formats import ZIP, kind_of
from cryoplan.image.series import PathDescription, describe
from cryoplan.image.thumbnail import thumbnail

TELL_S = 0.25
"""How often the counts are told while headers are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A series of which headers have come; nothing is judged yet."""

    patient_code: str
    study_uid: str
    study_description: str
    studied_on: str
    series_uid: str
    modality: str
    description: str
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketches:
    """What is known so far: all series that have begun, in the order of their first files."""

    series: tuple[Sketch, ...]
    files: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thumbnail:
    """The small picture of one series, by its place in the description."""

    number: int
    pixels: npt.NDArray[np.uint8]


Found = Sketches | PathDescription | Thumbnail


def survey(path: Path, found: Callable[[Found], None], *, progress: Progress = SILENT) -> PathDescription:
    """Describe a path as `describe` does, and tell of it while it is read.

    Parameters
    ----------
    path : Path
        Image file, folder, DICOMDIR of a disc or zip.
    found : callable
        Given `Sketches` now and then, the whole description once, and one `Thumbnail` for each series that
        has a picture, those that can be used first.
    progress : Progress
        Asked between files whether to go on.

    Raises
    ------
    ImageError
        As `describe`.
    Cancelled
        If the caller asked to stop.
    """
    path = Path(path)
    if path.is_dir() or kind_of(path) != ZIP:
        return _survey(path, found, progress, lambda description: description)
    with inside(path, progress) as content:
        return _survey(content, found, progress, lambda d: description_of_archive(d, content, path))


def _survey(
    path: Path,
    found: Callable[[Found], None],
    progress: Progress,
    named: Callable[[PathDescription], PathDescription],
) -> PathDescription:
    counts: dict[tuple[str, str, str], Sketch] = {}
    told, files = time.monotonic(), 0

    def hear(header: Header) -> None:
        nonlocal told, files
        files += 1
        key = (header.study_uid, header.series_uid, header.sop_class)
        old = counts.get(key)
        counts[key] = _sketch(header) if old is None else replace(old, images=old.images + 1)
        if time.monotonic() - told >= TELL_S:
            told = time.monotonic()
            found(Sketches(series=tuple(counts.values()), files=files))

    description = describe(path, progress=progress, each=hear)
    shown = named(description)
    found(shown)
    order = sorted(range(len(description.series)), key=lambda n: not description.series[n].is_usable)
    for number in order:
        check_cancelled(progress)
        pixels = thumbnail(description.series[number])
        if pixels is not None:
            found(Thumbnail(number=number, pixels=pixels))
    return shown


def _sketch(header: Header) -> Sketch:
    return Sketch(
        patient_code=header.patient_code,
        study_uid=header.study_uid,
        study_description=header.study_description,
        studied_on=header.studied_on,
        series_uid=header.series_uid,
        modality=header.modality,
        description=header.description,
        images=1,
    )
