"""A pytest plugin that forbids Qt, so that a round of tests proves what runs without it.

``python -m pytest -p no:pytest-qt -p tests.support.block_qt tests/core tests/image ...``
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

QT = frozenset({"PySide6", "shiboken6", "pyvistaqt", "qtpy", "PyQt5", "PyQt6", "PySide2"})


class QtBlocker(MetaPathFinder):
    """The first finder on the import path: it answers for Qt alone, and says no."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname.partition(".")[0] in QT:
            raise ModuleNotFoundError(f"{fullname} is blocked: this code must run without Qt", name=fullname)
        return None


def block() -> None:
    """Forbid Qt in this process from now on; refuse if it is too late for that."""
    there = sorted(QT.intersection(sys.modules))
    if there:
        raise RuntimeError(f"Qt cannot be blocked any more, it is imported: {', '.join(there)}")
    if not any(isinstance(finder, QtBlocker) for finder in sys.meta_path):
        sys.meta_path.insert(0, QtBlocker())


def pytest_addoption(parser: pytest.Parser) -> None:
    block()
    # These belong to pytest-qt and pytest-xvfb, which are switched off beside this plugin; pytest is strict.
    for option in ("qt_api", "xvfb_width", "xvfb_height", "xvfb_colordepth"):
        parser.addini(option, "option of a plugin that is switched off")


def pytest_report_header() -> str:
    return "Qt: blocked from import"
