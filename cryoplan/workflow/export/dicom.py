"""DICOM: structures, ice, numbers and paper of a plan as objects in the study of its scan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT, PartProgress, Progress, ProgressReport, check_cancelled
from cryoplan.image.dicom_out.study import SourceStudy, read_study, require_dicom
from cryoplan.scene.style import rgb, theme
from cryoplan.workflow.export.measured import groups_of
from cryoplan.workflow.export.printed import paper_of, pictures_of, print_plan, print_sheet
from cryoplan.workflow.export.segments import lowest_on_image, segments_of
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.foreign import read_apart

if TYPE_CHECKING:
    from cryoplan.image.dicom_out.rtstruct import Needle

READ, SHAPES = 0.25, 0.8
"""Shares of the progress that reading the study and writing the shapes end at."""


def write_dicom(
    subject: Subject, kinds: Sequence[str], folder: Path, progress: Progress = SILENT
) -> tuple[Finding, ...]:
    """Write some kinds of `DICOM_KINDS` into a folder that nobody else uses yet.

    Returns
    -------
    tuple of Finding
        What there is to know about the files.

    Raises
    ------
    ImageError
        If there is no study that they could belong to, see `read_study`.
    StoreError
        If something cannot be written.
    Cancelled
        If `progress` says so.
    """
    from cryoplan.image.dicom_out.series import write_dataset

    source = study_of(subject, PartProgress(progress, 0.0, READ))
    findings: list[Finding] = []
    if not source.is_slices:
        findings.append(_not_its_slices(source))
    progress.report(ProgressReport(fraction=READ, text="Writing DICOM segmentation and contours"))
    segments = segments_of(subject) if {"seg", "rtstruct", "sr"} & set(kinds) else ()
    segmentations: tuple[object, ...] = ()
    if "seg" in kinds or "sr" in kinds:
        from cryoplan.image.dicom_out.segmentation import make_segmentations

        check_cancelled(progress)
        # Measurements refer to segments, so their segmentation goes with them.
        segmentations = make_segmentations(source, segments)
        for number, made in enumerate(segmentations, 1):
            check_cancelled(progress)
            write_dataset(made, folder / ("seg.dcm" if number == 1 else f"seg_{number}.dcm"))
    if "rtstruct" in kinds:
        from cryoplan.image.dicom_out.rtstruct import make_rtstruct

        check_cancelled(progress)
        lowest = lowest_on_image(subject.case, subject.result)
        write_dataset(make_rtstruct(source, segments, lowest, needles_of(subject)), folder / "rtstruct.dcm")
    progress.report(ProgressReport(fraction=SHAPES, text="Writing DICOM report and pictures"))
    if "sr" in kinds:
        from cryoplan.image.dicom_out.measurements import make_report

        check_cancelled(progress)
        report = make_report(source, segmentations, segments, groups_of(subject, segments))
        write_dataset(report, folder / "measurements.dcm")
    if "dicompdf" in kinds:
        _write_papers(source, subject, folder, progress)
    if "keyimages" in kinds:
        from cryoplan.image.dicom_out.document import make_captures

        check_cancelled(progress)
        pictures = tuple((picture.caption, picture.png) for picture in pictures_of(subject))
        for number, capture in enumerate(make_captures(source, pictures), 1):
            write_dataset(capture, folder / f"key_{number}.dcm")
    return tuple(findings)


def study_of(subject: Subject, progress: Progress = SILENT) -> SourceStudy:
    """Return the headers of the scan's own files, read in a child process.

    Raises
    ------
    ImageError
        See `read_study`.
    """
    scan = subject.case.scan
    require_dicom(scan.facts)
    path = subject.image or Path(scan.facts.path)
    accept = tuple(sorted({finding.code for finding in scan.facts.findings}))
    return read_apart(
        read_study,
        path,
        scan.facts,
        scan.volume.digest(),
        accept,
        name=path.name or "The scan",
        progress=progress,
    )


def needles_of(subject: Subject) -> tuple[Needle, ...]:
    """Return the paths of all probes and tools, in the colours of the window."""
    from cryoplan.image.dicom_out.rtstruct import Needle

    plan, look = subject.plan, theme()
    probes = tuple(
        Needle(
            name=f"Probe {probe.name}",
            entry_mm=probe.entry_mm,
            tip_mm=probe.tip_mm,
            colour=_bytes(look.probes.colour(plan.colour_number(probe))),
        )
        for probe in plan.probes
    )
    tools = tuple(
        Needle(
            name=f"Needle {tool.name}",
            entry_mm=tool.entry_mm,
            tip_mm=tool.tip_mm,
            colour=_bytes(look.marks.thermocouple),
        )
        for tool in plan.tools
    )
    return probes + tools


def _bytes(colour: str) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in rgb(colour))
    return red, green, blue


def _write_papers(source: SourceStudy, subject: Subject, folder: Path, progress: Progress) -> None:
    from cryoplan.image.dicom_out.document import make_pdf
    from cryoplan.image.dicom_out.series import write_dataset

    # Their series come before and behind that of the key images.
    papers = ((4, "plan", print_plan, "Cryoablation plan"), (6, "sheet", print_sheet, "CT-room sheet"))
    for number, name, write, title in papers:
        check_cancelled(progress)
        made = make_pdf(source, paper_of(subject, write), title, number=number)
        write_dataset(made, folder / f"{name}_pdf.dcm")


def _not_its_slices(source: SourceStudy) -> Finding:
    resampled, framed = "was resampled when it was opened", "has files of many frames"
    why = resampled if source.is_resampled else framed
    return Finding(
        level=Level.OK,
        code="dicom-own-planes",
        text=f"The scan {why}: DICOM shapes have planes of their own in the same frame of reference.",
    )
