"""Log: a rotating file in the user's folder, without patient data; Qt's own messages go there too.

Only our own sentences are written as they are. What is filled into them, the text of errors and whatever Qt
or an image library says go through `cryoplan.app.scrub`, because file and folder names often hold the name
of a patient. Nothing here needs Qt until `listen_to_qt` is called, so that every command can log.
"""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from cryoplan.app.scrub import describe, scrub

if TYPE_CHECKING:
    from PySide6.QtCore import QMessageLogContext, QtMsgType

LARGEST_BYTES = 500_000
KEPT_FILES = 2
"""Older logs beside the present one; the whole never takes more than three times `LARGEST_BYTES`."""


def log_folder() -> Path:
    """Return the folder of logs and traces."""
    return Path(platformdirs.user_log_path("cryoplan", appauthor=False))


def log_path(name: str = "cryoplan") -> Path:
    """Return where the log of the window and the commands is kept, or that of another process."""
    return log_folder() / f"{name}.log"


def start_log(name: str = "cryoplan") -> Path:
    """Begin to log and return the file's path; it is made with the first line.

    Processes that live beside each other need names of their own: a file cannot be rotated under two.
    Where no file can be written the program works all the same.
    """
    logger = logging.getLogger("cryoplan")
    logger.setLevel(logging.INFO)
    path = log_path(name)
    stop_log()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = PrivateFile(path)
    except OSError:
        handler = logging.NullHandler()  # else Python prints lines to the terminal, with all they name
    handler.setFormatter(PrivateFormatter())
    handler.set_name(_NAME)
    logger.addHandler(handler)
    return path


def stop_log() -> None:
    """Close the log's file; lines of later are lost."""
    logger = logging.getLogger("cryoplan")
    for handler in [h for h in logger.handlers if h.get_name() == _NAME]:
        logger.removeHandler(handler)
        handler.close()


_NAME = "cryoplan-log"


class PrivateFile(RotatingFileHandler):
    """A rotating file that only its owner may read, and that is silent where it cannot be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LARGEST_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the handler's own name
        """Say nothing: Python's own way prints the line with all its values to the terminal."""


class PrivateFormatter(logging.Formatter):
    """Writes our own sentence whole, and scrubs all that is filled into it and every error."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(process)d %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of one record."""
        clean = logging.makeLogRecord(record.__dict__)
        clean.args = _scrubbed(record.args)
        error = record.exc_info[1] if record.exc_info else None
        clean.exc_info, clean.exc_text, clean.stack_info = None, None, None
        text = super().format(clean)
        return text if error is None else f"{text}\n{describe(error)}"


class Clean(str):
    """A text that has been through `cryoplan.app.scrub` already and is written as it is."""

    __slots__ = ()


def _scrubbed(values: object) -> tuple[object, ...] | dict[str, object] | None:
    if not values:
        return None
    if isinstance(values, dict):
        return {key: _one(value) for key, value in values.items()}
    return tuple(_one(value) for value in values) if isinstance(values, tuple) else (_one(values),)


def _one(value: object) -> object:
    if isinstance(value, Clean | bool | int | float):
        return value
    return describe(value) if isinstance(value, BaseException) else scrub(str(value))


def listen_to_qt() -> None:
    """Lead Qt's messages into the log."""
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler

    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
        QtMsgType.QtCriticalMsg: logging.ERROR,
        QtMsgType.QtFatalMsg: logging.CRITICAL,
    }

    def take(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        logging.getLogger("cryoplan").log(levels.get(kind, logging.WARNING), "Qt: %s", text)

    qInstallMessageHandler(take)
