"""Printed: the two papers of a plan, the PDF that is read and the sheet for the CT room."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.core.errors import StoreError
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


def print_new(subject: Subject, path: Path, write: Callable[[Subject, Path], Path]) -> Path:
    """Print to a file that is not there yet, or is there with exactly these bytes; return `path`.

    Parameters
    ----------
    write : callable
        `print_plan` or `print_sheet`.

    Raises
    ------
    StoreError
        ``already-there`` if the file holds anything else; it is left as it is.
    """
    if not path.exists():
        return write(subject, path)
    with tempfile.TemporaryDirectory(prefix="cryoplan-") as folder:
        made = write(subject, Path(folder) / "new.pdf").read_bytes()
    if not path.is_file() or path.read_bytes() != made:
        raise StoreError(
            f"{path.name} is there already and holds something else; nothing was written.",
            "Choose another name, or say that it may be replaced (--replace).",
            code="already-there",
            place=path.name,
        )
    return path
