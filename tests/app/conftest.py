"""State without a screen: Qt runs offscreen, nothing may be left running, and a hand edits a case file."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from cryoplan.app import writer as writing
from tests.support.desk import Desk
from tests.support.writing import LONG_S, Gate, Hand


@pytest.hookimpl(trylast=True)  # after pytest-xvfb, whose display is a display
def pytest_configure() -> None:
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _no_process_is_left_behind():
    before = {p.pid for p in multiprocessing.active_children()}
    yield
    assert {p.pid for p in multiprocessing.active_children()} <= before


@pytest.fixture
def desk(qapp):
    """A workspace with the small case and its plan; the test plays the background process."""
    del qapp
    one = Desk()
    one.open()
    yield one
    one.workspace.close()


@pytest.fixture
def hand(tmp_path, monkeypatch):
    """A hand whose writer tries again soon."""
    monkeypatch.setattr(writing, "AGAIN_S", 0.02)
    one = Hand(tmp_path / "a" / "case.cryoplan")
    yield one
    one.writer.close(LONG_S)


@pytest.fixture
def gate(monkeypatch):
    """An open gate before the disk, which is open again when the test ends."""
    one = Gate(monkeypatch)
    yield one
    one.open.set()
