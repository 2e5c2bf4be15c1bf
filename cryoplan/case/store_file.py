"""The database file under a case: opened only when it is a whole case file; SQLite's errors as sentences.

Journal mode DELETE and ``synchronous=FULL``: each commit is on the disk before it returns, and a killed
program leaves the state before it. A hostile file could hide code in its schema, so the tables must be
exactly those of a case.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryoplan.core.errors import CryoplanError, StoreError

APPLICATION_ID = 0x43525950
"""``CRYP``: what ``file`` and this module know a case file by."""

SCHEMA_VERSION = 6

WAIT_S = 5.0
"""How long a reader waits for a commit, and a commit for readers; both take milliseconds."""

_OPEN_HERE: dict[tuple[int, int], int] = {}
"""Device and inode of files that this process has open through SQLite, and how often."""


class CaseConnection(sqlite3.Connection):
    """A connection to a case file that is known to be open here until it is closed."""

    _key: tuple[int, int] | None = None

    def note_open(self, path: Path) -> None:
        """Note that this process has `path` open."""
        status = path.stat()
        self._key = (status.st_dev, status.st_ino)
        _OPEN_HERE[self._key] = _OPEN_HERE.get(self._key, 0) + 1

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        super().close()
        if self._key is not None:
            _OPEN_HERE[self._key] -= 1
            if not _OPEN_HERE[self._key]:
                del _OPEN_HERE[self._key]
            self._key = None


def connect(path: Path, *, read_only: bool) -> CaseConnection:
    """Open an existing file. One thread at a time may use the connection, not always the same.

    A read-only one may still roll back what a killed program left half written, where the place allows it.
    """
    # mode=rw falls back to reading by itself on a write-protected file; mode=ro could not roll back.
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=WAIT_S,
        check_same_thread=False,
        factory=CaseConnection,
    )
    try:
        connection.note_open(path)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            set_safe(connection)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_new(path: Path) -> sqlite3.Connection:
    """Make an empty case file; `path` is a temporary one that nobody else knows."""
    connection = sqlite3.connect(path, isolation_level=None)
    mark(connection)
    set_safe(connection)
    return connection


def mark(connection: sqlite3.Connection) -> None:
    """Write down that a database is a case file of this version."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def set_safe(connection: sqlite3.Connection) -> None:
    """Make each commit reach the disk."""
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")


def checked_version(path: Path) -> int:
    """Return the version of a case file from its first 100 bytes, without touching anything beside it.

    Raises
    ------
    StoreError
        If it cannot be read, is no case file, or is newer than this program.
    """
    try:
        status = path.stat()
        if (status.st_dev, status.st_ino) in _OPEN_HERE:
            # Closing a second handle would drop SQLite's POSIX locks of this process on the file.
            return SCHEMA_VERSION
        # SQLite itself would play back a journal beside a foreign file.
        with path.open("rb") as stream:
            header = stream.read(100)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(
            f"{path.name} cannot be opened ({reason}).",
            "Choose a case file.",
            code="case-file-unreadable",
            place=path.name,
        ) from error
    version, identity = 0, 0
    if len(header) == 100:
        version, identity = struct.unpack(">60xI4xI28x", header)
    if not header.startswith(b"SQLite format 3\0") or identity != APPLICATION_ID:
        raise StoreError(
            f"{path.name} is not a case file of cryoplan.",
            "Choose a file that was saved by cryoplan.",
            code="not-a-case-file",
            place=path.name,
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path.name} was written by a newer version of cryoplan (file version {version}).",
            "Open it with that version; it was not changed.",
            code="case-file-newer",
            place=path.name,
        )
    if version < 1:
        raise damaged(path, f"file version {version} was never written")
    return version


def check_content(path: Path, connection: sqlite3.Connection, schema: Sequence[str]) -> None:
    """Make sure that the pages are sound, all there, and hold the tables of `schema` and nothing else.

    Raises
    ------
    StoreError
        If not.
    """
    # In one transaction: beside a writer the size could change between two questions.
    with reading(connection):
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise damaged(path, str(problem))
        # SQLite reads a cut last page as zeros and says nothing.
        (pages,), (page_size,) = (
            connection.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size")
        )
        if path.stat().st_size != pages * page_size:
            raise damaged(path, "it is cut short or something was added")
        found = {" ".join(row[0].split()) for row in connection.execute(
            "SELECT coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")}  # fmt: skip
    if found != {" ".join(statement.split()) for statement in schema}:
        raise damaged(path, "its tables are not those of a case")


def damaged(path: Path, why: str) -> StoreError:
    """Return the error of a file whose content does not fit together."""
    return StoreError(
        f"{path.name} is damaged ({why}).",
        "Open a copy of it; this file was not changed.",
        code="case-file-damaged",
        place=path.name,
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make all changes of the block together, or none of them."""
    yield from _between(connection, "BEGIN IMMEDIATE")


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """Read one state of the file in the block, whatever a writer does beside it."""
    yield from _between(connection, "BEGIN")


def _between(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    try:
        connection.execute(begin)
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After some errors SQLite has rolled back by itself, and a second time would hide the first reason.
        if connection.in_transaction:
            # Not `execute`: nothing may come between a failed write and its end.
            connection.rollback()
        raise


@contextmanager
def disk_sentences(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the disk or the file into a sentence."""
    name = path.name
    try:
        yield
    except (sqlite3.DataError, OverflowError) as error:
        raise StoreError(
            f"{name}: the image or a result is too large to be kept in a case file ({error}).",
            "Crop the image before loading it.",
            code="case-too-large",
            place=name,
        ) from error
    except sqlite3.Error as error:
        # The low byte is SQLite's primary code; the rest says more than a user needs.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise damaged(path, str(error)) from error
        what, remedy, word = _DISK_WORDS.get(
            code, (f"could not be read or written ({error})", "Check the disk.", "case-file-failed")
        )
        raise StoreError(f"{name} {what}.", remedy, code=word, place=name) from error
    except OSError as error:
        what, remedy, word = _GONE
        raise StoreError(f"{name} {what}.", remedy, code=word, place=name) from error


_NOT_WRITABLE = (
    "or its folder may not be written",
    "Open it for reading only, or choose a folder that you may write to.",
    "not-writable",
)
_IN_USE = ("is open in another program", "Close it there first.", "case-file-in-use")
_GONE = (
    "cannot be reached: its disk or network folder does not answer, or it was moved",
    "Bring the place back, or save a copy elsewhere.",
    "case-place-gone",
)
_DISK_WORDS = {
    sqlite3.SQLITE_FULL: (
        "was not written because the disk is full; what was there before is unchanged",
        "Free some space or choose another folder.",
        "disk-full",
    ),
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_IOERR: _GONE,
}


@contextmanager
def content_sentences(path: Path) -> Iterator[None]:
    """Turn whatever rows that do not fit together raise, from JSON to the records, into one sentence."""
    try:
        yield
    except StoreError:
        raise
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, CryoplanError) as error:
        raise damaged(path, str(error) or type(error).__name__) from error
