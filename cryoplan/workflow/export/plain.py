"""Plain: everything that is exported but no DICOM and no paper, each kind in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryoplan.core.finding import Finding
from cryoplan.core.progress import SILENT, PartProgress, Progress, check_cancelled
from cryoplan.image.mesh_out import FORMATS, LPS
from cryoplan.workflow.export.markups import write_markups
from cryoplan.workflow.export.numbers import write_numbers
from cryoplan.workflow.export.segments import segments_of
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.export.surfaces import write_surfaces
from cryoplan.workflow.export.volumes import ENDINGS, write_volumes

PLAIN_KINDS = (*ENDINGS, *FORMATS, "markups", "csv", "movie")


def write_plain(
    subject: Subject,
    kinds: Sequence[str],
    folder: Path,
    progress: Progress = SILENT,
    *,
    axes: str = LPS,
) -> tuple[Finding, ...]:
    """Write some kinds of files into a folder that nobody else uses yet.

    Parameters
    ----------
    kinds : sequence of str
        Of `PLAIN_KINDS`.
    axes : str
        ``LPS`` or ``RAS``: what the numbers of meshes and markups mean; both say it.

    Returns
    -------
    tuple of Finding
        What there is to know about the files.

    Raises
    ------
    StoreError
        If something cannot be written.
    Cancelled
        If `progress` says so.
    ValueError
        If a kind is none of these.
    """
    unknown = set(kinds) - set(PLAIN_KINDS)
    if unknown:
        raise ValueError(f"not among {', '.join(PLAIN_KINDS)}: {', '.join(sorted(unknown))}")
    volumes = [kind for kind in ENDINGS if kind in kinds]
    meshes = [ending for ending in FORMATS if ending in kinds]
    findings: list[Finding] = []
    parts = Parts(
        progress, len(volumes) + bool(meshes) + sum(k in kinds for k in ("markups", "csv", "movie"))
    )
    if volumes:
        segments = segments_of(subject)
        for kind in volumes:
            write_volumes(segments, subject.result, kind, folder, parts.next())
    if meshes:
        findings += write_surfaces(subject, meshes, folder, parts.next(), axes=axes)
    if "markups" in kinds:
        check_cancelled(parts.next())
        write_markups(subject, folder, axes=axes)
    if "csv" in kinds:
        write_numbers(subject, folder, parts.next())
    if "movie" in kinds:
        from cryoplan.workflow.export.movie import write_movie

        write_movie(subject, folder, parts.next())
    return tuple(findings)


class Parts:
    """Shares one progress among pieces of work of one length."""

    def __init__(self, whole: Progress, count: int) -> None:
        self._whole, self._count, self._begun = whole, count, 0

    def next(self) -> Progress:
        """Return the progress of the next piece."""
        share = 1.0 / max(self._count, 1)
        start = min(share * self._begun, 1.0)
        self._begun += 1
        return PartProgress(self._whole, start, share)
