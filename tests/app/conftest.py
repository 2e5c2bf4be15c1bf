"""State without a screen: Qt runs offscreen where there is no display, and nothing may be left running."""

from __future__ import annotations

import multiprocessing
import os

import pytest


@pytest.hookimpl(trylast=True)  # after pytest-xvfb, whose display is a display
def pytest_configure() -> None:
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _no_process_is_left_behind():
    before = {p.pid for p in multiprocessing.active_children()}
    yield
    assert {p.pid for p in multiprocessing.active_children()} <= before
