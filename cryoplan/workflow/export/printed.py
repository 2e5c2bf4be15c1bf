"""Printed: the two papers of a plan, the PDF that is read and the sheet for the CT room."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cryoplan.core.errors import StoreError
from cryoplan.core.language import speaking
from cryoplan.workflow.export.subject import Subject

if TYPE_CHECKING:
    from cryoplan.scene.snapshot import Picture


def pictures_of(subject: Subject) -> tuple[Picture, ...]:
    """Return the pictures of the plan PDF, in its language; drawn once for one subject."""
    from cryoplan.report.translate import names_of
    from cryoplan.scene.report_set import all_pictures

    case, plan = subject.case, subject.plan

    def draw() -> tuple[Picture, ...]:
        with speaking(subject.style.language, names_of(case, plan)):
            return all_pictures(case, plan, subject.probes, subject.result, subject.assessment)

    return _once(subject.drawn, "pictures", draw)


def print_plan(subject: Subject, path: Path) -> Path:
    """Write the plan PDF, or leave `path` as it was; return `path`.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    from cryoplan.workflow.reporting import write_report

    return _print(subject, path, "plan", write_report, pictures_of(subject))


def print_sheet(subject: Subject, path: Path) -> Path:
    """Write the CT-room sheet, or leave `path` as it was; return `path`.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    from cryoplan.workflow.reporting import write_room_sheet

    return _print(subject, path, "sheet", write_room_sheet, None)


def paper_of(subject: Subject, write: Callable[[Subject, Path], Path]) -> bytes:
    """Return the bytes that `print_plan` or `print_sheet` writes; printed once for one subject."""

    def printed() -> bytes:
        with tempfile.TemporaryDirectory(prefix="cryoplan-") as folder:
            return write(subject, Path(folder) / "new.pdf").read_bytes()

    return _once(subject.drawn, "plan" if write is print_plan else "sheet", printed)


def _print(
    subject: Subject,
    path: Path,
    name: str,
    write: Callable[..., None],
    pictures: tuple[Picture, ...] | None,
) -> Path:
    write(
        subject.case,
        subject.plan,
        subject.probes,
        subject.result,
        subject.assessment,
        path,
        pictures=pictures,
        standing=subject.standing,
        style=subject.style,
    )
    subject.drawn[name] = path.read_bytes()
    return path


T = TypeVar("T")


def _once(drawn: dict[str, Any], name: str, make: Callable[[], T]) -> T:
    if name not in drawn:
        drawn[name] = make()
    found: T = drawn[name]
    return found


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
    if not path.is_file() or path.read_bytes() != paper_of(subject, write):
        raise StoreError(
            f"{path.name} is there already and holds something else; nothing was written.",
            "Choose another name, or say that it may be replaced (--replace).",
            code="already-there",
            place=path.name,
        )
    return path
