"""Convert: an image exactly as the program sees it, as a file that any other tool opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding
from cryoplan.core.progress import SILENT, PartProgress, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan
from cryoplan.image.write import check_ending, write_volume
from cryoplan.workflow.foreign import read_apart

READ = 0.7
"""Share of the progress that reading ends at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What was written: the volume, and what there is to know about the image it was made of."""

    volume: Volume
    findings: tuple[Finding, ...]


def convert_image(
    image: Path,
    out: Path,
    *,
    series_uid: str | None = None,
    accept: Sequence[str] = (),
    replace: bool = False,
    progress: Progress = SILENT,
) -> Converted:
    """Read an image and write its voxels in one file (contract, ``convert``).

    The voxels, their type and their place are those of the case that would be made of this image: of a CT in
    Hounsfield units with its padding made air, slices sorted, repaired where that was agreed to. No word
    about the patient is written.

    Parameters
    ----------
    out : Path
        Its ending chooses the format: ``.nii``, ``.nii.gz``, ``.nrrd`` or ``.mha``.
    accept : sequence of str
        Codes of warn-level findings of the import that the user agrees to.
    replace : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ImageError
        If the image is refused.
    StoreError
        If the ending names no format, the file is there already, or cannot be written; then it is as it was.
    Cancelled
        If `progress` says so.
    """
    check_ending(out)
    if out.exists() and not replace:
        raise StoreError(
            f"{out} is there already; nothing was written.",
            "Choose another name, or say that it may be replaced (--replace).",
            code="already-there",
            place=out.name,
        )
    scan = read_apart(
        _read, Path(image), series_uid, tuple(accept), name=Path(image).name,
        progress=PartProgress(progress, 0.0, READ),
    )  # fmt: skip
    check_cancelled(progress)
    progress.report(ProgressReport(fraction=READ, text=f"Writing {out.name}"))
    write_volume(scan.volume, out)
    progress.report(ProgressReport(fraction=1.0, text="Written"))
    return Converted(volume=scan.volume, findings=scan.facts.findings)


def _read(image: Path, series_uid: str | None, accept: Sequence[str], *, progress: Progress) -> Scan:
    from cryoplan.image.read import read_scan

    return read_scan(image, series_uid=series_uid, accept=accept, progress=progress)
