"""Scrub: what an error may say of itself once names, numbers and places outside the program are taken out.

The rule errs on the safe side. A word of a message stays only if the program knew it before it met any
patient: it stands as a literal in the code of a function on the traceback that belongs to the program or a
library, or in a short list of technical words. Every other word becomes an ellipsis and every number ``#``.
So a message cannot carry a name, an identifier, a date or a file name out of the case, whatever wrote it.
Values of variables are never looked at.
"""

from __future__ import annotations

import builtins
import errno
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType

from cryoplan.core.errors import CryoplanError

LONGEST_MESSAGE = 400
MOST_ERRORS = 8
"""Errors of one chain that are told; a chain that is longer goes round in a ring."""

FIRST_PLACES, LAST_PLACES = 10, 40
"""Frames of a traceback that are told: a recursion has a thousand alike."""

_TECHNICAL = frozenset(
    re.findall(
        r"\w+",
        """
    a abort aborted after all already an and another any are argument arguments array arrays as at attribute
    be been before begin broadcast buffer but by byte bytes call callable called cannot child class close
    closed codec column columns connection contains convert converted could current data decode decoder
    dictionary did dimension dimensions do does done dtype element elements empty encode end ended error
    exceeded exception exist exists expected extra failed fatal field file finite first float for found frame
    from function get given got handle has have height image import in incompatible index infinite input
    inside instance int integer internal into invalid is it item items iterable key keyword last layout
    length less library line lines list local lock longer loop main maximum memory message method minimum
    missing module most must name no none not null number object of on only open operand operands operation
    option or other out outside overflow parent parse permission pipe pixel point pointer position positional
    process queue range read reader recent recursion reference released required returned row rows running
    segmentation set shape shapes should signal size slice started state step stop string sub subscriptable
    supported system takes tell than that the thread timer to together too trace traceback true false tuple
    type types unable unexpected unhandled unicode unknown unpack unsupported use used utf value values view
    volume was were while widget width window with without write writer wrong zero division
        access bus fault illegal instruction python stack violation call calls job unfinished load demo save
        solve report structures target meshes converge verify
    """,
    )
)

_PIECES = re.compile(r"[^\W\d_]+|\d+|\s+|.", re.DOTALL)
_CLASS_OF_QT = re.compile(r"Q[A-Z][A-Za-z]+")
_FILE_LINE = re.compile(r'File "(?P<path>[^"]*)", line (?P<line>\d+) in (?P<name>\S+)')


@cache
def _known_words() -> frozenset[str]:
    """Return words, in small letters, that every message may hold."""
    system = {word for number in errno.errorcode for word in _words(os.strerror(number))}
    python = {word for name in dir(builtins) for word in _words(name)}
    return _TECHNICAL | system | python


def _words(text: str) -> set[str]:
    return {piece.casefold() for piece in re.findall(r"[^\W\d_]+", text)}


def scrub(text: str, known: frozenset[str] = frozenset()) -> str:
    """Return `text` with words that are neither technical nor `known` as ``…`` and numbers as ``#``.

    Parameters
    ----------
    known : frozenset of str
        More words that may stay, in small letters.
    """
    may = _known_words() | known
    kept = []
    for piece in _PIECES.findall(text[: 4 * LONGEST_MESSAGE]):
        if piece.isdigit():
            kept.append("#")
        elif piece[0].isalpha() and piece.casefold() not in may and not _CLASS_OF_QT.fullmatch(piece):
            kept.append("…")
        elif piece.isspace():
            kept.append(" ")
        else:
            # Marks of other writings may be letters of a name: only those of a keyboard stay.
            kept.append(piece if piece.isalpha() or piece in "…" or piece.isascii() else "…")
    short = re.sub(r"…(?:[^\w#]*…)+", "…", "".join(kept)).strip()
    return short if len(short) <= LONGEST_MESSAGE else short[: LONGEST_MESSAGE - 1] + "…"


def describe(error: BaseException) -> str:
    """Return kind, scrubbed message and places of an error and of those that led to it; lines of text."""
    lines: list[str] = []
    for word, one in _chain(error):
        lines.append(f"{word}{kind_of(one)}: {_message(one)}".rstrip(": "))
        lines.extend(f"  at {place}" for place in _places(one.__traceback__))
    return "\n".join(lines)


def kind_of(error: BaseException) -> str:
    """Return the name of the error's class, with its module unless it is one of Python's own."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def clean_trace(text: str) -> str:
    """Return what `faulthandler` wrote, with places relative to the program and its libraries."""
    lines = []
    for line in text.splitlines():
        found = _FILE_LINE.search(line)
        if found:
            lines.append(f"  at {_place(found['path'], int(found['line']), found['name'])}")
        elif line.startswith("Extension modules:"):
            continue
        elif line.strip():
            lines.append(scrub(line))
    return "\n".join(lines)


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield an error and those behind it, each with the words that say how it belongs."""
    waiting: list[tuple[str, BaseException]] = [("", error)]
    seen: set[int] = set()
    while waiting and len(seen) < MOST_ERRORS:
        word, one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield word, one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(("one of them: ", part) for part in one.exceptions)
        if one.__cause__ is not None:
            waiting.append(("caused by ", one.__cause__))
        elif one.__context__ is not None and not one.__suppress_context__:
            waiting.append(("while handling ", one.__context__))


def _message(error: BaseException) -> str:
    if isinstance(error, CryoplanError):
        return error.code  # its sentences name files and structures
    if isinstance(error, OSError) and error.errno is not None:
        return f"errno {error.errno}, {os.strerror(error.errno)}"
    try:
        text = str(error)
    except Exception:  # an error whose text cannot be made still has a kind and a place
        return ""
    return scrub(text, _literals(error.__traceback__))


def _literals(trace: TracebackType | None) -> frozenset[str]:
    """Return the words that stand as literals in those functions of a traceback that are the program's."""
    words: set[str] = set()
    for frame, _ in _walk(trace):
        code = frame.f_code
        if _relative(code.co_filename) is not None:
            for text in _texts(code.co_consts):
                words |= _words(text)
    return frozenset(words)


def _texts(constants: tuple[object, ...]) -> Iterator[str]:
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            yield from _texts(constant)
        elif isinstance(constant, CodeType):
            yield from _texts(constant.co_consts)


def _walk(trace: TracebackType | None) -> list[tuple[FrameType, int]]:
    return list(traceback.walk_tb(trace))


def _places(trace: TracebackType | None) -> list[str]:
    found = [_place(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in _walk(trace)]
    left_out = len(found) - FIRST_PLACES - LAST_PLACES
    if left_out > 0:
        found[FIRST_PLACES:-LAST_PLACES] = [f"... {left_out} more ..."]
    return found


def _place(path: str, line: int, name: str) -> str:
    where = _relative(path)
    if where is None and path in _imported():
        where = os.path.basename(path)  # noqa: PTH119 - frames hold text
    return f"{where}:{line} in {name}" if where is not None else f"outside the program, line {line}"


def _imported() -> set[str]:
    """Return the files of modules that were imported by name: code, and so no document of a patient."""
    loaded = list(sys.modules.items())
    return {getattr(module, "__file__", None) or "" for name, module in loaded if name != "__main__"}


def _relative(path: str) -> str | None:
    """Return a file's path within the program or its libraries; None for any other file."""
    if re.fullmatch(r"<frozen [\w.]+>", path):
        return path
    file = Path(path)
    for root in _roots():
        if file.is_relative_to(root):
            return file.relative_to(root).as_posix()
    return None


@cache
def _roots() -> tuple[Path, ...]:
    """Return the folders whose code is the program's or a library's, the nearest first."""
    package = Path(__file__).resolve().parents[1]
    frozen = [Path(sys._MEIPASS)] if hasattr(sys, "_MEIPASS") else []
    libraries = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib", "platstdlib")]
    # The package by itself, not the folder that holds it: that may be anybody's.
    return (*frozen, *dict.fromkeys(libraries), package)
