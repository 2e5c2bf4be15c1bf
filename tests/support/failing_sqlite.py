"""SQLite connections whose n-th statement fails the way a disk fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryoplan.case import store_file

DISK_FULL = ("database or disk is full", sqlite3.SQLITE_FULL)
IO_ERROR = ("disk I/O error", sqlite3.SQLITE_IOERR | (4 << 8))
READ_ONLY = ("attempt to write a readonly database", sqlite3.SQLITE_READONLY)


class Faults:
    """Counts the statements of all connections made in its block, and fails the one it is told to.

    Attributes
    ----------
    seen : list of str
        Statements so far.
    fail_at : int
        Number of the statement that fails, counted from 1; 0 for none.
    after : bool
        Whether the statement is carried out before it "fails", as a commit whose last flush fails is.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.fail_at = 0
        self.after = False
        self.reason = DISK_FULL

    def arm(self, fail_at: int, reason: tuple[str, int], *, after: bool = False) -> None:
        """Begin to count anew and fail at that statement."""
        self.seen.clear()
        self.fail_at, self.reason, self.after = fail_at, reason, after

    def execute(self, connection: sqlite3.Connection, words: tuple[Any, ...]) -> sqlite3.Cursor:
        """Carry out a statement or fail."""
        self.seen.append(words[0])
        if len(self.seen) != self.fail_at:
            return sqlite3.Connection.execute(connection, *words)
        if self.after:
            sqlite3.Connection.execute(connection, *words)
        error = sqlite3.OperationalError(self.reason[0])
        error.sqlite_errorcode = self.reason[1]
        raise error


@contextmanager
def failing_statements(monkeypatch: Any) -> Iterator[Faults]:
    """Make every connection that case files are opened through count and fail."""
    faults = Faults()

    class Failing(store_file.CaseConnection):
        def execute(self, *words: Any) -> sqlite3.Cursor:
            return faults.execute(self, words)

    real = sqlite3.connect

    def connect(*words: Any, **options: Any) -> sqlite3.Connection:
        return real(*words, **options | {"factory": Failing})

    with monkeypatch.context() as patch:
        patch.setattr(store_file, "CaseConnection", Failing)
        patch.setattr(sqlite3, "connect", connect)
        yield faults
