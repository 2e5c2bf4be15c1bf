"""Foreign files are read in a child process with limits: whatever they do to it, this process goes on.

A file can make a reader take all memory, crash in machine code or never end. The child has a limit on its
memory where the system knows one, is given up when it says nothing for long, and hands over what it read
through a pipe, arrays without a further copy.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar, cast

from cryoplan.core.errors import CryoplanError, ImageError
from cryoplan.core.progress import SILENT, Cancelled, Progress, ProgressReport

T = TypeVar("T")

_LOOK_S = 0.2
_ALIVE_S = 0.5  # the child says at most this often that it goes on
_END_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """What a child that reads may take.

    Attributes
    ----------
    memory_bytes : int or None
        Beyond what Python and the libraries map themselves; None stands for what is free at the start.
    silence_s : float
        Without a word for so long it is given up. One call that decodes a large series says nothing.
    """

    memory_bytes: int | None = None
    silence_s: float = 300.0


LIMITS = ReadingLimits()


class _Line:
    """The child's end of the pipe as a `Progress`."""

    def __init__(self, connection: Connection, mark: Any) -> None:
        self._connection, self._mark, self._said = connection, mark, 0.0

    def report(self, report: ProgressReport) -> None:
        """Send a report; at most every half second, or the pipe would be the slowest part."""
        now = time.monotonic()
        if now - self._said >= _ALIVE_S or report.fraction in (0.0, 1.0):
            self._said = now
            self._connection.send(("progress", report))

    def found(self, value: object) -> None:
        """Hand over a part of the answer before the rest is there."""
        self._connection.send(("found", value))

    def cancelled(self) -> bool:
        """Tell whether the parent asked to stop, and the parent that this goes on."""
        now = time.monotonic()
        if now - self._said >= _ALIVE_S:
            self._said = now
            self._connection.send(("alive", None))
        return bool(self._mark.value)


def _child(
    connection: Connection,
    mark: Any,
    task: Callable[..., object],
    words: tuple[object, ...],
    memory: int | None,
    scratch: str,
) -> None:
    tempfile.tempdir = scratch
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl+C and sets the mark
    _hush()
    _limit(memory)
    try:
        value = task(*words, progress=_Line(connection, mark))
        arrays: list[pickle.PickleBuffer] = []
        record = pickle.dumps(value, protocol=5, buffer_callback=arrays.append)
        raw = [array.raw() for array in arrays]
        connection.send(("done", (record, [len(r) for r in raw])))
        for part in raw:
            if len(part):
                connection.send_bytes(part)
    except Cancelled:
        connection.send(("cancelled", None))
    except CryoplanError as error:
        connection.send(("refused", error))
    except MemoryError:
        connection.send(("memory", None))
    except (BrokenPipeError, ConnectionResetError):
        return  # the parent has gone
    except Exception as error:
        connection.send(("failed", type(error).__name__))


def _hush() -> None:
    """Send to nowhere what libraries print while they fall; the parent says it in one sentence."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)


def _limit(memory: int | None) -> None:
    if sys.platform == "win32":
        return  # no such limit without a job object; the estimate from the header stands alone there
    import resource

    from cryoplan.image.memory import free_bytes, mapped_bytes

    allowed = free_bytes() if memory is None else memory
    mapped = mapped_bytes()
    if allowed is None or mapped is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mapped + allowed
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the patient's image


def _unheard(_value: object) -> None:
    """Tell nobody."""


def read_apart(
    task: Callable[..., T],
    *words: object,
    name: str,
    limits: ReadingLimits = LIMITS,
    progress: Progress = SILENT,
    found: Callable[[Any], None] = _unheard,
) -> T:
    """Call ``task(*words, progress=...)`` in a child process and return what it returns.

    Parameters
    ----------
    task : callable
        A function of a module, so that the child finds it; its words and its answer are pickled.
    name : str
        The file or folder to name when the child falls.
    limits : ReadingLimits
        Of memory and of silence.
    progress : Progress
        Hears the child's reports and may cancel it.
    found : callable
        Given what the task hands over by ``progress.found(value)`` before it is done.

    Raises
    ------
    CryoplanError
        What the task raised; an ImageError where the child died, ran out of memory or fell silent.
    Cancelled
        If `progress` says so.
    """
    # What the child unpacks must go even when the child cannot tidy up any more.
    with tempfile.TemporaryDirectory(prefix="cryoplan-", ignore_cleanup_errors=True) as scratch:
        return cast(T, _in_child(task, words, name, limits, progress, scratch, found))


def _in_child(
    task: Callable[..., object],
    words: tuple[object, ...],
    name: str,
    limits: ReadingLimits,
    progress: Progress,
    scratch: str,
    found: Callable[[Any], None],
) -> object:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    mark = context.Value("b", 0, lock=False)
    child = context.Process(
        target=_child,
        args=(theirs, mark, task, words, limits.memory_bytes, scratch),
        daemon=True,  # a program that ends takes its reader with it
        name="reader",
    )
    child.start()
    theirs.close()
    try:
        return _listen(ours, mark, child, name, limits, progress, found)
    finally:
        ours.close()
        child.join(0.0 if mark.value else _END_S)
        if child.exitcode is None:
            child.kill()
            child.join()
        child.close()


def _listen(
    ours: Connection,
    mark: Any,
    child: Any,
    name: str,
    limits: ReadingLimits,
    progress: Progress,
    found: Callable[[Any], None],
) -> object:
    heard = time.monotonic()
    while True:
        if progress.cancelled():
            mark.value = 1
            raise Cancelled
        try:
            if not ours.poll(_LOOK_S):
                if time.monotonic() - heard > limits.silence_s:
                    mark.value = 1
                    text = f"Reading {name} stood still for {limits.silence_s:.0f} s and was given up."
                    raise _fell(text, "reader-silent", name)
                continue
            word, value = ours.recv()
            heard = time.monotonic()
            if word == "done":
                return _unpack(ours, *value)
        except (EOFError, OSError):
            child.join(_END_S)
            how = f" (signal {-child.exitcode})" if child.exitcode and child.exitcode < 0 else ""
            raise _fell(f"{name} made the program that reads it fall{how}.", "reader-died", name) from None
        if word == "progress":
            progress.report(value)
        elif word == "found":
            found(value)
        elif word == "cancelled":
            raise Cancelled
        elif word == "refused":
            raise value
        elif word == "memory":
            raise _fell(f"{name} takes more memory to read than is free.", "too-large", name)
        elif word == "failed":
            text = f"{name} could not be read: the reader made an error of its own ({value})."
            raise _fell(text, "reader-failed", name)


def _unpack(ours: Connection, record: bytes, lengths: list[int]) -> object:
    buffers = []
    for length in lengths:
        buffer = bytearray(length)
        if length:
            ours.recv_bytes_into(buffer)
        buffers.append(memoryview(buffer).toreadonly())
    return pickle.loads(record, buffers=buffers)


def _fell(what: str, code: str, name: str) -> ImageError:
    remedy = "Nothing else is lost; copy the file again from its source, or choose another."
    return ImageError(what, remedy, code=code, place=name)
