"""Folder: the files of a command come into their folder when all of them are written, or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryoplan.core.errors import StoreError


def write_json(path: Path, record: Mapping[str, object]) -> None:
    """Write plain values; numbers that are none are refused."""
    path.write_text(
        json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def relative_files(folder: Path) -> tuple[str, ...]:
    """Return the names of all files in a folder and below, sorted."""
    return tuple(sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()))


@contextmanager
def all_or_nothing(out: Path) -> Iterator[Path]:
    """Yield a folder beside `out` whose files move into it only when everything has been written."""
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
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.unfinished-", dir=out.parent))
    except OSError as error:
        raise _cannot_write(out, error) from error
    try:
        yield work
        out.mkdir(exist_ok=True)
        for name in relative_files(work):
            destination = out / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            (work / name).replace(destination)
    except OSError as error:
        raise _cannot_write(out, error) from error
    except StoreError as error:
        if work.name in error.place or work.name in error.what:
            # The unfinished folder is nobody's business: name the one that was asked for.
            raise _cannot_write(out, error.__cause__ or error) from error
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _cannot_write(out: Path, error: BaseException) -> StoreError:
    reason = getattr(error, "strerror", None) or error
    return StoreError(
        f"The results cannot be written to {out}: {reason}.",
        "Free some space or choose a folder that you may write to.",
        code="cannot-write",
        place=str(out),
    )
