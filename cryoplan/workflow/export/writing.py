"""Writing: one folder of exports of one case, finished or not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT, PartProgress, Progress, ProgressReport, check_cancelled
from cryoplan.workflow.export.kinds import DICOM_KINDS, KINDS, kinds_named
from cryoplan.workflow.export.printed import print_plan, print_sheet
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.folder import all_or_nothing, refuse_existing, relative_files

NO_DICOM = ("not-dicom-source", "dicom-source-missing", "dicom-source-differs", "no-frame-of-reference")
"""Codes of why nothing can be put into the study of the scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: names of the files, and what there is to know about them."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]


def export_case(
    subject: Subject,
    out: Path,
    *,
    only: Sequence[str] = (),
    replace: bool = False,
    axes: str = "LPS",
    progress: Progress = SILENT,
) -> Exported:
    """Export a case into a folder (contract, ``export``).

    Parameters
    ----------
    subject : Subject
        It cannot be made of a stale result.
    out : Path
        A folder, made when it is not there.
    only : sequence of str
        Names of `KINDS`; everything that can be written when left out. DICOM objects are left out then, and a
        finding says so, where there is no study that they could belong to; when they are asked for by name,
        that is an error.
    replace : bool
        Whether files of the same names may be replaced.
    axes : str
        ``LPS`` or ``RAS``: what the numbers of meshes and markups mean.

    Raises
    ------
    CryoplanError
        If something cannot be written or was asked for in vain; then `out` is as it was.
    Cancelled
        If `progress` says so; then `out` is as it was.
    """
    kinds = kinds_named(only)
    if not replace:
        # Asked before the work as well: nobody should wait for it in vain.
        refuse_existing(out, files_in_the_way(out, kinds))
    with all_or_nothing(out, replace=replace) as folder:
        findings = write_kinds(subject, kinds, folder, by_name=bool(only), axes=axes, progress=progress)
        check_cancelled(progress)
        files = relative_files(folder)
    progress.report(ProgressReport(fraction=1.0, text="Exported"))
    return Exported(files=files, findings=findings)


def write_kinds(
    subject: Subject,
    kinds: Sequence[str],
    folder: Path,
    *,
    by_name: bool = True,
    axes: str = "LPS",
    progress: Progress = SILENT,
) -> tuple[Finding, ...]:
    """Write some kinds into a folder that nobody else uses yet; see `export_case`.

    Parameters
    ----------
    by_name : bool
        Whether every kind was asked for by its name.
    axes : str
        See `export_case`.

    Raises
    ------
    CryoplanError, Cancelled
        As `export_case`; the folder may hold some files then.
    """
    dicom = tuple(kind for kind in kinds if kind in DICOM_KINDS)
    plain = tuple(kind for kind in kinds if kind not in DICOM_KINDS and kind not in _PAPERS)
    printed = tuple(kind for kind in kinds if kind in _PAPERS)
    findings: list[Finding] = []
    if printed:
        _print(subject, printed, folder, PartProgress(progress, 0.0, 0.2))
    if dicom:
        from cryoplan.workflow.export.dicom import write_dicom

        check_cancelled(progress)
        try:
            findings += write_dicom(subject, dicom, folder, PartProgress(progress, 0.2, 0.35))
        except CryoplanError as error:
            if by_name or error.code not in NO_DICOM:
                raise
            findings.append(_left_out(error))
    if plain:
        from cryoplan.workflow.export.plain import write_plain

        check_cancelled(progress)
        findings += write_plain(subject, plain, folder, PartProgress(progress, 0.55, 0.45), axes=axes)
    return tuple(findings)


def _print(subject: Subject, kinds: Sequence[str], folder: Path, progress: Progress) -> None:
    for number, kind in enumerate(kinds):
        check_cancelled(progress)
        write, name, text = _PAPERS[kind]
        progress.report(ProgressReport(fraction=number / len(kinds), text=text))
        write(subject, folder / name)


_PAPERS = {
    "pdf": (print_plan, "plan.pdf", "Printing the plan"),
    "sheet": (print_sheet, "room_sheet.pdf", "Printing the sheet for the CT room"),
}


def _left_out(error: CryoplanError) -> Finding:
    return Finding(
        level=Level.WARN,
        code="dicom-left-out",
        text=f"No DICOM file was written. {error.what} {error.remedy}",
        place=error.place,
    )


def files_in_the_way(out: Path, kinds: Sequence[str]) -> list[str]:
    """Return the files that kinds would write and that are in a folder already."""
    found: list[str] = []
    for kind in kinds:
        for pattern in KINDS[kind].files:
            for path in sorted(out.glob(pattern)):
                found += [path.name] if path.is_file() else [f"{path.name}/{n}" for n in relative_files(path)]
    return found
