"""Bureau: what is done with a whole case file - rename, duplicate, copy, de-identify, delete - open or not.

These functions wait for the disk, so they belong into a thread. Those for the case that is open go through
the thread that owns its file (`cryoplan.app.keeper.Keeper.call`).
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QFile

from cryoplan import workflow
from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore, summary
from cryoplan.case.store_lock import WriterLock
from cryoplan.core.errors import StoreError
from cryoplan.plan.plan import Plan
from cryoplan.simulation.result import ThermalResult
from cryoplan.workflow.deidentifying import deidentify

COPY = "copy"
DEIDENTIFIED = "De-identified copy"


def rename(path: Path, title: str) -> None:
    """Give a case that is not open another title.

    Raises
    ------
    StoreError
        If it cannot be written or is open elsewhere.
    """
    with CaseStore.open(path) as store:
        store.rename(title)


def place_of_duplicate(path: Path) -> Path:
    """Return a free place beside a file: ``NAME copy.cryoplan``, ``NAME copy 2.cryoplan`` ..."""
    stem, number = f"{path.stem} {COPY}", 1
    place = path.with_name(f"{stem}{path.suffix}")
    while place.exists():
        number += 1
        place = path.with_name(f"{stem} {number}{path.suffix}")
    return place


def title_of_duplicate(title: str) -> str:
    """Return the title by which a duplicate is told from its original."""
    return f"{title} ({COPY})" if title else COPY.capitalize()


def duplicate(path: Path) -> Path:
    """Copy a case with its history to a place beside it and return that.

    The copy has a title of its own. That is a change, so an approval of the original is not one of the copy.

    Raises
    ------
    StoreError
        If the case cannot be read or the copy not be written.
    """
    with CaseStore.open(path, read_only=True) as store:
        return _duplicate(store)


def duplicate_open(file: workflow.CaseFile) -> Path:
    """Do as `duplicate` with the case that is open."""
    return _duplicate(file.store)


def _duplicate(store: CaseStore) -> Path:
    place = place_of_duplicate(store.path)
    store.save_copy(place)
    try:
        rename(place, title_of_duplicate(store.title))
    except StoreError:
        # Under the title of its original it would pass for that, approval and all.
        with suppress(OSError):
            place.unlink()
        raise
    return place


def save_copy(path: Path, place: Path) -> Path:
    """Copy a case that is not open, with history and results, and return the copy's place.

    Raises
    ------
    StoreError
        If the case cannot be read or the copy not be written, or is open elsewhere.
    """
    require_other(path, place)
    with CaseStore.open(path, read_only=True) as store:
        store.save_copy(place)
    return place


def save_copy_open(file: workflow.CaseFile, place: Path) -> Path:
    """Do as `save_copy` with the case that is open."""
    require_other(file.store.path, place)
    file.store.save_copy(place)
    return place


def save_deidentified(path: Path, place: Path, *, keep_names: bool) -> Path:
    """Write a de-identified copy of a case that is not open and return its place.

    Raises
    ------
    StoreError
        If the case cannot be read or the copy not be written.
    """
    require_other(path, place)
    with workflow.CaseFile.open(path, read_only=True) as file:
        case, plan = file.case, file.plan
        result, _ = file.current_result()
    return write_deidentified(case, plan, result, place, keep_names=keep_names)


def write_deidentified(
    case: Case, plan: Plan, result: ThermalResult | None, place: Path, *, keep_names: bool
) -> Path:
    """Write a new file without history, approvals and notes; the secret of its new names is kept nowhere."""
    clean = deidentify(
        case, plan, workflow.catalogue(), result, secret=secrets.token_bytes(32), keep_names=keep_names
    )
    workflow.save_case(place, clean.case, clean.plan, clean.result, text=DEIDENTIFIED)
    return place


def delete(path: Path) -> bool:
    """Delete a case that is not open and tell whether it lies in the system's trash.

    Raises
    ------
    StoreError
        If it is open elsewhere or cannot be removed.
    """
    with WriterLock.take(path):
        # What a killed program left beside the file belongs to it: reading takes it back into it.
        with suppress(StoreError):
            summary(path)
        moved = QFile.moveToTrash(str(path))
        is_in_trash = bool(moved[0] if isinstance(moved, tuple) else moved)
        if not is_in_trash:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{path.name} could not be deleted.",
                    "Its folder may be write-protected; delete it there yourself.",
                    code="not-deleted",
                    place=path.name,
                ) from error
        journal = path.with_name(f"{path.name}-journal")
        with suppress(OSError):
            journal.unlink(missing_ok=True)
    return is_in_trash


def require_other(path: Path, place: Path) -> None:
    """Refuse to write a copy over its original.

    Raises
    ------
    StoreError
        ``same-file``.
    """
    with suppress(OSError):
        if place.exists() and place.samefile(path):
            raise StoreError(
                f"{place.name} is the case itself.",
                "Choose another name for the copy.",
                code="same-file",
                place=place.name,
            )
