"""Opening: what lies at a path, told while it is read in a child process with limits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cryoplan.core.progress import SILENT, Progress, ProgressReport
from cryoplan.workflow.foreign import read_apart

if TYPE_CHECKING:
    from cryoplan.image.series import PathDescription
    from cryoplan.image.survey import Found


class _Finder(Progress, Protocol):
    """The line of a child that can hand over parts of its answer."""

    def found(self, value: object) -> None: ...


def survey(path: Path, found: Callable[[Found], None], *, progress: Progress = SILENT) -> PathDescription:
    """Tell what an image file, a folder, a disc or a zip holds, bit by bit; nothing here waits for pixels.

    Parameters
    ----------
    path : Path
        What to look at.
    found : callable
        Given counts, then the description, then small pictures; see `cryoplan.image.survey.survey`.
    progress : Progress
        Asked whether to stop.

    Raises
    ------
    ImageError
        If the path does not exist or holds no image.
    Cancelled
        If `progress` says so.
    """
    return read_apart(_survey, Path(path), name=Path(path).name, progress=progress, found=found)


def _survey(path: Path, *, progress: _Finder) -> PathDescription:
    from cryoplan.image.survey import survey as look

    progress.report(ProgressReport(fraction=0.0, text="Looking through the files"))
    return look(path, progress.found, progress=progress)


def patient_names(path: Path, codes: Collection[str], *, progress: Progress = SILENT) -> dict[str, str]:
    """Return the names of patients by pseudonym, for somebody who asked to see them.

    Raises
    ------
    ImageError
        If the path cannot be read any more.
    Cancelled
        If `progress` says so.
    """
    return read_apart(_names, Path(path), frozenset(codes), name=Path(path).name, progress=progress)


def _names(path: Path, codes: frozenset[str], *, progress: Progress) -> dict[str, str]:
    from cryoplan.image.patient_name import patient_names as names

    return names(path, codes, progress=progress)
