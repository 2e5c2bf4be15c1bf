"""Verifying: run the solver's checks, write their page, and read the run that comes with the program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan.core.atomic import write_atomic
from cryoplan.core.errors import StoreError
from cryoplan.core.progress import SILENT, Progress
from cryoplan.core.resources import resource

if TYPE_CHECKING:
    from cryoplan.simulation.verification.suite import Verification

PAGE, RECORD = "verify.html", "verify.json"


def verify(quick: bool, progress: Progress = SILENT) -> Verification:
    """Run the checks: the quick list in a minute, or everything.

    Raises
    ------
    Cancelled
        When `progress` says so.
    """
    from cryoplan.simulation.verification import run_verification

    return run_verification(quick, progress)


def write_verification(found: Verification, folder: Path) -> tuple[Path, ...]:
    """Write the page and its numbers into a folder, which is made where it is missing.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    from cryoplan.report.verification_page import verification_page

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {folder.name} cannot be made ({error.strerror}).",
            "Choose another place.",
            code="not-writable",
            place=folder.name,
        ) from error
    paths = folder / PAGE, folder / RECORD
    for path, text in zip(paths, (verification_page(found), found.to_json()), strict=True):
        write_atomic(path, text.encode())
    return paths


def shipped_verification() -> Verification:
    """Return the whole run that comes with this version of the program.

    Raises
    ------
    StoreError
        If the program was installed without it.
    """
    from cryoplan.simulation.verification.suite import Verification

    path = resource("verification", RECORD)
    try:
        return Verification.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The record of the checks cannot be read ({error}).",
            "Install cryoplan again.",
            code="bad-resource",
            place=RECORD,
        ) from error
