"""One writer: who may write a case file, and who has it when it is not we.

Measured: an exclusive SQLite lock on the case file itself keeps readers out as well ("database is locked"),
so nobody could look at a case that is open elsewhere. The writer therefore holds a SQLite lock on an empty
database beside it, ``.NAME.lock``: SQLite locks through the system on every platform, the lock is gone the
moment its program is, and an empty file cannot be damaged. Writers of one process exclude one another too,
which plain ``fcntl`` locks do not do. Who it is stands in ``.NAME.user``, a text that is only believed while
the lock is held. Both are removed when the file is closed.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryoplan.case.store_file import disk_sentences
from cryoplan.core.errors import StoreError

_TRIES = 20


class WriterLock:
    """The right to write one case file. Made by `take`; give it back with `release`."""

    def __init__(self, lock: Path, user: Path, connection: sqlite3.Connection) -> None:
        self._lock = lock
        self._user = user
        self._connection: sqlite3.Connection | None = connection

    @classmethod
    def take(cls, path: Path) -> Self:
        """Become the writer of the case file `path`, which need not exist yet.

        Raises
        ------
        StoreError
            ``case-file-in-use`` if there is a writer already; it names user, machine and time.
            ``not-writable``, ``disk-full`` or ``case-place-gone`` if nothing can be written beside the file.
        """
        place = path.resolve()
        lock, user = place.with_name(f".{place.name}.lock"), place.with_name(f".{place.name}.user")
        for _ in range(_TRIES):
            connection = None
            try:
                connection = _connect(lock)
                connection.execute("BEGIN IMMEDIATE")
                taken = _is_in_place(lock)
            except sqlite3.Error as error:
                if connection is not None:
                    connection.close()
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
                if code == sqlite3.SQLITE_BUSY:
                    raise _in_use(path.name, user) from error
                if code == sqlite3.SQLITE_IOERR and not lock.exists():
                    continue  # the last writer removed it between our opening and locking it
                with disk_sentences(path):
                    raise
            if taken:
                with suppress(OSError):  # without it the next one is told less, no more
                    user.write_text(json.dumps(_myself()), encoding="utf-8")
                return cls(lock, user, connection)
            connection.close()
        raise _in_use(path.name, user)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others write; a second call does nothing."""
        if self._connection is None:
            return
        with suppress(OSError):
            self._user.unlink(missing_ok=True)
        # Removed while it is held, so that it cannot be the lock of the next one; Windows wants it closed
        # first and then refuses by itself to remove what somebody else has open.
        with suppress(OSError):
            self._lock.unlink(missing_ok=True)
        self._connection.close()
        self._connection = None
        if os.name == "nt":
            with suppress(OSError):
                self._lock.unlink(missing_ok=True)


def is_free(path: Path) -> bool:
    """Tell whether nobody has the case file `path` open for writing; one who was killed has not.

    False where that cannot be told.
    """
    place = path.resolve()
    lock = place.with_name(f".{place.name}.lock")
    try:
        lock.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        connection = _connect(lock, "rw")
    except sqlite3.Error:
        return False
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return True


def _connect(lock: Path, mode: str = "rwc") -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{lock.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=0.0, check_same_thread=False
    )
    try:
        # An empty database gets a journal file the moment it is locked, unless that lives in memory.
        connection.execute("PRAGMA journal_mode = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_in_place(lock: Path) -> bool:
    """Tell whether the file that is locked is the one at its place, not one that was removed meanwhile."""
    try:
        second = _connect(lock, "rw")
    except sqlite3.Error:
        return False
    try:
        second.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    finally:
        second.close()
    return False


def _myself() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in the system's list, in a container for example
        user = "somebody"
    return {"user": user, "host": socket.gethostname(), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}


def _in_use(name: str, user: Path) -> StoreError:
    who = "another program"
    with suppress(OSError, ValueError, TypeError, KeyError):
        with user.open(encoding="utf-8") as stream:
            said = json.loads(stream.read(2000))
        words = [_word(said[key]) for key in ("user", "host", "since")]
        who = f"{words[0]}@{words[1]} since {words[2]}"
    return StoreError(
        f"{name} is open for writing elsewhere: {who}.",
        "Close it there, or open it for reading only.",
        code="case-file-in-use",
        place=name,
    )


def _word(value: object) -> str:
    # Anybody may have written that file.
    return "".join(c for c in str(value) if c.isprintable())[:80]
