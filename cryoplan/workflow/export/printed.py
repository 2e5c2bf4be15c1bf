"""Printed: the two papers of a plan, the PDF that is read and the sheet for the CT room."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.workflow.export.subject import Subject

if TYPE_CHECKING:
    from cryoplan.scene.snapshot import Picture


def pictures_of(subject: Subject) -> tuple[Picture, ...]:
    """Return the pictures of the plan PDF; drawn once for all that is made of one subject."""
    from cryoplan.workflow.reporting import make_pictures

    if not subject.drawn:
        subject.drawn.extend(
            make_pictures(
                subject.case, subject.plan, subject.probes, subject.result, subject.assessment
            )
        )
    return tuple(subject.drawn)


def print_plan(subject: Subject, path: Path) -> Path:
    """Write the plan PDF, or leave `path` as it was; return `path`.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    from cryoplan.workflow.reporting import write_report

    write_report(
        subject.case,
        subject.plan,
        subject.probes,
        subject.result,
        subject.assessment,
        path,
        pictures=pictures_of(subject),
        standing=subject.standing,
        style=subject.style,
    )
    return path


def print_sheet(subject: Subject, path: Path) -> Path:
    """Write the CT-room sheet, or leave `path` as it was; return `path`.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    from cryoplan.workflow.reporting import write_room_sheet

    write_room_sheet(
        subject.case,
        subject.plan,
        subject.probes,
        subject.result,
        subject.assessment,
        path,
        standing=subject.standing,
        style=subject.style,
    )
    return path
