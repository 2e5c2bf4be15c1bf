"""Log: a rotating file in the user's folder, without patient data; Qt's own messages go there too."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import platformdirs
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

LARGEST_BYTES = 500_000

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_path() -> Path:
    """Return where the log is kept."""
    return Path(platformdirs.user_log_path("cryoplan", appauthor=False)) / "cryoplan.log"


def start_log() -> IO[str]:
    """Begin to log and return the open file for crash reports.

    Where no file can be written the log goes to the terminal; the program works all the same.
    """
    logger = logging.getLogger("cryoplan")
    logger.setLevel(logging.INFO)
    qInstallMessageHandler(_from_qt)
    try:
        log_path().parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(log_path(), maxBytes=LARGEST_BYTES, backupCount=2, encoding="utf-8")
    except OSError:
        logger.addHandler(logging.StreamHandler())
        return sys.stderr
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    return handler.stream or sys.stderr


def _from_qt(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    logging.getLogger("cryoplan").log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
