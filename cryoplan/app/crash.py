"""Crash: one net for errors that nobody expected, and the trace of a session that ended badly.

Every thread's errors, those of finalisers and those of the background process end here: they are written to
the log once, then at every doubling of their number, and told to whoever shows them. Nothing that is written
or shown holds patient data (`cryoplan.app.scrub`).

A session keeps a locked trace file while it lives. `faulthandler` writes into it when the process dies of
something that Python cannot catch; a session that ends in order removes it. So a trace file that nobody
holds locked tells the next start that the last session ended badly. Nothing is sent anywhere.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from cryoplan import __version__
from cryoplan.app.log import Clean, log_folder, log_path, start_log, stop_log
from cryoplan.app.scrub import clean_trace, describe, kind_of

WHAT = "Something unexpected happened."
SAFE = "Your case is safe in its file."

LIBRARIES = ("PySide6-Essentials", "numpy", "scipy", "numba", "vtk", "pyvista", "SimpleITK", "pydicom")

MOST_KINDS = 200
"""Different errors that are counted apart; more of them are one kind, 'others'."""

KEPT_TRACES = 5
LARGEST_TRACE_BYTES = 200_000

WINDOW, BACKGROUND = "window", "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexpected:
    """One error that nobody expected.

    Attributes
    ----------
    kind : str
        Class of the error.
    where : str
        What met it, in words.
    details : str
        Versions, platform and traceback, without patient data; what "Copy details" copies.
    times : int
        How often it has come in this session.
    """

    kind: str
    where: str
    details: str
    times: int = 1


def versions() -> str:
    """Return version, platform and library versions as lines."""
    found = []
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    head = f"cryoplan {__version__}, Python {platform.python_version()}, {system}"
    return f"{head}\n{', '.join(found)}"


def debugging() -> bool:
    """Tell whether CRYOPLAN_DEBUG asks for tracebacks on the terminal; they are not scrubbed."""
    return bool(os.environ.get("CRYOPLAN_DEBUG"))


class Net:
    """Catches what nobody else caught, in all threads and finalisers of this process.

    Parameters
    ----------
    tell : callable, optional
        Called with every `Unexpected`, on the thread that met it.
    interrupted : callable, optional
        Called when Ctrl+C arrives where nobody waits for it.
    """

    def __init__(
        self,
        tell: Callable[[Unexpected], None] | None = None,
        interrupted: Callable[[], None] | None = None,
    ) -> None:
        self._tell, self._interrupted = tell, interrupted
        self._times: dict[str, int] = {}
        self._lock = threading.Lock()
        self._inside = threading.local()
        self._before: tuple[Any, Any, Any] | None = None

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def install(self) -> None:
        """Take the place of Python's three last hooks."""
        if self._before is None:
            self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
            sys.excepthook = self._from_main
            threading.excepthook = self._from_thread
            sys.unraisablehook = self._from_finaliser

    def remove(self) -> None:
        """Give the hooks back."""
        if self._before is not None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
            self._before = None

    def caught(self, error: BaseException, where: str) -> Unexpected | None:
        """Write an error down and tell of it; None where writing it down failed in its turn."""
        if getattr(self._inside, "yes", False):
            return None  # telling of an error met another: one of them is enough
        self._inside.yes = True
        try:
            if debugging():
                traceback.print_exception(error)
            found = self._record(kind_of(error), where, describe(error))
            if self._tell is not None:
                self._tell(found)
            return found
        except Exception:
            return None
        finally:
            self._inside.yes = False

    def _record(self, kind: str, where: str, details: str) -> Unexpected:
        with self._lock:
            key = details if details in self._times or len(self._times) < MOST_KINDS else "others"
            times = self._times[key] = self._times.get(key, 0) + 1
        if times & (times - 1) == 0:
            logging.getLogger("cryoplan").error(
                "unexpected, time %d, %s\n%s", times, Clean(where), Clean(details)
            )
        return Unexpected(kind=kind, where=where, details=f"{versions()}\n{where}\n{details}", times=times)

    def _from_main(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            if self._interrupted is not None:
                self._interrupted()
            return
        self.caught(_with(error, trace), "in the main thread")

    def _from_thread(self, found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None and not issubclass(found.exc_type, SystemExit):
            self.caught(_with(found.exc_value, found.exc_traceback), "in a thread")

    def _from_finaliser(self, found: Any) -> None:
        # The object that could not be taken down is not looked at: its text may name anything.
        if isinstance(found.exc_value, BaseException):
            self.caught(_with(found.exc_value, found.exc_traceback), "while clearing up")


def _with(error: BaseException, trace: TracebackType | None) -> BaseException:
    return error if trace is None else error.with_traceback(trace)


def write_down(error: BaseException, where: str) -> Path:
    """Write one error to the log, for a command that ends with it, and return the log's path."""
    path = start_log()
    try:
        Net().caught(error, where)
    finally:
        stop_log()
    return path


class Session:
    """A trace file that exists, locked, as long as the process is well.

    Parameters
    ----------
    kind : str
        `WINDOW` or `BACKGROUND`.
    """

    def __init__(self, kind: str) -> None:
        self.path = trace_path(kind, os.getpid())
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        """Make the file and lead fatal errors into it; without a file the program works all the same."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(
                self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600
            )
            self._file = os.fdopen(descriptor, "w+b", buffering=0)
            _lock(descriptor)
            faulthandler.enable(self._file, all_threads=True)

    def end(self) -> None:
        """Remove the file: all is well."""
        if self._file is None:
            return
        faulthandler.disable()
        self._file.close()
        self._file = None
        with contextlib.suppress(OSError):
            self.path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a session of before ended badly.

    Attributes
    ----------
    trace : str
        Where the process was, cleaned; empty when it was killed or the power failed.
    path : Path or None
        Where the cleaned trace is kept.
    """

    trace: str
    path: Path | None

    @property
    def details(self) -> str:
        """What "Copy details" copies."""
        return f"{versions()}\n{self.trace or 'There is no trace: it was killed, or the power failed.'}"


def trace_path(kind: str, process: int) -> Path:
    """Return the trace file of a process."""
    return log_folder() / f"{kind}-{process}.trace"


def take_trace(kind: str, process: int) -> str:
    """Remove the trace file of a process that has ended and return what it holds, cleaned."""
    return _take(trace_path(kind, process)) or ""


def last_endings() -> tuple[Ending, ...]:
    """Return the sessions that ended badly since the last start, and put their traces aside.

    Traces of sessions that still run stay as they are. A background process that ended without a trace was
    ended by its window, so it is passed over.
    """
    folder = log_folder()
    found = []
    for path in sorted(folder.glob("*.trace")):
        if _is_held(path):
            continue
        trace = _take(path)
        if trace is None or (not trace and not path.name.startswith(WINDOW)):
            continue
        found.append(Ending(trace=trace, path=_keep(folder, trace) if trace else None))
    return tuple(found)


def _take(path: Path) -> str | None:
    """Return the cleaned text of a trace file and remove it; None when there is none."""
    try:
        with path.open("rb") as stream:
            text = stream.read(LARGEST_TRACE_BYTES).decode("utf-8", errors="replace")
        path.unlink()
    except OSError:
        return None
    return clean_trace(text)


def _keep(folder: Path, trace: str) -> Path | None:
    """Write a cleaned trace beside the log and remove all but the newest few."""
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.split('_')[0]}_{number}.txt")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(f"{versions()}\n{trace}\n".encode())
        kept = sorted(folder.glob("crash-*.txt"), key=lambda p: p.stat().st_mtime_ns)
        for old in kept[:-KEPT_TRACES]:
            old.unlink()
    except OSError:
        return None
    return path


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # a byte that is never written: Windows forbids writing to a locked one

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(path: Path) -> bool:
    """Tell whether a living process holds the file; the lock of a dead one is gone with it."""
    try:
        with path.open("r+b") as stream:
            _lock(stream.fileno())
    except OSError:  # locked, or gone meanwhile: somebody else's either way
        return True
    return False


__all__ = [
    "BACKGROUND", "SAFE", "WHAT", "WINDOW", "Ending", "Net", "Session", "Unexpected", "debugging",
    "last_endings", "log_path", "take_trace", "trace_path", "versions", "write_down",
]  # fmt: skip
