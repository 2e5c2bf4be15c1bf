"""The first window fits the screen that it opens on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from cryoplan.gui.start import show_fitting


class Screen:
    """A screen of a given size."""

    def __init__(self, size: QSize) -> None:
        self._size = size

    def availableSize(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size without panels of the system."""
        return self._size


@pytest.mark.parametrize(
    ("room", "is_maximized"),
    [((1920, 1080), False), ((1600, 1000), False), ((1280, 720), True), ((1600, 900), True)],
)
def test_a_window_larger_than_the_screen_takes_all_of_it_and_no_more(qtbot, monkeypatch, room, is_maximized):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    monkeypatch.setattr(window, "screen", lambda: Screen(QSize(*room)))
    show_fitting(window)
    assert window.isVisible()
    assert window.isMaximized() == is_maximized
