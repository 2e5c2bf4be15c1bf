"""CaseStore: one patient's case, plans and results in one SQLite file, ``*.cryoplan``.

Decision (architecture 11.1): one database instead of a folder or a zip. Each change is one transaction, so a
killed program leaves the state before it; ``synchronous=FULL`` and the rollback journal do what own code for
temporary files would have to. A new file is written beside its place and renamed. The store holds the `Case`
record, and texts and bytes of the later rooms; it knows nothing of plans or simulations. No pickle.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cryoplan.case.case import Case
from cryoplan.case.store_rows import SCHEMA, insert_case, select_case
from cryoplan.core.atomic import replace_when_written
from cryoplan.core.errors import CryoplanError, StoreError

APPLICATION_ID = 0x43525950
"""``CRYP``: what ``file`` and this module know a case file by."""

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan as the store sees it: a name and the text of ``plan.json``."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A result as the store sees it: the key it answers to, a readable header and packed arrays."""

    key: str
    header: str
    data: bytes


class CaseStore:
    """An open case file. Use it in a ``with`` block.

    While it is open no other program can write the file. Made by `open`; `create` writes a new file.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def create(
        cls,
        path: Path,
        case: Case,
        *,
        plans: Sequence[StoredPlan] = (),
        results: Sequence[StoredResult] = (),
    ) -> None:
        """Write a whole new case file; an old one at `path` is replaced only once the new one is whole.

        Raises
        ------
        StoreError
            If the place cannot be written, the disk is full, or the image is too large to be embedded.
        """
        if not path.parent.is_dir():
            raise StoreError(
                f"The folder of {path.name} does not exist.",
                "Make the folder or choose another.",
                code="folder-missing",
                place=path.name,
            )
        with (
            replace_when_written(path) as temporary,
            _disk_sentences(path),
            closing(sqlite3.connect(temporary, isolation_level=None)) as connection,
        ):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            _set_safe(connection)
            with _transaction(connection):
                for statement in SCHEMA:
                    connection.execute(statement)
                insert_case(connection, case)
                _insert_plans(connection, plans)
                for result in results:
                    _insert_result(connection, result)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a case file for reading and writing.

        Raises
        ------
        StoreError
            If it is missing, not a case file, of a newer version, damaged, or open elsewhere. The file is
            then as it was.
        """
        _check_header(path)
        with _disk_sentences(path):
            uri = f"{path.resolve().as_uri()}?mode=rw"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1.0)
            try:
                _set_safe(connection)
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("PRAGMA cell_size_check = ON")
                _check_content(path, connection)
                _take_lock(connection)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free; a second call does nothing."""
        self._connection.close()

    def load_case(self) -> Case:
        """Return the case with its embedded image.

        Raises
        ------
        StoreError
            If anything in the file does not fit together, the voxels and their SHA-256 for example.
        """
        with _disk_sentences(self.path), _content_sentences(self.path):
            return select_case(self._connection)

    def replace_case(self, case: Case) -> None:
        """Put another state of the case in place of the old one, in one transaction.

        Raises
        ------
        StoreError
            If it cannot be written; the file then holds the old state.
        """
        with _disk_sentences(self.path), _transaction(self._connection):
            for table in ('"case"', "image", "structure"):
                self._connection.execute(f"DELETE FROM {table}")
            insert_case(self._connection, case)

    def plans(self) -> tuple[StoredPlan, ...]:
        """Return all plans in their order."""
        with _disk_sentences(self.path):
            rows = self._connection.execute("SELECT name, json FROM plan ORDER BY position")
            return tuple(StoredPlan(name=name, text=text) for name, text in rows)

    def replace_plans(self, plans: Sequence[StoredPlan]) -> None:
        """Put these plans in place of the old ones, in one transaction.

        Raises
        ------
        StoreError
            If two share a name or the file cannot be written; it then holds the old plans.
        """
        with _disk_sentences(self.path), _transaction(self._connection):
            self._connection.execute("DELETE FROM plan")
            _insert_plans(self._connection, plans)

    def result_keys(self) -> tuple[str, ...]:
        """Return the keys of all results."""
        with _disk_sentences(self.path):
            return tuple(
                row[0] for row in self._connection.execute("SELECT key FROM result ORDER BY position")
            )

    def result(self, key: str) -> StoredResult | None:
        """Return the result of that key, None when there is none."""
        with _disk_sentences(self.path):
            row = self._connection.execute(
                "SELECT key, header, data FROM result WHERE key = ?", (key,)
            ).fetchone()
            return None if row is None else StoredResult(key=row[0], header=row[1], data=row[2])

    def put_result(self, result: StoredResult) -> None:
        """Add a result, or replace the one of the same key, in one transaction.

        Raises
        ------
        StoreError
            If the file cannot be written; it then holds what it held.
        """
        with _disk_sentences(self.path), _transaction(self._connection):
            self._connection.execute("DELETE FROM result WHERE key = ?", (result.key,))
            _insert_result(self._connection, result)

    def drop_results(self, keep: Sequence[str] = ()) -> None:
        """Remove all results but those of the keys in `keep`, in one transaction."""
        with _disk_sentences(self.path), _transaction(self._connection):
            for key in self.result_keys():
                if key not in keep:
                    self._connection.execute("DELETE FROM result WHERE key = ?", (key,))


def save_case(case: Case, path: Path) -> None:
    """Write `case` alone as a new file; see `CaseStore.create`."""
    CaseStore.create(path, case)


def load_case(path: Path) -> Case:
    """Read the case of a file; see `CaseStore.open` and `CaseStore.load_case`."""
    with CaseStore.open(path) as store:
        return store.load_case()


def _set_safe(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")
    # A hostile file could hide code in its schema; ours has none.
    connection.execute("PRAGMA trusted_schema = OFF")


def _take_lock(connection: sqlite3.Connection) -> None:
    # Exclusive mode takes the lock at the first write only; until then a second program could open the file.
    # On a write-protected file SQLite begins a read instead, so that one may be read by many.
    connection.execute("BEGIN EXCLUSIVE")
    connection.execute("COMMIT")


def _check_header(path: Path) -> None:
    """Read the first 100 bytes without SQLite, which would touch a journal beside a foreign file."""
    try:
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
    if version < SCHEMA_VERSION:
        raise _damaged(path, f"file version {version} was never written")


def _check_content(path: Path, connection: sqlite3.Connection) -> None:
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise _damaged(path, str(problem))
    # SQLite reads a cut last page as zeros and says nothing.
    (pages,), (page_size,) = (
        connection.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size")
    )
    if path.stat().st_size != pages * page_size:
        raise _damaged(path, "it is cut short or something was added")
    found = {" ".join(row[0].split()) for row in connection.execute(
        "SELECT coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")}  # fmt: skip
    if found != {" ".join(statement.split()) for statement in SCHEMA}:
        raise _damaged(path, "its tables are not those of a case")


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path.name} is damaged ({why}).",
        "Open a copy of it; this file was not changed.",
        code="case-file-damaged",
        place=path.name,
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After some errors SQLite has rolled back by itself, and a second time would hide the first reason.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _disk_sentences(path: Path) -> Iterator[None]:
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
            raise _damaged(path, str(error)) from error
        what, remedy, word = _DISK_WORDS.get(
            code, (f"could not be read or written ({error})", "Check the disk.", "case-file-failed")
        )
        raise StoreError(f"{name} {what}.", remedy, code=word, place=name) from error


_NOT_WRITABLE = ("or its folder may not be written", "Choose a folder that you may write to.", "not-writable")
_IN_USE = ("is open in another program", "Close it there first.", "case-file-in-use")
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
}


@contextmanager
def _content_sentences(path: Path) -> Iterator[None]:
    """Turn whatever rows that do not fit together raise, from JSON to the records, into one sentence."""
    try:
        yield
    except (zlib.error, ValueError, KeyError, TypeError, CryoplanError) as error:
        raise _damaged(path, str(error)) from error


def _insert_plans(connection: sqlite3.Connection, plans: Sequence[StoredPlan]) -> None:
    names = [plan.name for plan in plans]
    for position, plan in enumerate(plans):
        if plan.name in names[:position]:
            raise StoreError(
                f"Two plans are called {plan.name!r}.",
                "Rename one of them.",
                code="plan-name-twice",
                place=plan.name,
            )
        connection.execute("INSERT INTO plan VALUES (?, ?, ?)", (position, plan.name, plan.text))


def _insert_result(connection: sqlite3.Connection, result: StoredResult) -> None:
    connection.execute(
        "INSERT INTO result (key, header, data) VALUES (?, ?, ?)", (result.key, result.header, result.data)
    )
