"""Files that are either whole or not there: written beside their place, flushed to disk, then renamed.

Method: a temporary file in the same folder, ``fsync``, ``os.replace``, ``fsync`` of the folder. A full disk,
a read-only folder or a killed program leaves the old file as it was. Qt's ``QSaveFile`` was measured to
report success on a full disk, so plain Python does it.
"""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryoplan.core.errors import StoreError

# Endings of two parts, which ``Path.suffix`` would cut in half; writers choose their format by them.
_DOUBLE_ENDINGS = (".nii.gz", ".tar.gz")


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path`, or leave `path` as it was.

    Raises
    ------
    StoreError
        If the disk is full, the folder is missing or read-only, or the write fails otherwise.
    """
    with replace_when_written(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replace_when_written(path: Path) -> Iterator[Path]:
    """Give a temporary path with the same ending; when the block ends well, it takes the place of `path`.

    The block writes the whole file to the path it is given. When it raises, or when the file cannot be
    flushed or renamed, the temporary file is removed and `path` stays as it was.

    Raises
    ------
    StoreError
        If the block or the renaming met an ``OSError``, or the block wrote nothing.
    """
    path = Path(path)
    # A fixed prefix and a random middle: `sweep` finds leftovers of a killed program by the prefix.
    temporary = path.with_name(f".cryoplan-{secrets.token_hex(6)}{_ending(path)}")
    try:
        try:
            yield temporary
            _flush(temporary)
            os.replace(temporary, path)  # noqa: PTH105 - the one rename that is atomic on every system
            _flush_folder(path.parent)
        except OSError as error:
            raise _store_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def sweep(folder: Path, *, older_than_s: float = 3600.0) -> int:
    """Remove temporary files that a killed program left in `folder`; return how many.

    Younger files than `older_than_s` may belong to a program that is writing right now, and stay.
    """
    removed = 0
    for leftover in folder.glob(".cryoplan-*"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime >= older_than_s:
                leftover.unlink()
                removed += 1
    return removed


def _ending(path: Path) -> str:
    name = path.name.lower()
    for ending in _DOUBLE_ENDINGS:
        if name.endswith(ending):
            return path.name[-len(ending) :]
    return path.suffix


def _flush(path: Path) -> None:
    # Windows flushes only handles that may write.
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    # Some network file systems refuse to flush a folder; the file itself is safe by then.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _store_error(path: Path, error: OSError) -> StoreError:
    name = path.name
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return StoreError(
            f"The disk is full: {name} was not written and what was there before is unchanged.",
            "Free some space or choose another folder.",
            code="disk-full",
            place=name,
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(
            f"The folder of {name} may not be written.",
            "Choose a folder that you may write to.",
            code="not-writable",
            place=name,
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return StoreError(
            f"The folder of {name} does not exist.",
            "Make the folder or choose another.",
            code="folder-missing",
            place=name,
        )
    if error.errno == errno.EISDIR:
        return StoreError(
            f"{name} is a folder, so no file of that name can be written.",
            "Choose another name.",
            code="is-a-folder",
            place=name,
        )
    reason = error.strerror or type(error).__name__
    return StoreError(
        f"{name} could not be written ({reason}); what was there before is unchanged.",
        "Check the disk or choose another folder.",
        code="not-written",
        place=name,
    )
