"""Folder: the files of a command come into their folder when all of them are written, or not at all."""

from __future__ import annotations

import glob
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cryoplan.core.errors import StoreError

LEFTOVER_S = 3600.0
"""Age from which an unfinished folder is that of a program that was killed."""


def write_json(path: Path, record: Mapping[str, object]) -> None:
    """Write plain values; numbers that are none are refused."""
    path.write_text(
        json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def relative_files(folder: Path) -> tuple[str, ...]:
    """Return the names of all files in a folder and below, sorted."""
    return tuple(sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()))


@contextmanager
def all_or_nothing(out: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a folder beside `out` whose files move into it only when everything has been written.

    A folder that is new or empty appears in one step. In one that holds files, those that are replaced are
    put back when moving fails halfway.

    Parameters
    ----------
    replace : bool
        Whether files of the same names may be replaced.

    Raises
    ------
    StoreError
        ``already-there`` if files of the same names are there and may not be replaced; another code if `out`
        cannot be written. It is as it was then.
    """
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists() and not out.is_dir():
            raise StoreError(
                f"{out} is a file, not a folder.",
                "Choose another folder.",
                code="out-not-a-folder",
                place=str(out),
            )
        # Within a folder that is in use: it may be the root of a stick, whose files cannot be renamed into it
        # from beside it.
        place = out if out.exists() and any(out.iterdir()) else out.parent
        _sweep(place, out)
        work = Path(tempfile.mkdtemp(prefix=_prefix(out), dir=place))
    except OSError as error:
        raise _cannot_write(out, error) from error
    try:
        yield work
        names = relative_files(work)
        if not replace:
            refuse_existing(out, names)
        _move(work, out, names)
    except OSError as error:
        raise _cannot_write(out, error) from error
    except StoreError as error:
        if work.name in error.place or work.name in error.what:
            # The unfinished folder is nobody's business: name the one that was asked for.
            raise _cannot_write(out, error.__cause__ or error) from error
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def refuse_existing(out: Path, names: Iterable[str]) -> None:
    """Raise `StoreError` if any of `names` is in a folder already; a folder that is not there holds none."""
    there = [name for name in names if (out / name).exists()]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise StoreError(
            f"{out} holds {there[0]}{more} already; nothing was written.",
            "Choose another folder, or say that they may be replaced (--replace).",
            code="already-there",
            place=there[0],
        )


def _move(work: Path, out: Path, names: Sequence[str]) -> None:
    """Move finished files into their folder; what was there is put back when that fails."""
    if work.parent != out:
        _set_rights(work, out)
        # Windows does not rename onto an empty folder, and no system onto a link to one.
        with suppress(OSError):
            work.replace(out)
            return
        out.mkdir(exist_ok=True)
    earlier = work / "replaced"
    moved: list[str] = []
    try:
        for name in names:
            destination = out / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            if destination.exists():
                kept = earlier / name
                kept.parent.mkdir(parents=True, exist_ok=True)
                destination.replace(kept)
            moved.append(name)
            (work / name).replace(destination)
    except OSError:
        for name in moved:
            with suppress(OSError):
                (out / name).unlink(missing_ok=True)
            with suppress(OSError):
                if (earlier / name).exists():
                    (earlier / name).replace(out / name)
        raise


def _set_rights(work: Path, out: Path) -> None:
    """Give a temporary folder, which only its owner may enter, the rights of the one whose place it takes."""
    if out.exists():
        shutil.copymode(out, work)
    elif os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        work.chmod(0o777 & ~mask)


def _prefix(out: Path) -> str:
    return f".{out.name}.unfinished-"


def _sweep(place: Path, out: Path) -> None:
    """Remove what a killed program left unfinished; younger leftovers may be those of a running one."""
    for leftover in place.glob(f"{glob.escape(_prefix(out))}*"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime >= LEFTOVER_S:
                shutil.rmtree(leftover, ignore_errors=True)


def _cannot_write(out: Path, error: BaseException) -> StoreError:
    reason = getattr(error, "strerror", None) or error
    return StoreError(
        f"The results cannot be written to {out}: {reason}.",
        "Free some space or choose a folder that you may write to.",
        code="cannot-write",
        place=str(out),
    )
