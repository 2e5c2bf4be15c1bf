"""A desk without a case, and panels shown on it."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def make(desk, qtbot):
    """Return a function that shows a panel and waits until it is up to date."""

    kept = []

    def build(kind):
        panel = kind(desk.workspace, desk.view)
        kept.append(panel)  # else it is gone as soon as a test asks for a part of it only
        panel.resize(300, 720)
        qtbot.addWidget(panel)
        panel.show()
        qtbot.waitExposed(panel)
        qtbot.waitUntil(lambda: not panel.is_busy_refreshing)
        return panel

    return build


@pytest.fixture
def settled(qtbot):
    """Return a function that waits until a panel has caught up."""
    return lambda panel: qtbot.waitUntil(lambda: not panel.is_busy_refreshing)
