"""Unreachable objects with timers are freed by the window's thread, however much other threads allocate."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

from cryoplan.app.tidying import FULL_AFTER_S, WAITS_NO_LONGER, Tidying


@pytest.fixture
def tidying(qapp):
    was = gc.isenabled()
    made = Tidying(qapp)
    made._timer.stop()  # the tests say when
    yield made
    made.deleteLater()
    if was:
        gc.enable()


class Dialog(QObject):
    """A closed dialog: nobody holds it but itself, and its timer runs."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self
        self.timer = QTimer(self)
        self.timer.start(5)


def closed_dialog(ended: list[int]) -> weakref.finalize:
    return weakref.finalize(Dialog(), lambda: ended.append(threading.get_ident()))


def allocate(count: int) -> None:
    """Allocate so much that Python would search on its own, in another thread."""
    thread = threading.Thread(target=lambda: [[n] for n in range(count)])
    thread.start()
    thread.join()


def test_another_thread_frees_nothing_and_the_windows_thread_does(tidying, qtbot):
    ended: list[int] = []
    finalize = closed_dialog(ended)
    allocate(100_000)
    qtbot.wait(30)
    assert finalize.alive
    kept = [[n] for n in range(2000)]
    tidying.look()
    assert ended == [threading.get_ident()]
    assert len(kept) == 2000


@pytest.mark.usefixtures("tidying")
def test_without_it_the_other_thread_would():
    """The danger is real: this is what Python does by itself. No timer here, or the program would end."""
    assert not gc.isenabled()
    ended: list[int] = []

    class Loop:
        def __init__(self) -> None:
            self.me = self

    finalize = weakref.finalize(Loop(), lambda: ended.append(threading.get_ident()))
    gc.enable()
    allocate(100_000)
    gc.disable()
    assert not finalize.alive
    assert ended != [threading.get_ident()]


def test_nothing_is_searched_while_a_button_is_held_unless_much_is_new(tidying, monkeypatch):
    searched: list[int] = []
    monkeypatch.setattr(gc, "collect", searched.append)
    monkeypatch.setattr(QGuiApplication, "mouseButtons", lambda: Qt.MouseButton.LeftButton)
    monkeypatch.setattr(gc, "get_count", lambda: (5000, 0, 0))
    tidying.look()
    assert searched == []
    monkeypatch.setattr(gc, "get_count", lambda: (WAITS_NO_LONGER, 0, 0))
    tidying.look()
    assert searched == [0]


def test_a_full_search_is_rare_and_little_is_not_searched(tidying, monkeypatch):
    searched: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda generation=2: searched.append(generation))
    monkeypatch.setattr(gc, "get_count", lambda: (100, 0, 0))
    tidying.look()
    monkeypatch.setattr(gc, "get_count", lambda: (5000, 11, 0))
    tidying.look()
    tidying._last_full -= FULL_AFTER_S + 1.0
    tidying.look()
    tidying.look()
    assert searched == [1, 2, 1]
