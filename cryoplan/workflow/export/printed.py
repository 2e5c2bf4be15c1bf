"""Printed: the two papers of a plan, the PDF that is read and the sheet for the CT room."""

from __future__ import annotations

from pathlib import Path

from cryoplan.workflow.export.subject import Subject


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
