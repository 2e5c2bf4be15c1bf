"""What was read out of a zip archive speaks of the archive and not of the folder it was unpacked to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.core.errors import ConsentError, ImageError
from cryoplan.core.progress import SILENT, Progress
from cryoplan.image.archive_zip import unpacked
from cryoplan.image.deidentify import nameless
from cryoplan.image.scan import Scan

if TYPE_CHECKING:
    from cryoplan.image.series import PathDescription


@contextmanager
def inside(path: Path, progress: Progress = SILENT) -> Iterator[Path]:
    """Give the unpacked folder or file; what is refused in it names the archive too.

    Raises
    ------
    ImageError
        As `unpacked`, or what the block raises, with the archive's name before it.
    """
    with unpacked(path, progress=progress) as content:
        try:
            yield content
        except ImageError as error:
            what = error.what if path.name in error.what else f"In {path.name}: {error.what}"
            words = (what, error.remedy)
            if isinstance(error, ConsentError):
                raise ConsentError(
                    *words, code=error.code, place=path.name, findings=error.findings
                ) from error
            raise ImageError(*words, code=error.code, place=path.name) from error


def scan_of_archive(scan: Scan, path: Path) -> Scan:
    """Return a scan that states the archive as its file and no name of it in its findings."""
    findings = nameless(scan.facts.findings, {path.name, path.stem})
    return replace(scan, facts=replace(scan.facts, path=str(path), findings=findings))


def description_of_archive(found: PathDescription, content: Path, path: Path) -> PathDescription:
    """Return a description whose places are the archive, and the names within it."""
    top = str(content if content.is_dir() else content.parent)
    series = tuple(
        replace(one, path=f"{path}{one.path.removeprefix(top)}" if one.path.startswith(top) else str(path))
        for one in found.series
    )
    return replace(found, path=str(path), series=series)
